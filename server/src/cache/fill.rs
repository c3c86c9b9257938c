//! One chunk on its way: written by one task, read by all that wait for it, while it comes.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::{
    sync::{Notify, watch},
    task::spawn_blocking,
};

use super::{
    disk::DiskCache,
    key::ChunkKey,
    spill::{Spill, Spills},
};
use crate::storage::{FoundObject, StoreError, local::is_out_of_room};

/// Bytes handed on at once, as for files.
const CHUNK: u64 = 256 << 10;

/// For whom the bytes of an object come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For everybody: they come to their end and are kept.
    Cache,
    /// For who asks while they come, and end with the last who reads them. All of them are kept for the
    /// time when the store is away: nobody is served them before that.
    Once,
    /// As those, and nothing of them is kept.
    Passing,
}

impl Purpose {
    /// Of an object that was found to be so.
    pub fn of(found: &FoundObject) -> Self {
        match found {
            found if found.fresh.passing => Self::Passing,
            found if found.is_for_once() => Self::Once,
            _ => Self::Cache,
        }
    }
}

/// What has come of a chunk.
#[derive(Debug)]
pub(super) struct Fill {
    pub(super) chunk: ChunkKey,
    purpose: Purpose,
    /// Somebody has asked for it.
    taken: AtomicBool,
    /// How many read it or wait for it.
    readers: AtomicUsize,
    /// The last of them has left.
    left: Notify,
    /// Where it is written before it is whole; nothing where the folder cannot be written.
    file: OnceLock<(File, PathBuf)>,
    /// What the disk had no room for, from this place in the chunk on.
    spilt_at: AtomicU64,
    spilt: Mutex<Spill>,
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    so_far: u64,
    end: Option<Result<(), StoreError>>,
}

/// Somebody who reads a chunk, or waits for it.
#[derive(Debug)]
pub(super) struct FillReader(Arc<Fill>);

/// Writes a chunk; alone in doing so.
pub(super) struct Writer {
    fill: Arc<Fill>,
    shelf: DiskCache,
    hasher: blake3::Hasher,
    so_far: u64,
}

impl Fill {
    /// A chunk of which nothing has come.
    pub(super) fn new(chunk: ChunkKey, purpose: Purpose) -> Arc<Self> {
        Arc::new(Self {
            chunk,
            purpose,
            taken: AtomicBool::new(false),
            readers: AtomicUsize::new(0),
            left: Notify::new(),
            file: OnceLock::new(),
            spilt_at: AtomicU64::new(u64::MAX),
            spilt: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
        })
    }

    /// Waits for the first bytes.
    async fn begun(&self) -> Result<(), StoreError> {
        self.reach(0).await.map(drop)
    }

    /// Whether nobody reads it or waits for it now.
    pub(super) fn is_unwanted(&self) -> bool {
        self.readers.load(Ordering::Acquire) == 0
    }

    /// Somebody reads it from here on.
    pub(super) fn take(self: Arc<Self>) -> FillReader {
        self.taken.store(true, Ordering::Release);
        self.readers.fetch_add(1, Ordering::AcqRel);
        FillReader(self)
    }

    /// Whether what came has to stay a moment: it is not kept, and who had it asked for has not taken
    /// it yet.
    pub(super) fn lingers(&self) -> bool {
        self.purpose == Purpose::Passing && !self.taken.load(Ordering::Acquire)
    }

    /// How much of it has come.
    pub(super) fn so_far(&self) -> u64 {
        self.progress.borrow().so_far
    }

    /// Waits until it is read no more, if it comes for its readers alone.
    pub(super) async fn is_left(&self) {
        loop {
            self.left.notified().await;
            if self.purpose != Purpose::Cache && self.is_unwanted() {
                return;
            }
        }
    }

    /// Waits until nothing more comes.
    pub(super) async fn ended(&self) {
        let _ = self.progress.subscribe().wait_for(|now| now.end.is_some()).await;
    }

    /// Tells all readers that nothing more comes; what was told first holds.
    pub(super) fn end(&self, end: Result<(), StoreError>) {
        self.progress.send_if_modified(|progress| {
            let is_first = progress.end.is_none();
            progress.end.get_or_insert(end);
            is_first
        });
    }

