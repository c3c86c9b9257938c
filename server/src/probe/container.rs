//! What a file is by its first bytes, whatever its name says.

use std::io::{Read, Seek, SeekFrom};

/// Bytes of the beginning that tell what a file is: three packets of a transport stream, whose first may
/// be cut.
const HEAD: u64 = 3 * 192 + 8;
/// A tag before the sound is skipped if it is not longer.
const TAG_MAX: u64 = 64 << 20;

/// What stands where somebody was asked to sign in first.
pub(crate) const WEB_PAGE: &str = "a web page";

/// What holds the streams of a media file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// ISO base media (MP4, M4A) and its forerunner QuickTime.
    Mp4,
    /// Matroska as browsers read it.
    Webm,
    /// Matroska of any other kind.
    Matroska,
    /// MPEG-2 transport stream (ISO/IEC 13818-1).
    TransportStream,
    /// Ogg (RFC 3533).
    Ogg,
    /// MPEG audio frames (ISO/IEC 11172-3), maybe behind a tag.
    Mpeg,
    /// AAC in ADTS frames.
    Adts,
    /// FLAC (RFC 9639).
    Flac,
    /// WAVE.
    Wav,
    /// Media in what no browser reads.
    Foreign(&'static str),
    /// No media at all.
    NoMedia(&'static str),
}

impl Container {
    /// Whatever it is, it is packed.
    pub(crate) const GZIP: Self = Self::NoMedia("packed with gzip");
    /// What neither its beginning nor a look inside tells.
    pub(super) const UNKNOWN: Self = Self::NoMedia("of no kind that anybody knows");

    /// What the name's extension says.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let extension = crate::hls::media_type::extension(name)?.to_ascii_lowercase();
        Some(match &*extension {
            "mp4" | "m4v" | "mov" | "m4a" | "m4s" | "init" | "cmfv" | "cmfa" => Self::Mp4,
            "webm" => Self::Webm,
            "ts" => Self::TransportStream,
            "ogg" | "opus" => Self::Ogg,
            "mp3" => Self::Mpeg,
            "aac" => Self::Adts,
            "flac" => Self::Flac,
            "wav" => Self::Wav,
            _ => return None,
        })
    }

    /// What the file's beginning says; nothing where it says nothing. The file is rewound.
    pub(super) fn of_file(file: &mut (impl Read + Seek)) -> Option<Self> {
        let mut head = Vec::new();
        file.rewind().ok()?;
        file.by_ref().take(HEAD).read_to_end(&mut head).ok()?;
        let mut found = of_head(&head);
        if let Some(length) = tag_length(&head).filter(|length| *length <= TAG_MAX) {
            let mut behind = Vec::new();
            file.seek(SeekFrom::Start(length)).ok()?;
            file.by_ref().take(HEAD).read_to_end(&mut behind).ok()?;
            // Some leave room between the tag and the sound.
            let sound = behind.iter().position(|byte| *byte != 0).map(|at| &behind[at..]);
            found = sound.and_then(of_head).filter(|found| !matches!(found, Self::NoMedia(_)));
        }
        file.rewind().ok()?;
        found
    }

    /// The media type of a file of it.
    pub(crate) fn media_type(self) -> Option<&'static str> {
        match self {
            Self::Mp4 => Some("video/mp4"),
            Self::Webm => Some("video/webm"),
            Self::Matroska => Some("video/x-matroska"),
            Self::TransportStream => Some("video/mp2t"),
            Self::Ogg => Some("audio/ogg"),
            Self::Mpeg => Some("audio/mpeg"),
            Self::Adts => Some("audio/aac"),
            Self::Flac => Some("audio/flac"),
            Self::Wav => Some("audio/wav"),
            Self::Foreign(_) => Some(crate::hls::media_type::OTHER),
            Self::NoMedia(_) => None,
        }
    }

    /// As people call it, with its article.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Mp4 => "MP4",
            Self::Webm => "WebM",
            Self::Matroska => "Matroska",
            Self::TransportStream => "an MPEG transport stream",
            Self::Ogg => "Ogg",
            Self::Mpeg => "MP3",
            Self::Adts => "AAC",
            Self::Flac => "FLAC",
            Self::Wav => "WAV",
            Self::Foreign(label) | Self::NoMedia(label) => label,
        }
    }

    /// What people call it in every language, where hardly a browser reads it.
    pub(crate) fn format(self) -> Option<&'static str> {
        match self {
            Self::Matroska => Some("Matroska"),
            Self::TransportStream => Some("MPEG-TS"),
            Self::Foreign("an M2TS stream") => Some("M2TS"),
            Self::Foreign("an MPEG program stream") => Some("MPEG-PS"),
            Self::Foreign("raw MPEG video") => Some("MPEG"),
            Self::Foreign("raw video") => None,
            Self::Foreign("Flash video") => Some("FLV"),
            Self::Foreign("Dolby sound") => Some("Dolby"),
            Self::Foreign(label) => Some(label),
            _ => None,
        }
    }

    /// The extension by which browsers and people know it, where there is one that is a channel.
    pub(crate) fn extension(self) -> Option<&'static str> {
        match self {
            Self::Mp4 => Some("mp4"),
            Self::Webm => Some("webm"),
            Self::Ogg => Some("ogg"),
            Self::Mpeg => Some("mp3"),
            Self::Adts => Some("aac"),
            Self::Flac => Some("flac"),
            Self::Wav => Some("wav"),
            _ => None,
        }
    }
}

