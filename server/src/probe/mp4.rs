//! MP4, MOV and fragmented MP4 (ISO/IEC 14496-12): only the `moov` box is read.
//!
//! Own reading instead of a crate: the boxes wanted are few, files come from anywhere, and here no
//! length inside a file decides how much memory is taken.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Ends, Probe, Track, codec::is_still};

/// The largest `moov` that is read: hours of video stay below a third of it.
const MAX_MOOV: u64 = 32 << 20;
/// The most boxes looked at beside each other.
const MAX_BOXES: usize = 4096;

/// The most boxes behind the `moov` that are looked at where each may cost a request.
const FEW_BOXES: usize = 3;
/// Pictures that come no oftener than this are a cover or those of chapters, a second.
const SLOW: f64 = 2.0;

/// Reads the `moov` box of a file of `size` bytes, and looks whether all boxes are there. `thorough`:
/// many places of it may be read.
pub(super) fn read(
    file: &mut (impl Read + Seek),
    size: u64,
    thorough: bool,
) -> (Option<Probe>, Ends) {
    let (mut probe, mut is_known, mut has_data, mut left) = (None, false, false, MAX_BOXES);
    let mut at = 0;
    while left > 0 {
        left -= 1;
        let found = match head(file, at, size) {
            Ok(Some(found)) => found,
            Ok(None) => break,
            // What cannot be read says nothing of what is missing.
            Err(_) => return (probe, Ends::Unknown),
        };
        // What makes no sense behind the last box is no box, and neither is a tag that some program hung
        // on behind index and media.
        let is_text = || found.kind.iter().all(|byte| (b' '..=b'~').contains(byte));
        if is_known && !(if has_data { is_top(&found.kind) } else { is_text() }) {
            break;
        }
        if found.end > size {
            return (probe, Ends::cut(size, found.end));
        }
        has_data |= &found.kind == b"mdat";
        if &found.kind == b"moov" {
            is_known = true;
            left = if thorough { left } else { FEW_BOXES };
            let body = found.end - found.body;
            let mut moov = Vec::new();
            if body <= MAX_MOOV
                && file.seek(SeekFrom::Start(found.body)).is_ok()
                && file.take(body).read_to_end(&mut moov).is_ok()
            {
                probe = movie(&moov);
            }
        }
        at = found.end;
    }
    let ends = match is_known {
        true if at + 16 > size && has_data => Ends::Whole,
        true if at + 16 > size => Ends::Cut("its media (mdat) is missing".into()),
        true => Ends::Unknown,
        false if left == 0 => Ends::Unknown,
        false => Ends::Cut("its index (moov) is missing".into()),
    };
    (probe, ends)
}

/// Where a segment of MP4 would end whose last box is not all there; nothing of one that is whole, or of
/// another kind of file.
pub(crate) fn cut_segment(file: &mut (impl Read + Seek), size: u64) -> Option<u64> {
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let found = head(file, at, size).ok()??;
        if !is_top(&found.kind) {
            return None;
        }
        if found.end > size {
            return Some(found.end);
        }
        at = found.end;
    }
    None
}

/// Whether a box of this name stands at the top of files.
fn is_top(kind: &[u8; 4]) -> bool {
    const TOP: [&[u8; 4]; 20] = [
        b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"free", b"skip", b"wide", b"junk",
        b"pnot", b"pict", b"uuid", b"meta", b"udta", b"sidx", b"ssix", b"emsg", b"prft", b"pdin",
    ];
    TOP.contains(&kind)
}

struct Head {
    kind: [u8; 4],
    body: u64,
    end: u64,
}

/// The head of the box at `at`; `None` behind the last.
fn head(file: &mut (impl Read + Seek), at: u64, size: u64) -> io::Result<Option<Head>> {
    let mut head = [0; 16];
    if size.saturating_sub(at) < 16 {
        // The smallest box that says anything is longer; a `free` of eight bytes is no loss.
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut head)?;
    let [a, b, c, d, kind @ ..] = head;
    let (length, header) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (size - at, 8),
        1 => (be64(&head, 8).unwrap_or(0), 16),
        length => (u64::from(length), 8),
    };
    let end = at.saturating_add(length.max(header));
    Ok(Some(Head { kind: [kind[0], kind[1], kind[2], kind[3]], body: at + header, end }))
}

