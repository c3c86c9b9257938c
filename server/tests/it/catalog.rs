//! The list: what is in it, in which order, and how it follows the folder.

use std::{fs, os::unix::fs::symlink, time::Duration};

use app::catalog::{Anchor, Catalog, ChannelId, Kind, Order};
use axum::http::{Method, StatusCode};
use carrete::{
    clock::Clock,
    sources::{self, report},
};

use crate::fixtures::{Streams, playlist, segment};

/// What CONTRACT promises of a change in the folder.
const PROMISED: Duration = Duration::from_secs(2);

fn id(text: &str) -> ChannelId {
    ChannelId::parse(text).expect("an id")
}

#[tokio::test]
async fn finished_channels_are_listed_in_feed_order() {
    let streams = Streams::new();
    for name in ["canal10", "canal2", "first", "last", "an\u{303}o", "hid", ".hidden", ".tmp-x"] {
        streams.channel(name);
    }
    streams.write("first/channel.toml", "title = \"Primero\"\norder = 1\ntags = [\"mar\"]\n");
    streams.write("last/channel.toml", "unknown = 5\n");
    streams.write("hid/channel.toml", "hidden = true\n");
    streams.write("first/poster.jpg", "jpg");
    streams.write("first/es.vtt", "WEBVTT\n");
    streams.write("first/pt-BR.vtt", "WEBVTT\n");
    streams.write("notes.txt", "x");
    let app = streams.app().await;
    app.until_ids(&["first", "año", "canal2", "canal10", "last"]).await;
    assert_eq!(app.ids().await, ["first", "año", "canal2", "canal10", "last"]);

    let media = app.get("/api/channels/first").await.json();
    assert_eq!(media["title"], "Primero");
    assert_eq!(media["url"], "/streams/first/playlist.m3u8");
    assert_eq!(media["poster"], "/streams/first/poster.webp");
    assert_eq!(media["source"], "local");
    assert_eq!(media["live"], false);
    assert_eq!(media["duration_s"], 6.0);
    assert_eq!(media["tags"][0], "mar");
    assert_eq!(media["subtitles"][0]["lang"], "es");
    assert_eq!(media["subtitles"][1]["url"], "/streams/first/pt-BR.vtt");
    assert!(media["mime"].as_str().is_some_and(|m| m.starts_with("application/vnd.apple.mpegurl")));
    let other = app.get("/api/channels/a%C3%B1o").await.json();
    assert_eq!(other["url"], "/streams/a%C3%B1o/playlist.m3u8");
    assert_eq!(app.get("/api/channels/an%CC%83o").await.json()["id"], "año");
}

