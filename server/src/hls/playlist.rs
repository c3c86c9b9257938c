//! Reading a playlist (RFC 8216): what it names and where in its text, how long it is, whether it
//! still grows. Which of the named files exist is the catalogue's question, not this file's.

pub mod variables;

use std::ops::Range;

use quick_m3u8::{
    HlsLine, Reader,
    config::ParsingOptionsBuilder,
    tag::{AttributeValue, UnknownTag},
};

/// The longest playlist that is read, in bytes: a day of two-second segments is 3 MiB.
pub const MAX_BYTES: u64 = 16 << 20;
/// A playlist that names more is not read: a day of two-second segments are 43,200.
pub const MAX_REFERENCES: usize = 200_000;
/// The longest tag whose attributes are read, in bytes: a tag of many takes as many times its length.
const MAX_TAG_BYTES: usize = 1 << 20;

/// What a playlist says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Playlist {
    /// Everything it names, in the order of the text.
    pub references: Vec<Reference>,
    /// The variant streams of a master playlist (RFC 8216 §4.3.4.2); empty in a media playlist.
    pub variants: Vec<Variant>,
    /// It lists other playlists, not segments.
    pub master: bool,
    /// `EXT-X-ENDLIST` (§4.3.3.4): nothing will be added.
    pub ended: bool,
    /// `EXT-X-TARGETDURATION` (§4.3.3.1) in seconds; `None` in a master playlist.
    pub target_duration_s: Option<u64>,
    /// `EXT-X-MEDIA-SEQUENCE` (§4.3.3.2): the number of the first segment.
    pub media_sequence: u64,
    /// `EXT-X-DISCONTINUITY-SEQUENCE` (§4.3.3.3): that of the first segment.
    pub discontinuity_sequence: u64,
    /// Sum of the segments' durations, in seconds.
    pub duration_s: f64,
    /// Some segment is encrypted (§4.3.2.4), so its content cannot be looked at.
    pub encrypted: bool,
}

/// One address in a playlist.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Bytes of the address in the text, without quotes and surrounding spaces.
    pub span: Range<usize>,
    /// The line that holds it, with what ends it.
    pub line: Range<usize>,
    /// What it names.
    pub role: Role,
    /// A part of a file (`EXT-X-BYTERANGE`, or the attribute of that name).
    pub ranged: bool,
    /// Where in the file that part lies, in bytes; its end is the least length of the file.
    pub range: Option<Range<u64>>,
    /// Of a segment (§4.3.2.1), in seconds.
    pub duration_s: f64,
    /// `EXT-X-DISCONTINUITY` stands before the segment (§4.3.2.3).
    pub discontinuity: bool,
}

impl Reference {
    /// A media segment, there or not.
    pub fn is_segment(&self) -> bool {
        matches!(self.role, Role::Segment | Role::Gap)
    }
}

/// What an address in a playlist names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A media segment.
    Segment,
    /// A segment that the playlist itself says is absent (`EXT-X-GAP`).
    Gap,
    /// A media initialization section (`EXT-X-MAP`).
    Init,
    /// A key file.
    Key,
    /// Another playlist: a variant, a rendition, an I-frame playlist.
    Child,
    /// A partial segment of a low-latency playlist.
    Part,
    /// Something that a player may ask for, and that need not be there.
    Hint,
}

/// A variant stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Peak bit rate in bits per second.
    pub bandwidth: u64,
    /// Width and height in pixels.
    pub resolution: Option<(u32, u32)>,
    /// RFC 6381 codecs.
    pub codecs: Option<String>,
    /// Its sound, or its subtitles, lie in playlists of their own.
    pub separate_tracks: bool,
    /// Which of the playlist's references names its playlist.
    pub reference: usize,
}

/// Why a text is no playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaylistError {
    /// The first line is another.
    #[error("it does not begin with #EXTM3U")]
    Header,
    /// A tag that names something cannot be read.
    #[error("a tag in it cannot be read")]
    Tag,
    /// It names more than [`MAX_REFERENCES`].
    #[error("it names more than {MAX_REFERENCES} files")]
    TooMany,
}

