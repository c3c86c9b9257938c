//! Whether all of a media file is there, as far as its container says it.

use std::io::{Read, Seek};

use super::{
    Container,
    frames::{self, measure, window},
    ogg,
};

/// The end of a file in which the last page or frame is looked for, in bytes.
const TAIL: u64 = 68 << 10;
/// Beginnings that say nothing, in bytes.
const ZEROS: u64 = 512;

/// Whether all of a file is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It says so itself.
    Whole,
    /// It says nothing of it.
    Unknown,
    /// A part is missing for certain, which is told.
    Cut(String),
    /// A part seems to be missing; what there is plays.
    Short(String),
}

impl Ends {
    pub(super) fn cut(there: u64, all: u64) -> Self {
        Self::Cut(format!("it ends after {there} of {all} bytes"))
    }

    pub(super) fn short(there: u64, all: u64) -> Self {
        Self::Short(format!("it ends after {there} of {all} bytes"))
    }
}

/// What a file of sound tells beside its tags.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sound {
    pub(super) ends: Ends,
    /// Where the usual reader would have to guess it.
    pub(super) duration_s: Option<f64>,
    /// By RFC 6381, where the container does not say it all.
    pub(super) codecs: Option<Vec<String>>,
}

/// Looks at a file of sound of `size` bytes. `thorough`: many places of it may be read.
pub(super) fn of_sound(
    container: Container,
    file: &mut (impl Read + Seek),
    size: u64,
    thorough: bool,
) -> Sound {
    let mut sound = Sound { ends: Ends::Unknown, duration_s: None, codecs: None };
    match container {
        Container::Mpeg => {
            if let Some(measured) = measure(file, size, frames::mpeg, thorough) {
                let layer =
                    ["", "mp4a.40.32", "mp4a.40.33", "mp3"][usize::from(measured.layer & 3)];
                sound.codecs = Some(vec![layer.to_owned()]);
                (sound.ends, sound.duration_s) = (measured.ends, measured.duration_s);
            }
        }
        Container::Adts => {
            if let Some(measured) = measure(file, size, frames::adts, thorough) {
                (sound.ends, sound.duration_s) = (measured.ends, measured.duration_s);
            }
        }
        Container::Ogg => {
            sound.codecs = ogg::codecs(file).filter(|codecs| !codecs.is_empty());
            sound.ends = tail(file, size, thorough)
                .map_or(Ends::Unknown, |(tail, at)| ogg::ends(&tail, size - at));
        }
        Container::Flac => {
            let head = window(file, 0, 64).unwrap_or_default();
            let tail = tail(file, size, thorough).map(|(tail, _)| tail);
            sound.ends = tail.and_then(|tail| flac(&head, &tail)).unwrap_or(Ends::Unknown);
        }
        Container::Wav => {
            let head = window(file, 0, 64).unwrap_or_default();
            sound.ends = wav(&head, size);
            sound.codecs = wav_codec(&head).map(|codec| vec![codec.to_owned()]);
        }
        _ => {}
    }
    sound
}

/// Of Matroska, by the length that its segment says (RFC 9559, 4.5).
pub(super) fn of_matroska(file: &mut (impl Read + Seek), size: u64) -> Ends {
    segment_end(&window(file, 0, 4096).unwrap_or_default())
        .map_or(Ends::Unknown, |end| if end > size { Ends::cut(size, end) } else { Ends::Whole })
}

/// Whether a file begins with nothing, as one does that somebody only made room for.
pub(super) fn begins_with_zeros(file: &mut (impl Read + Seek)) -> bool {
    window(file, 0, ZEROS).is_some_and(|head| !head.is_empty() && head.iter().all(|b| *b == 0))
}

/// Whether a file can be read, and holds something.
pub(super) fn has_bytes(file: &mut (impl Read + Seek)) -> bool {
    window(file, 0, ZEROS).is_some_and(|head| !head.is_empty())
}

fn tail(file: &mut (impl Read + Seek), size: u64, thorough: bool) -> Option<(Vec<u8>, u64)> {
    let at = size.saturating_sub(TAIL);
    // SourceConfig a window costs a request.
    if thorough { Some((window(file, at, TAIL)?, at)) } else { None }
}

/// Where the segment ends; nothing where it does not say.
fn segment_end(head: &[u8]) -> Option<u64> {
    let mut at = 4;
    let (length, bytes) = number(head.get(at..)?)?;
    at += bytes + usize::try_from(length?).ok()?;
    // Room between the header and the segment is rare, and never long.
    while head.get(at) == Some(&0xEC) {
        let (length, bytes) = number(head.get(at + 1..)?)?;
        at += 1 + bytes + usize::try_from(length?).ok()?;
    }
    let rest = head.get(at..)?.strip_prefix(&[0x18, 0x53, 0x80, 0x67])?;
    let (length, bytes) = number(rest)?;
    (u64::try_from(at).ok()? + 4 + u64::try_from(bytes).ok()?).checked_add(length?)
}

