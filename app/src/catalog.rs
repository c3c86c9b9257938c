//! What can be watched: ids, media objects, the window of the feed, and the server function that
//! discovers channels. How a catalogue is filled lives in the server.

mod discover;
mod order;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

pub(crate) use self::discover::ask;
pub use self::{
    discover::{WINDOW_SIDE_MAX, channels, discover},
    order::Order,
};
use crate::error::AppError;

/// The name of a channel: 1–100 characters, at most 200 bytes, in any alphabet, already in NFC.
///
/// No control or bidi characters, none of `/ \ : * ? " < > |`, no leading dot, no space or dot at
/// either end. Whoever reads a name from outside brings it to NFC first; the page gets its ids from
/// the server and need not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelId(Arc<str>);

/// Why a name cannot be a [`ChannelId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelIdError {
    /// Empty, over 100 characters or over 200 bytes.
    #[error("a channel name has 1 to 100 characters and at most 200 bytes")]
    Length,
    /// A control, bidi or path character.
    #[error("a channel name holds no control or bidi characters and none of / \\ : * ? \" < > |")]
    Character,
    /// A leading dot, or a space or dot at an end.
    #[error("a channel name starts with no dot and has no space or dot at either end")]
    Ends,
}

impl ChannelId {
    /// The most characters (Unicode scalar values) of an id.
    pub const MAX_CHARS: usize = 100;
    /// The most bytes of an id in UTF-8.
    pub const MAX_BYTES: usize = 200;

    /// Checks a name that is already in NFC.
    pub fn parse(name: &str) -> Result<Self, ChannelIdError> {
        if name.is_empty() || name.len() > Self::MAX_BYTES || name.chars().count() > Self::MAX_CHARS
        {
            return Err(ChannelIdError::Length);
        }
        if name.chars().any(is_forbidden) {
            return Err(ChannelIdError::Character);
        }
        let at_an_end = |c: char| c == '.' || c.is_whitespace();
        if name.starts_with(at_an_end) || name.ends_with(at_an_end) {
            return Err(ChannelIdError::Ends);
        }
        Ok(Self(name.into()))
    }

    /// The id as text, not encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id percent-encoded for one path segment of an address (RFC 3986: only unreserved
    /// characters stay).
    pub fn encoded(&self) -> String {
        encode_segment(&self.0)
    }

    /// The address of the channel's own page.
    pub fn page(&self) -> String {
        format!("/c/{}", self.encoded())
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub fn encode_segment(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Characters that no id may hold: C0 and C1 controls, line separators, bidi marks, path characters.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

impl TryFrom<String> for ChannelId {
    type Error = ChannelIdError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name)
    }
}

impl From<ChannelId> for String {
    fn from(id: ChannelId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a media object shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Moving pictures, with or without sound.
    Video,
    /// Sound alone.
    Audio,
}

/// Where a media object's bytes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The streams folder of this host.
    Local,
    /// A bucket of an S3-compatible store.
    S3,
    /// Another HTTP server.
    Http,
}

/// One subtitle track of a media object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtitle {
    /// BCP 47 language tag, from the file's name.
    pub lang: String,
    /// Address of the WebVTT file, relative to the origin.
    pub url: String,
}

/// A sheet of small pictures for scrubbing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Storyboard {
    /// Address of the sheet, relative to the origin.
    pub url: String,
    /// Seconds between two tiles.
    pub interval_s: f64,
    /// Tiles in a row.
    pub columns: u32,
    /// Width of a tile in pixels.
    pub tile_w: u32,
    /// Height of a tile in pixels.
    pub tile_h: u32,
}

/// One media object of the list, as `GET /api/videos` and the socket tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// The channel's name.
    pub id: ChannelId,
    /// What people read; the id where nothing else is given.
    pub title: String,
    /// One line or more about it.
    pub description: Option<String>,
    /// Video or audio.
    pub kind: Kind,
    /// Which source holds the bytes.
    pub source: Source,
    /// Address of the playlist or bare file, relative to the origin, percent-encoded.
    pub url: String,
    /// Media type, with the `codecs` parameter where they are known (RFC 6381).
    pub mime: String,
    /// Length in seconds; `None` while live or not known.
    pub duration_s: Option<f64>,
    /// Width in pixels of the best rendition.
    pub width: Option<u32>,
    /// Height in pixels of the best rendition.
    pub height: Option<u32>,
    /// Address of the poster, relative to the origin.
    pub poster: Option<String>,
    /// ThumbHash of the poster in base64.
    pub thumbhash: Option<String>,
    /// Address of how loud the music is over time, relative to the origin.
    pub waveform: Option<String>,
    /// WebVTT tracks.
    pub subtitles: Vec<Subtitle>,
    /// Pictures for scrubbing.
    pub storyboard: Option<Storyboard>,
    /// The playlist still grows.
    pub live: bool,
    /// The source can be reached.
    pub available: bool,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it last changed, Unix time in milliseconds.
    pub updated_at: u64,
    /// Its `order` of `channel.toml`: such go first in the feed, ascending.
    pub order: Option<f64>,
    /// What it is made of that not every browser plays, such as `HEVC`; `None` where every one does.
    pub format: Option<String>,
}

