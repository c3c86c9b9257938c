//! A bucket: its channels as they were last seen, and its objects as they are served, through the cache.
//! The task that keeps the list up to date lists the bucket again and again, and reads the channels that
//! changed.

mod keys;
mod looked;
mod object;
mod poller;
mod read;

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::catalog::{ChannelId, Source as Origin};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::poller::Poller;
use self::{keys::InStore, object::BucketObject, read::read};
use super::{
    Asked, Source,
    complete::{CompleteChannel, Incomplete, is_of},
    poll::{self, RefreshRequest, Requests},
    resource::{Caching, FileResource, Resource, SourceError},
};
use crate::{
    cache::CachedStore,
    catalog::{
        ListedChannel,
        record::{ChannelRecord, FileOffer, Offer, SourceId},
        source_list::Publisher,
    },
    storage::Object,
};

/// A longer target duration counts as this, in seconds.
const TARGET_MAX_S: u64 = 20;
/// How long somebody who asks for an old playlist of a live channel waits for a new one,
const CATCHES_UP: Duration = Duration::from_millis(1500);
/// and how often, and after what pause, it is looked for in the list.
const COMES_IN: usize = 15;
const MOMENT: Duration = Duration::from_millis(10);

/// A store whose channels are listed beside those of the streams folder.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// The store, with the cache before it.
    pub edge: CachedStore,
    /// What its media objects say that they come from.
    pub source: Origin,
    /// How often it is listed.
    pub refresh: Duration,
}

/// The channel of this id in a store, out of a list of its objects. Blocks.
pub(crate) fn read_complete(
    store: &BucketConfig,
    objects: Vec<Object>,
    id: &ChannelId,
    runtime: &Handle,
) -> Result<CompleteChannel, Incomplete> {
    let mut groups: Vec<_> = keys::group(objects)
        .into_iter()
        .filter(|(name, group)| is_of(id, &name.to_string_lossy(), !group.is_file()))
        .collect();
    // A folder wins over a file, of files the first.
    groups.sort_by(|(a, one), (b, other)| (one.is_file(), a).cmp(&(other.is_file(), b)));
    let (name, group) = groups.into_iter().next().ok_or(Incomplete::Unknown)?;
    let read = read(&name, &group, None, &mut None, store, runtime.clone());
    let record = read.map_err(Incomplete::Broken)?.ok_or(Incomplete::Unknown)?;
    let name = name.to_string_lossy();
    CompleteChannel::of(&name, record, &mut InStore::new(&name, &group, store, runtime.clone()))
}

/// The bucket at work.
#[derive(Debug)]
pub(crate) struct BucketSource {
    store: BucketConfig,
    requests: Requests,
    /// What polls it now.
    poller: Mutex<Option<Poller>>,
}

impl BucketSource {
    /// Nothing is asked of the bucket before it is polled.
    pub(crate) fn new(store: BucketConfig) -> Self {
        Self { store, requests: Requests::default(), poller: Mutex::default() }
    }

    /// The channel as it is in a moment: a live one is looked at soon, unless it is fresh. Where nobody
    /// has read it in a while, waits for that.
    async fn caught_up(&self, asked: Asked<'_>) -> Option<Arc<ListedChannel>> {
        let Asked { catalog, channel, .. } = asked;
        let looked = {
            let poller = self.poller.lock().unwrap_or_else(PoisonError::into_inner);
            poller.as_ref()?.looked_at(&channel.name)?
        };
        let (fresh, age) = (fresh(&channel.record), looked.age());
        // Who follows it is served what there is: a store that takes its time is not waited for twice.
        let followed = looked.follow(2 * fresh);
        if !channel.record.live || age < fresh {
            return None;
        }
        self.requests.send(RefreshRequest::Live(channel.name.clone()));
        if age < 2 * fresh || followed >= CATCHES_UP {
            return None;
        }
        timeout(CATCHES_UP - followed, looked.next()).await.ok()??;
        // It comes into the list a moment later, if there is anything new.
        for _ in 0..COMES_IN {
            let known = catalog.current()?;
            match known.entry(&channel.media.id) {
                Some(now) if Arc::ptr_eq(&now.record, &channel.record) => {}
                now => return now.cloned(),
            }
            sleep(MOMENT).await;
        }
        None
    }

