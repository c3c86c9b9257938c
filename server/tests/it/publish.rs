//! Channels between the streams folder and a bucket: what comes there, what never shows, and what
//! happens when one is stopped or killed in the middle.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use app::catalog::{ChannelId, Source};
use carrete::{
    data_dir::DataDir,
    storage::s3::Bucket,
    transfer::{Meter, PART_BYTES, PublishError, PublishJob, Published, pull, push},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    bucket::{ACCESS_KEY, SECRET_KEY, Store},
    fixtures::{Streams, playlist, segment},
};

const PATIENCE: Duration = Duration::from_secs(30);

fn job(streams: &Streams, id: &str, replace: bool) -> PublishJob {
    let folders = streams.folders();
    let channel = ChannelId::parse(id).expect("an id");
    let (streams, data) = (folders.streams, DataDir::new(&folders.data));
    PublishJob { channel, streams, data, replace, meter: Meter::default() }
}

async fn pushed(
    streams: &Streams,
    store: &Store,
    id: &str,
    replace: bool,
) -> Result<Published, PublishError> {
    let bucket = Bucket::to_publish(&store.settings).expect("a bucket");
    push(&job(streams, id, replace), &bucket, &CancellationToken::new()).await
}

async fn pulled(
    streams: &Streams,
    store: &Store,
    id: &str,
    replace: bool,
) -> Result<Published, PublishError> {
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    pull(&job(streams, id, replace), &bucket, &store.source(), &CancellationToken::new()).await
}

/// The program itself, to be killed.
fn carrete(verb: &str, id: &str, streams: &Streams, store: &Store) -> Child {
    carrete_with(&[verb, id], streams, store)
}

