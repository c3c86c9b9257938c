//! A minute among strangers: hostile clients of every kind beside people who watch. Nobody who
//! watches waits, nothing grows, and the bucket is listed as often as it is refreshed and no oftener.

use std::{
    fs,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{client_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::{
    bucket,
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete_with},
    server::Server,
    strangers::dripping,
};

/// A segment is so long, as its playlist says.
const SEGMENT: Duration = Duration::from_secs(2);
/// Players hold so much ahead; ours holds twelve seconds.
const AHEAD: Duration = Duration::from_secs(8);
const REFRESH_S: u64 = 2;
const IDS: [&str; 6] = ["c0", "c1", "c2", "far", "film", "slow"];
/// Segments of each channel.
const SEGMENTS: u8 = 40;
/// A film that is in nobody's buffers.
const FILM: usize = 32 << 20;
/// What a storm may leave behind: buffers that the allocator keeps, connections that end by clocks.
const GROWTH_BYTES: u64 = 16 << 20;
const LEFT_OVER: usize = 16;

/// How large the storm is: a little one, or as the environment says. `make audit` asks for 200
/// strangers and 40 people for a minute.
struct Size {
    strangers: usize,
    people: usize,
    lasts: Duration,
}

fn size() -> Size {
    let set = |name: &str, usual: usize| {
        let set = std::env::var(name).ok();
        set.map_or(usual, |set| set.parse().expect("a number"))
    };
    let lasts = Duration::from_secs(set("STORM_SECONDS", 10) as u64);
    Size { strangers: set("STORM_STRANGERS", 36), people: set("STORM_PEOPLE", 8), lasts }
}

/// What happened to those who watched.
#[derive(Default)]
struct Seen {
    segments: AtomicUsize,
    stalls: AtomicUsize,
    again: AtomicUsize,
    longest_ms: AtomicU64,
}

/// Somebody who watches one channel at its own speed until `calm`.
async fn watches(base: String, id: &'static str, seen: Arc<Seen>, calm: CancellationToken) {
    let client = crate::web::builder().timeout(AHEAD).build().expect("a client");
    let list = format!("{base}/streams/{id}/playlist.m3u8");
    let began = Instant::now();
    let mut n = 0;
    while !calm.is_cancelled() {
        // It is due when all before it has been played.
        let due = began + AHEAD + SEGMENT * n;
        let asked = Instant::now();
        let mut got = false;
        while !got && Instant::now() < due {
            if n % 8 == 0 {
                let list = client.get(&list).send().await;
                let _ = list.map(|answer| assert!(answer.status() != 404, "{id} is off the list"));
            }
            let address = format!("{base}/streams/{id}/playlist{}.ts", n % u32::from(SEGMENTS));
            let answer = client.get(&address).send().await;
            got = match answer {
                Ok(answer) if answer.status() == 200 => {
                    let expected = segment((n % u32::from(SEGMENTS)) as u8);
                    answer.bytes().await.is_ok_and(|bytes| bytes == expected)
                }
                Ok(answer) => {
                    assert_ne!(answer.status(), 404, "{address}");
                    false
                }
                Err(_) => false,
            };
            if !got {
                seen.again.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(200)).await;
            }
        }
        let took = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        seen.longest_ms.fetch_max(took, Ordering::Relaxed);
        seen.segments.fetch_add(1, Ordering::Relaxed);
        if !got {
            seen.stalls.fetch_add(1, Ordering::Relaxed);
        }
        n += 1;
        // The buffer is full: the next is asked for when there is room.
        tokio::select! {
            () = calm.cancelled() => return,
            () = sleep_until(began + SEGMENT * n) => {}
        }
    }
}

/// The server as one stranger sees it, who has an address of his own: what counts by address does not
/// count him for those who watch.
#[derive(Clone, Copy)]
struct Far {
    port: u16,
    from: Ipv4Addr,
}

impl Far {
    fn of(port: u16, n: usize) -> Self {
        let last = u8::try_from(2 + n % 250).expect("small");
        Self { port, from: Ipv4Addr::new(127, 0, 0, last) }
    }

    async fn connection(self) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind((self.from, 0).into()).ok()?;
        let connected = socket.connect((Ipv4Addr::LOCALHOST, self.port).into());
        timeout(Duration::from_secs(2), connected).await.ok()?.ok()
    }
}

/// Writes drop by drop until it is cut off, or does not want to any more.
async fn drips(far: Far, head: &[u8], drop: &[u8]) -> Option<()> {
    let mut stream = far.connection().await?;
    stream.write_all(head).await.ok()?;
    for _ in 0..200 {
        stream.write_all(drop).await.ok()?;
        sleep(Duration::from_millis(100)).await;
    }
    Some(())
}

