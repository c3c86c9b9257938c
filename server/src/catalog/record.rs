//! What is known of one channel, whatever id it is listed under: how it looks in the list, and
//! which files of it may be served.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use app::catalog::{Kind, Source};
use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

use super::{metadata::About, remark::Remark};
use crate::{cache::Edge, sources::remote::channel::Distant, storage::local::Stamp};

/// The name of a channel's playlist in its folder.
pub(crate) const PLAYLIST: &str = "playlist.m3u8";

/// The names of a channel's poster in its folder; the first that is there counts.
pub(crate) const POSTERS: [&str; 2] = ["poster.webp", "poster.jpg"];

/// One channel that can be played. Never changed once made.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Where its files lie.
    pub(crate) place: Place,
    /// What tells whether two channels are the same.
    pub(crate) content: Content,
    /// The segment behind each, where fetching it ahead is worth while.
    pub(crate) behind: HashMap<Box<str>, Box<str>>,
    /// The playlist, or the bare file.
    pub(crate) main: String,
    /// A bare file, and not a folder.
    pub(crate) bare: bool,
    /// All that may be served, by path inside the folder; nothing else is.
    pub(crate) files: HashMap<Box<str>, Offer>,
    /// The poster's file name.
    pub(crate) poster: Option<Box<str>>,
    /// Language and file of each subtitle track.
    pub(crate) subtitles: Vec<(String, String)>,
    pub(crate) about: About,
    /// What its owner should know of it.
    pub(crate) remarks: Vec<Remark>,
    pub(crate) kind: Kind,
    pub(crate) mime: String,
    pub(crate) codecs: Vec<String>,
    pub(crate) duration_s: Option<f64>,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) live: bool,
    /// Unix time in milliseconds.
    pub(crate) updated_at: u64,
}

/// Where the files of a channel lie.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// On this host.
    Disk {
        /// The streams folder, in canonical form: files are opened below it only.
        root: PathBuf,
        /// The folder that holds the files, in canonical form.
        folder: PathBuf,
    },
    /// In a store.
    Store {
        /// What the list says of it.
        source: Source,
        /// The store, with the cache before it.
        edge: Edge,
        /// What stands before a path in the keys: empty, or with a slash at its end.
        prefix: String,
        /// When it was looked at last.
        looked: Looked,
    },
    /// On another server, which is asked for what is wanted; no list tells of its files.
    Distant(Arc<Distant>),
}

/// When a channel of a store was looked at last, and since when somebody follows it.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    at: watch::Receiver<Instant>,
    followed: Arc<Mutex<Option<Followed>>>,
}

/// Somebody asks again and again.
#[derive(Clone, Copy, Debug)]
struct Followed {
    since: Instant,
    last: Instant,
}

impl Looked {
    /// As `at` tells; nobody follows it yet.
    pub(crate) fn new(at: watch::Receiver<Instant>) -> Self {
        Self { at, followed: Arc::default() }
    }

    /// How long ago that was.
    pub(crate) fn age(&self) -> Duration {
        self.at.borrow().elapsed()
    }

    /// Somebody asks now; answers for how long that has been going on, with no longer `pause`.
    pub(crate) fn follow(&self, pause: Duration) -> Duration {
        let now = Instant::now();
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = followed.filter(|followed| now.duration_since(followed.last) < pause);
        let since = before.map_or(now, |before| before.since);
        *followed = Some(Followed { since, last: now });
        now.duration_since(since)
    }

    /// Waits for the next look.
    pub(crate) async fn next(&self) -> Option<()> {
        let mut at = self.at.clone();
        at.mark_unchanged();
        at.changed().await.ok()
    }
}

/// What two sources compare: the names of segments and their durations, and the sizes of files.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) named: blake3::Hash,
    /// Nothing where the source does not tell.
    pub(crate) sized: Option<blake3::Hash>,
}

impl Content {
    /// What is compared of a bare file: its size alone.
    pub(crate) fn of_file(size: u64) -> Self {
        let sized = Some(blake3::hash(&size.to_le_bytes()));
        Self { named: blake3::hash(b"bare"), sized }
    }

    /// Whether both are the same as far as both tell.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let sizes = self.sized.zip(other.sized);
        self.named == other.named && sizes.is_none_or(|(one, other)| one == other)
    }
}

/// Something that may be served.
#[derive(Clone, Debug)]
pub(crate) enum Offer {
    /// A playlist as we serve it, from memory.
    Playlist(ServedPlaylist),
    /// A file on disk, or an object.
    File(FileOffer),
}

/// A playlist with versioned addresses.
#[derive(Clone, Debug)]
pub(crate) struct ServedPlaylist {
    pub(crate) text: Bytes,
    /// Strong entity tag, with its quotes.
    pub(crate) etag: String,
    pub(crate) modified: SystemTime,
}

/// A file, or an object, that may be served.
#[derive(Clone, Debug)]
pub(crate) struct FileOffer {
    pub(crate) media_type: &'static str,
    /// How it was when the list was made.
    pub(crate) stamp: Stamp,
    /// A version that stays good although the file was written anew: an init of a live playlist.
    pub(crate) pinned: Option<Box<str>>,
    /// A poster, a subtitle file, a bare file: its address never carries a version.
    pub(crate) loose: bool,
}

impl Facts {
    /// The streams folder and the folder of the channel, if it lies on this host.
    pub(crate) fn on_disk(&self) -> Option<(&Path, &Path)> {
        match &self.place {
            Place::Disk { root, folder } => Some((root, folder)),
            Place::Store { .. } | Place::Distant(_) => None,
        }
    }

    /// The channel on its server, if it lies on another.
    pub(crate) fn distant(&self) -> Option<&Arc<Distant>> {
        match &self.place {
            Place::Distant(distant) => Some(distant),
            _ => None,
        }
    }

    /// Whether the store or the server that it comes from is known to be away.
    pub(crate) fn source_is_away(&self) -> bool {
        match &self.place {
            Place::Disk { .. } => false,
            Place::Store { edge, .. } => edge.is_away(),
            Place::Distant(distant) => distant.edge.is_away(),
        }
    }

    /// The file offer at `path`, if there is one.
    pub(crate) fn file(&self, path: &str) -> Option<&FileOffer> {
        match self.files.get(path) {
            Some(Offer::File(file)) => Some(file),
            _ => None,
        }
    }
}

/// A strong entity tag over bytes.
pub(crate) fn etag_of(bytes: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(bytes).to_hex()[..24])
}
