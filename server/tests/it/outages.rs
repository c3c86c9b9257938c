//! What is served of another server while it is slow, silent, killed or revived, and while the cache
//! before it is spoilt.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::catalog::{ChannelId, Kind};
use axum::{
    Router,
    http::{Method, StatusCode, header},
    routing::get,
};
use carrete::sources;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    fixtures::{App, Streams, playlist, rounds},
    server::{Server, bytes, film, named, routed},
};

fn id(text: &str) -> ChannelId {
    ChannelId::parse(text).expect("an id")
}

/// A live channel whose playlist moves on by a segment each time it is asked for.
fn live() -> (Router, Arc<AtomicU64>) {
    let first = Arc::new(AtomicU64::new(0));
    let now = first.clone();
    let list = move || async move {
        let first = now.fetch_add(1, Ordering::Relaxed);
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
        for n in first..first + 3 {
            // Names come back: the bytes behind them do not.
            text.push_str(&format!("#EXTINF:2,\ns{}.ts\n", n % 5));
        }
        text
    };
    let at = first.clone();
    let segment = move |axum::extract::Path(name): axum::extract::Path<String>| async move {
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let slot: u64 = digits.parse().expect("a number");
        let last = at.load(Ordering::Relaxed) + 1;
        let newest = (0..=last).rev().find(|n| n % 5 == slot).unwrap_or(slot);
        format!("segment {newest:06}")
    };
    let router = Router::new().route("/ch/live.m3u8", get(list)).route("/ch/{name}", get(segment));
    (router, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_playlist_is_asked_for_twice_in_a_segment_at_most() {
    let (router, _) = live();
    let server = Server::new(router).await;
    let streams = Streams::new();
    let app =
        streams.app_beside(vec![server.source(Kind::Video, "/ch/live.m3u8", &[]).into()]).await;
    app.until_ids(&["live"]).await;
    let path = "/streams/live/playlist.m3u8";
    let (began, mut answers) = (Instant::now(), 0);
    let before = server.temper.asked("live.m3u8");
    while began.elapsed() < Duration::from_millis(3500) {
        assert_eq!(app.get(path).await.status, StatusCode::OK);
        answers += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The list of a server that is a playlist is read too, five times a second.
    let lists = 3500 / 200 + 2;
    let asked = server.temper.asked("live.m3u8") - before;
    assert!(asked <= lists + 5, "{asked} requests for {answers} answers");

    // An address that is used again leads to what it leads to now.
    let mut seen = std::collections::HashSet::new();
    for _ in 0..8 {
        let list = app.get(path).await;
        for name in named(list.text()) {
            seen.insert(app.get(&format!("/streams/live/{name}")).await.text().to_owned());
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    assert!(seen.len() > 5, "{seen:?}");

    // The last is better than nothing.
    server.temper.down.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let began = Instant::now();
    assert_eq!(app.get(path).await.status, StatusCode::OK);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

async fn one_film() -> (Server, Streams) {
    let server = Server::new(routed(&film("/f/"))).await;
    (server, Streams::new())
}

async fn app_of(server: &Server, streams: &Streams) -> App {
    let source = server.source(Kind::Video, "/f/playlist.m3u8", &[]);
    let app = streams.app_beside(vec![source.into()]).await;
    app.until(|list| list.get(&id("f")).is_some()).await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_cold_viewers_cause_one_request() {
    let (server, streams) = one_film().await;
    let app = Arc::new(app_of(&server, &streams).await);
    // As players do, before they ask for what it names.
    assert_eq!(app.get("/streams/f/playlist.m3u8").await.status, StatusCode::OK);
    server.temper.latency_ms.store(100, Ordering::Relaxed);
    let before = server.temper.asked("playlist1.ts");
    let viewers: Vec<_> = (0..500)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                assert_eq!(app.get("/streams/f/playlist1.ts").await.text(), bytes(1));
            })
        })
        .collect();
    for viewer in viewers {
        viewer.await.expect("a viewer");
    }
    assert_eq!(server.temper.asked("playlist1.ts") - before, 1);
    // The next was fetched meanwhile.
    let began = Instant::now();
    while server.temper.asked("playlist2.ts") == 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "the next is not fetched");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_is_told_within_two_seconds() {
    let (mut server, streams) = one_film().await;
    let app = app_of(&server, &streams).await;
    server.temper.silent.store(true, Ordering::Relaxed);
    let ask = || async {
        let began = Instant::now();
        let answer = app.get("/streams/f/playlist1.ts").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            (answer.header("retry-after"), &answer.json()["error"]["code"]),
            ("2", &"source_away".into())
        );
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    };
    ask().await;
    server.kill().await;
    server.temper.silent.store(false, Ordering::Relaxed);
    ask().await;
    app.until(|list| list.get(&id("f")).is_some_and(|media| !media.available)).await;
    let troubles = app.now().troubles().to_vec();
    assert_eq!(troubles.len(), 1);
    assert!(troubles[0].starts_with("video server http://127.0.0.1:"), "{troubles:?}");
    server.revive().await;
    app.until(|list| list.get(&id("f")).is_some_and(|media| media.available)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_is_written_anew_is_found() {
    let (server, streams) = one_film().await;
    // Nothing is kept, but what was found is remembered.
    let source = server.source_of(Kind::Video, "/f/playlist.m3u8", &[], 1);
    let app = streams.app_beside(vec![source.into()]).await;
    app.until_ids(&["f"]).await;
    assert_eq!(app.get("/streams/f/playlist.m3u8").await.status, StatusCode::OK);
    let first = app.get("/streams/f/playlist1.ts").await;
    assert_eq!(first.text(), bytes(1));
    let mut other = film("/f/");
    other[2].2 = bytes(9).replace('j', "jj");
    server.becomes(routed(&other));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let second = app.get("/streams/f/playlist1.ts").await;
    assert_eq!(second.text(), other[2].2);
    assert_ne!(first.header("etag"), second.header("etag"));
    let both = [("range", "bytes=0-9"), ("if-range", first.header("etag"))];
    let whole = app.ask(Method::GET, "/streams/f/playlist1.ts", &both).await;
    assert_eq!((whole.status, whole.body.len()), (StatusCode::OK, other[2].2.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_without_the_server_serves_what_is_kept() {
    let (mut server, streams) = one_film().await;
    let app = app_of(&server, &streams).await;
    let list = app.get("/streams/f/playlist.m3u8").await;
    assert_eq!(app.get("/streams/f/playlist1.ts").await.text(), bytes(1));
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(app);
    server.kill().await;
    let app = app_of(&server, &streams).await;
    assert_eq!(app.get("/streams/f/playlist.m3u8").await.body, list.body);
    assert_eq!(app.get("/streams/f/playlist1.ts").await.text(), bytes(1));
    let media = app.get("/api/channels/f").await.json();
    assert_eq!((&media["available"], &media["duration_s"]), (&false.into(), &6.0.into()));
    let (table, troubles) = {
        let source = server.source(Kind::Video, "/f/playlist.m3u8", &[]);
        sources::channels(&streams.folders(), vec![source.into()], false).await.expect("readable")
    };
    assert_eq!((table.lines().count(), troubles.len()), (2, 1), "{table}");
}

/// Bytes that are nowhere the same, a film of so many segments.
pub(crate) fn long_film(segments: u8, length: usize) -> (Router, Vec<Vec<u8>>) {
    let mut state = 88_172_645_463_325_252_u64;
    let mut noise = || {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    };
    let all: Vec<Vec<u8>> = (0..segments).map(|_| noise()).collect();
    let list = playlist(0..segments, true);
    let mut router = Router::new().route("/f/playlist.m3u8", get(move || async move { list }));
    for (n, bytes) in all.iter().enumerate() {
        let (bytes, tag) = (bytes.clone(), [(header::ETAG, format!("\"{n}\""))]);
        router = router.route(&format!("/f/playlist{n}.ts"), get(|| async { (tag, bytes) }));
    }
    (router, all)
}

/// Somebody who watches a film until `calm`: whatever is answered in full is as it should be.
/// Answers how much was.
fn viewer(
    app: Arc<App>,
    n: usize,
    film: Arc<Vec<Vec<u8>>>,
    calm: CancellationToken,
) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let (mut served, mut turn) = (0, 0);
        while !calm.is_cancelled() {
            turn += 1;
            let at = (n * 7 + turn * 11) % film.len();
            // As players do, before they ask for what it names.
            let list = app.get("/streams/f/playlist.m3u8").await;
            assert_ne!(list.status, StatusCode::NOT_FOUND);
            let path = format!("/streams/f/playlist{at}.ts");
            let part = turn % 3 == 0;
            let headers: &[_] = if part { &[("range", "bytes=1000-30999")] } else { &[] };
            let began = Instant::now();
            match app.try_ask(&path, headers).await {
                Some(answer) if answer.status == StatusCode::OK => {
                    assert!(answer.body == film[at], "segment {at} is another");
                    served += 1;
                }
                Some(answer) if answer.status == StatusCode::PARTIAL_CONTENT => {
                    assert!(answer.body == film[at][1000..31000], "a part of {at} is another");
                    served += 1;
                }
                Some(answer) if list.status == StatusCode::OK => {
                    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
                }
                // Cut off, or nobody knows what the playlist names: a player sees that, and asks again.
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        served
    })
}

async fn calm_down(
    app: &App,
    film: &[Vec<u8>],
    calm: CancellationToken,
    viewers: Vec<JoinHandle<usize>>,
) {
    let began = Instant::now();
    for (n, bytes) in film.iter().enumerate() {
        let path = format!("/streams/f/playlist{n}.ts");
        loop {
            match app.try_ask(&path, &[]).await {
                Some(answer) if answer.status == StatusCode::OK => {
                    assert!(answer.body == bytes, "segment {n} is another");
                    break;
                }
                _ => assert!(began.elapsed() < Duration::from_secs(40), "{n} does not come back"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    calm.cancel();
    let mut served = 0;
    for viewer in viewers {
        served += viewer.await.expect("a viewer who saw nothing wrong");
    }
    assert!(served > 0, "nothing was served at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_killed_and_revived_under_load() {
    let (router, film) = long_film(30, 40_000);
    let film = Arc::new(film);
    let mut server = Server::new(router).await;
    let streams = Streams::new();
    // Room for a few of them only: the rest is fetched again and again.
    let source = server.source_of(Kind::Video, "/f/playlist.m3u8", &[], 200_000);
    let app = Arc::new(streams.app_beside(vec![source.into()]).await);
    app.until_ids(&["f"]).await;
    let calm = CancellationToken::new();
    let viewers = (0..8).map(|n| viewer(app.clone(), n, film.clone(), calm.clone())).collect();
    for _ in 0..rounds(4) {
        server.temper.cuts.store(10, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(250)).await;
        server.kill().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.revive().await;
    }
    server.temper.cuts.store(0, Ordering::Relaxed);
    calm_down(&app, &film, calm, viewers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_folder_is_spoilt_filled_and_deleted_under_load() {
    let (router, film) = long_film(20, 40_000);
    let film = Arc::new(film);
    let server = Server::new(router).await;
    let streams = Streams::new();
    let app = Arc::new(app_of(&server, &streams).await);
    let calm = CancellationToken::new();
    let viewers = (0..8).map(|n| viewer(app.clone(), n, film.clone(), calm.clone())).collect();
    let cache = server.cache();
    let files = || {
        let entries = std::fs::read_dir(&cache).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    for round in 0..rounds(3) {
        tokio::time::sleep(Duration::from_millis(300)).await;
        for (n, file) in files().into_iter().enumerate() {
            // What is being written cannot be told from what we write ourselves: it may only go.
            let underway = file.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            // Beside and moved: what somebody reads at this moment stays as it is.
            let put = |bytes: Vec<u8>| {
                let aside = file.with_extension("new");
                std::fs::write(&aside, bytes).and_then(|()| std::fs::rename(aside, &file))
            };
            let spoilt = match n % 3 {
                _ if underway => std::fs::remove_file(&file),
                0 => put(b"spoilt".to_vec()),
                1 => std::fs::read(&file).and_then(|mut bytes| {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                    put(bytes)
                }),
                _ => std::fs::remove_file(&file),
            };
            // A file may go away meanwhile.
            let _ = spoilt;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        // The folder is away, and nothing can be written where it was.
        let _ = std::fs::remove_dir_all(&cache);
        if round > 0 && std::fs::write(&cache, "a file").is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            std::fs::remove_file(&cache).expect("removed");
        }
    }
    calm_down(&app, &film, calm, viewers).await;
    assert!(!files().is_empty(), "nothing is kept any more");
}
