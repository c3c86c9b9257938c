//! Another server at work: its channels as they are served, each playlist read when it is asked for and
//! each file by way of the cache.

use std::{
    ops::Range,
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;

use super::{
    Channels, Poller, RemoteConfig,
    channel::{File, How, Named, RemoteChannel},
};
use crate::{
    cache::{CachedStore, Opened, Purpose},
    catalog::{ListedChannel, record::SourceId, source_list::Publisher},
    hls::media_type,
    sources::{
        Asked, Source,
        poll::{self, RefreshRequest, Requests},
        resource::{Caching, Content, FileResource, Resource, SourceError},
    },
    storage::{FoundObject, StoreError, local::FileVersion},
};

/// How long all may take that the server is asked for, until the first bytes are there.
const DEADLINE: Duration = Duration::from_millis(1900);

/// The server.
#[derive(Debug)]
pub(crate) struct RemoteSource {
    origin: RemoteConfig,
    requests: Requests,
    channels: Channels,
}

impl RemoteSource {
    /// Nothing is asked of it before it is polled.
    pub(crate) fn new(origin: RemoteConfig) -> Self {
        Self { origin, requests: Requests::default(), channels: Channels::default() }
    }

    fn channel(&self, entry: &ListedChannel) -> Option<Arc<RemoteChannel>> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.get(&entry.name).cloned()
    }

    async fn resource(&self, asked: Asked<'_>) -> Result<Resource, SourceError> {
        let (record, path) = (&asked.channel.record, asked.path);
        if let Some(address) = record.beside.get(path) {
            let file = File::beside(address);
            let media_type = media_type_of(path, &file);
            return self.file(&file, media_type).await;
        }
        // It has just left the list: nothing is wrong with that.
        let channel = self.channel(asked.channel).ok_or(SourceError::Unnamed)?;
        let is_itself = record.bare && path == record.main;
        let found = channel.find(if is_itself { "" } else { path }, asked.query).await?;
        match found.ok_or(SourceError::Unnamed)? {
            Named::Playlist(address) => {
                Ok(Resource::Playlist(channel.playlist(path, &address).await?))
            }
            Named::File(file) if is_itself => {
                self.file(&file, media_type::of_mime(&record.mime, &record.main)).await
            }
            Named::File(file) => self.file(&file, media_type_of(path, &file)).await,
        }
    }

    async fn file(&self, file: &File, media_type: &'static str) -> Result<Resource, SourceError> {
        let edge = &self.origin.edge;
        let found = match file.how {
            How::Older => find_older(edge, file).await?,
            How::Plain | How::Exact => match edge.find(&file.address, file.turn).await {
                Ok(found) => found,
                Err(error) => {
                    let error = SourceError::from(error);
                    let kept = kept(edge, file, media_type).filter(|_| error == SourceError::Away);
                    return kept.map(Resource::File).ok_or(error);
                }
            },
        };
        let (edge, file) = (edge.clone(), file.clone());
        let sought_again = file.how == How::Older;
        let content = RemoteFile { edge, file, media_type, found, sought_again };
        Ok(Resource::File(content.resource()))
    }
}

impl Source for RemoteSource {
    fn id(&self) -> SourceId {
        SourceId::new(self.origin.edge.name())
    }

