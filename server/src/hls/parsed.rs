//! A playlist as a catalogue keeps it: parsed once, with what became of each of its references, and
//! rendered when somebody asks for it.

use std::{ops::Range, sync::OnceLock};

use bytes::Bytes;

use super::{
    playlist::{Playlist, Reference, Role},
    render::{Resolved, address, end, render},
};

/// See the module.
#[derive(Debug)]
pub struct Parsed {
    /// Its path inside the channel.
    path: Box<str>,
    text: Box<str>,
    playlist: Playlist,
    found: Box<[Resolved]>,
    rendered: OnceLock<Bytes>,
}

/// A media segment that is served (RFC 8216 §3).
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<'a> {
    /// The file's path inside the channel; `None` where the playlist says that it is absent.
    pub path: Option<&'a str>,
    /// The version of the file, for its address.
    pub version: Option<&'a str>,
    /// In seconds.
    pub duration_s: f64,
    /// The bytes of the file that it is, where it is not all of it.
    pub range: Option<Range<u64>>,
    /// It does not go on where the one before it ended.
    pub discontinuity: bool,
    /// The path of its media initialization section, if it has one.
    pub init: Option<&'a str>,
}

impl Parsed {
    /// The playlist `text` at `path` inside its channel; `found` tells of each of its references in turn.
    pub fn new(path: &str, text: &str, playlist: Playlist, found: Vec<Resolved>) -> Self {
        let (path, text, found) = (path.into(), text.into(), found.into());
        Self { path, text, playlist, found, rendered: OnceLock::new() }
    }

    /// What it says.
    pub fn playlist(&self) -> &Playlist {
        &self.playlist
    }

    /// As it is served.
    pub fn render(&self) -> Bytes {
        self.rendered.get_or_init(|| self.render_once().into()).clone()
    }

    /// The same, for who needs it once: a long list of channels keeps no text twice.
    pub fn render_once(&self) -> String {
        render(&self.path, &self.text, &self.playlist, &self.found)
    }

    /// The segments that are served, in their order; none of a master playlist.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let end = end(&self.text, &self.playlist, &self.found);
        let mut init = None;
        self.references().filter_map(move |(reference, found)| {
            if reference.role == Role::Init {
                init = found.path.as_deref();
            }
            (reference.is_segment() && reference.span.end <= end).then(|| Segment {
                path: found.path.as_deref(),
                version: found.version.as_deref(),
                duration_s: reference.duration_s,
                range: reference.range.clone(),
                discontinuity: reference.discontinuity,
                init,
            })
        })
    }

    /// What it names, with what became of it.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, &Resolved)> {
        self.playlist.references.iter().zip(&self.found)
    }

    /// The address of a reference as it is served, relative to the playlist.
    pub fn address(&self, reference: &Reference, found: &Resolved) -> String {
        address(&self.path, &self.text, reference, found)
    }
}

#[cfg(test)]
mod tests {
    use super::{Parsed, Resolved, Segment};
    use crate::hls::playlist::parse;

    #[test]
    fn segments_are_those_that_are_served() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:41\n\
            #EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:6,\na.m4s\n#EXT-X-DISCONTINUITY\n#EXTINF:5.5,\n\
            #EXT-X-BYTERANGE:10@20\nb.m4s\n#EXTINF:1,\nc.m4s\n";
        let there = |path: &str| Resolved {
            path: Some(path.to_owned()),
            literal: false,
            version: Some("1".into()),
        };
        let found = vec![there("i.mp4"), there("a.m4s"), there("b.m4s"), Resolved::default()];
        let parsed = Parsed::new("playlist.m3u8", text, parse(text).expect("a playlist"), found);
        let segment = Segment {
            path: Some("a.m4s"),
            version: Some("1"),
            duration_s: 6.0,
            range: None,
            discontinuity: false,
            init: Some("i.mp4"),
        };
        let second = Segment {
            path: Some("b.m4s"),
            duration_s: 5.5,
            range: Some(20..30),
            discontinuity: true,
            ..segment.clone()
        };
        assert_eq!(parsed.segments().collect::<Vec<_>>(), [segment, second]);
        let playlist = parsed.playlist();
        assert_eq!((playlist.target_duration_s, playlist.media_sequence), (Some(6), 41));
        assert_eq!(parsed.render(), parsed.render_once());
        assert!(!parsed.render_once().contains("c.m4s"));
    }
}
