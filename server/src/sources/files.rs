//! Looks at the files of one channel, wherever they lie; and on this host: sizes and times, links
//! that must not lead out, and a note of everything looked at, so that the next look need not read
//! what did not change.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::catalog::Source;
use flate2::read::MultiGzDecoder;

use crate::{
    catalog::{
        name::nfc,
        problem::Problem,
        record::{LocalFolder, Location, SourceId},
    },
    probe::Media,
    storage::local::{FileVersion, is_absent, open_below},
};

/// Files that nobody wrote to for so long are taken to be whole at first sight.
const OLD: Duration = Duration::from_secs(2);

/// The files of one channel, to be looked at.
pub(crate) trait Files {
    /// Where they lie.
    fn location(&self) -> Location;

    /// Whether nothing is shown of a file before all of it is there.
    fn is_settled(&self) -> bool {
        false
    }

    /// The stamp of a regular file that is not empty; `None` where there is none.
    fn stat(&mut self, path: &str) -> Result<Option<FileVersion>, Problem>;

    /// As [`Self::stat`], for files that say nothing of whether the media is whole.
    fn aside(&mut self, path: &str) -> Result<Option<FileVersion>, Problem>;

    /// The text of a playlist, with its stamp; `None` where there is no file.
    fn text(&mut self, path: &str, max: u64) -> Result<Option<(String, FileVersion)>, Problem>;

    /// The text of a file that says nothing of the media; an error is told in words.
    fn text_aside(&self, path: &str, max: u64) -> Result<String, String>;

    /// Whether something is there that is no plain file.
    fn is_odd(&mut self, _path: &str) -> bool {
        false
    }

    /// The names in the folder itself.
    fn names(&self) -> Result<Vec<String>, Problem>;

    /// The names that belong to a bare file of this name.
    fn beside(&self) -> &[String] {
        &[]
    }

    /// The path as it is written where the files lie, if that differs from this one in nothing but
    /// how its accents are put together.
    fn composed(&mut self, path: &str) -> Result<Option<String>, Problem>;

    /// A media file to look into, and its length; `None` where there is none to be had.
    fn media(&self, path: &str) -> Result<Option<(Media, u64)>, Problem>;
}

/// A look into one folder of this host.
pub(crate) struct OnDisk<'a> {
    /// The streams folder, in canonical form.
    root: &'a Path,
    /// The channel's folder, in canonical form.
    folder: &'a Path,
    /// Sub-folders: whether they lie below the streams folder.
    folders: HashMap<String, bool>,
    /// Names in a folder by their composed form.
    listed: HashMap<String, HashMap<String, String>>,
    /// Names that belong to the bare file that is looked at.
    beside: Vec<String>,
    /// Media files and playlists seen, by path inside the folder.
    seen: BTreeMap<String, Option<FileVersion>>,
    /// The last write to any of them, Unix time in nanoseconds.
    newest_ns: i64,
    /// Stamps are taken before a look: what changes during it is seen at the next.
    watched: Watched,
}

/// What to look at to know whether anything changed, as it was.
pub(crate) type Watched = Vec<(PathBuf, Option<FileVersion>)>;

impl<'a> OnDisk<'a> {
    pub(crate) fn new(root: &'a Path, folder: &'a Path) -> Self {
        Self {
            root,
            folder,
            folders: HashMap::new(),
            listed: HashMap::new(),
            beside: Vec::new(),
            seen: BTreeMap::new(),
            newest_ns: 0,
            watched: vec![(folder.to_owned(), FileVersion::at(folder))],
        }
    }

    /// As it is, for a bare file to which these names belong.
    pub(crate) fn with(self, beside: Vec<String>) -> Self {
        Self { beside, ..self }
    }

    /// Changes when any media file seen does.
    pub(crate) fn signature(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (path, stamp) in &self.seen {
            hasher.update(path.as_bytes());
            let stamp = stamp.map_or([0; 2], |s| [s.size, s.modified_ns.cast_unsigned()]);
            hasher.update(&stamp[0].to_le_bytes());
            hasher.update(&stamp[1].to_le_bytes());
        }
        hasher.finalize()
    }

    /// Nobody has written to the media files for a while.
    pub(crate) fn is_old(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let newest = Duration::from_nanos(self.newest_ns.try_into().unwrap_or(0));
        newest + OLD <= now
    }

    /// What to look at to know whether anything changed.
    pub(crate) fn into_watched(self) -> Watched {
        self.watched
    }

    fn watch(&mut self, path: &str) {
        let path = self.folder.join(path);
        let stamp = FileVersion::at(&path);
        self.watched.push((path, stamp));
    }

