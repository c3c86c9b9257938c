//! Sound that is frames and nothing else, MPEG (ISO/IEC 11172-3) and AAC in ADTS (ISO/IEC 14496-3
//! 1.A.2): how long it is, and whether its last frame is whole. Where no header of the file tells the
//! length, the frames themselves are measured.

use std::io::{Read, Seek, SeekFrom};

use super::{Ends, container::tag_length};

/// A file up to this long is measured whole, in bytes,
const WHOLE_MAX: u64 = 4 << 20;
/// of a longer one so many windows, spread over it,
const WINDOWS: u64 = 32;
/// each so long, in bytes.
const WINDOW: u64 = 16 << 10;
/// Frames stand so far behind the tag at most.
const JUNK_MAX: u64 = 64 << 10;
/// By so much a header and its file may differ: tags that were added or taken away.
const LEEWAY: u64 = 2 << 10;
/// A rest at the end that is shorter than a header, in bytes.
const REST: usize = 7;

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// In bytes, with its header.
    length: usize,
    /// Of each channel.
    samples: u32,
    /// Samples a second.
    rate: u32,
    /// Of MPEG sound, from 1 to 3; 0 in AAC.
    pub(super) layer: u8,
}

/// What the frames of a file tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) ends: Ends,
    /// Only where no header of the file tells it.
    pub(super) duration_s: Option<f64>,
    pub(super) layer: u8,
}

/// A header of MPEG sound.
pub(super) fn mpeg(head: &[u8]) -> Option<Frame> {
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    const KBITS: [[u32; 15]; 5] = [
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let [0xFF, second, third, _, ..] = *head else { return None };
    if second & 0xE0 != 0xE0 {
        return None;
    }
    let version = second >> 3 & 3;
    let layer = 4 - (second >> 1 & 3);
    let (table, slower) = match (version, layer) {
        (1, _) | (_, 4) => return None,
        (3, layer) => (usize::from(layer) - 1, 0),
        (version, 1) => (3, 2 - u32::from(version / 2)),
        (version, _) => (4, 2 - u32::from(version / 2)),
    };
    let kbits = *KBITS[table].get(usize::from(third >> 4))?;
    let rate = *RATES.get(usize::from(third >> 2 & 3))? >> slower;
    let padding = u32::from(third >> 1 & 1);
    let samples = match (layer, slower) {
        (1, _) => 384,
        (3, 1..) => 576,
        _ => 1152,
    };
    // A rate that is told nowhere tells no length either.
    let length = match layer {
        _ if kbits == 0 => return None,
        1 => (12_000 * kbits / rate + padding) * 4,
        _ => samples / 8 * 1000 * kbits / rate + padding,
    };
    Some(Frame { length: usize::try_from(length).ok()?, samples, rate, layer })
}

/// A header of ADTS.
pub(super) fn adts(head: &[u8]) -> Option<Frame> {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    let [0xFF, second, third, a, b, c, d, ..] = *head else { return None };
    if second & 0xF6 != 0xF0 {
        return None;
    }
    let rate = *RATES.get(usize::from(third >> 2 & 15))?;
    let length = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c >> 5);
    (length >= 7).then(|| Frame { length, samples: 1024 * u32::from((d & 3) + 1), rate, layer: 0 })
}

