//! The current list of channels as one immutable snapshot, and the handle that everybody reads it
//! through. What fills it lives below `catalog/`.

mod about;
mod answer;
mod bare;
mod beginning;
mod disk;
pub(crate) mod distant;
pub(crate) mod facts;
mod files;
mod folder;
mod item;
pub(crate) mod made;
mod merge;
mod name;
mod names;
mod opening;
mod order;
mod origin;
mod probe_cache;
mod reason;
mod remark;
pub mod report;
mod search;
mod snapshot;
mod stock;
mod tagged;
mod vtt;
mod watch;
pub(crate) mod whole;
mod windows;

use std::{ffi::OsString, fs, io, sync::Arc, time::Duration};

use app::catalog::{Anchor, Catalog, FeedSlice, Media, Order};
use tokio::{
    sync::{mpsc, watch as channel},
    task::spawn_blocking,
    time::{Instant, sleep, timeout, timeout_at},
};

pub use self::{
    answer::{list_ids, list_videos, one_media},
    origin::OriginSource,
    reason::Reason,
    report::channels,
    search::{Only, Tags},
    snapshot::Snapshot,
    stock::StoreSource,
};
use self::{
    facts::Place,
    made::MadeTable,
    stock::{Doubt, Stocks},
};
pub(crate) use self::{
    facts::etag_of,
    name::{nfc, shown, stem},
    snapshot::Entry,
    stock::read_whole,
};
pub(crate) use crate::probe::front_cover;
use crate::{config::Folders, error::ApiError, tasks::Tasks};

/// How many names may wait to be looked at again because a file of theirs was not as listed; when
/// full, more are dropped: the periodic look finds them.
const DOUBTS: usize = 64;
/// How long somebody who asks before the first scan is done waits for it.
const FIRST_SCAN: Duration = Duration::from_secs(2);
/// How long somebody who asks for an old playlist of a live channel waits for a new one,
const CATCHES_UP: Duration = Duration::from_millis(1500);
/// and how often, and after what pause, it is looked for in the list.
const COMES_IN: usize = 15;
const MOMENT: Duration = Duration::from_millis(10);
/// So long after the start the list is held back for sources that have not said anything yet.
const FIRST_WORDS: Duration = Duration::from_millis(1500);

/// A source of channels beside the streams folder.
#[derive(Clone, Debug)]
pub enum Elsewhere {
    /// A store that lists its objects.
    Store(StoreSource),
    /// Another server.
    Origin(OriginSource),
}

impl From<StoreSource> for Elsewhere {
    fn from(store: StoreSource) -> Self {
        Self::Store(store)
    }
}

impl From<OriginSource> for Elsewhere {
    fn from(origin: OriginSource) -> Self {
        Self::Origin(origin)
    }
}

impl Elsewhere {
    fn name(&self) -> &'static str {
        match self {
            Self::Store(store) => store.edge.name(),
            Self::Origin(origin) => origin.edge.name(),
        }
    }
}

/// Why there can be no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no streams folder and none can be made.
    #[error("cannot make the streams folder {folder}: {why}; make it, or set STREAMS_DIR")]
    Make {
        /// As configured.
        folder: String,
        /// What the file system said.
        why: io::Error,
    },
    /// Our own fault.
    #[error("looking at the streams folder failed in a way that nobody foresaw; please report it")]
    Look,
    /// The streams folder cannot be listed.
    #[error(
        "cannot read the streams folder {folder}: {why}; let this user read it, or set STREAMS_DIR"
    )]
    Read {
        /// As configured.
        folder: String,
        /// What the file system said.
        why: io::Error,
    },
}

/// Reads the current snapshot; a cheap clone.
#[derive(Clone, Debug)]
pub struct CatalogHandle {
    current: channel::Receiver<Option<Arc<Snapshot>>>,
    doubts: mpsc::Sender<OsString>,
    /// One for each store, by its word.
    store_doubts: Vec<(&'static str, mpsc::Sender<Doubt>)>,
    made: MadeTable,
    began: Instant,
}

impl CatalogHandle {
    /// The current snapshot; `None` until the first scan is done.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.borrow().clone()
    }

    /// The current snapshot; waits a little for the first scan, so that nobody takes a list for empty
    /// that is not known yet.
    pub async fn first(&self) -> Result<Arc<Snapshot>, ApiError> {
        if let Some(snapshot) = self.current() {
            return Ok(snapshot);
        }
        let mut current = self.current.clone();
        let known = timeout(FIRST_SCAN, current.wait_for(Option::is_some)).await;
        known.ok().and_then(|known| known.ok()?.clone()).ok_or(ApiError::Starting)
    }

