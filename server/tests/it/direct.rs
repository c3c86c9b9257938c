//! Players that are led to the bucket itself: for what, with which headers, and for what never.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode};
use carrete::{
    config::{BucketSettings, Delivery},
    storage::s3::Bucket,
};

use crate::{
    bucket::{SECRET_KEY, Store},
    fixtures::{Answer, App, Streams, playlist, segment},
    program::carrete_with,
};

/// A part of a fragmented film: 0 is its init.
pub(crate) fn part_of(n: u8) -> Vec<u8> {
    [&[0, 0, 0, 16], if n == 0 { b"ftyp" } else { b"styp" }, &[n; 2000][..]].concat()
}

/// A channel here, and more in a bucket to which players are led: segments of both kinds, a bare file,
/// and what lies beside them.
pub(crate) async fn led() -> (Streams, Store, App) {
    let (streams, mut store) = (Streams::new(), Store::new().await);
    store.settings.delivery = Delivery::Redirect;
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    store.write("b/poster.jpg", "jpg");
    store.write("b/es.vtt", "WEBVTT\n");
    for (n, name) in (0..).zip(["init.mp4", "0.m4s", "1.m4s"]) {
        store.write(&format!("f/low/{name}"), part_of(n));
    }
    let media = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n\
        #EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2,\n0.m4s\n#EXTINF:2,\n1.m4s\n#EXT-X-ENDLIST\n";
    store.write("f/low/index.m3u8", media);
    let main = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000\nlow/index.m3u8\n";
    store.write("f/playlist.m3u8", main);
    store.write("song.mp3", "not really media");
    streams.channel("a");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["a", "b", "f", "song"]).await;
    (streams, store, app)
}

/// The address that an answer leads to.
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{:?}", answer.headers);
    let cache = answer.header("cache-control");
    assert!(cache.starts_with("private, max-age=") && !cache.contains("immutable"), "{cache}");
    let kept: u64 = cache.rsplit_once('=').and_then(|(_, s)| s.parse().ok()).expect("seconds");
    let location = answer.header("location").to_owned();
    let query = location.split_once('?').expect("a signature").1.to_owned();
    let life = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Expires="));
    let life: u64 = life.and_then(|life| life.parse().ok()).expect("a life");
    assert!(kept > 0 && kept < life, "kept {kept} s, lives {life} s");
    assert!(!location.contains(SECRET_KEY));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    location
}

async fn first_segment(app: &App) -> String {
    let list = app.get("/streams/b/playlist.m3u8").await;
    let line = list.text().lines().find(|line| line.contains("0.ts?v=")).expect("one").to_owned();
    format!("/streams/b/{line}")
}