/// Asks, and takes as much of the answer as it likes.
async fn asks(far: Far, head: String, takes: usize) -> Option<()> {
    let mut stream = far.connection().await?;
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut bytes = vec![0; takes];
    let _ = timeout(Duration::from_secs(1), stream.read(&mut bytes)).await;
    Some(())
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: tv.lan\r\n{more}\r\n")
}

/// Talks over a socket as fast as it can, and reads or does not.
async fn floods(far: Far, n: usize) -> Option<()> {
    let stream = far.connection().await?;
    let asked = client_async(format!("ws://127.0.0.1:{}/ws", far.port), stream);
    let (mut socket, _) = timeout(Duration::from_secs(5), asked).await.ok()?.ok()?;
    for turn in 0..40 {
        let say = match turn % 4 {
            0 => json!([{ "type": "fetch_videos" }, { "type": "fetch_videos" }]),
            1 => json!({ "type": "join", "username": format!("stranger {n} {turn}") }),
            2 => json!({ "type": "reaction", "kind": "like", "channel": "c0", "at_s": turn }),
            _ => json!({ "type": "watch", "channel": format!("c{}", turn % 3) }),
        };
        let said = socket.send(Message::text(say.to_string()));
        timeout(Duration::from_secs(2), said).await.ok()?.ok()?;
        if n.is_multiple_of(2) {
            let _ = timeout(Duration::from_millis(20), socket.next()).await;
        }
        sleep(Duration::from_millis(20)).await;
    }
    Some(())
}

/// One stranger, who does what its number says until `calm`.
async fn stranger(far: Far, n: usize, calm: CancellationToken) {
    const GARBAGE: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\xff\r\n\r\n\0\0\0\r\n";
    let mut turn = 0;
    while !calm.is_cancelled() {
        turn += 1;
        let any = n * 7_919 + turn;
        let act: std::pin::Pin<Box<dyn Future<Output = Option<()>> + Send>> = match n % 12 {
            0 => Box::pin(drips(far, b"GET / HTTP/1.1\r\nHost: tv.lan\r\nX: ", b"x")),
            1 => Box::pin(drips(
                far,
                b"POST /api/pulse HTTP/1.1\r\nHost: tv.lan\r\nContent-Type: text/plain\r\nContent-Length: 1900\r\n\r\n",
                b"{",
            )),
            // Takes a little of a film, and holds the rest.
            2 => Box::pin(async move {
                let mut stream = far.connection().await?;
                stream.write_all(get("/streams/film.mp4", "").as_bytes()).await.ok()?;
                for _ in 0..100 {
                    let _ = stream.read(&mut [0; 64]).await.ok()?;
                    sleep(Duration::from_millis(200)).await;
                }
                Some(())
            }),
            3 => Box::pin(async move {
                let _stream = far.connection().await?;
                sleep(Duration::from_secs(30)).await;
                Some(())
            }),
            4 => {
                let id = ["far", "c1", "slow"][turn % 3];
                let path = format!("/streams/{id}/playlist{}.ts?v={any:x}", turn % 40);
                Box::pin(asks(far, get(&path, "Range: bytes=0-0\r\n"), 4096))
            }
            5 => {
                let path = match turn % 4 {
                    0 => format!("/streams/far/nothing{any}.ts"),
                    1 => format!("/streams/nobody{any}/playlist.m3u8"),
                    2 => format!("/c/nobody{any}"),
                    _ => format!("/api/channels/nobody{any}"),
                };
                Box::pin(asks(far, get(&path, ""), 4096))
            }
            6 => {
                let range = ["0-0", "-1", "999999999999-", "0-,1-,2-", "18446744073709551615-", "5-1"];
                let range = format!("Range: bytes={}\r\n", range[turn % range.len()]);
                let path = ["/streams/film.mp4".to_owned(), format!("/streams/far/playlist{}.ts", turn % 40)];
                Box::pin(asks(far, get(&path[turn % 2], &range), 512))
            }
            7 | 8 => Box::pin(floods(far, n)),
            9 => Box::pin(asks(far, "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n".into(), 512)),
            10 => Box::pin(async move {
                let mut stream = far.connection().await?;
                stream.write_all(&GARBAGE[turn % 8..]).await.ok()?;
                let _ = timeout(Duration::from_millis(200), stream.read(&mut [0; 512])).await;
                Some(())
            }),
            // Lists and pages, each as another host and in another encoding.
            _ => {
                let path = ["/api/videos", "/channels.m3u", "/", "/guide?q=a", "/api/channels"];
                let encoding = ["gzip", "br", "identity", "*;q=0.1"];
                let head = format!(
                    "GET {} HTTP/1.1\r\nHost: tv{}.lan\r\nAccept-Encoding: {}\r\n\r\n",
                    path[turn % path.len()],
                    any % 50,
                    encoding[turn % encoding.len()]
                );
                Box::pin(asks(far, head, 64 << 10))
            }
        };
        tokio::select! {
            () = calm.cancelled() => return,
            _ = act => {}
        }
        sleep(Duration::from_millis(30)).await;
    }
}

