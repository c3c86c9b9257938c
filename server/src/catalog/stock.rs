//! What a store has: its channels as they were last seen, and whether it can be reached. The task
//! that keeps it up to date lists the store again and again, and reads the channels that changed.

mod keys;
mod look;
mod looking;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ffi::OsString,
    sync::Arc,
    time::Duration,
};

use app::catalog::{ChannelId, Source};
use tokio::{
    runtime::Handle,
    sync::watch as channel,
    task::{JoinSet, spawn_blocking},
    time::{Instant, timeout},
};

pub(super) use self::looking::{Doubt, Looking, look_once, run};
use self::{
    keys::InStore,
    look::{Looked, look_at, read},
};
use super::{
    facts::{Facts, Offer, Place},
    probe::Probed,
    reason::Reason,
    whole::{NotWhole, Whole, is_of},
};
use crate::storage::{Object, StoreError, edge::Edge};

/// A store that is away is asked again so soon, unless it is listed more often anyway.
pub(super) const AWAY_AGAIN: Duration = Duration::from_secs(5);
/// A store that is asked for the first time may take so long before what is known of it is shown.
const SOON: Duration = Duration::from_millis(200);
/// Who has not told its list after so long counts as away until it does.
pub(super) const LATE: Duration = Duration::from_secs(3);
/// A longer target duration counts as this, in seconds.
const TARGET_MAX_S: f64 = 20.0;
/// While a long list is read for the first time, what there is is shown so often.
pub(super) const SHOWN_EVERY: Duration = Duration::from_secs(1);
/// Channels that are read at once.
pub(super) const READERS: usize = 8;

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
pub(super) fn word(name: &str) -> &str {
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
}

/// What all stores have, in the order in which they are asked for a channel.
pub(crate) type Stocks = Vec<Arc<Stock>>;

/// What is known of one name.
struct Known {
    signature: Option<blake3::Hash>,
    facts: Option<Arc<Facts>>,
    trouble: Option<Reason>,
    probed: Option<Probed>,
    /// When it was read last.
    looked: channel::Sender<Instant>,
}

impl Default for Known {
    fn default() -> Self {
        let looked = channel::Sender::new(Instant::now());
        Self { signature: None, facts: None, trouble: None, probed: None, looked }
    }
}

impl Stock {
    /// It answers.
    pub(super) fn is_there(&mut self) {
        if !self.available || self.trouble.is_some() {
            tracing::info!(store = self.name, "The source can be reached again.");
        }
        self.available = true;
        self.trouble = None;
    }

    /// It answers, and something is wrong with it; `trouble` says what and is logged once.
    pub(super) fn is_there_but(&mut self, trouble: String) {
        self.is_away(trouble);
        self.available = true;
    }

    /// It does not answer; `trouble` says which one and why, and is logged once.
    pub(super) fn is_away(&mut self, trouble: String) {
        if self.trouble.as_deref() != Some(&trouble) {
            tracing::warn!("The {trouble}.");
        }
        self.available = false;
        self.trouble = Some(trouble);
    }

    /// It was read for the first time, which took so long.
    pub(super) fn is_read(&self, took: Duration) {
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let channels = self.channels.len();
        tracing::info!(store = self.name, channels, duration_ms, "The source is read.");
    }

    /// Puts it in its place among the others.
    pub(super) fn show(&self, place: usize, publish: &channel::Sender<Stocks>) {
        let stock = Arc::new(self.clone());
        publish.send_modify(|stocks| {
            if let Some(slot) = stocks.get_mut(place) {
                *slot = stock;
            }
        });
    }
}

/// Keeps what is known of one store up to date.
pub(super) struct Keeper {
    store: StoreSource,
    place: usize,
    publish: channel::Sender<Stocks>,
    known: HashMap<OsString, Known>,
    /// It is known from before a restart alone.
    recalled: bool,
    stock: Stock,
}

impl Looking for Keeper {
    async fn look(&mut self) -> Duration {
        let began = Instant::now();
        let first = self.known.is_empty();
        let objects = match self.list(first).await {
            Ok(objects) => objects,
            Err(error) => {
                self.away(&error);
                return self.store.refresh.min(AWAY_AGAIN);
            }
        };
        self.stock.is_there();
        if std::mem::take(&mut self.recalled) {
            // What nobody could look into without the store is looked into now.
            self.known.values_mut().for_each(|known| known.signature = None);
        }
        let store = self.store.clone();
        let whole = self.take(objects, &store).await;
        self.show();
        if first && !self.known.is_empty() {
            self.stock.is_read(began.elapsed());
        }
        if whole { self.store.refresh } else { self.store.refresh.min(AWAY_AGAIN) }
    }

    async fn look_at_live(&mut self, name: OsString) {
        let Some(known) = self.known.get(&name) else { return };
        let Some(before) = known.facts.clone().filter(|facts| facts.live) else { return };
        if known.looked.borrow().elapsed() < fresh(&before) {
            return;
        }
        self.look_anew(name.clone(), before).await;
        // Also where nothing came of it: who waits is served what there is.
        if let Some(known) = self.known.get(&name) {
            known.looked.send_replace(Instant::now());
        }
    }

    fn into_stock(self) -> Stock {
        self.stock
    }
}

/// Why a source counts as away that has not told its list.
pub(super) fn no_word_yet() -> StoreError {
    StoreError::Away("it has not told its list yet".into())
}

