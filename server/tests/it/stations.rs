//! Lists with entries that are slow, silent, or never end: each costs itself alone, and is named.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use app::catalog::Kind;
use axum::{
    Router,
    body::Body,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{any, get},
};
use bytes::Bytes;
use carrete::sources::{RemoteConfig, report};
use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    bucket::Store,
    fixtures::{Streams, segment},
    server::{Server, bytes, film, routed},
};

/// A body without an end: so many bytes in each tenth of a second.
fn endless(size: usize) -> Body {
    let body = stream::repeat(Bytes::from(vec![b'a'; size])).then(|chunk| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok::<_, std::io::Error>(chunk)
    });
    Body::from_stream(body.boxed())
}

/// A server whose playlists are well and whose segments drip.
fn dripping() -> Router {
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n";
    let drip = || async { ([(header::CONTENT_LENGTH, "2000000")], endless(20)).into_response() };
    Router::new()
        .route("/{channel}/playlist.m3u8", get(move || async move { list }))
        .route("/{channel}/0.ts", get(drip))
        .route("/never/{channel}/playlist.m3u8", get(std::future::pending::<StatusCode>))
        .route("/slow/{channel}/playlist.m3u8", get(|| async { endless(5) }))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_slow_entry_costs_no_other_server_its_channels() {
    let (slow, fast) = (Server::new(dripping()).await, Server::new(routed(&film("/f/"))).await);
    // More of each than are looked at together.
    let mut list = "#EXTM3U\n".to_owned();
    for n in 0..6 {
        for kind in ["", "never/", "slow/"] {
            let url = slow.url(&format!("/{kind}{n}/playlist.m3u8"));
            list.push_str(&format!("#EXTINF:-1,{}{n}\n{url}\n", kind.trim_end_matches('/')));
        }
    }
    list.push_str(&format!("#EXTINF:-1,well\n{}\n", fast.url("/f/playlist.m3u8")));
    let home = Server::new(crate::server::pages(&[("/l.m3u", "audio/x-mpegurl", list)])).await;
    let allowed = [slow.address.to_string(), fast.address.to_string()];
    let source = home.source(Kind::Video, "/l.m3u", &[&allowed[0], &allowed[1]]);
    let streams = Streams::new();
    let app = streams.app_beside(vec![source.into()]).await;
    let id = app::catalog::ChannelId::parse("well").expect("an id");
    let took = app.until(|list| list.get(&id).is_some()).await;
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(app.get("/streams/well/playlist1.ts").await.text(), bytes(1));
    // Those whose playlists are well are listed too, without what a look inside would have told; the
    // others are told of.
    let took = app
        .until(|list| {
            (0..6).all(|n| {
                app::catalog::ChannelId::parse(&n.to_string())
                    .is_ok_and(|id| list.get(&id).is_some())
            })
        })
        .await;
    assert!(took < Duration::from_secs(25), "{took:?}");
    app.until(|list| list.troubles().iter().any(|why| why.contains("carrete doctor"))).await;
}

/// A radio station as Icecast is one: no HEAD, no length, no end; or another that is less polite.
async fn station(mut client: TcpStream, song: Vec<u8>) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 512];
        let Ok(read @ 1..) = client.read(&mut byte).await else { return };
        asked.extend_from_slice(&byte[..read]);
    }
    let asked = String::from_utf8_lossy(&asked).into_owned();
    let (head, path) = (asked.starts_with("HEAD"), asked.split(' ').nth(1).unwrap_or_default());
    let begin = match path {
        "/song.mp3" => {
            let head_of = format!(
                "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: {}\r\n\r\n",
                song.len()
            );
            let _ = client.write_all(head_of.as_bytes()).await;
            if !head {
                let _ = client.write_all(&song).await;
            }
            return;
        }
        // It answers a question for its length, and tells none.
        "/three.mp3" if head => "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n",
        "/four.aac" if head => {
            "HTTP/1.0 200 OK\r\nContent-Type: audio/aac\r\nContent-Length: 0\r\n\r\n"
        }
        _ if head => "HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        // No header says that it is a station.
        "/three.mp3" | "/five" => "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n",
        "/six" => "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n",
        _ => {
            "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: one\r\nCache-Control: no-cache\r\n\r\n"
        }
    };
    let _ = client.write_all(begin.as_bytes()).await;
    while !head && client.write_all(&[b'x'; 4000]).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn stations() -> (Server, String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut clients = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            clients.spawn(station(client, bytes(3).into_bytes()));
            while clients.try_join_next().is_some() {}
        }
    });
    let list = format!(
        "#EXTM3U\n#EXTINF:-1 radio=\"true\" group-title=\"Radio\",One\nhttp://{address}/one\n\
         #EXTINF:-1 radio=\"true\",Two\nhttp://{address}/two.mp3\n\
         #EXTINF:-1 radio=\"true\",Three\nhttp://{address}/three.mp3\n\
         #EXTINF:-1 radio=\"true\",Four\nhttp://{address}/four.aac\n\
         #EXTINF:-1 radio=\"true\",Five\nhttp://{address}/five\n\
         #EXTINF:-1 radio=\"true\",Six\nhttp://{address}/six\n\
         #EXTINF:10,A song\nhttp://{address}/song.mp3\n"
    );
    let home = Server::new(crate::server::pages(&[("/radio.m3u", "audio/x-mpegurl", list)])).await;
    (home, address, tasks)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_radio_station_is_named_and_the_song_beside_it_is_listed() {
    let (home, address, _tasks) = stations().await;
    let source = || home.source(Kind::Audio, "/radio.m3u", &[&address]);
    let streams = Streams::new();
    let app = streams.app_beside(vec![source().into()]).await;
    let took = app.until_ids(&["A song"]).await;
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(app.get("/streams/A%20song.mp3").await.text(), bytes(3));

    let began = Instant::now();
    let (told, mut findings) = report::origin(source()).await;
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    findings.sort_by(|a, b| a.name.cmp(&b.name));
    // The song is none, which is told too.
    findings.retain(|finding| finding.name != "A song.mp3");
    let names: Vec<_> = findings.iter().map(|finding| finding.name.as_str()).collect();
    assert_eq!(names, ["Five", "Four.aac", "One", "Six", "Three.mp3", "Two.mp3"], "{told:?}");
    for finding in &findings {
        let said = format!("{} {}", finding.message, finding.fix);
        assert!(
            said.contains("radio station") || said.contains("without an end"),
            "{}: {said}",
            finding.name
        );
        assert!(said.contains("list") || said.contains("address"), "{}: {said}", finding.name);
    }
}

