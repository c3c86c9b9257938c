//! What was fetched, as plain files in one folder with an index over them. A file ends with the
//! hash of what it holds: one that was cut short or written over is found out and fetched again.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use moka::{notification::RemovalCause, policy::EvictionPolicy, sync::Cache};
use rustix::fs::{Access, FlockOperation, access, flock};
use tokio::{task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    key::{ChunkKey, ObjectVersion},
    spill::Spills,
};
use crate::storage::local::{FileVersion, is_absent, open_at_once};

/// Half-written files begin so.
const PREFIX: &str = ".tmp-";
/// Whoever holds this file writes, evicts and cleans; all others read.
const LOCK: &str = ".lock";
/// How often one who waits for it tries again: the server before this one may just be ending.
const LOCK_AGAIN: Duration = Duration::from_secs(1);
/// Bytes of the hash at a file's end.
pub(super) const SEAL: usize = blake3::OUT_LEN;
/// Bytes hashed at once.
const CHUNK: usize = 256 << 10;

/// The folder and its index; a cheap clone.
#[derive(Clone, Debug)]
pub struct DiskCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// When each file was written, as it says itself in nanoseconds of Unix time, once its seal was
    /// looked at; the least number before.
    kept: Cache<ChunkKey, i64>,
    /// The chunks of each object that is kept, or was a moment ago.
    objects: Arc<Objects>,
    /// What half-written files of this shelf begin with: in containers two servers over one volume have
    /// the same process id.
    own: String,
    /// Numbers them.
    next: AtomicU64,
    role: Arc<Role>,
    lock: OnceLock<File>,
    /// What stays in memory because the folder cannot be written.
    spills: Arc<Spills>,
}

/// What may be done in the folder.
#[derive(Debug)]
struct Role {
    /// Files are put there and taken away.
    owns: AtomicBool,
    /// Nothing is written at all.
    reads: bool,
}

impl Role {
    fn owns(&self) -> bool {
        self.owns.load(Ordering::Acquire)
    }
}

#[derive(Debug, Default)]
struct Objects(Mutex<HashMap<u64, HashSet<ChunkKey>>>);

impl Objects {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, HashSet<ChunkKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, chunk: ChunkKey) {
        self.lock().entry(chunk.object.name).or_default().insert(chunk);
    }

    fn remove(&self, chunk: ChunkKey) {
        let mut objects = self.lock();
        if let Some(chunks) = objects.get_mut(&chunk.object.name) {
            chunks.remove(&chunk);
            if chunks.is_empty() {
                objects.remove(&chunk.object.name);
            }
        }
    }

    fn of(&self, name: u64) -> Vec<ChunkKey> {
        self.lock().get(&name).into_iter().flatten().copied().collect()
    }
}

/// Nobody has looked at the seal since it was put there, or since the start.
const UNPROVEN: i64 = i64::MIN;
/// How old a file looks that is put on the shelf.
const AGO: Duration = Duration::from_secs(3600);

impl DiskCache {
    /// A shelf in `folder`, which need not be there yet, for at most `max` bytes. Nobody else may use
    /// that folder.
    pub fn new(folder: &Path, max: u64) -> Self {
        Self::with(folder, max, Role { owns: AtomicBool::new(true), reads: false })
    }

    /// As [`Self::new`], where others may be: what comes is kept once [`Self::keep_house`] has the
    /// folder for itself.
    pub fn to_share(folder: &Path, max: u64) -> Self {
        Self::with(folder, max, Role { owns: AtomicBool::new(false), reads: false })
    }

    /// A look at the shelf of somebody else: it changes nothing in `folder`, and makes none.
    pub fn to_read(folder: &Path) -> Self {
        Self::with(folder, u64::MAX, Role { owns: AtomicBool::new(false), reads: true })
    }

    /// A shelf without a place: nothing is kept, and nothing found.
    pub fn nowhere() -> Self {
        // Below what is no folder there is nothing, and nothing can be made.
        Self::to_read(Path::new("/dev/null"))
    }

