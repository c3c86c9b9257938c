//! What is told of a channel of another server: plain data, so that a restart without that server
//! knows it.

use std::collections::HashMap;

use app::catalog::Kind;
use serde::{Deserialize, Serialize};

use super::channel::RemoteChannel;
use crate::{
    cache::CachedStore,
    catalog::{
        metadata::ChannelMetadata,
        problem::Problem,
        record::{ChannelRecord, Content, PLAYLIST, POSTERS},
        remark::{Remark, Remembered},
    },
};

/// The most characters of a title and of a tag, and the most tags: what another server says is taken so
/// far as anybody reads it.
pub(super) const TITLE_MAX_CHARS: usize = 200;
pub(super) const TAG_MAX_CHARS: usize = 100;
pub(super) const TAGS_MAX: usize = 16;

/// A text without blanks around it, of at most so many characters.
pub(super) fn bounded(text: &str, max_chars: usize) -> String {
    let text: String = text.trim().chars().take(max_chars).collect();
    text.trim_end().to_owned()
}

/// One name of a list, before anybody looks at it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    /// A channel of which all is told.
    Whole(RemoteRecord),
    /// A channel of which little more than its address is told.
    Named(RemoteRecord),
    /// What is none, though somebody may have meant one.
    LeftOut {
        /// Where it is.
        address: String,
        /// Why it is none.
        reason: Problem,
    },
    /// A folder.
    Folder {
        /// Where it is.
        address: String,
        /// What the list says of it: another word, another state.
        mark: String,
    },
    /// A file.
    File {
        /// Where it is.
        address: String,
        /// As of a folder.
        mark: String,
    },
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RemoteRecord {
    /// A folder's name, or a file's.
    pub(super) name: String,
    /// Of the playlist, or of the file.
    pub(super) address: String,
    pub(super) bare: bool,
    pub(super) kind: Kind,
    pub(super) live: bool,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) order: Option<f64>,
    pub(super) mime: String,
    pub(super) codecs: Vec<String>,
    pub(super) duration_s: Option<f64>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) thumbhash: Option<String>,
    /// Poster, waveform and subtitles: our name, and their address.
    pub(super) beside: Vec<(String, String)>,
    /// Language and file.
    pub(super) subtitles: Vec<(String, String)>,
    pub(super) updated_at: u64,
    /// What tells two channels apart, in hex; without one it is like no other.
    pub(super) named: Option<String>,
    /// Of a bare file.
    pub(super) size: Option<u64>,
    /// What its owner should know of it.
    #[serde(default)]
    pub(super) remarks: Vec<Remembered>,
    /// Its server is a Carrete.
    #[serde(default)]
    pub(super) keeps_older: bool,
}

impl Raw {
    /// Where it is.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Whole(told) | Self::Named(told) => &told.address,
            Self::LeftOut { address, .. }
            | Self::Folder { address, .. }
            | Self::File { address, .. } => address,
        }
    }
}

impl RemoteRecord {
    /// A channel of which nothing else is told.
    pub(super) fn new(name: &str, address: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            bare: false,
            kind,
            live: false,
            title: None,
            description: None,
            tags: Vec::new(),
            order: None,
            mime: crate::hls::media_type::PLAYLIST.to_owned(),
            codecs: Vec::new(),
            duration_s: None,
            width: None,
            height: None,
            thumbhash: None,
            beside: Vec::new(),
            subtitles: Vec::new(),
            updated_at: 0,
            named: None,
            size: None,
            remarks: Vec::new(),
            keeps_older: false,
        }
    }

    /// The channel on its server. `before` is what has been read of it already.
    pub(super) fn channel(
        &self,
        edge: &CachedStore,
        before: Option<&RemoteChannel>,
    ) -> RemoteChannel {
        let mut channel = RemoteChannel::new(edge.clone(), self.address.clone(), self.bare, before);
        channel.keeps_older = self.keeps_older;
        channel
    }

    /// The channel as the list has it.
    pub(super) fn record(&self, edge: &CachedStore) -> ChannelRecord {
        let named = self.named.as_ref().and_then(|hex| blake3::Hash::from_hex(hex).ok());
        let content = match self.size.filter(|_| self.bare) {
            Some(size) => Content::of_file(size),
            None => Content {
                named: named.unwrap_or_else(|| blake3::hash(self.address.as_bytes())),
                sized: self.size.map(|size| blake3::hash(&size.to_le_bytes())),
            },
        };
        let beside = self.beside.iter();
        let beside = beside.map(|(name, address)| (name.as_str().into(), address.as_str().into()));
        let beside: HashMap<Box<str>, Box<str>> = beside.collect();
        let poster = beside.contains_key(POSTERS[0]).then(|| POSTERS[0].into());
        ChannelRecord {
            content,
            location: super::location_at(edge, self.address.clone()),
            behind: HashMap::new(),
            beside,
            thumbhash: self.thumbhash.clone(),
            refers_to: Vec::new(),
            main: if self.bare { self.name.clone() } else { PLAYLIST.to_owned() },
            bare: self.bare,
            files: HashMap::new(),
            poster,
            subtitles: self.subtitles.clone(),
            about: ChannelMetadata {
                title: self.title.clone(),
                description: self.description.clone(),
                tags: self.tags.clone(),
                order: self.order,
                ..ChannelMetadata::default()
            },
            remarks: self.remarks.iter().cloned().map(Remark::Remembered).collect(),
            kind: self.kind,
            mime: self.mime.clone(),
            codecs: self.codecs.clone(),
            duration_s: self.duration_s,
            width: self.width,
            height: self.height,
            live: self.live,
            updated_at: self.updated_at,
        }
    }
}