    /// As [`Self::first`]; for a moment after the start it also waits until each source has said
    /// something: another Carrete would take its channels for gone.
    pub async fn whole(&self) -> Result<Arc<Snapshot>, ApiError> {
        let snapshot = self.first().await?;
        if !snapshot.is_partial() {
            return Ok(snapshot);
        }
        let mut current = self.current.clone();
        let is_whole = |current: &Option<Arc<Snapshot>>| {
            current.as_ref().is_some_and(|snapshot| !snapshot.is_partial())
        };
        let whole = timeout_at(self.began + FIRST_WORDS, current.wait_for(is_whole)).await;
        Ok(whole.ok().and_then(|whole| whole.ok()?.clone()).unwrap_or(snapshot))
    }

    /// Wakes when the list changed. While only a live playlist grows the snapshot is replaced in
    /// silence.
    pub fn subscribe(&self) -> channel::Receiver<Option<Arc<Snapshot>>> {
        self.current.clone()
    }

    /// A handle whose list never changes: for the tests of others.
    pub fn fixed(snapshot: Snapshot) -> Self {
        let current = channel::channel(Some(Arc::new(snapshot))).1;
        let doubts = mpsc::channel(1).0;
        let (made, began) = (MadeTable::default(), Instant::now());
        Self { current, doubts, store_doubts: Vec::new(), made, began }
    }

    /// What was made of channels, for who makes it.
    pub(crate) fn made(&self) -> &MadeTable {
        &self.made
    }

    /// A file of this channel was not as listed: it is looked at soon.
    pub(crate) fn doubt(&self, entry: &Entry) {
        match &entry.facts.place {
            Place::Disk { .. } => drop(self.doubts.try_send(entry.name.clone())),
            Place::Store { edge, .. } => self.doubt_store(edge.name(), Doubt::All),
            Place::Distant(distant) => self.doubt_store(distant.edge.name(), Doubt::All),
        }
    }

    /// Somebody reads a playlist of this channel: a live one of a bucket is looked at soon, unless it
    /// is fresh. Where nobody has read it in a while, waits for that and answers the list as it is then.
    pub(crate) async fn follow(&self, entry: &Entry) -> Option<Arc<Snapshot>> {
        let Place::Store { edge, looked, .. } = &entry.facts.place else { return None };
        let (fresh, age) = (stock::fresh(&entry.facts), looked.age());
        // Who follows it is served what there is: a store that takes its time is not waited for twice.
        let followed = looked.follow(2 * fresh);
        if !entry.facts.live || age < fresh {
            return None;
        }
        self.doubt_store(edge.name(), Doubt::Live(entry.name.clone()));
        if age < 2 * fresh || followed >= CATCHES_UP {
            return None;
        }
        timeout(CATCHES_UP - followed, looked.next()).await.ok()??;
        // It comes into the list a moment later, if there is anything new.
        for _ in 0..COMES_IN {
            let known = self.current()?;
            if known.entry(&entry.media.id).is_none_or(|now| !Arc::ptr_eq(&now.facts, &entry.facts))
            {
                return Some(known);
            }
            sleep(MOMENT).await;
        }
        None
    }

    fn doubt_store(&self, name: &str, doubt: Doubt) {
        if let Some((_, doubts)) = self.store_doubts.iter().find(|(store, _)| *store == name) {
            let _ = doubts.try_send(doubt);
        }
    }
}

/// Whether the streams folder can be used; it is made if it is not there.
pub fn usable(folders: &Folders) -> Result<(), CatalogError> {
    open(folders).map(drop)
}

fn open(folders: &Folders) -> Result<disk::Disk, CatalogError> {
    let folder = &folders.streams;
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).map_err(|why| CatalogError::Make { folder: shown(), why })?;
    disk::Disk::new(folder).map_err(|why| CatalogError::Read { folder: shown(), why })
}

