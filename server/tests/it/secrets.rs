//! Keys, passwords and signatures: looked for in all that the program says, with the finest log there
//! is, while all is well and while everything fails.

use std::{fs, process::Output, sync::atomic::Ordering};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::join_all;
use reqwest::redirect::Policy;

use crate::{
    bucket::{ACCESS_KEY, SECRET_KEY, Store},
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete_logging, carrete_verb},
    server::{Server, bytes, film, routed},
};

/// Of a session at the bucket,
const SESSION_TOKEN: &str = "a-session-that-is-never-shown";
/// of the one server,
const PASSWORD: &str = "a-password-that-is-never-shown";
/// and in the address of the other's list.
const LIST_TOKEN: &str = "a-token-that-is-never-shown";

fn login() -> String {
    BASE64_STANDARD.encode(format!("ana:{PASSWORD}"))
}

/// What is never said, neither to people nor in the log.
fn secrets() -> [String; 5] {
    [SECRET_KEY, SESSION_TOKEN, PASSWORD, LIST_TOKEN, &login()].map(str::to_owned)
}

fn holds_none(what: &str, text: &str, never: &[String]) {
    for secret in never {
        if let Some(at) = text.find(&**secret) {
            let begin = text[..at].rfind('\n').map_or(0, |line| line + 1);
            let line = text[begin..].lines().next().unwrap_or_default();
            panic!("{secret} in {what}: {line:.400}");
        }
    }
}

/// A film for those who know the password.
fn locked() -> Router {
    let key = format!("Basic {}", login());
    let judge = move |request: Request, next: Next| {
        let known = request.headers().get(header::AUTHORIZATION).is_some_and(|said| *said == *key);
        async move {
            if known { next.run(request).await } else { StatusCode::UNAUTHORIZED.into_response() }
        }
    };
    routed(&film("/f/")).layer(middleware::from_fn(judge))
}

/// Headers and body of an answer. Where a player is led to is for that player.
async fn said(server: &Running, path: &str) -> (StatusCode, String) {
    let client = crate::web::builder().redirect(Policy::none()).build().expect("a client");
    let answer = client.get(format!("{}{path}", server.base)).send().await.expect("an answer");
    let status = answer.status();
    let mut headers = answer.headers().clone();
    headers.remove(header::LOCATION);
    let body = answer.bytes().await.expect("a body");
    (status, format!("{headers:?}\n{}", String::from_utf8_lossy(&body)))
}

/// All that a program wrote.
fn whole(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    text.concat()
}

/// Pages, lists, playlists, and what is not there.
const ASKED: [&str; 14] = [
    "/",
    "/c/b",
    "/c/Far",
    "/guide",
    "/pulse",
    "/metrics",
    "/channels.m3u",
    "/api/health",
    "/api/videos",
    "/api/channels/Film",
    "/streams/f/playlist.m3u8",
    "/streams/b/playlist.m3u8",
    "/streams/f/none.ts",
    "/streams/b/none.ts",
];

async fn ask_all(server: &Running) {
    let mut never = secrets().to_vec();
    never.extend([ACCESS_KEY, "X-Amz-"].map(str::to_owned));
    for path in ASKED {
        let (_, text) = said(server, path).await;
        holds_none(path, &text, &never);
    }
}