#[tokio::test]
async fn the_list_answers_conditions_and_parts() {
    let streams = Streams::new();
    for n in 0..5 {
        streams.channel(&format!("c{n}"));
    }
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 5).await;
    let all = app.get("/api/videos").await;
    assert_eq!(all.json().as_array().map(Vec::len), Some(5));
    let again = app.ask(Method::GET, "/api/videos", &[("if-none-match", all.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let part = app.get("/api/videos?offset=3&limit=9").await.json();
    assert_eq!(part[0]["id"], "c3");
    assert_eq!(part.as_array().map(Vec::len), Some(2));
    assert_eq!(app.get("/api/videos?offset=9").await.text(), "[]");
    assert_eq!(app.get("/api/videos?offset=x").await.status, StatusCode::BAD_REQUEST);
    let unknown = app.get("/api/channels/nope").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["error"]["code"], "unknown_channel");

    let window = |anchor, before, after| {
        let window = app.catalog.window(Order::Feed, &anchor, before, after)?;
        let ids: Vec<_> = window.items.iter().map(|media| media.id.to_string()).collect();
        Some((window.offset, window.total, ids.join(" ")))
    };
    assert_eq!(window(Anchor::First, 9, 1), Some((0, 5, "c0 c1".into())));
    assert_eq!(window(Anchor::Last, 1, 9), Some((3, 5, "c3 c4".into())));
    assert_eq!(window(Anchor::Id(id("c2")), 1, 1), Some((1, 5, "c1 c2 c3".into())));
    assert_eq!(window(Anchor::Id(id("nope")), 1, 1), None);
}

#[tokio::test]
async fn bare_files_and_clashes() {
    let streams = Streams::new();
    streams.channel("film");
    for name in ["film.mp4", "song.mp3", "song.aac", "other.mkv", "Voz.WAV", "empty.mp3"] {
        streams.write(name, if name == "empty.mp3" { &b""[..] } else { b"not really media" });
    }
    let app = streams.app().await;
    app.until_ids(&["Voz", "film", "film.mp4", "song", "song.mp3"]).await;
    let song = app.now().get(&id("song")).expect("listed").clone();
    assert_eq!((song.url.as_str(), song.kind), ("/streams/song.aac", Kind::Audio));
    assert_eq!(app.get("/streams/song.mp3").await.header("content-type"), "audio/mpeg");
    assert_eq!(app.get("/streams/film.mp4").await.header("content-type"), "video/mp4");
    assert_eq!(app.get("/streams/other.mkv").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/streams/Voz").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_broken_is_left_out_and_said_by_doctor() {
    let streams = Streams::new();
    streams.channel("good");
    streams.channel("missing");
    fs::remove_file(streams.path("missing/playlist1.ts")).expect("removed");
    streams.channel("empty segment");
    streams.write("empty segment/playlist2.ts", "");
    streams.write("html/playlist.m3u8", "<html>");
    streams.write("binary/playlist.m3u8", b"#EXTM3U\n\xFF\xFE");
    streams.write("nothing/readme.txt", "x");
    streams.channel("a:b");
    streams.channel("dot.");
    streams.write("film.mkv", "x");
    for (n, address) in
        ["/etc/passwd", "../good/playlist0.ts", "http://h/a.ts", "%2e%2e/x.ts"].iter().enumerate()
    {
        let text = format!("#EXTM3U\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n");
        streams.write(&format!("escape{n}/playlist.m3u8"), text);
    }
    streams.channel("keyed");
    let text = playlist(0..3, true).replacen(
        "#EXTINF",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"file:///etc/passwd\"\n#EXTINF",
        1,
    );
    streams.write("keyed/playlist.m3u8", text);
    fs::create_dir(streams.outside("elsewhere")).expect("made");
    fs::write(streams.outside("elsewhere/playlist.m3u8"), playlist(0..1, true)).expect("written");
    symlink(streams.outside("elsewhere"), streams.path("linked")).expect("linked");
    streams.channel("linked file");
    fs::remove_file(streams.path("linked file/playlist0.ts")).expect("removed");
    fs::write(streams.outside("secret.ts"), segment(9)).expect("written");
    symlink(streams.outside("secret.ts"), streams.path("linked file/playlist0.ts"))
        .expect("linked");

    let app = streams.app().await;
    app.until_ids(&["good"]).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(app.ids().await, ["good"]);
    assert_eq!(app.get("/streams/linked/playlist.m3u8").await.status, StatusCode::NOT_FOUND);

    let folder = streams.path("");
    let judged = tokio::task::spawn_blocking(move || report::judge(&folder)).await.expect("judged");
    let (snapshot, findings) = judged.expect("readable");
    assert_eq!(snapshot.len(), 1);
    let said = |name: &str, part: &str| {
        let found = findings.iter().find(|finding| finding.name == name);
        let found = found.unwrap_or_else(|| panic!("nothing said of {name}"));
        assert!(found.message.contains(part), "{name}: {} lacks {part}", found.message);
        assert!(!found.fix.is_empty());
    };
    said("missing", "playlist1.ts is missing");
    said("empty segment", "playlist2.ts is missing or empty");
    said("html", "#EXTM3U");
    said("binary", "UTF-8");
    said("nothing", "no playlist.m3u8");
    said("a:b", "control");
    said("dot.", "dot");
    said("film.mkv", "browsers do not play");
    said("escape0", "outside");
    said("escape3", "outside");
    said("keyed", "outside");
    said("linked", "leads out");
    said("linked file", "leads out");
    assert_eq!(findings.len(), 15);
}

#[tokio::test]
async fn folders_come_and_go_within_two_seconds() {
    let streams = Streams::new();
    streams.channel("a");
    let app = streams.app().await;
    app.until_ids(&["a"]).await;
    let before = app.now().version().to_owned();
    streams.channel("b");
    assert!(app.until_ids(&["a", "b"]).await < PROMISED);
    assert_ne!(app.now().version(), before);
    streams.write("b/channel.toml", "title = \"Nuevo\"");
    assert!(app.until(|s| s.get(&id("b")).is_some_and(|b| b.title == "Nuevo")).await < PROMISED);
    streams.write("b/poster.webp", "webp");
    assert!(app.until(|s| s.get(&id("b")).is_some_and(|b| b.poster.is_some())).await < PROMISED);
    fs::rename(streams.path("b"), streams.path("c")).expect("renamed");
    assert!(app.until_ids(&["a", "c"]).await < PROMISED);
    fs::remove_dir_all(streams.path("c")).expect("removed");
    assert!(app.until_ids(&["a"]).await < PROMISED);
    assert_eq!(app.now().version(), before);
    fs::remove_dir_all(streams.path("")).expect("removed");
    assert!(app.until_ids(&[]).await < PROMISED);
    streams.channel("back");
    assert!(app.until_ids(&["back"]).await < PROMISED);
}

#[tokio::test]
async fn a_copy_under_way_waits_for_its_last_segment() {
    let streams = Streams::new();
    let app = streams.app().await;
    streams.write("copy/playlist.m3u8", playlist(0..3, true));
    for n in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(app.now().is_empty(), "listed before segment {n}");
        streams.write(&format!("copy/playlist{n}.ts"), segment(n));
    }
    // The last segment goes on growing.
    for n in 1..6_usize {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(app.now().is_empty(), "listed while it grows");
        streams.write("copy/playlist2.ts", segment(2).repeat(n));
    }
    assert!(app.until_ids(&["copy"]).await < PROMISED);
}

#[tokio::test]
async fn a_live_channel_grows_slides_and_ends_at_one_address() {
    let streams = Streams::new();
    let app = streams.app().await;
    streams.write("live/playlist.m3u8", playlist(0..1, false));
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(app.now().is_empty(), "listed without a segment");
    streams.write("live/playlist0.ts", segment(0));
    assert!(app.until_ids(&["live"]).await < PROMISED);
    let media = app.now().get(&id("live")).expect("listed").clone();
    assert!(media.live && media.duration_s.is_none());
    let version = app.now().version().to_owned();
    let etag = app.get("/api/videos").await.header("etag").to_owned();
    let mut changes = app.catalog.subscribe();
    changes.mark_unchanged();

    // The list is written before the segment: it is cut until the segment is there.
    streams.write("live/playlist.m3u8", playlist(0..2, false));
    tokio::time::sleep(Duration::from_millis(700)).await;
    let text = app.get("/streams/live/playlist.m3u8").await;
    assert!(text.text().contains("playlist0.ts?v=") && !text.text().contains("playlist1.ts"));
    streams.write("live/playlist1.ts", segment(1));
    wait_for_text(&app, "playlist1.ts?v=").await;
    fs::remove_file(streams.path("live/playlist0.ts")).expect("removed");
    streams.write("live/playlist2.ts", segment(2));
    streams.write("live/playlist.m3u8", playlist(1..3, false));
    wait_for_text(&app, "playlist2.ts?v=").await;
    assert_eq!(app.now().version(), version, "a live playlist grew");
    assert_eq!(app.get("/api/videos").await.header("etag"), etag);
    assert!(!changes.has_changed().expect("the task runs"), "growing is silent");

    streams.write("live/playlist.m3u8", playlist(1..3, true));
    let ended = app.until(|s| s.get(&id("live")).is_some_and(|media| !media.live)).await;
    assert!(ended < PROMISED);
    assert_ne!(app.now().version(), version);
    let media = app.now().get(&id("live")).expect("listed").clone();
    assert_eq!(media.duration_s, Some(4.0));
}

async fn wait_for_text(app: &crate::fixtures::App, part: &str) {
    for _ in 0..200 {
        if app.get("/streams/live/playlist.m3u8").await.text().contains(part) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{part} never came");
}

#[tokio::test]
async fn ten_thousand_channels() {
    const MANY: usize = 10_000;
    let streams = Streams::new();
    streams.write("c0/playlist0.ts", segment(0));
    streams.write("c0/playlist.m3u8", playlist(0..1, true));
    for n in 1..MANY {
        let folder = streams.path(&format!("c{n}"));
        fs::create_dir(&folder).expect("made");
        for file in ["playlist0.ts", "playlist.m3u8"] {
            fs::hard_link(streams.path("c0").join(file), folder.join(file)).expect("linked");
        }
    }
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == MANY).await;
    let snapshot = app.now();
    assert_eq!(snapshot.media()[2].id.as_str(), "c2");
    assert_eq!(snapshot.position(&id("c9999")), Some(MANY - 1));
    let began = std::time::Instant::now();
    let first = app.get("/api/videos").await;
    let first_ms = began.elapsed().as_millis();
    let began = std::time::Instant::now();
    let second = app.get("/api/videos").await;
    println!("list of 10,000: first {first_ms} ms, then {} µs", began.elapsed().as_micros());
    // The very same bytes, not a second rendering of them.
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_eq!(first.json().as_array().map(Vec::len), Some(MANY));
    let window = app.catalog.window(Order::Feed, &Anchor::Id(id("c5000")), 2, 3).expect("a window");
    assert_eq!((window.items.len(), window.offset, window.total), (6, 4998, 10_000));
    assert_eq!(app.get("/api/videos?offset=9990&limit=20").await.json()[9]["id"], "c9999");
}

#[tokio::test]
async fn a_streams_folder_that_is_missing_or_a_link() {
    let streams = Streams::new();
    let mut folders = streams.folders();
    folders.streams = streams.outside("new/streams");
    let stop = tokio_util::sync::CancellationToken::new();
    assert!(sources::start(&folders, Vec::new(), Clock::SYSTEM, stop.clone()).is_ok());
    assert!(folders.streams.is_dir());
    fs::write(streams.outside("file"), "x").expect("written");
    folders.streams = streams.outside("file/streams");
    let error = sources::start(&folders, Vec::new(), Clock::SYSTEM, stop.clone())
        .expect_err("no folder can be there");
    assert!(error.to_string().contains("STREAMS_DIR"), "{error}");

    streams.channel("a");
    folders.streams = streams.outside("link");
    symlink(streams.path(""), &folders.streams).expect("linked");
    let handle = sources::start(&folders, Vec::new(), Clock::SYSTEM, stop.clone());
    let handle = handle.expect("a catalogue").catalog().clone();
    for _ in 0..500 {
        if handle.current().is_some_and(|snapshot| snapshot.len() == 1) {
            stop.cancel();
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the channel behind the link is not listed");
}

#[tokio::test]
async fn the_commands_tell_the_same() {
    let streams = Streams::new();
    streams.channel("a");
    streams.channel("ñandú");
    let folders = streams.folders();
    let (json, _) = sources::channels(&folders, Vec::new(), true).await.expect("readable");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[1]["id"], "ñandú");
    let (table, _) = sources::channels(&folders, Vec::new(), false).await.expect("readable");
    assert_eq!(table.lines().count(), 3);
    assert!(
        table.lines().nth(1).is_some_and(|line| line.starts_with("a      video  6.0 s")),
        "{table}"
    );
}

/// One thread: nothing is looked at until this test waits for it.
#[tokio::test]
async fn who_asks_before_the_first_look_waits_for_it() {
    for path in ["/api/channels", "/api/videos", "/api/channels/a", "/streams/a/playlist.m3u8"] {
        let streams = Streams::new();
        streams.channel("a");
        let app = streams.app_at_once(Vec::new()).await;
        assert!(app.catalog.current().is_none(), "{path}");
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_ne!(answer.text(), "[]", "{path}");
    }
}