/// A number of EBML and its own length (RFC 8794, 4); all bits set say that it is not known.
fn number(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let length = usize::try_from(first.leading_zeros()).ok()? + 1;
    let value = bytes.get(..length.min(8))?;
    let value = value
        .iter()
        .skip(1)
        .fold(u64::from(first) & (0x7F >> (length - 1)), |sum, byte| sum << 8 | u64::from(*byte));
    let unknown = (1_u64 << (7 * length)) - 1;
    (length <= 8).then_some(((value != unknown).then_some(value), length))
}

/// By the length that RIFF says, unless it is one of those that stand for none.
fn wav(head: &[u8], size: u64) -> Ends {
    let told = head.get(4..8).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
    match told {
        Some(told @ 1..0x7FFF_0000) if head.starts_with(b"RIFF") => {
            let all = u64::from(told) + 8;
            // The byte that makes a length even is often forgotten.
            if all > size + 1 { Ends::cut(size, all) } else { Ends::Whole }
        }
        _ => Ends::Unknown,
    }
}

fn wav_codec(head: &[u8]) -> Option<&'static str> {
    let at = head.windows(4).position(|four| four == b"fmt ")? + 8;
    Some(match u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?) {
        0x0001 | 0x0003 | 0x0006 | 0x0007 | 0xFFFE => "pcm",
        0x0002 | 0x0011 => "adpcm",
        0x0050 => "mp4a.40.33",
        0x0055 => "mp3",
        0x00FF => "mp4a.40.2",
        0x2000 => "ac-3",
        0x2001 => "dts",
        _ => "wav",
    })
}

/// By the samples that the head says and the last frame that is there (RFC 9639, 8.2 and 9.1).
fn flac(head: &[u8], tail: &[u8]) -> Option<Ends> {
    let info = head.strip_prefix(b"fLaC")?.get(4..22)?;
    let largest = u64::from(u16::from_be_bytes(info.get(2..4)?.try_into().ok()?));
    let packed = u64::from_be_bytes(info.get(10..18)?.try_into().ok()?);
    let all = packed & 0xF_FFFF_FFFF;
    if all == 0 {
        return None;
    }
    let ends = (0..tail.len().saturating_sub(16)).filter_map(|at| flac_frame(&tail[at..], largest));
    let there = ends.filter(|end| *end <= all + largest).max()?;
    Some(if there >= all {
        Ends::Whole
    } else {
        Ends::Short(format!("it ends after {there} of {all} samples"))
    })
}

/// The sample behind a frame, if one begins here.
fn flac_frame(bytes: &[u8], largest: u64) -> Option<u64> {
    let [0xFF, second @ (0xF8 | 0xF9), sizes, channels, first, ..] = *bytes else { return None };
    let (block, rate) = (sizes >> 4, sizes & 15);
    if block == 0 || rate == 15 || channels >> 4 > 10 || channels & 1 != 0 {
        return None;
    }
    // The number is written as UTF-8 writes letters, up to 36 bits.
    let more = match first.leading_ones() {
        0 => 0,
        ones @ 2..=7 => ones as usize - 1,
        _ => return None,
    };
    let mut number = u64::from(first) & if more == 0 { 0x7F } else { 0x3F >> more };
    for byte in bytes.get(5..5 + more)? {
        number = number << 6 | u64::from(byte & 0x3F);
    }
    let mut at = 5 + more;
    let samples = match block {
        1 => 192,
        2..=5 => 576 << (block - 2),
        6 => {
            at += 1;
            u64::from(*bytes.get(at - 1)?) + 1
        }
        7 => {
            at += 2;
            u64::from(u16::from_be_bytes(bytes.get(at - 2..at)?.try_into().ok()?)) + 1
        }
        _ => 256 << (block - 8),
    };
    at += match rate {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    if crc8(bytes.get(..at)?) != *bytes.get(at)? {
        return None;
    }
    let begins = if second == 0xF9 { number } else { number * largest };
    Some(begins + samples)
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum: u8, _| sum << 1 ^ if sum & 0x80 != 0 { 7 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::{Ends, number, segment_end, wav};

    #[test]
    fn lengths_of_matroska() {
        assert_eq!(number(&[0x81]), Some((Some(1), 1)));
        assert_eq!(number(&[0x40, 0x02]), Some((Some(2), 2)));
        assert_eq!(number(&[0xFF]), Some((None, 1)));
        assert_eq!(number(&[1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), Some((None, 8)));
        assert_eq!(number(&[0]), None);
        let head = |size: &[u8]| {
            [&[0x1A, 0x45, 0xDF, 0xA3, 0x82, 0, 0, 0x18, 0x53, 0x80, 0x67], size].concat()
        };
        assert_eq!(segment_end(&head(&[0x84])), Some(16));
        assert_eq!(segment_end(&head(&[0xFF])), None);
        assert_eq!(segment_end(&[0x1A, 0x45]), None);
    }

    #[test]
    fn lengths_of_waves() {
        let ends =
            |told: u32, size| wav(&[b"RIFF", &told.to_le_bytes()[..], b"WAVE"].concat(), size);
        assert_eq!(ends(1000, 1008), Ends::Whole);
        assert_eq!(ends(1000, 1007), Ends::Whole);
        assert!(matches!(ends(1000, 600), Ends::Cut(_)));
        for endless in [0, 0x7FFF_FFFF, u32::MAX] {
            assert_eq!(ends(endless, 600), Ends::Unknown);
        }
    }
}
