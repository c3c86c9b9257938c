//! A Carrete in front of another one whose bucket goes away: what is told of it, what still comes,
//! and what a start shows before anybody answered.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use app::catalog::{ChannelId, Kind};
use axum::{Router, http::StatusCode};

use crate::{
    bucket::Store,
    fixtures::{App, Streams, playlist, segment},
    server::Server,
};

fn film(bucket: &Store, id: &str) {
    for n in 0..3 {
        bucket.write(&format!("{id}/playlist{n}.ts"), segment(n));
    }
    bucket.write(&format!("{id}/playlist.m3u8"), playlist(0..3, true));
}

async fn until_available(app: &App, id: &str, wanted: bool) {
    let id = ChannelId::parse(id).expect("an id");
    app.until(|list| list.get(&id).is_some_and(|media| media.available == wanted)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_one_behind_cannot_reach_is_told_and_asked_for_once() {
    let (bucket, inner, streams) = (Store::new().await, Streams::new(), Streams::new());
    film(&bucket, "far");
    inner.channel("near");
    let behind = inner.app_with(vec![bucket.source()]).await;
    behind.until_ids(&["far", "near"]).await;
    let server = Server::new(behind.router.clone()).await;
    let app = streams.app_beside(vec![server.source(Kind::Video, "", &[]).into()]).await;
    app.until_ids(&["far", "near"]).await;
    assert_eq!(app.get("/streams/far/playlist0.ts").await.body, segment(0));

    bucket.mood.down.store(true, Ordering::Relaxed);
    until_available(&app, "far", false).await;
    until_available(&app, "near", true).await;
    let troubles = app.now().troubles().join(" ");
    assert!(troubles.contains("cannot reach 1 of its channels"), "{troubles}");

    // What is kept still comes, what is not is refused soon, and each is asked for once.
    assert_eq!(app.get("/streams/far/playlist0.ts").await.body, segment(0));
    for _ in 0..12 {
        let (before, began) = (server.temper.asked("/far/playlist2.ts"), Instant::now());
        let answer = app.get("/streams/far/playlist2.ts").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "2");
        assert_eq!(answer.header("proxy-status"), "carrete; error=destination_unavailable");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(server.temper.asked("/far/playlist2.ts") - before, 1);
    }
    // Nobody takes the one behind for away.
    assert_eq!(app.get("/streams/near/playlist1.ts").await.body, segment(1));

    bucket.mood.down.store(false, Ordering::Relaxed);
    until_available(&app, "far", true).await;
    app.until(|list| list.troubles().is_empty()).await;
    assert_eq!(app.get("/streams/far/playlist2.ts").await.body, segment(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_the_one_behind_is_ours() {
    let (inner, streams) = (Streams::new(), Streams::new());
    for (id, order) in [("a", "9"), ("b", "-1.5"), ("c", "3")] {
        inner.channel(id);
        inner.write(&format!("{id}/channel.toml"), format!("order = {order}\n"));
    }
    inner.channel("d");
    streams.channel("own");
    streams.write("own/channel.toml", "order = 4\n");
    let behind = inner.app().await;
    assert_eq!(behind.ids().await, ["b", "c", "a", "d"]);
    let server = Server::new(behind.router.clone()).await;
    let app = streams.app_beside(vec![server.source(Kind::Video, "", &[]).into()]).await;
    app.until_ids(&["b", "c", "own", "a", "d"]).await;
    assert_eq!(app.get("/api/channels/b").await.json()["order"], -1.5);
    inner.write("d/channel.toml", "order = -2\n");
    app.until_ids(&["d", "b", "c", "own", "a"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_list_is_told_as_that() {
    let (inner, streams) = (Streams::new(), Streams::new());
    inner.channel("a");
    let behind = inner.app().await;
    let server = Server::new(behind.router.clone()).await;
    let app = streams.app_beside(vec![server.source(Kind::Video, "", &[]).into()]).await;
    app.until_ids(&["a"]).await;
    server.becomes(Router::new());
    app.until(|list| !list.troubles().is_empty()).await;
    let trouble = app.now().troubles().join(" ");
    assert!(trouble.contains("there is nothing at its address; give the address of"), "{trouble}");
    assert!(!trouble.contains("object"), "{trouble}");
    // Another kind of list at the same address is found.
    let list = "#EXTM3U\n#EXTINF:-1,Film\n/f/playlist.m3u8\n".to_owned();
    let mut all = crate::server::film("/f/");
    all.push(("/".to_owned(), "audio/x-mpegurl", list));
    server.becomes(crate::server::routed(&all));
    app.until_ids(&["Film"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_shows_what_is_known_before_anybody_answers() {
    let (bucket, inner, streams) = (Store::new().await, Streams::new(), Streams::new());
    film(&bucket, "stored");
    inner.channel("a");
    let behind = inner.app().await;
    let server = Server::new(behind.router.clone()).await;
    let sources = || vec![bucket.source().into(), server.source(Kind::Video, "", &[]).into()];
    let app = streams.app_beside(sources()).await;
    app.until_ids(&["a", "stored"]).await;
    // The list is written down after it is shown.
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(app);
    server.temper.silent.store(true, Ordering::Relaxed);
    bucket.mood.latency_ms.store(60_000, Ordering::Relaxed);
    let app = streams.app_beside(sources()).await;
    // Either gives up after seconds.
    let took = app.until_ids(&["a", "stored"]).await;
    assert!(took < Duration::from_millis(1500), "{took:?}");
    // That nothing is heard of them is told before they give up.
    for id in ["a", "stored"] {
        until_available(&app, id, false).await;
    }
    let took = app.until(|list| list.troubles().len() == 2).await;
    assert!(took < Duration::from_secs(4), "{took:?}: {:?}", app.now().troubles());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_held_back_until_each_source_has_said_something() {
    let (bucket, streams) = (Store::new().await, Streams::new());
    film(&bucket, "stored");
    streams.channel("own");
    let app = streams.app_with(vec![bucket.source()]).await;
    app.until_ids(&["own", "stored"]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(app);

    // Who asks in the first moment would take the channels for gone.
    bucket.mood.latency_ms.store(60_000, Ordering::Relaxed);
    let app = streams.app_at_once(vec![bucket.source().into()]).await;
    assert_eq!(app.ids().await, ["own", "stored"]);
    let app = streams.app_at_once(vec![bucket.source().into()]).await;
    assert_eq!(app.get("/streams/stored/playlist.m3u8").await.status, StatusCode::OK);

    // Of a bucket that nobody knows anything of, nobody waits for long.
    std::fs::remove_dir_all(bucket.cache()).expect("removed");
    let began = Instant::now();
    let app = streams.app_at_once(vec![bucket.source().into()]).await;
    assert_eq!(app.ids().await, ["own"]);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(app.ids().await, ["own"]);
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}
