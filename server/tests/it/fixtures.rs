//! Streams folders made of nothing: tiny fake segments, playlists as ffmpeg writes them, and the server
//! over them, on a port of its own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, Response, StatusCode},
};
use carrete::{
    catalog::{CatalogHandle, Snapshot},
    config::{Config, Folders},
    http::{assets::Site, state::AppState},
    serve::Opened,
    sources::{BucketConfig, SourceConfig},
};
use clap::{Args, FromArgMatches};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than anything promised; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often something goes wrong: so often, or as `FAULT_ROUNDS` says, by which `make audit` asks for
/// many.
pub(crate) fn rounds(few: usize) -> usize {
    let set = std::env::var("FAULT_ROUNDS").ok();
    set.map_or(few, |set| set.parse().expect("FAULT_ROUNDS is a number"))
}

/// A streams folder in a place of its own.
pub(crate) struct Streams {
    home: TempDir,
}

impl Streams {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(home.path().join("streams")).expect("a streams folder");
        Self { home }
    }

    pub(crate) fn folders(&self) -> Folders {
        Folders { streams: self.path(""), data: self.home.path().join("data") }
    }

    /// A path below the streams folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("streams").join(name)
    }

    /// Beside the streams folder.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    /// A finished channel of three segments of two seconds.
    pub(crate) fn channel(&self, id: &str) {
        for n in 0..3 {
            self.write(&format!("{id}/playlist{n}.ts"), segment(n));
        }
        self.write(&format!("{id}/playlist.m3u8"), playlist(0..3, true));
    }

    /// The router over this folder, once the first look is done.
    pub(crate) async fn app(&self) -> App {
        self.app_with(Vec::new()).await
    }

    /// As [`Self::app`], with stores beside the folder.
    pub(crate) async fn app_with(&self, stores: Vec<BucketConfig>) -> App {
        self.app_beside(stores.into_iter().map(SourceConfig::from).collect()).await
    }

    /// As [`Self::app`], with other sources beside the folder.
    pub(crate) async fn app_beside(&self, elsewhere: Vec<SourceConfig>) -> App {
        let app = self.app_at_once(elsewhere).await;
        app.until(|_| true).await;
        app
    }

    /// As [`Self::app_beside`], before the first look is done.
    pub(crate) async fn app_at_once(&self, elsewhere: Vec<SourceConfig>) -> App {
        let mut config = config(&[]);
        config.folders = self.folders();
        App::start(config, elsewhere).await
    }
}

/// The settings that these flags make.
pub(crate) fn config(flags: &[&str]) -> Config {
    let command = Config::augment_args(clap::Command::new("carrete").no_binary_name(true));
    let matches = command.try_get_matches_from(flags).expect("flags");
    Config::from_arg_matches(&matches).expect("settings")
}

/// A built site in which nothing is written.
fn site(folder: &Path) -> Site {
    for (name, text) in
        [("hash.txt", "css: x\njs: x\nwasm: x\n"), ("pkg/carrete.x.css", ""), ("early.mjs", "")]
    {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    Site::at(folder, folder).expect("a site")
}

/// The server as it is, on a port of its own; it makes no posters.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) catalog: CatalogHandle,
    pub(crate) state: AppState,
    pub(crate) address: SocketAddr,
    _site: TempDir,
    _stop: DropGuard,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl App {
    /// Starts a server with these settings, and other sources beside those that they name.
    pub(crate) async fn start(config: Config, elsewhere: Vec<SourceConfig>) -> Self {
        Self::start_with(config, elsewhere, |_| {}).await
    }

    /// As [`Self::start`], with other handles in place of the server's own.
    pub(crate) async fn start_with(
        config: Config,
        elsewhere: Vec<SourceConfig>,
        change: impl FnOnce(&mut AppState),
    ) -> Self {
        let (folder, stop) = (tempfile::tempdir().expect("a folder"), CancellationToken::new());
        let opened = Opened::new(config, site(folder.path()), stop.clone()).expect("a server");
        let opened = opened.beside(elsewhere).making_nothing();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut started = opened.start(format!("http://{address}")).await.expect("started");
        change(started.state_mut());
        let (router, state) = (started.router(), started.state().clone());
        tokio::spawn(started.listen(vec![listener]));
        let catalog = state.catalog.clone();
        Self { router, catalog, state, address, _site: folder, _stop: stop.drop_guard() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.request(method, path, headers).await.expect("a whole body")
    }

    /// As [`Self::get`]; `None` where the body is cut off.
    pub(crate) async fn try_ask(&self, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        self.request(Method::GET, path, headers).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let (parts, body) = self.send(request).await.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Sends a request as it is, on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        sender.send_request(request).await.expect("an answer")
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        serde_json::from_value(self.get("/api/channels").await.json()).expect("ids")
    }

    pub(crate) fn now(&self) -> Arc<Snapshot> {
        self.catalog.current().expect("the first look is done")
    }

    /// Waits until the list is as wanted; answers how long it took.
    pub(crate) async fn until(&self, wanted: impl Fn(&Snapshot) -> bool) -> Duration {
        let began = Instant::now();
        loop {
            if self.catalog.current().is_some_and(|snapshot| wanted(&snapshot)) {
                return began.elapsed();
            }
            assert!(began.elapsed() < PATIENCE, "the list is not as wanted: {:?}", self.listed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until exactly these ids are listed.
    pub(crate) async fn until_ids(&self, ids: &[&str]) -> Duration {
        self.until(|snapshot| {
            snapshot.media().iter().map(|media| media.id.as_str()).eq(ids.iter().copied())
        })
        .await
    }

    fn listed(&self) -> Vec<String> {
        let snapshot = self.catalog.current().unwrap_or_default();
        snapshot.media().iter().map(|media| media.id.to_string()).collect()
    }
}

/// Ten packets of a transport stream that hold nothing but their number.
pub(crate) fn segment(n: u8) -> Vec<u8> {
    let mut packet = [n; 188];
    packet[..4].copy_from_slice(&[0x47, 0x1F, 0xFF, 0x10]);
    packet.repeat(10)
}

/// A playlist of two-second segments `playlist<n>.ts`.
pub(crate) fn playlist(segments: std::ops::Range<u8>, ended: bool) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{}\n",
        segments.start
    );
    for n in segments {
        text.push_str(&format!("#EXTINF:2.000000,\nplaylist{n}.ts\n"));
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}
