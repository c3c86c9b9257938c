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
    item::{Item, Items, look},
    name, probe,
    reason::{Reason, convert_command},
};

/// The streams folder as the log names it: no path of anybody's home stands there.
const STREAMS: &str = "streams";
/// Fewer names than this are looked at on one thread.
const WORTH_A_THREAD: usize = 64;
const MAX_THREADS: usize = 8;

/// The streams folder and all that is known of it. Its methods block.
#[derive(Debug)]
pub(crate) struct Disk {
    /// As configured: it may be a link that is set anew while we run.
    folder: PathBuf,
    /// In canonical form.
    root: PathBuf,
    pub(crate) items: Items,
    /// What was logged of which name, to log it once.
    said: HashMap<OsString, String>,
    /// Whoever asks is told otherwise than by the log.
    silent: bool,
}

impl Disk {
    /// Knows nothing yet; fails where there is no folder that can be listed.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(folder)?;
        fs::read_dir(&root)?;
        let (items, said) = (Items::new(), HashMap::new());
        Ok(Self { folder: folder.to_owned(), root, items, said, silent: false })
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
        }
        let listed: Result<BTreeSet<OsString>, _> = fs::read_dir(&self.root)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let is_listed = listed.is_ok();
        match listed {
            Ok(names) => {
                self.said.retain(|name, _| names.contains(name));
                self.items.retain(|name, _| names.contains(name));
                let new = names.into_iter().filter(|name| match self.items.get(name) {
                    Some(item) => !item.is_unchanged(),
                    None => !name::is_hidden(name),
                });
                let new: Vec<_> = new.collect();
                self.look_at(new);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.items.clear();
                self.say(OsStr::new(""), "The streams folder is gone; no channel can be listed.");
            }
            // What cannot be listed now, on a share that is away, is not gone.
            Err(error) => {
                let kind = error.kind();
                self.say(OsStr::new(""), &format!("The streams folder cannot be listed: {kind}."));
            }
        }
        is_listed
    }

    /// Looks at these names, whether they changed or not.
    pub(crate) fn look_at(&mut self, names: Vec<OsString>) {
        let now = Instant::now();
        let befores: Vec<_> = names
            .into_iter()
            .map(|name| {
                let before = self.items.remove(&name);
                (name, before)
            })
            .collect();
        let root = &*self.root;
        let mut found = Vec::with_capacity(befores.len());
        let threads = thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS));
        if befores.len() < WORTH_A_THREAD || threads == 1 {
            found.extend(befores.into_iter().map(|(name, b)| (look(root, &name, b, now), name)));
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
                            .map(|(name, before)| (look(root, &name, before, now), name));
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

    /// Logs a clash that only the whole list shows.
    pub(crate) fn say_clash(&mut self, name: &OsStr, reason: &Reason) {
        self.say(name, &format!("{name:?} is left out: {reason}."));
    }

    fn tell(&mut self, name: &OsStr, item: &Item) {
        if let Some(reason) = item.trouble.as_ref().filter(|_| item.told) {
            let fix = reason.fix(STREAMS, &name.to_string_lossy());
            self.say(name, &format!("{name:?} is left out: {reason}; {fix}."));
        } else if let Some(why) = &item.about_error {
            self.say(name, &format!("channel.toml of {name:?} is passed over: {why}."));
        } else if let Some(facts) = &item.facts
            && let Some(trouble) = probe::trouble(&facts.codecs)
        {
            let mend = convert_command(STREAMS, &name.to_string_lossy(), !facts.bare);
            self.say(name, &format!("{name:?} may not play: {trouble}; {mend}."));
        } else if item.trouble.is_none() {
            self.said.remove(name);
        }
    }

    fn say(&mut self, name: &OsStr, line: &str) {
        if !self.silent && self.said.get(name).is_none_or(|said| said != line) {
            tracing::warn!("{line}");
            self.said.insert(name.to_owned(), line.to_owned());
        }
    }
}
