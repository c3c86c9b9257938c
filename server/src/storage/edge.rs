//! The cache before a store: many that ask for one object cause one request, all of them are served
//! while it comes, and what came is kept for as long as there is room. What is done about a store
//! that fails (patience, trying again, leaving it alone) is done here too.

mod alone;
mod fetch;
mod fill;
mod find;
mod memory;
mod piece;
mod shelf;

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use moka::sync::Cache;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    sync::Semaphore,
    task::spawn_blocking,
    time::timeout,
};
use tokio_util::{io::ReaderStream, sync::CancellationToken};

pub use self::shelf::Shelf;
use self::{
    alone::Alone,
    fill::{Fill, Writer},
    find::{Known, Search, Wanted},
    memory::Memory,
    piece::{Cut, Piece, name_of},
};
use super::{Asked, Direct, Object, Page, Store, StoreError, Tag, breaker::Breaker, disk::Stamp};

/// How long somebody who asks for what is not kept waits for its first bytes.
const PATIENCE: Duration = Duration::from_millis(1800);
/// How many pieces are fetched at once; others wait for their turn.
const FETCHES: usize = 64;
/// How many of them may be what nobody has asked for yet; more are passed over.
const AHEAD: usize = 4;
/// Of so many servers is known how they are,
const BREAKERS: u64 = 4096;
/// and of so many objects what they are that no list tells of.
const KNOWN: u64 = 100_000;
/// Bytes read from a file at once.
const CHUNK: usize = 256 << 10;

/// A store with the cache before it; a cheap clone.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    shelf: Shelf,
    memory: Arc<Memory>,
    /// By site.
    breakers: Cache<String, Arc<Breaker>>,
    /// The pieces on their way.
    fills: Mutex<HashMap<Piece, Arc<Fill>>>,
    /// Objects that no list tells of, and the questions on their way.
    known: Cache<Wanted, Known>,
    searches: Mutex<HashMap<Wanted, Search>>,
    fetches: Semaphore,
    ahead: Arc<Semaphore>,
    stop: CancellationToken,
}

/// What was asked for.
pub enum Opened {
    /// A file that begins with the whole object.
    File(File),
    /// The bytes, as they come.
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

/// Where a piece is read from.
enum Held {
    Kept(File),
    Coming(Arc<Fill>),
}

impl Edge {
    /// Puts `shelf` before `store`; fetches end with `stop`.
    pub fn new(store: Arc<dyn Store>, shelf: Shelf, stop: CancellationToken) -> Self {
        let memory = Memory::new(shelf.folder(), store.name(), &store.identity());
        Self(Arc::new(Inner {
            store,
            shelf,
            memory: Arc::new(memory),
            breakers: Cache::new(BREAKERS),
            fills: Mutex::default(),
            known: Cache::new(KNOWN),
            searches: Mutex::default(),
            fetches: Semaphore::new(FETCHES),
            ahead: Arc::new(Semaphore::new(AHEAD)),
            stop,
        }))
    }

    /// What is kept of the store, while nobody asks it.
    pub fn alone(&self) -> Self {
        let store = Arc::new(Alone(self.0.store.clone()));
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
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
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
        self.0.patiently(key, || self.0.store.page(key, known)).await
    }

    /// Writes down what pages told of the store, for [`Self::recall`]; the same again is written once.
    pub async fn remember<T: Serialize>(&self, list: &T) {
        let memory = self.0.memory.clone();
        let Ok(bytes) = serde_json::to_vec(list) else { return };
        let kept = spawn_blocking(move || memory.keep(&bytes)).await;
        if let Ok(Err(error)) = kept {
            tracing::debug!(kind = %error.kind(), "The list of a store cannot be kept.");
        }
    }

    /// What the store had when it was remembered last, maybe before a restart.
    pub async fn recall<T: DeserializeOwned + Send + 'static>(&self) -> Option<T> {
        let memory = self.0.memory.clone();
        spawn_blocking(move || memory.recall()).await.ok().flatten()
    }