fn movie(moov: &[u8]) -> Option<Probe> {
    let header = child(moov, b"mvhd")?;
    let (timescale, duration) = match header.first()? {
        1 => (be32(header, 20)?, be64(header, 24)?),
        _ => (be32(header, 12)?, u64::from(be32(header, 16)?)),
    };
    let fragments = child(moov, b"mvex").and_then(|mvex| child(mvex, b"mehd")).and_then(|mehd| {
        if mehd.first()? == &1 { be64(mehd, 4) } else { be32(mehd, 4).map(u64::from) }
    });
    let duration = fragments.unwrap_or(duration);
    let all = || boxes(moov).filter(|(kind, _)| *kind == b"trak").map(|(_, track)| track);
    let chapters: Vec<u32> = all().flat_map(chapters).collect();
    let tracks: Vec<Track> = all().filter_map(|trak| track(trak, &chapters)).collect();
    let mut probe = Probe::of_tracks(&tracks)?;
    if timescale > 0 && duration > 0 && duration != u64::from(u32::MAX) {
        probe.duration_s = Some(seconds(duration, timescale));
    }
    Some(probe)
}

/// The tracks that a track names as those of its chapters.
fn chapters(trak: &[u8]) -> Vec<u32> {
    let named = child(trak, b"tref").and_then(|tref| child(tref, b"chap"));
    let named = named.unwrap_or_default().chunks_exact(4);
    named.filter_map(|id| be32(id, 0)).collect()
}

fn track(trak: &[u8], chapters: &[u32]) -> Option<Track> {
    let media = child(trak, b"mdia")?;
    let picture = match child(media, b"hdlr")?.get(8..12)? {
        b"vide" => true,
        b"soun" => false,
        _ => return None,
    };
    let table = child(child(media, b"minf")?, b"stbl")?;
    let (format, entry) = boxes(child(table, b"stsd")?.get(8..)?).next()?;
    if !picture {
        let codec = audio_codec(format, entry)?;
        return Some(Track { picture, codec, size: None, still: false });
    }
    // What cannot be told is a picture all the same.
    let codec = entry.get(78..).and_then(|boxes| video_codec(format, boxes)).unwrap_or_default();
    let still = is_still(&codec) && {
        let header = child(trak, b"tkhd")?;
        let (flags, wide) = (be32(header, 0)?, header.first()? == &1);
        let id = be32(header, if wide { 20 } else { 12 })?;
        flags & 1 == 0 || chapters.contains(&id) || is_slow(media, table)
    };
    Some(Track { picture, codec, size: size(trak, entry), still })
}

/// Whether there are so few pictures that nobody would watch them as a film.
fn is_slow(media: &[u8], table: &[u8]) -> bool {
    let told = || {
        let header = child(media, b"mdhd")?;
        let (timescale, duration) = match header.first()? {
            1 => (be32(header, 20)?, be64(header, 24)?),
            _ => (be32(header, 12)?, u64::from(be32(header, 16)?)),
        };
        let times = child(table, b"stts")?.get(8..)?;
        let pictures: f64 = times.chunks_exact(8).filter_map(|e| be32(e, 0)).map(f64::from).sum();
        Some((pictures, seconds(duration, timescale.max(1))))
    };
    told().is_some_and(|(pictures, length)| pictures <= 1.0 || pictures <= SLOW * length)
}

/// The size as shown: the track header's, turned if its matrix turns by a quarter.
fn size(trak: &[u8], entry: &[u8]) -> Option<(u32, u32)> {
    let header = child(trak, b"tkhd")?;
    let at = if header.first()? == &1 { 52 } else { 40 };
    let matrix = |n: usize| be32(header, at + 4 * n);
    let (mut width, mut height) = (be32(header, at + 36)? >> 16, be32(header, at + 40)? >> 16);
    if width == 0 || height == 0 {
        width = u32::from(be16(entry, 24)?);
        height = u32::from(be16(entry, 26)?);
    }
    let turned = matrix(0)? == 0 && matrix(4)? == 0 && matrix(1)? != 0;
    (width > 0 && height > 0).then_some(if turned { (height, width) } else { (width, height) })
}

fn video_codec(format: &[u8], boxes: &[u8]) -> Option<String> {
    match format {
        b"avc1" | b"avc3" => {
            let avc = child(boxes, b"avcC")?;
            let (profile, flags, level) = (avc.get(1)?, avc.get(2)?, avc.get(3)?);
            Some(format!("avc1.{profile:02x}{flags:02x}{level:02x}"))
        }
        b"hvc1" | b"hev1" => hevc_codec(format, child(boxes, b"hvcC")?),
        b"mp4v" => {
            let told = child(boxes, b"esds").and_then(|esds| object_type(esds.get(4..)?));
            Some(told.map_or("mp4v".into(), |object| format!("mp4v.{object:02x}")))
        }
        b"vp08" => Some("vp8".into()),
        b"vp09" => {
            let vp = child(boxes, b"vpcC")?;
            let (profile, level, depth) = (vp.get(4)?, vp.get(5)?, vp.get(6)? >> 4);
            Some(format!("vp09.{profile:02}.{level:02}.{depth:02}"))
        }
        b"av01" => {
            let av1 = child(boxes, b"av1C")?;
            let (first, second) = (*av1.get(1)?, *av1.get(2)?);
            let tier = if second & 0x80 == 0 { 'M' } else { 'H' };
            let depth = match (second & 0x40 != 0, second & 0x20 != 0) {
                (false, _) => 8,
                (true, false) => 10,
                (true, true) => 12,
            };
            Some(format!("av01.{}.{:02}{tier}.{depth:02}", first >> 5, first & 31))
        }
        _ => four_letters(format),
    }
}

