//! What was made of channels in the background, found by the content that it was made of. The
//! catalogue lists and serves it; who makes it lives in `posters`.

use std::{
    collections::HashMap,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use tokio::sync::Notify;

use super::record::{ChannelRecord, FileOffer, Offer};
use crate::storage::local::FileVersion;

/// Part of every key: another way to make things is another number.
const RECIPE: &[u8] = b"1";

/// What a channel's things are kept under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactKeys {
    /// Changes with the media; a channel that grows keeps it.
    pub(crate) content: String,
    /// Changes with the poster that its owner gave.
    pub(crate) poster: Option<String>,
}

impl ArtifactKeys {
    pub(crate) fn of(name: &OsStr, record: &ChannelRecord) -> Self {
        let mut media = blake3::Hasher::new();
        if record.files.is_empty() {
            // Nothing is made of what lies on another server, and nothing of another of that name is its.
            media.update(b"distant");
        } else if record.live {
            media.update(b"live");
        } else {
            // A playlist as it is served carries the versions of all that it names.
            let mut files: Vec<(&str, String)> = record
                .files
                .iter()
                .filter_map(|(path, offer)| match offer {
                    Offer::Playlist(playlist) => Some((&**path, playlist.etag.clone())),
                    Offer::File(file) => (record.bare && **path == *record.main)
                        .then(|| (&**path, file.stamp.version())),
                })
                .collect();
            files.sort_unstable();
            for (path, version) in files {
                media.update(path.as_bytes()).update(&[0]).update(version.as_bytes()).update(&[0]);
            }
        }
        let given = record.poster.as_deref().and_then(|poster| record.file(poster));
        let poster = given.map(|file| key(name, file.stamp.version().as_bytes()));
        Self { content: key(name, media.finalize().as_bytes()), poster }
    }
}

fn key(name: &OsStr, content: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(RECIPE).update(name.as_bytes()).update(&[0]).update(content);
    hasher.finalize().to_hex()[..32].to_owned()
}

/// A file that was made; it lies in the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactFile {
    /// Its folder, in canonical form.
    pub(crate) root: Arc<Path>,
    pub(crate) name: Arc<str>,
    pub(crate) media_type: &'static str,
    pub(crate) stamp: FileVersion,
}

impl ArtifactFile {
    /// How it is served: asked for each time.
    pub(crate) fn offer(&self) -> FileOffer {
        let (media_type, stamp) = (self.media_type, self.stamp);
        FileOffer { media_type, stamp, pinned: None, loose: true }
    }
}

/// What was made of one content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Artifacts {
    pub(crate) poster: Option<ArtifactFile>,
    /// Of the poster, in base64.
    pub(crate) thumbhash: Option<Arc<str>>,
    pub(crate) waveform: Option<ArtifactFile>,
}

/// Everything that was made, by key. Bounded by what is kept on disk, which is what is listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArtifactIndex(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    table: RwLock<HashMap<String, Artifacts>>,
    changed: Notify,
}

impl ArtifactIndex {
    /// Changes the table; nobody hears of it before [`Self::tell`].
    pub(crate) fn change(&self, change: impl FnOnce(&mut HashMap<String, Artifacts>)) {
        change(&mut self.0.table.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was made of this.
    pub(crate) fn get(&self, key: &str) -> Artifacts {
        let table = self.0.table.read().unwrap_or_else(PoisonError::into_inner);
        table.get(key).cloned().unwrap_or_default()
    }

    /// The list is made anew with what the table holds now.
    pub(crate) fn tell(&self) {
        self.0.changed.notify_one();
    }

    /// Waits for [`Self::tell`].
    pub(crate) async fn told(&self) {
        self.0.changed.notified().await;
    }

    pub(super) fn read(&self) -> ArtifactReader<'_> {
        ArtifactReader(self.0.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The table while a list is made.
pub(super) struct ArtifactReader<'a>(RwLockReadGuard<'a, HashMap<String, Artifacts>>);

impl ArtifactReader<'_> {
    /// What of it a channel shows: its owner's poster goes before a made one.
    pub(super) fn channel(&self, keys: &ArtifactKeys) -> Artifacts {
        let made = self.0.get(&keys.content).cloned().unwrap_or_default();
        match &keys.poster {
            None => made,
            Some(given) => {
                let thumbhash = self.0.get(given).and_then(|made| made.thumbhash.clone());
                Artifacts { poster: None, thumbhash, waveform: made.waveform }
            }
        }
    }
}