    /// Keeps a text that was read of an object, beside its pieces.
    pub async fn keep_text(&self, key: &str, text: Bytes) -> Result<(), StoreError> {
        let hash = blake3::hash(&text).to_hex();
        let stamp = Stamp::tagged(text.len() as u64, 0, Some(&hash));
        let cut = Cut::of(self.name(), key, stamp);
        let Some(piece) = cut.all().next().filter(|_| cut.is_whole()) else { return Ok(()) };
        if self.0.shelf.holds(piece) {
            return Ok(());
        }
        let mut writer = Writer::begin(Fill::new(piece), self.0.shelf.clone()).await?;
        writer.add(vec![text]).await?;
        writer.keep().await?;
        self.0.shelf.forget_others(cut);
        Ok(())
    }

    /// A text that was kept.
    pub async fn kept_text(&self, key: &str) -> Option<Bytes> {
        let stamp = self.kept_any(key)?;
        self.bytes(key, stamp, stamp.size).await.ok()
    }

    /// The bytes `range` of an object. Fails, within two seconds, where they are not kept and the
    /// store does not give them.
    pub async fn open(
        &self,
        key: &str,
        stamp: Stamp,
        range: Range<u64>,
    ) -> Result<Opened, StoreError> {
        let cut = Cut::of(self.name(), key, stamp);
        let mut pieces = cut.pieces(range);
        let Some((first, within)) = pieces.next() else {
            return Ok(Opened::Stream(stream::empty().boxed()));
        };
        let held = self.hold(key, stamp, first).await?;
        let held = match held {
            Held::Kept(file) if cut.is_whole() => return Ok(Opened::File(file)),
            held => held,
        };
        self.go_ahead(key, stamp, first.next());
        let begin = self.bytes_of(held, within).await?;
        let rest: Vec<_> = pieces.collect();
        let (edge, key) = (self.clone(), key.to_owned());
        let rest = stream::iter(rest).then(move |(piece, within)| {
            let (edge, key) = (edge.clone(), key.clone());
            async move {
                let held = edge.hold(&key, stamp, piece).await.map_err(io::Error::other)?;
                edge.go_ahead(&key, stamp, piece.next());
                edge.bytes_of(held, within).await.map_err(io::Error::other)
            }
        });
        Ok(Opened::Stream(begin.chain(rest.try_flatten()).boxed()))
    }

