//! The cache before a store: many that ask for one object cause one request, all of them are served
//! while it comes, and what came is kept for as long as there is room. What is done about a store
//! that fails (patience, trying again, leaving it alone) is done here too.

pub mod breaker;
mod disk;
mod fetch;
mod fill;
mod key;
mod manifest;
mod offline;
mod open;
mod permit;
mod revalidate;
mod spill;
mod watched;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use moka::sync::Cache;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;

pub use self::{disk::DiskCache, fill::Purpose, open::Opened};
use self::{
    fill::{Fill, Writer},
    key::{ChunkKey, Home, ObjectVersion},
    manifest::Manifest,
    offline::OfflineStore,
    permit::Objects,
    revalidate::{KnownObject, ObjectName, Search},
};
use crate::{
    cache::breaker::Breaker,
    storage::{
        Asked, Direct, Object, Page, Store, StoreError, Tag,
        local::FileVersion,
        turns::{Limits, Share, Turn},
    },
};

/// How long somebody who asks for what is not kept waits for its first bytes.
const PATIENCE: Duration = Duration::from_millis(1800);
/// What is asked for at once; others wait for their turn, and hold nothing meanwhile.
const TURNS: Limits = Limits { all: 96, host: 32, spare: 32, least: 4, first: 32 };
/// What is asked for or waits for its turn; whoever would be one more is told to come again.
const TASKS: Limits = Limits { all: 768, host: 320, spare: 192, least: 16, first: 64 };
/// What nobody has asked for yet; more is passed over.
const AHEAD: Limits = Limits { all: 96, host: 64, spare: 16, least: 4, first: 0 };
/// How many older states of objects may be asked for at once, and each second: what nobody names costs
/// nobody much.
const OLDER: f32 = 20.0;
const OLDER_A_SECOND: f32 = 5.0;
/// Of so many servers is known how they are,
const BREAKERS: u64 = 4096;
/// and of so many objects what they are that no list tells of.
const KNOWN: u64 = 100_000;

/// A store with the cache before it; a cheap clone.
#[derive(Clone, Debug)]
pub struct CachedStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    /// What tells its objects from those of others.
    home: Home,
    shelf: DiskCache,
    memory: Arc<Manifest>,
    /// By site.
    breakers: Cache<String, Arc<Breaker>>,
    /// Objects that came badly.
    objects: Arc<Objects>,
    /// The chunks on their way.
    fills: Mutex<HashMap<ChunkKey, Arc<Fill>>>,
    /// Objects that no list tells of, and the questions on their way.
    known: Cache<ObjectName, KnownObject>,
    searches: Mutex<HashMap<ObjectName, Arc<Search>>>,
    turns: Arc<Share>,
    /// As those, for what says what there is: it waits for no film.
    pages: Arc<Share>,
    tasks: Arc<Share>,
    ahead: Arc<Share>,
    /// How many older states may be asked for, as of when.
    older: Mutex<(f32, Instant)>,
    stop: CancellationToken,
}

impl CachedStore {
    /// Puts `shelf` before `store`; fetches end with `stop`.
    pub fn new(store: Arc<dyn Store>, shelf: DiskCache, stop: CancellationToken) -> Self {
        let identity = store.identity();
        let memory = Manifest::new(shelf.folder(), store.name(), &identity);
        Self(Arc::new(Inner {
            home: Home::of(store.name(), &identity),
            store,
            shelf,
            memory: Arc::new(memory),
            breakers: Cache::new(BREAKERS),
            objects: Arc::default(),
            fills: Mutex::default(),
            known: Cache::new(KNOWN),
            searches: Mutex::default(),
            turns: Share::new(TURNS),
            pages: Share::new(TURNS),
            tasks: Share::new(TASKS),
            ahead: Share::new(AHEAD),
            older: Mutex::new((OLDER, Instant::now())),
            stop,
        }))
    }

    /// What is kept of the store, while nobody asks it.
    pub fn alone(&self) -> Self {
        let store = Arc::new(OfflineStore(self.0.store.clone()));
        Self::new(store, self.0.shelf.clone(), self.0.stop.clone())
    }

