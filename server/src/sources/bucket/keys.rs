//! The keys of a store as folders and files, and looking at them as at files of this host.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::BucketConfig;
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
        record::{Location, SourceId},
    },
    probe::Media,
    sources::{
        files::{Files, unpacked},
        local::names::Names,
        range_reader::RangeReader,
    },
    storage::{Object, StoreError, local::FileVersion},
};

/// What lies at one name at a store's top.
pub(super) enum Group {
    /// A folder: its files by path below it.
    Folder(BTreeMap<String, FileVersion>),
    /// A file, and by their names those that lie beside it and belong to it.
    File(FileVersion, BTreeMap<String, FileVersion>),
}

/// Sorts a list by the names at its top; hidden ones are left out.
pub(super) fn group(objects: Vec<Object>) -> HashMap<OsString, Group> {
    let mut groups: HashMap<OsString, Group> = HashMap::new();
    for Object { key, stamp } in objects {
        let (top, path) = match key.split_once('/') {
            Some((top, path)) => (top, Some(path)),
            None => (&*key, None),
        };
        let name = OsString::from(top);
        // An empty object stands for a folder, or for an upload that began.
        if top.is_empty() || name::is_hidden(&name) || stamp.size == 0 {
            continue;
        }
        let Some(path) = path else {
            groups.entry(name).or_insert(Group::File(stamp, BTreeMap::new()));
            continue;
        };
        let group = groups.entry(name).or_insert_with(|| Group::Folder(BTreeMap::new()));
        match group {
            Group::Folder(files) => drop(files.insert(path.to_owned(), stamp)),
            // A store allows both; a folder goes before a file.
            Group::File(..) => *group = Group::Folder(BTreeMap::from([(path.to_owned(), stamp)])),
        }
    }
    put_beside(&mut groups);
    groups
}

/// Tells each bare file what lies beside it, as in the streams folder.
fn put_beside(groups: &mut HashMap<OsString, Group>) {
    let files = groups.iter().filter_map(|(name, group)| match group {
        Group::File(stamp, _) => Some((name.clone(), *stamp)),
        Group::Folder(_) => None,
    });
    let stamps: BTreeMap<OsString, FileVersion> = files.collect();
    let mut names = Names::default();
    names.become_these(&stamps.keys().cloned().collect());
    for (name, group) in groups {
        if let Group::File(_, beside) = group
            && let Some(text) = name.to_str().filter(|text| name::form(text) == NameForm::Bare)
        {
            let own = names.beside(text).into_iter();
            *beside = own
                .filter_map(|own| Some((stamps.get(OsStr::new(&own)).copied()?, own)))
                .map(|(stamp, own)| (own, stamp))
                .collect();
        }
    }
}

impl Group {
    /// A bare file, and not a folder.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// Changes when anything in it does.
    pub(super) fn signature(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let mut add = |path: &str, stamp: &FileVersion| {
            hasher.update(path.as_bytes()).update(&[0]);
            hasher.update(&stamp.size.to_le_bytes()).update(&stamp.etag_hash.to_le_bytes());
        };
        match self {
            Self::Folder(files) => files.iter().for_each(|(path, stamp)| add(path, stamp)),
            Self::File(stamp, beside) => {
                add("", stamp);
                beside.iter().for_each(|(path, stamp)| add(path, stamp));
            }
        }
        hasher.finalize()
    }
}

/// A look at one name of a store. Its methods block, outside of the runtime's own threads.
pub(super) struct InStore<'a> {
    name: String,
    group: &'a Group,
    prefix: String,
    store: &'a BucketConfig,
    runtime: Handle,
    /// The names that belong to a bare file.
    beside: Vec<String>,
    /// Paths by their composed form, once somebody asks.
    composed: Option<HashMap<String, String>>,
}

impl<'a> InStore<'a> {
    pub(super) fn new(
        name: &str,
        group: &'a Group,
        store: &'a BucketConfig,
        runtime: Handle,
    ) -> Self {
        let (prefix, beside) = match group {
            Group::Folder(_) => (format!("{name}/"), Vec::new()),
            Group::File(_, beside) => (String::new(), beside.keys().cloned().collect()),
        };
        let name = name.to_owned();
        Self { name, group, prefix, store, runtime, beside, composed: None }
    }

    fn stamp(&self, path: &str) -> Option<FileVersion> {
        match self.group {
            Group::Folder(files) => files.get(path).copied(),
            Group::File(stamp, _) if path == self.name => Some(*stamp),
            Group::File(_, beside) => beside.get(path).copied(),
        }
    }

