//! The keys of a store as folders and files, and looking at them as at files of this host.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::{OsStr, OsString},
};

use bytes::Bytes;
use tokio::{runtime::Handle, sync::watch, time::Instant};

use super::StoreSource;
use crate::{
    catalog::{
        facts::{Looked, Place},
        files::{Files, unpacked},
        name::{self, NameForm},
        names::Names,
        probe::Media,
        reason::Reason,
        windows::Windows,
    },
    storage::{Object, StoreError, disk::Stamp},
};

/// What lies at one name at a store's top.
pub(super) enum Group {
    /// A folder: its files by path below it.
    Folder(BTreeMap<String, Stamp>),
    /// A file, and what lies beside it by name: captions, a poster, what its owner says of it.
    File(Stamp, BTreeMap<String, Stamp>),
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
            groups.entry(name).or_insert_with(|| Group::File(stamp, BTreeMap::new()));
            continue;
        };
        let group = groups.entry(name).or_insert_with(|| Group::Folder(BTreeMap::new()));
        match group {
            Group::Folder(files) => drop(files.insert(path.to_owned(), stamp)),
            // A store allows both; a folder goes before a file.
            Group::File(..) => *group = Group::Folder(BTreeMap::from([(path.to_owned(), stamp)])),
        }
    }
    lay_beside(&mut groups);
    groups
}

/// Gives each media file what lies beside it.
fn lay_beside(groups: &mut HashMap<OsString, Group>) {
    let files: BTreeSet<OsString> =
        groups.iter().filter(|(_, group)| group.is_file()).map(|(name, _)| name.clone()).collect();
    let mut names = Names::default();
    names.become_these(&files);
    for name in files.iter().filter_map(|name| name.to_str()) {
        if name::form(name) != NameForm::Bare {
            continue;
        }
        let stamps = names.beside(name).into_iter().filter_map(|name| {
            let Group::File(stamp, _) = groups.get(OsStr::new(&name))? else { return None };
            Some((name, *stamp))
        });
        let stamps: BTreeMap<String, Stamp> = stamps.collect();
        if let Some(Group::File(_, beside)) = groups.get_mut(OsStr::new(name)) {
            *beside = stamps;
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
        let mut add = |path: &str, stamp: &Stamp| {
            hasher.update(path.as_bytes()).update(&[0]);
            hasher.update(&stamp.size.to_le_bytes()).update(&stamp.mark.to_le_bytes());
        };
        match self {
            Self::Folder(files) => files.iter().for_each(|(path, stamp)| add(path, stamp)),
            Self::File(stamp, beside) => {
                add("", stamp);
                beside.iter().for_each(|(name, stamp)| add(name, stamp));
            }
        }
        hasher.finalize()
    }
}

/// A look at one name of a store. Its methods block, outside of the runtime's own threads.
pub(super) struct InStore<'a> {
    group: &'a Group,
    prefix: String,
    /// Names that belong to the bare file that is looked at.
    beside: Vec<String>,
    store: &'a StoreSource,
    runtime: Handle,
    /// Paths by their composed form, once somebody asks.
    composed: Option<HashMap<String, String>>,
}

impl<'a> InStore<'a> {
    pub(super) fn new(
        name: &str,
        group: &'a Group,
        store: &'a StoreSource,
        runtime: Handle,
    ) -> Self {
        let prefix = match group {
            Group::Folder(_) => format!("{name}/"),
            Group::File(..) => String::new(),
        };
        let beside = match group {
            Group::Folder(_) => Vec::new(),
            Group::File(_, beside) => beside.keys().cloned().collect(),
        };
        Self { group, prefix, beside, store, runtime, composed: None }
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        match self.group {
            Group::Folder(files) => files.get(path).copied(),
            Group::File(stamp, beside) => Some(beside.get(path).copied().unwrap_or(*stamp)),
        }
    }

    fn bytes(&self, path: &str, stamp: Stamp, max: u64) -> Result<Bytes, StoreError> {
        let key = format!("{}{path}", self.prefix);
        self.runtime.block_on(self.store.edge.bytes(&key, stamp, max))
    }
}

impl Files for InStore<'_> {
    fn place(&self) -> Place {
        let StoreSource { edge, source, .. } = self.store.clone();
        let looked = Looked::new(watch::channel(Instant::now()).1);
        Place::Store { source, edge, prefix: self.prefix.clone(), looked }
    }

    fn stat(&mut self, path: &str) -> Result<Option<Stamp>, Reason> {
        Ok(self.stamp(path))
    }

    fn aside(&mut self, path: &str) -> Result<Option<Stamp>, Reason> {
        Ok(self.stamp(path))
    }

    fn text(&mut self, path: &str, max: u64) -> Result<Option<(String, Stamp)>, Reason> {
        let Some(stamp) = self.stamp(path) else { return Ok(None) };
        let broken = |why: &str| Reason::Broken { file: path.into(), why: why.into() };
        if stamp.size > max {
            return Err(broken("it is too long"));
        }
        let bytes = self
            .bytes(path, stamp, max)
            .map_err(|error| Reason::Unreadable { file: path.into(), why: error.to_string() })?;
        unpacked(bytes.into(), max).map(|text| Some((text, stamp))).map_err(broken)
    }

    fn text_aside(&self, path: &str, max: u64) -> Result<String, String> {
        let stamp = self.stamp(path).filter(|stamp| stamp.size <= max);
        let stamp = stamp.ok_or_else(|| "it is too long".to_owned())?;
        let bytes = self.bytes(path, stamp, max).map_err(|error| error.to_string())?;
        Ok(unpacked(bytes.into(), max)?)
    }

    fn names(&self) -> Result<Vec<String>, Reason> {
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

    fn composed(&mut self, path: &str) -> Option<String> {
        let Group::Folder(files) = self.group else { return None };
        let all = || files.keys().map(|path| (name::nfc(path), path.clone())).collect();
        let there = self.composed.get_or_insert_with(all).get(&name::nfc(path))?;
        (there != path).then(|| there.clone())
    }

    fn media(&self, path: &str) -> Result<Option<(Media, u64)>, Reason> {
        let Some(stamp) = self.stamp(path) else { return Ok(None) };
        let key = format!("{}{path}", self.prefix);
        let reader = Windows::new(self.store.edge.clone(), self.runtime.clone(), key, stamp);
        Ok(Some((Box::new(reader), stamp.size)))
    }
}
