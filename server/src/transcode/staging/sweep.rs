//! What conversions that were killed have left, and how it is told from what is in the making.
//!
//! Whoever works in a hidden folder holds a lock on it (`flock`), which the system lets go of when
//! that process ends, however it ends. A folder without a lock is nobody's, and goes at once; a
//! locked one stays, however old it is.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// What the names of unfinished folders begin with; the catalogue never shows them.
pub(super) const PREFIX: &str = ".tmp-";

/// Where no lock tells, what nobody has written to for so long is nobody's.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// How deep the newest file of an unfinished folder is looked for.
const DEPTH: usize = 4;

/// Locks a folder for as long as the answer is held; `None` where its file system has no locks.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] where somebody else holds it, or what the system says.
pub(super) fn lock(folder: &Path) -> io::Result<Option<fs::File>> {
    let file = fs::File::open(folder)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        // Networks refuse it for what cannot be written, as folders cannot, or know no locks at all.
        Err(Errno::BADF | Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL) => {
            Ok(None)
        }
        Err(errno) => Err(errno.into()),
    }
}

/// Whether what is locked still lies at this path. Without a lock there is nothing to compare.
pub(super) fn is_at(lock: Option<&fs::File>, path: &Path) -> bool {
    let number = |found: fs::Metadata| (found.dev(), found.ino());
    let Ok(there) = fs::symlink_metadata(path).map(number) else { return false };
    lock.is_none_or(|file| file.metadata().is_ok_and(|locked| number(locked) == there))
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// Removes the hidden folders of conversions that were killed.
pub(super) fn sweep(streams: &Path) -> io::Result<()> {
    sweep_at(streams, SystemTime::now())
}

fn sweep_at(streams: &Path, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(streams)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let ours = is_made_here(&name) && entry.file_type()?.is_dir();
        // Held until it is gone, so that nobody begins to work in it meanwhile.
        let locked = if ours { lock(&path) } else { Ok(None) };
        let abandoned = match &locked {
            Ok(Some(_)) => true,
            Ok(None) => is_stale(&path, now),
            Err(_) => false,
        };
        if abandoned {
            // Another process may do the same at this moment.
            let _ = remove(&path);
        }
    }
    Ok(())
}

/// Whether a name ends as those do that are made here: in a hyphen and sixteen hexadecimal digits.
fn is_made_here(name: &str) -> bool {
    let random = name.rsplit_once('-').map(|(_, random)| random);
    random.is_some_and(|random| random.len() == 16 && random.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_stale(path: &Path, now: SystemTime) -> bool {
    let age = newest(path, DEPTH).and_then(|newest| now.duration_since(newest).ok());
    age.is_some_and(|age| age > STALE)
}

/// When something in a tree was last written to; writing to a file moves the time of no folder.
fn newest(path: &Path, depth: usize) -> Option<SystemTime> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let mut newest_one = metadata.modified().ok()?;
    if metadata.is_dir() && depth > 0 {
        for entry in fs::read_dir(path).ok()?.flatten() {
            newest_one = newest_one.max(newest(&entry.path(), depth - 1)?);
        }
    }
    Some(newest_one)
}

#[cfg(test)]
mod tests {
    use std::{
        fs, io,
        path::Path,
        time::{Duration, SystemTime},
    };

    use super::{STALE, is_at, lock, sweep, sweep_at};

    const UNFINISHED: &str = ".tmp-canal-0123456789abcdef";

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_nobody_works_in_goes_at_once_and_what_is_locked_stays_however_old() {
        let streams = tempfile::tempdir().expect("a folder");
        let folder = streams.path().join(UNFINISHED);
        fs::create_dir_all(folder.join("low")).expect("a folder");
        fs::write(folder.join("low/segment00000.m4s"), "half").expect("written");
        let works = lock(&folder).expect("locked").expect("this file system has locks");
        works.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        sweep_at(streams.path(), SystemTime::now() + 10 * STALE).expect("swept");
        assert_eq!(names(streams.path()), [UNFINISHED]);
        drop(works);
        sweep(streams.path()).expect("swept");
        assert_eq!(names(streams.path()), [""; 0]);
    }

    #[test]
    fn what_others_leave_there_goes_after_a_day_without_a_word_in_it() {
        let streams = tempfile::tempdir().expect("a folder");
        for name in [".tmp-a-1", ".tmp-copy", "canal", ".hidden", "x-0123456789abcdef"] {
            fs::create_dir(streams.path().join(name)).expect("a folder");
        }
        let now = SystemTime::now();
        let old = now - 2 * STALE;
        let set = |name: &str| {
            let folder = fs::File::open(streams.path().join(name)).expect("a folder");
            folder.set_modified(old).expect("set");
        };
        // Its own time is old, but somebody writes in it.
        fs::write(streams.path().join(".tmp-copy/part"), "half").expect("written");
        set(".tmp-copy");
        sweep_at(streams.path(), now).expect("swept");
        assert_eq!(names(streams.path()).len(), 5);
        set(".tmp-a-1");
        sweep_at(streams.path(), now).expect("swept");
        let left = [".hidden", ".tmp-copy", "canal", "x-0123456789abcdef"];
        assert_eq!(names(streams.path()), left);
        sweep_at(streams.path(), now + STALE + Duration::from_secs(60)).expect("swept");
        assert_eq!(names(streams.path()), [".hidden", "canal", "x-0123456789abcdef"]);
    }

    #[test]
    fn a_lock_on_what_was_swept_meanwhile_is_seen() {
        let streams = tempfile::tempdir().expect("a folder");
        let folder = streams.path().join(UNFINISHED);
        fs::create_dir(&folder).expect("a folder");
        let held = lock(&folder).expect("locked");
        assert!(is_at(held.as_ref(), &folder));
        assert!(lock(&folder).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
        fs::remove_dir(&folder).expect("removed");
        fs::create_dir(&folder).expect("another one");
        assert!(!is_at(held.as_ref(), &folder));
    }
}
