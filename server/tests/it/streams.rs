//! Delivery: everything under `/streams/`.

use std::{fs, time::Duration};

use axum::http::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::fixtures::{Answer, App, Streams, playlist, segment};

const VERSIONED: &str = "public, max-age=31536000, immutable";

async fn one_channel() -> (Streams, App) {
    let streams = Streams::new();
    streams.channel("a");
    let app = streams.app().await;
    app.until_ids(&["a"]).await;
    (streams, app)
}

/// The addresses that a playlist names, below `/streams/<id>/`.
fn addresses(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[tokio::test]
async fn playlists_come_with_versions_and_stay_the_same_on_disk() {
    let (streams, app) = one_channel().await;
    let answer = app.get("/streams/a/playlist.m3u8").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-expose-headers").contains("Content-Range"));
    let named = addresses(answer.text());
    assert_eq!(named.len(), 3);
    assert!(named.iter().all(|address| address.contains(".ts?v=")), "{named:?}");
    assert_eq!(
        fs::read_to_string(streams.path("a/playlist.m3u8")).expect("read"),
        playlist(0..3, true)
    );

    let etag = answer.header("etag");
    assert!(etag.starts_with('"'), "{etag}");
    for (header, value, status) in [
        ("if-none-match", etag, StatusCode::NOT_MODIFIED),
        ("if-none-match", "\"other\"", StatusCode::OK),
        ("if-modified-since", answer.header("last-modified"), StatusCode::NOT_MODIFIED),
    ] {
        let again = app.ask(Method::GET, "/streams/a/playlist.m3u8", &[(header, value)]).await;
        assert_eq!(again.status, status, "{header}");
    }
    let head = app.ask(Method::HEAD, "/streams/a/playlist.m3u8", &[]).await;
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn segments_and_their_cache_classes() {
    let (streams, app) = one_channel().await;
    let text = app.get("/streams/a/playlist.m3u8").await;
    let versioned = format!("/streams/a/{}", addresses(text.text())[0]);
    let answer = app.get(&versioned).await;
    assert_eq!(answer.header("content-type"), "video/mp2t");
    assert_eq!(answer.header("cache-control"), VERSIONED);
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.body, fs::read(streams.path("a/playlist0.ts")).expect("read"));
    let plain = app.get("/streams/a/playlist0.ts").await;
    assert_eq!(plain.header("cache-control"), "no-cache");
    assert_eq!(plain.header("etag"), answer.header("etag"));
    let head = app.ask(Method::HEAD, &versioned, &[("range", "bytes=0-9")]).await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, "1880"));
    assert_eq!(app.get("/streams/a/playlist0.ts?v=1-1").await.status, StatusCode::NOT_FOUND);

    // Written anew: the old version is gone at once, the playlist names the new one soon.
    streams.write("a/playlist0.ts", segment(7));
    assert_eq!(app.get(&versioned).await.status, StatusCode::NOT_FOUND);
    for _ in 0..200 {
        let text = app.get("/streams/a/playlist.m3u8").await;
        let now = format!("/streams/a/{}", addresses(text.text())[0]);
        if now != versioned {
            assert_eq!(app.get(&now).await.body, segment(7));
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the playlist never named the new version");
}

#[tokio::test]
async fn ranges() {
    let (_streams, app) = one_channel().await;
    let path = "/streams/a/playlist0.ts";
    let whole = app.get(path).await;
    let ask = |headers: Vec<(&'static str, String)>| {
        let app = &app;
        async move {
            let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            app.ask(Method::GET, path, &headers).await
        }
    };
    let check = |answer: &Answer, status: u16, range: &str, length: usize| {
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("content-range"), range);
        assert_eq!(answer.body.len(), length);
    };
    let answer = ask(vec![("range", "bytes=188-375".into())]).await;
    check(&answer, 206, "bytes 188-375/1880", 188);
    assert_eq!(answer.body, whole.body.slice(188..376));
    assert_eq!(answer.header("content-length"), "188");
    check(&ask(vec![("range", "bytes=-188".into())]).await, 206, "bytes 1692-1879/1880", 188);
    check(&ask(vec![("range", "bytes=1880-".into())]).await, 416, "bytes */1880", 0);
    check(&ask(vec![("range", "bytes=0-9,20-29".into())]).await, 200, "", 1880);
    check(&ask(vec![("range", "pages=1".into())]).await, 200, "", 1880);
    for (condition, status) in [
        (whole.header("etag").to_owned(), 206),
        (whole.header("last-modified").to_owned(), 206),
        ("\"other\"".to_owned(), 200),
    ] {
        let answer = ask(vec![("range", "bytes=0-9".into()), ("if-range", condition)]).await;
        assert_eq!(answer.status.as_u16(), status);
    }
    let playlist =
        app.ask(Method::GET, "/streams/a/playlist.m3u8", &[("range", "bytes=0-6")]).await;
    assert_eq!((playlist.status.as_u16(), playlist.text()), (206, "#EXTM3U"));
}