/// Starts watching the streams folder, which is made if it is not there, and what lies elsewhere. The tasks
/// end with `tasks`; the list is there when the first look at the folder is done, and a source's
/// channels come into it when it has answered.
///
/// Has to be called inside a tokio runtime.
pub fn start(
    folders: &Folders,
    elsewhere: Vec<Elsewhere>,
    tasks: impl Into<Tasks>,
) -> Result<CatalogHandle, CatalogError> {
    let (disk, tasks) = (open(folders)?, tasks.into());
    let stocked = channel::Sender::new(vec![Arc::default(); elsewhere.len()]);
    let stocks = stocked.subscribe();
    let mut store_doubts = Vec::with_capacity(elsewhere.len());
    for (place, source) in elsewhere.into_iter().enumerate() {
        let (doubts, doubted) = mpsc::channel(DOUBTS);
        store_doubts.push((source.name(), doubts));
        tasks.spawn(keep(source, place, stocked.clone(), doubted, tasks.clone()));
    }
    let (publish, current) = channel::channel(None);
    let (doubts, doubted) = mpsc::channel(DOUBTS);
    let made = MadeTable::default();
    let told = (made.clone(), stocks);
    tasks.spawn(watch(folders.clone(), disk, publish, doubted, told, tasks.clone()));
    Ok(CatalogHandle { current, doubts, store_doubts, made, began: Instant::now() })
}

/// Keeps what is known of a source up to date. After a fault it is asked as if for the first time,
/// while its channels stay as they were.
async fn keep(
    source: Elsewhere,
    place: usize,
    publish: channel::Sender<Stocks>,
    mut doubted: mpsc::Receiver<Doubt>,
    tasks: Tasks,
) {
    let mut life = tasks.life(format!("{}_task_ended", stock::word(source.name())));
    loop {
        let (publish, stop) = (publish.clone(), tasks.stop().clone());
        let goes_on = match source.clone() {
            Elsewhere::Store(store) => {
                let keeper = stock::Keeper::new(store, place, publish);
                life.run(stock::run(keeper, &mut doubted, stop)).await
            }
            Elsewhere::Origin(origin) => {
                let keeper = origin::Keeper::new(origin, place, publish);
                life.run(stock::run(keeper, &mut doubted, stop)).await
            }
        };
        if !goes_on {
            return;
        }
    }
}

/// Keeps the list up to date. After a fault the streams folder is read as if for the first time, while
/// the list stays as it was.
async fn watch(
    folders: Folders,
    disk: disk::Disk,
    publish: channel::Sender<Option<Arc<Snapshot>>>,
    mut doubted: mpsc::Receiver<OsString>,
    (made, mut stocks): (MadeTable, channel::Receiver<Stocks>),
    tasks: Tasks,
) {
    let mut life = tasks.life("folder_task_ended");
    let mut first = Some(disk);
    loop {
        let disk = first.take();
        let work = async {
            let folders = folders.clone();
            let disk = match disk {
                Some(disk) => Ok(Ok(disk)),
                None => spawn_blocking(move || open(&folders)).await,
            };
            match disk {
                Ok(Ok(disk)) => {
                    let known = (&made, &mut stocks);
                    watch::run(disk, &publish, &mut doubted, known, tasks.stop()).await;
                }
                Ok(Err(error)) => tracing::warn!("{error}"),
                // It is logged as it ends.
                Err(_) => {}
            }
        };
        if !life.run(work).await {
            return;
        }
    }
}

impl Catalog for CatalogHandle {
    fn is_there(&self) -> bool {
        self.current.borrow().is_some()
    }

    fn window(&self, order: Order, anchor: &Anchor, before: u32, after: u32) -> Option<FeedSlice> {
        let snapshot = self.current().unwrap_or_default();
        let places = snapshot.places(order);
        let total = snapshot.len();
        let (before, after) = (index(before), index(after));
        let of = |id| places.place(snapshot.position(id)?);
        let nearest = |place| index(place).min(total.saturating_sub(1));
        let around = |at: usize| {
            at.saturating_sub(before)..at.saturating_add(after).saturating_add(1).min(total)
        };
        let range = match anchor {
            Anchor::Id(id) => around(of(id)?),
            Anchor::Near(id, place) => around(of(id).unwrap_or_else(|| nearest(*place))),
            Anchor::Place(place) => around(nearest(*place)),
            Anchor::First => 0..after.saturating_add(1).min(total),
            Anchor::Last => total.saturating_sub(before.saturating_add(1))..total,
        };
        let media = snapshot.media();
        let items: Vec<Media> = places.order()[range.clone()]
            .iter()
            .map(|n| Media::clone(&media[*n as usize]))
            .collect();
        Some(FeedSlice {
            items,
            offset: count(range.start),
            total: count(total),
            version: snapshot.version().to_owned(),
            order,
        })
    }

    fn opening(&self, id: &app::catalog::ChannelId) -> app::catalog::Opening {
        let snapshot = self.current().unwrap_or_default();
        let entry = snapshot.position(id).and_then(|place| snapshot.entries().get(place));
        entry.map(|entry| opening::opening(entry)).unwrap_or_default()
    }
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn count(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
