//! A bucket in this process: a real server of the S3 protocol over a folder, behind a layer that
//! counts, that adds the entity tags its lists lack, and that fails as it is told to.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::catalog::Source;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use carrete::{
    cache::{CachedStore, DiskCache},
    config::{BucketSettings, Optional},
    sources::BucketConfig,
    storage::s3::Bucket,
};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use md5::{Digest, Md5};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The name of the bucket.
const NAME: &str = "films";
/// Who may read it.
pub(crate) const ACCESS_KEY: &str = "AKIACARRETETEST";
pub(crate) const SECRET_KEY: &str = "a-secret-that-is-never-shown";

/// How the store behaves.
#[derive(Debug, Default)]
pub(crate) struct Mood {
    /// Every answer is 503.
    pub(crate) down: AtomicBool,
    /// Each answer to a read ends after so many bytes; 0: none does.
    pub(crate) cut_after: AtomicU64,
    /// So many more answers to reads are cut.
    pub(crate) cuts: AtomicUsize,
    /// Bytes that are missing at the end of a read, which says so in its length.
    pub(crate) short_by: AtomicU64,
    /// An answer waits so long, in milliseconds.
    pub(crate) latency_ms: AtomicU64,
    /// A list of all of it waits so much longer.
    pub(crate) whole_lists_ms: AtomicU64,
    /// Nothing may be written.
    pub(crate) read_only: AtomicBool,
    /// Pages of any site may read it.
    pub(crate) lets_pages: AtomicBool,
    /// Requests so far.
    pub(crate) lists: AtomicUsize,
    reads: Mutex<Vec<String>>,
    writes: Mutex<Vec<String>>,
}

impl Mood {
    /// How often a key that ends so was read.
    pub(crate) fn reads_of(&self, end: &str) -> usize {
        let reads = self.reads.lock().expect("no test panicked here");
        reads.iter().filter(|path| path.ends_with(end)).count()
    }

    /// How often something was written whose address (path and query) holds this.
    pub(crate) fn writes_of(&self, part: &str) -> usize {
        let writes = self.writes.lock().expect("no test panicked here");
        writes.iter().filter(|path| path.contains(part)).count()
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.lock().expect("no test panicked here").len()
    }
}

/// A server with one bucket, and a folder for the cache before it.
pub(crate) struct Store {
    home: TempDir,
    pub(crate) mood: Arc<Mood>,
    pub(crate) settings: BucketSettings,
    stop: CancellationToken,
}

impl Store {
    pub(crate) async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(home.path().join("s3").join(NAME)).expect("a bucket");
        let files = s3s_fs::FileSystem::new(home.path().join("s3")).expect("a store");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let mood = Arc::new(Mood::default());
        let layer = Layer {
            service: builder.build(),
            mood: mood.clone(),
            folder: home.path().join("s3").join(NAME),
        };
        let router = Router::new().fallback(answer).with_state(layer);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let ended = stop.clone().cancelled_owned();
        tokio::spawn(
            async move { axum::serve(listener, router).with_graceful_shutdown(ended).await },
        );
        let settings = BucketSettings {
            bucket_name: NAME.into(),
            region: "us-east-1".into(),
            endpoint_url: Optional(format!("http://{address}").parse().ok()),
            access_key_id: ACCESS_KEY.parse().expect("a key"),
            secret_access_key: SECRET_KEY.parse().expect("a key"),
            ..BucketSettings::default()
        };
        Self { home, mood, settings, stop }
    }

    /// It as the settings of a program, listed every second.
    pub(crate) fn told_to_a_program(&self) -> [(&'static str, &str); 5] {
        let endpoint = self.settings.endpoint_url.0.as_ref().expect("an address");
        [
            ("BUCKET_NAME", NAME),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("SOURCE_REFRESH_S", "1"),
        ]
    }

    /// A path below the bucket.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.home.path().join("s3").join(NAME).join(key)
    }

    pub(crate) fn write(&self, key: &str, content: impl AsRef<[u8]>) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    /// The folder of the cache.
    pub(crate) fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    /// The cache before this bucket, of at most so many bytes.
    pub(crate) fn edge(&self, max: u64) -> CachedStore {
        let bucket = Bucket::new(&self.settings).expect("a bucket");
        CachedStore::new(Arc::new(bucket), DiskCache::new(&self.cache(), max), self.stop.clone())
    }

    /// The bucket as a source of the catalogue, listed several times a second.
    pub(crate) fn source(&self) -> BucketConfig {
        BucketConfig {
            edge: self.edge(1 << 30),
            source: Source::S3,
            refresh: Duration::from_millis(200),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Clone)]
