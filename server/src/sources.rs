//! Where channels come from: the streams folder, buckets, other servers.

mod beginning;
pub(crate) mod bucket;
mod channel_toml;
pub(crate) mod complete;
mod files;
mod folder;
pub(crate) mod local;
pub(crate) mod poll;
mod probe_cache;
mod range_reader;
pub(crate) mod remote;
pub mod report;
mod single_file;

use std::{ffi::OsString, fs, io, sync::Arc};

use tokio::{
    sync::{mpsc, watch as channel},
    task::spawn_blocking,
};

pub(crate) use self::bucket::read_whole;
use self::{bucket::Stocks, local::Disk, poll::Doubt};
pub use self::{bucket::StoreSource, remote::OriginSource, report::channels};
use crate::{
    catalog::{CatalogHandle, Snapshot, artifacts::MadeTable},
    config::Folders,
    tasks::Tasks,
};

/// How many names may wait to be looked at again because a file of theirs was not as listed; when
/// full, more are dropped: the periodic look finds them.
const DOUBTS: usize = 64;
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

/// Whether the streams folder can be used; it is made if it is not there.
pub fn usable(folders: &Folders) -> Result<(), CatalogError> {
    open(folders).map(drop)
}

fn open(folders: &Folders) -> Result<Disk, CatalogError> {
    let folder = &folders.streams;
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).map_err(|why| CatalogError::Make { folder: shown(), why })?;
    Disk::new(folder).map_err(|why| CatalogError::Read { folder: shown(), why })
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
    Ok(CatalogHandle::new(current, doubts, store_doubts, made))
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
    let mut life = tasks.life(format!("{}_task_ended", bucket::word(source.name())));
    loop {
        let (publish, stop) = (publish.clone(), tasks.stop().clone());
        let goes_on = match source.clone() {
            Elsewhere::Store(store) => {
                let keeper = bucket::Keeper::new(store, place, publish);
                life.run(poll::run(keeper, &mut doubted, stop)).await
            }
            Elsewhere::Origin(origin) => {
                let keeper = remote::Keeper::new(origin, place, publish);
                life.run(poll::run(keeper, &mut doubted, stop)).await
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
    disk: Disk,
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
                    local::watch::run(disk, &publish, &mut doubted, known, tasks.stop()).await;
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