/// The length of an ID3v2 tag at the beginning, in bytes with its header.
pub(super) fn tag_length(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = *head else { return None };
    let size = [a, b, c, d].iter().fold(0_u64, |size, byte| size << 7 | u64::from(byte & 0x7F));
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + size + footer)
}

/// A transport stream that was cut anywhere begins in the middle of a packet.
fn of_head(head: &[u8]) -> Option<Container> {
    of_magic(head).or_else(|| {
        if packet_start(head, 188).is_some() {
            Some(Container::TransportStream)
        } else {
            packet_start(head, 192).map(|_| Container::Foreign("an M2TS stream"))
        }
    })
}

/// Where the first whole packet of a transport stream begins, by three that follow each other.
pub(super) fn packet_start(head: &[u8], packet: usize) -> Option<usize> {
    let is_sync = |at: usize| head.get(at) == Some(&0x47);
    (0..packet).find(|at| (0..3).all(|n| is_sync(at + n * packet)))
}

fn of_magic(head: &[u8]) -> Option<Container> {
    use Container::{Adts, Flac, Foreign, Mp4, Mpeg, NoMedia, Ogg, TransportStream, Wav};
    let at = |at: usize| head.get(at).copied();
    let synced = |from: usize, packet: usize| {
        at(from) == Some(0x47)
            && at(from + packet).is_none_or(|byte| byte == 0x47)
            && at(from + 2 * packet).is_none_or(|byte| byte == 0x47)
    };
    let found = match head {
        [] => return None,
        [0x1A, 0x45, 0xDF, 0xA3, ..] => return Some(ebml(head)),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4) {
            Some(b"avif" | b"avis" | b"heic" | b"heix" | b"mif1" | b"msf1") => NoMedia("a picture"),
            _ => Mp4,
        },
        [_, _, _, _, kind @ ..]
            if [
                b"styp", b"moov", b"moof", b"sidx", b"wide", b"mdat", b"free", b"skip", b"pnot",
            ]
            .iter()
            .any(|known| kind.starts_with(*known)) =>
        {
            Mp4
        }
        [b'O', b'g', b'g', b'S', ..] => Ogg,
        [b'f', b'L', b'a', b'C', ..] => Flac,
        [b'R', b'I', b'F', b'F', _, _, _, _, form @ ..]
        | [b'R', b'F', b'6', b'4', _, _, _, _, form @ ..] => match form.get(..4) {
            Some(b"WAVE") => Wav,
            Some(b"AVI ") => Foreign("AVI"),
            Some(b"WEBP") => NoMedia("a picture"),
            _ => Foreign("RIFF"),
        },
        [0x30, 0x26, 0xB2, 0x75, ..] => Foreign("Windows Media (ASF)"),
        [b'F', b'L', b'V', 1, ..] => Foreign("Flash video"),
        [b'.', b'R', b'M', b'F', ..] => Foreign("RealMedia"),
        [0, 0, 1, 0xBA, ..] => Foreign("an MPEG program stream"),
        [0, 0, 1, 0xB3, ..] => Foreign("raw MPEG video"),
        [0, 0, 0, 1, ..] | [0, 0, 1, 0x67, ..] => Foreign("raw video"),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', ..] => Foreign("AIFF"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Foreign("AMR"),
        [b'c', b'a', b'f', b'f', ..] => Foreign("Core Audio"),
        [b'w', b'v', b'p', b'k', ..] => Foreign("WavPack"),
        [b'M', b'A', b'C', b' ', ..] => Foreign("Monkey's Audio"),
        [b'T', b'T', b'A', b'1', ..] => Foreign("TTA"),
        [b'M', b'P', b'C', b'K', ..] | [b'M', b'P', b'+', ..] => Foreign("Musepack"),
        [b'D', b'S', b'D', b' ', ..] => Foreign("DSD"),
        [b'.', b's', b'n', b'd', ..] => Foreign("AU"),
        [b'A', b'D', b'I', b'F', ..] => Foreign("AAC in ADIF"),
        [0x0B, 0x77, ..] => Foreign("Dolby sound"),
        [0x7F, 0xFE, 0x80, 0x01, ..] => Foreign("DTS"),
        [0x06, 0x0E, 0x2B, 0x34, ..] => Foreign("MXF"),
        [0xFF, 0xD8, 0xFF, ..] | [0x89, b'P', b'N', b'G', ..] | [b'G', b'I', b'F', b'8', ..] => {
            NoMedia("a picture")
        }
        [b'P', b'K', 3, 4, ..] => NoMedia("a ZIP archive"),
        [0x1F, 0x8B, ..] => Container::GZIP,
        [b'R', b'a', b'r', b'!', ..] => NoMedia("a RAR archive"),
        [b'%', b'P', b'D', b'F', ..] => NoMedia("a PDF"),
        [0x47, ..] if synced(0, 188) => TransportStream,
        [_, _, _, _, 0x47, ..] if head.len() > 196 && synced(4, 192) => Foreign("an M2TS stream"),
        [0xFF, second, third, ..] if second & 0xE0 == 0xE0 => match second & 6 {
            0 if second & 0xF0 == 0xF0 => Adts,
            0 => return None,
            // A bit rate or a sampling rate that is forbidden makes it something else.
            _ if third & 0xF0 == 0xF0 || third & 0x0C == 0x0C => return None,
            _ => Mpeg,
        },
        [0x56, second, ..] if second & 0xE0 == 0xE0 => Foreign("AAC in LOAS"),
        _ if head.starts_with(b"#EXTM3U") => NoMedia("a playlist"),
        _ => return text(head),
    };
    Some(found)
}

