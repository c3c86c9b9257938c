//! Files of this host: what a look at one tells, and opening one without leaving its folder. Also
//! the stamp that files here and objects elsewhere share.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, openat2, statx},
    io::Errno,
};
use tokio::{task::spawn_blocking, time::timeout};

use super::turns::{Limits, Share};

/// How long somebody waits for a disk that may have to wake up; one on a network may never answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many threads may wait for disks at once, and for one folder: there are others to wait for.
const WAITS: Limits = Limits { all: 128, host: 48, spare: 48, least: 4, first: 0 };

/// What a directory listing tells of a file: equal stamps are taken for equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileVersion {
    /// Length in bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds of Unix time.
    pub modified_ns: i64,
    /// What a store's entity tag comes to; 0 for files of this host, which have none.
    pub etag_hash: u64,
}

impl FileVersion {
    /// The stamp of a file or a folder.
    pub fn of(meta: &Metadata) -> Self {
        let nanos = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Self { size: meta.len(), modified_ns: nanos, etag_hash: 0 }
    }

    /// The stamp of what is at `path` now. Links are followed, since what they lead to is what
    /// counts; one that leads nowhere counts itself.
    pub fn at(path: &Path) -> Option<Self> {
        Self::found(path).ok().flatten()
    }

    /// As [`Self::at`]; `None` only where there is nothing.
    ///
    /// # Errors
    /// The file system does not say: a disk or a network is away, or this user may not know.
    pub fn found(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path).or_else(|_| fs::symlink_metadata(path)) {
            Ok(meta) => Ok(Some(Self::of(&meta))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The stamp of an object with this entity tag: two nodes before one bucket come to the same.
    /// Without a tag its time has to do.
    pub fn tagged(size: u64, modified_ns: i64, etag: Option<&str>) -> Self {
        let bare = etag.map(|etag| etag.trim().trim_start_matches("W/").trim_matches('"'));
        let hash = match bare.filter(|etag| !etag.is_empty()) {
            Some(etag) => blake3::hash(etag.as_bytes()),
            None => blake3::hash(&modified_ns.to_le_bytes()),
        };
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        // Zero says that there is no etag_hash.
        Self { size, modified_ns, etag_hash: u64::from_le_bytes(first).max(1) }
    }

    /// Whether a store said nothing that tells one state of the object from another of its length.
    pub fn has_no_hash(self) -> bool {
        self == Self::tagged(self.size, 0, None)
    }

    /// The stamp with what else tells its state from others.
    pub fn with_sequence(self, turn: u64) -> Self {
        Self { etag_hash: self.etag_hash.wrapping_add(turn).max(1), ..self }
    }

    /// The stamp as text for addresses and entity tags.
    pub fn version(self) -> String {
        match self.etag_hash {
            0 => format!("{:x}-{:x}", self.size, self.modified_ns),
            etag_hash => format!("{:x}-e{etag_hash:016x}", self.size),
        }
    }

    /// Size and etag_hash of an object out of the text of its [`Self::version`].
    pub fn of_version(text: &str) -> Option<Self> {
        let (size, etag_hash) =
            text.split_once("-e").filter(|(_, etag_hash)| etag_hash.len() == 16)?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some(Self {
            size: number(size)?,
            modified_ns: 0,
            etag_hash: number(etag_hash).filter(|m| *m > 0)?,
        })
    }

    /// Whether both are of the same bytes.
    pub fn same_bytes(self, other: Self) -> bool {
        self.size == other.size
            && self.etag_hash == other.etag_hash
            && (self.etag_hash != 0 || self.modified_ns == other.modified_ns)
    }

    /// When it was last written; times before 1970 count as 1970.
    pub fn modified(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.modified_ns.try_into().unwrap_or(0))
    }

    /// When it was last written, in milliseconds of Unix time.
    pub fn modified_ms(self) -> u64 {
        u64::try_from(self.modified_ns / 1_000_000).unwrap_or(0)
    }
}

/// Does what may have to wait for the disk that `root` lies on, on a thread for that.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] after ten seconds: as long as that disk does not answer, no more than
/// its share of threads waits for it.
pub async fn in_time<T: Send + 'static>(
    root: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    static SHARE: LazyLock<Arc<Share>> = LazyLock::new(|| Share::new(WAITS));
    let root = root.to_string_lossy();
    let done = async {
        let turn = SHARE.take(&root).await;
        // The thread has its turn for as long as it waits, also where nobody waits for it any more.
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        spawn_blocking(work).await.map_err(io::Error::other)
    };
    timeout(PATIENCE, done).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Whether the file system says that there is no such file. Any other error may pass.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// Whether this host has no room for one more open file, which says nothing of the file.
pub fn is_out_of_room(error: &io::Error) -> bool {
    const NO_ROOM: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    let code = error.raw_os_error();
    code.is_some_and(|code| NO_ROOM.iter().any(|none| none.raw_os_error() == code))
}

/// Opens the regular file `path`, if it lies below `root` after every link is followed.
///
/// `root` is in canonical form. The last component is opened without following a link, so that one
/// put there between the look and the opening is refused; a pipe is not waited for.
pub fn open_below(root: &Path, path: &Path) -> io::Result<(File, FileVersion)> {
    let real = fs::canonicalize(path)?;
    if !real.starts_with(root) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&real)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((file, FileVersion::of(&meta)))
}