    fn object(&self, asked: Asked<'_>, offer: &FileOffer) -> Result<FileResource, SourceError> {
        let (record, edge) = (&asked.channel.record, &self.store.edge);
        let key = |path: &str| format!("{}{path}", record.location.prefix);
        let (version, listed) = (asked.version(), offer.stamp);
        let is_current = version.is_none_or(|asked| {
            asked == listed.version() || Some(asked) == offer.pinned.as_deref()
        });
        // If an address names another version that is kept, it is sent as it was then.
        let older = version.filter(|version| !offer.loose && *version != listed.version());
        let older = older.and_then(|version| edge.kept(&key(asked.path), version));
        let stamp = older.unwrap_or(listed);
        let next = record.behind.get(asked.path);
        let next = next.and_then(|next| Some((key(next), record.file(next)?.stamp)));
        Ok(FileResource {
            media_type: offer.media_type,
            stamp,
            caching: Caching::of(offer, stamp, version)?,
            content: Box::new(BucketObject {
                edge: edge.clone(),
                key: key(asked.path),
                stamp,
                redirects: is_current && asked.channel.media.available,
                // What it was is better than nothing, where no address names what it is.
                fallback: offer.loose.then_some(offer.media_type),
                next,
            }),
        })
    }
}

impl Source for BucketSource {
    fn id(&self) -> SourceId {
        SourceId::new(self.store.edge.name())
    }

    /// After a fault it is asked as if for the first time.
    fn poll(
        self: Arc<Self>,
        publish: Publisher,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        async move {
            let poller = Poller::new(self.store.clone(), publish);
            *self.poller.lock().unwrap_or_else(PoisonError::into_inner) = Some(poller.clone());
            poll::run(poller, &self.requests, stop).await;
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Resource, SourceError>> {
        async move {
            match asked.channel.record.files.get(asked.path) {
                Some(Offer::Playlist(playlist)) => {
                    let now = self.caught_up(asked).await;
                    let now = now.as_ref().and_then(|now| now.record.playlist(asked.path));
                    Ok(Resource::Playlist(now.unwrap_or(playlist).served()))
                }
                Some(Offer::File(offer)) => self.object(asked, offer).map(Resource::File),
                None => Err(SourceError::Unnamed),
            }
        }
        .boxed()
    }

    fn request_refresh(&self, _: &ListedChannel) {
        self.requests.send(RefreshRequest::All);
    }

    /// A whole file comes through the cache: whoever opens the channel next finds it there.
    fn read<'a>(
        &'a self,
        channel: &'a ChannelRecord,
        path: &'a str,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, SourceError>> {
        async move {
            let stamp = channel.file(path).ok_or(SourceError::Unnamed)?.stamp;
            let (edge, key) = (&self.store.edge, format!("{}{path}", channel.location.prefix));
            let read = if range == (0..stamp.size) {
                edge.bytes(&key, stamp, stamp.size).await
            } else {
                edge.peek(&key, stamp, range).await
            };
            Ok(read?)
        }
        .boxed()
    }

    fn is_away(&self) -> bool {
        self.store.edge.is_away()
    }
}

/// How long a playlist is fresh: half its target duration, of several the shortest.
fn fresh(record: &ChannelRecord) -> Duration {
    let targets = record.files.values().filter_map(|offer| match offer {
        Offer::Playlist(playlist) => playlist.parsed.playlist().target_duration_s,
        Offer::File(_) => None,
    });
    let least_s = targets.map(|target| target.max(1)).fold(TARGET_MAX_S, u64::min);
    Duration::from_millis(500 * least_s)
}
