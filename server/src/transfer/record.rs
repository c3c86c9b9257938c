//! What is remembered of a long file on its way into the bucket, so that a push that was killed goes
//! on with the parts that are there.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{data_dir::DataDir, storage::s3::Part};

/// Bytes of a part; a file up to this is sent at once.
pub const PART_BYTES: u64 = 8 << 20;
/// A store takes no more parts of one file.
const PARTS_MAX: u64 = 10_000;

/// The file on this host that remembers one long file.
#[derive(Debug)]
pub(super) struct Record(PathBuf);

/// A long file of which not all is there yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// What it holds.
    pub(super) mark: String,
    /// What the bucket calls its parts together.
    pub(super) upload: String,
    /// Those that are there, by number.
    pub(super) parts: BTreeMap<i32, Part>,
}

impl Begun {
    /// How much of it is there.
    pub(super) fn bytes(&self) -> u64 {
        self.parts.values().map(|part| part.size).sum()
    }
}

impl Record {
    /// Of the object `key` of the bucket that `identity` tells.
    pub(super) fn of(data: &DataDir, identity: &str, key: &str) -> Self {
        let name = blake3::hash(format!("{identity}\n{key}").as_bytes()).to_hex();
        Self(data.transfers().join(format!("{}.json", &name[..32])))
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What was begun.
    pub(super) fn read(&self) -> Option<Begun> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    /// Remembers it: a few kilobytes, after megabytes that went over a line.
    pub(super) fn keep(&self, begun: &Begun) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder)?;
        }
        let aside = self.0.with_extension("tmp");
        fs::write(&aside, serde_json::to_vec(begun)?)?;
        fs::rename(&aside, &self.0)
    }

    /// Forgets it: the file is whole.
    pub(super) fn remove(&self) {
        // What stays would only be asked for in vain.
        let _ = fs::remove_file(&self.0);
    }
}

/// Bytes of each part of a file of this size, but for the last.
pub(super) fn part_bytes(size: u64) -> u64 {
    PART_BYTES.max(size.div_ceil(PARTS_MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Begun, DataDir, PART_BYTES, Part, Record, part_bytes};

    #[test]
    fn what_was_begun_is_remembered() {
        let home = tempfile::tempdir().expect("a folder");
        let data = DataDir::new(home.path());
        let record = Record::of(&data, "films", "a/0.ts");
        assert_eq!(record.read(), None);
        let part = Part { size: 5, etag: Some("\"e\"".into()) };
        let parts = BTreeMap::from([(1, part)]);
        let begun = Begun { mark: "one".into(), upload: "u1".into(), parts };
        record.keep(&begun).expect("kept");
        assert_eq!(record.read(), Some(begun));
        assert_eq!(Record::of(&data, "other", "a/0.ts").read(), None);
        record.remove();
        assert_eq!(record.read(), None);
    }

    #[test]
    fn no_file_has_too_many_parts() {
        assert_eq!(part_bytes(1), PART_BYTES);
        for size in [PART_BYTES * 10_000, PART_BYTES * 10_000 + 1, 1 << 42] {
            assert!(size.div_ceil(part_bytes(size)) <= 10_000, "{size}");
        }
    }
}
