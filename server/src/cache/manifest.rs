//! The last list of a store, kept beside what was fetched: after a restart while the store is away
//! its channels are known, and what is kept of them can be served.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::de::DeserializeOwned;

use crate::storage::{Object, local::FileVersion};

/// One object as it is written down: key, size, time, etag_hash.
type Line = (String, u64, i64, u64);

/// The file of one store.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    /// Of the list that is written down, to write it once.
    written: Mutex<Option<u64>>,
    /// Somebody writes it: whoever else would waits for the next time.
    busy: AtomicBool,
}

/// Somebody writes; ends when dropped.
struct Writing<'a>(&'a AtomicBool);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Manifest {
    /// The file of the store of this word and identity in `folder`.
    pub(super) fn new(folder: &Path, name: &str, identity: &str) -> Self {
        let hash = &blake3::hash(identity.as_bytes()).to_hex()[..16];
        let path = folder.join(format!("{name}-{hash}.list"));
        Self { path, written: Mutex::default(), busy: AtomicBool::new(false) }
    }

    /// Writes a list of objects down, if it is another than the last. Blocks.
    pub(super) fn keep_objects(&self, objects: &[Object]) -> io::Result<()> {
        let mut hasher = DefaultHasher::new();
        for Object { key, stamp } in objects {
            (key, stamp).hash(&mut hasher);
        }
        self.write(hasher.finish(), || {
            let lines: Vec<_> = objects
                .iter()
                .map(|Object { key, stamp }| (key, stamp.size, stamp.modified_ns, stamp.etag_hash))
                .collect();
            Ok(serde_json::to_vec(&lines)?)
        })
    }

    /// The objects as they were written down last. Blocks.
    pub(super) fn recall_objects(&self) -> Option<Vec<Object>> {
        let lines: Vec<Line> = self.recall()?;
        let objects = lines.into_iter().map(|(key, size, modified_ns, etag_hash)| Object {
            key,
            stamp: FileVersion { size, modified_ns, etag_hash },
        });
        Some(objects.collect())
    }

    /// Writes down what else a store has, as JSON, if it is another than the last. Blocks.
    pub(super) fn keep(&self, json: &[u8]) -> io::Result<()> {
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        self.write(hasher.finish(), || Ok(json.to_vec()))
    }

    /// What was written down last. Blocks.
    pub(super) fn recall<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&fs::read(&self.path).ok()?).ok()
    }

    fn write(&self, hash: u64, json: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<()> {
        // The lock is for the number alone: the disk may take its time.
        let written = || self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written() == Some(hash) || self.busy.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let _writing = Writing(&self.busy);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let aside = self.path.with_extension("list-new");
        // Addresses of other servers may hold what lets one in there.
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(&json()?)?;
        fs::rename(&aside, &self.path)?;
        *written() = Some(hash);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{FileVersion, Manifest, Object};

    #[test]
    fn lists_are_recalled_for_their_own_store() {
        let home = tempfile::tempdir().expect("a folder");
        let list =
            vec![Object { key: "a/ñ.ts".into(), stamp: FileVersion::tagged(5, -7, Some("t")) }];
        let memory = Manifest::new(home.path(), "s3", "films");
        assert_eq!(memory.recall_objects(), None);
        memory.keep_objects(&list).expect("written");
        memory.keep_objects(&list).expect("written");
        assert_eq!(Manifest::new(home.path(), "s3", "films").recall_objects(), Some(list));
        assert_eq!(Manifest::new(home.path(), "s3", "music").recall_objects(), None);
        std::fs::write(home.path().join("s3.list"), "{").expect("written");
        for entry in std::fs::read_dir(home.path()).expect("listed").flatten() {
            std::fs::write(entry.path(), "[[1,").expect("cut short");
        }
        assert_eq!(memory.recall_objects(), None);
    }
    #[test]
    fn a_slow_disk_holds_up_nobody_else() {
        let home = tempfile::tempdir().expect("a folder");
        let memory = Manifest::new(home.path(), "s3", "films");
        let (mut turns, list) = (0, || Ok(b"[]".to_vec()));
        memory
            .write(1, || {
                // Somebody else has a list meanwhile: it is passed over, and nobody waits.
                memory.write(2, || unreachable!("one writes at a time")).expect("passed over");
                assert!(memory.written.try_lock().is_ok(), "the disk is waited for under a lock");
                turns += 1;
                list()
            })
            .expect("written");
        memory.write(1, || unreachable!("it is written already")).expect("known");
        memory.write(2, list).expect("the next is written");
        assert_eq!(turns, 1);
    }
}
