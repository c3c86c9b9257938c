//! What one source has: its channels as they were last seen, and whether it can be reached. Sources tell
//! it, and the catalogue puts the list together out of all of them.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::{OsStr, OsString},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use super::{
    name::shown,
    problem::{Problem, Whereabouts},
    record::{ChannelRecord, SourceId},
};

/// What a source has.
#[derive(Clone, Debug)]
pub(crate) struct SourceList {
    /// Whose list it is.
    pub(crate) id: SourceId,
    /// It has said something.
    pub(crate) heard: bool,
    /// It answered when it was last asked.
    pub(crate) available: bool,
    /// What is wrong with it, in one sentence.
    pub(crate) trouble: Option<String>,
    /// By name at the source's top.
    pub(crate) channels: BTreeMap<OsString, Arc<ChannelRecord>>,
    /// Names of those that the source itself cannot reach.
    pub(crate) behind: HashSet<OsString>,
    /// Names that are no channels, and why.
    pub(crate) left_out: Vec<(OsString, Problem)>,
    /// Whoever asks is told of its channels otherwise than by the log.
    pub(crate) silent: bool,
}

impl SourceList {
    /// Nothing is known of this source yet.
    pub(crate) fn new(id: SourceId) -> Self {
        Self {
            id,
            heard: false,
            available: true,
            trouble: None,
            channels: BTreeMap::new(),
            behind: HashSet::new(),
            left_out: Vec::new(),
            silent: false,
        }
    }

    /// It answers.
    pub(crate) fn is_there(&mut self) {
        if !self.available || self.trouble.is_some() {
            tracing::info!(store = self.id.name(), "The source can be reached again.");
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
        tracing::info!(store = self.id.name(), channels, duration_ms, "The source is read.");
    }

    /// Logs what the owner of a channel should know of it, unless `before` said the same.
    pub(crate) fn remark(
        &self,
        name: &OsStr,
        lies: Whereabouts<'_>,
        record: &ChannelRecord,
        before: Option<&ChannelRecord>,
    ) {
        if self.silent {
            return;
        }
        let before = before.map(|record| &*record.remarks).unwrap_or_default();
        let called = format!("{} of the {}", shown(name), lies.word());
        let text = name.to_string_lossy();
        for remark in record.remarks.iter().filter(|remark| !before.contains(remark)) {
            tracing::warn!("{}", remark.line(&called, lies, &text, !record.bare));
        }
    }

    /// Whether it tells the same channels, and the same of the source.
    fn is_as(&self, other: &Self) -> bool {
        let all = self.channels.iter().zip(&other.channels);
        self.available == other.available
            && self.trouble == other.trouble
            && self.behind == other.behind
            && self.channels.len() == other.channels.len()
            && all.into_iter().all(|((a, one), (b, other))| a == b && Arc::ptr_eq(one, other))
    }
}

/// What all sources have, in the order in which they are asked for a channel.
pub(crate) type SourceLists = Vec<Arc<SourceList>>;

/// Where a source tells what it has; a cheap clone.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    place: usize,
    lists: watch::Sender<SourceLists>,
}

impl Publisher {
    /// For the source at this place of the lists.
    pub(crate) fn new(place: usize, lists: watch::Sender<SourceLists>) -> Self {
        Self { place, lists }
    }

    /// For who looks once, and tells nobody.
    pub(crate) fn nobody() -> Self {
        Self { place: 0, lists: watch::Sender::default() }
    }

    /// Tells what the source has now.
    pub(crate) fn publish(&self, list: &SourceList) {
        self.lists.send_if_modified(|lists| {
            let Some(slot) = lists.get_mut(self.place) else { return false };
            let news = !slot.heard || !slot.is_as(list);
            if news {
                *slot = Arc::new(SourceList { heard: true, ..list.clone() });
            }
            news
        });
    }
}