/// ISO/IEC 14496-15 annex E.
fn hevc_codec(format: &[u8], hvc: &[u8]) -> Option<String> {
    let first = *hvc.get(1)?;
    let space = ["", "A", "B", "C"][usize::from(first >> 6)];
    let tier = if first & 0x20 == 0 { 'L' } else { 'H' };
    let compatibility = be32(hvc, 2)?.reverse_bits();
    let mut codec = format!(
        "{}.{space}{}.{compatibility:X}.{tier}{}",
        four_letters(format)?,
        first & 31,
        hvc.get(12)?
    );
    let constraints = hvc.get(6..12)?;
    let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..used] {
        codec.push_str(&format!(".{byte:X}"));
    }
    Some(codec)
}

fn audio_codec(format: &[u8], entry: &[u8]) -> Option<String> {
    match format {
        b"mp4a" => {
            // QuickTime's versions of the sample entry are longer, and wrap the descriptor.
            let children = match be16(entry, 8)? {
                1 => entry.get(44..)?,
                2 => entry.get(64..)?,
                _ => entry.get(28..)?,
            };
            let esds = child(children, b"esds")
                .or_else(|| child(child(children, b"wave")?, b"esds"))
                .or_else(|| child(entry.get(28..)?, b"esds"));
            Some(esds.and_then(|esds| esds_codec(esds.get(4..)?)).unwrap_or("mp4a.40.2".into()))
        }
        b"Opus" => Some("opus".into()),
        b"fLaC" => Some("flac".into()),
        b".mp3" => Some("mp3".into()),
        b"sowt" | b"twos" | b"lpcm" | b"ipcm" => Some("pcm".into()),
        _ => four_letters(format),
    }
}

/// What an elementary stream is, by ISO/IEC 14496-1 §7.2.6.6.
fn object_type(bytes: &[u8]) -> Option<u8> {
    decoder_config(bytes)?.first().copied()
}

/// The elementary stream descriptor of ISO/IEC 14496-1 §7.2.6.
fn decoder_config(bytes: &[u8]) -> Option<&[u8]> {
    let (stream, _) = descriptor(bytes, 3)?;
    let flags = *stream.get(2)?;
    let mut at = 3;
    at += if flags & 0x80 != 0 { 2 } else { 0 };
    at += if flags & 0x40 != 0 { 1 + usize::from(*stream.get(at)?) } else { 0 };
    at += if flags & 0x20 != 0 { 2 } else { 0 };
    Some(descriptor(stream.get(at..)?, 4)?.0)
}

fn esds_codec(bytes: &[u8]) -> Option<String> {
    let config = decoder_config(bytes)?;
    match config.first()? {
        0x40 => {
            let object = descriptor(config.get(13..)?, 5).and_then(|(specific, _)| {
                let first = specific.first()? >> 3;
                let extended = || Some(32 + ((be16(specific, 0)? >> 5) & 63));
                if first == 31 { extended() } else { Some(u16::from(first)) }
            });
            Some(format!("mp4a.40.{}", object.unwrap_or(2)))
        }
        0x69 | 0x6B => Some("mp3".into()),
        other => Some(format!("mp4a.{other:x}")),
    }
}

fn descriptor(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if *bytes.first()? != tag {
        return None;
    }
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = *bytes.get(at)?;
        length = length << 7 | usize::from(byte & 0x7F);
        at += 1;
        if byte & 0x80 == 0 || at > 4 {
            break;
        }
    }
    // A length that runs out of the box is cut, as players do.
    let end = at.saturating_add(length).min(bytes.len());
    Some((bytes.get(at..end)?, bytes.get(end..)?))
}

fn four_letters(format: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(format).ok()?.trim();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (plain && !text.is_empty()).then(|| text.to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "a length in seconds needs no 53 bits")]
fn seconds(duration: u64, timescale: u32) -> f64 {
    duration as f64 / f64::from(timescale)
}

fn child<'a>(bytes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(kind, _)| kind == wanted).map(|(_, body)| body)
}

/// The boxes beside each other in `bytes`; ends where one is cut or makes no sense.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let kind = bytes.get(4..8)?;
        let (length, header) = match be32(bytes, 0)? {
            0 => (bytes.len(), 8),
            1 => (usize::try_from(be64(bytes, 8)?).ok()?, 16),
            length => (usize::try_from(length).ok()?, 8),
        };
        let body = bytes.get(header..length)?;
        bytes = &bytes[length..];
        Some((kind, body))
    })
    .take(MAX_BOXES)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