    /// After a fault it is asked as if for the first time.
    fn poll(
        self: Arc<Self>,
        publish: Publisher,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        async move {
            let poller = Poller::new(self.origin.clone(), publish, self.channels.clone());
            poll::run(poller, &self.requests, stop).await;
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Resource, SourceError>> {
        self.resource(asked).boxed()
    }

    fn request_refresh(&self, _: &ListedChannel) {
        self.requests.send(RefreshRequest::All);
    }

    fn is_away(&self) -> bool {
        self.origin.edge.is_away()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }
}

/// Another state of a file than its playlist names: that server knows whether it still has it. Where
/// it has not, nothing here is wrong.
async fn find_older(edge: &CachedStore, file: &File) -> Result<FoundObject, SourceError> {
    if !edge.knows(&file.address) && !edge.may_ask_for_older() {
        return Err(SourceError::Unnamed);
    }
    let found = edge.find(&file.address, file.turn).await.map_err(|error| match error {
        StoreError::Gone | StoreError::Changed => SourceError::Unnamed,
        error => error.into(),
    })?;
    let size = file.address.rsplit_once("?v=").and_then(|(_, version)| version.split_once('-'));
    let size = size.and_then(|(size, _)| u64::from_str_radix(size, 16).ok());
    if size == Some(found.stamp.size) { Ok(found) } else { Err(SourceError::Unnamed) }
}

/// What it was is better than nothing, where no other had its address.
fn kept(edge: &CachedStore, file: &File, media_type: &'static str) -> Option<FileResource> {
    if file.turn != 0 || file.how == How::Older {
        return None;
    }
    let stamp = edge.kept_any(&file.address)?;
    let content = Kept { edge: edge.clone(), address: file.address.clone(), stamp };
    let (caching, content) = (Caching::Revalidate, Box::new(content));
    Some(FileResource { media_type, stamp, caching, content })
}

/// By our name for it, else by its own.
fn media_type_of(path: &str, file: &File) -> &'static str {
    let own = file.address.split(['?', '#']).next().unwrap_or_default();
    let by_own = media_type::of(own);
    let is_poster = media_type::of(path).starts_with("image/");
    if is_poster && by_own.starts_with("image/") { by_own } else { media_type::of(path) }
}

/// A file as it was found.
struct RemoteFile {
    edge: CachedStore,
    file: File,
    media_type: &'static str,
    found: FoundObject,
    /// It may be another since somebody found it; that is seen to once.
    sought_again: bool,
}

impl RemoteFile {
    /// As it is sent. A version by itself is an address that leads to the same bytes as long as its
    /// server says.
    fn resource(self) -> FileResource {
        let (stamp, fresh) = (self.found.stamp, &self.found.fresh);
        // Without its version an address leads to whatever is there.
        let lasts = fresh.lasts.filter(|_| fresh.immutable && self.file.how != How::Plain);
        let caching = match lasts {
            // What is not for others there is not for others here.
            _ if fresh.passing => Caching::NoStore,
            Some(lasts) => Caching::ImmutableFor(lasts),
            None => Caching::Revalidate,
        };
        FileResource { media_type: self.media_type, stamp, caching, content: Box::new(self) }
    }
}

impl Content for RemoteFile {
    fn open(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Opened, SourceError>> {
        async move {
            let (purpose, stamp) = (Purpose::of(&self.found), self.found.stamp);
            Ok(self.edge.open_for(purpose, &self.file.address, stamp, range).await?)
        }
        .boxed()
    }

    fn instead(
        &self,
        error: SourceError,
    ) -> BoxFuture<'_, Result<Option<FileResource>, SourceError>> {
        async move {
            let Self { edge, file, media_type, .. } = self;
            if error == SourceError::Gone && !self.sought_again {
                edge.request_refresh(&file.address, file.turn);
                let found = edge.find(&file.address, file.turn).await?;
                let (edge, file) = (edge.clone(), file.clone());
                let again = Self { edge, file, media_type, found, sought_again: true };
                return Ok(Some(again.resource()));
            }
            Ok(kept(edge, file, media_type).filter(|_| error == SourceError::Away))
        }
        .boxed()
    }

    /// Where this is for once, so is likely the next.
    fn prefetch_next(&self) {
        if let Some((next, turn)) = self.file.next.as_ref().filter(|_| !self.found.is_for_once()) {
            self.edge.find_ahead(next, *turn);
        }
    }
}

/// What is kept of a file whose server is away.
struct Kept {
    edge: CachedStore,
    address: Arc<str>,
    stamp: FileVersion,
}

impl Content for Kept {
    fn open(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Opened, SourceError>> {
        async move {
            Ok(self.edge.open_for(Purpose::Cache, &self.address, self.stamp, range).await?)
        }
        .boxed()
    }
}
