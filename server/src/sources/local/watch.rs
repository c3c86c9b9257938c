//! The task that owns the streams folder's state: it hears of changes, waits until they are quiet,
//! looks at the names concerned, and publishes the new list.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::{sync::mpsc, task::spawn_blocking, time::sleep_until};
use tokio_util::sync::CancellationToken;

use super::scan::StreamsFolder;
use crate::{
    catalog::{
        name,
        source_list::{Publisher, SourceList},
    },
    storage::local::is_out_of_room,
};

/// A name is looked at once nothing was heard of it for so long,
const QUIET: Duration = Duration::from_millis(250);
/// or so long after the first change.
const AT_LATEST: Duration = Duration::from_secs(1);
/// All names are compared with what is known of them so often: where changes are heard of,
const RARELY: Duration = Duration::from_secs(30);
/// and where they are not.
const OFTEN: Duration = Duration::from_secs(1);
/// A comparison takes at most one part in so many of the time, however slow the folder is.
const SHARE: u32 = 4;
/// The first list waits at most so long for names that are not quiet yet: who has just copied a
/// folder and starts the server finds it in the first answer.
const FIRST_LIST: Duration = Duration::from_secs(1);
/// A name that is doubted is read again so soon at most: where its files contradict what is known of them,
/// who asks for it again and again has it read no oftener.
const DOUBTED: Duration = Duration::from_secs(5);
/// Of so many names is remembered when they were doubted.
const REQUESTS: usize = 1024;
/// How many changes may wait; when full, all names are looked at instead.
const CHANGES: usize = 1024;

/// Names that changed, with the first and the last time it was heard.
type Touched = HashMap<OsString, (Instant, Instant)>;

/// Runs until `shutdown`.
pub(crate) async fn run(
    disk: StreamsFolder,
    publish: &Publisher,
    doubts: &mut mpsc::Receiver<OsString>,
    shutdown: &CancellationToken,
) {
    let (sender, mut changes) = mpsc::channel(CHANGES);
    let overflow = Arc::new(AtomicBool::new(false));
    // The ear is up before the first look: nothing falls between.
    let ear =
        FolderWatcher { sender, overflow: overflow.clone(), watcher: None, heard: PathBuf::new() };
    let mut state = Some((disk, ear));
    let mut touched = Touched::new();
    let mut doubted = HashMap::new();
    let mut next_all = Instant::now();
    let mut doubts_open = true;
    let mut first = true;
    let began = Instant::now();
    let first_by = began + FIRST_LIST;
    loop {
        let now = Instant::now();
        if overflow.swap(false, Ordering::Relaxed) {
            next_all = now;
        }
        let waiting = state.as_ref().and_then(|(disk, _)| disk.due(now).1);
        let due_items = state.as_ref().map(|(disk, _)| disk.due(now).0).unwrap_or_default();
        let due_touched = touched.iter().filter(|(_, times)| due_at(times) <= now);
        let mut names: Vec<OsString> = due_touched.map(|(name, _)| name.clone()).collect();
        for name in &names {
            touched.remove(name);
        }
        names.extend(due_items);
        names.sort_unstable();
        names.dedup();
        // The empty name stands for all of them.
        let all = next_all <= now || names.iter().any(|name| name.is_empty());
        names.retain(|name| !name.is_empty());
        if all || !names.is_empty() {
            let Some((disk, ear)) = state.take() else { return };
            let looked = spawn_blocking(move || look(disk, ear, names, all));
            let Ok(looked) = looked.await else { return };
            if all {
                next_all = Instant::now() + looked.next_all;
            }
            let soon = looked.disk.due(Instant::now()).1.is_some_and(|due| due <= first_by);
            if !(first && soon) {
                if first {
                    let duration_ms =
                        u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    let channels = looked.list.channels.len();
                    tracing::info!(channels, duration_ms, "The streams folder is read.");
                }
                publish.publish(&looked.list);
                first = false;
            }
            state = Some((looked.disk, looked.ear));
            continue;
        }
        let wake = touched.values().map(due_at).chain(waiting).chain([next_all]).min();
        let wake = wake.unwrap_or(now + OFTEN);
        tokio::select! {
            () = shutdown.cancelled() => return,
            Some(name) = changes.recv() => touch(&mut touched, name),
            name = doubts.recv(), if doubts_open => match name {
                Some(name) => doubt(&mut touched, &mut doubted, name),
                None => doubts_open = false,
            },
            () = sleep_until(wake.into()) => {}
        }
    }
}

fn due_at((first, last): &(Instant, Instant)) -> Instant {
    (*last + QUIET).min(*first + AT_LATEST)
}