async fn nothing_is_told(delivery: &str) {
    let (streams, store) = (Streams::new(), Store::new().await);
    streams.channel("own");
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    let (mut video, mut audio) = (Server::new(locked()).await, Server::new(Router::new()).await);
    let list = "#EXTM3U\n#EXTINF:-1 tvg-type=\"radio\",Far\n/far.mp3\n".to_owned();
    audio.becomes(routed(&[
        ("/get.php".to_owned(), "audio/x-mpegurl", list),
        ("/far.mp3".to_owned(), "audio/mpeg", bytes(4)),
    ]));
    let locked_at = format!("http://ana:{PASSWORD}@{}/f/playlist.m3u8", video.address);
    let list_at = audio.url(&format!("/get.php?password={LIST_TOKEN}"));
    let mut settings = store.told_to_a_program().to_vec();
    settings.extend([
        ("AWS_SESSION_TOKEN", SESSION_TOKEN),
        ("VIDEO_ORIGIN", &locked_at),
        ("AUDIO_ORIGIN", &list_at),
        ("S3_DELIVERY", delivery),
        ("RUST_LOG", "trace"),
    ]);
    let log = streams.outside("log");
    let file = fs::File::create(&log).expect("a log");
    let server = carrete_logging(&streams, &settings, file).await;
    server.until_ids(&["Far", "b", "f", "own"]).await;
    for (path, led) in
        [("b/playlist0.ts", delivery == "redirect"), ("f/playlist0.ts", false), ("Far.mp3", false)]
    {
        let (status, text) = said(&server, &format!("/streams/{path}")).await;
        let wanted = if led { StatusCode::TEMPORARY_REDIRECT } else { StatusCode::OK };
        assert_eq!(status, wanted, "{path}");
        holds_none(path, &text, &secrets());
    }
    ask_all(&server).await;

    // Nobody is let in any more.
    video.becomes(Router::new().fallback(|| async { StatusCode::UNAUTHORIZED }));
    server.until("/api/health", |health| health["reasons"].to_string().contains("video")).await;
    ask_all(&server).await;
    // And now nobody is there.
    store.mood.down.store(true, Ordering::Relaxed);
    video.kill().await;
    audio.kill().await;
    let all = |health: &serde_json::Value| health["reasons"].as_array().map(Vec::len) == Some(3);
    server.until("/api/health", all).await;
    for path in ["b/playlist2.ts", "f/playlist2.ts"] {
        let (status, text) = said(&server, &format!("/streams/{path}")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        holds_none(path, &text, &secrets());
    }
    ask_all(&server).await;

    let mut never = secrets().to_vec();
    never.extend(["X-Amz-Signature", "Signature=", "Authorization:"].map(str::to_owned));
    let verbs: [&[&str]; 5] = [
        &["doctor", "--port", "0"],
        &["doctor", "--json", "--port", "0"],
        &["channels"],
        &["push", "own"],
        &["serve", "--help"],
    ];
    // Each tries for a while; all at once.
    let (streams, settings) = (&streams, &settings);
    let said = verbs.map(|verb| async move { (verb, carrete_verb(verb, streams, settings).await) });
    for (verb, output) in join_all(said).await {
        let text = whole(&output);
        assert!(!text.is_empty(), "{verb:?} says nothing");
        holds_none(verb[0], &text, &never);
    }
    drop(server);
    let log = fs::read_to_string(log).expect("a log");
    assert!(log.contains("TRACE") && log.contains("WARN"), "{log}");
    never.push(ACCESS_KEY.to_owned());
    holds_none("the log", &log, &never);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_told_where_all_comes_through_us() {
    nothing_is_told("edge").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_told_where_players_are_led_to_the_bucket() {
    nothing_is_told("redirect").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_cannot_be_is_told_without_its_password() {
    let streams = Streams::new();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", format!("http://ana:{PASSWORD}@store.lan")),
        ("VIDEO_ORIGIN", format!("ftp://ana:{PASSWORD}@nas.lan")),
        ("AUDIO_ORIGIN", format!("http://ana:{PASSWORD}@")),
        ("ORIGIN_ALLOW_PRIVATE", format!("http://ana:{PASSWORD}@nas.lan")),
        ("PUBLIC_URL", format!("http://ana:{PASSWORD}@tv.lan")),
        ("PUBLIC_URL", format!("ana:{PASSWORD}@tv.lan")),
        ("CORS_ORIGINS", format!("https://tv.lan, http://ana:{PASSWORD}@nas.lan,http://b.lan")),
        ("AWS_ENDPOINT_URL", format!("ana:{PASSWORD}@store.lan")),
        ("AUDIO_ORIGIN", format!("ana:{PASSWORD}@nas.lan")),
        ("ORIGIN_ALLOW_PRIVATE", format!("nas.lan,ana:{PASSWORD}@tv.lan")),
        ("TRUSTED_PROXIES", format!("ana:{PASSWORD}@10.0.0.1")),
    ] {
        let settings = [("RUST_LOG", "trace"), (name, &*value)];
        let output = carrete_verb(&["serve", "--port", "0"], &streams, &settings).await;
        let text = whole(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(name) && text.trim().lines().count() == 1, "{text}");
        holds_none(name, &text, &secrets());
    }
}
