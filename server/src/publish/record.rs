//! What is remembered of a long file on its way into the bucket, so that a push that was killed goes
//! on with the parts that are there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Bytes of a part; a file up to this is sent at once.
pub const PART_BYTES: u64 = 8 << 20;
/// A store takes no more parts of one file.
const PARTS_MAX: u64 = 10_000;

/// The file on this host that remembers one long file.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    mark: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    /// What the file holds.
    mark: String,
    /// What the bucket calls its parts.
    upload: String,
}

impl Record {
    /// Of the object `key` of the bucket that `identity` tells, and of what it is to hold.
    pub(super) fn of(data: &Path, identity: &str, key: &str, mark: &str) -> Self {
        let name = blake3::hash(format!("{identity}\n{key}").as_bytes()).to_hex();
        let path = data.join("push").join(format!("{}.json", &name[..32]));
        Self { path, mark: mark.to_owned() }
    }

    /// The upload that was begun with the same content. Blocks.
    pub(super) fn upload(&self) -> Option<String> {
        let written: Written = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        (written.mark == self.mark).then_some(written.upload)
    }

    /// Remembers an upload. Blocks.
    pub(super) fn keep(&self, upload: &str) -> io::Result<()> {
        let written = Written { mark: self.mark.clone(), upload: upload.to_owned() };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let aside = self.path.with_extension("tmp");
        fs::write(&aside, serde_json::to_vec(&written)?)?;
        fs::rename(&aside, &self.path)
    }

    /// Forgets it: the file is whole. Blocks.
    pub(super) fn forget(&self) {
        // What stays would only be asked for in vain.
        let _ = fs::remove_file(&self.path);
    }
}

/// Bytes of each part of a file of this size, but for the last.
pub(super) fn part_bytes(size: u64) -> u64 {
    PART_BYTES.max(size.div_ceil(PARTS_MAX))
}

#[cfg(test)]
mod tests {
    use super::{PART_BYTES, Record, part_bytes};

    #[test]
    fn an_upload_is_remembered_for_its_content() {
        let home = tempfile::tempdir().expect("a folder");
        let record = |mark| Record::of(home.path(), "films", "a/0.ts", mark);
        assert_eq!(record("one").upload(), None);
        record("one").keep("u1").expect("kept");
        assert_eq!(record("one").upload().as_deref(), Some("u1"));
        assert_eq!(record("two").upload(), None);
        assert_eq!(Record::of(home.path(), "other", "a/0.ts", "one").upload(), None);
        record("one").forget();
        assert_eq!(record("one").upload(), None);
    }

    #[test]
    fn no_file_has_too_many_parts() {
        assert_eq!(part_bytes(1), PART_BYTES);
        for size in [PART_BYTES * 10_000, PART_BYTES * 10_000 + 1, 1 << 42] {
            assert!(size.div_ceil(part_bytes(size)) <= 10_000, "{size}");
        }
    }
}