impl Media {
    /// Whether the address is an HLS playlist, and not a bare file.
    pub fn is_hls(&self) -> bool {
        self.mime.starts_with("application/vnd.apple.mpegurl")
    }
}

/// Where a window of the feed is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Around this channel.
    Id(ChannelId),
    /// Around this channel or, where it is gone, around this place.
    Near(ChannelId, u32),
    /// From the first channel on.
    First,
    /// Up to the last channel.
    Last,
    /// Around the channel at this place of the feed, from 0.
    Place(u32),
}

impl Anchor {
    /// Reads `first`, `last`, a place behind a `/` or, behind a `=`, an id, maybe with a place: an id
    /// may itself be `first`.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let no_place = || AppError::BadRequest("a place is a number from 0".to_owned());
        // No id holds a slash.
        let (id, place) = match text {
            "first" => return Ok(Self::First),
            "last" => return Ok(Self::Last),
            _ => text.split_once('/').map_or((text, None), |(id, place)| (id, Some(place))),
        };
        let place = place.map(|place| place.parse().map_err(|_| no_place())).transpose()?;
        if let (true, Some(place)) = (id.is_empty(), place) {
            return Ok(Self::Place(place));
        }
        let id = ChannelId::parse(id.strip_prefix('=').unwrap_or(id))
            .map_err(|error| AppError::BadRequest(error.to_string()))?;
        Ok(match place {
            Some(place) => Self::Near(id, place),
            None => Self::Id(id),
        })
    }

    /// The text that [`Anchor::parse`] reads back.
    pub fn to_text(&self) -> String {
        match self {
            Self::Id(id) => format!("={id}"),
            Self::First => "first".into(),
            Self::Last => "last".into(),
            Self::Near(id, place) => format!("={id}/{place}"),
            Self::Place(place) => format!("/{place}"),
        }
    }
}

/// A contiguous part of the feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedSlice {
    /// The media objects, in the order that was asked for.
    pub items: Vec<Media>,
    /// Place of the first of them in the whole feed, from 0.
    pub offset: u32,
    /// How many channels the whole feed has.
    pub total: u32,
    /// Names this state of the list; another state has another version.
    pub version: String,
    /// The order that it is a part of.
    pub order: Order,
}

/// The list as the page knows it; the server implements it and provides it as context.
pub trait Catalog: Send + Sync + 'static {
    /// Whether the list has been read since the start.
    fn is_there(&self) -> bool;

    /// The part of the feed, put into `order`, around `anchor`: at most `before` channels ahead of it and `after`
    /// behind it. `None` where the anchor is an id that the list does not hold.
    fn window(&self, order: Order, anchor: &Anchor, before: u32, after: u32) -> Option<FeedSlice>;

    /// What a player asks for first when it opens this channel.
    fn opening(&self, id: &ChannelId) -> Opening;
}

/// What a player asks for first when it opens a playlist; nothing for a bare file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Addresses, in the order in which they are asked for.
    pub addresses: Vec<String>,
    /// It has sound or subtitles in playlists of their own, which the light build of hls.js does
    /// not know.
    pub separate_tracks: bool,
}

#[cfg(test)]
mod tests {
    use super::{ChannelId, ChannelIdError};

    #[test]
    fn ids_hold_what_the_contract_allows() {
        for good in ["playa", "Año nuevo", "日本", "a.b", "x (1)", &"a".repeat(100), "-"] {
            assert!(ChannelId::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", ChannelIdError::Length),
            (&*"a".repeat(101), ChannelIdError::Length),
            (&*"日".repeat(67), ChannelIdError::Length),
            ("a/b", ChannelIdError::Character),
            ("a\\b", ChannelIdError::Character),
            ("a\u{202E}b", ChannelIdError::Character),
            ("a\nb", ChannelIdError::Character),
            (".a", ChannelIdError::Ends),
            ("..", ChannelIdError::Ends),
            ("a.", ChannelIdError::Ends),
            (" a", ChannelIdError::Ends),
        ] {
            assert_eq!(ChannelId::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn addresses_encode_every_reserved_character() {
        let encoded = ChannelId::parse("año #1?".trim_end_matches('?')).map(|id| id.encoded());
        assert_eq!(encoded.as_deref(), Ok("a%C3%B1o%20%231"));
    }
}