    /// Follows links, but only to places below the streams folder.
    fn meta(&mut self, path: &str) -> Result<Option<Metadata>, Problem> {
        for (slash, _) in path.match_indices('/') {
            let parent = &path[..slash];
            let inside = match self.folders.get(parent) {
                Some(inside) => *inside,
                None => {
                    let inside = match fs::canonicalize(self.folder.join(parent)) {
                        Ok(real) => real.starts_with(self.root),
                        Err(error) if is_absent(&error) => return Ok(None),
                        Err(error) => return Err(unreadable(parent, &error)),
                    };
                    self.folders.insert(parent.to_owned(), inside);
                    self.watch(parent);
                    inside
                }
            };
            if !inside {
                return Err(Problem::Link(parent.to_owned()));
            }
        }
        let full = self.folder.join(path);
        let found = fs::symlink_metadata(&full).and_then(|meta| {
            if !meta.is_symlink() {
                return Ok(Some(meta));
            }
            let real = fs::canonicalize(&full)?;
            if real.starts_with(self.root) { fs::metadata(real).map(Some) } else { Ok(None) }
        });
        match found {
            Ok(Some(meta)) => Ok(Some(meta)),
            Ok(None) => Err(Problem::Link(path.to_owned())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreadable(path, &error)),
        }
    }
}

impl Files for OnDisk<'_> {
    fn location(&self) -> Location {
        let (root, path) = (self.root.to_owned(), self.folder.to_owned());
        Location {
            source: SourceId::LOCAL,
            origin: Source::Local,
            prefix: String::new(),
            folder: Some(LocalFolder { root, path }),
        }
    }

    fn stat(&mut self, path: &str) -> Result<Option<FileVersion>, Problem> {
        if let Some(known) = self.seen.get(path) {
            return Ok(*known);
        }
        let stamp = match self.meta(path)? {
            Some(meta) if meta.is_file() && meta.len() > 0 => {
                let changed = Duration::from_secs(meta.ctime().unsigned_abs())
                    + Duration::from_nanos(meta.ctime_nsec().unsigned_abs());
                let stamp = FileVersion::of(&meta);
                self.newest_ns = self
                    .newest_ns
                    .max(stamp.modified_ns)
                    .max(i64::try_from(changed.as_nanos()).unwrap_or(i64::MAX));
                Some(stamp)
            }
            _ => None,
        };
        self.seen.insert(path.to_owned(), stamp);
        Ok(stamp)
    }

    fn aside(&mut self, path: &str) -> Result<Option<FileVersion>, Problem> {
        let Some(meta) = self.meta(path)?.filter(|meta| meta.is_file() && meta.len() > 0) else {
            return Ok(None);
        };
        self.watch(path);
        Ok(Some(FileVersion::of(&meta)))
    }

    fn text(&mut self, path: &str, max: u64) -> Result<Option<(String, FileVersion)>, Problem> {
        self.watch(path);
        let Some(stamp) = self.stat(path)? else { return Ok(None) };
        let broken = |why: &str| Problem::Broken { file: path.into(), why: why.into() };
        if stamp.size > max {
            return Err(broken("it is too long"));
        }
        let (file, _) = match open_below(self.root, &self.folder.join(path)) {
            Ok(opened) => opened,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(unreadable(path, &error)),
        };
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        unpacked(bytes, max).map(|text| Some((text, stamp))).map_err(broken)
    }

    fn text_aside(&self, path: &str, max: u64) -> Result<String, String> {
        let told = |error: io::Error| error.kind().to_string();
        let (file, stamp) = open_below(self.root, &self.folder.join(path)).map_err(told)?;
        if stamp.size > max {
            return Err("it is too long".into());
        }
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes).map_err(told)?;
        Ok(unpacked(bytes, max)?)
    }

    fn is_odd(&mut self, path: &str) -> bool {
        fs::symlink_metadata(self.folder.join(path)).is_ok_and(|meta| !meta.is_file())
    }

    fn names(&self) -> Result<Vec<String>, Problem> {
        listed(self.folder).map_err(|error| unreadable("the folder", &error))
    }

    fn beside(&self) -> &[String] {
        &self.beside
    }

    fn composed(&mut self, path: &str) -> Result<Option<String>, Problem> {
        let mut there = String::with_capacity(path.len());
        for part in path.split('/') {
            if !self.listed.contains_key(&there) {
                let names = names_in(&self.folder.join(&there))
                    .map_err(|error| unreadable(path, &error))?
                    .into_iter()
                    .map(|name| (nfc(&name), name));
                self.listed.insert(there.clone(), names.collect());
            }
            let names = self.listed.get(&there);
            let Some(name) = names.and_then(|names| names.get(&nfc(part))) else { return Ok(None) };
            if !there.is_empty() {
                there.push('/');
            }
            there.push_str(name);
        }
        Ok((there != path).then_some(there))
    }

    fn media(&self, path: &str) -> Result<Option<(Media, u64)>, Problem> {
        match open_below(self.root, &self.folder.join(path)) {
            Ok((file, stamp)) => Ok(Some((Box::new(file), stamp.size))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreadable(path, &error)),
        }
    }
}

