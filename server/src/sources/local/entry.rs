//! One name at the top of the streams folder over time: when what is found there is listed, when it
//! is waited for, and when it is left out.

use std::{
    ffi::{OsStr, OsString},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::names::Names;
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
        record::ChannelRecord,
    },
    sources::{
        files::{OnDisk, Watched, unreadable},
        folder::{self, Read},
        probe_cache::ProbeCache,
        single_file,
    },
    storage::local::{FileVersion, is_absent},
};

/// Files that did not change between two looks so far apart are taken to be whole.
const QUIET: Duration = Duration::from_millis(300);
/// A live playlist that changes at each look is listed after this.
const LIVE_ANYWAY: Duration = Duration::from_secs(1);
/// A channel whose files go bad stays listed so long: writers replace files in steps.
const STAYS: Duration = Duration::from_secs(2);
/// What may be a copy under way is looked at again so often, and named in the log after so long.
const AGAIN: Duration = Duration::from_millis(500);
/// What cannot be read is looked at again after half as long as that has lasted, and so often at
/// least.
const AT_LEAST: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of one name.
#[derive(Debug)]
pub(crate) struct LocalEntry {
    /// The channel, while it is listed.
    pub(crate) record: Option<Arc<ChannelRecord>>,
    /// Why it is not, or not as it is now.
    pub(crate) trouble: Option<Problem>,
    /// The trouble is old enough to be told.
    pub(crate) told: bool,
    /// What `channel.toml` has wrong.
    pub(crate) about_error: Option<String>,
    /// When to look again although nothing was heard of it.
    pub(crate) next: Option<Instant>,
    first_seen: Instant,
    signature: Option<blake3::Hash>,
    signature_since: Instant,
    trouble_since: Option<Instant>,
    watched: Watched,
    probed: Option<ProbeCache>,
}

impl LocalEntry {
    fn new(now: Instant) -> Self {
        Self {
            record: None,
            trouble: None,
            told: false,
            about_error: None,
            next: None,
            first_seen: now,
            signature: None,
            signature_since: now,
            trouble_since: None,
            watched: Watched::new(),
            probed: None,
        }
    }

    /// Nothing that was looked at has another size or time than then.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.watched.iter().all(|(path, stamp)| FileVersion::at(path) == *stamp)
    }

    fn take(&mut self, seen: Scan, now: Instant) {
        if self.signature != Some(seen.signature) {
            self.signature = Some(seen.signature);
            self.signature_since = now;
            // A copy under way makes progress; patience starts anew. What is listed does not get
            // more time by it.
            if self.record.is_none() {
                self.trouble_since = None;
            }
        }
        let quiet = seen.old || now.duration_since(self.signature_since) >= QUIET;
        self.about_error = seen.read.about_error;
        match seen.read.record {
            Ok(record) if record.about.hidden => {
                self.record = None;
                self.well();
            }
            Ok(record) => {
                let was_live = self.record.as_ref().is_some_and(|record| record.live);
                let go = quiet
                    || record.live && was_live
                    || record.live && now.duration_since(self.first_seen) >= LIVE_ANYWAY;
                if go {
                    self.record = Some(Arc::new(record));
                    self.well();
                } else {
                    self.trouble = Some(Problem::Changing);
                    self.trouble_since = None;
                    self.told = false;
                    self.next = Some(self.signature_since + QUIET);
                }
            }
            Err(reason) => self.trouble(reason, now),
        }
    }

    fn well(&mut self) {
        self.trouble = None;
        self.trouble_since = None;
        self.told = false;
        self.next = None;
    }

    fn trouble(&mut self, reason: Problem, now: Instant) {
        let since = *self.trouble_since.get_or_insert(now);
        let lasted = now.duration_since(since);
        // What cannot be read says nothing of what is there: the last that was known holds, until
        // the file system gives an answer.
        let is_unknown = matches!(reason, Problem::Unreadable { .. });
        if self.record.is_some() && !is_unknown && (lasted >= STAYS || !reason.may_pass()) {
            self.record = None;
        }
        // What seems to be written is waited for, however long it stands still between.
        let changing = reason == Problem::Changing;
        self.told = !changing && (lasted >= PATIENCE || !reason.may_pass());
        let again = is_unknown || matches!(reason, Problem::About { .. }) || !self.told;
        self.next = again.then(|| now + AGAIN.max(lasted / 2).min(AT_LEAST));
        self.trouble = Some(reason);
    }
}

