//! How an object is cut: one of an ordinary segment's size stays whole, a long film comes in parts,
//! so that a seek need not wait for what lies before it.

use std::ops::Range;

use crate::storage::local::FileVersion;

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
pub(super) struct ObjectVersion {
    /// Of the store and the key.
    pub(super) name: u64,
    size: u64,
    etag_hash: u64,
}

/// A part of one state of one object: what is fetched, kept and thrown away together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ChunkKey {
    pub(super) object: ObjectVersion,
    part: u64,
}

impl ObjectVersion {
    pub(super) fn of(home: &Home, key: &str, stamp: FileVersion) -> Self {
        Self { name: home.name(key), size: stamp.size, etag_hash: stamp.etag_hash }
    }

    /// What it is made of, without its time.
    pub(super) fn stamp(self) -> FileVersion {
        FileVersion { size: self.size, modified_ns: 0, etag_hash: self.etag_hash }
    }

    /// The chunk that holds the byte at `at`.
    pub(super) fn chunk_at(self, at: u64) -> ChunkKey {
        ChunkKey { object: self, part: at / self.step() }
    }

    /// All of them, one after the other: an object may claim to be of any length.
    pub(super) fn all(self) -> impl Iterator<Item = ChunkKey> {
        (0..self.size.div_ceil(self.step())).map(move |part| ChunkKey { object: self, part })
    }

    /// Whether there is but one.
    pub(super) fn is_whole(self) -> bool {
        self.size <= WHOLE
    }

    fn step(self) -> u64 {
        if self.is_whole() { WHOLE } else { PART }
    }
}

impl ChunkKey {
    /// Its place in the object.
    pub(super) fn bytes(self) -> Range<u64> {
        let step = self.object.step();
        let start = self.part.saturating_mul(step).min(self.object.size);
        start..start.saturating_add(step).min(self.object.size)
    }

    pub(super) fn length(self) -> u64 {
        let bytes = self.bytes();
        bytes.end.saturating_sub(bytes.start)
    }

    /// The one behind it.
    pub(super) fn next(self) -> Option<Self> {
        let next = Self { object: self.object, part: self.part.checked_add(1)? };
        (next.length() > 0).then_some(next)
    }

    /// The name of the file that keeps it.
    pub(super) fn file_name(self) -> String {
        let ObjectVersion { name, size, etag_hash } = self.object;
        format!("{name:016x}-{size:x}-{etag_hash:016x}-{:x}-{FORM}", self.part)
    }

    /// Reads a name back; `None` for what is no file of ours.
    pub(super) fn of_file_name(text: &str) -> Option<Self> {
        Self::of_old_file_name(text.strip_suffix(FORM)?.strip_suffix('-')?)
    }

    /// Reads the name of a file that an earlier release kept, of which nobody knows the store.
    pub(super) fn of_old_file_name(text: &str) -> Option<Self> {
        let mut numbers = text.split('-').map(|part| u64::from_str_radix(part, 16).ok());
        let mut next = || numbers.next().flatten();
        let object = ObjectVersion { name: next()?, size: next()?, etag_hash: next()? };
        let chunk = Self { object, part: next()? };
        let name = chunk.file_name();
        let old = name.strip_suffix(FORM).and_then(|name| name.strip_suffix('-'));
        (chunk.length() > 0 && old == Some(text)).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ChunkKey, FileVersion, Home, ObjectVersion, WHOLE};

    fn object(size: u64) -> ObjectVersion {
        ObjectVersion::of(
            &Home::of("s3", "films"),
            "a/b.ts",
            FileVersion::tagged(size, 0, Some("tag")),
        )
    }

    #[test]
    fn a_segment_stays_whole_and_a_film_does_not() {
        assert_eq!(object(WHOLE).all().count(), 1);
        assert_eq!(object(WHOLE + 1).all().count(), 5);
        assert_eq!(object(0).all().count(), 0);
    }

    #[test]
    fn any_length_may_be_claimed() {
        for size in [1 << 50, 1 << 60, (1 << 60) + 1, u64::MAX - 1, u64::MAX] {
            let object = object(size);
            assert_eq!(object.all().take(3).map(ChunkKey::length).sum::<u64>(), 3 * super::PART);
            let last = object.chunk_at(size - 1);
            assert_eq!((last.bytes().end, last.next()), (size, None));
            assert!(last.length() > 0 && last.length() <= super::PART);
            assert_eq!(ChunkKey::of_file_name(&last.file_name()), Some(last));
        }
    }

    #[test]
    fn stores_share_no_names() {
        let stamp = FileVersion::tagged(9, 0, Some("tag"));
        let of =
            |store, identity| ObjectVersion::of(&Home::of(store, identity), "film.mp4", stamp).name;
        let all = [of("s3", "a"), of("s3", "b"), of("video", "a"), of("s", "3a"), of("s3a", "")];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{n}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for chunk in object(WHOLE + 1).all().chain(object(1).all()) {
            let name = chunk.file_name();
            assert_eq!(ChunkKey::of_file_name(&name), Some(chunk));
            assert_eq!(ChunkKey::of_old_file_name(&name), None);
            let old = name.strip_suffix("-2").expect("the form");
            assert_eq!(ChunkKey::of_old_file_name(old), Some(chunk));
            assert_eq!(ChunkKey::of_file_name(old), None);
        }
        for other in ["", ".tmp-1", "notes.txt", "0-0-0-0", "1-1-1-1", "1-1-1-1-2", "-2"] {
            assert_eq!(ChunkKey::of_file_name(other), None, "{other}");
            assert_eq!(ChunkKey::of_old_file_name(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_whole(size in 1u64..WHOLE * 3, at in 0u64..WHOLE * 3) {
            let (object, at) = (object(size), at % size);
            let mut end = 0;
            for chunk in object.all() {
                prop_assert_eq!(chunk.bytes().start, end);
                end = chunk.bytes().end;
                prop_assert_eq!(chunk.bytes().contains(&at), object.chunk_at(at) == chunk);
            }
            prop_assert_eq!(end, size);
        }
    }
}