    /// Waits for bytes behind `at`; answers how far they reach.
    async fn reach(&self, at: u64) -> Result<u64, StoreError> {
        let mut progress = self.progress.subscribe();
        let now = progress.wait_for(|now| now.so_far > at || now.end.is_some()).await;
        let now = now.map(|now| now.clone()).unwrap_or_default();
        match now.end {
            _ if now.so_far > at => Ok(now.so_far),
            Some(Err(error)) => Err(error),
            _ => Err(StoreError::Away("its answer ended early".into())),
        }
    }

    /// The bytes at the beginning of `wanted`, all of which have come. Blocks.
    fn read(&self, wanted: Range<u64>) -> io::Result<Bytes> {
        let spilt_at = self.spilt_at.load(Ordering::Acquire);
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        if wanted.start < spilt_at
            && let Some((file, _)) = self.file.get()
        {
            let mut bytes = vec![0; index(wanted.end.min(spilt_at) - wanted.start)];
            file.read_exact_at(&mut bytes, wanted.start)?;
            return Ok(bytes.into());
        }
        let spilt = self.spilt.lock().unwrap_or_else(PoisonError::into_inner);
        let range = index(wanted.start - spilt_at)..index(wanted.end - spilt_at);
        spilt
            .bytes()
            .get(range)
            .map(Bytes::copy_from_slice)
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }

    /// Fails where neither the folder nor memory has room for it.
    fn write(&self, at: u64, bytes: &[u8], spills: &Arc<Spills>) -> Result<(), StoreError> {
        if self.spilt_at.load(Ordering::Acquire) == u64::MAX
            && let Some((file, _)) = self.file.get()
        {
            match file.write_all_at(bytes, at) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    unwritable(&error);
                    self.spilt_at.store(at, Ordering::Release);
                }
            }
        }
        let mut spilt = self.spilt.lock().unwrap_or_else(PoisonError::into_inner);
        if spilt.add(bytes, spills) { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// Puts the whole chunk on the shelf. Blocks.
    fn keep(&self, shelf: &DiskCache, seal: blake3::Hash) -> io::Result<()> {
        let Some((file, path)) = self.file.get() else { return Ok(()) };
        let is_spilt = self.spilt_at.load(Ordering::Acquire) != u64::MAX;
        if is_spilt || self.purpose == Purpose::Passing || !shelf.owns() {
            return Ok(());
        }
        file.write_all_at(seal.as_bytes(), self.chunk.length())?;
        shelf.put(self.chunk, file, path)
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        // What was put on the shelf has another name by now.
        if let Some((_, path)) = self.file.get() {
            let _ = fs::remove_file(path);
        }
    }
}

impl FillReader {
    /// Waits for the first bytes.
    pub(super) async fn begun(&self) -> Result<(), StoreError> {
        self.0.begun().await
    }

    /// Bytes of the chunk as they come; ends with an error where they stop to.
    pub(super) fn stream(self, bytes: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold((self, bytes.start), move |(reader, at)| async move {
            if at >= bytes.end {
                return Ok(None);
            }
            let end = reader.0.reach(at).await.map_err(io::Error::other)?;
            let end = end.min(bytes.end).min(at + CHUNK);
            let fill = reader.0.clone();
            let read = spawn_blocking(move || fill.read(at..end)).await;
            let read = read.map_err(io::Error::other)??;
            let next = at + read.len() as u64;
            Ok(Some((read, (reader, next))))
        })
    }
}

impl Drop for FillReader {
    fn drop(&mut self) {
        if self.0.readers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.left.notify_one();
        }
    }
}

impl Writer {
    /// Opens what the chunk is written to. Where nothing can be written it stays in memory for as
    /// long as somebody reads it.
    pub(super) async fn begin(fill: Arc<Fill>, shelf: DiskCache) -> Result<Self, StoreError> {
        if shelf.only_reads() {
            fill.spilt_at.store(0, Ordering::Release);
            return Ok(Self { fill, shelf, hasher: blake3::Hasher::new(), so_far: 0 });
        }
        let folder = shelf.clone();
        match spawn_blocking(move || folder.begin()).await {
            Ok(Ok(begun)) => drop(fill.file.set(begun)),
            // In memory they would stay as long as somebody reads them slowly.
            Ok(Err(error)) if is_out_of_room(&error) => return Err(StoreError::Busy),
            Ok(Err(error)) => {
                unwritable(&error);
                fill.spilt_at.store(0, Ordering::Release);
            }
            Err(_) => return Err(unfit()),
        }
        Ok(Self { fill, shelf, hasher: blake3::Hasher::new(), so_far: 0 })
    }

