//! A channel in the making: a hidden folder that takes its place in one step or vanishes.

mod sweep;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::catalog::ChannelId;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use self::sweep::{PREFIX, remove, sweep};
use super::IngestError;

/// Names tried for a hidden folder. A second one is needed only where a sweep of another process
/// took the first before it was locked.
const NAMES_TRIED: u32 = 100;

/// The hidden folder. Dropped without [`Staging::publish`] it is removed.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    /// Held for as long as somebody works here; the system lets go of it when this process ends.
    /// `None` where the file system has no locks.
    _lock: Option<fs::File>,
    channel: ChannelId,
    place: PathBuf,
    replace: bool,
}

impl Staging {
    /// Makes the folder, and clears away what is left of conversions that were killed.
    pub(crate) async fn open(
        streams: &Path,
        channel: &ChannelId,
        replace: bool,
    ) -> Result<Self, IngestError> {
        let (streams, channel) = (streams.to_owned(), channel.clone());
        let open = move || {
            let failed = |why| failed(&streams, why);
            match fs::create_dir(&streams) {
                Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(failed(why)),
                _ => {}
            }
            let streams = std::path::absolute(&streams).map_err(failed)?;
            sweep(&streams).map_err(failed)?;
            let place = streams.join(channel.as_str());
            if !replace && fs::symlink_metadata(&place).is_ok() {
                return Err(IngestError::Exists(channel));
            }
            let (folder, lock) = make(&streams, &channel).map_err(failed)?;
            Ok(Self { folder, _lock: lock, channel, place, replace })
        };
        blocking(open).await
    }

    /// The hidden folder.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) fn make_folder(&self, name: &str) -> Result<PathBuf, IngestError> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).map_err(|why| self.failed(why))?;
        Ok(folder)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), IngestError> {
        fs::write(self.folder.join(name), text).map_err(|why| self.failed(why))
    }

    /// The sentence for what the system says.
    pub(super) fn failed(&self, why: io::Error) -> IngestError {
        failed(self.place.parent().unwrap_or(&self.place), why)
    }

    /// Brings everything to the disk and the channel into its place.
    pub(crate) async fn publish(self) -> Result<(), IngestError> {
        let publish = move || {
            sync_tree(&self.folder).map_err(|why| self.failed(why))?;
            self.take_place()?;
            if let Some(streams) = self.place.parent() {
                sync(streams).map_err(|why| self.failed(why))?;
            }
            // Its drop removes what now lies at the hidden place: nothing, or the old channel.
            Ok(())
        };
        blocking(publish).await
    }

    /// As [`Self::publish`], of the file `name` in the folder, which takes the place of that name; before
    /// it what lies `beside` it does, so that it never shows without what is said of it.
    pub(crate) async fn publish_file(
        mut self,
        name: &str,
        beside: Vec<String>,
    ) -> Result<(), IngestError> {
        let name = name.to_owned();
        let publish = move || {
            let streams = self.place.parent().unwrap_or(Path::new(".")).to_owned();
            // What is there already may have come with a pull that was interrupted.
            let is_there = |name: &String| {
                let both = [streams.join(name), self.folder.join(name)].map(fs::read);
                matches!(both, [Ok(there), Ok(new)] if there == new)
            };
            let missing: Vec<_> = beside.into_iter().filter(|name| !is_there(name)).collect();
            for name in missing.iter().chain([&name]) {
                let file = self.folder.join(name);
                sync(&file).map_err(|why| self.failed(why))?;
                self.place = streams.join(name);
                let hidden = std::mem::replace(&mut self.folder, file);
                let taken = self.take_place();
                self.folder = hidden;
                taken?;
            }
            sync(&streams).map_err(|why| self.failed(why))
        };
        blocking(publish).await
    }

    fn take_place(&self) -> Result<(), IngestError> {
        let alone = renameat_with(CWD, &self.folder, CWD, &self.place, RenameFlags::NOREPLACE);
        let taken = match alone {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::EXIST) if self.replace => {
                renameat_with(CWD, &self.folder, CWD, &self.place, RenameFlags::EXCHANGE)
            }
            Err(rustix::io::Errno::EXIST) => {
                return Err(IngestError::Exists(self.channel.clone()));
            }
            other => other,
        };
        match taken {
            Ok(()) => Ok(()),
            // Some file systems know neither flag.
            Err(
                rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP,
            ) => self.take_place_in_two_steps().map_err(|why| self.failed(why)),
            Err(errno) => Err(self.failed(errno.into())),
        }
    }

    fn take_place_in_two_steps(&self) -> io::Result<()> {
        if fs::symlink_metadata(&self.place).is_err() {
            return fs::rename(&self.folder, &self.place);
        }
        if !self.replace {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut old = self.folder.clone().into_os_string();
        old.push("-old");
        fs::rename(&self.place, &old)?;
        fs::rename(&self.folder, &self.place).inspect_err(|_| {
            let _ = fs::rename(&old, &self.place);
        })?;
        remove(Path::new(&old))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        match remove(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, channel.id = %self.channel, "an unfinished folder stays");
            }
            _ => {}
        }
    }
}

/// A new hidden folder of this channel, locked where the file system can.
fn make(streams: &Path, channel: &ChannelId) -> io::Result<(PathBuf, Option<fs::File>)> {
    for _ in 0..NAMES_TRIED {
        let random = getrandom::u64().map_err(io::Error::other)?;
        let folder = streams.join(format!("{PREFIX}{channel}-{random:016x}"));
        fs::create_dir(&folder)?;
        match sweep::lock(&folder) {
            Ok(lock) if sweep::is_at(lock.as_ref(), &folder) => return Ok((folder, lock)),
            // Somebody took it for abandoned in the moment before it was locked.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("other programs remove what is made there"))
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { sync_tree(&entry.path())? } else { sync(&entry.path())? }
    }
    sync(folder)
}

fn sync(path: &Path) -> io::Result<()> {
    match fs::File::open(path)?.sync_all() {
        // Network file systems may refuse it for folders.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}

fn failed(folder: &Path, why: io::Error) -> IngestError {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => IngestError::DiskFull,
        _ => IngestError::Folder { folder: folder.to_owned(), why },
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IngestError> + Send + 'static,
) -> Result<T, IngestError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| IngestError::Stopped)?
}

/// Bytes that this user may still write where a folder lies.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
