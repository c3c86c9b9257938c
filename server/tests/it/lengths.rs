//! What other servers claim: lengths beyond all sizes, bodies longer than was asked for, pauses in the
//! middle of a film.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::catalog::Kind;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use carrete::{
    cache::{CachedStore, DiskCache, Opened},
    sources::report,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::BodyExt;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    film::{Act, Films, byte_at, stamp},
    fixtures::{App, Streams},
    server::Server,
};

const PART: u64 = 4 << 20;

/// The cache before films of nothing.
struct Cinema {
    films: Arc<Films>,
    edge: CachedStore,
    _home: TempDir,
    _stop: tokio_util::sync::DropGuard,
}

impl Cinema {
    fn new(acts: impl Fn(&str, u64, Duration) -> Act + Send + Sync + 'static) -> Self {
        let (films, home) = (Arc::new(Films::new(acts)), tempfile::tempdir().expect("a folder"));
        let (shelf, stop) = (DiskCache::new(home.path(), 1 << 30), CancellationToken::new());
        let edge = CachedStore::new(films.clone(), shelf, stop.clone());
        Self { films, edge, _home: home, _stop: stop.drop_guard() }
    }

    /// Reads so many bytes from a place in a film of `size`; answers how many came, and why no more.
    async fn read(&self, key: &str, size: u64, first: u64, length: u64) -> (u64, Option<String>) {
        let opened = self.edge.open(key, stamp(size), first..size).await;
        let mut stream = match opened {
            Ok(Opened::Stream(stream)) => stream,
            Ok(Opened::File(_)) => panic!("a film is no file"),
            Err(error) => return (0, Some(error.to_string())),
        };
        let mut at = first;
        while at < first.saturating_add(length).min(size) {
            let chunk = match stream.next().await {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return (at - first, Some(error.to_string())),
                None => return (at - first, Some("it ended".into())),
            };
            // A few of them tell whether they are those that belong there.
            for (n, byte) in chunk.iter().enumerate().step_by(997) {
                assert_eq!(*byte, byte_at(at + n as u64), "at {at} of {key}");
            }
            at += chunk.len() as u64;
        }
        (at - first, None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_may_claim_any_length() {
    let cinema = Cinema::new(|_, _, _| Act::After(Duration::ZERO));
    for size in [17 << 20, 1 << 40, 1 << 50, 1 << 60, 1 << 63, u64::MAX - 1] {
        let key = format!("{size}.mp4");
        let (came, why) = cinema.read(&key, size, 0, 5 << 20).await;
        assert!(came >= 5 << 20, "{size}: {came} bytes, {why:?}");
        let (came, why) = cinema.read(&key, size, size - 1000, 1000).await;
        assert_eq!((came, why), (1000, None), "the end of {size}");
        if size > 1 << 30 {
            assert_eq!(cinema.edge.kept(&key, &stamp(size).version()), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_makes_room_for_who_waits() {
    let cinema = Cinema::new(|key, _, _| match key {
        "fast" => Act::After(Duration::ZERO),
        _ => Act::HalfAfter(Duration::from_secs(600)),
    });
    let size = 300_000;
    // As many of one host as are asked for at once; one of them is watched on.
    let Ok(Opened::Stream(mut watched)) = cinema.edge.open("slow0", stamp(size), 0..size).await
    else {
        panic!("it comes slowly")
    };
    watched.next().await.expect("a half").expect("bytes");
    for n in 1..32 {
        assert!(cinema.read(&format!("slow{n}"), size, 0, 1).await.0 > 0, "{n}");
    }
    let began = Instant::now();
    loop {
        let (came, why) = cinema.read("fast", size, 0, size).await;
        if came == size {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{why:?}");
    }
    // Whoever goes on is not asked for again.
    assert!(tokio::time::timeout(Duration::from_secs(1), watched.next()).await.is_err());
    assert_eq!(cinema.films.reads_of("slow0"), [0]);
}

/// A server that claims to have `size` bytes at each of its addresses: those of `begin`, then others
/// without an end. Counts what it gives.
fn claiming(size: u64, begin: Vec<u8>, given: Arc<AtomicU64>) -> Router {
    let begin = Bytes::from(begin);
    Router::new().fallback(any(move |request: Request| {
        let (begin, given) = (begin.clone(), given.clone());
        async move { claim(&request, size, begin, given) }
    }))
}

fn claim(request: &Request, size: u64, begin: Bytes, given: Arc<AtomicU64>) -> Response {
    let range = request.headers().get(header::RANGE).and_then(|range| {
        let (first, last) = range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    });
    let first = range.map_or(0, |(first, _)| first);
    let rest = usize::try_from(first).unwrap_or(usize::MAX).min(begin.len());
    // Not without any end: who reads on has to come to one.
    let zeros = stream::repeat(Bytes::from_static(&[0; 4096])).take(16_384);
    let body = stream::iter([begin.slice(rest..)]).chain(zeros).map(move |chunk| {
        given.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Ok::<_, std::io::Error>(chunk)
    });
    let body =
        if request.method() == Method::HEAD { Body::empty() } else { Body::from_stream(body) };
    let mut response = (([(header::CONTENT_TYPE, "video/mp4")]), body).into_response();
    match range {
        // As long as it likes, whatever it says.
        Some((first, last)) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let part = format!("bytes {first}-{last}/{size}");
            response.headers_mut().insert(header::CONTENT_RANGE, part.parse().expect("a value"));
        }
        None => {
            response.headers_mut().insert(header::CONTENT_LENGTH, size.into());
        }
    }
    response
}

/// The first bytes of an answer; the rest is left where it is.
async fn begins(app: &App, path: &str, range: &str) -> (StatusCode, usize) {
    let request = Request::get(path).header("host", "tv.lan").header("range", range);
    let response = app.send(request.body(Body::empty()).expect("a request")).await;
    let (status, mut body) = (response.status(), response.into_body());
    let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.ok().flatten();
    let data = frame.and_then(|frame| frame.ok()?.into_data().ok());
    (status, data.map_or(0, |data| data.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_claim_any_length() {
    for size in [1 << 50, 1 << 60, 1 << 62] {
        let far = Server::new(claiming(size, vec![7; 100_000], Arc::default())).await;
        let list = format!("#EXTM3U\n#EXTINF:-1,Film\n{}\n", far.url("/film.mp4"));
        let home = Server::new(crate::server::pages(&[("/l.m3u", "audio/x-mpegurl", list)])).await;
        let (streams, allowed) = (Streams::new(), far.address.to_string());
        let source = home.source(Kind::Video, "/l.m3u", &[&allowed]);
        let app = streams.app_beside(vec![source.into()]).await;
        app.until_ids(&["Film"]).await;
        // As every browser asks.
        let (status, bytes) = begins(&app, "/streams/Film.mp4", "bytes=0-").await;
        assert_eq!(status, StatusCode::PARTIAL_CONTENT, "{size}");
        assert!(bytes > 0, "{size}");
        let head = app.ask(Method::HEAD, "/streams/Film.mp4", &[]).await;
        assert_eq!(head.header("content-length"), size.to_string());
        assert_eq!(app.ids().await, ["Film"]);
    }
}

/// A WebM whose writing program has a name of so many bytes.
fn boasting_webm(length: u64) -> Vec<u8> {
    let mut bytes = vec![0x1A, 0x45, 0xDF, 0xA3, 0x87, 0x42, 0x82, 0x84];
    bytes.extend_from_slice(b"webm");
    // A segment and what is said of it, both of unknown length.
    bytes.extend_from_slice(&[
        0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ]);
    bytes.extend_from_slice(&[
        0x15, 0x49, 0xA9, 0x66, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ]);
    bytes.extend_from_slice(&[0x4D, 0x80]);
    bytes.extend_from_slice(&((1 << 56) | length).to_be_bytes());
    // A cluster, so that there is one.
    bytes.extend_from_slice(&[0x1F, 0x43, 0xB6, 0x75, 0x81, 0x00]);
    bytes
}

/// An MP4 whose index is so long.
fn boasting_mp4(length: u64) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01moov".to_vec();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_claims_of_itself_sizes_nothing() {
    for (name, begin) in [
        ("film.webm", boasting_webm(1 << 45)),
        ("film.webm", boasting_webm(1 << 55)),
        ("film.mp4", boasting_mp4(1 << 45)),
        ("film.mp4", boasting_mp4(u64::MAX)),
    ] {
        let given = Arc::new(AtomicU64::new(0));
        let page =
            format!("<pre><a href=\"../\">../</a>\n<a href=\"{name}\">{name}</a> today 9\n</pre>");
        let page = move || async move { ([(header::CONTENT_TYPE, "text/html")], page) };
        let router = claiming(1 << 60, begin, given.clone()).route("/media/", any(page));
        let server = Server::new(router).await;
        // Whether it is listed or named as damaged: it is looked at to the end.
        let (told, findings) = report::origin(server.source(Kind::Video, "/media/", &[])).await;
        assert!(told.unwrap_or(0) + findings.len() > 0, "it is neither listed nor named");
        assert!(given.load(Ordering::Relaxed) < 40 << 20, "{given:?} bytes for a look");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_longer_than_its_range_is_not_read_on() {
    let given = Arc::new(AtomicU64::new(0));
    let server = Server::new(claiming(1 << 40, vec![7; 1000], given.clone())).await;
    let source = server.source(Kind::Video, "/", &[]);
    let key = server.url("/film.mp4");
    let found = source.edge.look(&key).await.expect("found").stamp;
    for (first, length) in [(0, 1), (5000, 100_000), (1 << 30, 256 << 10)] {
        let bytes = source.edge.peek(&key, found, first..first + length).await.expect("bytes");
        assert_eq!(bytes.len() as u64, length);
    }
    // What lies in buffers on the way is given too.
    assert!(given.load(Ordering::Relaxed) < 30 << 20, "{given:?} bytes were read");
}

/// A film of seven parts, read to its end.
async fn to_its_end(acts: impl Fn(&str, u64, Duration) -> Act + Send + Sync + 'static) {
    let (cinema, size) = (Cinema::new(acts), 7 * PART - 5);
    assert_eq!(cinema.read("a.mp4", size, 0, size).await, (size, None));
}

#[tokio::test(start_paused = true)]
async fn a_film_goes_on_after_a_pause_in_its_middle() {
    let seconds = Duration::from_secs;
    // The first part comes at once, each other after a while; or one of them much later.
    to_its_end(move |_, first, _| Act::After(seconds(if first == 0 { 0 } else { 3 }))).await;
    to_its_end(move |_, first, _| Act::After(seconds(if first == 3 * PART { 12 } else { 0 })))
        .await;
    to_its_end(move |_, first, _| match first == 2 * PART {
        true => Act::HalfAfter(seconds(9)),
        false => Act::After(seconds(0)),
    })
    .await;
    // The store is unwell for a while.
    to_its_end(move |_, first, now| match first > 0 && now < seconds(10) {
        true => Act::Fail,
        false => Act::After(seconds(0)),
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_first_byte_is_told_soon_and_the_others_not_for_ever() {
    let seconds = Duration::from_secs;
    let cinema = Cinema::new(move |key, first, _| match key {
        "late" => Act::After(seconds(3)),
        _ if first == 0 => Act::After(seconds(0)),
        _ => Act::Fail,
    });
    let began = tokio::time::Instant::now();
    let (came, why) = cinema.read("late", 7 * PART, 0, PART).await;
    assert!(came == 0 && why.is_some());
    assert!(began.elapsed() < seconds(2), "{:?}", began.elapsed());
    let (came, why) = cinema.read("lost", 7 * PART, 0, 7 * PART).await;
    assert_eq!(came, PART);
    assert!(why.is_some());
    assert!(began.elapsed() < seconds(60), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_viewer_has_what_comes_next() {
    let cinema = Cinema::new(|_, _, _| Act::After(Duration::from_millis(20)));
    let mut viewers = Vec::new();
    for n in 0..12 {
        let opened = cinema.edge.open(&n.to_string(), stamp(40 * PART), 0..40 * PART).await;
        let Ok(Opened::Stream(mut film)) = opened else { panic!("film {n} does not begin") };
        assert!(film.try_next().await.expect("bytes").is_some());
        // He has paused; what he sees next is fetched.
        viewers.push(film);
    }
    for n in 0..12 {
        let began = std::time::Instant::now();
        while cinema.films.reads_of(&n.to_string()).len() < 3 {
            let waited = began.elapsed();
            assert!(waited < Duration::from_secs(5), "nothing is fetched ahead for viewer {n}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // And no more than that: nobody knows whether he goes on.
        assert!(cinema.films.reads_of(&n.to_string()).len() <= 4);
    }
}