/// Reads a playlist; tags and attributes that it does not know are passed over (§6.3.1).
pub fn parse(text: &str) -> Result<Playlist, PlaylistError> {
    let mut parser = Parser {
        text,
        line: 0..0,
        playlist: Playlist::default(),
        next: Next::default(),
        part: None,
    };
    // No tag is "known" to the reader: each comes as name and raw value, whose places in the text
    // are kept, so that serving changes addresses and not one byte else.
    let start = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = Reader::from_str(start, ParsingOptionsBuilder::new().build());
    if !matches!(reader.read_line(), Ok(Some(HlsLine::UnknownTag(tag))) if tag.name().trim() == "M3U")
    {
        return Err(PlaylistError::Header);
    }
    loop {
        match reader.read_line() {
            Ok(None) => break,
            Ok(Some(HlsLine::UnknownTag(tag))) => parser.tag(&tag)?,
            Ok(Some(HlsLine::Uri(line))) => parser.uri(&line)?,
            Ok(Some(_)) | Err(_) => {}
        }
    }
    Ok(parser.playlist)
}

/// What the lines before an address say of it.
#[derive(Default)]
struct Next<'a> {
    duration_s: f64,
    discontinuity: bool,
    range: Option<&'a str>,
    gap: bool,
    variant: Option<Variant>,
}

struct Parser<'a> {
    text: &'a str,
    /// The line that was read last of those that name something: it may name a great many.
    line: Range<usize>,
    playlist: Playlist,
    next: Next<'a>,
    /// The part of a file that was named last, and where it ends: what follows without a place begins
    /// there (§4.3.2.2).
    part: Option<(&'a str, u64)>,
}

impl<'a> Parser<'a> {
    fn tag(&mut self, tag: &UnknownTag<'a>) -> Result<(), PlaylistError> {
        match tag.name().trim() {
            "INF" => {
                let value = tag.value().ok_or(PlaylistError::Tag)?;
                let (seconds, _) = value
                    .try_as_decimal_floating_point_with_title()
                    .map_err(|_| PlaylistError::Tag)?;
                self.next.duration_s = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
            }
            "-X-ENDLIST" => self.playlist.ended = true,
            "-X-TARGETDURATION" => self.playlist.target_duration_s = number(tag),
            "-X-MEDIA-SEQUENCE" => self.playlist.media_sequence = number(tag).unwrap_or(0),
            "-X-DISCONTINUITY-SEQUENCE" => {
                self.playlist.discontinuity_sequence = number(tag).unwrap_or(0);
            }
            "-X-DISCONTINUITY" => self.next.discontinuity = true,
            "-X-BYTERANGE" => {
                let range = tag.value().and_then(|value| std::str::from_utf8(value.0).ok());
                self.next.range = Some(range.unwrap_or_default());
            }
            "-X-GAP" => self.next.gap = true,
            "-X-STREAM-INF" => {
                self.playlist.master = true;
                self.next.variant = Some(variant(&attributes(tag)?));
            }
            "-X-MAP" => self.named(tag, Role::Init, "URI")?,
            "-X-KEY" => {
                self.playlist.encrypted |= attributes(tag)?
                    .iter()
                    .any(|(name, value)| *name == "METHOD" && text_of(value) != Some("NONE"));
                self.named(tag, Role::Key, "URI")?;
            }
            "-X-SESSION-KEY" => self.named(tag, Role::Key, "URI")?,
            "-X-MEDIA" | "-X-I-FRAME-STREAM-INF" => {
                self.playlist.master = true;
                self.named(tag, Role::Child, "URI")?;
            }
            "-X-PART" => self.named(tag, Role::Part, "URI")?,
            "-X-CONTENT-STEERING" => self.named(tag, Role::Hint, "SERVER-URI")?,
            "-X-DATERANGE" => {
                self.named(tag, Role::Hint, "X-ASSET-URI")?;
                self.named(tag, Role::Hint, "X-ASSET-LIST")?;
            }
            "-X-PRELOAD-HINT" | "-X-RENDITION-REPORT" | "-X-SESSION-DATA" => {
                self.named(tag, Role::Hint, "URI")?;
            }
            // A tag of tomorrow may name something too; one without attributes names nothing.
            _ => match self.named(tag, Role::Hint, "URI") {
                Err(PlaylistError::Tag) => names_nothing(tag)?,
                named => named?,
            },
        }
        Ok(())
    }

    fn named(
        &mut self,
        tag: &UnknownTag<'a>,
        role: Role,
        attribute: &str,
    ) -> Result<(), PlaylistError> {
        let attributes = attributes(tag)?;
        let range = attributes.iter().find(|(name, _)| *name == "BYTERANGE");
        let range = range.map(|(_, value)| text_of(value).unwrap_or_default());
        for (name, value) in &attributes {
            if *name == attribute {
                self.push(text_of(value).ok_or(PlaylistError::Tag)?, role, range)?;
            }
        }
        Ok(())
    }