fn resident(server: &Running) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/statm", server.child.id())).expect("statm");
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("pages") * rustix::param::page_size() as u64
}

fn descriptors(server: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.child.id())).expect("its descriptors").count()
}

async fn house() -> (Streams, bucket::Store, Running, Server) {
    // Another server, which takes an hour for each of its segments.
    let slow = Server::new(dripping().0).await;
    let store = bucket::Store::new().await;
    let streams = Streams::new();
    for n in 0..SEGMENTS {
        store.write(&format!("far/playlist{n}.ts"), segment(n));
        for id in ["c0", "c1", "c2"] {
            streams.write(&format!("{id}/playlist{n}.ts"), segment(n));
        }
    }
    store.write("far/playlist.m3u8", playlist(0..SEGMENTS, true));
    for id in ["c0", "c1", "c2"] {
        streams.write(&format!("{id}/playlist.m3u8"), playlist(0..SEGMENTS, true));
        // Nobody has to make one while the storm is on.
        streams.write(&format!("{id}/poster.webp"), b"poster");
    }
    store.write("far/poster.webp", b"poster");
    streams.write("film.mp4", vec![1; FILM]);
    let refresh = REFRESH_S.to_string();
    let mut settings = store.told_to_a_program().to_vec();
    settings.push(("SOURCE_REFRESH_S", &*refresh));
    let far_away = slow.url("/slow/playlist.m3u8");
    settings.push(("VIDEO_ORIGIN", &*far_away));
    let server = carrete_with(&streams, &settings).await;
    server.until_ids(&IDS).await;
    (streams, store, server, slow)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_strangers_is_felt_by_nobody_who_watches() {
    let Size { strangers, people, lasts } = size();
    let (_streams, store, server, _slow) = house().await;
    let (port, seen, calm) = (server.port(), Arc::new(Seen::default()), CancellationToken::new());
    let fds_before = descriptors(&server);
    let (lists, began) = (store.mood.lists.load(Ordering::Relaxed), Instant::now());
    let mut all = JoinSet::new();
    for n in 0..strangers {
        all.spawn(stranger(Far::of(port, n), n, calm.clone()));
    }
    for n in 0..people {
        let id = ["c0", "c1", "c2", "far"][n % 4];
        all.spawn(watches(server.base.clone(), id, seen.clone(), calm.clone()));
    }
    // What is needed to serve so many is there by then; from there on nothing grows.
    sleep(lasts / 3).await;
    let early = (resident(&server), descriptors(&server));
    let mut most = early.1;
    while began.elapsed() < lasts {
        most = most.max(descriptors(&server));
        sleep(Duration::from_millis(250)).await;
    }
    let late = (resident(&server), descriptors(&server));
    let listed = store.mood.lists.load(Ordering::Relaxed) - lists;
    let took = began.elapsed();
    calm.cancel();
    while let Some(ended) = all.join_next().await {
        ended.expect("nobody found anything wrong");
    }
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    let (segments, stalls, again) =
        (count(&seen.segments), count(&seen.stalls), count(&seen.again));
    let longest_ms = seen.longest_ms.load(Ordering::Relaxed);
    eprintln!(
        "{strangers} strangers, {people} people, {took:?}: {segments} segments, {stalls} stalls, \
         {again} asked again, {longest_ms} ms at most; memory {} to {} MiB, descriptors {fds_before}, \
         {} and {} ({most} at most); {listed} lists",
        early.0 >> 20,
        late.0 >> 20,
        early.1,
        late.1
    );
    assert!(segments >= people * 2, "{segments} segments");
    assert_eq!(stalls, 0, "of {segments} segments, {longest_ms} ms at most");
    assert!(late.0 < early.0 + GROWTH_BYTES, "memory grows: {early:?} to {late:?}");
    assert!(late.1 < early.1 + strangers + people, "descriptors grow: {early:?} to {late:?}");
    let refreshes = usize::try_from(took.as_secs() / REFRESH_S).expect("few") + 2;
    assert!(listed <= refreshes, "{listed} lists for {refreshes} refreshes");
    // When they have gone, nothing of them is left.
    let ended = Instant::now();
    while descriptors(&server) > fds_before + LEFT_OVER {
        assert!(ended.elapsed() < Duration::from_secs(30), "{} are left", descriptors(&server));
        sleep(Duration::from_millis(100)).await;
    }
    server.until_ids(&IDS).await;
    server.until("/api/health", |health| health["status"] == "ok").await;
}
