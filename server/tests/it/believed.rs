//! What other servers say of how long their answers hold, and which store it is that something is kept
//! of: nothing is served longer, or for anybody else, than that.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::catalog::Kind;
use axum::{
    Router,
    extract::{Path, Request},
    http::{HeaderMap, Method, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use carrete::{
    cache::{CachedStore, DiskCache, Opened},
    storage::{Store as _, s3::Bucket},
};
use tokio_util::sync::CancellationToken;

use crate::{
    bucket::Store,
    fixtures::{App, Streams, playlist, segment},
    program::{carrete_verb, carrete_with},
    server::Server,
};

/// A server whose segments say of themselves what their names are, and are other ones each time that
/// `turn` moves on.
fn saying(tags: bool) -> (Router, Arc<AtomicU64>) {
    const WORDS: [&str; 7] = [
        "no-store",
        "private, max-age=600",
        "max-age=1, immutable",
        "no-cache",
        "max-age=0, must-revalidate",
        "max-age=600",
        "max-age=31536000, immutable",
    ];
    let turn = Arc::new(AtomicU64::new(0));
    let now = turn.clone();
    let list: String = (0..WORDS.len()).map(|n| format!("#EXTINF:2,\n{n}.ts?v=1-{n}\n")).collect();
    let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{list}#EXT-X-ENDLIST\n");
    let segment = move |Path(name): Path<String>, request: Request| async move {
        let turn = now.load(Ordering::SeqCst);
        let n: usize = name.trim_end_matches(".ts").parse().expect("a number");
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, WORDS[n].parse().expect("a value"));
        if tags {
            headers.insert(header::ETAG, format!("\"{n}-{turn}\"").parse().expect("a value"));
        }
        let body = format!("{n} in state {turn}").repeat(100);
        if request.method() == Method::HEAD {
            headers.insert(header::CONTENT_LENGTH, body.len().into());
            return (headers, String::new()).into_response();
        }
        (headers, body).into_response()
    };
    let router = Router::new()
        .route("/f/playlist.m3u8", get(move || async move { list }))
        .route("/f/{name}", get(segment));
    (router, turn)
}

/// The state that a segment is served in, and how long others may keep it.
async fn state(app: &App, n: usize) -> (String, String) {
    let answer = app.get(&format!("/streams/f/{n}.ts?v=1-{n}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{n}");
    let state = answer.text()[..answer.text().len() / 100].rsplit(' ').next().map(str::to_owned);
    (state.expect("a state"), answer.header("cache-control").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_servers_words_are_kept() {
    for tags in [true, false] {
        let (router, turn) = saying(tags);
        let (server, streams) = (Server::new(router).await, Streams::new());
        let mut source = server.source(Kind::Video, "/f/playlist.m3u8", &[]);
        source.refresh = Duration::from_secs(600);
        let app = streams.app_beside(vec![source.into()]).await;
        app.until_ids(&["f"]).await;
        assert_eq!(app.get("/streams/f/playlist.m3u8").await.status, StatusCode::OK);
        for n in 0..7 {
            assert_eq!(state(&app, n).await.0, "0", "{n}, tags {tags}");
        }
        turn.store(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1300)).await;
        for (n, expected, told) in [
            (0, "1", "no-store"),
            (1, "1", "no-store"),
            (2, "1", "public, max-age=1, immutable"),
            (3, "1", "no-cache"),
            (4, "1", "no-cache"),
            (5, "0", "no-cache"),
            (6, "0", "public, max-age=31536000, immutable"),
        ] {
            let (state, cache) = state(&app, n).await;
            assert_eq!((&*state, &*cache), (expected, told), "{n}, tags {tags}");
        }
        // What is not for others is not on this disk.
        let kept: Vec<String> = std::fs::read_dir(server.cache())
            .expect("a cache")
            .flatten()
            .filter(|file| !file.file_name().to_string_lossy().starts_with(".tmp-"))
            .filter_map(|file| {
                let bytes = std::fs::read(file.path()).ok()?;
                String::from_utf8(bytes.get(..16)?.to_vec()).ok()
            })
            .collect();
        for n in ["0 in", "1 in"] {
            assert!(!kept.iter().any(|text| text.starts_with(n)), "{n} is kept, tags {tags}");
        }
        assert!(kept.iter().any(|text| text.starts_with("5 in")), "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_on_is_asked_for_once_by_those_who_ask_together() {
    let (router, _) = saying(true);
    let (server, streams) = (Server::new(router).await, Streams::new());
    let source = server.source(Kind::Video, "/f/playlist.m3u8", &[]);
    let app = Arc::new(streams.app_beside(vec![source.into()]).await);
    app.until_ids(&["f"]).await;
    app.get("/streams/f/playlist.m3u8").await;
    server.temper.latency_ms.store(300, Ordering::Relaxed);
    let before = server.temper.asked("/f/0.ts");
    let viewers: Vec<_> = (0..50)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { state(&app, 0).await })
        })
        .collect();
    for viewer in viewers {
        assert_eq!(viewer.await.expect("a viewer").0, "0");
    }
    let asked = server.temper.asked("/f/0.ts") - before;
    assert!(asked <= 3, "{asked} requests of fifty who ask together");
}

async fn whole(
    edge: &CachedStore,
    key: &str,
    stamp: carrete::storage::local::FileVersion,
) -> Option<Vec<u8>> {
    match edge.open(key, stamp, 0..stamp.size).await.ok()? {
        Opened::File(_) => edge.bytes(key, stamp, stamp.size).await.ok().map(Into::into),
        Opened::Stream(stream) => {
            let chunks: Result<Vec<_>, _> = futures_util::TryStreamExt::try_collect(stream).await;
            Some(chunks.ok()?.concat())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_one_bucket_is_nothing_of_another() {
    let (one, other) = (Store::new().await, Store::new().await);
    // Files of one name, of one size, and one of the very same content.
    one.write("film.mp4", segment(1));
    other.write("film.mp4", segment(2));
    one.write("same.mp4", segment(3));
    other.write("same.mp4", segment(3));
    let edge = |store: &Store| {
        let bucket = Bucket::new(&store.settings).expect("a bucket");
        let shelf = DiskCache::new(&one.cache(), 1 << 30);
        shelf.rescan();
        CachedStore::new(Arc::new(bucket), shelf, CancellationToken::new())
    };
    let first = edge(&one);
    let bucket = Bucket::new(&one.settings).expect("a bucket");
    for object in bucket.list().await.expect("a list") {
        assert!(whole(&first, &object.key, object.stamp).await.is_some());
        while first.kept_any(&object.key).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    other.mood.down.store(true, Ordering::Relaxed);
    let second = edge(&other);
    let mut prefixed = one.settings.clone();
    prefixed.prefix = "tv".into();
    let third = Bucket::new(&prefixed).expect("a bucket");
    let shelf = DiskCache::new(&one.cache(), 1 << 30);
    shelf.rescan();
    let third = CachedStore::new(Arc::new(third), shelf, CancellationToken::new());
    for key in ["film.mp4", "same.mp4"] {
        assert_eq!(second.kept_any(key), None, "{key} of another bucket");
        assert_eq!(third.kept_any(key), None, "{key} of another folder of it");
        assert!(edge(&one).kept_any(key).is_some(), "{key} of its own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_verbs_change_nothing_in_the_cache_of_a_server() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n).repeat(300));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    let settings = store.told_to_a_program();
    let server = carrete_with(&streams, &settings).await;
    server.until_ids(&["b"]).await;
    for n in 0..3 {
        let url = format!("{}/streams/b/playlist{n}.ts", server.base);
        let answer = crate::web::get(url).await.expect("an answer");
        assert!(answer.bytes().await.expect("a body") == segment(n).repeat(300));
    }
    let cache = streams.folders().data.join("cache");
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(&cache)
            .expect("a cache")
            .flatten()
            .map(|file| (file.file_name(), file.metadata().expect("a file").len()))
            .collect();
        names.sort();
        names
    };
    let began = std::time::Instant::now();
    while names().iter().filter(|(_, size)| *size > 500_000).count() < 3 {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing is kept: {:?}", names());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::fs::write(cache.join(".tmp-1-1"), "half").expect("written");
    let before = names();
    // A bound that would leave nothing of it, and a prefix of which nothing is known.
    for more in [("CACHE_MAX_BYTES", "100K"), ("BUCKET_PREFIX", "none")] {
        let settings: Vec<_> = settings.into_iter().chain([more]).collect();
        for verb in ["channels", "doctor"] {
            carrete_verb(&[verb], &streams, &settings).await;
            assert_eq!(names(), before, "{verb} {more:?}");
        }
    }
    let pulled = carrete_verb(&["pull", "b"], &streams, &settings).await;
    assert!(pulled.status.success(), "{pulled:?}");
    assert_eq!(names(), before, "pull");
    let served = crate::web::get(format!("{}/streams/b/playlist1.ts", server.base)).await;
    assert_eq!(served.expect("an answer").status(), StatusCode::OK);
}
