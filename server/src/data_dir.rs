//! The folder that the server keeps its own things in: who may write there, and where what lies.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustix::fs::{FlockOperation, flock};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

/// The file whose lock says whose folder it is.
const LOCK: &str = "lock";
/// The lock is tried again so often.
const LOCK_AGAIN: Duration = Duration::from_secs(1);
/// What the names of unfinished files begin with, and after how long nobody finishes one.
const UNFINISHED: &str = ".tmp-";
const STALE: Duration = Duration::from_secs(24 * 3600);

/// `DATA_DIR`; a cheap clone. Whoever reads it needs nobody's leave; the one server that owns it cleans
/// and evicts.
#[derive(Clone, Debug)]
pub struct DataDir(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    /// The lock, once it is ours: the folder is until that is closed.
    owned: watch::Sender<Option<Owned>>,
}

#[derive(Debug)]
struct Owned {
    /// None where the file system knows no locks.
    _lock: Option<File>,
}

/// Why the folder is not ours.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("another server has it")]
    Taken,
    #[error(transparent)]
    Unusable(#[from] io::Error),
}

impl DataDir {
    /// The folder, which need not be there: nothing is made before somebody keeps something.
    pub fn new(root: &Path) -> Self {
        Self(Arc::new(Inner { root: root.to_owned(), owned: watch::Sender::new(None) }))
    }

    /// Where it lies.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// What was made of channels: posters, waveforms.
    pub fn artifacts(&self) -> PathBuf {
        self.0.root.join("posters")
    }

    /// What is kept of other hosts, unless the operator sets another folder.
    pub fn cache(&self) -> PathBuf {
        self.0.root.join("cache")
    }

    /// What is remembered of files on their way into the bucket.
    pub fn transfers(&self) -> PathBuf {
        self.0.root.join("push")
    }

    /// Waits until it is this server's own: see [`Self::keep`].
    pub async fn owned(&self) {
        let mut owned = self.0.owned.subscribe();
        // The sender lives as long as this does.
        let _ = owned.wait_for(Option::is_some).await;
    }

    /// Takes the folder for this server as soon as no other has it, and removes what was never finished
    /// there. The folder stays its own until this and every clone of it are gone.
    pub async fn keep(&self, stop: &CancellationToken) {
        let mut told = false;
        while self.0.owned.borrow().is_none() {
            let data = self.clone();
            let taken = spawn_blocking(move || data.take()).await;
            match taken {
                Ok(Ok(owned)) => {
                    let data = self.clone();
                    let _ = spawn_blocking(move || data.sweep(SystemTime::now())).await;
                    self.0.owned.send_replace(Some(owned));
                    return;
                }
                Ok(Err(Refused::Taken)) if !std::mem::replace(&mut told, true) => tracing::warn!(
                    "The data folder is another server's: until that ends nothing is made or removed \
                     here; set DATA_DIR to another folder to run both."
                ),
                Ok(Err(Refused::Unusable(error))) if !std::mem::replace(&mut told, true) => {
                    let kind = error.kind();
                    tracing::warn!(%kind, "The data folder cannot be written; let this user, or set DATA_DIR.");
                }
                _ => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(LOCK_AGAIN) => {}
            }
        }
    }

    fn take(&self) -> Result<Owned, Refused> {
        self.make(&self.0.root)?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(self.0.root.join(LOCK))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Owned { _lock: Some(file) }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Refused::Taken),
            // Some file systems know no locks.
            Err(_) => Ok(Owned { _lock: None }),
        }
    }

    /// Makes a folder of it that only this user may read; one that is there stays as it is.
    pub fn make(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above)?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Removes what somebody began to write and nobody will finish. What is of a kind that this release
    /// does not know stays: it may be the next one's.
    fn sweep(&self, now: SystemTime) {
        for folder in [self.0.root.clone(), self.transfers()] {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let is_unfinished = name.starts_with(UNFINISHED) || name.ends_with(".tmp");
                let age = entry.metadata().and_then(|meta| meta.modified());
                let age = age.map(|modified| now.duration_since(modified).unwrap_or_default());
                if is_unfinished && age.is_ok_and(|age| age >= STALE) {
                    // What stays is tried again at the next start.
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::PermissionsExt,
        time::{Duration, SystemTime},
    };

    use futures_util::FutureExt;
    use tokio_util::sync::CancellationToken;

    use super::{DataDir, STALE};

    #[tokio::test]
    async fn one_server_owns_it_at_a_time() {
        let home = tempfile::tempdir().expect("a folder");
        let (root, stop) = (home.path().join("data"), CancellationToken::new());
        let (first, second) = (DataDir::new(&root), DataDir::new(&root));
        assert!(!root.exists(), "whoever reads makes nothing");
        first.keep(&stop).await;
        first.owned().await;
        let mode = fs::metadata(&root).expect("the folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(second.take().is_err());
        assert!(second.owned().now_or_never().is_none());
        let waits = tokio::spawn({
            let (second, stop) = (second.clone(), stop.clone());
            async move { second.keep(&stop).await }
        });
        drop(first);
        waits.await.expect("no panic");
        assert!(second.owned().now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_nobody_will_finish_is_removed_and_nothing_else() {
        let home = tempfile::tempdir().expect("a folder");
        let data = DataDir::new(home.path());
        fs::create_dir(data.transfers()).expect("made");
        let [probe, part, record, strange] =
            [".tmp-doctor-1", "push/a.tmp", "push/a.json", "carrete.db"]
                .map(|name| home.path().join(name));
        for file in [&probe, &part, &record, &strange] {
            fs::write(file, "x").expect("written");
        }
        data.sweep(SystemTime::now());
        assert!(probe.exists() && part.exists(), "somebody may be at it");
        data.sweep(SystemTime::now() + STALE + Duration::from_secs(1));
        assert!(!probe.exists() && !part.exists());
        assert!(record.exists() && strange.exists());
    }
}