struct Layer {
    service: S3Service,
    mood: Arc<Mood>,
    folder: PathBuf,
}

async fn answer(State(layer): State<Layer>, request: Request) -> Response {
    let mood = &layer.mood;
    let listing = request.uri().query().is_some_and(|query| query.contains("list-type=2"));
    let path = request.uri().path().to_owned();
    let writing = !matches!(*request.method(), Method::GET | Method::HEAD);
    if writing {
        let whole = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        mood.writes.lock().expect("no test panicked here").push(whole);
    } else if listing {
        mood.lists.fetch_add(1, Ordering::Relaxed);
    } else {
        mood.reads.lock().expect("no test panicked here").push(path);
    }
    let is_whole = listing && request.uri().query().is_some_and(|q| !q.contains("prefix=on"));
    let more_ms = if is_whole { mood.whole_lists_ms.load(Ordering::Relaxed) } else { 0 };
    let latency_ms = mood.latency_ms.load(Ordering::Relaxed) + more_ms;
    tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    if mood.down.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if writing && mood.read_only.load(Ordering::Relaxed) {
        const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        return (StatusCode::FORBIDDEN, DENIED).into_response();
    }
    let response = match layer.service.oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    if !response.status().is_success() {
        return response;
    }
    let mut response =
        if listing { with_tags(response, &layer.folder).await } else { cut(response, mood).await };
    if mood.lets_pages.load(Ordering::Relaxed) {
        let anyone = HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    }
    response
}

/// Puts into a list what s3s-fs leaves out of it.
async fn with_tags(response: Response, folder: &std::path::Path) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole list").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("XML");
    let mut tagged = String::new();
    let mut rest = &*text;
    while let Some((before, after)) = rest.split_once("<Key>") {
        let (key, after) = after.split_once("</Key>").expect("the end of a key");
        let content = fs::read(folder.join(plain(key))).unwrap_or_default();
        let tag: String = Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        tagged.push_str(&format!("{before}<Key>{key}</Key><ETag>&quot;{tag}&quot;</ETag>"));
        rest = after;
    }
    tagged.push_str(rest);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(tagged))
}

/// A key without what XML writes for some of its letters.
fn plain(key: &str) -> String {
    let letters = [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&amp;", "&")];
    letters.iter().fold(key.to_owned(), |key, (written, letter)| key.replace(written, letter))
}

/// Spoils a read, if that is the mood.
async fn cut(response: Response, mood: &Mood) -> Response {
    let short_by = mood.short_by.load(Ordering::Relaxed);
    let cut_after = mood.cut_after.load(Ordering::Relaxed);
    let take = |n: &AtomicUsize| {
        n.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
    };
    let cuts = cut_after > 0 && take(&mood.cuts).is_ok();
    if short_by == 0 && !cuts {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    let index = |n: u64| usize::try_from(n).expect("small");
    if short_by > 0 {
        let bytes = bytes.slice(..bytes.len().saturating_sub(index(short_by)));
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        return Response::from_parts(parts, Body::from(bytes));
    }
    let begin = bytes.slice(..bytes.len().min(index(cut_after)));
    // The pause lets what was sent go out before the connection breaks.
    let broken = futures_util::stream::iter([Ok(begin), Err(std::io::ErrorKind::ConnectionReset)])
        .then(|part: Result<Bytes, std::io::ErrorKind>| async {
            if part.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            part.map_err(std::io::Error::from)
        });
    Response::from_parts(parts, Body::from_stream(broken))
}