    fn uri(&mut self, line: &str) -> Result<(), PlaylistError> {
        let next = std::mem::take(&mut self.next);
        let uri = line.trim();
        if uri.is_empty() {
            self.next = next;
            return Ok(());
        }
        if let Some(mut variant) = next.variant {
            variant.reference = self.playlist.references.len();
            self.playlist.variants.push(variant);
            self.push(uri, Role::Child, None)?;
        } else {
            self.playlist.duration_s += next.duration_s;
            self.push(uri, if next.gap { Role::Gap } else { Role::Segment }, next.range)?;
            if let Some(segment) = self.playlist.references.last_mut() {
                segment.duration_s = next.duration_s;
                segment.discontinuity = next.discontinuity;
            }
        }
        Ok(())
    }

    /// `part` is always a slice of the text, because the reader copies nothing.
    fn push(&mut self, part: &str, role: Role, range: Option<&str>) -> Result<(), PlaylistError> {
        if self.playlist.references.len() >= MAX_REFERENCES {
            return Err(PlaylistError::TooMany);
        }
        let start = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        let span = start..start.saturating_add(part.len());
        debug_assert_eq!(self.text.get(span.clone()), Some(part));
        if !(self.line.contains(&span.start) && span.end <= self.line.end) {
            let start = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
            let end = self.text[span.end..].find('\n').map(|at| span.end + at + 1);
            self.line = start..end.unwrap_or(self.text.len());
        }
        let line = self.line.clone();
        let ranged = range.is_some();
        let range = range.and_then(|range| self.range_of(span.clone(), range));
        let (duration_s, discontinuity) = (0.0, false);
        let reference = Reference { span, line, role, ranged, range, duration_s, discontinuity };
        self.playlist.references.push(reference);
        Ok(())
    }

    /// Where in the file at `address` the part `range` lies: `length[@place]`.
    fn range_of(&mut self, address: Range<usize>, range: &str) -> Option<Range<u64>> {
        let text = self.text;
        let address = &text[address];
        let (length, place) = match range.trim().split_once('@') {
            Some((length, place)) => (length, Some(place)),
            None => (range.trim(), None),
        };
        let before = self.part.take().filter(|(of, _)| *of == address);
        let place = match place {
            Some(place) => place.trim().parse().ok()?,
            None => before.map_or(0, |(_, end)| end),
        };
        let end = length.trim().parse::<u64>().ok()?.checked_add(place)?;
        self.part = Some((address, end));
        Some(place..end)
    }
}

fn attributes<'a>(
    tag: &UnknownTag<'a>,
) -> Result<Vec<(&'a str, AttributeValue<'a>)>, PlaylistError> {
    let Some(value) = tag.value() else { return Ok(Vec::new()) };
    if value.0.len() > MAX_TAG_BYTES {
        return Err(PlaylistError::Tag);
    }
    let mut list = value.try_as_ordered_attribute_list().map_err(|_| PlaylistError::Tag)?;
    for (name, _) in &mut list {
        *name = name.trim();
    }
    Ok(list)
}

/// A tag whose value is a whole number.
fn number(tag: &UnknownTag<'_>) -> Option<u64> {
    std::str::from_utf8(tag.value()?.0).ok()?.trim().parse().ok()
}

fn names_nothing(tag: &UnknownTag<'_>) -> Result<(), PlaylistError> {
    let names = tag.value().is_some_and(|value| value.0.windows(4).any(|four| four == b"URI="));
    if names { Err(PlaylistError::Tag) } else { Ok(()) }
}

fn text_of<'a>(value: &AttributeValue<'a>) -> Option<&'a str> {
    match value {
        AttributeValue::Quoted(text) => Some(*text),
        AttributeValue::Unquoted(raw) => raw.try_as_utf_8().ok(),
    }
    .map(str::trim)
}

fn variant(attributes: &[(&str, AttributeValue<'_>)]) -> Variant {
    let mut variant = Variant::default();
    for (name, value) in attributes {
        match *name {
            "BANDWIDTH" => {
                variant.bandwidth = text_of(value).and_then(|v| v.parse().ok()).unwrap_or(0);
            }
            "RESOLUTION" => {
                variant.resolution = text_of(value)
                    .and_then(|v| v.split_once('x'))
                    .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
            }
            "AUDIO" | "SUBTITLES" => variant.separate_tracks = true,
            "CODECS" => variant.codecs = text_of(value).map(str::to_owned),
            _ => {}
        }
    }
    variant
}

#[cfg(test)]
mod tests;