    /// A whole object of at most `max` bytes.
    pub async fn bytes(&self, key: &str, stamp: Stamp, max: u64) -> Result<Bytes, StoreError> {
        let length = stamp.size.min(max);
        let cut_off = |_| StoreError::Away("its answer was cut off".into());
        let mut stream = match self.open(key, stamp, 0..length).await? {
            Opened::Stream(stream) => stream,
            Opened::File(file) => file_stream(file, 0..length).await.map_err(cut_off)?,
        };
        let mut bytes = BytesMut::new();
        while let Some(chunk) = stream.try_next().await.map_err(cut_off)? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    /// A part of an object for a look inside, which is not worth keeping.
    pub async fn peek(
        &self,
        key: &str,
        stamp: Stamp,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        self.0
            .patiently(key, || {
                let (store, range) = (&self.0.store, range.clone());
                Box::pin(async move {
                    let mut content = store.read(key, stamp, range).await?;
                    let mut bytes = BytesMut::new();
                    while let Some(chunk) = content.try_next().await? {
                        bytes.extend_from_slice(&chunk);
                    }
                    Ok(bytes.freeze())
                })
            })
            .await
    }

    /// Fetches an object that somebody will likely ask for next, if little else is going on.
    pub fn fetch_ahead(&self, key: &str, stamp: Stamp) {
        self.go_ahead(key, stamp, Cut::of(self.name(), key, stamp).all().next());
    }

    /// The state of an object that an older address names, if all of it is kept.
    pub fn kept(&self, key: &str, version: &str) -> Option<Stamp> {
        let cut = Cut::of(self.name(), key, Stamp::of_version(version)?);
        cut.all().all(|piece| self.0.shelf.holds(piece)).then(|| cut.stamp())
    }

    /// Any state of an object of which all is kept: better than nothing while the store is away.
    pub fn kept_any(&self, key: &str) -> Option<Stamp> {
        self.0.shelf.any_of(name_of(self.name(), key)).map(Cut::stamp)
    }

    async fn hold(&self, key: &str, stamp: Stamp, piece: Piece) -> Result<Held, StoreError> {
        loop {
            let underway = self.0.fills().get(&piece).cloned();
            let fill = match underway {
                Some(fill) => fill,
                None => {
                    let shelf = self.0.shelf.clone();
                    let kept = match shelf.take_at_once(piece) {
                        Some(file) => Some(file),
                        None => match spawn_blocking(move || shelf.take(piece)).await {
                            Ok(Ok(kept)) => kept,
                            // It is there, so it is not fetched again.
                            Ok(Err(_)) => {
                                let why = "what is kept of it cannot be read now";
                                return Err(StoreError::Away(why.into()));
                            }
                            Err(_) => None,
                        },
                    };
                    if let Some(file) = kept {
                        return Ok(Held::Kept(file));
                    }
                    if let Some(wait) = self.0.breaker(key).wait() {
                        let seconds = wait.as_secs_f32().ceil();
                        let why = format!("it is left alone for another {seconds} s");
                        return Err(StoreError::Away(why));
                    }
                    match self.fill(key, stamp, piece) {
                        Some(fill) => fill,
                        None => continue,
                    }
                }
            };
            return match timeout(PATIENCE, fill.begun()).await {
                Ok(begun) => begun.map(|()| Held::Coming(fill)),
                Err(_) => Err(StoreError::Away("it does not answer in time".into())),
            };
        }
    }

    /// The piece on its way; if nobody fetches it yet, somebody does now. `None` where it has come
    /// since the caller looked.
    fn fill(&self, key: &str, stamp: Stamp, piece: Piece) -> Option<Arc<Fill>> {
        let mut fills = self.0.fills();
        let place = match fills.entry(piece) {
            Entry::Occupied(other) => return Some(other.get().clone()),
            Entry::Vacant(_) if self.0.shelf.holds(piece) => return None,
            Entry::Vacant(place) => place,
        };
        let fill = place.insert(Fill::new(piece)).clone();
        // A task of its own: whoever asked first may go away.
        tokio::spawn(fetch::fetch(self.0.clone(), key.to_owned(), stamp, fill.clone(), None));
        Some(fill)
    }

    fn go_ahead(&self, key: &str, stamp: Stamp, piece: Option<Piece>) {
        let Some(piece) = piece else { return };
        if self.0.shelf.holds(piece) || self.0.fills().contains_key(&piece) {
            return;
        }
        let Ok(permit) = self.0.ahead.clone().try_acquire_owned() else { return };
        if self.0.breaker(key).wait().is_some() {
            return;
        }
        if let Some(fill) = self.fill(key, stamp, piece) {
            tokio::spawn(async move {
                // The permit stands for the whole of it.
                fill.ended().await;
                drop(permit);
            });
        }
    }

    async fn bytes_of(
        &self,
        held: Held,
        within: Range<u64>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
        match held {
            Held::Coming(fill) => Ok(fill.stream(within).boxed()),
            Held::Kept(file) => file_stream(file, within)
                .await
                .map_err(|_| StoreError::Away("the cache cannot be read".into())),
        }
    }
}

impl Inner {
    fn breaker(&self, key: &str) -> Arc<Breaker> {
        self.breakers.get_with(self.store.site(key), Arc::default)
    }

    fn searches(&self) -> MutexGuard<'_, HashMap<Wanted, Search>> {
        self.searches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fills(&self) -> MutexGuard<'_, HashMap<Piece, Arc<Fill>>> {
        self.fills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn file_stream(
    file: File,
    bytes: Range<u64>,
) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK);
    file.seek(io::SeekFrom::Start(bytes.start)).await?;
    Ok(ReaderStream::with_capacity(file.take(bytes.end - bytes.start), CHUNK).boxed())
}