/// Measures a file of `size` bytes by `header`. `thorough`: many places of it may be read.
pub(super) fn measure(
    file: &mut (impl Read + Seek),
    size: u64,
    header: fn(&[u8]) -> Option<Frame>,
    thorough: bool,
) -> Option<Measured> {
    let head = window(file, 0, 16)?;
    let tag = tag_length(&head).unwrap_or(0);
    let begin = window(file, tag, JUNK_MAX)?;
    let first = (0..begin.len()).find(|at| is_frame(&begin[*at..], header))?;
    let layer = header(&begin[first..])?.layer;
    let start = tag + u64::try_from(first).ok()?;
    let end = size - behind(file, size)?;
    if let Some(told) = told(&begin[first..]) {
        let there = end.saturating_sub(start);
        let short = told > there.saturating_add(LEEWAY);
        let ends = if short { Ends::short(there, told) } else { Ends::Whole };
        return Some(Measured { ends, duration_s: None, layer });
    }
    if !thorough {
        return Some(Measured { ends: Ends::Unknown, duration_s: None, layer });
    }
    let length = end.checked_sub(start).filter(|length| *length > 0)?;
    let (mut seconds, mut framed) = (0.0, 0_usize);
    if length <= WHOLE_MAX {
        let walked = walk(&window(file, start, length)?, header);
        (seconds, framed) = (walked.seconds, walked.framed);
    } else {
        for n in 0..WINDOWS {
            let at = start + (length - WINDOW) / (WINDOWS - 1) * n;
            let walked = walk(&window(file, at, WINDOW)?, header);
            seconds += walked.seconds;
            framed += walked.framed;
        }
    }
    let last = end.saturating_sub(WINDOW).max(start);
    let walked = walk(&window(file, last, end - last)?, header);
    let is_cut = walked.end.is_some_and(|at| last + at as u64 > end);
    #[expect(clippy::cast_precision_loss, reason = "lengths of files are below 2^53")]
    let duration_s = (framed > 0).then(|| seconds * length as f64 / framed as f64);
    let ends = if is_cut { Ends::Short("its last frame is cut".into()) } else { Ends::Unknown };
    Some(Measured { ends, duration_s, layer })
}

struct Walked {
    seconds: f64,
    /// Bytes of frames.
    framed: usize,
    /// Where the last frame ends, which may be behind the bytes.
    end: Option<usize>,
}

fn walk(bytes: &[u8], header: fn(&[u8]) -> Option<Frame>) -> Walked {
    let mut walked = Walked { seconds: 0.0, framed: 0, end: None };
    let mut at = 0;
    while at < bytes.len() {
        let follows = walked.end == Some(at);
        let frame = header(&bytes[at..]).filter(|_| follows || is_frame(&bytes[at..], header));
        let Some(frame) = frame else {
            if follows && bytes[at] == 0xFF && bytes.len() - at < REST {
                // Not even its header is whole.
                walked.end = Some(bytes.len() + 1);
                break;
            }
            at += 1;
            continue;
        };
        walked.seconds += f64::from(frame.samples) / f64::from(frame.rate);
        walked.framed += frame.length;
        at += frame.length;
        walked.end = Some(at);
    }
    // What does not end in a frame tells nothing of its end.
    walked.end = walked.end.filter(|end| *end >= bytes.len());
    walked
}

/// Whether a frame begins here: two more stand behind it.
fn is_frame(bytes: &[u8], header: fn(&[u8]) -> Option<Frame>) -> bool {
    let next = |at: usize| header(bytes.get(at..)?).map(|frame| at + frame.length);
    next(0).and_then(next).and_then(next).is_some()
}

/// What the header of a file of varying bit rate tells: the bytes of all frames.
fn told(first: &[u8]) -> Option<u64> {
    let head = first.get(..first.len().min(256))?;
    let be32 = |at: usize| {
        let bytes = head.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(bytes)))
    };
    let find = |tag: &[u8; 4]| head.windows(4).position(|four| four == tag);
    if let Some(at) = find(b"Xing").or_else(|| find(b"Info")) {
        let flags = be32(at + 4)?;
        // Without them there is nothing to compare, and the length is told all the same.
        return Some(if flags & 2 != 0 { be32(at + 8 + 4 * (flags & 1) as usize)? } else { 0 });
    }
    be32(find(b"VBRI")? + 10)
}

/// Bytes of tags at the end: ID3v1 and APE.
fn behind(file: &mut (impl Read + Seek), size: u64) -> Option<u64> {
    let mut bytes = 0;
    if size > 128 && window(file, size - 128, 3)? == b"TAG" {
        bytes = 128;
    }
    if size > bytes + 32 {
        let foot = window(file, size - bytes - 32, 32)?;
        if foot.starts_with(b"APETAGEX") {
            let length = u32::from_le_bytes(foot.get(12..16)?.try_into().ok()?);
            let header = if foot.get(23)? & 0x80 != 0 { 32 } else { 0 };
            bytes = (bytes + u64::from(length) + header).min(size);
        }
    }
    Some(bytes)
}