/// As [`open_below`], where that takes no waiting: the kernel knows the way by heart, no mount lies
/// on it, and the folder is on a disk of this host. `None` says nothing of the file.
pub fn open_at_once(root: &Path, path: &Path) -> Option<(File, FileVersion)> {
    let below = path.strip_prefix(root).ok()?;
    let open = |folder: BorrowedFd<'_>, path: &Path, flags, resolve| {
        let flags = flags | OFlags::CLOEXEC;
        openat2(folder, path, flags, Mode::empty(), resolve | ResolveFlags::CACHED).ok()
    };
    let folder = open(CWD, root, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::NO_MAGICLINKS)?;
    // What is on a network or made up by a program has no device, and may take its time.
    let here = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let is_on_disk = statx(&folder, "", here, StatxFlags::empty()).ok()?.stx_dev_major != 0;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let file = File::from(is_on_disk.then(|| open(folder.as_fd(), below, flags, resolve))??);
    let meta = file.metadata().ok().filter(Metadata::is_file)?;
    Some((file, FileVersion::of(&meta)))
}

#[cfg(test)]
mod tests {
    use std::{
        fs, io,
        os::unix::fs::symlink,
        path::Path,
        sync::mpsc,
        time::{Duration, Instant},
    };

    use rustix::io::Errno;

    use super::{
        FileVersion, PATIENCE, WAITS, in_time, is_absent, is_out_of_room, open_at_once, open_below,
    };

    #[tokio::test]
    async fn a_disk_that_never_answers_costs_its_share_of_threads_alone() {
        let (hung, other) = (Path::new("/hung"), Path::new("/other"));
        let (end, ended) = mpsc::channel::<()>();
        let ended = std::sync::Arc::new(std::sync::Mutex::new(ended));
        let began = Instant::now();
        let waits: Vec<_> = (0..WAITS.host * 3)
            .map(|_| {
                let ended = ended.clone();
                tokio::spawn(in_time(hung, move || drop(ended.lock().map(|ended| ended.recv()))))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(in_time(other, || 7).await.ok(), Some(7), "another disk waits for it");
        assert!(began.elapsed() < PATIENCE);
        for wait in waits {
            let waited = wait.await.expect("no panic");
            assert_eq!(waited.err().map(|e| e.kind()), Some(io::ErrorKind::TimedOut));
        }
        drop(end);
        // It answers again.
        assert_eq!(in_time(hung, || 8).await.ok(), Some(8));
    }

    #[test]
    fn versions_of_objects_are_read_back() {
        let stamp = FileVersion::tagged(4096, 5, Some("\"d41d8cd98f\""));
        assert_eq!(stamp.etag_hash, FileVersion::tagged(1, 9, Some("W/\"d41d8cd98f\"")).etag_hash);
        assert_ne!(stamp.etag_hash, FileVersion::tagged(4096, 5, None).etag_hash);
        let read = FileVersion::of_version(&stamp.version());
        assert!(read.is_some_and(|read| read.same_bytes(stamp)));
        for other in ["", "10-17f", "10-e", "10-e0000000000000000", "x-e0000000000000001"] {
            assert_eq!(FileVersion::of_version(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_now_is_not_gone() {
        let error = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        for gone in [Errno::NOENT, Errno::NOTDIR, Errno::NAMETOOLONG] {
            assert!(is_absent(&error(gone)) && !is_out_of_room(&error(gone)), "{gone}");
        }
        for later in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
            assert!(!is_absent(&error(later)) && is_out_of_room(&error(later)), "{later}");
        }
        for away in [Errno::ACCESS, Errno::IO, Errno::TIMEDOUT, Errno::STALE, Errno::HOSTDOWN] {
            assert!(!is_absent(&error(away)) && !is_out_of_room(&error(away)), "{away}");
        }
        let home = tempfile::tempdir().expect("a folder");
        assert!(matches!(FileVersion::found(&home.path().join("none")), Ok(None)));
        assert!(matches!(FileVersion::found(home.path()), Ok(Some(_))));
    }

    #[test]
    fn links_do_not_lead_out() {
        let home = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret"), "x").expect("written");
        let root = fs::canonicalize(home.path()).expect("a path");
        fs::create_dir(root.join("a")).expect("made");
        fs::write(root.join("a/b.ts"), "x").expect("written");
        symlink(outside.path().join("secret"), root.join("a/out.ts")).expect("linked");
        symlink(outside.path(), root.join("dir")).expect("linked");
        symlink(root.join("a/b.ts"), root.join("in.ts")).expect("linked");
        symlink("a/b.ts", root.join("beside.ts")).expect("linked");
        let up = format!("../{}/a/b.ts", root.file_name().expect("a name").display());
        symlink(up, root.join("around.ts")).expect("linked");
        for (path, opens) in [
            ("a/b.ts", true),
            ("in.ts", true),
            ("beside.ts", true),
            ("around.ts", true),
            ("a/out.ts", false),
            ("dir/secret", false),
            ("a", false),
            ("none", false),
        ] {
            let path = root.join(path);
            let opened = open_below(&root, &path).ok();
            assert_eq!(opened.is_some(), opens, "{}", path.display());
            // It may say nothing of a file, and nothing else than the other.
            if let Some((_, stamp)) = open_at_once(&root, &path) {
                assert_eq!(opened.map(|(_, stamp)| stamp), Some(stamp), "{}", path.display());
            }
        }
    }
}