#[tokio::test]
async fn other_methods_and_preflights() {
    let (_streams, app) = one_channel().await;
    let asked =
        [("origin", "http://other.example"), ("access-control-request-headers", "range, x-y")];
    let answer = app.ask(Method::OPTIONS, "/streams/a/playlist0.ts", &asked).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-headers"), "Range, x-y");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let post = app.ask(Method::POST, "/streams/a/playlist0.ts", &[]).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.header("allow"), "GET,HEAD,OPTIONS");
    let missing = app.get("/streams/a/none.ts").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.json()["error"]["code"], "not_found");
    assert_eq!(missing.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn only_what_a_playlist_names_is_served() {
    let streams = Streams::new();
    streams.channel("a");
    streams.write("a/private.ts", "x");
    streams.write("a/channel.toml", "title = \"A\"");
    streams.write("a/poster.jpg", "jpg");
    streams.write("a/es.vtt", "WEBVTT\n");
    let app = streams.app().await;
    app.until_ids(&["a"]).await;
    for path in ["a/private.ts", "a/channel.toml", "a", "a/", "", "a/es.vtt/", "a//es.vtt"] {
        let answer = app.get(&format!("/streams/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (path, media_type) in [
        ("a/poster.webp", "image/jpeg"),
        ("a/poster.jpg", "image/jpeg"),
        ("a/es.vtt", "text/vtt; charset=utf-8"),
        ("%61/es.vtt", "text/vtt; charset=utf-8"),
    ] {
        let answer = app.get(&format!("/streams/{path}?v=1")).await;
        assert_eq!(answer.header("content-type"), media_type, "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert!(!answer.header("etag").is_empty());
    }
}

#[tokio::test]
async fn masters_maps_byte_ranges_and_odd_names() {
    let streams = Streams::new();
    streams.write(
        "m/playlist.m3u8",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=360x640,CODECS=\"avc1.64001e\"\n\
         lo/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=720x1280,\
         CODECS=\"avc1.64001f,mp4a.40.2\"\nhi/index.m3u8\n",
    );
    for folder in ["lo", "hi"] {
        streams.write(&format!("m/{folder}/init.mp4"), "init");
        streams.write(&format!("m/{folder}/all 50%25.mp4"), "0123456789");
        streams.write(
            &format!("m/{folder}/index.m3u8"),
            "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4?t=1\"\n#EXTINF:2.5,\n#EXT-X-BYTERANGE:5@0\n\
             all 50%25.mp4\n#EXTINF:2.5,\n#EXT-X-BYTERANGE:5\nall 50%25.mp4\n#EXT-X-ENDLIST\n",
        );
    }
    let app = streams.app().await;
    app.until_ids(&["m"]).await;
    let media = app.get("/api/channels/m").await.json();
    assert_eq!((media["width"].as_u64(), media["height"].as_u64()), (Some(720), Some(1280)));
    assert_eq!(media["duration_s"], 5.0);
    assert_eq!(media["mime"], "application/vnd.apple.mpegurl; codecs=\"avc1.64001f,mp4a.40.2\"");
    let master = app.get("/streams/m/playlist.m3u8").await;
    assert_eq!(addresses(master.text()), ["lo/index.m3u8", "hi/index.m3u8"]);
    let child = app.get("/streams/m/hi/index.m3u8").await;
    assert_eq!(child.header("cache-control"), "no-cache");
    assert!(child.text().contains("URI=\"init.mp4?t=1&v="), "{}", child.text());
    let segment = addresses(child.text())[0];
    assert!(segment.starts_with("all%2050%2525.mp4?v="), "{segment}");
    let part = format!("/streams/m/hi/{segment}");
    let answer = app.ask(Method::GET, &part, &[("range", "bytes=5-9")]).await;
    assert_eq!((answer.text(), answer.header("cache-control")), ("56789", VERSIONED));
    assert_eq!(answer.header("content-type"), "video/mp4");
}

#[tokio::test]
async fn an_init_keeps_its_version_while_live_and_a_growing_file_has_none() {
    let streams = Streams::new();
    let text = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2,\na.m4s\n";
    streams.write("live/init.mp4", "init");
    streams.write("live/a.m4s", "a");
    streams.write("live/playlist.m3u8", text);
    streams.write("one/all.ts", "0123456789");
    let growing = "#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:5@0\nall.ts\n";
    streams.write("one/playlist.m3u8", growing);
    let app = streams.app().await;
    app.until_ids(&["live", "one"]).await;
    assert_eq!(app.get("/streams/one/playlist.m3u8").await.text(), growing);
    let served = app.get("/streams/live/playlist.m3u8").await;
    let init = served.text().split('"').nth(1).expect("an init").to_owned();

    streams.write("live/init.mp4", "init, longer");
    streams.write("live/b.m4s", "b");
    streams.write("live/playlist.m3u8", format!("{text}#EXTINF:2,\nb.m4s\n"));
    for _ in 0..200 {
        let served = app.get("/streams/live/playlist.m3u8").await;
        if served.text().contains("b.m4s?v=") {
            assert!(served.text().contains(&init), "{}", served.text());
            let answer = app.get(&format!("/streams/live/{init}")).await;
            assert_eq!(answer.text(), "init, longer");
            assert_eq!(answer.header("cache-control"), VERSIONED);
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the live playlist never grew");
}

#[tokio::test]
async fn a_file_that_vanished_is_404_and_its_channel_goes() {
    let (streams, app) = one_channel().await;
    fs::remove_file(streams.path("a/playlist1.ts")).expect("removed");
    let answer = app.get("/streams/a/playlist1.ts").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["error"]["code"], "not_found");
    app.until_ids(&[]).await;
}

/// Spellings of a way out; `/work` stands for anything that must not be read.
const WAYS_OUT: [&str; 12] = [
    "/streams/../Cargo.toml",
    "/streams/%2e%2e/Cargo.toml",
    "/streams/a/..%2f..%2fCargo.toml",
    "/streams/a/%2e%2e/%2e%2e/etc/passwd",
    "/streams//etc/passwd",
    "/streams/a/..\\..\\Cargo.toml",
    "/streams/%00",
    "/streams/.env",
    "/streams/a/../../secret",
    "/streams/a/%2e%2e%2f%2e%2e%2fsecret",
    "/streams/%c0%ae%c0%ae/secret",
    "/streams/a/%252e%252e/secret",
];

#[tokio::test]
async fn no_spelling_leads_out() {
    let (streams, app) = one_channel().await;
    fs::write(streams.outside("secret"), "secret").expect("written");
    for path in WAYS_OUT {
        // What is no address at all never reaches a router.
        if path.parse::<axum::http::Uri>().is_ok() {
            let answer = app.get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(axum::serve(listener, app.router.clone()).into_future());
    for path in WAYS_OUT {
        let mut socket = TcpStream::connect(address).await.expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        let read = socket.read_to_string(&mut answer);
        tokio::time::timeout(Duration::from_secs(5), read).await.expect("in time").expect("read");
        assert!(
            answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"),
            "{path}: {answer}"
        );
        assert!(!answer.contains("secret\n") && !answer.contains("root:x"), "{path}");
    }
    server.abort();
}

#[tokio::test]
async fn the_demo_channels_are_understood_where_they_are_present() {
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../streams");
    if !demo.is_dir() {
        return;
    }
    let judged = tokio::task::spawn_blocking(move || carrete::sources::report::judge(&demo));
    let (snapshot, findings) = judged.await.expect("judged").expect("readable");
    assert_eq!(findings, [], "nothing is wrong with them");
    assert!(snapshot.len() >= 6);
    for media in snapshot.media() {
        println!(
            "{}: {:?} {:?}x{:?} {:?} s {}",
            media.id, media.kind, media.width, media.height, media.duration_s, media.mime
        );
        assert!(media.mime.contains("codecs="), "{}", media.id);
        assert!(media.duration_s.is_some_and(|seconds| (8.0..=20.5).contains(&seconds)));
        assert_eq!(media.width.is_some(), media.kind == app::catalog::Kind::Video, "{}", media.id);
    }
}
