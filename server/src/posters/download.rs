//! Files of a bucket, brought into the data folder for as long as something is made of them. They
//! come through the cache where they are small: whoever opens the channel next finds them there.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use tokio::task::spawn_blocking;

use super::source::WantedFiles;
use crate::{catalog::record::ChannelRecord, sources::Sources, transcode::MediaInput};

/// Of a longer file so many bytes are brought, from its beginning on; of one of its own, as MP4 is,
/// half of them and as many from its end, where its index may lie.
pub(super) const MOST: u64 = 16 << 20;

/// Files that are removed with this.
#[derive(Debug)]
pub(super) struct Download {
    root: PathBuf,
    files: Vec<PathBuf>,
    bare: bool,
}

impl Download {
    /// Brings what is wanted of a channel into the folder `root`, under names that begin with
    /// `prefix`. `None` where the store or the folder will not have it.
    pub(super) async fn of(
        sources: &Sources,
        record: &ChannelRecord,
        wanted: &WantedFiles,
        root: &Path,
        prefix: &str,
    ) -> Option<Self> {
        let read = async |path: &str, range| sources.read(record, path, range).await.ok();
        let mut brought = Self { root: root.to_owned(), files: Vec::new(), bare: wanted.bare };
        for (n, path) in wanted.paths.iter().enumerate() {
            let half = MOST / 2;
            let parts = match record.file(path)?.stamp.size {
                size @ ..=MOST => vec![(0, read(path, 0..size).await?)],
                size if wanted.bare => vec![
                    (0, read(path, 0..half).await?),
                    (size - half, read(path, size - half..size).await?),
                ],
                _ => vec![(0, read(path, 0..MOST).await?)],
            };
            let path = root.join(format!("{prefix}-{n}"));
            brought.files.push(path.clone());
            let write = move || {
                let file = File::create(path)?;
                // What lies between takes no room.
                parts.into_iter().try_for_each(|(at, bytes)| file.write_all_at(&bytes, at))
            };
            spawn_blocking(write).await.ok()?.ok()?;
        }
        Some(brought)
    }

    /// What ffmpeg reads.
    pub(super) fn film(&self) -> MediaInput {
        match self.files.first().filter(|_| self.bare) {
            Some(file) => MediaInput::File(file.clone()),
            None => MediaInput::Chain { root: self.root.clone(), files: self.files.clone() },
        }
    }

    /// The first of the files.
    pub(super) fn first(&self) -> Option<&Path> {
        self.files.first().map(PathBuf::as_path)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        for file in &self.files {
            // One that stays is removed at the next start.
            let _ = fs::remove_file(file);
        }
    }
}
