//! Files of this host: what a look at one tells, and opening one without leaving its folder.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::fs::OFlags;

/// What a directory listing tells of a file: equal stamps are taken for equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Length in bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds of Unix time.
    pub modified_ns: i64,
}

impl Stamp {
    /// The stamp of a file or a folder.
    pub fn of(meta: &Metadata) -> Self {
        let nanos = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Self { size: meta.len(), modified_ns: nanos }
    }

    /// The stamp of what is at `path` now. Links are followed, since what they lead to is what
    /// counts; one that leads nowhere counts itself.
    pub fn at(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).or_else(|_| fs::symlink_metadata(path)).ok()?;
        Some(Self::of(&meta))
    }

    /// The stamp as text for addresses and entity tags.
    pub fn version(self) -> String {
        format!("{:x}-{:x}", self.size, self.modified_ns)
    }

    /// When it was last written; times before 1970 count as 1970.
    pub fn modified(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.modified_ns.try_into().unwrap_or(0))
    }

    /// When it was last written, in milliseconds of Unix time.
    pub fn modified_ms(self) -> u64 {
        u64::try_from(self.modified_ns / 1_000_000).unwrap_or(0)
    }
}

/// Opens the regular file `path`, if it lies below `root` after every link is followed.
///
/// `root` is in canonical form. The last component is opened without following a link, so that one
/// put there between the look and the opening is refused; a pipe is not waited for.
pub fn open_below(root: &Path, path: &Path) -> io::Result<(File, Stamp)> {
    let real = fs::canonicalize(path)?;
    if !real.starts_with(root) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&real)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((file, Stamp::of(&meta)))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::open_below;

    #[test]
    fn links_do_not_lead_out() {
        let home = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret"), "x").expect("written");
        let root = fs::canonicalize(home.path()).expect("a path");
        fs::create_dir(root.join("a")).expect("made");
        fs::write(root.join("a/b.ts"), "x").expect("written");
        symlink(outside.path().join("secret"), root.join("a/out.ts")).expect("linked");
        symlink(outside.path(), root.join("dir")).expect("linked");
        symlink(root.join("a/b.ts"), root.join("in.ts")).expect("linked");
        for (path, opens) in [
            ("a/b.ts", true),
            ("in.ts", true),
            ("a/out.ts", false),
            ("dir/secret", false),
            ("a", false),
            ("none", false),
        ] {
            assert_eq!(open_below(&root, &root.join(path)).is_ok(), opens, "{path}");
        }
    }
}
