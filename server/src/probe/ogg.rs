//! Ogg (RFC 3533): which streams there are, and whether the last page is.

use std::io::{Read, Seek};

use super::frames::window;

use super::Ends;

/// The beginnings of all streams stand in so many bytes: each has a page of its own.
const BEGINNINGS: u64 = 16 << 10;
/// A page's head without its table.
const HEAD: usize = 27;

/// The codecs of all streams, by the names of RFC 6381 where they have one.
pub(super) fn codecs(file: &mut (impl Read + Seek)) -> Option<Vec<String>> {
    let bytes = window(file, 0, BEGINNINGS)?;
    let mut codecs = Vec::new();
    let mut at = 0;
    while let Some(page) = Page::read(bytes.get(at..)?).filter(|page| page.first) {
        let body = bytes.get(at + page.body..at + page.end).unwrap_or_default();
        let known: [(&[u8], &str); 6] = [
            (b"\x01vorbis", "vorbis"),
            (b"OpusHead", "opus"),
            (b"\x7FFLAC", "flac"),
            (b"\x80theora", "theora"),
            (b"Speex   ", "speex"),
            (b"BBCD", "dirac"),
        ];
        // Skeletons and texts are nobody's sound.
        let codec = known.into_iter().find(|(begin, _)| body.starts_with(begin));
        codecs.extend(codec.map(|(_, codec)| codec.to_owned()));
        at += page.end;
    }
    Some(codecs)
}

/// By the last page in the last bytes of a file.
pub(super) fn ends(tail: &[u8], length: u64) -> Ends {
    let at = tail.windows(4).rposition(|four| four == b"OggS");
    let Some(at) = at else { return Ends::Unknown };
    match Page::read(&tail[at..]) {
        Some(page) if (at + page.end) as u64 <= length => {
            if page.last {
                Ends::Whole
            } else {
                Ends::Unknown
            }
        }
        // Not even its table may be there.
        _ => Ends::Short("its last page is cut".into()),
    }
}

/// Where a page's body begins and ends, from its own beginning on.
struct Page {
    body: usize,
    end: usize,
    first: bool,
    last: bool,
}

impl Page {
    fn read(bytes: &[u8]) -> Option<Self> {
        let flags = *bytes.strip_prefix(b"OggS\0")?.first()?;
        let body = HEAD + usize::from(*bytes.get(HEAD - 1)?);
        let table = bytes.get(HEAD..body)?;
        let end = body + table.iter().map(|length| usize::from(*length)).sum::<usize>();
        Some(Self { body, end, first: flags & 2 != 0, last: flags & 4 != 0 })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Ends, codecs, ends};

    fn page(flags: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).expect("a short body");
        [b"OggS\0", &[flags][..], &[0; 20], &[1, length], body].concat()
    }

    #[test]
    fn all_streams_and_the_last_page() {
        let file = [
            page(2, b"fishead\0"),
            page(2, b"\x80theora"),
            page(2, b"\x01vorbis"),
            page(0, b"\x03vorbis"),
            page(4, &[7; 90]),
        ]
        .concat();
        assert_eq!(codecs(&mut Cursor::new(&file)).expect("pages"), ["theora", "vorbis"]);
        let length = file.len();
        assert_eq!(ends(&file, length as u64), Ends::Whole);
        assert!(matches!(ends(&file[..length - 9], length as u64 - 9), Ends::Short(_)));
        assert_eq!(ends(&file[..length - 118], length as u64 - 118), Ends::Unknown);
        assert!(matches!(ends(&file[..length - 95], length as u64 - 95), Ends::Short(_)));
    }
}
