//! A look at one name of a bucket: what lies there as a channel, or why it is none.

use std::{
    ffi::{OsStr, OsString},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::runtime::Handle;

use super::{
    BucketConfig,
    keys::{Group, InStore},
};
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
        record::ChannelRecord,
    },
    sources::{folder, probe_cache::ProbeCache, single_file},
};

/// What a look found.
pub(super) struct Looked {
    pub(super) name: OsString,
    pub(super) signature: blake3::Hash,
    /// `None` where there is nothing that concerns us.
    pub(super) record: Result<Option<ChannelRecord>, Problem>,
    pub(super) probed: Option<ProbeCache>,
}

/// Reads one name of a store. Blocks.
pub(super) fn look_at(
    name: OsString,
    group: Group,
    before: Option<Arc<ChannelRecord>>,
    mut probed: Option<ProbeCache>,
    store: BucketConfig,
    runtime: Handle,
) -> Looked {
    let signature = group.signature();
    let read =
        AssertUnwindSafe(|| read(&name, &group, before.as_deref(), &mut probed, &store, runtime));
    let record = catch_unwind(read).unwrap_or(Err(Problem::Panicked));
    let record = record.map(|record| record.filter(|record| !record.about.hidden));
    Looked { name, signature, record, probed }
}

/// What lies at a name, also where it is hidden. Blocks.
pub(super) fn read(
    name: &OsStr,
    group: &Group,
    before: Option<&ChannelRecord>,
    probed: &mut Option<ProbeCache>,
    store: &BucketConfig,
    runtime: Handle,
) -> Result<Option<ChannelRecord>, Problem> {
    let text = name.to_string_lossy();
    let mut files = InStore::new(&text, group, store, runtime);
    let read = match group {
        Group::Folder(_) => {
            name::id(&text)?;
            folder::read(&mut files, before, probed)
        }
        Group::File(..) => match name::form(&text) {
            NameForm::Plain | NameForm::OtherSubtitles => return Ok(None),
            NameForm::OtherMedia => return Err(Problem::OtherType),
            NameForm::Bare => {
                let stem = text.rsplit_once('.').map_or(&*text, |(stem, _)| stem);
                name::id(stem)?;
                single_file::read(&mut files, &text, probed)
            }
        },
    };
    if let Some(why) = &read.about_error {
        let name = name::shown(name);
        tracing::warn!(
            "channel.toml of {name} in the store cannot be read, and what it said before holds: {why}."
        );
    }
    read.record.map(Some)
}