/// How long a playlist is fresh: half its target duration, of several the shortest.
pub(super) fn fresh(facts: &Facts) -> Duration {
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

impl Keeper {
    /// Looks at one channel, whatever else has changed.
    async fn look_anew(&mut self, name: OsString, before: Arc<Facts>) {
        let begin = format!("{}/", name.to_string_lossy());
        let Ok(objects) = self.store.edge.list_below(&begin).await else { return };
        let Some(group) = keys::group(objects).remove(&name) else { return };
        let Some(known) = self.known.get_mut(&name) else { return };
        if known.signature == Some(group.signature()) {
            return;
        }
        let probed = known.probed.take();
        let (store, runtime) = (self.store.clone(), Handle::current());
        let look = move || look_at(name, group, Some(before), probed, store, runtime);
        // What cannot be read now is judged by the next look at everything.
        if let Ok(looked) = spawn_blocking(look).await
            && matches!(looked.facts, Ok(Some(_)))
        {
            self.read(Some(Ok(looked)));
            self.show();
        }
    }

    pub(super) fn new(store: StoreSource, place: usize, publish: channel::Sender<Stocks>) -> Self {
        let stock = Stock { name: store.edge.name(), available: true, ..Stock::default() };
        Self { store, place, publish, known: HashMap::new(), recalled: false, stock }
    }

    /// All objects. What is known from before a restart is shown meanwhile, where the answer takes its
    /// time: nobody waits for a store of which all is known.
    async fn list(&mut self, first: bool) -> Result<Vec<Object>, StoreError> {
        let edge = self.store.edge.clone();
        if !first {
            return edge.list().await;
        }
        let mut listing = tokio::spawn({
            let edge = edge.clone();
            async move { edge.list().await }
        });
        let failed = |_| StoreError::Away("this host failed to ask".into());
        let soon = timeout(SOON, &mut listing).await.ok();
        let soon = soon.map(|listed| listed.map_err(failed).and_then(|listed| listed));
        if let Some(Ok(objects)) = soon {
            return Ok(objects);
        }
        let recalled = edge.recall_objects().await;
        let is_recalled = recalled.is_some();
        if let Some(objects) = recalled {
            let alone = StoreSource { edge: edge.alone(), ..self.store.clone() };
            self.take(objects, &alone).await;
            match &soon {
                Some(Err(error)) => self.stock.is_away(self.trouble(error)),
                _ => self.stock.available = false,
            }
            self.show();
        }
        self.recalled = is_recalled;
        if let Some(listed) = soon {
            return listed;
        }
        let listed = match timeout(LATE, &mut listing).await {
            Ok(listed) => listed,
            Err(_) => {
                self.away(&no_word_yet());
                listing.await
            }
        };
        listed.map_err(failed).and_then(|listed| listed)
    }

    fn away(&mut self, error: &StoreError) {
        self.stock.is_away(self.trouble(error));
        self.show();
    }

    fn trouble(&self, error: &StoreError) -> String {
        format!("{}: {error}", self.store.edge.label())
    }

    /// Brings what is known up to a list, read `from` the store or from what is kept of it; answers whether all of it could be read.
    async fn take(&mut self, objects: Vec<Object>, from: &StoreSource) -> bool {
        let groups = keys::group(objects);
        self.known.retain(|name, _| groups.contains_key(name));
        let mut shown = Instant::now();
        let mut whole = true;
        let mut reading = JoinSet::new();
        for (name, group) in groups {
            let known = self.known.entry(name.clone()).or_default();
            if known.signature == Some(group.signature()) {
                continue;
            }
            while reading.len() >= READERS {
                whole &= self.read(reading.join_next().await);
            }
            if shown.elapsed() >= SHOWN_EVERY {
                self.show();
                shown = Instant::now();
            }
            let before = self.known.get(&name).and_then(|known| known.facts.clone());
            let probed = self.known.get_mut(&name).and_then(|known| known.probed.take());
            let (store, runtime) = (from.clone(), Handle::current());
            reading.spawn_blocking(move || look_at(name, group, before, probed, store, runtime));
        }
        while !reading.is_empty() {
            whole &= self.read(reading.join_next().await);
        }
        whole
    }

    fn read(&mut self, looked: Option<Result<Looked, tokio::task::JoinError>>) -> bool {
        let Some(Ok(looked)) = looked else { return false };
        let Some(known) = self.known.get_mut(&looked.name) else { return true };
        known.probed = looked.probed;
        match looked.facts {
            Ok(mut facts) => {
                if let Some(Place::Store { edge, looked, .. }) =
                    facts.as_mut().map(|facts| &mut facts.place)
                {
                    *edge = self.store.edge.clone();
                    *looked = known.looked.subscribe();
                }
                known.signature = Some(looked.signature);
                known.looked.send_replace(Instant::now());
                known.trouble = None;
                known.facts = facts.map(Arc::new);
                true
            }
            Err(reason) => {
                // What cannot be read, or is replaced in steps, stays as it was until the next look.
                let again = known.trouble.as_ref() == Some(&reason);
                if again && !matches!(reason, Reason::Unreadable { .. }) {
                    known.facts = None;
                    known.signature = Some(looked.signature);
                    tracing::warn!("{:?} of the store is left out: {reason}.", looked.name);
                }
                let settled = again || !reason.may_pass();
                known.trouble = Some(reason);
                settled
            }
        }
    }

    fn show(&mut self) {
        let channels = self.known.iter();
        self.stock.channels = channels
            .filter_map(|(name, known)| Some((name.clone(), known.facts.clone()?)))
            .collect();
        let left_out = self.known.iter();
        self.stock.left_out = left_out
            .filter_map(|(name, known)| Some((name.clone(), known.trouble.clone()?)))
            .collect();
        self.stock.show(self.place, &self.publish);
    }
}