    fn with(folder: &Path, max: u64, role: Role) -> Self {
        let (place, role, objects) = (folder.to_owned(), Arc::new(role), Arc::<Objects>::default());
        let (may, known) = (role.clone(), objects.clone());
        let kept = Cache::builder()
            .max_capacity(max)
            // What is new is what is watched: it never has to earn its place first.
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|chunk: &ChunkKey, _| u32::try_from(chunk.length()).unwrap_or(u32::MAX))
            .eviction_listener(move |chunk, _, cause| {
                // What replaces a file has its name.
                if cause != RemovalCause::Replaced {
                    known.remove(*chunk);
                    if may.owns() {
                        let _ = fs::remove_file(place.join(chunk.file_name()));
                    }
                }
            })
            .build();
        let (folder, next, lock) = (folder.to_owned(), AtomicU64::new(0), OnceLock::new());
        // Where the system has no chance to give, no file of another is written over all the same.
        let random = getrandom::u64().unwrap_or_else(|_| std::process::id().into());
        let own = format!("{PREFIX}{random:016x}-");
        let spills = Arc::default();
        Self(Arc::new(Inner { folder, kept, objects, own, next, role, lock, spills }))
    }

    /// Takes the folder for itself, as soon as nobody else has it, and then what an earlier run left.
    pub async fn keep_house(self, stop: CancellationToken) {
        let mut is_told = false;
        loop {
            let shelf = self.clone();
            let owned = spawn_blocking(move || shelf.own()).await.unwrap_or(false);
            if owned {
                return;
            }
            if !std::mem::replace(&mut is_told, true) {
                tracing::warn!(
                    "The cache folder is another server's: until that ends nothing is kept here; \
                     set CACHE_DIR to another folder to keep both."
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(LOCK_AGAIN) => {}
            }
        }
    }

    /// Whether the folder is this shelf's own from now on. Blocks.
    fn own(&self) -> bool {
        if !self.0.role.owns() {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(false).mode(0o600);
            let opened = fs::create_dir_all(&self.0.folder)
                .and_then(|()| options.open(self.0.folder.join(LOCK)));
            // Where there can be no folder nobody else keeps anything in it either.
            if let Ok(file) = opened {
                match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                    Err(rustix::io::Errno::WOULDBLOCK) => return false,
                    // Some file systems know no locks.
                    _ => drop(self.0.lock.set(file)),
                }
            }
            self.0.role.owns.store(true, Ordering::Release);
        }
        self.rescan();
        true
    }

    /// Takes what an earlier run left into the index, and throws away what is of no use, if that is
    /// this shelf's to do. Blocks.
    pub fn rescan(&self) {
        let Ok(entries) = fs::read_dir(&self.0.folder) else { return };
        let remove = |entry: &fs::DirEntry| {
            if self.0.role.owns() {
                let _ = fs::remove_file(entry.path());
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let size = entry.metadata().ok().filter(fs::Metadata::is_file).map(|meta| meta.len());
            match (ChunkKey::of_file_name(&text), size) {
                (Some(chunk), Some(size)) if size == chunk.length() + SEAL as u64 => {
                    self.0.objects.add(chunk);
                    self.0.kept.entry(chunk).or_insert(UNPROVEN);
                }
                (Some(_), Some(_)) => remove(&entry),
                // It took the folder over while this was on its way.
                _ if text.starts_with(&self.0.own) => {}
                // Nobody can tell whose bytes the files of earlier releases are.
                _ if text.starts_with(PREFIX) || ChunkKey::of_old_file_name(&text).is_some() => {
                    remove(&entry);
                }
                // Somebody else's: the folder may be shared.
                _ => {}
            }
        }
        self.0.kept.run_pending_tasks();
    }

    /// Whether anything may be written down beside the files.
    pub(super) fn owns(&self) -> bool {
        self.0.role.owns()
    }

    /// Whether nothing may be written, not even for a moment.
    pub(super) fn only_reads(&self) -> bool {
        self.0.role.reads
    }

    /// What stays in memory because the folder cannot be written.
    pub(super) fn spills(&self) -> &Arc<Spills> {
        &self.0.spills
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The bytes that are kept.
    pub fn bytes(&self) -> u64 {
        self.0.kept.run_pending_tasks();
        self.0.kept.weighted_size()
    }

    /// Whether the folder can be written, or made where it is not there. Changes nothing. Blocks.
    pub fn usable(&self) -> io::Result<()> {
        let folder = std::path::absolute(&self.0.folder)?;
        let there = folder.ancestors().find(|folder| folder.exists());
        let there = there.ok_or(io::ErrorKind::NotFound)?;
        if !there.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(access(there, Access::WRITE_OK | Access::EXEC_OK)?)
    }

    /// Whether a chunk is in the index; its file may still turn out to be of no use.
    pub(super) fn holds(&self, chunk: ChunkKey) -> bool {
        self.0.kept.contains_key(&chunk)
    }

    /// A state of this object of which all chunks are kept.
    pub(super) fn any_of(&self, name: u64) -> Option<ObjectVersion> {
        let versions: HashSet<ObjectVersion> =
            self.0.objects.of(name).into_iter().map(|chunk| chunk.object).collect();
        versions.into_iter().find(|object| object.all().all(|chunk| self.holds(chunk)))
    }

    /// Throws away all states of an object but this.
    pub(super) fn forget_others(&self, object: ObjectVersion) {
        for chunk in self.0.objects.of(object.name) {
            if chunk.object != object {
                self.0.kept.invalidate(&chunk);
            }
        }
    }

    /// The file of a chunk that was looked at and is as it was then, where opening it takes no
    /// waiting; `None` says nothing of it.
    pub(super) fn take_at_once(&self, chunk: ChunkKey) -> Option<File> {
        let known = self.0.kept.get(&chunk)?;
        let folder = &self.0.folder;
        let (file, stamp) = open_at_once(folder, &folder.join(chunk.file_name()))?;
        let is_as_it_was = stamp.size == chunk.length() + SEAL as u64 && stamp.modified_ns == known;
        is_as_it_was.then_some(file)
    }

    /// The file of a chunk, if it is there and holds what it should. Blocks.
    ///
    /// # Errors
    /// It cannot be read now, which says nothing of what it holds: it stays.
    pub(super) fn take(&self, chunk: ChunkKey) -> io::Result<Option<File>> {
        let known = self.0.kept.get(&chunk);
        let path = self.0.folder.join(chunk.file_name());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => {
                if known.is_some() {
                    self.0.kept.invalidate(&chunk);
                }
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let meta = file.metadata()?;
        let is_whole = meta.is_file() && meta.len() == chunk.length() + SEAL as u64;
        let written = is_whole.then(|| FileVersion::of(&meta).modified_ns);
        if written.is_some() && known == written {
            return Ok(Some(file));
        }
        match written {
            Some(written) if is_sealed(&file, chunk.length())? => {
                self.0.objects.add(chunk);
                self.0.kept.insert(chunk, written);
                Ok(Some(file))
            }
            _ => {
                self.0.kept.invalidate(&chunk);
                if self.owns() {
                    let _ = fs::remove_file(path);
                }
                Ok(None)
            }
        }
    }

    /// A file to write a chunk into. Blocks.
    pub(super) fn begin(&self) -> io::Result<(File, PathBuf)> {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let path = self.0.folder.join(format!("{}{number:x}", self.0.own));
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600).open(&path)
        };
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.0.folder)?;
                open()?
            }
            opened => opened?,
        };
        Ok((file, path))
    }

    /// Puts a whole file, its seal at its end, in its place. Blocks.
    pub(super) fn put(&self, chunk: ChunkKey, file: &File, path: &Path) -> io::Result<()> {
        // The clock of files ticks coarsely: who writes over it in the same tick as we did would not
        // be seen. From another hour everybody's hand shows.
        file.set_modified(SystemTime::now() - AGO)?;
        fs::rename(path, self.0.folder.join(chunk.file_name()))?;
        self.0.objects.add(chunk);
        self.0.kept.insert(chunk, UNPROVEN);
        self.0.kept.run_pending_tasks();
        Ok(())
    }
}

/// Whether the file's last bytes are the hash of those before.
fn is_sealed(mut file: &File, length: u64) -> io::Result<bool> {
    let mut seal = [0; SEAL];
    match file.read_exact_at(&mut seal, length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut hasher = blake3::Hasher::new();
    let mut bytes = vec![0; CHUNK];
    let mut left = length;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        match file.read(&mut bytes[..most])? {
            0 => return Ok(false),
            read => {
                hasher.update(&bytes[..read]);
                left -= read as u64;
            }
        }
    }
    io::Seek::rewind(&mut file)?;
    Ok(hasher.finalize().as_bytes() == &seal)
}

#[cfg(test)]
mod tests;