/// The names in a folder that are text. A list that is cut short would take away what is there.
fn listed(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

/// As [`listed`]; where there is no such folder there is nothing in it.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    match listed(folder) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        names => names,
    }
}

/// The text that these bytes are, of at most `max`. A store may keep it packed with gzip.
pub(crate) fn unpacked(bytes: Vec<u8>, max: u64) -> Result<String, &'static str> {
    let bytes = if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut plain = Vec::new();
        let read = MultiGzDecoder::new(&*bytes).take(max + 1).read_to_end(&mut plain);
        read.map_err(|_| "it is packed with gzip, and cannot be unpacked")?;
        plain
    } else {
        bytes
    };
    if bytes.len() as u64 > max {
        return Err("it is too long");
    }
    String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "it is packed with zstd",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "it is UTF-16, and not UTF-8",
        // What no text holds. Of the others some have no sign at their beginning.
        bytes if bytes.iter().any(|byte| *byte < b'\t' || (0x0E..0x20).contains(byte)) => {
            "it is no text; it may be packed (Content-Encoding)"
        }
        _ => "it is not UTF-8",
    })
}

/// The kind of an error says nothing of where this host keeps things; its text might.
pub(crate) fn unreadable(path: &str, error: &io::Error) -> Problem {
    Problem::Unreadable { file: path.into(), why: error.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::{Files, OnDisk, Problem, unpacked};

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("packed");
        encoder.finish().expect("packed")
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_no_empty_one() {
        let home = tempfile::tempdir().expect("a folder");
        let name = "ma\u{303}.ts";
        std::fs::create_dir(home.path().join("sub")).expect("made");
        std::fs::write(home.path().join("sub").join(name), "x").expect("written");
        let look = || OnDisk::new(home.path(), home.path());
        assert_eq!(look().composed("sub/mã.ts"), Ok(Some(format!("sub/{name}"))));
        assert_eq!(look().composed("sub/ñ.ts"), Ok(None));
        assert_eq!(look().composed("none/ñ.ts"), Ok(None));
        // A link that leads to itself can be read by nobody, as a folder where no descriptor is left.
        std::os::unix::fs::symlink("loop", home.path().join("loop")).expect("a link");
        let read = look().composed("loop/ñ.ts");
        assert!(matches!(read, Err(Problem::Unreadable { .. })), "{read:?}");
    }

    #[test]
    fn packed_texts_are_unpacked_within_bounds() {
        let text = "#EXTM3U\n".repeat(100);
        assert_eq!(unpacked(packed(text.as_bytes()), 1000).as_deref(), Ok(&*text));
        assert_eq!(unpacked(text.clone().into(), 1000).as_deref(), Ok(&*text));
        let two = [packed(b"#EXT"), packed(b"M3U")].concat();
        assert_eq!(unpacked(two, 1000).as_deref(), Ok("#EXTM3U"));
        // Sixteen megabytes of nothing are sixteen kilobytes.
        assert_eq!(unpacked(packed(&vec![b' '; 16 << 20]), 1000), Err("it is too long"));
        let mut damaged = packed(text.as_bytes());
        damaged.truncate(20);
        assert!(unpacked(damaged, 1000).is_err_and(|why| why.contains("gzip")));
        for (bytes, part) in [
            (&b"\xFF\xFE#\0E\0"[..], "UTF-16"),
            (b"#EXTM3U\n# a\xF1o\n", "it is not UTF-8"),
            (b"\x28\xB5\x2F\xFD\x04\x00", "packed with zstd"),
            // As brotli and zlib write them.
            (b"\x0B\x02\x80\xAA\x03", "may be packed"),
            (b"\x78\x9C\xCB\x48\x01\xFE", "may be packed"),
        ] {
            for bytes in [bytes.to_vec(), packed(bytes)] {
                let told = unpacked(bytes, 1000);
                assert!(told.as_ref().is_err_and(|why| why.contains(part)), "{told:?}");
            }
        }
    }
}
