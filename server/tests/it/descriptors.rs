//! The whole program where it may open few files: whoever takes them all away takes nothing else
//! away. Every channel stays on the list, and everything that was kept of other servers is kept.

use std::{fs, path::Path, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete_under, carrete_with},
};

/// Channels of the streams folder, and one of another server.
const IDS: [&str; 9] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "far"];
/// Longer than a channel that cannot be read used to be waited for.
const SIEGE: Duration = Duration::from_secs(7);
const PATIENCE: Duration = Duration::from_secs(30);

/// A film that nobody's buffers hold.
const FILM: usize = 40 << 20;

/// So many connections that this process may not have them without asking.
fn raise_own() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    maximum.unwrap_or(u64::MAX)
}

struct House {
    streams: Streams,
    server: Running,
    _far: (Streams, Running),
}

async fn house(limits: &str) -> House {
    let far = Streams::new();
    for n in 0..12 {
        far.write(&format!("far/playlist{n}.ts"), segment(n).repeat(20));
    }
    far.write("far/playlist.m3u8", playlist(0..12, true));
    let back = carrete_with(&far, &[]).await;
    back.until_ids(&["far"]).await;
    let streams = Streams::new();
    for id in &IDS[..8] {
        streams.channel(id);
        streams.write(&format!("{id}/poster.webp"), format!("poster of {id}"));
    }
    streams.write("film.mp4", vec![1; FILM]);
    let settings = [("VIDEO_ORIGIN", &*back.base), ("SOURCE_REFRESH_S", "1")];
    let server = carrete_under(limits, &streams, &settings).await;
    server.until("/api/channels", |told| ids(told).len() == 10).await;
    House { streams, server, _far: (far, back) }
}

fn ids(told: &serde_json::Value) -> Vec<String> {
    serde_json::from_value(told.clone()).unwrap_or_default()
}

/// Every segment that is asked for, with what it holds.
fn segments() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for id in &IDS[..8] {
        all.extend((0..3).map(|n| (format!("/streams/{id}/playlist{n}.ts"), segment(n))));
    }
    all.extend((0..12).map(|n| (format!("/streams/far/playlist{n}.ts"), segment(n).repeat(20))));
    all
}

/// The files of the cache that hold pieces.
fn kept(cache: &Path) -> usize {
    let Ok(entries) = fs::read_dir(cache) else { return 0 };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.matches('-').count() == 4 && !name.starts_with('.')).count()
}

/// Asks for everything that can be watched; what was neither given nor put off.
async fn besiege(server: &Running) -> Vec<String> {
    let client = crate::web::builder().timeout(Duration::from_secs(2)).build().expect("a client");
    let (began, mut wrong) = (Instant::now(), Vec::new());
    while began.elapsed() < SIEGE {
        for (path, _) in segments() {
            let asked = client.get(format!("{}{path}", server.base)).send().await;
            let Ok(answer) = asked else { continue };
            let (status, headers) = (answer.status().as_u16(), answer.headers());
            let later = status == 503 && headers.contains_key("retry-after");
            if status != 200 && !later {
                wrong.push(format!("{path} is answered {status}"));
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    wrong
}

/// Everything is there, at once and without a touch.
async fn all_is_there(house: &House, pieces: usize) {
    let House { server, streams, .. } = house;
    server
        .until("/api/channels", |told| {
            let told = ids(told);
            IDS.iter().all(|id| told.iter().any(|told| told == id)) && told.len() == 10
        })
        .await;
    server.until("/api/health", |told| told["status"] == "ok").await;
    let cache = streams.folders().data.join("cache");
    assert_eq!(kept(&cache), pieces, "pieces in the cache");
    for (path, bytes) in segments() {
        let began = Instant::now();
        loop {
            let answer =
                crate::web::get(format!("{}{path}", server.base)).await.expect("an answer");
            if answer.status() == 200 {
                assert!(answer.bytes().await.expect("bytes") == bytes, "{path} is another");
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{path} stays {}", answer.status());
            sleep(Duration::from_millis(50)).await;
        }
    }
    for id in &IDS[..8] {
        let path = format!("{}/streams/{id}/poster.webp", server.base);
        let poster = crate::web::get(path).await.expect("an answer").text().await.expect("text");
        assert_eq!(poster, format!("poster of {id}"));
    }
}

async fn survives(limits: &str, idle: usize, greedy: usize) {
    let house = house(limits).await;
    let cache = house.streams.folders().data.join("cache");
    for (path, _) in segments() {
        let answer =
            crate::web::get(format!("{}{path}", house.server.base)).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.expect("bytes");
    }
    let pieces = kept(&cache);
    assert!(pieces >= 12, "{pieces} pieces are kept");
    let port = house.server.port();
    // Who says nothing, and who asks for a film and takes nothing of it.
    let mut held = Vec::new();
    for n in 0..idle + greedy {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        if n >= idle {
            let _ = stream.write_all(b"GET /streams/film.mp4 HTTP/1.1\r\nHost: x\r\n\r\n").await;
        }
        held.push(stream);
    }
    // A change is looked at in the worst of times.
    house.streams.write("c0/playlist.m3u8", playlist(0..3, true));
    let wrong = besiege(&house.server).await;
    assert!(wrong.is_empty(), "{limits}: {} answers, like {:?}", wrong.len(), wrong.first());
    drop(held);
    all_is_there(&house, pieces).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_take_no_channel_away() {
    survives("ulimit -n 64", 90, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn greedy_connections_take_no_channel_away() {
    // So few that files cannot be opened while some of these connections are there.
    survives("ulimit -n 40", 0, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_soft_limit_of_a_shell_is_no_limit() {
    let most = raise_own();
    let house = house("ulimit -Sn 1024").await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", house.server.child.id()));
    let limits = limits.expect("its limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[3], words[4], "soft and hard: {line}");
    // Where the system has room, more than a thousand people do not keep the others out.
    let many = usize::try_from(most.saturating_sub(400).min(1_100)).expect("few");
    let mut idle = Vec::new();
    for _ in 0..many {
        idle.push(TcpStream::connect(("127.0.0.1", house.server.port())).await.expect("let in"));
    }
    for (path, bytes) in segments() {
        let answer =
            crate::web::get(format!("{}{path}", house.server.base)).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.bytes().await.expect("bytes") == bytes, "{path} is another");
    }
    drop(idle);
}