/// Up to `length` bytes from `at` on.
pub(super) fn window(file: &mut (impl Read + Seek), at: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at)).ok()?;
    file.by_ref().take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Ends, Frame, adts, measure, mpeg};

    /// A frame of MPEG-1 layer III at 44,100 samples a second.
    fn frame(kbits: u32) -> Vec<u8> {
        let index = [(32, 1), (64, 5), (128, 9), (320, 14)];
        let (_, index) = index.into_iter().find(|(of, _)| *of == kbits).expect("a rate");
        let mut frame = vec![0; usize::try_from(144_000 * kbits / 44_100).expect("small")];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, index << 4, 0x64]);
        frame
    }

    fn varying(frames: usize) -> Vec<u8> {
        (0..frames).flat_map(|n| frame([32, 64, 128, 320][(n / 7) % 4])).collect()
    }

    #[test]
    fn headers() {
        let found = |bytes: [u8; 4]| mpeg(&bytes).map(|f| (f.length, f.samples, f.rate, f.layer));
        assert_eq!(found([0xFF, 0xFB, 0x90, 0x64]), Some((417, 1152, 44_100, 3)));
        assert_eq!(found([0xFF, 0xF3, 0x80, 0xC4]), Some((208, 576, 22_050, 3)));
        assert_eq!(found([0xFF, 0xFD, 0xA4, 0x04]), Some((576, 1152, 48_000, 2)));
        assert_eq!(found([0xFF, 0xE3, 0x40, 0xC4]), Some((208, 576, 11_025, 3)));
        for none in [[0xFF, 0xFB, 0xF0, 0], [0xFF, 0xFB, 0x9C, 0], [0xFF, 0xEB, 0x90, 0], [0; 4]] {
            assert_eq!(found(none), None, "{none:?}");
        }
        let aac = adts(&[0xFF, 0xF1, 0x50, 0x80, 0x2F, 0x9F, 0xFC]);
        assert_eq!(aac, Some(Frame { length: 380, samples: 1024, rate: 44_100, layer: 0 }));
    }

    #[test]
    fn a_varying_rate_without_a_header_is_measured_by_its_frames() {
        for frames in [400, 30_000] {
            let bytes = varying(frames);
            let told = measure(&mut Cursor::new(&bytes), bytes.len() as u64, mpeg, true);
            let seconds = told.and_then(|told| told.duration_s).expect("a length");
            let right = 1152.0 * frames as f64 / 44_100.0;
            assert!((seconds / right - 1.0).abs() < 0.05, "{seconds} s of {right}");
        }
    }

    #[test]
    fn the_last_frame_may_be_cut() {
        let bytes = varying(300);
        let ends = |bytes: &[u8]| {
            measure(&mut Cursor::new(bytes), bytes.len() as u64, mpeg, true).map(|told| told.ends)
        };
        assert_eq!(ends(&bytes), Some(Ends::Unknown));
        let whole: usize = (0..200).map(|n| frame([32, 64, 128, 320][(n / 7) % 4]).len()).sum();
        for more in [1, 3, 50] {
            assert!(matches!(ends(&bytes[..whole + more]), Some(Ends::Short(_))), "{more} bytes");
        }
        // A tag behind the last frame is no cut.
        let tagged = [&bytes[..], b"TAG", &[b' '; 125]].concat();
        assert_eq!(ends(&tagged), Some(Ends::Unknown));
    }

    #[test]
    fn a_header_tells_how_many_bytes_there_are() {
        let mut first = frame(128);
        first[36..48].copy_from_slice(b"Xing\0\0\0\x03\0\0\0\x64");
        let all = u32::try_from(first.len() + varying(300).len()).expect("small");
        first[48..52].copy_from_slice(&all.to_be_bytes());
        let bytes = [first, varying(300)].concat();
        let ends = |bytes: &[u8]| {
            measure(&mut Cursor::new(bytes), bytes.len() as u64, mpeg, false).map(|told| told.ends)
        };
        assert_eq!(ends(&bytes), Some(Ends::Whole));
        assert!(matches!(ends(&bytes[..bytes.len() / 2]), Some(Ends::Short(_))));
    }
}
