//! A server of another host, as far as this process can be one: a router on a port of its own that
//! counts what it is asked, fails as it is told to, and can be killed and revived.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::catalog::Kind;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse,
    routing::get,
};
use carrete::{
    cache::{CachedStore, DiskCache},
    config::{OriginUrl, Site},
    sources::RemoteConfig,
    storage::http::Origin,
};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::fixtures::playlist;

/// How a server behaves.
#[derive(Debug, Default)]
pub(crate) struct Temper {
    /// Every answer is 503.
    pub(crate) down: AtomicBool,
    /// No answer ever comes.
    pub(crate) silent: AtomicBool,
    /// An answer waits so long, in milliseconds.
    pub(crate) latency_ms: AtomicU64,
    /// So many more bodies are cut in their middle.
    pub(crate) cuts: AtomicUsize,
    asked: Mutex<Vec<(String, StatusCode)>>,
}

impl Temper {
    /// How often something was asked for whose address (path and query) holds this.
    pub(crate) fn asked(&self, part: &str) -> usize {
        let asked = self.asked.lock().expect("no test panicked here");
        asked.iter().filter(|(path, _)| path.contains(part)).count()
    }

    /// How often the answer to that was this.
    pub(crate) fn answered(&self, part: &str, status: StatusCode) -> usize {
        let asked = self.asked.lock().expect("no test panicked here");
        asked.iter().filter(|(path, told)| path.contains(part) && *told == status).count()
    }
}

/// A server, and a folder for the cache before it.
pub(crate) struct Server {
    pub(crate) temper: Arc<Temper>,
    pub(crate) address: SocketAddr,
    router: Arc<Mutex<Router>>,
    running: Option<JoinHandle<()>>,
    cache: TempDir,
    stop: CancellationToken,
}

impl Server {
    pub(crate) async fn new(router: Router) -> Self {
        let mut server = Self {
            temper: Arc::default(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            router: Arc::new(Mutex::new(router)),
            running: None,
            cache: tempfile::tempdir().expect("a folder"),
            stop: CancellationToken::new(),
        };
        server.revive().await;
        server
    }

    /// Serves something else from now on.
    pub(crate) fn becomes(&self, router: Router) {
        *self.router.lock().expect("no test panicked here") = router;
    }

    /// Closes the port and every connection.
    pub(crate) async fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// Opens the port again.
    pub(crate) async fn revive(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port");
        self.address = listener.local_addr().expect("an address");
        let (router, temper) = (self.router.clone(), self.temper.clone());
        let inner = move |request: Request| {
            let router = router.lock().expect("no test panicked here").clone();
            tower::ServiceExt::oneshot(router, request)
        };
        let app =
            Router::new().fallback(inner).layer(middleware::from_fn_with_state(temper, answer));
        self.running = Some(tokio::spawn(accept(listener, app)));
    }

    /// An address below it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The folder of the cache before it.
    pub(crate) fn cache(&self) -> PathBuf {
        self.cache.path().join("cache")
    }

    /// It as a source of the catalogue, read several times a second.
    pub(crate) fn source(&self, kind: Kind, path: &str, allowed: &[&str]) -> RemoteConfig {
        self.source_of(kind, path, allowed, 1 << 30)
    }

    /// As [`Self::source`], with a cache of at most so many bytes.
    pub(crate) fn source_of(
        &self,
        kind: Kind,
        path: &str,
        allowed: &[&str],
        max: u64,
    ) -> RemoteConfig {
        let url: OriginUrl = self.url(path).parse().expect("an address");
        let allowed: Vec<Site> = allowed.iter().map(|s| s.parse().expect("a site")).collect();
        let name = if kind == Kind::Video { "video" } else { "audio" };
        let origin = Origin::new(name, &url, &allowed);
        let shelf = DiskCache::new(&self.cache(), max);
        shelf.rescan();
        RemoteConfig {
            edge: CachedStore::new(Arc::new(origin), shelf, self.stop.clone()),
            address: url.url().clone(),
            kind,
            refresh: Duration::from_millis(200),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

/// Its connections end with it.
async fn accept(listener: TcpListener, app: Router) {
    let mut open = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let service = hyper_util::service::TowerToHyperService::new(app.clone());
        open.spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
        while open.try_join_next().is_some() {}
    }
}

async fn answer(State(temper): State<Arc<Temper>>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().to_string();
    if temper.silent.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    let latency_ms = temper.latency_ms.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    let response = if temper.down.load(Ordering::Relaxed) {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else {
        next.run(request).await
    };
    temper.asked.lock().expect("no test panicked here").push((path, response.status()));
    let take = |n: &AtomicUsize| {
        n.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
    };
    if !response.status().is_success() || take(&temper.cuts).is_err() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    let half = bytes.slice(..bytes.len() / 2);
    // The pause lets what was sent go out before the connection breaks.
    let broken = futures_util::stream::iter([Ok(half), Err(std::io::ErrorKind::ConnectionReset)])
        .then(|part: Result<Bytes, std::io::ErrorKind>| async {
            if part.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            part.map_err(std::io::Error::from)
        });
    Response::from_parts(parts, Body::from_stream(broken))
}

/// The addresses that a served playlist names.
pub(crate) fn named(text: &str) -> Vec<String> {
    text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect()
}

/// A web server over fixed pages, which tells the state of each by an entity tag.
pub(crate) fn pages(pages: &[(&str, &str, String)]) -> Router {
    let mut router = Router::new();
    for (path, content_type, body) in pages {
        let (content_type, body) = ((*content_type).to_owned(), body.clone());
        let etag = format!("\"{}\"", &blake3::hash(body.as_bytes()).to_hex()[..8]);
        router = router.route(
            path,
            get(move |request: Request| async move {
                let asked = request.headers().get(header::IF_NONE_MATCH);
                if asked.is_some_and(|asked| asked == etag.as_str()) {
                    return StatusCode::NOT_MODIFIED.into_response();
                }
                ([(header::CONTENT_TYPE, content_type), (header::ETAG, etag)], body).into_response()
            }),
        );
    }
    router
}

/// What the segment of this number holds.
pub(crate) fn bytes(n: u8) -> String {
    String::from_utf8(vec![b'a' + n; 4000]).expect("ASCII")
}

/// A finished playlist and its segments below a folder.
pub(crate) fn film(folder: &str) -> Vec<(String, &'static str, String)> {
    let mut all = vec![(format!("{folder}playlist.m3u8"), "text/plain", playlist(0..3, true))];
    all.extend((0..3).map(|n| (format!("{folder}playlist{n}.ts"), "video/mp2t", bytes(n))));
    all
}

/// [`pages`] of what [`film`] makes.
pub(crate) fn routed(all: &[(String, &'static str, String)]) -> Router {
    let all: Vec<_> =
        all.iter().map(|(path, kind, body)| (path.as_str(), *kind, body.clone())).collect();
    pages(&all)
}