/// By the document type of the EBML header (RFC 8794, 11.2.7).
fn ebml(head: &[u8]) -> Container {
    let kind = head.windows(3).position(|three| three[..2] == [0x42, 0x82]).and_then(|at| {
        let length = usize::from(head[at + 2] & 0x7F);
        head.get(at + 3..at + 3 + length)
    });
    if kind.is_some_and(|kind| kind.starts_with(b"webm")) {
        Container::Webm
    } else {
        Container::Matroska
    }
}

fn text(head: &[u8]) -> Option<Container> {
    // The last letter may be cut.
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let start = valid.trim_start_matches('\u{FEFF}').trim_start().to_ascii_lowercase();
    if start.is_empty() || start.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let is_page = ["<!doctype", "<html", "<?xml", "<head", "<body"];
    let is_page = is_page.iter().any(|begin| start.starts_with(begin));
    Some(Container::NoMedia(if is_page { WEB_PAGE } else { "text" }))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::Container;

    fn of(bytes: &[u8]) -> Option<Container> {
        Container::of_file(&mut Cursor::new(bytes))
    }

    #[test]
    fn what_is_told_by_its_beginning() {
        let packets = |size: usize, before: usize| {
            let mut packet = vec![0; size];
            packet[before] = 0x47;
            packet.repeat(4)
        };
        let tagged = |sound: &[u8]| [b"ID3\x03\0\0\0\0\0\x0A0123456789\0\0", sound].concat();
        for (bytes, label) in [
            (b"\0\0\0\x18ftypisom".to_vec(), "MP4"),
            (b"\0\0\0\x18ftypavif".to_vec(), "a picture"),
            (b"\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm".to_vec(), "WebM"),
            (b"\x1A\x45\xDF\xA3\x9F\x42\x82\x88matroska".to_vec(), "Matroska"),
            (packets(188, 0), "an MPEG transport stream"),
            (packets(192, 4), "an M2TS stream"),
            (packets(188, 0)[100..].to_vec(), "an MPEG transport stream"),
            ([&[0xFF; 60], &packets(188, 0)[..]].concat(), "an MPEG transport stream"),
            (packets(192, 4)[100..].to_vec(), "an M2TS stream"),
            (b"\xFF\xFB\x90\x64".to_vec(), "MP3"),
            (b"\xFF\xF1\x50\x80".to_vec(), "AAC"),
            (tagged(b"\xFF\xFB\x90\x64"), "MP3"),
            (tagged(b"\xFF\xF1\x50\x80"), "AAC"),
            (tagged(b"fLaC\0"), "FLAC"),
            (b"RIFF\0\0\0\0AVI LIST".to_vec(), "AVI"),
            (b"RIFF\0\0\0\0WAVEfmt ".to_vec(), "WAV"),
            (b"<!DOCTYPE html><title>404</title>".to_vec(), "a web page"),
            (b"not really media".to_vec(), "text"),
            ("Señal".as_bytes()[..4].to_vec(), "text"),
            (b"PK\x03\x04zip".to_vec(), "a ZIP archive"),
        ] {
            assert_eq!(of(&bytes).map(Container::label), Some(label), "{bytes:?}");
        }
        for unknown in [&b""[..], &[0; 600], b"\xFF\xFF\xFF\xFF", &tagged(b"")] {
            assert_eq!(of(unknown), None, "{unknown:?}");
        }
    }
}
