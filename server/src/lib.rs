//! What is done: catalogue, delivery, chat and conversion behind one [`serve`].

mod addresses;
pub mod cache;
pub mod catalog;
pub mod chat;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod doctor;
pub mod error;
pub mod hls;
pub mod http;
pub mod metrics;
pub mod posters;
mod probe;
pub mod pulse;
pub mod sources;
pub mod storage;
pub mod tasks;
pub mod telemetry;
pub mod transcode;
pub mod transfer;
pub mod websocket;

use std::{io, sync::Arc, time::Duration};

use app::catalog::{Kind, Source};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{
    cache::{Edge, Shelf},
    catalog::CatalogHandle,
    clock::Clock,
    config::{BucketSettings, CacheSettings, Config, Delivery, Folders, OriginSettings},
    http::{assets::Site, listener, router, state::AppState},
    metrics::{Metrics, Now},
    pulse::PulseHandle,
    sources::{CatalogError, Elsewhere, OriginSource, StoreSource},
    storage::{http::Origin, s3::Bucket},
    tasks::Tasks,
    websocket::LiveHandle,
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
    // Pages may be rendered before anything else spawns; a second start in one process keeps the first.
    let _ = any_spawner::Executor::init_tokio();
    let tasks = Tasks::new(shutdown.clone());
    let shelf = Shelf::to_share(&config.cache.folder(&config.folders), config.cache.max.0);
    let sources = elsewhere(&config.bucket, &config.origins, &shelf, &shutdown);
    if !sources.is_empty() {
        tasks.spawn(shelf.keep_house(shutdown.clone()));
    }
    let sources = sources::start(&config.folders, sources, Clock::SYSTEM, tasks.clone())?;
    let catalog = sources.catalog().clone();
    posters::start(posters::Settings::new(&config.folders.data), sources.clone(), tasks.clone());
    let list = websocket::follow(catalog.subscribe(), tasks.clone());
    let live = LiveHandle::start(&config, list, tasks.clone());
    let metrics = Metrics::new().map_err(io::Error::other)?;
    let pulse = PulseHandle::start(
        &config,
        metrics.clone(),
        now_of(catalog.clone(), live.clone()),
        tasks.clone(),
    );
    let leads = config.bucket.delivery == Delivery::Redirect;
    let direct = match leads.then(|| Bucket::new(&config.bucket)).flatten() {
        Some(bucket) => bucket.direct_origin().await.map(Into::into),
        None => None,
    };
    let trusted = config.trusted_proxies.clone();
    let state = AppState {
        direct,
        join_url: join_url(&config, &listeners).into(),
        config: Arc::new(config),
        catalog,
        sources,
        live: live.clone(),
        metrics,
        pulse,
        site: Arc::new(site),
        tasks: tasks.clone(),
        shutdown,
    };
    listener::serve(router::router(state), listeners, trusted, tasks.clone()).await?;
    live.closed().await;
    tasks.closed(TASKS_END).await;
    Ok(())
}

/// The sources beside the streams folder that are set, with one cache before all of them.
fn elsewhere(
    bucket: &BucketSettings,
    origins: &OriginSettings,
    shelf: &Shelf,
    shutdown: &CancellationToken,
) -> Vec<Elsewhere> {
    let refresh = bucket.refresh.0;
    let mut sources: Vec<Elsewhere> = Vec::new();
    sources.extend(on_shelf(bucket, shelf, shutdown).map(Elsewhere::from));
    let both = [("video", &origins.video, Kind::Video), ("audio", &origins.audio, Kind::Audio)];
    for (name, setting, kind) in both {
        let Some(url) = &setting.0 else { continue };
        let origin = Origin::new(name, url, &origins.allow_private.0);
        let edge = Edge::new(Arc::new(origin), shelf.clone(), shutdown.clone());
        sources.push(OriginSource { edge, address: url.url().clone(), kind, refresh }.into());
    }
    sources
}

/// What a server keeps in its cache, for who only looks at it. Blocks.
fn kept(cache: &CacheSettings, folders: &Folders) -> Shelf {
    let shelf = Shelf::to_read(&cache.folder(folders));
    shelf.rescan();
    shelf
}

/// The bucket that is set, with the cache before it.
fn on_shelf(
    settings: &BucketSettings,
    shelf: &Shelf,
    stop: &CancellationToken,
) -> Option<StoreSource> {
    let bucket = Bucket::new(settings)?;
    let edge = Edge::new(Arc::new(bucket), shelf.clone(), stop.clone());
    Some(StoreSource { edge, source: Source::S3, refresh: settings.refresh.0 })
}

/// What the others count, as it is when it is asked.
fn now_of(catalog: CatalogHandle, live: LiveHandle) -> impl Fn() -> Now + Send + Sync {
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
    if let Some(url) = &config.public_url.0 {
        return url.as_str().to_owned();
    }
    let listening = listeners.iter().find_map(|listener| listener.local_addr().ok());
    let first = listening.and_then(|address| addresses::lan(address).into_iter().next());
    first.unwrap_or_else(|| format!("http://localhost:{}", config.port))
}
