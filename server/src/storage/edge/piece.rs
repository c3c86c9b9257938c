//! How an object is cut: one of an ordinary segment's size stays whole, a long film comes in parts,
//! so that a seek need not wait for what lies before it.

use std::ops::Range;

use crate::storage::disk::Stamp;

/// Objects up to this many bytes stay whole: ten seconds at 12 Mb/s.
const WHOLE: u64 = 16 << 20;
/// Others are cut into parts of so many bytes.
const PART: u64 = 4 << 20;

/// One state of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cut {
    /// Of the store and the key.
    pub(super) name: u64,
    size: u64,
    mark: u64,
}

/// A part of one state of one object: what is fetched, kept and thrown away together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Piece {
    pub(super) cut: Cut,
    part: u32,
}

impl Cut {
    pub(super) fn of(store: &str, key: &str, stamp: Stamp) -> Self {
        Self { name: name_of(store, key), size: stamp.size, mark: stamp.mark }
    }

    /// What it is cut of, without its time.
    pub(super) fn stamp(self) -> Stamp {
        Stamp { size: self.size, modified_ns: 0, mark: self.mark }
    }

    /// The pieces that hold these bytes, and which bytes of each.
    pub(super) fn pieces(self, bytes: Range<u64>) -> impl Iterator<Item = (Piece, Range<u64>)> {
        let step = self.step();
        let parts =
            if bytes.is_empty() { 0..0 } else { bytes.start / step..bytes.end.div_ceil(step) };
        parts.map(move |part| {
            let piece = Piece { cut: self, part: u32::try_from(part).unwrap_or(u32::MAX) };
            let start = piece.bytes().start;
            let within = bytes.start.max(start) - start..bytes.end.min(piece.bytes().end) - start;
            (piece, within)
        })
    }

    /// All of them.
    pub(super) fn all(self) -> impl Iterator<Item = Piece> {
        self.pieces(0..self.size).map(|(piece, _)| piece)
    }

    /// Whether there is but one.
    pub(super) fn is_whole(self) -> bool {
        self.size <= WHOLE
    }

    fn step(self) -> u64 {
        if self.is_whole() { WHOLE } else { PART }
    }
}

/// The key of an object, as it stands in the names of files.
pub(super) fn name_of(store: &str, key: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(store.as_bytes()).update(&[0]).update(key.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

impl Piece {
    /// Its place in the object.
    pub(super) fn bytes(self) -> Range<u64> {
        let start = u64::from(self.part) * self.cut.step();
        start..(start + self.cut.step()).min(self.cut.size)
    }

    pub(super) fn length(self) -> u64 {
        let bytes = self.bytes();
        bytes.end.saturating_sub(bytes.start)
    }

    /// The one behind it.
    pub(super) fn next(self) -> Option<Self> {
        (self.bytes().end < self.cut.size).then_some(Self { cut: self.cut, part: self.part + 1 })
    }

    /// The name of the file that keeps it.
    pub(super) fn file_name(self) -> String {
        let Cut { name, size, mark } = self.cut;
        format!("{name:016x}-{size:x}-{mark:016x}-{:x}", self.part)
    }

    /// Reads a name back; `None` for what is no file of ours.
    pub(super) fn of_file_name(text: &str) -> Option<Self> {
        let mut numbers = text.split('-').map(|part| u64::from_str_radix(part, 16).ok());
        let mut next = || numbers.next().flatten();
        let cut = Cut { name: next()?, size: next()?, mark: next()? };
        let piece = Self { cut, part: next()?.try_into().ok()? };
        (piece.length() > 0 && piece.file_name() == text).then_some(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cut, Piece, Stamp, WHOLE};

    fn cut(size: u64) -> Cut {
        Cut::of("s3", "a/b.ts", Stamp::tagged(size, 0, Some("tag")))
    }

    #[test]
    fn a_segment_stays_whole_and_a_film_does_not() {
        assert_eq!(cut(WHOLE).all().count(), 1);
        assert_eq!(cut(WHOLE + 1).all().count(), 5);
        assert_eq!(cut(9).pieces(3..3).count(), 0);
    }

    #[test]
    fn names_are_read_back() {
        for piece in cut(WHOLE + 1).all().chain(cut(1).all()) {
            assert_eq!(Piece::of_file_name(&piece.file_name()), Some(piece));
        }
        for other in ["", ".tmp-1", "notes.txt", "0-0-0-0", "1-1-1-1"] {
            assert_eq!(Piece::of_file_name(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn pieces_join_to_what_was_asked_for(size in 1u64..WHOLE * 3, a in 0u64..WHOLE * 3, b in 0u64..WHOLE * 3) {
            let (first, end) = (a.min(b) % size, (a.max(b) % size).max(a.min(b) % size));
            let mut at = first;
            for (piece, within) in cut(size).pieces(first..end) {
                prop_assert_eq!(piece.bytes().start + within.start, at);
                prop_assert!(within.start < within.end && within.end <= piece.length());
                at += within.end - within.start;
            }
            prop_assert_eq!(at, end);
        }
    }
}