    fn bytes(&self, path: &str, stamp: FileVersion, max: u64) -> Result<Bytes, StoreError> {
        let key = format!("{}{path}", self.prefix);
        self.runtime.block_on(self.store.edge.bytes(&key, stamp, max))
    }
}

impl Files for InStore<'_> {
    fn location(&self) -> Location {
        Location {
            source: SourceId::new(self.store.edge.name()),
            origin: self.store.source,
            prefix: self.prefix.clone(),
            folder: None,
        }
    }

    fn is_settled(&self) -> bool {
        true
    }

    fn stat(&mut self, path: &str) -> Result<Option<FileVersion>, Problem> {
        Ok(self.stamp(path))
    }

    fn aside(&mut self, path: &str) -> Result<Option<FileVersion>, Problem> {
        Ok(self.stamp(path))
    }

    fn text(&mut self, path: &str, max: u64) -> Result<Option<(String, FileVersion)>, Problem> {
        let Some(stamp) = self.stamp(path) else { return Ok(None) };
        let broken = |why: &str| Problem::Broken { file: path.into(), why: why.into() };
        if stamp.size > max {
            return Err(broken("it is too long"));
        }
        let bytes = self
            .bytes(path, stamp, max)
            .map_err(|error| Problem::Unreadable { file: path.into(), why: error.to_string() })?;
        unpacked(bytes.into(), max).map(|text| Some((text, stamp))).map_err(broken)
    }

    fn text_aside(&self, path: &str, max: u64) -> Result<String, String> {
        let stamp = self.stamp(path).filter(|stamp| stamp.size <= max);
        let stamp = stamp.ok_or_else(|| "it is too long".to_owned())?;
        let bytes = self.bytes(path, stamp, max).map_err(|error| error.to_string())?;
        Ok(unpacked(bytes.into(), max)?)
    }

    fn names(&self) -> Result<Vec<String>, Problem> {
        Ok(match self.group {
            Group::Folder(files) => {
                files.keys().filter(|path| !path.contains('/')).cloned().collect()
            }
            Group::File(..) => Vec::new(),
        })
    }

    fn beside(&self) -> &[String] {
        &self.beside
    }

    fn composed(&mut self, path: &str) -> Result<Option<String>, Problem> {
        let Group::Folder(files) = self.group else { return Ok(None) };
        let all = || files.keys().map(|path| (name::nfc(path), path.clone())).collect();
        let there = self.composed.get_or_insert_with(all).get(&name::nfc(path));
        Ok(there.filter(|there| *there != path).cloned())
    }

    fn media(&self, path: &str) -> Result<Option<(Media, u64)>, Problem> {
        let Some(stamp) = self.stamp(path) else { return Ok(None) };
        let key = format!("{}{path}", self.prefix);
        let reader = RangeReader::new(self.store.edge.clone(), self.runtime.clone(), key, stamp);
        Ok(Some((Box::new(reader), stamp.size)))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Group, group};
    use crate::storage::{Object, local::FileVersion};

    fn listed(keys: &[(&str, u64)]) -> Vec<Object> {
        let object = |(key, size): &(&str, u64)| Object {
            key: (*key).to_owned(),
            stamp: FileVersion::tagged(*size, 0, Some("tag")),
        };
        keys.iter().map(object).collect()
    }

    #[test]
    fn a_bare_file_knows_what_lies_beside_it() {
        let keys = [
            ("film.mp4", 9),
            ("film.mp4.toml", 3),
            ("film.es.vtt", 4),
            ("film.jpg", 5),
            ("film.webp", 0),
            ("film2.jpg", 5),
            ("film.toml/playlist.m3u8", 7),
            ("other.mp4", 9),
        ];
        let groups = group(listed(&keys));
        let beside = |name: &str| match &groups[OsStr::new(name)] {
            Group::File(_, beside) => beside.keys().cloned().collect::<Vec<_>>(),
            Group::Folder(_) => panic!("{name} is a file"),
        };
        assert_eq!(beside("film.mp4"), ["film.es.vtt", "film.jpg", "film.mp4.toml"]);
        assert_eq!(beside("other.mp4"), [""; 0]);
        assert_eq!(beside("film.jpg"), [""; 0], "it is no channel");
        // What is said of a file is a reason to read it again.
        let mut changed = keys;
        changed[1].1 = 4;
        let changed = group(listed(&changed));
        let signature = |groups: &std::collections::HashMap<_, Group>, name: &str| {
            groups[OsStr::new(name)].signature()
        };
        assert_ne!(signature(&groups, "film.mp4"), signature(&changed, "film.mp4"));
        assert_eq!(signature(&groups, "other.mp4"), signature(&changed, "other.mp4"));
    }
}
