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
pub(crate) mod resource;
mod single_file;

use std::{
    fmt, io,
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::{bucket::BucketConfig, remote::RemoteConfig, report::channels};
use self::{
    bucket::BucketSource,
    local::LocalSource,
    remote::RemoteSource,
    resource::{Resource, SourceError},
};
pub(crate) use self::{bucket::read_complete, local::artifact};
use crate::{
    catalog::{
        CatalogHandle, ListedChannel,
        artifacts::ArtifactIndex,
        assemble,
        record::{ChannelRecord, SourceId},
        source_list::{Publisher, SourceList, SourceLists},
    },
    clock::Clock,
    config::Folders,
    tasks::Tasks,
};

/// A source of channels beside the streams folder.
#[derive(Clone, Debug)]
pub enum SourceConfig {
    /// A store that lists its objects.
    Store(BucketConfig),
    /// Another server.
    Origin(RemoteConfig),
}

impl From<BucketConfig> for SourceConfig {
    fn from(store: BucketConfig) -> Self {
        Self::Store(store)
    }
}

impl From<RemoteConfig> for SourceConfig {
    fn from(origin: RemoteConfig) -> Self {
        Self::Origin(origin)
    }
}

impl SourceConfig {
    fn source(self) -> Arc<dyn Source> {
        match self {
            Self::Store(store) => Arc::new(BucketSource::new(store)),
            Self::Origin(origin) => Arc::new(RemoteSource::new(origin)),
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

/// A source of channels. Everybody who lists, serves or reads them does so through this.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// Whose channels they are: every record of its list names it.
    fn id(&self) -> SourceId;

    /// Keeps its list up to date until `stop`, and tells `publish` each time that it changes. Ends before
    /// only by a fault; it is called again then, while what was told last stays listed.
    fn poll(self: Arc<Self>, publish: Publisher, stop: CancellationToken)
    -> BoxFuture<'static, ()>;

    /// What an address of one of its channels leads to.
    ///
    /// # Errors
    /// [`SourceError`]: nothing, or nothing that can be sent now.
    fn resolve<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Resource, SourceError>>;

    /// Something of a channel was not as it is listed: it is looked at soon.
    fn request_refresh(&self, channel: &ListedChannel);

    /// Bytes `range` of a listed file, for who makes something of them.
    ///
    /// # Errors
    /// [`SourceError`]: it cannot be read, or never this way.
    fn read<'a>(
        &'a self,
        _channel: &'a ChannelRecord,
        _path: &'a str,
        _range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, SourceError>> {
        ready(Err(SourceError::Unnamed)).boxed()
    }

    /// It is known to be away.
    fn is_away(&self) -> bool {
        false
    }

    /// How long an answer may take until its first bytes are there, where the source may never answer.
    fn deadline(&self) -> Option<Duration> {
        None
    }
}

/// What somebody asks of a channel.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) catalog: &'a CatalogHandle,
    pub(crate) channel: &'a Arc<ListedChannel>,
    /// Inside the channel, decoded; the name of the file where the channel is a single one.
    pub(crate) path: &'a str,
    /// What stands behind the question mark.
    pub(crate) query: Option<&'a str>,
    /// When that is: a playlist may be another at another time.
    #[cfg_attr(not(test), expect(dead_code, reason = "no source computes its playlists yet"))]
    pub(crate) at: SystemTime,
}

impl Asked<'_> {
    /// The version that the address names: `v=` in its query.
    pub(crate) fn version(&self) -> Option<&str> {
        self.query?.split('&').rev().find_map(|pair| pair.strip_prefix("v="))
    }
}

/// All sources, and the list that is made of what they have; a cheap clone.
#[derive(Clone, Debug)]
pub struct Sources {
    catalog: CatalogHandle,
    all: Arc<[Arc<dyn Source>]>,
    clock: Clock,
}

impl Sources {
    /// The list.
    pub fn catalog(&self) -> &CatalogHandle {
        &self.catalog
    }

    fn of(&self, id: SourceId) -> Option<&Arc<dyn Source>> {
        self.all.iter().find(|source| source.id() == id)
    }

    /// What an address of a channel leads to now: `path` inside it, with what stands behind the question
    /// mark.
    pub(crate) async fn resolve(
        &self,
        channel: &Arc<ListedChannel>,
        path: &str,
        query: Option<&str>,
    ) -> Result<Resource, SourceError> {
        let source = self.of(channel.record.location.source).ok_or(SourceError::Gone)?;
        let (catalog, at) = (&self.catalog, self.clock.now());
        source.resolve(Asked { catalog, channel, path, query, at }).await
    }

    /// Bytes of a listed file.
    pub(crate) async fn read(
        &self,
        channel: &ChannelRecord,
        path: &str,
        range: Range<u64>,
    ) -> Result<Bytes, SourceError> {
        let source = self.of(channel.location.source).ok_or(SourceError::Gone)?;
        source.read(channel, path, range).await
    }

    /// How long an answer of this channel may take.
    pub(crate) fn deadline(&self, channel: &ListedChannel) -> Option<Duration> {
        self.of(channel.record.location.source)?.deadline()
    }

    /// Something of this channel could not be sent: its source is asked where that says that the list is
    /// wrong, or tells before the next look that the source is away.
    pub(crate) fn failed(&self, channel: &ListedChannel, error: SourceError) {
        let Some(source) = self.of(channel.record.location.source) else { return };
        let is_news = || channel.media.available && source.is_away();
        if error.is_doubtful() || (error == SourceError::Away && is_news()) {
            source.request_refresh(channel);
        }
    }
}

/// Whether the streams folder can be used; it is made if it is not there.
pub fn usable(folders: &Folders) -> Result<(), CatalogError> {
    local::open(&folders.streams).map(drop)
}

/// Starts reading the streams folder, which is made if it is not there, and what lies elsewhere. The tasks
/// end with `tasks`; the list is there when the first look at the folder is done, and a source's
/// channels come into it when it has answered.
///
/// Has to be called inside a tokio runtime.
pub fn start(
    folders: &Folders,
    elsewhere: Vec<SourceConfig>,
    clock: Clock,
    tasks: impl Into<Tasks>,
) -> Result<Sources, CatalogError> {
    let folder = LocalSource::new(&folders.streams)?;
    let mut all: Vec<Arc<dyn Source>> = vec![Arc::new(folder)];
    all.extend(elsewhere.into_iter().map(SourceConfig::source));
    Ok(start_all(all, clock, tasks.into()))
}

fn start_all(all: Vec<Arc<dyn Source>>, clock: Clock, tasks: Tasks) -> Sources {
    let unheard = all.iter().map(|source| Arc::new(SourceList::new(source.id())));
    let lists = watch::Sender::new(unheard.collect::<SourceLists>());
    let mut assembled = lists.subscribe();
    for (place, source) in all.iter().enumerate() {
        let publish = Publisher::new(place, lists.clone());
        tasks.spawn(keep_polling(source.clone(), publish, tasks.clone()));
    }
    let (publish, current) = watch::channel(None);
    let made = ArtifactIndex::default();
    let (owner, artifacts) = (tasks.clone(), made.clone());
    tasks.spawn(async move {
        let mut life = owner.life("catalog_task_ended");
        let stop = owner.stop();
        while life.run(assemble::run(&mut assembled, &artifacts, &publish, stop)).await {}
    });
    Sources { catalog: CatalogHandle::new(current, made), all: all.into(), clock }
}

async fn keep_polling(source: Arc<dyn Source>, publish: Publisher, tasks: Tasks) {
    let mut life = tasks.life(format!("{}_task_ended", source.id().word()));
    while life.run(source.clone().poll(publish.clone(), tasks.stop().clone())).await {}
}

#[cfg(test)]
mod tests;
