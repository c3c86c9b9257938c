//! A Carrete in front of another: what lies behind that one, and a live channel to its end.

use std::time::{Duration, Instant};

use app::catalog::{ChannelId, Kind};
use axum::http::{Method, StatusCode};

use crate::{
    direct::{led, part_of},
    fixtures::{App, Streams, playlist, segment},
    server::{Server, named},
};

/// Longer than a change may take from the one to the other.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn who_leads_players_to_a_bucket_leads_us_there_too() {
    let (_streams, store, behind) = led().await;
    let server = Server::new(behind.router.clone()).await;
    let bucket = store.settings.endpoint_url.0.as_ref().expect("an address").as_str();
    let bucket = bucket.strip_prefix("http://").expect("a host").to_owned();

    // Not without leave: it lies in a private network.
    let streams = Streams::new();
    let front = streams.app_beside(vec![server.source(Kind::Video, "", &[]).into()]).await;
    front.until_ids(&["a", "b", "f"]).await;
    let reads = store.mood.reads();
    let answer = front.get("/streams/b/playlist0.ts").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(server.temper.answered("/streams/b/playlist0.ts", StatusCode::TEMPORARY_REDIRECT) > 0);
    assert_eq!(store.mood.reads(), reads, "a private address was asked");
    assert_eq!(front.get("/streams/a/playlist0.ts").await.body, segment(0));

    let streams = Streams::new();
    let there = Server::new(behind.router.clone()).await;
    let front = streams.app_beside(vec![there.source(Kind::Video, "", &[&bucket]).into()]).await;
    front.until_ids(&["a", "b", "f"]).await;
    let reads = store.mood.reads_of("b/playlist0.ts");
    let list = front.get("/streams/b/playlist.m3u8").await;
    for (n, name) in (0..).zip(named(list.text())) {
        let path = format!("/streams/b/{name}");
        let answer = front.get(&path).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &segment(n)[..]), "{name}");
        assert_eq!(answer.header("content-type"), "video/mp2t");
        assert!(!answer.headers.contains_key("location"));
        let etag = answer.header("etag").to_owned();
        let again = front.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        let part = front.ask(Method::GET, &path, &[("range", "bytes=188-375")]).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.body, segment(n)[188..376]);
    }
    assert_eq!(store.mood.reads_of("b/playlist0.ts"), reads + 1, "it is not kept");
    for (name, bytes) in [("init.mp4", part_of(0)), ("0.m4s", part_of(1)), ("1.m4s", part_of(2))] {
        let list = front.get("/streams/f/low/index.m3u8").await;
        let at = list.text().find(&format!("{name}?v=")).expect("an address");
        let written = list.text()[at..].split(['"', '\n']).next().expect("its end").to_owned();
        let answer = front.get(&format!("/streams/f/low/{written}")).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &bytes[..]), "{name}");
    }
}

/// The playlist of `live`, and the number of its first segment.
async fn now(front: &App) -> (String, u8) {
    let list = front.get("/streams/live/playlist.m3u8").await;
    assert_eq!((list.status, list.header("cache-control")), (StatusCode::OK, "no-cache"));
    let text = list.text().to_owned();
    let first = text.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"));
    let first = first.and_then(|first| first.parse().ok()).expect("a number");
    (text, first)
}

/// Asks for that playlist until it begins with this segment, and is over or not.
async fn follows(front: &App, first: u8, ended: bool) -> String {
    let (began, mut last) = (Instant::now(), 0);
    loop {
        let (text, now) = now(front).await;
        assert!(now >= last, "it goes back from {last} to {now}");
        last = now;
        if now == first && text.contains("#EXT-X-ENDLIST") == ended {
            return text;
        }
        assert!(began.elapsed() < PATIENCE, "it stays as it was: {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_channel_is_followed_to_its_end_and_kept() {
    let (behind, streams) = (Streams::new(), Streams::new());
    for n in 0..3 {
        behind.write(&format!("live/playlist{n}.ts"), segment(n));
    }
    behind.write("live/playlist.m3u8", playlist(0..3, false));
    let app = behind.app().await;
    app.until_ids(&["live"]).await;
    let mut server = Server::new(app.router.clone()).await;
    let front = streams.app_beside(vec![server.source(Kind::Video, "", &[]).into()]).await;
    let id = ChannelId::parse("live").expect("an id");
    front.until(|list| list.get(&id).is_some_and(|media| media.live)).await;

    for first in 1..5 {
        let newest = first + 2;
        behind.write(&format!("live/playlist{newest}.ts"), segment(newest));
        let ended = first == 4;
        behind.write("live/playlist.m3u8", playlist(first..first + 3, ended));
        let text = follows(&front, first, ended).await;
        let names = named(&text);
        assert_eq!(names.len(), 3, "{text}");
        for (n, name) in (first..).zip(names) {
            let answer = front.get(&format!("/streams/live/{name}")).await;
            assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &segment(n)[..]));
        }
    }

    // Now it is a film as any other: nobody asks for its playlist again.
    front.until(|list| list.get(&id).is_some_and(|m| !m.live && m.duration_s == Some(6.0))).await;
    let (ended, _) = now(&front).await;
    let (began, asked) = (Instant::now(), server.temper.asked("/streams/live/playlist.m3u8"));
    while began.elapsed() < Duration::from_secs(3) {
        assert_eq!(now(&front).await.0, ended);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.temper.asked("/streams/live/playlist.m3u8"), asked);
    server.kill().await;
    assert_eq!(now(&front).await.0, ended);
    for (n, name) in (4..).zip(named(&ended)) {
        assert_eq!(front.get(&format!("/streams/live/{name}")).await.body, segment(n));
    }
}