/// Looks at `name` in the streams folder `root` (in canonical form); `names` are all that lie there.
/// `None`: there is nothing that concerns us.
pub(crate) fn look(
    root: &Path,
    names: &Names,
    name: &OsStr,
    before: Option<LocalEntry>,
    now: Instant,
) -> Option<LocalEntry> {
    if name::is_hidden(name) {
        return None;
    }
    let path = root.join(name);
    // The stamps are taken before the look: what changes meanwhile is seen at the next.
    let found = FileVersion::found(&path);
    if matches!(found, Ok(None)) {
        return None;
    }
    let mut item = before.unwrap_or_else(|| LocalEntry::new(now));
    item.watched = vec![(path.clone(), found.as_ref().ok().copied().flatten())];
    if let Err(error) = found {
        item.trouble(unreadable(&name.to_string_lossy(), &error), now);
        return Some(item);
    }
    let Some(text) = name.to_str() else {
        item.trouble(Problem::NotText, now);
        return Some(item);
    };
    match kind_of(root, &path) {
        Ok(Place::Folder(real)) => {
            if let Err(reason) = name::id(text) {
                item.trouble(reason, now);
                return Some(item);
            }
            let before = item.record.clone();
            let mut probed = item.probed.take();
            let seen = guarded(|| {
                let mut files = OnDisk::new(root, &real);
                let read = folder::read(&mut files, before.as_deref(), &mut probed);
                Scan::of(read, files)
            });
            item.probed = probed;
            item.seen(seen, now);
        }
        Ok(Place::File) => match name::form(text) {
            NameForm::Plain => return None,
            NameForm::OtherMedia => item.trouble(Problem::OtherType, now),
            NameForm::OtherSubtitles => item.trouble(Problem::OtherSubtitles, now),
            NameForm::Bare => {
                if let Err(reason) = name::id(name::stem(text)) {
                    item.trouble(reason, now);
                    return Some(item);
                }
                let mut probed = item.probed.take();
                let seen = guarded(|| {
                    let mut files = OnDisk::new(root, root).with(names.beside(text));
                    let read = single_file::read(&mut files, text, &mut probed);
                    let mut seen = Scan::of(read, files);
                    // The streams folder itself changes with each name in it and says nothing of
                    // this file, which whoever asks looks at anyway.
                    seen.watched.retain(|(path, _)| path != root);
                    seen
                });
                item.probed = probed;
                item.seen(seen, now);
            }
        },
        Ok(Place::Other) => return None,
        Err(reason) => item.trouble(reason, now),
    }
    Some(item)
}

impl LocalEntry {
    fn seen(&mut self, seen: Option<Scan>, now: Instant) {
        let Some(mut seen) = seen else {
            self.trouble(Problem::Panicked, now);
            return;
        };
        self.watched.append(&mut seen.watched);
        self.take(seen, now);
    }
}

/// What a look at a channel found.
struct Scan {
    read: Read,
    /// Changes when the media files do.
    signature: blake3::Hash,
    /// Nobody has written to them for a while.
    old: bool,
    /// What to look at to know whether anything changed.
    watched: Watched,
}

impl Scan {
    fn of(read: Read, files: OnDisk<'_>) -> Self {
        let (signature, old) = (files.signature(), files.is_old());
        Self { read, signature, old, watched: files.into_watched() }
    }
}

/// One broken channel never breaks the rest.
fn guarded(read: impl FnOnce() -> Scan) -> Option<Scan> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

enum Place {
    Folder(PathBuf),
    File,
    Other,
}

fn kind_of(root: &Path, path: &Path) -> Result<Place, Problem> {
    let shown = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let io = |error: std::io::Error| match is_absent(&error) {
        // A link that leads nowhere.
        true => Problem::Missing { first: shown(), count: 1 },
        false => unreadable(&shown(), &error),
    };
    let real = fs::canonicalize(path).map_err(io)?;
    if !real.starts_with(root) {
        return Err(Problem::Link(shown()));
    }
    let meta = fs::metadata(&real).map_err(io)?;
    Ok(if meta.is_dir() {
        Place::Folder(real)
    } else if meta.is_file() {
        Place::File
    } else {
        Place::Other
    })
}

/// Names, with what is known of them.
pub(crate) type LocalEntries = std::collections::BTreeMap<OsString, LocalEntry>;

#[cfg(test)]
mod tests {
    use std::{
        ffi::OsStr,
        fs,
        time::{Duration, Instant},
    };

    use super::{AT_LEAST, LocalEntry, Names, PATIENCE, Problem, QUIET, STAYS, look};

    /// A file that has been there for a while.
    fn listed(now: Instant) -> LocalEntry {
        let home = tempfile::tempdir().expect("a folder");
        let (root, name) = (fs::canonicalize(home.path()).expect("a path"), OsStr::new("a.mp3"));
        fs::write(root.join(name), "music").expect("written");
        let names = Names::default();
        let first = look(&root, &names, name, None, now - QUIET);
        let item = look(&root, &names, name, first, now).expect("an item");
        assert!(item.record.is_some() && item.trouble.is_none());
        item
    }

    #[test]
    fn what_cannot_be_read_stays_listed_and_is_looked_at_again_by_itself() {
        let began = Instant::now();
        let mut item = listed(began);
        let mut now = began;
        let mut looks = 0;
        while now < began + Duration::from_secs(24 * 3600) {
            let why = "too many open files".to_owned();
            item.trouble(Problem::Unreadable { file: "playlist.m3u8".into(), why }, now);
            assert!(item.record.is_some(), "after {:?}", now - began);
            let next = item.next.expect("another look");
            assert!(next > now && next <= now + AT_LEAST);
            (now, looks) = (next, looks + 1);
        }
        assert!(item.told && looks < 1_600, "{looks} looks in a day");
    }

    #[test]
    fn what_is_known_to_be_gone_leaves_the_list() {
        let began = Instant::now();
        let mut item = listed(began);
        for after in [Duration::ZERO, STAYS, PATIENCE] {
            item.trouble(Problem::Missing { first: "a.ts".into(), count: 1 }, began + after);
            assert_eq!(item.record.is_some(), after < STAYS);
        }
        assert!(item.told && item.next.is_none());
    }
}
