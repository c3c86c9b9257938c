//! The bytes of an object, for who asks for them: out of the cache where they are kept, else as they
//! come. What has begun goes on through a store's bad moments, and what follows is fetched ahead for
//! each who reads on.

use std::{collections::hash_map::Entry, fs::File, io, ops::Range, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    time::{Instant, sleep, timeout},
};
use tokio_util::io::ReaderStream;

use super::{
    CachedStore, PATIENCE,
    fetch::{self, Job},
    fill::{Fill, FillReader, Purpose},
    key::{ChunkKey, ObjectVersion},
};
use crate::storage::{
    StoreError,
    local::{FileVersion, in_time},
};

/// How long somebody who has the beginning waits for what follows, and after what pause it is asked
/// for again.
const GOES_ON: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(500);
/// So many chunks are fetched ahead for each who reads on.
const AHEAD: usize = 2;
/// A part of so many bytes is small,
const SMALL: u64 = 256 << 10;
/// and what lies so far behind what has come of an object comes soon.
const SOON: u64 = 1 << 20;
/// Bytes read from a file at once.
const CHUNK: usize = 256 << 10;

/// What was asked for.
pub enum Opened {
    /// A file that begins with the whole object.
    File(File),
    /// The bytes, as they come.
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

/// Where a chunk is read from.
enum Held {
    Kept(File),
    Coming(FillReader),
}

type Chunks = BoxStream<'static, io::Result<Bytes>>;

/// Somebody who reads an object.
struct Reader {
    edge: CachedStore,
    key: String,
    stamp: FileVersion,
    object: ObjectVersion,
    purpose: Purpose,
    /// What is still to be read.
    left: Range<u64>,
    /// The bytes of the chunk that is read now.
    chunk: Option<Chunks>,
    /// When he gives up, while nothing comes.
    until: Option<Instant>,
}

impl CachedStore {
    /// The bytes `range` of an object. Fails, within two seconds, where they are not kept and the
    /// store does not give them.
    pub async fn open(
        &self,
        key: &str,
        stamp: FileVersion,
        range: Range<u64>,
    ) -> Result<Opened, StoreError> {
        self.open_for(Purpose::Cache, key, stamp, range).await
    }

    /// As [`Self::open`]. Of what nobody is served later a small part is asked for by itself, and does
    /// not wait for all that lies before it.
    pub async fn open_for(
        &self,
        purpose: Purpose,
        key: &str,
        stamp: FileVersion,
        range: Range<u64>,
    ) -> Result<Opened, StoreError> {
        if range.is_empty() {
            return Ok(Opened::Stream(stream::empty().boxed()));
        }
        let object = self.object(key, stamp);
        let first = object.chunk_at(range.start);
        if purpose != Purpose::Cache && range.end - range.start <= SMALL {
            let underway = self.0.fills().get(&first).cloned();
            let came = first.bytes().start + underway.as_ref().map_or(0, |fill| fill.so_far());
            if range.start > came.saturating_add(SOON) {
                // Who had all of it asked for knows now what it is.
                drop(underway.map(Fill::take));
                let part = timeout(PATIENCE, self.peek(key, stamp, range)).await;
                let part = part.unwrap_or_else(|_| Err(late()))?;
                return Ok(Opened::Stream(stream::once(async { Ok(part) }).boxed()));
            }
        }
        let held = timeout(PATIENCE, self.hold(key, stamp, first, purpose)).await;
        let held = match held.unwrap_or_else(|_| Err(late()))? {
            Held::Kept(file) if object.is_whole() => return Ok(Opened::File(file)),
            held => held,
        };
        let mut reader = Reader {
            edge: self.clone(),
            key: key.to_owned(),
            stamp,
            object,
            purpose,
            left: range,
            chunk: None,
            until: None,
        };
        reader.begin(first, held).await.map_err(|_| unreadable())?;
        let next = |mut reader: Reader| async move {
            let bytes = reader.next().await?;
            Ok(bytes.map(|bytes| (bytes, reader)))
        };
        Ok(Opened::Stream(stream::try_unfold(reader, next).boxed()))
    }