    /// The store's word.
    pub fn name(&self) -> &'static str {
        self.0.store.name()
    }

    /// What people call the store.
    pub fn label(&self) -> String {
        self.0.store.label()
    }

    /// The cache's files.
    pub fn shelf(&self) -> &DiskCache {
        &self.0.shelf
    }

    /// Ends when this server is to stop.
    pub async fn stopped(&self) {
        self.0.stop.cancelled().await;
    }

    /// Leave for one more task that asks for an object; given back when dropped.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where there are too many, of its host or in all.
    pub fn task(&self, key: &str) -> Result<Turn, StoreError> {
        self.0.task(key)
    }

    /// Whether the store itself is known to be away: what else fails at somebody's says nothing of it.
    pub fn is_away(&self) -> bool {
        self.0.breakers.get(&self.0.store.home()).is_some_and(|breaker| !breaker.is_closed())
    }

    /// Whether one more may be asked for that no list names: an older state of something. So many in a
    /// moment, and so many a second.
    pub fn may_ask_for_older(&self) -> bool {
        let now = Instant::now();
        let mut older = self.0.older.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, at) = *older;
        let left = (left + now.duration_since(at).as_secs_f32() * OLDER_A_SECOND).min(OLDER);
        *older = (left, now);
        if left >= 1.0 {
            older.0 -= 1.0;
        }
        left >= 1.0
    }

    /// What is asked for now, and what waits for that.
    pub fn underway(&self) -> usize {
        self.0.tasks.taken()
    }

    /// Where players read an object by themselves, if they are to; asks nobody.
    pub async fn direct(
        &self,
        key: &str,
        media_type: &'static str,
        asked: Asked,
    ) -> Option<Direct> {
        self.0.store.direct(key, media_type, asked).await.ok().flatten()
    }

    /// All objects of the store.
    pub async fn list(&self) -> Result<Vec<Object>, StoreError> {
        let objects = self.0.patiently("", || self.0.store.list()).await?;
        if !self.0.shelf.owns() {
            return Ok(objects);
        }
        let memory = self.0.memory.clone();
        let kept = spawn_blocking(move || (memory.keep_objects(&objects), objects)).await;
        let (kept, objects) = kept.map_err(|_| StoreError::Away("this host failed".into()))?;
        if let Err(error) = kept {
            tracing::debug!(kind = %error.kind(), "The list of a store cannot be kept.");
        }
        Ok(objects)
    }

    /// The objects whose keys begin so.
    pub async fn list_below(&self, begin: &str) -> Result<Vec<Object>, StoreError> {
        self.0.patiently(begin, || self.0.store.list_below(begin)).await
    }

    /// All objects as they were listed last, maybe before a restart.
    pub async fn recall_objects(&self) -> Option<Vec<Object>> {
        let memory = self.0.memory.clone();
        spawn_blocking(move || memory.recall_objects()).await.ok().flatten()
    }

    /// A page of the store; `None` where it still is what `known` says.
    pub async fn page(&self, key: &str, known: Option<&Tag>) -> Result<Option<Page>, StoreError> {
        let _turn = self.0.pages.take(&self.0.store.site(key)).await;
        self.0.patiently(key, || self.0.store.page(key, known)).await
    }

    /// Writes down what pages told of the store, for [`Self::recall`]; the same again is written once.
    /// Answers whether that could be.
    pub async fn remember<T: Serialize + Send + 'static>(&self, list: T) -> bool {
        if !self.0.shelf.owns() {
            return false;
        }
        let memory = self.0.memory.clone();
        let kept = spawn_blocking(move || memory.keep(&serde_json::to_vec(&list)?)).await;
        match kept {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(kind = %error.kind(), "The list of a store cannot be kept.");
                false
            }
            Err(_) => false,
        }
    }

    /// What the store had when it was remembered last, maybe before a restart.
    pub async fn recall<T: DeserializeOwned + Send + 'static>(&self) -> Option<T> {
        let memory = self.0.memory.clone();
        spawn_blocking(move || memory.recall()).await.ok().flatten()
    }

    /// Keeps a text that was read of an object, beside its chunks.
    pub async fn keep_text(&self, key: &str, text: Bytes) -> Result<(), StoreError> {
        let hash = blake3::hash(&text).to_hex();
        let stamp = FileVersion::tagged(text.len() as u64, 0, Some(&hash));
        let object = self.object(key, stamp);
        let Some(chunk) = object.all().next().filter(|_| object.is_whole()) else { return Ok(()) };
        if self.0.shelf.holds(chunk) || !self.0.shelf.owns() {
            return Ok(());
        }
        let mut writer =
            Writer::begin(Fill::new(chunk, Purpose::Cache), self.0.shelf.clone()).await?;
        writer.add(vec![text]).await?;
        writer.keep().await?;
        self.0.shelf.forget_others(object);
        Ok(())
    }

    /// A text that was kept.
    pub async fn kept_text(&self, key: &str) -> Option<Bytes> {
        let object =
            self.0.shelf.any_of(self.0.home.name(key)).filter(|object| object.is_whole())?;
        self.kept_bytes(object.chunk_at(0)).await
    }

    /// The state of an object that an older address names, if all of it is kept.
    pub fn kept(&self, key: &str, version: &str) -> Option<FileVersion> {
        // Of nothing all is kept, always; and no list names what is empty.
        let stamp = FileVersion::of_version(version).filter(|stamp| stamp.size > 0)?;
        let object = self.object(key, stamp);
        object.all().all(|chunk| self.0.shelf.holds(chunk)).then(|| object.stamp())
    }

    /// Any state of an object of which all is kept: better than nothing while the store is away.
    pub fn kept_any(&self, key: &str) -> Option<FileVersion> {
        self.0.shelf.any_of(self.0.home.name(key)).map(ObjectVersion::stamp)
    }
}

impl Inner {
    fn breaker(&self, key: &str) -> Arc<Breaker> {
        self.breakers.get_with(self.store.site(key), Arc::default)
    }

    /// Fails where the host of this object is known to be away, or where it does not come whole.
    fn left_alone(&self, key: &str) -> Result<(), StoreError> {
        let wait = self.objects.wait(key).or_else(|| self.breaker(key).wait());
        let Some(wait) = wait else { return Ok(()) };
        let seconds = wait.as_secs_f32().ceil();
        Err(StoreError::Away(format!("it is left alone for another {seconds} s")))
    }

    /// Leave for one more task.
    fn task(&self, key: &str) -> Result<Turn, StoreError> {
        self.tasks.try_take(&self.store.site(key)).ok_or(StoreError::Busy)
    }

    fn searches(&self) -> MutexGuard<'_, HashMap<ObjectName, Arc<Search>>> {
        self.searches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fills(&self) -> MutexGuard<'_, HashMap<ChunkKey, Arc<Fill>>> {
        self.fills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
