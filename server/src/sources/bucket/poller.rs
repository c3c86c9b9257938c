//! The task's knowledge of one store: what was read of each of its names, and from which list. Looks at
//! all of it and at live channels share it.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    runtime::Handle,
    sync::watch as channel,
    task::{JoinError, JoinSet, spawn_blocking},
    time::{Instant, timeout},
};

use super::{
    BucketConfig, fresh,
    keys::{self, Group},
    looked,
    read::{Looked, look_at},
};
use crate::{
    catalog::{
        name::shown,
        problem::{Problem, Whereabouts},
        record::{ChannelRecord, SourceId},
        source_list::{Publisher, SourceList},
    },
    sources::{
        poll::{AWAY_AGAIN, Follower, LATE, Poll, SHOWN_EVERY, no_word_yet},
        probe_cache::ProbeCache,
    },
    storage::{Object, StoreError},
};

/// A store that is asked for the first time may take so long before what is known of it is shown.
const SOON: Duration = Duration::from_millis(200);
/// Channels that are read at once.
const READERS: usize = 8;

/// What is known of one name.
struct KnownName {
    signature: Option<blake3::Hash>,
    record: Option<Arc<ChannelRecord>>,
    trouble: Option<Problem>,
    probed: Option<ProbeCache>,
    /// When the list was made that this was read from.
    as_of: Option<Instant>,
    /// When it was read last, and who waits for that.
    read: channel::Sender<Instant>,
    looked: looked::Looked,
}

impl Default for KnownName {
    fn default() -> Self {
        let read = channel::Sender::new(Instant::now());
        let looked = looked::Looked::new(read.subscribe());
        let (signature, record, trouble, probed, as_of) = (None, None, None, None, None);
        Self { signature, record, trouble, probed, as_of, read, looked }
    }
}

/// Keeps what is known of one store up to date; a cheap clone.
#[derive(Clone)]
pub(crate) struct Poller(Arc<Shared>);

struct Shared {
    store: BucketConfig,
    publish: Publisher,
    state: Mutex<State>,
}

/// What the looks at everything and those at live channels share.
struct State {
    known: HashMap<OsString, KnownName>,
    /// It is known from before a restart alone.
    recalled: bool,
    told_list: SourceList,
}

/// A name of a list with what lies there, and what that comes to.
type Named = (OsString, Group, blake3::Hash);

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Poller").field(&self.0.store.edge.name()).finish()
    }
}

impl Poll for Poller {
    async fn look(&mut self) -> Duration {
        let began = Instant::now();
        let first = self.state().known.is_empty();
        let listed = match self.list(first).await {
            Ok(objects) => objects,
            Err(error) => {
                self.away(&error);
                return self.0.store.refresh.min(AWAY_AGAIN);
            }
        };
        {
            let mut state = self.state();
            state.told_list.is_there();
            if std::mem::take(&mut state.recalled) {
                // What nobody could look into without the store is looked into now.
                state.known.values_mut().for_each(|known| known.signature = None);
            }
        }
        let whole = self.take(listed, &self.0.store.clone()).await;
        self.show();
        if first {
            let state = self.state();
            if !state.known.is_empty() {
                state.told_list.is_read(began.elapsed());
            }
        }
        let refresh = self.0.store.refresh;
        if whole { refresh } else { refresh.min(AWAY_AGAIN) }
    }

    fn follower(&self) -> Option<Follower> {
        let poller = self.clone();
        Some(Arc::new(move |name| {
            let poller = poller.clone();
            async move { poller.look_at_live(name).await }.boxed()
        }))
    }

    fn into_list(self) -> SourceList {
        self.state().told_list.clone()
    }
}

impl Poller {
    pub(crate) fn new(store: BucketConfig, publish: Publisher) -> Self {
        let told_list = SourceList::new(SourceId::new(store.edge.name()));
        let state = Mutex::new(State { known: HashMap::new(), recalled: false, told_list });
        Self(Arc::new(Shared { store, publish, state }))
    }

    /// As it is, without lines in the log about channels: whoever asks is told otherwise.
    pub(crate) fn silent(self) -> Self {
        self.state().told_list.silent = true;
        self
    }

