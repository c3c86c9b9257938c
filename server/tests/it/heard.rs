//! What open pages hear, without asking, when a source beside the streams folder changes.

use std::fs;

use app::catalog::ChannelId;
use serde_json::{Value, json};

use crate::{
    bucket::Store,
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete_with},
    server::{Server, bytes, film, routed},
    sockets::{Page, open_at},
};

/// A page that says nothing, and has read this list.
async fn silent_page(server: &Running, ids: &[&str]) -> Page {
    server.until_ids(ids).await;
    let opened = open_at(&format!("{}/ws", server.base.replace("http", "ws")), &[]).await;
    let mut page = opened.expect("the socket opens");
    hears(&mut page, ids).await;
    page
}

/// Waits until a list of exactly these channels is pushed.
async fn hears(page: &mut Page, ids: &[&str]) -> Value {
    let of_ids = |event: &Value| {
        let videos = event["videos"].as_array().into_iter().flatten();
        videos.map(|media| media["id"].clone()).collect::<Vec<_>>() == ids
    };
    page.find(|event| event["type"] == "videos" && of_ids(event)).await
}

fn lists(events: &[Value]) -> usize {
    events.iter().filter(|event| event["type"] == "videos").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_come_into_a_bucket_and_leave_it() {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("a");
    let server = carrete_with(&streams, &store.told_to_a_program()).await;
    let mut page = silent_page(&server, &["a"]).await;

    store.write("song.mp3", "not really media");
    let videos = hears(&mut page, &["a", "song"]).await;
    let song = &videos["videos"][1];
    assert_eq!((&song["source"], &song["kind"]), (&json!("s3"), &json!("audio")));
    assert_eq!(videos["total"], 2);
    // The playlist waits for the last of its segments.
    store.write("b/playlist.m3u8", playlist(0..3, true));
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    let videos = hears(&mut page, &["a", "b", "song"]).await;
    assert_eq!(videos["videos"][1]["duration_s"], 6.0);
    fs::remove_file(store.path("song.mp3")).expect("removed");
    hears(&mut page, &["a", "b"]).await;
    fs::remove_file(store.path("b/playlist.m3u8")).expect("removed");
    hears(&mut page, &["a"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_another_server_that_changes() {
    let server = Server::new(axum::Router::new()).await;
    let becomes = |entries: &str| {
        let mut all = film("/f/");
        all.push(("/song.mp4".to_owned(), "video/mp4", bytes(4)));
        all.push(("/all.m3u".to_owned(), "audio/x-mpegurl", format!("#EXTM3U\n{entries}")));
        server.becomes(routed(&all));
    };
    becomes("#EXTINF:-1,Film\n/f/playlist.m3u8\n");
    let streams = Streams::new();
    let settings = [("VIDEO_ORIGIN", &*server.url("/all.m3u")), ("SOURCE_REFRESH_S", "1")];
    let program = carrete_with(&streams, &settings).await;
    let mut page = silent_page(&program, &["Film"]).await;

    becomes("#EXTINF:-1,Film\n/f/playlist.m3u8\n#EXTINF:-1,Song\n/song.mp4\n");
    let videos = hears(&mut page, &["Film", "Song"]).await;
    assert_eq!(videos["videos"][1]["source"], "http");
    becomes("#EXTINF:-1,Song\n/song.mp4\n");
    hears(&mut page, &["Song"]).await;
    assert_eq!(lists(&page.until_now().await), 0, "the same list is told twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_carrete_whose_channels_change() {
    let behind = Streams::new();
    behind.channel("a");
    for n in 0..3 {
        behind.write(&format!("live/playlist{n}.ts"), segment(n));
    }
    behind.write("live/playlist.m3u8", playlist(0..3, false));
    let app = behind.app().await;
    app.until_ids(&["a", "live"]).await;
    let server = Server::new(app.router.clone()).await;
    let streams = Streams::new();
    let settings = [("VIDEO_ORIGIN", &*server.url("")), ("SOURCE_REFRESH_S", "1")];
    let front = carrete_with(&streams, &settings).await;
    let mut page = silent_page(&front, &["a", "live"]).await;

    // A live playlist that grows is nothing to tell.
    let asked = server.temper.asked("/api/videos");
    for first in 1..4 {
        behind.write(&format!("live/playlist{}.ts", first + 2), segment(first + 2));
        behind.write("live/playlist.m3u8", playlist(first..first + 3, false));
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    }
    assert!(server.temper.asked("/api/videos") > asked, "it is not asked");
    assert_eq!(lists(&page.until_now().await), 0, "it grew, and pages are told");
    behind.write("live/playlist.m3u8", playlist(3..6, true));
    let live = |event: &Value| event["videos"][1]["live"].clone();
    let ended = page.find(|event| event["type"] == "videos").await;
    assert_eq!((live(&ended), &ended["videos"][1]["duration_s"]), (json!(false), &json!(6.0)));

    behind.write("a/channel.toml", "title = \"Playa\"\n");
    page.find(|event| event["videos"][0]["title"] == "Playa").await;
    behind.channel("b");
    hears(&mut page, &["a", "b", "live"]).await;
    fs::remove_dir_all(behind.path("a")).expect("removed");
    hears(&mut page, &["b", "live"]).await;
    let b = ChannelId::parse("b").expect("an id");
    assert!(app.now().get(&b).is_some());
}
