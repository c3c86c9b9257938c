//! Sessions over a pipe, with the clock in our hands.

use std::{net::IpAddr, time::Duration};

use app::catalog::ChannelId;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;

use super::{SEND_TIMEOUT, SILENCE_MAX, run};
use crate::{
    chat::{ChatHub, ChatRates},
    websocket::{VideoList, socket::Socket},
};

const PIPE: usize = 8 * 1024;

fn hub() -> ChatHub {
    let rate = "100000/1".parse().expect("a rate");
    ChatHub::start(ChatRates { person: rate, address: rate }, CancellationToken::new())
}

async fn open(hub: &ChatHub) -> (DuplexStream, JoinHandle<()>) {
    let (ours, theirs) = duplex(PIPE);
    let member = hub.enter(IpAddr::from([127, 0, 0, 1]));
    let list = VideoList::new("1", [].iter(), |_| true);
    let (sender, list) = watch::channel(Some(list));
    let session = tokio::spawn(async move {
        let _keep = sender;
        run(Socket::new(theirs).await, member, list, None, CancellationToken::new()).await;
    });
    (ours, session)
}

async fn client(pipe: DuplexStream) -> WebSocketStream<DuplexStream> {
    WebSocketStream::from_raw_socket(pipe, Role::Client, None).await
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_pings_stays() {
    let hub = hub();
    let (pipe, session) = open(&hub).await;
    let mut page = client(pipe).await;
    let mut pings = 0;
    let _ = timeout(Duration::from_secs(200), async {
        while let Some(Ok(message)) = page.next().await {
            pings += u32::from(message.is_ping());
            page.flush().await.expect("a pong");
        }
    })
    .await;
    assert!((9..=10).contains(&pings), "{pings}");
    assert!(!session.is_finished());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_silent_is_closed() {
    let hub = hub();
    let (mut pipe, session) = open(&hub).await;
    let start = Instant::now();
    // Reads the bytes away but answers nothing.
    let reads = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
        pipe.shutdown().await
    });
    session.await.expect("the session ended");
    let lived = start.elapsed();
    assert!(lived > SILENCE_MAX && lived < Duration::from_secs(70), "{lived:?}");
    reads.abort();
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_read_is_closed_and_delays_nobody() {
    let hub = hub();
    let (_unread, stuck) = open(&hub).await;
    let (pipe, _session) = open(&hub).await;
    let mut page = client(pipe).await;
    let mut speaker = hub.enter(IpAddr::from([127, 0, 0, 2]));
    speaker.join("ana", None).expect("a name");
    let start = Instant::now();
    for number in 0..400 {
        speaker.say(&format!("{number} {}", "x".repeat(400)), None, None).expect("said");
        let heard = timeout(Duration::from_millis(100), async {
            loop {
                let message = page.next().await.expect("open").expect("a message");
                if message.to_text().is_ok_and(|text| text.contains(&format!("\"{number} x"))) {
                    return;
                }
            }
        });
        heard.await.unwrap_or_else(|_| panic!("message {number} came late"));
    }
    stuck.await.expect("the session ended");
    let lived = start.elapsed();
    assert!(lived < SEND_TIMEOUT + Duration::from_secs(10), "{lived:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_lagged_gets_where_things_stand() {
    let hub = hub();
    let (pipe, _session) = open(&hub).await;
    let mut speaker = hub.enter(IpAddr::from([127, 0, 0, 2]));
    speaker.join("ana", None).expect("a name");
    for number in 0..300 {
        speaker.say(&format!("{number} {}", "x".repeat(400)), None, None).expect("said");
        sleep(Duration::from_millis(12)).await;
    }
    let mut page = client(pipe).await;
    let mut live = Vec::new();
    let snapshot = timeout(Duration::from_secs(5), async {
        let mut histories = 0;
        loop {
            let message = page.next().await.expect("open").expect("a message").into_text();
            let event: serde_json::Value =
                serde_json::from_str(&message.expect("a text")).expect("JSON");
            match event["type"].as_str() {
                Some("history") => histories += 1,
                Some("chat_message") => live.push(event.clone()),
                _ => {}
            }
            if histories == 2 {
                return event;
            }
        }
    });
    let snapshot = snapshot.await.expect("a second history");
    assert!(live.len() < 300);
    let messages = snapshot["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 100);
    assert!(messages[99]["text"].as_str().is_some_and(|text| text.starts_with("299 ")));
}

#[tokio::test(start_paused = true)]
async fn a_long_message_arrives_whole() {
    let hub = hub();
    let mut speaker = hub.enter(IpAddr::from([127, 0, 0, 2]));
    speaker.join("ana", None).expect("a name");
    for number in 0..100 {
        speaker.say(&format!("{number} {}", "ñ".repeat(480)), None, None).expect("said");
    }
    sleep(Duration::from_millis(50)).await;
    let (pipe, _session) = open(&hub).await;
    let mut page = client(pipe).await;
    let videos = page.next().await.expect("open").expect("a message");
    assert!(videos.to_text().is_ok_and(|text| text.contains("\"videos\"")));
    let history = page.next().await.expect("open").expect("a message").into_text();
    let history: serde_json::Value = serde_json::from_str(&history.expect("a text")).expect("JSON");
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(100));
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_protocol_is_closed_with_1002() {
    let hub = hub();
    let (mut pipe, session) = open(&hub).await;
    // A text frame without the mask that clients must use.
    pipe.write_all(&[0x81, 0x02, b'h', b'i']).await.expect("written");
    let mut page = client(pipe).await;
    let close = timeout(Duration::from_secs(5), async {
        loop {
            if let Message::Close(frame) = page.next().await.expect("open").expect("a message") {
                return frame;
            }
        }
    });
    let close = close.await.expect("a close");
    assert_eq!(close.map(|frame| frame.code), Some(CloseCode::Protocol));
    session.await.expect("the session ended");
}

#[tokio::test]
async fn a_quiet_session_is_small() {
    let hub = hub();
    let (_ours, theirs) = duplex(PIPE);
    let member = hub.enter(IpAddr::from([127, 0, 0, 1]));
    let (_sender, list) = watch::channel(None);
    let socket = Socket::new(theirs).await;
    let session = run(socket, member, list, None, CancellationToken::new());
    let size = size_of_val(&session);
    assert!(size < 4 * 1024, "{size} bytes");
}

/// All that comes within so long, as frames.
async fn heard(page: &mut WebSocketStream<DuplexStream>, within: Duration) -> Vec<String> {
    let mut frames = Vec::new();
    let _ = timeout(within, async {
        while let Some(Ok(message)) = page.next().await {
            frames.extend(message.to_text().map(str::to_owned));
        }
    })
    .await;
    frames
}

#[tokio::test(start_paused = true)]
async fn the_list_is_told_once_a_second_however_often_it_is_asked_for() {
    let hub = hub();
    let (pipe, _session) = open(&hub).await;
    let mut page = client(pipe).await;
    let array = format!("[{}]", [r#"{"type":"fetch_videos"}"#; 8].join(","));
    let mut lists = 0;
    for _ in 0..100 {
        for ask in ["fetch_videos", &array] {
            page.send(Message::text(ask)).await.expect("sent");
        }
        let frames = heard(&mut page, Duration::from_millis(500)).await;
        lists += frames.iter().filter(|frame| frame.contains("\"videos\"")).count();
    }
    // Fifty seconds, the list on connect and the one at the end.
    assert!((50..=52).contains(&lists), "{lists}");
}

#[tokio::test(start_paused = true)]
async fn rooms_with_long_histories_are_told_by_the_byte() {
    let hub = hub();
    let mut speaker = hub.enter(IpAddr::from([127, 0, 0, 2]));
    speaker.join("ana", None).expect("a name");
    let rooms: Vec<ChannelId> =
        (0..8).map(|n| ChannelId::parse(&format!("canal{n}")).expect("an id")).collect();
    for room in &rooms {
        for n in 0..100 {
            let text = format!("{n} {}", "🎬".repeat(480));
            speaker.say(&text, Some(room.clone()), None).expect("said");
        }
        sleep(Duration::from_millis(50)).await;
    }
    let (pipe, _session) = open(&hub).await;
    let mut page = client(pipe).await;
    let watch = |n: usize| format!(r#"{{"type":"watch","channel":"canal{}"}}"#, n % rooms.len());
    let (mut asked, mut told) = (0, 0);
    let mut last = String::new();
    for round in 0..20 {
        let array: Vec<String> = (0..8).map(|n| watch(round + n)).collect();
        let array = format!("[{}]", array.join(","));
        asked += array.len();
        page.send(Message::text(array)).await.expect("sent");
        for frame in heard(&mut page, Duration::from_millis(500)).await {
            told += frame.len();
            last = if frame.contains("history") { frame } else { last };
        }
    }
    let seconds = 10;
    assert!(told < (8 + seconds + 1) * 256 * 1024 + 200 * 1024, "{told} for {asked}");
    // What was asked for last comes at the end, and what is said there is heard.
    for frame in heard(&mut page, Duration::from_secs(20)).await {
        last = if frame.contains("history") { frame } else { last };
    }
    let at = (19 + 7) % rooms.len();
    assert!(last.contains(&format!(r#""channel":"canal{at}""#)), "{last:.80}");
    speaker.say("here", Some(rooms[at].clone()), None).expect("said");
    let frames = heard(&mut page, Duration::from_secs(2)).await;
    assert!(frames.iter().any(|frame| frame.contains("here")), "{frames:?}");
    assert!(!frames.iter().any(|frame| frame.contains("slow_down")), "{frames:?}");
}
