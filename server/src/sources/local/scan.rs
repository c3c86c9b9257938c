//! The streams folder over time: which names are in it, and what is known of each.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    entry::{LocalEntries, LocalEntry, look},
    names::Names,
};
use crate::catalog::{
    name::{self, shown},
    problem::Whereabouts,
    record::SourceId,
    remark::Remark,
    source_list::SourceList,
};

/// The streams folder as the log names it: no path of anybody's home stands there.
const STREAMS: Whereabouts<'_> = Whereabouts::Folder("streams");
/// Fewer names than this are looked at on one thread.
const WORTH_A_THREAD: usize = 64;
const MAX_THREADS: usize = 8;

/// The streams folder and all that is known of it. Its methods block.
#[derive(Debug)]
pub(crate) struct StreamsFolder {
    /// As configured: it may be a link that is set anew while we run.
    folder: PathBuf,
    /// In canonical form.
    root: PathBuf,
    pub(crate) items: LocalEntries,
    /// All names that lie there.
    names: Names,
    /// What was logged of which name, to log it once.
    said: HashMap<OsString, Vec<String>>,
    /// Whoever asks is told otherwise than by the log.
    silent: bool,
}

impl StreamsFolder {
    /// Knows nothing yet; fails where there is no folder that can be listed.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(folder)?;
        fs::read_dir(&root)?;
        let (folder, names) = (folder.to_owned(), Names::default());
        let (items, said) = (LocalEntries::new(), HashMap::new());
        Ok(Self { folder, root, items, names, said, silent: false })
    }

    /// As it is, without lines in the log.
    pub(crate) fn silent(self) -> Self {
        Self { silent: true, ..self }
    }

    /// In canonical form.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Looks at every name that is new or whose files changed, and forgets those that are gone.
    /// Whether the folder could be listed.
    pub(crate) fn look_at_all(&mut self) -> bool {
        if let Ok(root) = fs::canonicalize(&self.folder)
            && root != self.root
        {
            self.root = root;
            self.items.clear();
            self.names = Names::default();
        }
        let listed: Result<BTreeSet<OsString>, _> = fs::read_dir(&self.root)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let is_listed = listed.is_ok();
        match listed {
            Ok(names) => {
                self.said.retain(|name, _| names.contains(name));
                self.items.retain(|name, _| names.contains(name));
                let beside = self.names.become_these(&names);
                let new = names.into_iter().filter(|name| match self.items.get(name) {
                    Some(item) => !item.is_unchanged(),
                    None => !name::is_hidden(name),
                });
                let mut new: Vec<_> = new.collect();
                new.extend(beside);
                new.sort_unstable();
                new.dedup();
                self.look_at_these(new);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.items.clear();
                self.names = Names::default();
                let line = "The streams folder is gone; no channel can be listed.";
                self.say(OsStr::new(""), vec![line.to_owned()]);
            }
            // What cannot be listed now, on a share that is away, is not gone.
            Err(error) => {
                let kind = error.kind();
                let line = format!("The streams folder cannot be listed: {kind}.");
                self.say(OsStr::new(""), vec![line]);
            }
        }
        is_listed
    }

    /// Looks at these names, whether they changed or not, and at what they lie beside.
    pub(crate) fn look_at(&mut self, mut names: Vec<OsString>) {
        for name in names.clone() {
            let is_there = fs::symlink_metadata(self.root.join(&name)).is_ok();
            names.extend(self.names.change(&name, is_there));
        }
        names.sort_unstable();
        names.dedup();
        self.look_at_these(names);
    }

    fn look_at_these(&mut self, names: Vec<OsString>) {
        let now = Instant::now();
        let befores: Vec<_> = names
            .into_iter()
            .map(|name| {
                let before = self.items.remove(&name);
                (name, before)
            })
            .collect();
        let (root, all) = (&*self.root, &self.names);
        let mut found = Vec::with_capacity(befores.len());
        let threads = thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS));
        if befores.len() < WORTH_A_THREAD || threads == 1 {
            found.extend(
                befores.into_iter().map(|(name, b)| (look(root, all, &name, b, now), name)),
            );
        } else {
            let size = befores.len().div_ceil(threads);
            let mut befores = befores.into_iter();
            thread::scope(|scope| {
                let mut running = Vec::new();
                loop {
                    let part: Vec<_> = befores.by_ref().take(size).collect();
                    if part.is_empty() {
                        break;
                    }
                    running.push(scope.spawn(move || {
                        let looked = part
                            .into_iter()
                            .map(|(name, before)| (look(root, all, &name, before, now), name));
                        looked.collect::<Vec<_>>()
                    }));
                }
                for thread in running {
                    found.extend(thread.join().unwrap_or_default());
                }
            });
        }
        for (item, name) in found {
            match item {
                Some(item) => {
                    self.tell(&name, &item);
                    self.items.insert(name, item);
                }
                None => drop(self.said.remove(&name)),
            }
        }
    }

    /// The names that are due, and when the next one is.
    pub(crate) fn due(&self, now: Instant) -> (Vec<OsString>, Option<Instant>) {
        let mut names = Vec::new();
        let mut next = None;
        for (name, item) in &self.items {
            match item.next {
                Some(at) if at <= now => names.push(name.clone()),
                Some(at) => next = Some(next.map_or(at, |next: Instant| next.min(at))),
                None => {}
            }
        }
        (names, next)
    }

    /// Looks until nothing is waited for any more, at most for `limit`. Blocks.
    pub(crate) fn settle(&mut self, limit: Duration) {
        let end = Instant::now() + limit;
        self.look_at_all();
        loop {
            let now = Instant::now();
            let (due, next) = self.due(now);
            if !due.is_empty() {
                self.look_at(due);
            } else if let Some(next) = next.filter(|next| *next < end) {
                thread::sleep(next.saturating_duration_since(now));
            } else {
                return;
            }
        }
    }

    /// What it has.
    pub(crate) fn list(&self) -> SourceList {
        let channels = self.items.iter();
        let channels =
            channels.filter_map(|(name, item)| Some((name.clone(), item.record.clone()?)));
        SourceList { channels: channels.collect(), ..SourceList::new(SourceId::LOCAL) }
    }

    fn tell(&mut self, name: &OsStr, item: &LocalEntry) {
        let (text, called) = (name.to_string_lossy(), shown(name));
        if let Some(reason) = item.trouble.as_ref().filter(|_| item.told) {
            let fix = reason.fix(STREAMS, &text);
            return self.say(name, vec![format!("{called} is left out: {reason}; {fix}.")]);
        }
        if item.trouble.is_some() {
            return;
        }
        let mut lines = Vec::new();
        if let Some(why) = &item.about_error {
            lines.push(format!(
                "What is said of {called} cannot be read, and what was said before holds: {why}."
            ));
        }
        if let Some(record) = &item.record {
            let line = |remark: &Remark| remark.line(&called, STREAMS, &text, !record.bare);
            lines.extend(record.remarks.iter().map(line));
        }
        self.say(name, lines);
    }

    fn say(&mut self, name: &OsStr, lines: Vec<String>) {
        if self.silent {
            return;
        }
        let before = self.said.remove(name).unwrap_or_default();
        for line in lines.iter().filter(|line| !before.contains(line)) {
            tracing::warn!("{line}");
        }
        if !lines.is_empty() {
            self.said.insert(name.to_owned(), lines);
        }
    }
}