fn carrete_with(arguments: &[&str], streams: &Streams, store: &Store) -> Child {
    let folders = streams.folders();
    let endpoint = store.settings.endpoint_url.0.as_ref().expect("an address");
    Command::new(env!("CARGO_BIN_EXE_carrete"))
        .args(arguments)
        .current_dir(streams.outside(""))
        .env_clear()
        .env("STREAMS_DIR", folders.streams)
        .env("DATA_DIR", folders.data)
        .env("CACHE_DIR", streams.outside("cache"))
        .env("BUCKET_NAME", &store.settings.bucket_name)
        .env("AWS_ENDPOINT_URL", endpoint.as_str())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

async fn until(wanted: impl Fn() -> bool) {
    let began = Instant::now();
    while !wanted() {
        assert!(began.elapsed() < PATIENCE, "it does not come to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A channel whose last segment is sent in three parts.
fn long_channel(streams: &Streams, id: &str) -> Vec<u8> {
    streams.channel(id);
    // A little more than two parts, in whole packets.
    let packets = 2 * PART_BYTES as usize / 188 + 1;
    let long: Vec<u8> = segment(7).into_iter().cycle().take(packets * 188).collect();
    streams.write(&format!("{id}/playlist2.ts"), &long);
    streams.write(&format!("{id}/channel.toml"), "title = \"Playa\"\n");
    streams.write(&format!("{id}/es.vtt"), "WEBVTT\n");
    streams.write(&format!("{id}/notes.txt"), "not of the channel");
    long
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_stopped_shows_nothing_and_goes_on_where_it_was() {
    let (streams, store) = (Streams::new(), Store::new().await);
    let long = long_channel(&streams, "a");
    store.mood.latency_ms.store(40, Ordering::Relaxed);
    let stop = CancellationToken::new();
    let bucket = Bucket::to_publish(&store.settings).expect("a bucket");
    let first = job(&streams, "a", false);
    let (end, ()) = tokio::join!(push(&first, &bucket, &stop), async {
        until(|| store.mood.writes_of("partNumber=2") > 0).await;
        stop.cancel();
    });
    assert!(matches!(end, Err(PublishError::Stopped)), "{end:?}");
    assert!(!store.path("a/playlist.m3u8").exists());
    let other = Streams::new();
    let app = other.app_with(vec![store.source()]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(app.ids().await, Vec::<String>::new());

    let second = job(&streams, "a", false);
    let done = push(&second, &bucket, &CancellationToken::new()).await.expect("whole");
    assert_eq!(done.files, 6);
    assert_eq!(second.meter.read(), (done.bytes, done.bytes), "what was there counts too");
    assert!(done.there >= 2, "{done:?}");
    assert_eq!(store.mood.writes_of("partNumber=1"), 1, "a part that is there is not sent again");
    assert_eq!(store.mood.writes_of("/a/playlist0.ts"), 1);
    app.until_ids(&["a"]).await;
    let media = app.get("/api/channels/a").await.json();
    assert_eq!((&media["title"], &media["source"]), (&"Playa".into(), &"s3".into()));
    assert_eq!(app.get("/streams/a/playlist1.ts").await.body, segment(1));
    assert!(fs::read(store.path("a/playlist2.ts")).expect("there") == long, "other bytes");
    assert!(!store.path("a/notes.txt").exists());

    // What is there is known by its content: nothing is sent.
    let writes = store.mood.writes_of("");
    let again = pushed(&streams, &store, "a", false).await.expect("the same");
    assert_eq!((again.there, again.files), (6, 6));
    assert_eq!(store.mood.writes_of(""), writes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_killed_shows_nothing_and_goes_on() {
    let (streams, store) = (Streams::new(), Store::new().await);
    long_channel(&streams, "a");
    store.mood.latency_ms.store(40, Ordering::Relaxed);
    for writes in [2, 5] {
        let mut child = carrete("push", "a", &streams, &store);
        until(|| store.mood.writes_of("") >= writes).await;
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert!(!store.path("a/playlist.m3u8").exists());
    }
    let child = carrete("push", "a", &streams, &store);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("joined");
    let output = output.expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("pushed a: 6 files, "), "{told}");
    for name in ["playlist.m3u8", "playlist0.ts", "playlist2.ts", "channel.toml", "es.vtt"] {
        let key = format!("a/{name}");
        let same = fs::read(store.path(&key)).expect("there")
            == fs::read(streams.path(&key)).expect("here");
        assert!(same, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_finished_is_refused_in_a_sentence() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.write("live/playlist.m3u8", playlist(0..1, false));
    streams.write("live/playlist0.ts", segment(0));
    streams.write("half/playlist.m3u8", playlist(0..2, true));
    streams.write("half/playlist0.ts", segment(0));
    for (key, ended) in [("live", false), ("half", true)] {
        store.write(&format!("{key}/playlist.m3u8"), playlist(0..2, ended));
        store.write(&format!("{key}/playlist0.ts"), segment(0));
    }
    let into = Streams::new();
    for (id, part) in
        [("live", "is live"), ("half", "playlist1.ts is missing"), ("none", "no channel none")]
    {
        for end in
            [pushed(&streams, &store, id, false).await, pulled(&into, &store, id, false).await]
        {
            let told = end.expect_err("refused").to_string();
            assert!(told.contains(part) && !told.contains('\n'), "{id}: {told}");
        }
    }
    assert_eq!(store.mood.writes_of(""), 0);
    assert_eq!(fs::read_dir(into.path("")).expect("a folder").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_channel_gives_way_only_when_told() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    for n in 0..4 {
        store.write(&format!("a/playlist{n}.ts"), segment(9));
    }
    store.write("a/playlist.m3u8", playlist(0..4, true));
    let told = pushed(&streams, &store, "a", false).await.expect_err("taken").to_string();
    assert!(told.contains("--replace") && told.contains("films"), "{told}");
    assert_eq!(store.mood.writes_of(""), 0);
    pushed(&streams, &store, "a", true).await.expect("replaced");
    assert_eq!(fs::read(store.path("a/playlist0.ts")).expect("there"), segment(0));
    assert!(!store.path("a/playlist3.ts").exists(), "what another left is taken away");

    streams.channel("b");
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n + 5));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    // The same is no other.
    let there = pulled(&streams, &store, "a", false).await.expect("the same");
    assert_eq!((there.files, there.there), (4, 4));
    let told = pulled(&streams, &store, "b", false).await.expect_err("taken").to_string();
    assert!(told.contains("--replace"), "{told}");
    assert_eq!(fs::read(streams.path("b/playlist0.ts")).expect("here"), segment(0));
    pulled(&streams, &store, "b", true).await.expect("replaced");
    assert_eq!(fs::read(streams.path("b/playlist0.ts")).expect("here"), segment(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_file_goes_both_ways() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.write("año 1.mp3", "not really media");
    assert_eq!(pushed(&streams, &store, "año 1", false).await.expect("there").files, 1);
    assert_eq!(fs::read(store.path("año 1.mp3")).expect("there"), b"not really media");
    let into = Streams::new();
    pulled(&into, &store, "año 1", false).await.expect("here");
    assert_eq!(fs::read(into.path("año 1.mp3")).expect("here"), b"not really media");
    assert_eq!(fs::read_dir(into.path("")).expect("a folder").count(), 1);
    assert!(pulled(&into, &store, "año 1", false).await.is_err());
    pulled(&into, &store, "año 1", true).await.expect("replaced");
    assert_eq!(fs::read_dir(into.path("")).expect("a folder").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beside_a_film_goes_along() {
    let (streams, store) = (Streams::new(), Store::new().await);
    let beside = ["film.es.vtt", "film.jpg", "film.mp4.toml"];
    streams.write("film.mp4", "not really media");
    streams.write("film.es.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHola\n");
    streams.write("film.jpg", "a picture");
    streams.write("film.mp4.toml", "hidden = true\n");
    streams.write("film2.jpg", "another's");
    store.write("seen.mp4", "another film");
    let app = Streams::new();
    let app = app.app_with(vec![store.source()]).await;
    app.until_ids(&["seen"]).await;
    assert_eq!(pushed(&streams, &store, "film", false).await.expect("there").files, 4);
    for name in beside {
        assert_eq!(fs::read(store.path(name)).ok(), fs::read(streams.path(name)).ok(), "{name}");
    }
    assert!(!store.path("film2.jpg").exists());
    // What is hidden here is hidden there.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    app.until_ids(&["seen"]).await;
    assert_eq!(app.get("/streams/film.mp4").await.status, 404);
    // Nothing is sent twice, and a new picture is no reason to send the film again.
    assert_eq!(pushed(&streams, &store, "film", false).await.expect("there").there, 4);
    streams.write("film.jpg", "another picture");
    let films = || store.mood.writes_of("film.mp4") - store.mood.writes_of("film.mp4.toml");
    let before = films();
    assert_eq!(pushed(&streams, &store, "film", false).await.expect("there").there, 3);
    assert_eq!(films(), before);
    assert_eq!(fs::read(store.path("film.jpg")).expect("there"), b"another picture");

    let into = Streams::new();
    let here = into.app().await;
    assert_eq!(pulled(&into, &store, "film", false).await.expect("here").files, 4);
    for name in beside.iter().chain(&["film.mp4"]) {
        assert_eq!(fs::read(into.path(name)).ok(), fs::read(streams.path(name)).ok(), "{name}");
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    here.until_ids(&[]).await;
    // Shown again, with what lies beside it.
    streams.write("film.mp4.toml", "title = \"Olas\"\n");
    assert_eq!(pushed(&streams, &store, "film", false).await.expect("there").there, 3);
    app.until_ids(&["film", "seen"]).await;
    let list = app.get("/api/videos").await;
    assert!(list.text().contains("Olas"), "{}", list.text());
    assert_eq!(app.get("/streams/film/es.vtt").await.status, 200);
    assert_eq!(app.get("/streams/film/poster.webp").await.text(), "another picture");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_comes_whole_with_the_times_of_the_bucket() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for n in 0..3 {
        store.write(&format!("b/low/seg{n}.ts"), segment(n));
    }
    let child = playlist(0..3, true).replace("playlist", "seg");
    store.write("b/low/index.m3u8", child);
    let main = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000\nlow/index.m3u8\n";
    store.write("b/playlist.m3u8", main);
    store.write("b/channel.toml", "title = \"Playa\"\n");
    store.write("b/poster.jpg", "jpg");
    store.write("b/notes.txt", "not of the channel");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["b"]).await;
    let done = pulled(&streams, &store, "b", false).await.expect("whole");
    assert_eq!(done.files, 7);
    let source = |list: &carrete::catalog::Snapshot| list.media().first().map(|m| m.source);
    app.until(|list| source(list) == Some(Source::Local)).await;
    assert_eq!(app.get("/streams/b/low/seg1.ts").await.body, segment(1));
    assert!(!streams.path("b/notes.txt").exists());
    let seconds = |path| {
        let time = fs::metadata(path).and_then(|meta| meta.modified()).expect("a time");
        time.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
    };
    assert_eq!(seconds(streams.path("b/low/seg1.ts")), seconds(store.path("b/low/seg1.ts")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_killed_or_cut_off_shows_nothing() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for n in 0..8 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..8, true));
    let app = streams.app().await;
    store.mood.latency_ms.store(60, Ordering::Relaxed);
    let mut child = carrete("pull", "b", &streams, &store);
    until(|| store.mood.reads_of(".ts") >= 4).await;
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!streams.path("b").exists());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(app.ids().await, Vec::<String>::new());

    // What is cut off again and again is given up and leaves nothing, nor what the killed one left.
    store.mood.latency_ms.store(0, Ordering::Relaxed);
    store.mood.cut_after.store(100, Ordering::Relaxed);
    store.mood.cuts.store(1000, Ordering::Relaxed);
    assert!(pulled(&streams, &store, "b", false).await.is_err());
    assert_eq!(fs::read_dir(streams.path("")).expect("a folder").count(), 0);

    store.mood.cuts.store(0, Ordering::Relaxed);
    let child = carrete("pull", "b", &streams, &store);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("joined");
    let output = output.expect("ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    app.until_ids(&["b"]).await;
    assert_eq!(app.get("/streams/b/playlist7.ts").await.body, segment(7));
}

/// The lines that the program writes, and whether it succeeded.
async fn lines(arguments: &[&str], streams: &Streams, store: &Store) -> (Vec<Value>, bool) {
    let child = carrete_with(arguments, streams, store);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("joined");
    let output = output.expect("ended");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (lines, output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_told_how_far_it_is() {
    let (streams, store) = (Streams::new(), Store::new().await);
    long_channel(&streams, "a");
    for n in 0..20 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..20, true));
    store.mood.latency_ms.store(250, Ordering::Relaxed);
    for (verb, id, files) in [("push", "a", 6), ("pull", "b", 21)] {
        let (lines, well) = lines(&[verb, id, "--json"], &streams, &store).await;
        assert!(well, "{verb}: {lines:?}");
        let (done, progress) = lines.split_last().expect("a line");
        assert_eq!((&done["type"], &done["files"]), (&"done".into(), &files.into()), "{verb}");
        let told = |line: &Value, name: &str| line[name].as_u64().expect("a number");
        for two in progress.windows(2) {
            assert!(told(&two[0], "bytes") <= told(&two[1], "bytes"), "{verb}: {two:?}");
        }
        // The list comes first, and the last of it is not told until it is done.
        let begun = |line: &&Value| told(line, "bytes") > 0;
        let last = progress.iter().rfind(begun).expect("it takes over a second");
        assert_eq!((&last["type"], &last["channel"]), (&"progress".into(), &id.into()));
        assert_eq!(told(last, "total"), told(done, "bytes"), "{verb}");
    }
    let (lines, well) = lines(&["push", "none", "--json"], &streams, &store).await;
    assert!(!well);
    assert_eq!(lines.last().expect("a line")["type"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_write_is_told_so() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    store.mood.read_only.store(true, Ordering::Relaxed);
    let told = pushed(&streams, &store, "a", false).await.expect_err("refused").to_string();
    assert!(told.contains("s3:PutObject") && !told.contains(SECRET_KEY), "{told}");
}
