//! The keys of a store as folders and files, and looking at them as at files of this host.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    io::{self, Read, Seek, SeekFrom},
};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::StoreSource;
use crate::{
    catalog::{facts::Place, files::Files, name, probe::Media, reason::Reason},
    storage::{Object, StoreError, disk::Stamp, edge::Edge},
};

/// Bytes that a look inside a media file asks for at once,
const WINDOW: u64 = 256 << 10;
/// and how often it may ask.
const WINDOWS: u32 = 16;

/// What lies at one name at a store's top.
pub(super) enum Group {
    /// A folder: its files by path below it.
    Folder(BTreeMap<String, Stamp>),
    /// A file.
    File(Stamp),
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
            groups.entry(name).or_insert(Group::File(stamp));
            continue;
        };
        let group = groups.entry(name).or_insert_with(|| Group::Folder(BTreeMap::new()));
        match group {
            Group::Folder(files) => drop(files.insert(path.to_owned(), stamp)),
            // A store allows both; a folder goes before a file.
            Group::File(_) => *group = Group::Folder(BTreeMap::from([(path.to_owned(), stamp)])),
        }
    }
    groups
}

impl Group {
    /// Changes when anything in it does.
    pub(super) fn signature(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        let mut add = |path: &str, stamp: &Stamp| {
            hasher.update(path.as_bytes()).update(&[0]);
            hasher.update(&stamp.size.to_le_bytes()).update(&stamp.mark.to_le_bytes());
        };
        match self {
            Self::Folder(files) => files.iter().for_each(|(path, stamp)| add(path, stamp)),
            Self::File(stamp) => add("", stamp),
        }
        hasher.finalize()
    }
}

/// A look at one name of a store. Its methods block, outside of the runtime's own threads.
pub(super) struct InStore<'a> {
    group: &'a Group,
    prefix: String,
    store: &'a StoreSource,
    runtime: Handle,
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
            Group::File(_) => String::new(),
        };
        Self { group, prefix, store, runtime }
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        match self.group {
            Group::Folder(files) => files.get(path).copied(),
            Group::File(stamp) => Some(*stamp),
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
        Place::Store { source, edge, prefix: self.prefix.clone() }
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
        String::from_utf8(bytes.into())
            .map(|text| Some((text, stamp)))
            .map_err(|_| broken("it is not UTF-8"))
    }

    fn text_aside(&self, path: &str, max: u64) -> Result<String, String> {
        let stamp = self.stamp(path).filter(|stamp| stamp.size <= max);
        let stamp = stamp.ok_or_else(|| "it is too long".to_owned())?;
        let bytes = self.bytes(path, stamp, max).map_err(|error| error.to_string())?;
        String::from_utf8(bytes.into()).map_err(|_| "it is not UTF-8".into())
    }

    fn names(&self) -> Vec<String> {
        match self.group {
            Group::Folder(files) => {
                files.keys().filter(|path| !path.contains('/')).cloned().collect()
            }
            Group::File(_) => Vec::new(),
        }
    }

    fn media(&self, path: &str) -> Option<(Media, u64)> {
        let stamp = self.stamp(path)?;
        let reader = Windows {
            edge: self.store.edge.clone(),
            runtime: self.runtime.clone(),
            key: format!("{}{path}", self.prefix),
            stamp,
            at: 0,
            window: (0, Bytes::new()),
            left: WINDOWS,
        };
        Some((Box::new(reader), stamp.size))
    }
}

/// An object, read a window at a time.
struct Windows {
    edge: Edge,
    runtime: Handle,
    key: String,
    stamp: Stamp,
    at: u64,
    /// Where the bytes that are here begin.
    window: (u64, Bytes),
    left: u32,
}

impl Read for Windows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.stamp.size || into.is_empty() {
            return Ok(0);
        }
        let (start, bytes) = &self.window;
        if !(*start..*start + bytes.len() as u64).contains(&self.at) {
            self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("too much"))?;
            let range = self.at..(self.at + WINDOW).min(self.stamp.size);
            let bytes = self.runtime.block_on(self.edge.peek(&self.key, self.stamp, range));
            self.window = (self.at, bytes.map_err(io::Error::other)?);
        }
        let (start, bytes) = &self.window;
        let skip = usize::try_from(self.at - start).unwrap_or(usize::MAX);
        let here = bytes.get(skip..).unwrap_or_default();
        let count = here.len().min(into.len());
        into[..count].copy_from_slice(&here[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Windows {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.stamp.size.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
