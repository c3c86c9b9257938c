//! What was made, on disk: a folder in the data folder, a file for each thing, named after what it
//! was made of. An empty file says that nothing can be made of it, so that it is not tried again.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use crate::{
    catalog::artifacts::{ArtifactFile, Artifacts},
    data_dir::DataDir,
    storage::local::FileVersion,
};

/// What the names of unfinished files begin with.
const PREFIX: &str = ".tmp-";

/// What is made of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Work {
    /// A picture for a channel without one.
    Poster,
    /// The ThumbHash of a poster, given or made.
    Thumbhash,
    /// How loud music is over time.
    Waveform,
}

impl Work {
    const ALL: [Self; 3] = [Self::Poster, Self::Thumbhash, Self::Waveform];

    fn extension(self) -> &'static str {
        match self {
            Self::Poster => "webp",
            Self::Thumbhash => "thumbhash",
            Self::Waveform => "json",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Poster => "image/webp",
            Self::Thumbhash => "text/plain",
            Self::Waveform => "application/json",
        }
    }
}

/// The folder, and what is in it. Its methods block.
#[derive(Debug)]
pub(super) struct ArtifactFolder {
    root: Arc<Path>,
    /// Whether the file holds something, by what it is and what it was made of.
    files: HashMap<(String, Work), bool>,
}

impl ArtifactFolder {
    /// Opens the folder, which is made if it is not there, removes what was never finished, and says what
    /// it holds.
    pub(super) fn open(data: &DataDir) -> io::Result<(Self, HashMap<String, Artifacts>)> {
        let folder = data.artifacts();
        data.make(&folder)?;
        let mut found = HashMap::new();
        let shelf = Self::scan(&folder, &mut found, |unfinished| fs::remove_file(unfinished))?;
        Ok((shelf, found))
    }

    /// What a folder of somebody else holds; nothing where there is none.
    pub(super) fn read(folder: &Path) -> HashMap<String, Artifacts> {
        let mut found = HashMap::new();
        // What cannot be read is not there for us.
        let _ = Self::scan(folder, &mut found, |_| Ok(()));
        found
    }

    fn scan(
        folder: &Path,
        found: &mut HashMap<String, Artifacts>,
        unfinished: impl Fn(&Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let root: Arc<Path> = fs::canonicalize(folder)?.into();
        let mut shelf = Self { root, files: HashMap::new() };
        for entry in fs::read_dir(&shelf.root)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(PREFIX) {
                // Its maker was killed.
                unfinished(&entry.path())?;
                continue;
            }
            let Some((key, extension)) = name.split_once('.') else { continue };
            let Some(work) = Work::ALL.into_iter().find(|work| work.extension() == extension)
            else {
                continue;
            };
            let stamp = FileVersion::of(&entry.metadata()?);
            let made = found.entry(key.to_owned()).or_default();
            if stamp.size == 0 {
                shelf.files.insert((key.to_owned(), work), false);
            } else if shelf.show(key, work, stamp, made).is_ok() {
                shelf.files.insert((key.to_owned(), work), true);
            }
        }
        Ok(shelf)
    }

    /// Whether there is such a thing; `None` where it is not known.
    pub(super) fn holds(&self, key: &str, work: Work) -> Option<bool> {
        self.files.get(&(key.to_owned(), work)).copied()
    }

    /// The folder, in canonical form.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What the names begin with of files that are needed for as long as this is made.
    pub(super) fn aside(key: &str, work: Work) -> String {
        format!("{PREFIX}{}", Self::name(key, work))
    }

    /// The name of a file in it.
    pub(super) fn name(key: &str, work: Work) -> String {
        format!("{key}.{}", work.extension())
    }

    /// Keeps a thing, whole or not at all, and puts it among what was made of this. No bytes:
    /// nothing can be made.
    pub(super) fn keep(
        &mut self,
        key: &str,
        work: Work,
        bytes: &[u8],
        made: &mut Artifacts,
    ) -> io::Result<()> {
        let name = Self::name(key, work);
        let aside = self.root.join(format!("{PREFIX}{name}"));
        let written = write(&aside, bytes).and_then(|()| {
            fs::rename(&aside, self.root.join(&name))?;
            File::open(&self.root)?.sync_all()
        });
        if let Err(error) = written {
            let _ = fs::remove_file(&aside);
            return Err(error);
        }
        if !bytes.is_empty() {
            let stamp = FileVersion::of(&fs::metadata(self.root.join(&name))?);
            self.show(key, work, stamp, made)?;
        }
        self.files.insert((key.to_owned(), work), !bytes.is_empty());
        Ok(())
    }

    fn show(
        &self,
        key: &str,
        work: Work,
        stamp: FileVersion,
        made: &mut Artifacts,
    ) -> io::Result<()> {
        let name = Self::name(key, work);
        let file = || ArtifactFile {
            root: self.root.clone(),
            name: name.as_str().into(),
            media_type: work.media_type(),
            stamp,
        };
        match work {
            Work::Poster => made.poster = Some(file()),
            Work::Waveform => made.waveform = Some(file()),
            Work::Thumbhash => {
                made.thumbhash = Some(fs::read_to_string(self.root.join(&name))?.into());
            }
        }
        Ok(())
    }

    /// What things there are of.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(|(key, _)| key.as_str())
    }

    /// Removes everything that was made of this.
    pub(super) fn remove(&mut self, key: &str) {
        for work in Work::ALL {
            if self.files.remove(&(key.to_owned(), work)).is_some() {
                // One that stays is found at the next start.
                let _ = fs::remove_file(self.root.join(Self::name(key, work)));
            }
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{ArtifactFolder, Artifacts, DataDir, Work};

    #[test]
    fn what_is_kept_is_found_again() {
        let home = tempfile::tempdir().expect("a folder");
        let data = DataDir::new(home.path());
        let (mut shelf, found) = ArtifactFolder::open(&data).expect("opened");
        assert!(found.is_empty());
        let mut made = Artifacts::default();
        shelf.keep("a", Work::Poster, b"webp", &mut made).expect("kept");
        shelf.keep("a", Work::Thumbhash, b"aGFzaA==", &mut made).expect("kept");
        shelf.keep("b", Work::Poster, b"", &mut Artifacts::default()).expect("kept");
        assert!(made.poster.is_some());
        fs::write(shelf.root().join(".tmp-c.webp"), "half").expect("written");
        fs::write(shelf.root().join("notes.txt"), "x").expect("written");

        let (mut again, found) = ArtifactFolder::open(&data).expect("opened");
        assert_eq!(found.get("a"), Some(&made));
        assert_eq!(found.get("b"), Some(&Artifacts::default()));
        let holds = |shelf: &ArtifactFolder, key| shelf.holds(key, Work::Poster);
        assert_eq!((holds(&again, "a"), holds(&again, "b")), (Some(true), Some(false)));
        assert_eq!(holds(&again, "c"), None);
        again.remove("a");
        let names: Vec<_> = fs::read_dir(again.root()).expect("a folder").collect();
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join("posters"), "a file").expect("written");
        assert!(ArtifactFolder::open(&DataDir::new(home.path())).is_err());
    }
}
