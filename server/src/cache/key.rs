//! How an object is cut: one of an ordinary segment's size stays whole, a long film comes in parts,
//! so that a seek need not wait for what lies before it.

use std::ops::Range;

use crate::storage::local::Stamp;

/// Objects up to this many bytes stay whole: ten seconds at 12 Mb/s.
const WHOLE: u64 = 16 << 20;
/// Others are cut into parts of so many bytes.
const PART: u64 = 4 << 20;

/// What stands at the end of the names of our files. Those of the first releases end in the part: they
/// did not say of which store they are.
const FORM: &str = "2";

/// All that makes a store this one and no other, as it stands in names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home([u8; blake3::OUT_LEN]);

impl Home {
    /// Of a store's word and its identity.
    pub(super) fn of(store: &str, identity: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(store.as_bytes()).update(&[0]).update(identity.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The key of an object of this store, as it stands in the names of files.
    pub(super) fn name(&self, key: &str) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(key.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

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
    part: u64,
}

impl Cut {
    pub(super) fn of(home: &Home, key: &str, stamp: Stamp) -> Self {
        Self { name: home.name(key), size: stamp.size, mark: stamp.mark }
    }

    /// What it is cut of, without its time.
    pub(super) fn stamp(self) -> Stamp {
        Stamp { size: self.size, modified_ns: 0, mark: self.mark }
    }

    /// The piece that holds the byte at `at`.
    pub(super) fn piece_at(self, at: u64) -> Piece {
        Piece { cut: self, part: at / self.step() }
    }

    /// All of them, one after the other: an object may claim to be of any length.
    pub(super) fn all(self) -> impl Iterator<Item = Piece> {
        (0..self.size.div_ceil(self.step())).map(move |part| Piece { cut: self, part })
    }

    /// Whether there is but one.
    pub(super) fn is_whole(self) -> bool {
        self.size <= WHOLE
    }

    fn step(self) -> u64 {
        if self.is_whole() { WHOLE } else { PART }
    }
}

impl Piece {
    /// Its place in the object.
    pub(super) fn bytes(self) -> Range<u64> {
        let step = self.cut.step();
        let start = self.part.saturating_mul(step).min(self.cut.size);
        start..start.saturating_add(step).min(self.cut.size)
    }

    pub(super) fn length(self) -> u64 {
        let bytes = self.bytes();
        bytes.end.saturating_sub(bytes.start)
    }

    /// The one behind it.
    pub(super) fn next(self) -> Option<Self> {
        let next = Self { cut: self.cut, part: self.part.checked_add(1)? };
        (next.length() > 0).then_some(next)
    }

    /// The name of the file that keeps it.
    pub(super) fn file_name(self) -> String {
        let Cut { name, size, mark } = self.cut;
        format!("{name:016x}-{size:x}-{mark:016x}-{:x}-{FORM}", self.part)
    }

    /// Reads a name back; `None` for what is no file of ours.
    pub(super) fn of_file_name(text: &str) -> Option<Self> {
        Self::of_old_file_name(text.strip_suffix(FORM)?.strip_suffix('-')?)
    }

    /// Reads the name of a file that an earlier release kept, of which nobody knows the store.
    pub(super) fn of_old_file_name(text: &str) -> Option<Self> {
        let mut numbers = text.split('-').map(|part| u64::from_str_radix(part, 16).ok());
        let mut next = || numbers.next().flatten();
        let cut = Cut { name: next()?, size: next()?, mark: next()? };
        let piece = Self { cut, part: next()? };
        let name = piece.file_name();
        let old = name.strip_suffix(FORM).and_then(|name| name.strip_suffix('-'));
        (piece.length() > 0 && old == Some(text)).then_some(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cut, Home, Piece, Stamp, WHOLE};

    fn cut(size: u64) -> Cut {
        Cut::of(&Home::of("s3", "films"), "a/b.ts", Stamp::tagged(size, 0, Some("tag")))
    }

    #[test]
    fn a_segment_stays_whole_and_a_film_does_not() {
        assert_eq!(cut(WHOLE).all().count(), 1);
        assert_eq!(cut(WHOLE + 1).all().count(), 5);
        assert_eq!(cut(0).all().count(), 0);
    }

    #[test]
    fn any_length_may_be_claimed() {
        for size in [1 << 50, 1 << 60, (1 << 60) + 1, u64::MAX - 1, u64::MAX] {
            let cut = cut(size);
            assert_eq!(cut.all().take(3).map(Piece::length).sum::<u64>(), 3 * super::PART);
            let last = cut.piece_at(size - 1);
            assert_eq!((last.bytes().end, last.next()), (size, None));
            assert!(last.length() > 0 && last.length() <= super::PART);
            assert_eq!(Piece::of_file_name(&last.file_name()), Some(last));
        }
    }

    #[test]
    fn stores_share_no_names() {
        let stamp = Stamp::tagged(9, 0, Some("tag"));
        let of = |store, identity| Cut::of(&Home::of(store, identity), "film.mp4", stamp).name;
        let all = [of("s3", "a"), of("s3", "b"), of("video", "a"), of("s", "3a"), of("s3a", "")];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{n}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for piece in cut(WHOLE + 1).all().chain(cut(1).all()) {
            let name = piece.file_name();
            assert_eq!(Piece::of_file_name(&name), Some(piece));
            assert_eq!(Piece::of_old_file_name(&name), None);
            let old = name.strip_suffix("-2").expect("the form");
            assert_eq!(Piece::of_old_file_name(old), Some(piece));
            assert_eq!(Piece::of_file_name(old), None);
        }
        for other in ["", ".tmp-1", "notes.txt", "0-0-0-0", "1-1-1-1", "1-1-1-1-2", "-2"] {
            assert_eq!(Piece::of_file_name(other), None, "{other}");
            assert_eq!(Piece::of_old_file_name(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_whole(size in 1u64..WHOLE * 3, at in 0u64..WHOLE * 3) {
            let (cut, at) = (cut(size), at % size);
            let mut end = 0;
            for piece in cut.all() {
                prop_assert_eq!(piece.bytes().start, end);
                end = piece.bytes().end;
                prop_assert_eq!(piece.bytes().contains(&at), cut.piece_at(at) == piece);
            }
            prop_assert_eq!(end, size);
        }
    }
}
