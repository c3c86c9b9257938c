//! A server in three phases: it opens what it needs, which may fail; it starts its tasks; it listens.

use std::{io, sync::Arc, time::Duration};

use app::catalog::{Kind, Source};
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    addresses,
    cache::{CachedStore, DiskCache},
    catalog::CatalogHandle,
    clock::Clock,
    config::{BucketSettings, CacheSettings, Config, Delivery, Folders, OriginSettings},
    data_dir::DataDir,
    http::{assets::Site, listener, router, state::AppState},
    metrics::{Metrics, Now},
    posters,
    rum::RumHandle,
    sources::{self, BucketConfig, CatalogError, RemoteConfig, SourceConfig},
    storage::{http::Origin, s3::Bucket},
    tasks::Tasks,
    websocket::{self, WebsocketHandle},
};

/// How long all tasks together may take to end when the server stops.
const TASKS_END: Duration = Duration::from_secs(1);

/// Why the server could not start, or stopped early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The streams folder cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The connections ended.
    #[error("the server stopped: {0}")]
    Listen(#[from] io::Error),
}

/// Serves the app on `listeners` until `shutdown` is cancelled, then drains: open requests have a
/// few seconds to end, sockets are closed.
///
/// # Errors
/// The streams folder is missing or cannot be read, or the connections ended.
pub async fn serve(
    config: Config,
    site: Site,
    listeners: Vec<TcpListener>,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let join_url = join_url(&config, &listeners);
    Opened::new(config, site, shutdown)?.start(join_url).await?.listen(listeners).await
}

/// What a server needs, opened and checked; nothing runs yet.
#[derive(Debug)]
pub struct Opened {
    config: Config,
    site: Site,
    data: DataDir,
    shelf: DiskCache,
    elsewhere: Vec<SourceConfig>,
    makes: bool,
    shutdown: CancellationToken,
}

impl Opened {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// The streams folder cannot be made or read.
    pub fn new(
        config: Config,
        site: Site,
        shutdown: CancellationToken,
    ) -> Result<Self, ServeError> {
        // Pages may be rendered before anything else spawns; a second start in one process keeps the
        // first.
        let _ = any_spawner::Executor::init_tokio();
        sources::usable(&config.folders)?;
        let data = DataDir::new(&config.folders.data);
        let shelf = DiskCache::to_share(&config.cache.folder(&config.folders), config.cache.max.0);
        let elsewhere = elsewhere(&config.bucket, &config.origins, &shelf, &shutdown);
        Ok(Self { config, site, data, shelf, elsewhere, makes: true, shutdown })
    }

    /// With these sources beside those that the settings name.
    pub fn beside(mut self, sources: impl IntoIterator<Item = SourceConfig>) -> Self {
        self.elsewhere.extend(sources);
        self
    }

    /// Without posters and waveforms: no other program is started.
    pub fn making_nothing(self) -> Self {
        Self { makes: false, ..self }
    }

    /// Starts the tasks. `join_url` is the address that others are told where none is set.
    ///
    /// # Errors
    /// The streams folder cannot be read any more.
    pub async fn start(self, join_url: impl Into<Arc<str>>) -> Result<Started, ServeError> {
        let Self { config, site, data, shelf, elsewhere, makes, shutdown } = self;
        let tasks = Tasks::new(shutdown.clone());
        tasks.spawn({
            let (data, stop) = (data.clone(), shutdown.clone());
            async move { data.keep(&stop).await }
        });
        if !elsewhere.is_empty() {
            tasks.spawn(shelf.keep_house(shutdown.clone()));
        }
        let sources = sources::start(&config.folders, elsewhere, Clock::SYSTEM, tasks.clone())?;
        let catalog = sources.catalog().clone();
        if makes {
            posters::start(posters::Settings::new(data.clone()), sources.clone(), tasks.clone());
        }
        let list = websocket::follow(catalog.subscribe(), tasks.clone());
        let websocket = WebsocketHandle::start(&config.network, &config.chat, list, tasks.clone());
        let metrics = Metrics::new().map_err(io::Error::other)?;
        let now = now_of(catalog.clone(), websocket.clone());
        let rum = RumHandle::start(&config.network, metrics.clone(), now, tasks.clone());
        let leads = config.bucket.delivery == Delivery::Redirect;
        let direct = match leads.then(|| Bucket::new(&config.bucket)).flatten() {
            Some(bucket) => bucket.direct_origin().await.map(Into::into),
            None => None,
        };
        let state = AppState {
            direct,
            join_url: join_url.into(),
            config: Arc::new(config),
            data,
            catalog,
            sources,
            websocket,
            metrics,
            rum,
            site: Arc::new(site),
            tasks,
            shutdown,
        };
        Ok(Started { state })
    }
}

