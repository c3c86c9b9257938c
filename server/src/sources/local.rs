//! The streams folder of this host: what lies there, over time, and its files as they are served.

pub(crate) mod entry;
pub(crate) mod names;
mod scan;
mod watch;

use std::{
    ffi::OsString,
    fs,
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_util::sync::CancellationToken;

pub(crate) use self::scan::StreamsFolder;
use super::{
    Asked, CatalogError, Source,
    resource::{Caching, Content, FileResource, Resource, SourceError},
};
use crate::{
    cache::Opened,
    catalog::{
        ListedChannel,
        artifacts::ArtifactFile,
        record::{FileOffer, Offer, SourceId},
        source_list::Publisher,
    },
    storage::local::{FileVersion, in_time, is_absent, is_out_of_room, open_at_once, open_below},
};

/// How many names may wait to be looked at again because a file of theirs was not as listed; when
/// full, more are dropped: the periodic look finds them.
const REQUESTS: usize = 64;

/// The streams folder.
#[derive(Debug)]
pub(crate) struct LocalSource {
    /// As configured.
    folder: PathBuf,
    /// Knows nothing yet; for the first task that polls.
    first: Mutex<Option<StreamsFolder>>,
    doubts: mpsc::Sender<OsString>,
    doubted: Arc<tokio::sync::Mutex<mpsc::Receiver<OsString>>>,
}

impl LocalSource {
    /// The folder, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, or not be listed.
    pub(crate) fn new(folder: &Path) -> Result<Self, CatalogError> {
        let first = Mutex::new(Some(open(folder)?));
        let (doubts, doubted) = mpsc::channel(REQUESTS);
        let doubted = Arc::new(tokio::sync::Mutex::new(doubted));
        Ok(Self { folder: folder.to_owned(), first, doubts, doubted })
    }

    async fn file(&self, asked: Asked<'_>, offer: &FileOffer) -> Result<Resource, SourceError> {
        let folder = asked.channel.record.location.folder.as_ref().ok_or(SourceError::Gone)?;
        let path = folder.path.join(asked.path);
        let opened = open_file(&folder.root, path).await?;
        if opened.1 != offer.stamp {
            self.request_refresh(asked.channel);
        }
        resource(opened, offer, asked.version())
    }
}

impl Source for LocalSource {
    fn id(&self) -> SourceId {
        SourceId::LOCAL
    }

    /// After a fault the folder is read as if for the first time.
    fn poll(
        self: Arc<Self>,
        publish: Publisher,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        async move {
            let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
            let disk = match first {
                Some(disk) => Ok(Ok(disk)),
                None => {
                    let folder = self.folder.clone();
                    spawn_blocking(move || open(&folder)).await
                }
            };
            match disk {
                Ok(Ok(disk)) => {
                    let mut doubted = self.doubted.lock().await;
                    watch::run(disk, &publish, &mut doubted, &stop).await;
                }
                Ok(Err(error)) => tracing::warn!("{error}"),
                // It is logged as it ends.
                Err(_) => {}
            }
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Resource, SourceError>> {
        async move {
            match asked.channel.record.files.get(asked.path) {
                Some(Offer::Playlist(playlist)) => Ok(Resource::Playlist(playlist.served())),
                Some(Offer::File(offer)) => self.file(asked, offer).await,
                None => Err(SourceError::Unnamed),
            }
        }
        .boxed()
    }

    fn request_refresh(&self, channel: &ListedChannel) {
        let _ = self.doubts.try_send(channel.name.clone());
    }
}

/// The folder, which is made if it is not there.
pub(super) fn open(folder: &Path) -> Result<StreamsFolder, CatalogError> {
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).map_err(|why| CatalogError::Make { folder: shown(), why })?;
    StreamsFolder::new(folder).map_err(|why| CatalogError::Read { folder: shown(), why })
}

/// Something that was made of a channel: its address never names a version.
pub(crate) async fn artifact(made: &ArtifactFile) -> Result<Resource, SourceError> {
    let path = made.root.join(&*made.name);
    resource(open_file(&made.root, path).await?, &made.offer(), None)
}

/// A file below `root`, as it is now.
async fn open_file(root: &Path, path: PathBuf) -> Result<(File, FileVersion), SourceError> {
    let opened = match open_at_once(root, &path) {
        Some(opened) => Ok(opened),
        None => {
            let below = root.to_owned();
            in_time(root, move || open_below(&below, &path)).await.and_then(|opened| opened)
        }
    };
    opened.map_err(|error| {
        if is_absent(&error) {
            SourceError::Gone
        } else if error.kind() == io::ErrorKind::TimedOut || is_out_of_room(&error) {
            SourceError::Later
        } else {
            SourceError::Unreadable
        }
    })
}

/// An open file as it is sent to who asks for this `version` of it.
fn resource(
    (file, stamp): (File, FileVersion),
    offer: &FileOffer,
    version: Option<&str>,
) -> Result<Resource, SourceError> {
    Ok(Resource::File(FileResource {
        media_type: offer.media_type,
        stamp,
        caching: Caching::of(offer, stamp, version)?,
        content: Box::new(OpenFile(Some(file))),
    }))
}

/// A file that is open.
struct OpenFile(Option<File>);

impl Content for OpenFile {
    fn open(&mut self, _: Range<u64>) -> BoxFuture<'_, Result<Opened, SourceError>> {
        let file = self.0.take().map(Opened::File).ok_or(SourceError::Gone);
        std::future::ready(file).boxed()
    }
}
