//! The current list of channels as one immutable snapshot, and the handle that everybody reads it
//! through. It knows no source: each tells its `source_list`, and `assemble` makes one list of them.

pub(crate) mod artifacts;
pub(crate) mod assemble;
mod ids;
pub(crate) mod metadata;
pub(crate) mod name;
mod order;
mod preload;
pub(crate) mod problem;
pub(crate) mod record;
pub(crate) mod remark;
mod search;
pub(crate) mod snapshot;
pub(crate) mod source_list;
pub(crate) mod tagged;

use std::{sync::Arc, time::Duration};

use app::catalog::{Anchor, Catalog, FeedSlice, Media, Order};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

use self::artifacts::ArtifactIndex;
pub(crate) use self::{
    name::{nfc, shown, stem},
    record::etag_of,
    snapshot::ListedChannel,
};
pub use self::{
    problem::Problem,
    search::{Only, Tags},
    snapshot::Snapshot,
};
use crate::error::ApiError;

/// How long somebody who asks before the first scan is done waits for it.
const FIRST_SCAN: Duration = Duration::from_secs(2);
/// So long after the start the list is held back for sources that have not said anything yet.
const FIRST_WORDS: Duration = Duration::from_millis(1500);

/// Reads the current snapshot; a cheap clone.
#[derive(Clone, Debug)]
pub struct CatalogHandle {
    current: watch::Receiver<Option<Arc<Snapshot>>>,
    made: ArtifactIndex,
    began: Instant,
}

impl CatalogHandle {
    /// The current snapshot; `None` until the first scan is done.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.borrow().clone()
    }

    /// The current snapshot; waits a little for the first scan, so that nobody takes a list for empty
    /// that is not known yet.
    pub async fn first(&self) -> Result<Arc<Snapshot>, ApiError> {
        if let Some(snapshot) = self.current() {
            return Ok(snapshot);
        }
        let mut current = self.current.clone();
        let known = timeout(FIRST_SCAN, current.wait_for(Option::is_some)).await;
        known.ok().and_then(|known| known.ok()?.clone()).ok_or(ApiError::Starting)
    }

    /// As [`Self::first`]; for a moment after the start it also waits until each source has said
    /// something: another Carrete would take its channels for gone.
    pub async fn whole(&self) -> Result<Arc<Snapshot>, ApiError> {
        let snapshot = self.first().await?;
        if !snapshot.is_partial() {
            return Ok(snapshot);
        }
        let mut current = self.current.clone();
        let is_whole = |current: &Option<Arc<Snapshot>>| {
            current.as_ref().is_some_and(|snapshot| !snapshot.is_partial())
        };
        let whole = timeout_at(self.began + FIRST_WORDS, current.wait_for(is_whole)).await;
        Ok(whole.ok().and_then(|whole| whole.ok()?.clone()).unwrap_or(snapshot))
    }

    /// Wakes when the list changed. While only a live playlist grows the snapshot is replaced in
    /// silence.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        self.current.clone()
    }

    /// Reads what is sent to `current`.
    pub(crate) fn new(
        current: watch::Receiver<Option<Arc<Snapshot>>>,
        made: ArtifactIndex,
    ) -> Self {
        Self { current, made, began: Instant::now() }
    }

    /// A handle whose list never changes: for the tests of others.
    pub fn fixed(snapshot: Snapshot) -> Self {
        Self::new(watch::channel(Some(Arc::new(snapshot))).1, ArtifactIndex::default())
    }

    /// What was made of channels, for who makes it.
    pub(crate) fn artifacts(&self) -> &ArtifactIndex {
        &self.made
    }
}

impl Catalog for CatalogHandle {
    fn is_there(&self) -> bool {
        self.current.borrow().is_some()
    }

    fn window(&self, order: Order, anchor: &Anchor, before: u32, after: u32) -> Option<FeedSlice> {
        let snapshot = self.current().unwrap_or_default();
        let places = snapshot.places(order);
        let total = snapshot.len();
        let (before, after) = (index(before), index(after));
        let of = |id| places.place(snapshot.position(id)?);
        let nearest = |place| index(place).min(total.saturating_sub(1));
        let around = |at: usize| {
            at.saturating_sub(before)..at.saturating_add(after).saturating_add(1).min(total)
        };
        let range = match anchor {
            Anchor::Id(id) => around(of(id)?),
            Anchor::Near(id, place) => around(of(id).unwrap_or_else(|| nearest(*place))),
            Anchor::Place(place) => around(nearest(*place)),
            Anchor::First => 0..after.saturating_add(1).min(total),
            Anchor::Last => total.saturating_sub(before.saturating_add(1))..total,
        };
        let media = snapshot.media();
        let items: Vec<Media> = places.order()[range.clone()]
            .iter()
            .map(|n| Media::clone(&media[*n as usize]))
            .collect();
        Some(FeedSlice {
            items,
            offset: count(range.start),
            total: count(total),
            version: snapshot.version().to_owned(),
            order,
        })
    }

    fn opening(&self, id: &app::catalog::ChannelId) -> app::catalog::Opening {
        let snapshot = self.current().unwrap_or_default();
        let entry = snapshot.position(id).and_then(|place| snapshot.entries().get(place));
        entry.map(|entry| preload::opening(entry)).unwrap_or_default()
    }
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn count(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