#[tokio::test(flavor = "multi_thread")]
async fn media_are_led_to_and_nothing_else() {
    let (_streams, store, app) = led().await;
    let origin = Bucket::new(&store.settings).expect("a bucket").direct_origin().await;
    let origin = origin.expect("an origin");
    let versioned = first_segment(&app).await;
    for (path, media_type) in [
        (&*versioned, "video%2Fmp2t"),
        ("/streams/b/playlist1.ts", "video%2Fmp2t"),
        ("/streams/song.mp3", "audio%2Fmpeg"),
    ] {
        let to = location(&app.get(path).await);
        assert!(to.starts_with(&format!("{origin}/films/")), "{to}");
        assert!(to.contains(&format!("response-content-type={media_type}")), "{to}");
        // The same for everybody, so that a CDN can keep it.
        assert_eq!(location(&app.get(path).await), to);
    }
    for path in [
        "/streams/b/playlist.m3u8",
        "/streams/b/poster.webp",
        "/streams/b/es.vtt",
        "/streams/a/playlist0.ts",
    ] {
        assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
    }
    let unknown = versioned.replace("?v=", "?v=9");
    assert_eq!(app.get(&unknown).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_leads_to_has_the_bytes() {
    let (_streams, _store, app) = led().await;
    let versioned = first_segment(&app).await;
    let to = location(&app.get(&versioned).await);
    let client = crate::web::client();
    let whole = client.get(&to).send().await.expect("an answer");
    assert_eq!(whole.status(), 200);
    assert_eq!(&*whole.bytes().await.expect("a body"), segment(0));

    // A player sends a range along, to us and then to where it is led.
    let range = [("range", "bytes=188-375")];
    let to = location(&app.ask(Method::GET, &versioned, &range).await);
    let part = client.get(&to).header("range", "bytes=188-375").send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(&*part.bytes().await.expect("a body"), &segment(0)[188..376]);

    let to = location(&app.ask(Method::HEAD, &versioned, &[]).await);
    let head = client.head(&to).send().await.expect("an answer");
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], "1880");

    // What it has of us or of the bucket is not sent again.
    let version = versioned.split_once("?v=").expect("a version").1;
    let held = [("if-none-match", &*format!("\"{version}\""))];
    assert_eq!(app.ask(Method::GET, &versioned, &held).await.status, StatusCode::NOT_MODIFIED);
    let since = head.headers()["last-modified"].to_str().expect("a time").to_owned();
    let held = [("if-modified-since", &*since)];
    assert_eq!(app.ask(Method::GET, &versioned, &held).await.status, StatusCode::NOT_MODIFIED);
    let held = [("if-none-match", "\"the-tag-of-the-bucket\"")];
    location(&app.ask(Method::GET, &versioned, &held).await);
    let held = [("if-range", "\"the-tag-of-the-bucket\""), ("range", "bytes=0-9")];
    location(&app.ask(Method::GET, &versioned, &held).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_is_led_to_and_a_playlist_in_no_way() {
    let (_streams, _store, app) = led().await;
    let list = app.get("/streams/f/low/index.m3u8").await;
    let text = list.text().to_owned();
    for (n, name) in (0..).zip(["init.mp4", "0.m4s", "1.m4s"]) {
        let at = text.find(&format!("{name}?v=")).expect("an address with its version");
        let written = text[at..].split(['"', '\n']).next().expect("its end");
        let to = location(&app.get(&format!("/streams/f/low/{written}")).await);
        let answer = crate::web::get(&to).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert_eq!(answer.headers()["content-type"], "video/mp4", "{name}");
        assert_eq!(&*answer.bytes().await.expect("a body"), part_of(n), "{name}");
    }
    for path in ["f/playlist.m3u8", "f/low/index.m3u8", "b/poster.webp", "b/es.vtt"] {
        let path = format!("/streams/{path}");
        for method in [Method::GET, Method::HEAD] {
            for headers in [&[][..], &[("range", "bytes=0-2")], &[("if-none-match", "\"x\"")]] {
                let answer = app.ask(method.clone(), &path, headers).await;
                assert!(answer.status.is_success(), "{method} {path} {headers:?}: {answer:?}");
                assert!(!answer.headers.contains_key("location"), "{path}");
            }
        }
    }
}

/// What the policy of a page lets it load so.
async fn allowed(base: &str, directive: &str) -> Vec<String> {
    let page = crate::web::get(base).await.expect("an answer");
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().expect("ASCII").to_owned();
    let told = policy.split(';').find_map(|part| part.trim().strip_prefix(directive));
    told.expect("the directive").split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_load_from_the_bucket_only_where_players_are_led_there() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    let mut settings = store.told_to_a_program().to_vec();
    let origin = settings[1].1.to_owned();
    for (delivery, led) in [("redirect", true), ("edge", false)] {
        settings.push(("S3_DELIVERY", delivery));
        let server = carrete_with(&streams, &settings).await;
        server.until_ids(&["a"]).await;
        for directive in ["connect-src", "media-src"] {
            let told = allowed(&server.base, directive).await;
            assert_eq!(told.contains(&origin), led, "{delivery}: {directive} {told:?}");
            assert!(told.contains(&"'self'".to_owned()), "{delivery}: {directive} {told:?}");
        }
        for directive in ["default-src", "script-src", "img-src", "style-src"] {
            let told = allowed(&server.base, directive).await;
            assert!(!told.contains(&origin), "{delivery}: {directive} {told:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_a_bucket_that_is_away() {
    let (_streams, store, app) = led().await;
    location(&app.get("/streams/b/playlist1.ts").await);
    store.mood.down.store(true, Ordering::Relaxed);
    app.until(|list| list.media().iter().any(|media| !media.available)).await;
    let answer = app.get("/streams/b/playlist1.ts").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn it_is_off_where_nobody_asks_for_it() {
    let store = Store::new().await;
    assert_eq!(BucketSettings::default().delivery, Delivery::CachedStore);
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    assert_eq!(bucket.direct_origin().await, None);
}