/// A server whose tasks run.
#[derive(Clone)]
pub struct Started {
    state: AppState,
}

impl Started {
    /// The handles of its features.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The same, to put others in their place.
    pub fn state_mut(&mut self) -> &mut AppState {
        &mut self.state
    }

    /// All of its addresses.
    pub fn router(&self) -> Router {
        router::router(self.state.clone())
    }

    /// Answers on `listeners` until the server is to stop, then waits for its tasks.
    ///
    /// # Errors
    /// The connections ended.
    pub async fn listen(self, listeners: Vec<TcpListener>) -> Result<(), ServeError> {
        let Self { state } = &self;
        let network = &state.config.network;
        listener::serve(self.router(), listeners, network, state.tasks.clone()).await?;
        state.websocket.closed().await;
        state.tasks.closed(TASKS_END).await;
        Ok(())
    }
}

/// The sources beside the streams folder that are set, with one cache before all of them.
pub(crate) fn elsewhere(
    bucket: &BucketSettings,
    origins: &OriginSettings,
    shelf: &DiskCache,
    shutdown: &CancellationToken,
) -> Vec<SourceConfig> {
    let refresh = bucket.refresh.0;
    let mut sources: Vec<SourceConfig> = Vec::new();
    sources.extend(on_shelf(bucket, shelf, shutdown).map(SourceConfig::from));
    let both = [("video", &origins.video, Kind::Video), ("audio", &origins.audio, Kind::Audio)];
    for (name, setting, kind) in both {
        let Some(url) = &setting.0 else { continue };
        let origin = Origin::new(name, url, &origins.allow_private.0);
        let edge = CachedStore::new(Arc::new(origin), shelf.clone(), shutdown.clone());
        sources.push(RemoteConfig { edge, address: url.url().clone(), kind, refresh }.into());
    }
    sources
}

/// What a server keeps in its cache, for who only looks at it. Blocks.
pub(crate) fn kept(cache: &CacheSettings, folders: &Folders) -> DiskCache {
    let shelf = DiskCache::to_read(&cache.folder(folders));
    shelf.rescan();
    shelf
}

/// The bucket that is set, with the cache before it.
pub(crate) fn on_shelf(
    settings: &BucketSettings,
    shelf: &DiskCache,
    stop: &CancellationToken,
) -> Option<BucketConfig> {
    let bucket = Bucket::new(settings)?;
    let edge = CachedStore::new(Arc::new(bucket), shelf.clone(), stop.clone());
    Some(BucketConfig { edge, source: Source::S3, refresh: settings.refresh.0 })
}

/// What the others count, as it is when it is asked.
fn now_of(catalog: CatalogHandle, live: WebsocketHandle) -> impl Fn() -> Now + Send + Sync {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    move || {
        let totals = live.totals();
        Now {
            channels: count(catalog.current().map_or(0, |snapshot| snapshot.len())),
            sockets: count(live.open_sockets()),
            rooms: totals.rooms,
            messages: totals.messages,
            reactions: totals.reactions,
        }
    }
}

/// `PUBLIC_URL`, else the first address that a phone can reach, else the one it listens on.
fn join_url(config: &Config, listeners: &[TcpListener]) -> String {
    if let Some(url) = &config.network.public_url.0 {
        return url.as_str().to_owned();
    }
    let listening = listeners.iter().find_map(|listener| listener.local_addr().ok());
    let first = listening.and_then(|address| addresses::lan(address).into_iter().next());
    first.unwrap_or_else(|| format!("http://localhost:{}", config.port))
}
