//! A page of another server as a list of channels, in whichever of its forms.

use std::{collections::HashSet, ffi::OsString};

use app::catalog::Kind;
use tokio::task::spawn_blocking;

use super::{autoindex, carrete, m3u, record::Raw};
use crate::storage::{Page, Refusal, StoreError, Tag};

/// What mends an address where no list is.
pub(super) const LISTS: &str =
    "give the address of a Carrete, of a folder that a web server lists, or of an M3U list";

/// What kind of list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Another Carrete's.
    Carrete,
    /// A folder as a web server shows it.
    Index,
    /// M3U.
    M3u,
}

/// A page that was understood.
pub(super) struct List {
    pub(super) form: Form,
    /// What tells one state of it from another.
    pub(super) tag: Tag,
    pub(super) raws: Vec<(String, Raw)>,
    /// What it cannot reach itself.
    pub(super) behind: HashSet<OsString>,
}

impl List {
    /// Reads a page as the list that it is. Blocks.
    pub(super) fn read(page: Page, kind: Kind) -> Result<Self, StoreError> {
        let nobody = HashSet::new;
        let (form, raws, behind) = if m3u::is_m3u(&page) {
            (Form::M3u, m3u::read(&page, kind), nobody())
        } else if let Some((raws, behind)) = carrete::read(&page, kind) {
            (Form::Carrete, raws, behind)
        } else if let Some(entries) = autoindex::read(&page) {
            (Form::Index, autoindex::raws(entries, kind), nobody())
        } else {
            return Err(unknown(&page));
        };
        Ok(Self { form, tag: page.tag, raws, behind })
    }
}

/// The page, if it is another Carrete's list.
pub(super) async fn believed(page: Page, kind: Kind) -> Option<Page> {
    let judged = spawn_blocking(move || carrete::read(&page, kind).is_some().then_some(page));
    judged.await.ok().flatten()
}

fn unknown(page: &Page) -> StoreError {
    let what = if page.text.trim().is_empty() { "its list is empty" } else { "it shows no list" };
    StoreError::Refused(Refusal { what: what.into(), fix: LISTS.into() })
}
