//! What was fetched, as plain files in one folder with an index over them. A file ends with the
//! hash of what it holds: one that was cut short or written over is found out and fetched again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use moka::{notification::RemovalCause, policy::EvictionPolicy, sync::Cache};

use super::piece::{Cut, Piece};
use crate::storage::disk::{Stamp, is_absent, open_at_once};

/// Half-written files begin so.
const PREFIX: &str = ".tmp-";
/// Bytes of the hash at a file's end.
pub(super) const SEAL: usize = blake3::OUT_LEN;
/// Bytes hashed at once.
const CHUNK: usize = 256 << 10;

/// The folder and its index; a cheap clone.
#[derive(Clone, Debug)]
pub struct Shelf(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// When each file was written, as it says itself in nanoseconds of Unix time, once its seal was
    /// looked at; the least number before.
    kept: Cache<Piece, i64>,
    /// Numbers half-written files.
    next: AtomicU64,
}

/// Nobody has looked at the seal since it was put there, or since the start.
const UNPROVEN: i64 = i64::MIN;
/// How old a file looks that is put on the shelf.
const AGO: Duration = Duration::from_secs(3600);

impl Shelf {
    /// A shelf in `folder`, which need not be there yet, for at most `max` bytes.
    pub fn new(folder: &Path, max: u64) -> Self {
        let place = folder.to_owned();
        let kept = Cache::builder()
            .max_capacity(max)
            // What is new is what is watched: it never has to earn its place first.
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|piece: &Piece, _| u32::try_from(piece.length()).unwrap_or(u32::MAX))
            .eviction_listener(move |piece, _, cause| {
                // What replaces a file has its name.
                if cause != RemovalCause::Replaced {
                    let _ = fs::remove_file(place.join(piece.file_name()));
                }
            })
            .build();
        Self(Arc::new(Inner { folder: folder.to_owned(), kept, next: AtomicU64::new(0) }))
    }

    /// Takes what an earlier run left into the index, and throws away what is of no use. Blocks.
    pub fn rescan(&self) {
        let Ok(entries) = fs::read_dir(&self.0.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let size = entry.metadata().ok().filter(fs::Metadata::is_file).map(|meta| meta.len());
            match (Piece::of_file_name(&text), size) {
                (Some(piece), Some(size)) if size == piece.length() + SEAL as u64 => {
                    self.0.kept.entry(piece).or_insert(UNPROVEN);
                }
                (Some(_), Some(_)) => drop(fs::remove_file(entry.path())),
                _ if text.starts_with(PREFIX) => drop(fs::remove_file(entry.path())),
                // Somebody else's: the folder may be shared.
                _ => {}
            }
        }
        self.0.kept.run_pending_tasks();
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

    /// Whether the folder can be written. Blocks.
    pub fn usable(&self) -> io::Result<()> {
        let (_, path) = self.begin()?;
        fs::remove_file(path)
    }

    /// Whether a piece is in the index; its file may still turn out to be of no use.
    pub(super) fn holds(&self, piece: Piece) -> bool {
        self.0.kept.contains_key(&piece)
    }

    /// A state of this object of which all pieces are kept.
    pub(super) fn any_of(&self, name: u64) -> Option<Cut> {
        let cuts = self.0.kept.iter().map(|(piece, _)| piece.cut).filter(|cut| cut.name == name);
        cuts.into_iter().find(|cut| cut.all().all(|piece| self.holds(piece)))
    }

    /// Throws away all states of an object but this.
    pub(super) fn forget_others(&self, cut: Cut) {
        let others = self.0.kept.iter().map(|(piece, _)| *piece);
        let others = others.filter(|piece| piece.cut.name == cut.name && piece.cut != cut);
        for piece in others.collect::<Vec<_>>() {
            self.0.kept.invalidate(&piece);
        }
    }

    /// The file of a piece that was looked at and is as it was then, where opening it takes no
    /// waiting; `None` says nothing of it.
    pub(super) fn take_at_once(&self, piece: Piece) -> Option<File> {
        let known = self.0.kept.get(&piece)?;
        let folder = &self.0.folder;
        let (file, stamp) = open_at_once(folder, &folder.join(piece.file_name()))?;
        let is_as_it_was = stamp.size == piece.length() + SEAL as u64 && stamp.modified_ns == known;
        is_as_it_was.then_some(file)
    }

    /// The file of a piece, if it is there and holds what it should. Blocks.
    ///
    /// # Errors
    /// It cannot be read now, which says nothing of what it holds: it stays.
    pub(super) fn take(&self, piece: Piece) -> io::Result<Option<File>> {
        let known = self.0.kept.get(&piece);
        let path = self.0.folder.join(piece.file_name());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => {
                if known.is_some() {
                    self.0.kept.invalidate(&piece);
                }
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let meta = file.metadata()?;
        let is_whole = meta.is_file() && meta.len() == piece.length() + SEAL as u64;
        let written = is_whole.then(|| Stamp::of(&meta).modified_ns);
        if written.is_some() && known == written {
            return Ok(Some(file));
        }
        match written {
            Some(written) if is_sealed(&file, piece.length())? => {
                self.0.kept.insert(piece, written);
                Ok(Some(file))
            }
            _ => {
                self.0.kept.invalidate(&piece);
                let _ = fs::remove_file(path);
                Ok(None)
            }
        }
    }

    /// A file to write a piece into. Blocks.
    pub(super) fn begin(&self) -> io::Result<(File, PathBuf)> {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let path = self.0.folder.join(format!("{PREFIX}{}-{number}", std::process::id()));
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)
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
    pub(super) fn put(&self, piece: Piece, file: &File, path: &Path) -> io::Result<()> {
        // The clock of files ticks coarsely: who writes over it in the same tick as we did would not
        // be seen. From another hour everybody's hand shows.
        file.set_modified(SystemTime::now() - AGO)?;
        fs::rename(path, self.0.folder.join(piece.file_name()))?;
        self.0.kept.insert(piece, UNPROVEN);
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