    /// The place in the chunk that comes next.
    pub(super) fn so_far(&self) -> u64 {
        self.so_far
    }

    /// Whether all has come.
    pub(super) fn is_full(&self) -> bool {
        self.so_far >= self.fill.chunk.length()
    }

    /// Adds what came; more than was asked for is passed over.
    pub(super) async fn add(&mut self, chunks: Vec<Bytes>) -> Result<(), StoreError> {
        let (fill, mut so_far) = (self.fill.clone(), self.so_far);
        let mut hasher = std::mem::take(&mut self.hasher);
        let spills = self.shelf.spills().clone();
        let wrote = spawn_blocking(move || {
            let mut wrote = Ok(());
            for chunk in &chunks {
                let room = fill.chunk.length() - so_far;
                let chunk = &chunk[..chunk.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                wrote = fill.write(so_far, chunk, &spills);
                if wrote.is_err() {
                    break;
                }
                hasher.update(chunk);
                so_far += chunk.len() as u64;
            }
            (hasher, so_far, wrote)
        });
        let (hasher, so_far, wrote) = wrote.await.map_err(|_| unfit())?;
        (self.hasher, self.so_far) = (hasher, so_far);
        self.fill.progress.send_modify(|progress| progress.so_far = so_far);
        wrote
    }

    /// Puts a chunk that is full on the shelf. That there is no room is no error for who reads it.
    pub(super) async fn keep(self) -> Result<(), StoreError> {
        let Self { fill, shelf, hasher, .. } = self;
        let kept = spawn_blocking(move || fill.keep(&shelf, hasher.finalize())).await;
        if let Err(error) = kept.map_err(|_| unfit())? {
            unwritable(&error);
        }
        Ok(())
    }
}

fn unwritable(error: &io::Error) {
    tracing::warn!(kind = %error.kind(), "The cache cannot be written.");
}

fn unfit() -> StoreError {
    StoreError::Away("this host failed to write it".into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{DiskCache, Fill, Purpose, StoreError, Writer};
    use crate::{
        cache::{
            key::{Home, ObjectVersion},
            spill::SPILT_MAX,
        },
        storage::local::FileVersion,
    };

    const LENGTH: u64 = 10 << 20;

    #[tokio::test]
    async fn what_a_full_disk_leaves_in_memory_is_bounded() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("file"), "").expect("written");
        // No folder can be made there.
        let shelf = DiskCache::new(&home.path().join("file/cache"), 1 << 30);
        let bytes = Bytes::from(vec![7; 1 << 20]);
        let fill = async |n: u64| {
            let stamp = FileVersion::tagged(LENGTH, 0, Some("tag"));
            let chunk =
                ObjectVersion::of(&Home::of("s3", "films"), &n.to_string(), stamp).chunk_at(0);
            let fill = Fill::new(chunk, Purpose::Cache);
            let mut writer = Writer::begin(fill.clone(), shelf.clone()).await.expect("begun");
            while !writer.is_full() {
                if let Err(error) = writer.add(vec![bytes.clone(); 3]).await {
                    return (fill, Err(error));
                }
            }
            (fill, Ok(()))
        };
        let (mut held, mut refused) = (Vec::new(), 0);
        for n in 0..20 {
            let (fill, wrote) = fill(n).await;
            refused += usize::from(matches!(wrote, Err(StoreError::Busy)));
            held.push(fill);
            assert!(shelf.spills().bytes() <= SPILT_MAX, "{} bytes", shelf.spills().bytes());
        }
        assert_eq!(refused, 14, "six chunks have room");
        let read = held[5].read(0..LENGTH).expect("all of it");
        assert!(read.len() == 10 << 20 && read.iter().all(|byte| *byte == 7));
        // What nobody reads any more makes room.
        held.clear();
        assert_eq!(shelf.spills().bytes(), 0);
        assert!(fill(20).await.1.is_ok());
    }
}
