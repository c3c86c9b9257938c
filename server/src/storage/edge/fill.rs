//! One piece on its way: written by one task, read by all that wait for it, while it comes.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::{sync::watch, task::spawn_blocking};

use super::{piece::Piece, shelf::Shelf};
use crate::storage::{StoreError, disk::is_out_of_room};

/// Bytes handed on at once, as for files.
const CHUNK: u64 = 256 << 10;

/// What has come of a piece.
#[derive(Debug)]
pub(super) struct Fill {
    pub(super) piece: Piece,
    /// It is for those alone who ask while it comes.
    passing: bool,
    /// Somebody has asked for it.
    taken: AtomicBool,
    /// Where it is written before it is whole; nothing where the folder cannot be written.
    file: OnceLock<(File, PathBuf)>,
    /// What the disk had no room for, from this place in the piece on.
    spilt_at: AtomicU64,
    spilt: Mutex<Vec<u8>>,
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    so_far: u64,
    end: Option<Result<(), StoreError>>,
}

/// Writes a piece; alone in doing so.
pub(super) struct Writer {
    fill: Arc<Fill>,
    shelf: Shelf,
    hasher: blake3::Hasher,
    so_far: u64,
}

impl Fill {
    /// A piece of which nothing has come. One that is `passing` is not kept.
    pub(super) fn new(piece: Piece, passing: bool) -> Arc<Self> {
        Arc::new(Self {
            piece,
            passing,
            taken: AtomicBool::new(false),
            file: OnceLock::new(),
            spilt_at: AtomicU64::new(u64::MAX),
            spilt: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
        })
    }

    /// Waits for the first bytes.
    pub(super) async fn begun(&self) -> Result<(), StoreError> {
        self.reach(0).await.map(drop)
    }

    /// Whether nobody waits for it now.
    pub(super) fn is_unwanted(&self) -> bool {
        self.progress.receiver_count() == 0
    }

    /// Somebody reads it from here on.
    pub(super) fn take(&self) {
        self.taken.store(true, Ordering::Release);
    }

    /// Whether what came has to stay a moment: it is not kept, and who had it asked for has not taken
    /// it yet.
    pub(super) fn lingers(&self) -> bool {
        self.passing && !self.taken.load(Ordering::Acquire)
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

    /// Bytes of the piece as they come; ends with an error where they stop to.
    pub(super) fn stream(
        self: Arc<Self>,
        bytes: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold((self, bytes.start), move |(fill, at)| async move {
            if at >= bytes.end {
                return Ok(None);
            }
            let end = fill.reach(at).await.map_err(io::Error::other)?;
            let end = end.min(bytes.end).min(at + CHUNK);
            let reader = fill.clone();
            let read = spawn_blocking(move || reader.read(at..end)).await;
            let read = read.map_err(io::Error::other)??;
            let next = at + read.len() as u64;
            Ok(Some((read, (fill, next))))
        })
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
            .get(range)
            .map(Bytes::copy_from_slice)
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        if self.spilt_at.load(Ordering::Acquire) == u64::MAX
            && let Some((file, _)) = self.file.get()
        {
            match file.write_all_at(bytes, at) {
                Ok(()) => return,
                Err(error) => {
                    unwritable(&error);
                    self.spilt_at.store(at, Ordering::Release);
                }
            }
        }
        self.spilt.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    /// Puts the whole piece on the shelf. Blocks.
    fn keep(&self, shelf: &Shelf, seal: blake3::Hash) -> io::Result<()> {
        let Some((file, path)) = self.file.get() else { return Ok(()) };
        let is_spilt = self.spilt_at.load(Ordering::Acquire) != u64::MAX;
        if is_spilt || self.passing || !shelf.owns() {
            return Ok(());
        }
        file.write_all_at(seal.as_bytes(), self.piece.length())?;
        shelf.put(self.piece, file, path)
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

impl Writer {
    /// Opens what the piece is written to. Where nothing can be written it stays in memory for as
    /// long as somebody reads it.
    pub(super) async fn begin(fill: Arc<Fill>, shelf: Shelf) -> Result<Self, StoreError> {
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

    /// The place in the piece that comes next.
    pub(super) fn so_far(&self) -> u64 {
        self.so_far
    }

    /// Whether all has come.
    pub(super) fn is_full(&self) -> bool {
        self.so_far >= self.fill.piece.length()
    }

    /// Adds what came; more than was asked for is passed over.
    pub(super) async fn add(&mut self, chunks: Vec<Bytes>) -> Result<(), StoreError> {
        let (fill, mut so_far) = (self.fill.clone(), self.so_far);
        let mut hasher = std::mem::take(&mut self.hasher);
        let wrote = spawn_blocking(move || {
            for chunk in &chunks {
                let room = fill.piece.length() - so_far;
                let chunk = &chunk[..chunk.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                fill.write(so_far, chunk);
                hasher.update(chunk);
                so_far += chunk.len() as u64;
            }
            (hasher, so_far)
        });
        (self.hasher, self.so_far) = wrote.await.map_err(|_| unfit())?;
        self.fill.progress.send_modify(|progress| progress.so_far = self.so_far);
        Ok(())
    }

    /// Puts a piece that is full on the shelf. That there is no room is no error for who reads it.
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