    /// A whole object of at most `max` bytes.
    pub async fn bytes(
        &self,
        key: &str,
        stamp: FileVersion,
        max: u64,
    ) -> Result<Bytes, StoreError> {
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
        stamp: FileVersion,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        let inner = &self.0;
        let _turn = inner.turns.take(&inner.store.site(key)).await;
        inner
            .patiently(key, || {
                let (store, range) = (&inner.store, range.clone());
                Box::pin(async move {
                    let wanted = range.end.saturating_sub(range.start);
                    let mut content = store.read(key, stamp, range).await?;
                    let mut bytes = BytesMut::new();
                    while (bytes.len() as u64) < wanted
                        && let Some(chunk) = content.try_next().await?
                    {
                        bytes.extend_from_slice(&chunk);
                    }
                    bytes.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
                    Ok(bytes.freeze())
                })
            })
            .await
    }

    /// Fetches an object that somebody will likely ask for next, if little else is going on.
    pub fn fetch_ahead(&self, key: &str, stamp: FileVersion) {
        if let Some(chunk) = self.object(key, stamp).all().next() {
            self.go_ahead(key, stamp, chunk);
        }
    }

    pub(super) fn object(&self, key: &str, stamp: FileVersion) -> ObjectVersion {
        ObjectVersion::of(&self.0.home, key, stamp)
    }

    /// A chunk that is kept, or on its way: waits for its first bytes.
    async fn hold(
        &self,
        key: &str,
        stamp: FileVersion,
        chunk: ChunkKey,
        purpose: Purpose,
    ) -> Result<Held, StoreError> {
        loop {
            let underway = self.0.fills().get(&chunk).cloned();
            let fill = match underway {
                Some(fill) => fill,
                None => {
                    if let Some(file) = self.kept_file(chunk).await? {
                        return Ok(Held::Kept(file));
                    }
                    self.0.left_alone(key)?;
                    match self.fill(key, stamp, chunk, purpose)? {
                        Some(fill) => fill,
                        None => continue,
                    }
                }
            };
            let reader = fill.take();
            return reader.begun().await.map(|()| Held::Coming(reader));
        }
    }

    async fn kept_file(&self, chunk: ChunkKey) -> Result<Option<File>, StoreError> {
        let shelf = self.0.shelf.clone();
        if let Some(file) = shelf.take_at_once(chunk) {
            return Ok(Some(file));
        }
        let folder = shelf.folder().to_owned();
        // What is there and cannot be read now is not fetched again.
        let taken = in_time(&folder, move || shelf.take(chunk)).await.and_then(|taken| taken);
        taken.map_err(|_| StoreError::Busy)
    }

    /// All of a chunk that is kept.
    pub(super) async fn kept_bytes(&self, chunk: ChunkKey) -> Option<Bytes> {
        let file = self.kept_file(chunk).await.ok()??;
        let chunks: Vec<Bytes> =
            file_stream(file, 0..chunk.length()).await.ok()?.try_collect().await.ok()?;
        Some(chunks.concat().into())
    }

    /// The chunk on its way; if nobody fetches it yet, somebody does now. `None` where it has come
    /// since the caller looked.
    fn fill(
        &self,
        key: &str,
        stamp: FileVersion,
        chunk: ChunkKey,
        purpose: Purpose,
    ) -> Result<Option<Arc<Fill>>, StoreError> {
        let mut fills = self.0.fills();
        let place = match fills.entry(chunk) {
            Entry::Occupied(other) => return Ok(Some(other.get().clone())),
            Entry::Vacant(_) if self.0.shelf.holds(chunk) => return Ok(None),
            Entry::Vacant(place) => place,
        };
        let task = self.0.task(key)?;
        let fill = place.insert(Fill::new(chunk, purpose)).clone();
        drop(fills);
        let (key, begun) = (key.to_owned(), None);
        let job = Job { key, stamp, fill: fill.clone(), begun, task };
        // A task of its own: whoever asked first may go away.
        tokio::spawn(fetch::fetch(self.0.clone(), job));
        Ok(Some(fill))
    }

