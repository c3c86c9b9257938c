//! What another server has to send for what somebody asks of us: no more than that, where it may not
//! be kept; and one file that never comes whole is one file.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::catalog::Kind;
use axum::{
    Router,
    body::Body,
    extract::{Path, Request},
    http::{HeaderMap, Method, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::{
    fixtures::{App, Streams, playlist},
    server::Server,
};

/// Bytes of one segment: a long one of a good picture.
const SEGMENT: usize = 12 << 20;
const CHUNK: usize = 64 << 10;

/// A server of one film, which says this of how long its segments hold; and how many bytes of them it
/// has sent.
fn origin(words: &'static str) -> (Router, Arc<AtomicU64>) {
    let sent = Arc::new(AtomicU64::new(0));
    let counted = sent.clone();
    let segment = move |Path(_): Path<String>, request: Request| {
        let counted = counted.clone();
        async move {
            let wanted = request.headers().get(header::RANGE).and_then(|range| {
                let (first, last) = range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
                Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()? + 1))
            });
            let (first, end) = wanted.unwrap_or((0, SEGMENT));
            let chunks = (first..end).step_by(CHUNK).map(move |at| CHUNK.min(end - at));
            // As fast as a good line, and no faster: what nobody wants any more can be broken off.
            let body = stream::iter(chunks).then(move |length| {
                counted.fetch_add(length as u64, Ordering::SeqCst);
                async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok::<_, Infallible>(Bytes::from(vec![7; length]))
                }
            });
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, words.parse().expect("a value"));
            headers.insert(header::CONTENT_LENGTH, (end - first).into());
            if wanted.is_some() {
                let range = format!("bytes {first}-{}/{SEGMENT}", end - 1);
                headers.insert(header::CONTENT_RANGE, range.parse().expect("a value"));
                let part = (StatusCode::PARTIAL_CONTENT, headers, Body::from_stream(body));
                return part.into_response();
            }
            (headers, Body::from_stream(body)).into_response()
        }
    };
    let list = playlist(0..5, true);
    let router = Router::new()
        .route("/f/playlist.m3u8", get(move || async move { list }))
        .route("/f/{name}", get(segment));
    (router, sent)
}

async fn behind(words: &'static str) -> (Server, Streams, App, Arc<AtomicU64>) {
    let (router, sent) = origin(words);
    let (server, streams) = (Server::new(router).await, Streams::new());
    let source = server.source(Kind::Video, "/f/playlist.m3u8", &[]);
    let app = streams.app_beside(vec![source.into()]).await;
    app.until_ids(&["f"]).await;
    assert_eq!(app.get("/streams/f/playlist.m3u8").await.status, StatusCode::OK);
    (server, streams, app, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_of_what_may_not_be_kept_is_not_a_segment() {
    for words in ["no-store", "private, max-age=60", "max-age=0", "no-cache"] {
        let (_server, _streams, app, sent) = behind(words).await;
        for n in 0..20 {
            let path = format!("/streams/f/playlist0.ts?q={n}");
            for range in ["bytes=0-0", "bytes=11000000-11000000"] {
                let answer = app.ask(Method::GET, &path, &[("range", range)]).await;
                assert_eq!((answer.status, answer.body.len()), (StatusCode::PARTIAL_CONTENT, 1));
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let segments = sent.load(Ordering::SeqCst) as f64 / SEGMENT as f64;
        assert!(segments < 10.0, "{words}: {segments:.1} segments for 40 bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_costs_a_server_each_segment_once() {
    for words in ["no-store", "max-age=0", "no-cache", "max-age=600"] {
        let (_server, _streams, app, sent) = behind(words).await;
        for n in 0..5 {
            let answer = app.get(&format!("/streams/f/playlist{n}.ts")).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, SEGMENT), "{words}");
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        // What lists and looks take of it is little.
        let sent = sent.load(Ordering::SeqCst) as f64 / SEGMENT as f64;
        assert!((5.0..5.2).contains(&sent), "{words}: {sent:.1} segments");
    }
}

/// A server of one channel and two files: one breaks off in the middle, and of the other it says, once
/// `fails`, that it failed.
fn half_broken(fails: Arc<AtomicBool>) -> Router {
    let broken = |_: Request| async {
        let begin = stream::iter([Ok(Bytes::from(vec![7; 1000]))]);
        let cut = stream::once(async { Err(std::io::Error::other("cut off")) });
        let body = Body::from_stream(begin.chain(cut));
        ([(header::CONTENT_LENGTH, "100000")], body).into_response()
    };
    let failing = move || async move {
        match fails.load(Ordering::SeqCst) {
            true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            false => vec![7; 1000].into_response(),
        }
    };
    let list = "#EXTM3U\n#EXTINF:6,0\n/0.mp4\n#EXTINF:6,1\n/1.mp4\n#EXTINF:6,good\n\
                /good/playlist.m3u8\n#EXTINF:6,empty\n/empty.mp4\n";
    let good = playlist(0..100, true);
    Router::new()
        .route("/good/playlist.m3u8", get(move || async move { good }))
        .route("/list.m3u", get(move || async move { list }))
        // What has no byte is missing, as on this host.
        .route("/empty.mp4", get(|| async { "" }))
        .route("/0.mp4", get(broken))
        .route("/1.mp4", get(failing))
        .route("/good/{name}", get(|| async { vec![7; 20_000] }))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_never_comes_whole_takes_no_other_away() {
    let fails = Arc::new(AtomicBool::new(false));
    let (server, streams) = (Server::new(half_broken(fails.clone())).await, Streams::new());
    let source = server.source(Kind::Video, "/list.m3u", &[]);
    let app = Arc::new(streams.app_beside(vec![source.into()]).await);
    app.until_ids(&["0", "1", "good"]).await;
    app.get("/streams/good/playlist.m3u8").await;
    fails.store(true, Ordering::SeqCst);
    let strangers: Vec<_> = [("/streams/0.mp4", "bytes=5000-"), ("/streams/1.mp4", "bytes=0-9")]
        .into_iter()
        .cycle()
        .take(8)
        .map(|(path, range)| {
            let app = app.clone();
            tokio::spawn(async move {
                loop {
                    app.try_ask(path, &[("range", range)]).await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        })
        .collect();
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < Duration::from_secs(5) {
        // Nothing of it is kept before that.
        let answer = app.get(&format!("/streams/good/playlist{n}.ts")).await;
        let (status, after) = (answer.status, began.elapsed());
        assert_eq!(status, StatusCode::OK, "segment {n} after {after:?}: {}", answer.text());
        tokio::time::sleep(Duration::from_millis(250)).await;
        n += 1;
    }
    let asked = server.temper.asked("/0.mp4");
    assert!(asked < 60, "the one that breaks is asked for {asked} times");
    for stranger in strangers {
        stranger.abort();
    }
}