fn touch(touched: &mut Touched, name: OsString) {
    let now = Instant::now();
    touched.entry(name).or_insert((now, now)).1 = now;
}

/// Somebody saw that a name is not as it is listed: it is looked at, though not again and again.
fn doubt(touched: &mut Touched, doubted: &mut HashMap<OsString, Instant>, name: OsString) {
    let now = Instant::now();
    if touched.contains_key(&name) {
        return;
    }
    let at = doubted.get(&name).map_or(now, |before| (*before + DOUBTED).max(now));
    if doubted.len() >= REQUESTS {
        doubted.retain(|_, before| *before + DOUBTED > now);
        if doubted.len() >= REQUESTS {
            return;
        }
    }
    doubted.insert(name.clone(), at);
    touched.insert(name, (at, at));
}

struct Looked {
    disk: StreamsFolder,
    ear: FolderWatcher,
    list: SourceList,
    next_all: Duration,
}

/// One look, on a thread that may block.
fn look(
    mut disk: StreamsFolder,
    mut ear: FolderWatcher,
    names: Vec<OsString>,
    all: bool,
) -> Looked {
    let began = Instant::now();
    let mut next_all = RARELY;
    if all {
        if !ear.hears(disk.root()) {
            next_all = OFTEN;
        }
        if !disk.look_at_all() {
            next_all = OFTEN;
        }
        next_all = next_all.max(began.elapsed() * SHARE);
    }
    disk.look_at(names);
    let list = disk.list();
    Looked { disk, ear, list, next_all }
}

/// Hears of changes below the streams folder.
struct FolderWatcher {
    sender: mpsc::Sender<OsString>,
    overflow: Arc<AtomicBool>,
    watcher: Option<RecommendedWatcher>,
    /// What the watcher is set on.
    heard: PathBuf,
}

impl FolderWatcher {
    /// Whether changes below `root` are heard; sets the watcher up where that is not tried yet.
    fn hears(&mut self, root: &Path) -> bool {
        // A folder that was made anew under the old name is another one to the kernel.
        let identity = || std::fs::metadata(root).ok().map(|meta| identity_of(&meta));
        let wanted = identity().map(|identity| root.join(identity)).unwrap_or_default();
        if self.heard == wanted {
            return self.watcher.is_some();
        }
        self.heard = wanted;
        self.watcher = None;
        if is_remote(root) {
            tracing::info!("The streams folder is on a network; it is read every second or so.");
            return false;
        }
        match self.listen(root) {
            Ok(watcher) => self.watcher = Some(watcher),
            // It is tried again at the next look.
            Err(notify::Error { kind: notify::ErrorKind::Io(error), .. })
                if is_out_of_room(&error) =>
            {
                self.heard = PathBuf::new();
            }
            Err(error) => tracing::warn!(
                kind = ?error.kind,
                "The streams folder cannot be watched; it is read every second or so instead."
            ),
        }
        self.watcher.is_some()
    }

    fn listen(&self, root: &Path) -> notify::Result<RecommendedWatcher> {
        let (sender, overflow) = (self.sender.clone(), self.overflow.clone());
        let base = root.to_owned();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let tell = |name: OsString| {
                if sender.try_send(name).is_err() {
                    overflow.store(true, Ordering::Relaxed);
                }
            };
            let Ok(event) = event else { return tell(OsString::new()) };
            if event.need_rescan() {
                tell(OsString::new());
            }
            if is_reading(event.kind) {
                return;
            }
            for path in &event.paths {
                let below = path.strip_prefix(&base).unwrap_or(Path::new(""));
                let name = below.components().next().map(|name| name.as_os_str().to_owned());
                let name = name.unwrap_or_default();
                // What is hidden is nobody's channel, however much is written into it.
                if !name::is_hidden(&name) {
                    tell(name);
                }
            }
        })?;
        watcher.watch(root, RecursiveMode::Recursive)?;
        Ok(watcher)
    }
}

fn identity_of(meta: &std::fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{}:{}", meta.dev(), meta.ino())
}

/// Our own looks and every viewer open files: that is no change.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Whether changes made elsewhere reach this host unheard: NFS, SMB, 9p, FUSE and virtiofs, Ceph,
/// AFS and vboxsf, by the numbers of statfs(2).
fn is_remote(root: &Path) -> bool {
    const MAGIC: [u32; 10] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x0102_1997,
        0x6573_5546,
        0x6A65_6A63,
        0x00C3_6400,
        0x5346_414F,
        0x786F_4256,
    ];
    rustix::fs::statfs(root).is_ok_and(|stat| {
        MAGIC.iter().any(|magic| i128::from(*magic) == i128::from(stat.f_type) & 0xFFFF_FFFF)
    })
}