    /// When a channel of this name was looked at.
    pub(super) fn looked_at(&self, name: &OsStr) -> Option<looked::Looked> {
        self.state().known.get(name).map(|known| known.looked.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a live channel, if its playlist may have grown.
    async fn look_at_live(&self, name: OsString) {
        let before = {
            let state = self.state();
            let known = state.known.get(&name);
            let live = known.and_then(|known| Some((known.record.clone()?, *known.read.borrow())));
            live.filter(|(record, read)| record.live && read.elapsed() >= fresh(record))
        };
        let Some((before, _)) = before else { return };
        self.look_anew(name.clone(), before).await;
        // Also where nothing came of it: who waits is served what there is.
        if let Some(known) = self.state().known.get(&name) {
            known.read.send_replace(Instant::now());
        }
    }

    /// Looks at one channel, whatever else has changed.
    async fn look_anew(&self, name: OsString, before: Arc<ChannelRecord>) {
        let (begin, as_of) = (format!("{}/", name.to_string_lossy()), Instant::now());
        let Ok(objects) = self.0.store.edge.list_below(&begin).await else { return };
        let Some(group) = keys::group(objects).remove(&name) else { return };
        let probed = {
            let mut state = self.state();
            let Some(known) = state.known.get_mut(&name) else { return };
            if known.signature == Some(group.signature()) {
                return;
            }
            known.probed.take()
        };
        let (store, runtime) = (self.0.store.clone(), Handle::current());
        let look = move || look_at(name, group, Some(before), probed, store, runtime);
        // What cannot be read now is judged by the next look at everything.
        if let Ok(looked) = spawn_blocking(look).await
            && matches!(looked.record, Ok(Some(_)))
        {
            self.read(Some(Ok((looked, as_of))));
            self.show();
        }
    }

    /// All objects, by name, and when they were asked for. What is known from before a restart is shown
    /// meanwhile, where the answer takes its time: nobody waits for a store of which all is known.
    async fn list(&self, first: bool) -> Result<(Vec<Named>, Instant), StoreError> {
        let (edge, as_of) = (self.0.store.edge.clone(), Instant::now());
        if !first {
            return Ok((named(edge.list().await?).await?, as_of));
        }
        let mut listing = tokio::spawn({
            let edge = edge.clone();
            async move { named(edge.list().await?).await }
        });
        let failed = |_| failed();
        let soon = timeout(SOON, &mut listing).await.ok();
        let soon = soon.map(|listed| listed.map_err(failed).and_then(|listed| listed));
        if let Some(Ok(listed)) = soon {
            return Ok((listed, as_of));
        }
        let recalled = edge.recall_objects().await;
        let is_recalled = recalled.is_some();
        if let Some(objects) = recalled {
            let alone = BucketConfig { edge: edge.alone(), ..self.0.store.clone() };
            self.take((named(objects).await?, as_of), &alone).await;
            {
                let mut state = self.state();
                match &soon {
                    Some(Err(error)) => state.told_list.is_away(self.trouble(error)),
                    _ => state.told_list.available = false,
                }
            }
            self.show();
        }
        self.state().recalled = is_recalled;
        let listed = match soon {
            Some(listed) => Ok(listed),
            None => match timeout(LATE, &mut listing).await {
                Ok(listed) => listed,
                Err(_) => {
                    self.away(&no_word_yet());
                    listing.await
                }
            },
        };
        let listed = listed.map_err(failed).and_then(|listed| listed);
        Ok((listed?, as_of))
    }

    fn away(&self, error: &StoreError) {
        let trouble = self.trouble(error);
        self.state().told_list.is_away(trouble);
        self.show();
    }

    fn trouble(&self, error: &StoreError) -> String {
        format!("{}: {error}", self.0.store.edge.label())
    }

    /// Brings what is known up to a list, read `from` the store or from what is kept of it; answers
    /// whether all of it could be read.
    async fn take(&self, (listed, as_of): (Vec<Named>, Instant), from: &BucketConfig) -> bool {
        let names: HashSet<&OsString> = listed.iter().map(|(name, ..)| name).collect();
        self.state().known.retain(|name, _| names.contains(name));
        let mut shown = Instant::now();
        let mut whole = true;
        let mut reading = JoinSet::new();
        for (name, group, signature) in listed {
            let Some((before, probed)) = self.wants(&name, signature, as_of) else { continue };
            while reading.len() >= READERS {
                whole &= self.read(reading.join_next().await);
            }
            if shown.elapsed() >= SHOWN_EVERY {
                self.show();
                shown = Instant::now();
            }
            let (store, runtime) = (from.clone(), Handle::current());
            reading.spawn_blocking(move || {
                (look_at(name, group, before, probed, store, runtime), as_of)
            });
        }
        while !reading.is_empty() {
            whole &= self.read(reading.join_next().await);
        }
        whole
    }

    /// What a look at this name begins with, if it has to be looked at. A live channel may have been
    /// looked at since the list was asked for.
    fn wants(
        &self,
        name: &OsString,
        signature: blake3::Hash,
        as_of: Instant,
    ) -> Option<(Option<Arc<ChannelRecord>>, Option<ProbeCache>)> {
        let mut state = self.state();
        let known = state.known.entry(name.clone()).or_default();
        let is_newer = known.as_of.is_some_and(|known| known > as_of);
        let wanted = known.signature != Some(signature) && !is_newer;
        wanted.then(|| (known.record.clone(), known.probed.take()))
    }

    fn read(&self, looked: Option<Result<(Looked, Instant), JoinError>>) -> bool {
        let Some(Ok((looked, as_of))) = looked else { return false };
        let mut state = self.state();
        let State { known, told_list, .. } = &mut *state;
        let Some(known) = known.get_mut(&looked.name) else { return true };
        known.probed = looked.probed;
        if known.as_of.is_some_and(|known| known > as_of) {
            // A later look was faster.
            return true;
        }
        match looked.record {
            Ok(record) => {
                (known.signature, known.as_of) = (Some(looked.signature), Some(as_of));
                known.read.send_replace(Instant::now());
                known.trouble = None;
                if let Some(record) = &record {
                    told_list.remark(
                        &looked.name,
                        Whereabouts::Bucket,
                        record,
                        known.record.as_deref(),
                    );
                }
                known.record = record.map(Arc::new);
                true
            }
            Err(reason) => {
                // What cannot be read, or is replaced in steps, stays as it was until the next look.
                // What is not for everybody is taken away at once.
                let again = known.trouble.as_ref() == Some(&reason)
                    || matches!(reason, Problem::Access { .. });
                if again && !matches!(reason, Problem::Unreadable { .. }) {
                    known.record = None;
                    known.signature = Some(looked.signature);
                    let fix = reason.fix(Whereabouts::Bucket, &looked.name.to_string_lossy());
                    let name = shown(&looked.name);
                    tracing::warn!("{name} of the bucket is left out: {reason}; {fix}.");
                }
                let settled = again || !reason.may_pass();
                known.trouble = Some(reason);
                settled
            }
        }
    }

    fn show(&self) {
        let mut state = self.state();
        let State { known, told_list, .. } = &mut *state;
        let channels = known.iter();
        told_list.channels = channels
            .filter_map(|(name, known)| Some((name.clone(), known.record.clone()?)))
            .collect();
        let left_out = known.iter();
        told_list.left_out = left_out
            .filter_map(|(name, known)| Some((name.clone(), known.trouble.clone()?)))
            .collect();
        self.0.publish.publish(told_list);
    }
}

/// Sorts a list by name, on a thread that may take its time: a bucket may be large.
async fn named(objects: Vec<Object>) -> Result<Vec<Named>, StoreError> {
    let sort = move || {
        let groups = keys::group(objects).into_iter();
        let named = groups.map(|(name, group)| {
            let signature = group.signature();
            (name, group, signature)
        });
        named.collect()
    };
    spawn_blocking(sort).await.map_err(|_| failed())
}

fn failed() -> StoreError {
    StoreError::Away("this host failed to ask".into())
}