    /// Fetches a chunk that nobody has asked for yet, if little else is going on.
    fn go_ahead(&self, key: &str, stamp: FileVersion, chunk: ChunkKey) {
        if self.0.shelf.holds(chunk) || self.0.fills().contains_key(&chunk) {
            return;
        }
        let Some(turn) = self.0.ahead.try_take(&self.0.store.site(key)) else { return };
        if self.0.left_alone(key).is_err() {
            return;
        }
        if let Ok(Some(fill)) = self.fill(key, stamp, chunk, Purpose::Cache) {
            tokio::spawn(async move {
                // The turn stands for the whole of it.
                fill.ended().await;
                drop(turn);
            });
        }
    }

    async fn bytes_of(&self, held: Held, within: Range<u64>) -> io::Result<Chunks> {
        match held {
            Held::Coming(reader) => Ok(reader.stream(within).boxed()),
            Held::Kept(file) => file_stream(file, within).await,
        }
    }
}

impl Reader {
    /// Reads `chunk` from here on, and has what follows fetched.
    async fn begin(&mut self, chunk: ChunkKey, held: Held) -> io::Result<()> {
        let Range { start, end } = chunk.bytes();
        let within = self.left.start - start..self.left.end.min(end) - start;
        self.chunk = Some(self.edge.bytes_of(held, within).await?);
        if self.purpose != Purpose::Cache {
            return Ok(());
        }
        // Who asks for little near the end asks for the next soon, who reads on for more; who asks
        // for little, far from it, may want that and nothing else.
        let ahead = match self.left.end {
            asked if asked <= start.midpoint(end) => 0,
            asked if asked <= end => 1,
            _ => AHEAD,
        };
        let mut next = chunk.next();
        for _ in 0..ahead {
            let Some(chunk) = next else { break };
            self.edge.go_ahead(&self.key, self.stamp, chunk);
            next = chunk.next();
        }
        Ok(())
    }

    /// The next bytes; nothing where there are no more.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while !self.left.is_empty() {
            let error = match &mut self.chunk {
                None => match self.find().await {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Some(chunk) => match chunk.next().await {
                    Some(Ok(bytes)) if bytes.is_empty() => continue,
                    Some(Ok(bytes)) => {
                        self.left.start += bytes.len() as u64;
                        self.until = None;
                        return Ok(Some(bytes));
                    }
                    Some(Err(error)) => error,
                    None => {
                        self.chunk = None;
                        if self.object.chunk_at(self.left.start).bytes().start == self.left.start {
                            continue;
                        }
                        io::ErrorKind::UnexpectedEof.into()
                    }
                },
            };
            // What comes now is no beginning any more: a moment's trouble of the store breaks nothing.
            self.chunk = None;
            let now = Instant::now();
            let until = *self.until.get_or_insert(now + GOES_ON);
            if now + AGAIN >= until || !may_pass(&error) {
                return Err(error);
            }
            sleep(AGAIN).await;
        }
        Ok(None)
    }

    async fn find(&mut self) -> io::Result<()> {
        let until = *self.until.get_or_insert_with(|| Instant::now() + GOES_ON);
        let chunk = self.object.chunk_at(self.left.start);
        let held = self.edge.hold(&self.key, self.stamp, chunk, self.purpose);
        let left = until.saturating_duration_since(Instant::now());
        let held = timeout(left, held).await.unwrap_or_else(|_| Err(late()));
        let held = held.map_err(io::Error::other)?;
        self.begin(chunk, held).await
    }
}

/// Whether asking again may mend what a reader met.
fn may_pass(error: &io::Error) -> bool {
    let why = error.get_ref().and_then(|why| why.downcast_ref::<StoreError>());
    why.is_none_or(StoreError::may_pass)
}

fn late() -> StoreError {
    StoreError::Away("it does not answer in time".into())
}

fn unreadable() -> StoreError {
    StoreError::Away("the cache cannot be read".into())
}

async fn file_stream(file: File, bytes: Range<u64>) -> io::Result<Chunks> {
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK);
    file.seek(io::SeekFrom::Start(bytes.start)).await?;
    Ok(ReaderStream::with_capacity(file.take(bytes.end - bytes.start), CHUNK).boxed())
}
