//! What strangers may ask for: another version, names that nobody gave, many things at once. None of
//! it lists a source, asks another server, or takes room.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use app::catalog::Kind;
use axum::{
    Router,
    body::Body,
    http::{Method, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};

use crate::{
    bucket::Store,
    fixtures::{App, Streams, playlist, segment},
    server::{Server, bytes, film, named, routed},
};

const LONG: Duration = Duration::from_secs(600);

/// Versions that never were, in every form that one could have.
const VERSIONS: [&str; 10] = [
    "v=",
    "v=1",
    "v=0-0",
    "v=0-e0000000000000001",
    "v=fa0-0",
    "v=fa0-e0000000000000001",
    "v=1000000000000000-e0000000000000001",
    "v=ffffffffffffffff-1",
    "x=1&v=2",
    "v=%00..%2f",
];

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).into_iter().flatten().flatten().count()
}

/// Asks for this file in states that never were; each is answered with 404.
async fn ask_for_versions(app: &App, file: &str, times: usize) {
    for n in 0..times {
        let query = VERSIONS[n % VERSIONS.len()];
        // Each is another than all before.
        let query =
            if n % 3 == 0 { query.to_owned() } else { format!("v=fa{n:x}-e00000000000000{n:02x}") };
        let (method, headers): (_, &[(&str, &str)]) = match n % 4 {
            0 => (Method::HEAD, &[]),
            1 => (Method::GET, &[("range", "bytes=0-0")]),
            _ => (Method::GET, &[]),
        };
        let answer = app.ask(method, &format!("{file}?{query}"), headers).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{file}?{query}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Longer than a doubt takes to be looked into.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_no_reason_to_read_a_folder() {
    let streams = Streams::new();
    streams.channel("a");
    let app = streams.app().await;
    app.until_ids(&["a"]).await;
    settle().await;
    let before = app.now();
    ask_for_versions(&app, "/streams/a/playlist1.ts", 24).await;
    settle().await;
    assert!(Arc::ptr_eq(&before, &app.now()), "the folder was read again");
    // What really is another is seen.
    streams.write("a/playlist1.ts", segment(7));
    let began = Instant::now();
    while Arc::ptr_eq(&before, &app.now()) {
        assert!(began.elapsed() < Duration::from_secs(10), "a change is not seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_no_reason_to_list_a_bucket() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    let mut source = store.source();
    source.refresh = LONG;
    let app = streams.app_with(vec![source]).await;
    app.until_ids(&["b"]).await;
    settle().await;
    let told = || (store.mood.lists.load(Ordering::Relaxed), store.mood.reads());
    let (before, kept) = (told(), files_in(&store.cache()));
    ask_for_versions(&app, "/streams/b/playlist0.ts", 31).await;
    for n in 0..20 {
        let path = format!("/streams/b/none{n}.ts");
        assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    settle().await;
    assert_eq!((told(), files_in(&store.cache())), (before, kept), "(lists, reads), files");
    // A store that contradicts its list is doubted, and not again and again.
    std::fs::remove_file(store.path("b/playlist2.ts")).expect("removed");
    for _ in 0..40 {
        assert_eq!(app.get("/streams/b/playlist2.ts").await.status, StatusCode::NOT_FOUND);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let lists = store.mood.lists.load(Ordering::Relaxed) - before.0;
    assert_eq!(lists, 1, "lists of the bucket");
}

/// Another server's film; nobody has asked for anything of it yet.
async fn far(kind: &str) -> (Server, Streams, App, String) {
    let mut all = film("/media/f/");
    let folder =
        "<pre><a href=\"../\">../</a>\n<a href=\"playlist.m3u8\">playlist.m3u8</a> x</pre>";
    let above = "<pre><a href=\"../\">../</a>\n<a href=\"f/\">f/</a> x</pre>";
    all.push(("/media/f/".to_owned(), "text/html", folder.to_owned()));
    all.push(("/media/".to_owned(), "text/html", above.to_owned()));
    let list = "#EXTM3U\n#EXTINF:-1,f\n/media/f/playlist.m3u8\n#EXTINF:-1,film\n/media/film.mp4\n";
    all.push(("/list.m3u".to_owned(), "audio/x-mpegurl", list.to_owned()));
    all.push(("/media/film.mp4".to_owned(), "video/mp4", bytes(5)));
    let server = Server::new(routed(&all)).await;
    let (path, ids): (_, &[&str]) = match kind {
        "a playlist" => ("/media/f/playlist.m3u8", &["f"]),
        "a folder" => ("/media/", &["f"]),
        _ => ("/list.m3u", &["f", "film"]),
    };
    let mut source = server.source(Kind::Video, path, &[]);
    source.refresh = LONG;
    let streams = Streams::new();
    let app = streams.app_beside(vec![source.into()]).await;
    app.until_ids(ids).await;
    settle().await;
    (server, streams, app, path.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_list_has_ask_no_other_server_for_anything() {
    let kinds = ["a playlist", "a folder", "an M3U list"].map(|kind| async move {
        let (server, _streams, app, _) = far(kind).await;
        let before = (server.temper.asked(""), files_in(&server.cache()));
        for n in 0..24 {
            for path in [format!("none{n}.ts"), format!("~/{n:016x}.ts"), format!("sub/{n}.m3u8")] {
                let path = format!("/streams/f/{path}");
                assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        settle().await;
        let after = (server.temper.asked(""), files_in(&server.cache()));
        assert_eq!(after, before, "(requests, files), {kind}");
        // What the list names is there all the same.
        assert_eq!(app.get("/streams/f/playlist1.ts").await.text(), bytes(1), "{kind}");
    });
    join_all(kinds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_asks_no_web_server_for_anything() {
    let kinds = ["a playlist", "a folder", "an M3U list"].map(|kind| async move {
        let (server, _streams, app, _) = far(kind).await;
        // Somebody watches it.
        assert_eq!(app.get("/streams/f/playlist.m3u8").await.status, StatusCode::OK);
        for n in 0..3 {
            assert_eq!(app.get(&format!("/streams/f/playlist{n}.ts")).await.text(), bytes(n));
        }
        settle().await;
        let before = (server.temper.asked(""), files_in(&server.cache()));
        // It ignores what stands behind a question mark, as web servers do.
        ask_for_versions(&app, "/streams/f/playlist1.ts", 24).await;
        settle().await;
        let after = (server.temper.asked(""), files_in(&server.cache()));
        assert_eq!(after, before, "(requests, files), {kind}");
    });
    join_all(kinds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_a_playlist_names_is_asked_for() {
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns.ts?v=7\n#EXT-X-ENDLIST\n";
    let all = [
        ("/f/playlist.m3u8".to_owned(), "text/plain", list.to_owned()),
        ("/f/s.ts".to_owned(), "video/mp2t", bytes(3)),
    ];
    let (server, streams) = (Server::new(routed(&all)).await, Streams::new());
    let source = server.source(Kind::Video, "/f/playlist.m3u8", &[]);
    let app = streams.app_beside(vec![source.into()]).await;
    app.until_ids(&["f"]).await;
    assert_eq!(named(app.get("/streams/f/playlist.m3u8").await.text()), ["s.ts?v=7"]);
    assert_eq!(app.get("/streams/f/s.ts?v=7").await.text(), bytes(3));
    assert_eq!(app.get("/streams/f/s.ts?v=8").await.status, StatusCode::NOT_FOUND);
    assert!(server.temper.asked("s.ts?v=7") > 0);
    assert_eq!(server.temper.asked("s.ts?v=8"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_passed_on_in_a_chain_and_costs_nobody_a_list() {
    let (store, inner, streams) = (Store::new().await, Streams::new(), Streams::new());
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    inner.channel("a");
    let mut bucket = store.source();
    bucket.refresh = Duration::from_secs(3);
    let behind = inner.app_with(vec![bucket]).await;
    behind.until_ids(&["a", "b"]).await;
    let server = Server::new(behind.router.clone()).await;
    let mut source = server.source(Kind::Video, "", &[]);
    source.refresh = LONG;
    let front = streams.app_beside(vec![source.into()]).await;
    front.until_ids(&["a", "b"]).await;
    let list = behind.get("/streams/b/playlist.m3u8").await;
    let old = named(list.text())[1].clone();
    let path = format!("/streams/b/{old}");
    assert_eq!(behind.get(&path).await.body, segment(1));

    // What it named is kept behind, and still comes from there.
    store.write("b/playlist1.ts", segment(9));
    let began = Instant::now();
    while named(behind.get("/streams/b/playlist.m3u8").await.text())[1] == old {
        assert!(began.elapsed() < Duration::from_secs(20), "the change is not seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let now = front.get("/streams/b/playlist.m3u8").await;
    assert_ne!(named(now.text())[1], old, "the change is not passed on");
    assert_eq!(front.get(&path).await.body, segment(1), "the older one is not passed on");

    let told = || (server.temper.asked("/api/videos"), server.temper.asked(".m3u8"));
    let (before, kept) = (told(), files_in(&server.cache()));
    let (lists, reads) = (store.mood.lists.load(Ordering::Relaxed), store.mood.reads());
    let began = Instant::now();
    for channel in ["a", "b"] {
        ask_for_versions(&front, &format!("/streams/{channel}/playlist0.ts"), 30).await;
    }
    settle().await;
    assert_eq!((told(), files_in(&server.cache())), (before, kept), "(lists, playlists), files");
    assert_eq!(store.mood.reads(), reads, "reads of the bucket");
    // It is listed every three seconds anyway.
    let listed = store.mood.lists.load(Ordering::Relaxed) - lists;
    let anyway = usize::try_from(began.elapsed().as_secs() / 3 + 2).expect("small");
    assert!(listed <= anyway, "{listed} lists of the bucket");
}

/// A server whose segments come a few bytes at a time, and how many of them are under way.
pub(crate) fn dripping() -> (Router, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    struct Open(Arc<AtomicUsize>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, high) = (open.clone(), most.clone());
    let drip = move || {
        let (now, high) = (now.clone(), high.clone());
        async move {
            let open = now.fetch_add(1, Ordering::SeqCst) + 1;
            high.fetch_max(open, Ordering::SeqCst);
            let open = Open(now);
            let body = stream::unfold(open, |open| async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Some((Ok::<_, std::io::Error>(Bytes::from_static(&[7; 100])), open))
            });
            ([(header::CONTENT_LENGTH, "2000000")], Body::from_stream(body.boxed())).into_response()
        }
    };
    let list: String = (0..300).map(|n| format!("#EXTINF:2,\n{n}.ts\n")).collect();
    let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{list}#EXT-X-ENDLIST\n");
    let router = Router::new()
        .route("/slow/playlist.m3u8", get(move || async move { list }))
        .route("/slow/{name}", get(drip));
    (router, open, most)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_takes_nothing_from_another() {
    let (router, open, most) = dripping();
    let (slow, fast) = (Server::new(router).await, Server::new(routed(&film("/f/"))).await);
    let list = format!(
        "#EXTM3U\n#EXTINF:-1,fast\n{}\n#EXTINF:-1,slow\n{}\n",
        fast.url("/f/playlist.m3u8"),
        slow.url("/slow/playlist.m3u8")
    );
    let home = Server::new(crate::server::pages(&[("/l.m3u", "audio/x-mpegurl", list)])).await;
    let allowed = [slow.address.to_string(), fast.address.to_string()];
    let mut source = home.source(Kind::Video, "/l.m3u", &[&allowed[0], &allowed[1]]);
    source.refresh = LONG;
    let streams = Streams::new();
    let app = Arc::new(streams.app_beside(vec![source.into()]).await);
    app.until_ids(&["fast", "slow"]).await;
    assert_eq!(app.get("/streams/slow/playlist.m3u8").await.status, StatusCode::OK);
    assert_eq!(app.get("/streams/fast/playlist.m3u8").await.status, StatusCode::OK);
    let strangers: Vec<_> = (0..300)
        .map(|n| {
            let app = app.clone();
            tokio::spawn(async move {
                let path = format!("/streams/slow/{n}.ts");
                app.ask(Method::GET, &path, &[("range", "bytes=0-0")]).await
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let began = Instant::now();
    assert_eq!(app.get("/streams/fast/playlist1.ts").await.text(), bytes(1));
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    let mut refused = 0;
    for stranger in strangers {
        let answer = stranger.await.expect("an answer");
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(answer.header("retry-after"), "2");
            refused += 1;
        }
    }
    assert!(refused > 100, "{refused} were told to come again");
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 40, "{most} bodies of one server under way at once");
    let half = files_in(&home.cache());
    assert!(half <= 60, "{half} files in the cache");
    // Nobody waits for any of them any more.
    let began = Instant::now();
    // But for one that finds out whether that server is well again.
    while open.load(Ordering::SeqCst) > 1 {
        let left = open.load(Ordering::SeqCst);
        assert!(began.elapsed() < Duration::from_secs(40), "{left} are still under way");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(app.get("/streams/fast/playlist2.ts").await.text(), bytes(2));
}
