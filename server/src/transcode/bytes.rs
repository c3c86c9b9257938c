//! Whether a file is shorter than its own container says, in bytes: a copy that was broken off.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Boxes of an MP4 that are looked at; a longer one is taken as it is.
const BOXES_MAX: usize = 200_000;

/// Whether bytes are missing at the end; `None` where the container does not say how many there are.
pub(super) async fn are_missing(input: &Path) -> Option<bool> {
    let input: PathBuf = input.to_owned();
    tokio::task::spawn_blocking(move || {
        let file = File::open(input)?;
        let length = file.metadata()?.len();
        io::Result::Ok(announced(length, |at, bytes| file.read_exact_at(bytes, at).is_ok()))
    })
    .await
    .ok()?
    .ok()?
    .map(|(end, length)| end > length)
}

/// Where the container ends by its own word, and the length of the file.
fn announced(length: u64, read: impl Fn(u64, &mut [u8]) -> bool) -> Option<(u64, u64)> {
    let mut head = [0; 12];
    if !read(0, &mut head) {
        return None;
    }
    let end = match &head {
        [b'R', b'I', b'F', b'F', size @ ..] => {
            let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]);
            // What was written into a pipe knows no size.
            (size != 0 && size != u32::MAX).then_some(8 + u64::from(size))
        }
        [0x1A, 0x45, 0xDF, 0xA3, ..] => segment_end(&read),
        [_, _, _, _, name @ ..] if is_box(&name[..4]) => boxes_end(length, &read),
        _ => None,
    };
    Some((end?, length))
}

/// Where the segment of a Matroska file ends (RFC 8794 §6).
fn segment_end(read: &impl Fn(u64, &mut [u8]) -> bool) -> Option<u64> {
    const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
    let size_at = |at: u64| {
        let mut bytes = [0; 8];
        read(at, &mut bytes).then_some(())?;
        let length = bytes[0].leading_zeros() as usize + 1;
        let mut size = u64::from(bytes[0]) & ((1 << (8 - length.min(8))) - 1);
        for byte in bytes.get(1..length)? {
            size = size << 8 | u64::from(*byte);
        }
        // All ones: it is not known.
        (size != (1 << (7 * length)) - 1).then_some((size, length as u64))
    };
    let (header, width) = size_at(4)?;
    let segment = (4 + width).checked_add(header)?;
    let mut id = [0; 4];
    (read(segment, &mut id) && id == SEGMENT).then_some(())?;
    let (size, width) = size_at(segment + 4)?;
    (segment + 4 + width).checked_add(size)
}

/// Where the boxes of an MP4 end that lie one behind the other (ISO/IEC 14496-12 §4.2).
fn boxes_end(length: u64, read: &impl Fn(u64, &mut [u8]) -> bool) -> Option<u64> {
    let mut at = 0;
    for _ in 0..BOXES_MAX {
        if at >= length {
            return Some(at);
        }
        let mut head = [0; 16];
        let short = length - at < 16;
        let whole = if short { read(at, &mut head[..8]) } else { read(at, &mut head) };
        if !whole || !is_box(&head[4..8]) {
            // What hangs on behind is not of the container.
            return Some(at);
        }
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => return None,
            1 if short => return Some(at + 16),
            1 => u64::from_be_bytes(head[8..].try_into().ok()?),
            size => u64::from(size),
        };
        at = at.checked_add(size.max(8))?;
    }
    None
}

/// Whether a box of this name stands at the top of files.
fn is_box(name: &[u8]) -> bool {
    const TOP: [&[u8; 4]; 18] = [
        b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"free", b"skip", b"wide", b"junk",
        b"pnot", b"pict", b"uuid", b"meta", b"udta", b"sidx", b"emsg", b"prft",
    ];
    TOP.iter().any(|known| known[..] == *name)
}

#[cfg(test)]
mod tests {
    use super::announced;

    fn missing(bytes: &[u8]) -> Option<bool> {
        let read = |at: u64, into: &mut [u8]| {
            let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..at + into.len()));
            from.is_some_and(|from| {
                into.copy_from_slice(from);
                true
            })
        };
        announced(bytes.len() as u64, read).map(|(end, length)| end > length)
    }

    #[test]
    fn a_file_that_was_cut_is_shorter_than_it_says() {
        let mut riff = b"RIFF\x20\0\0\0WAVEfmt ".to_vec();
        riff.resize(40, 0);
        let mut mp4 = b"\0\0\0\x10ftypisom\0\0\0\0".to_vec();
        mp4.extend(b"\0\0\0\x20mdat");
        mp4.resize(16 + 32, 7);
        let mut large = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01mdat\0\0\0\0\0\0\0\x20".to_vec();
        large.resize(16 + 32, 7);
        let mut matroska = b"\x1a\x45\xdf\xa3\x84\x42\x86\x81\x01\x18\x53\x80\x67\x40\x20".to_vec();
        matroska.resize(15 + 32, 7);
        for whole in [&riff, &mp4, &large, &matroska] {
            assert_eq!(missing(whole), Some(false), "{:?}", &whole[..12]);
            assert_eq!(missing(&whole[..whole.len() - 1]), Some(true), "{:?}", &whole[..12]);
            let mut more = whole.clone();
            more.extend(b"\xff\xff\xff\xff a tag that some program hung on");
            assert_eq!(missing(&more), Some(false), "{:?}", &whole[..12]);
        }
    }

    #[test]
    fn what_knows_no_size_or_is_none_of_these_says_nothing() {
        for bytes in [
            &b"RIFF\xff\xff\xff\xffWAVEfmt "[..],
            b"RIFF\0\0\0\0AVI LIST",
            b"\x1a\x45\xdf\xa3\x84\x42\x86\x81\x01\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff....",
            b"\x1a\x45\xdf\xa3\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0mdat....",
            b"OggS\0\x02............",
            b"ID3",
            b"",
        ] {
            assert_eq!(missing(bytes), None, "{bytes:?}");
        }
    }
}
