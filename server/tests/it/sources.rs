//! A bucket beside the streams folder: what is listed, what clashes, and what is served of it.

use std::{
    fs,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use app::catalog::ChannelId;
use axum::http::{Method, StatusCode};
use carrete::sources;
use carrete::{
    config::{BucketSettings, Config, Delivery, Secret},
    doctor::Check,
};
use clap::{Args, FromArgMatches};

use crate::{
    bucket::{SECRET_KEY, Store},
    fixtures::{Streams, playlist, segment},
};

fn id(text: &str) -> ChannelId {
    ChannelId::parse(text).expect("an id")
}

/// A channel as [`Streams::channel`] makes it.
fn channel(store: &Store, id: &str) {
    for n in 0..3 {
        store.write(&format!("{id}/playlist{n}.ts"), segment(n));
    }
    store.write(&format!("{id}/playlist.m3u8"), playlist(0..3, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_listed_beside_the_folder() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    channel(&store, "b");
    store.write("b/channel.toml", "title = \"Playa\"\ntags = [\"mar\"]\n");
    store.write("b/poster.jpg", "jpg");
    store.write("b/es.vtt", "WEBVTT\n");
    store.write("song.mp3", "not really media");
    store.write("notes.txt", "x");
    store.write(".hidden/playlist.m3u8", playlist(0..1, true));
    store.write("half/playlist.m3u8", playlist(0..3, true));
    store.write("half/playlist0.ts", segment(0));
    store.write("bad/playlist.m3u8", "#EXTM3U\n#EXTINF:2,\n../a/playlist0.ts\n#EXT-X-ENDLIST\n");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["a", "b", "song"]).await;
    let media = app.get("/api/channels/b").await.json();
    assert_eq!(media["source"], "s3");
    assert_eq!(media["available"], true);
    assert_eq!(media["title"], "Playa");
    assert_eq!(media["duration_s"], 6.0);
    assert_eq!(media["poster"], "/streams/b/poster.webp");
    assert_eq!(media["subtitles"][0]["url"], "/streams/b/es.vtt");
    assert_eq!(app.get("/api/channels/a").await.json()["source"], "local");
    assert_eq!(app.get("/api/channels/song").await.json()["url"], "/streams/song.mp3");

    let list = app.get("/streams/b/playlist.m3u8").await;
    assert_eq!(list.header("content-type"), "application/vnd.apple.mpegurl");
    let first = list.text().lines().find(|line| line.contains(".ts?v=")).expect("an address");
    let answer = app.get(&format!("/streams/b/{first}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, segment(0));
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("content-type"), "video/mp2t");
    let etag = answer.header("etag").to_owned();
    let path = format!("/streams/b/{first}");
    let again = app.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let part = app.ask(Method::GET, &path, &[("range", "bytes=188-375")]).await;
    assert_eq!((part.status, part.body.len()), (StatusCode::PARTIAL_CONTENT, 188));
    assert_eq!(part.body, segment(0)[188..376]);
    let head = app.ask(Method::HEAD, &path, &[]).await;
    assert_eq!(head.header("content-length"), "1880");
    assert_eq!(app.get("/streams/b/poster.webp").await.text(), "jpg");
    assert_eq!(app.get("/streams/song.mp3").await.text(), "not really media");
    for nothing in ["/streams/notes.txt", "/streams/half/playlist.m3u8", "/streams/b/../a"] {
        assert_eq!(app.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_in_the_bucket_come_into_the_list() {
    let (streams, store) = (Streams::new(), Store::new().await);
    let app = streams.app_with(vec![store.source()]).await;
    channel(&store, "b");
    app.until_ids(&["b"]).await;
    let before = app.get("/streams/b/playlist.m3u8").await;
    let old = before.text().lines().find(|line| line.contains("0.ts?v=")).expect("one").to_owned();
    assert_eq!(app.get(&format!("/streams/b/{old}")).await.body, segment(0));

    // Other bytes have another address, and the old one leads to the old bytes while they are kept.
    store.write("b/playlist0.ts", segment(9));
    let version = app.now().version().to_owned();
    let began = Instant::now();
    loop {
        let now = app.get("/streams/b/playlist.m3u8").await;
        if now.header("etag") != before.header("etag") {
            let new = now.text().lines().find(|line| line.contains("0.ts?v=")).expect("one");
            assert_eq!(app.get(&format!("/streams/b/{new}")).await.body, segment(9));
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "the playlist stays as it was");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(app.now().version(), version, "the same list in the eyes of people");
    assert_eq!(app.get(&format!("/streams/b/{old}")).await.body, segment(0));
    let unknown = old.replace("?v=", "?v=9");
    assert_eq!(app.get(&format!("/streams/b/{unknown}")).await.status, StatusCode::NOT_FOUND);

    fs::remove_dir_all(store.path("b")).expect("removed");
    app.until_ids(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_listed_once_and_clashes_take_another_name() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for name in ["same", "other", "gone"] {
        streams.channel(name);
        channel(&store, name);
    }
    store.write("other/playlist2.ts", [segment(2), segment(2)].concat());
    streams.write("song.mp3", "one song");
    store.write("song.mp3", "another song");
    streams.write("tune.mp3", "one tune");
    store.write("tune.mp3", "one tune");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["gone", "other", "other.s3", "same", "song", "song.s3", "tune"]).await;
    let source = |name: &str| app.now().get(&id(name)).expect("listed").source;
    assert_eq!(source("same"), app::catalog::Source::Local);
    assert_eq!(source("other.s3"), app::catalog::Source::S3);
    let url = |name: &str| app.now().get(&id(name)).expect("listed").url.clone();
    assert_eq!(app.get(&url("song")).await.text(), "one song");
    assert_eq!(app.get(&url("song.s3")).await.text(), "another song");
    assert_eq!(app.get("/streams/other.s3/playlist2.ts").await.body.len(), 3760);

    // What one source loses another still has.
    fs::remove_dir_all(streams.path("gone")).expect("removed");
    app.until(|list| list.get(&id("gone")).is_some_and(|m| m.source == app::catalog::Source::S3))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_stays_in_the_list() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    channel(&store, "b");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["a", "b"]).await;
    let path = "/streams/b/playlist0.ts";
    assert_eq!(app.get(path).await.body, segment(0));

    store.mood.down.store(true, Ordering::Relaxed);
    app.until(|list| list.get(&id("b")).is_some_and(|media| !media.available)).await;
    let troubles = app.now().troubles().join(" ");
    assert!(troubles.contains("films"), "{troubles}");
    assert!(!troubles.contains(SECRET_KEY) && !troubles.contains("127.0.0.1"), "{troubles}");
    assert!(app.now().get(&id("a")).is_some_and(|media| media.available));
    // What is kept is served on; what is not, is refused soon.
    assert_eq!(app.get(path).await.body, segment(0));
    assert_eq!(app.get("/streams/b/playlist.m3u8").await.status, StatusCode::OK);
    let began = Instant::now();
    let cold = app.get("/streams/b/playlist2.ts").await;
    if cold.status != StatusCode::OK {
        assert_eq!(cold.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(cold.header("retry-after"), "2");
        assert_eq!(cold.json()["error"]["code"], "source_away");
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());

    store.mood.down.store(false, Ordering::Relaxed);
    app.until(|list| list.get(&id("b")).is_some_and(|media| media.available)).await;
    assert!(app.now().troubles().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_without_the_bucket_serves_what_is_kept() {
    let (streams, store) = (Streams::new(), Store::new().await);
    channel(&store, "b");
    let path = "/streams/b/playlist0.ts";
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["b"]).await;
    assert_eq!(app.get(path).await.body, segment(0));
    drop(app);
    tokio::time::sleep(Duration::from_millis(200)).await;
    store.mood.down.store(true, Ordering::Relaxed);
    let app = streams.app_with(vec![store.source()]).await;
    app.until(|list| list.get(&id("b")).is_some_and(|media| !media.available)).await;
    assert_eq!(app.get(path).await.body, segment(0));
    app.until(|list| list.troubles().len() == 1).await;
    store.mood.down.store(false, Ordering::Relaxed);
    app.until(|list| list.get(&id("b")).is_some_and(|media| media.available)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_bucket_delays_nothing() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    channel(&store, "b");
    store.mood.latency_ms.store(1500, Ordering::Relaxed);
    let began = Instant::now();
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["a"]).await;
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    app.until_ids(&["a", "b"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_is_a_folder_of_the_bucket() {
    let (streams, mut store) = (Streams::new(), Store::new().await);
    channel(&store, "tv/b");
    channel(&store, "tvother/c");
    store.settings.prefix = "/tv/".into();
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["b"]).await;
    assert_eq!(app.get("/streams/b/playlist0.ts").await.body, segment(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_pages() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for n in 0..400 {
        channel(&store, &format!("c{n}"));
    }
    let app = streams.app_with(vec![store.source()]).await;
    app.until(|list| list.len() == 400).await;
    assert!(store.mood.lists.load(Ordering::Relaxed) >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_told_in_one_sentence() {
    let store = Store::new().await;
    for (change, part) in [
        ((|s| s.bucket_name = "none".into()) as fn(&mut BucketSettings), "BUCKET_NAME"),
        (|s| s.secret_access_key = "wrong".parse().expect("a key"), "AWS_SECRET_ACCESS_KEY"),
        (|s| s.access_key_id = "AKIAOTHER".parse().expect("a key"), "AWS_ACCESS_KEY_ID"),
        (|s| s.endpoint_url.0 = "http://127.0.0.1:9".parse().ok(), "AWS_ENDPOINT_URL"),
    ] {
        let mut settings = store.settings.clone();
        change(&mut settings);
        let bucket = carrete::storage::s3::Bucket::new(&settings).expect("a bucket");
        let error = carrete::storage::Store::list(&bucket).await.expect_err(part);
        let told = error.to_string();
        assert!(told.contains(part), "{told} says nothing of {part}");
        assert!(!told.contains('\n') && !told.contains("AKIA"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_the_bucket_too() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    channel(&store, "b");
    let list = |json| {
        let (folders, store) = (streams.folders(), store.source());
        async move { sources::channels(&folders, vec![store.into()], json).await.expect("readable") }
    };
    let (json, troubles) = list(true).await;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json[0]["source"], &json[1]["source"]), (&"local".into(), &"s3".into()));
    assert!(troubles.is_empty());
    store.mood.down.store(true, Ordering::Relaxed);
    let (table, troubles) = list(false).await;
    // What was listed last is still known.
    assert_eq!(table.lines().count(), 3, "{table}");
    assert_eq!(troubles.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_the_bucket() {
    let (streams, store) = (Streams::new(), Store::new().await);
    store.write("a/0.ts", segment(0));
    let examine = |settings: &BucketSettings| {
        let command = Config::augment_args(clap::Command::new("carrete"));
        let matches = command.get_matches_from(["carrete"]);
        let config = Config::from_arg_matches(&matches).expect("defaults");
        let (folders, bucket) = (streams.folders(), settings.clone());
        let config = Config { folders, bucket, port: 0, ..config };
        async move { carrete::doctor::examine(&config).await }
    };
    let of = |checks: &[Check], name: &str| {
        let check = checks.iter().find(|check| check.check.starts_with(name));
        check.unwrap_or_else(|| panic!("no check of {name} in {checks:?}")).clone()
    };
    let checks = examine(&store.settings).await;
    let bucket = of(&checks, "bucket \"films\"");
    assert!(bucket.ok && bucket.message.contains('1'), "{bucket:?}");
    for name in ["bucket, writing", "bucket, clock", "cache folder"] {
        assert!(of(&checks, name).ok, "{checks:?}");
    }
    assert!(!store.path(".tmp-doctor").exists());

    // A channel that cannot be played is told with what mends it.
    store.write("half/playlist.m3u8", playlist(0..3, true));
    store.write("half/playlist0.ts", segment(0));
    let checks = examine(&store.settings).await;
    let half = of(&checks, "bucket \"films\", \"half\"");
    assert!(!half.ok && half.message.contains("playlist1.ts is missing"), "{half:?}");
    assert!(half.fix.is_some_and(|fix| fix.contains("copy the missing files")));
    assert!(of(&checks, "bucket \"films\", channels").ok, "{checks:?}");
    std::fs::remove_dir_all(store.path("half")).expect("removed");

    // What serving does not need is told and no fault.
    store.mood.read_only.store(true, Ordering::Relaxed);
    let writing = of(&examine(&store.settings).await, "bucket, writing");
    assert!(writing.ok && writing.message.contains("s3:PutObject"), "{writing:?}");
    store.mood.read_only.store(false, Ordering::Relaxed);

    let redirect = BucketSettings { delivery: Delivery::Redirect, ..store.settings.clone() };
    let cors = of(&examine(&redirect).await, "bucket, S3_DELIVERY");
    assert!(!cors.ok && cors.fix.is_some_and(|fix| fix.contains("AllowedOrigins")));
    store.mood.lets_pages.store(true, Ordering::Relaxed);
    assert!(of(&examine(&redirect).await, "bucket, S3_DELIVERY").ok);

    let wrong = "wrong".parse().expect("a key");
    let settings = BucketSettings { secret_access_key: wrong, ..store.settings.clone() };
    let fix = of(&examine(&settings).await, "bucket").fix.expect("a fix");
    assert!(fix.contains("AWS_SECRET_ACCESS_KEY"), "{fix}");
    let settings = BucketSettings { access_key_id: Secret::default(), ..store.settings.clone() };
    assert!(of(&examine(&settings).await, "bucket").message.contains("AWS_ACCESS_KEY_ID"));
    let checks = examine(&BucketSettings::default()).await;
    assert!(!checks.is_empty() && checks.iter().all(|check| !check.check.starts_with("bucket")));
}
