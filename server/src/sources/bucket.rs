//! What a store has: its channels as they were last seen, and whether it can be reached. The task
//! that keeps it up to date lists the store again and again, and reads the channels that changed.

mod keeper;
mod keys;
mod read;

use std::{
    collections::{BTreeMap, HashSet},
    ffi::{OsStr, OsString},
    sync::Arc,
    time::Duration,
};

use app::catalog::{ChannelId, Source};
use tokio::{runtime::Handle, sync::watch as channel};

pub(crate) use self::keeper::Keeper;
use self::{keys::InStore, read::read};
use super::complete::{NotWhole, Whole, is_of};
pub(crate) use super::poll::Looking;
use crate::{
    cache::Edge,
    catalog::{
        name::shown,
        problem::{Reason, Whereabouts},
        record::{Facts, Offer},
    },
    storage::{Object, StoreError},
};

/// A store that is away is asked again so soon, unless it is listed more often anyway.
pub(crate) const AWAY_AGAIN: Duration = Duration::from_secs(5);
/// Who has not told its list after so long counts as away until it does.
pub(crate) const LATE: Duration = Duration::from_secs(3);
/// A longer target duration counts as this, in seconds.
const TARGET_MAX_S: f64 = 20.0;
/// While a long list is read for the first time, what there is is shown so often.
pub(crate) const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// A store whose channels are listed beside those of the streams folder.
#[derive(Clone, Debug)]
pub struct StoreSource {
    /// The store, with the cache before it.
    pub edge: Edge,
    /// What its media objects say that they come from.
    pub source: Source,
    /// How often it is listed.
    pub refresh: Duration,
}

/// The channel of this id in a store, out of a list of its objects. Blocks.
pub(crate) fn read_whole(
    store: &StoreSource,
    objects: Vec<Object>,
    id: &ChannelId,
    runtime: &Handle,
) -> Result<Whole, NotWhole> {
    let mut groups: Vec<_> = keys::group(objects)
        .into_iter()
        .filter(|(name, group)| is_of(id, &name.to_string_lossy(), !group.is_file()))
        .collect();
    // A folder wins over a file, of files the first.
    groups.sort_by(|(a, one), (b, other)| (one.is_file(), a).cmp(&(other.is_file(), b)));
    let (name, group) = groups.into_iter().next().ok_or(NotWhole::Unknown)?;
    let read = read(&name, &group, None, &mut None, store, runtime.clone());
    let facts = read.map_err(NotWhole::Broken)?.ok_or(NotWhole::Unknown)?;
    let name = name.to_string_lossy();
    Whole::of(&name, facts, &mut InStore::new(&name, &group, store, runtime.clone()))
}

/// What people call a source of this name.
pub(crate) fn word(name: &str) -> &str {
    if name == "s3" { "bucket" } else { name }
}

/// What a store has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    /// The store's word.
    pub(crate) name: &'static str,
    /// It answered when it was last asked.
    pub(crate) available: bool,
    /// What is wrong with it, in one sentence.
    pub(crate) trouble: Option<String>,
    /// By name at the store's top.
    pub(crate) channels: BTreeMap<OsString, Arc<Facts>>,
    /// Names of those that the store itself cannot reach.
    pub(crate) behind: HashSet<OsString>,
    /// Names that are no channels, and why.
    pub(crate) left_out: Vec<(OsString, Reason)>,
    /// Whoever asks is told of its channels otherwise than by the log.
    pub(crate) silent: bool,
}

/// What all stores have, in the order in which they are asked for a channel.
pub(crate) type Stocks = Vec<Arc<Stock>>;

impl Stock {
    /// It answers.
    pub(crate) fn is_there(&mut self) {
        if !self.available || self.trouble.is_some() {
            tracing::info!(store = self.name, "The source can be reached again.");
        }
        self.available = true;
        self.trouble = None;
    }

    /// It answers, and something is wrong with it; `trouble` says what and is logged once.
    pub(crate) fn is_there_but(&mut self, trouble: String) {
        self.is_away(trouble);
        self.available = true;
    }

    /// It does not answer; `trouble` says which one and why, and is logged once.
    pub(crate) fn is_away(&mut self, trouble: String) {
        if self.trouble.as_deref() != Some(&trouble) {
            tracing::warn!("The {trouble}.");
        }
        self.available = false;
        self.trouble = Some(trouble);
    }

    /// It was read for the first time, which took so long.
    pub(crate) fn is_read(&self, took: Duration) {
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let channels = self.channels.len();
        tracing::info!(store = self.name, channels, duration_ms, "The source is read.");
    }

    /// Logs what the owner of a channel should know of it, unless `before` said the same.
    pub(crate) fn remark(
        &self,
        name: &OsStr,
        lies: Whereabouts<'_>,
        facts: &Facts,
        before: Option<&Facts>,
    ) {
        if self.silent {
            return;
        }
        let before = before.map(|facts| &*facts.remarks).unwrap_or_default();
        let called = format!("{} of the {}", shown(name), lies.word());
        let text = name.to_string_lossy();
        for remark in facts.remarks.iter().filter(|remark| !before.contains(remark)) {
            tracing::warn!("{}", remark.line(&called, lies, &text, !facts.bare));
        }
    }

    /// Puts it in its place among the others.
    pub(crate) fn show(&self, place: usize, publish: &channel::Sender<Stocks>) {
        let stock = Arc::new(self.clone());
        publish.send_modify(|stocks| {
            if let Some(slot) = stocks.get_mut(place) {
                *slot = stock;
            }
        });
    }
}

/// Why a source counts as away that has not told its list.
pub(crate) fn no_word_yet() -> StoreError {
    StoreError::Away("it has not told its list yet".into())
}

/// How long a playlist is fresh: half its target duration, of several the shortest.
pub(crate) fn fresh(facts: &Facts) -> Duration {
    let playlists = facts.files.values().filter_map(|offer| match offer {
        Offer::Playlist(playlist) => std::str::from_utf8(&playlist.text).ok(),
        Offer::File(_) => None,
    });
    let targets = playlists.filter_map(target_s);
    Duration::from_secs_f64(targets.fold(TARGET_MAX_S, f64::min) / 2.0)
}

/// The target duration of a media playlist in seconds (RFC 8216, 4.3.3.1).
fn target_s(playlist: &str) -> Option<f64> {
    let told = playlist.lines().find_map(|line| line.strip_prefix("#EXT-X-TARGETDURATION:"));
    told?.trim().parse().ok().map(|target: u32| f64::from(target.max(1)))
}