/// The playlist of a window of three segments of a second that begins at `first`.
fn window(bucket: &Store, first: u8) {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for n in first..first + 3 {
        text.push_str(&format!("#EXTINF:1.0,\n{n}.ts\n"));
    }
    for n in first..first + 3 {
        bucket.write(&format!("on/{n}.ts"), segment(n));
    }
    bucket.write("on/playlist.m3u8", text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_channel_moves_on_while_its_bucket_is_listed() {
    let (bucket, streams) = (Store::new().await, Streams::new());
    window(&bucket, 0);
    let mut source: carrete::sources::BucketConfig = bucket.source();
    source.refresh = Duration::from_secs(1);
    let app = streams.app_with(vec![source]).await;
    app.until_ids(&["on"]).await;
    // From now on a list of all of it takes its time.
    bucket.mood.whole_lists_ms.store(4000, Ordering::Relaxed);
    let (began, mut moved) = (Instant::now(), Instant::now());
    let (mut written, mut seen) = (0, String::new());
    let (mut longest, mut stood) = (Duration::ZERO, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(12) {
        let due = u8::try_from(began.elapsed().as_secs()).expect("small");
        if due > written {
            written = due;
            window(&bucket, written);
        }
        let asked = Instant::now();
        let list = app.get("/streams/on/playlist.m3u8").await;
        assert_eq!(list.status, StatusCode::OK);
        longest = longest.max(asked.elapsed());
        if list.text() != seen {
            seen = list.text().to_owned();
            moved = Instant::now();
        }
        stood = stood.max(moved.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(longest < Duration::from_millis(1000), "a request waited {longest:?}");
    assert!(stood < Duration::from_millis(3000), "it stood still for {stood:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_is_told_as_that() {
    let app_of = |source: RemoteConfig| async move {
        let streams = Streams::new();
        let app = streams.app_beside(vec![source.into()]).await;
        let wrong = |why: &String| why.contains("radio station") || why.contains("without an end");
        app.until(|list| list.troubles().iter().any(wrong)).await
    };
    let icy = || async { ([("icy-name", "x"), ("content-type", "audio/mpeg")], endless(4000)) };
    let audio = || async { ([("content-type", "audio/mpeg")], endless(4000)) };
    let server =
        Server::new(Router::new().route("/icy", any(icy)).route("/audio", any(audio))).await;
    for path in ["/icy?list=1", "/audio?list=1"] {
        let took = app_of(server.source(Kind::Audio, path, &[])).await;
        assert!(took < Duration::from_secs(5), "{path}: {took:?}");
    }
}
