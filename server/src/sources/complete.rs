//! One channel read once, with all of its files, for who takes it somewhere else.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs,
    path::Path,
};

use app::catalog::ChannelId;

use super::{
    files::{Files, OnDisk},
    folder,
    local::names::Names,
    single_file,
};
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
        record::{ChannelRecord, Content},
    },
    storage::local::FileVersion,
};

/// What describes a channel; no playlist names it.
const ABOUT: &str = "channel.toml";

/// A finished channel, and nothing of it is missing.
#[derive(Clone, Debug)]
pub(crate) struct CompleteChannel {
    /// A folder, or a bare file.
    pub(crate) bare: bool,
    /// Its name at the source's top.
    pub(crate) name: String,
    /// Its files by path inside the folder; of a bare one that, and what belongs to it beside it: who
    /// takes a film without the file that hides it shows it.
    pub(crate) files: Vec<(String, FileVersion)>,
    content: Content,
}

/// Why a channel cannot be taken anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// There is none of that id.
    Unknown,
    /// It still grows.
    Live,
    /// It cannot be played as it is.
    Broken(Problem),
}

impl CompleteChannel {
    /// Whether both are the same, as far as both tell.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        self.content.agrees(&other.content)
    }

    /// What lies in a folder or a file, which was read into `record`.
    pub(super) fn of(
        name: &str,
        record: ChannelRecord,
        files: &mut dyn Files,
    ) -> Result<Self, Incomplete> {
        if record.live {
            return Err(Incomplete::Live);
        }
        let mut all = Vec::with_capacity(record.files.len() + 1);
        let mut paths: Vec<&str> = record.files.keys().map(|path| &**path).collect();
        let about =
            if record.bare { single_file::about_name(files, name) } else { Some(ABOUT.to_owned()) };
        paths.extend(about.as_deref());
        paths.sort_unstable();
        for path in paths {
            match files.aside(path).map_err(Incomplete::Broken)? {
                Some(stamp) => all.push((path.to_owned(), stamp)),
                None if about.as_deref() == Some(path) => {}
                None => {
                    let first = path.to_owned();
                    return Err(Incomplete::Broken(Problem::Missing { first, count: 1 }));
                }
            }
        }
        Ok(Self { bare: record.bare, name: name.to_owned(), files: all, content: record.content })
    }
}

/// Whether a name at a source's top is the one of a channel; of a bare file without its extension.
pub(super) fn is_of(id: &ChannelId, name: &str, is_folder: bool) -> bool {
    let is = |text: &str| name::id(text).is_ok_and(|found| found == *id);
    if is_folder {
        return is(name);
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    name::form(name) == NameForm::Bare && (is(stem) || is(name))
}

/// The channel of this id in the streams folder. Blocks.
pub(crate) fn on_disk(streams: &Path, id: &ChannelId) -> Result<CompleteChannel, Incomplete> {
    let unreadable = |error: std::io::Error| {
        let why = error.kind().to_string();
        Incomplete::Broken(Problem::Unreadable { file: "the streams folder".into(), why })
    };
    let root = fs::canonicalize(streams).map_err(unreadable)?;
    let (mut found, mut names): (Vec<(bool, String)>, _) = (Vec::new(), BTreeSet::new());
    for entry in fs::read_dir(&root).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        names.insert(entry.file_name());
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_folder = root.join(&name).is_dir();
        if !name::is_hidden(OsStr::new(&name)) && is_of(id, &name, is_folder) {
            found.push((!is_folder, name));
        }
    }
    // A folder wins over a file, of files the first.
    found.sort();
    let (is_file, name) = found.into_iter().next().ok_or(Incomplete::Unknown)?;
    if is_file { file(&root, &name, &names) } else { folder(&root, &name) }
}

/// The channel in a folder that nobody else writes to, told by its canonical form. Blocks.
pub(crate) fn in_folder(folder: &Path) -> Result<CompleteChannel, Incomplete> {
    let mut files = OnDisk::new(folder, folder);
    let read = folder::read(&mut files, None, &mut None);
    CompleteChannel::of("", read.record.map_err(Incomplete::Broken)?, &mut files)
}

fn folder(root: &Path, name: &str) -> Result<CompleteChannel, Incomplete> {
    let folder = root.join(name);
    // A link to a folder is followed where it stays below the streams folder.
    let real = fs::canonicalize(&folder).ok().filter(|real| real.starts_with(root));
    let real = real.ok_or_else(|| Incomplete::Broken(Problem::Link(name.to_owned())))?;
    let mut files = OnDisk::new(root, &real);
    let read = folder::read(&mut files, None, &mut None);
    let record = read.record.map_err(Incomplete::Broken)?;
    settled(&files)?;
    CompleteChannel::of(name, record, &mut files)
}

fn file(
    root: &Path,
    name: &str,
    names: &BTreeSet<OsString>,
) -> Result<CompleteChannel, Incomplete> {
    let mut all = Names::default();
    all.become_these(names);
    let mut files = OnDisk::new(root, root).with(all.beside(name));
    let read = single_file::read(&mut files, name, &mut None);
    let record = read.record.map_err(Incomplete::Broken)?;
    settled(&files)?;
    CompleteChannel::of(name, record, &mut files)
}

/// A copy under way is not yet what it will be.
fn settled(files: &OnDisk<'_>) -> Result<(), Incomplete> {
    if files.is_old() { Ok(()) } else { Err(Incomplete::Broken(Problem::Changing)) }
}
