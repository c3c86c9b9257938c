//! What is known of one channel, whatever id it is listed under: how it looks in the list, and
//! which files of it may be served.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use app::catalog::{ChannelId, Kind, Source};
use bytes::Bytes;

use super::{metadata::ChannelMetadata, remark::Remark};
use crate::{hls::parsed::Parsed, storage::local::FileVersion};

/// The name of a channel's playlist in its folder.
pub(crate) const PLAYLIST: &str = "playlist.m3u8";

/// The names of a channel's poster in its folder; the first that is there counts.
pub(crate) const POSTERS: [&str; 2] = ["poster.webp", "poster.jpg"];

/// One channel that can be played. Never changed once made.
#[derive(Debug)]
pub(crate) struct ChannelRecord {
    /// Where it lies.
    pub(crate) location: Location,
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
    /// What its source has beside the media, and no playlist names: our name, and where that lies in the
    /// source's own terms.
    pub(crate) beside: HashMap<Box<str>, Box<str>>,
    /// Of its poster, as its source tells, in base64.
    pub(crate) thumbhash: Option<String>,
    /// The channels that it is made of; where none of them is listed, it is not either.
    pub(crate) refers_to: Vec<ChannelId>,
    /// The poster's file name.
    pub(crate) poster: Option<Box<str>>,
    /// Language and file of each subtitle track.
    pub(crate) subtitles: Vec<(String, String)>,
    pub(crate) about: ChannelMetadata,
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

/// Which source has a channel: its name, as ids, the health report and the log tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceId(&'static str);

impl SourceId {
    /// The streams folder: its channels keep their ids whatever others are called.
    pub(crate) const LOCAL: Self = Self("folder");

    /// The source of this name.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    /// What people call it.
    pub(crate) fn word(self) -> &'static str {
        if self.0 == "s3" { "bucket" } else { self.0 }
    }
}

/// Where a channel lies.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// Who has it.
    pub(crate) source: SourceId,
    /// What its media object says that it comes from.
    pub(crate) origin: Source,
    /// In its source's own terms: what stands before its paths in the keys, or its address.
    pub(crate) prefix: String,
    /// The folder of its files, where they lie on this host.
    pub(crate) folder: Option<LocalFolder>,
}

/// Files that lie on this host: programs that are given files can read them.
#[derive(Clone, Debug)]
pub(crate) struct LocalFolder {
    /// In canonical form: files are opened below it only.
    pub(crate) root: PathBuf,
    /// The folder that holds the files, in canonical form.
    pub(crate) path: PathBuf,
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
    /// A playlist, parsed; it is rendered when somebody asks.
    Playlist(Arc<PlaylistOffer>),
    /// A file on disk, or an object.
    File(FileOffer),
}

/// A playlist that may be served.
#[derive(Debug)]
pub(crate) struct PlaylistOffer {
    pub(crate) parsed: Parsed,
    /// Strong entity tag of what it is rendered to, with its quotes.
    pub(crate) etag: String,
    pub(crate) modified: SystemTime,
}

impl PlaylistOffer {
    /// Its tag follows from what it says.
    pub(crate) fn new(parsed: Parsed, modified: SystemTime) -> Self {
        let etag = etag_of(parsed.render_once().as_bytes());
        Self { parsed, etag, modified }
    }

    /// As it is sent.
    pub(crate) fn served(&self) -> ServedPlaylist {
        let (text, etag) = (self.parsed.render(), self.etag.clone());
        ServedPlaylist { text, etag, modified: self.modified }
    }
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
    pub(crate) stamp: FileVersion,
    /// A version that stays good although the file was written anew: an init of a live playlist.
    pub(crate) pinned: Option<Box<str>>,
    /// A poster, a subtitle file, a bare file: its address never carries a version.
    pub(crate) loose: bool,
}

impl ChannelRecord {
    /// The folder that its files may be opened below, and the folder of the channel, if they lie on this
    /// host.
    pub(crate) fn on_disk(&self) -> Option<(&Path, &Path)> {
        self.location.folder.as_ref().map(|folder| (&*folder.root, &*folder.path))
    }

    /// The playlist at `path`, if there is one.
    pub(crate) fn playlist(&self, path: &str) -> Option<&Arc<PlaylistOffer>> {
        match self.files.get(path) {
            Some(Offer::Playlist(playlist)) => Some(playlist),
            _ => None,
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
