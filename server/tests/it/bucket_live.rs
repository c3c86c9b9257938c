//! A live channel that somebody writes into the bucket: it moves on for those who watch, and nobody
//! else is asked for it.

use std::{sync::atomic::Ordering, time::Duration};

use app::catalog::ChannelId;
use axum::http::StatusCode;

use crate::{
    bucket::Store,
    fixtures::{App, Streams, segment},
    server::named,
};

/// The playlist of a window of three segments that begins at `first`.
fn window(first: u8, ended: bool) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    );
    for n in first..first + 3 {
        text.push_str(&format!("#EXTINF:2.0,\nplaylist{n}.ts\n"));
    }
    text.push_str(if ended { "#EXT-X-ENDLIST\n" } else { "" });
    text
}

fn write(bucket: &Store, first: u8, ended: bool) {
    bucket.write(&format!("on/playlist{}.ts", first + 2), segment(first + 2));
    bucket.write("on/playlist.m3u8", window(first, ended));
}

fn sequence(text: &str) -> u8 {
    let told = text.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"));
    told.and_then(|first| first.parse().ok()).expect("a number")
}

/// Reads the playlist as a player does, until it has come so far.
async fn follow(app: &App, first: u8) -> String {
    for _ in 0..50 {
        let list = app.get("/streams/on/playlist.m3u8").await;
        assert_eq!(list.status, StatusCode::OK);
        if sequence(list.text()) >= first {
            return list.text().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the playlist stands still");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_channel_of_the_bucket_moves_on_while_somebody_watches() {
    let (bucket, streams) = (Store::new().await, Streams::new());
    for n in 0..3 {
        bucket.write(&format!("on/playlist{n}.ts"), segment(n));
    }
    write(&bucket, 0, false);
    bucket.write("still/playlist.m3u8", window(0, true));
    for n in 0..3 {
        bucket.write(&format!("still/playlist{n}.ts"), segment(n));
    }
    let mut source = bucket.source();
    source.refresh = Duration::from_secs(600);
    let app = streams.app_with(vec![source]).await;
    app.until_ids(&["on", "still"]).await;
    let on = ChannelId::parse("on").expect("an id");
    assert!(app.now().get(&on).is_some_and(|media| media.live));
    let version = app.now().version().to_owned();

    // Nobody watches: nobody asks.
    let lists = bucket.mood.lists.load(Ordering::Relaxed);
    write(&bucket, 1, false);
    app.get("/streams/still/playlist.m3u8").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(bucket.mood.lists.load(Ordering::Relaxed), lists);

    let mut before = follow(&app, 1).await;
    for first in 2..5 {
        write(&bucket, first, false);
        let text = follow(&app, first).await;
        for (name, n) in named(&text).into_iter().zip(first..) {
            let answer = app.get(&format!("/streams/on/{name}")).await;
            assert_eq!((answer.status, answer.body.to_vec()), (StatusCode::OK, segment(n)));
        }
        assert!(sequence(&text) > sequence(&before));
        before = text;
    }
    // However many watch, it is asked for about once in half a target duration.
    let lists = bucket.mood.lists.load(Ordering::Relaxed);
    for _ in 0..300 {
        app.get("/streams/on/playlist.m3u8").await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = bucket.mood.lists.load(Ordering::Relaxed) - lists;
    assert!((2..=8).contains(&asked), "{asked} lists in three seconds");
    assert_eq!(app.now().version(), version, "that it grows is no news");

    // After a while without anybody the first who asks is not sent to what is long gone.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    write(&bucket, 5, false);
    let text = app.get("/streams/on/playlist.m3u8").await.text().to_owned();
    assert_eq!(sequence(&text), 5, "{text}");
    let before = text;

    // While the bucket is away the last state is served.
    bucket.mood.down.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(follow(&app, 5).await, before);
    bucket.mood.down.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(3000)).await;

    write(&bucket, 6, true);
    let ended = follow(&app, 6).await;
    assert!(ended.contains("#EXT-X-ENDLIST"), "{ended}");
    app.until(|list| list.get(&on).is_some_and(|media| !media.live)).await;
    assert_eq!(app.now().get(&on).and_then(|media| media.duration_s), Some(6.0));
}
