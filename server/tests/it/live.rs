//! The socket itself: who may open it, what it is told on connect, and how it ends.

use std::time::{Duration, Instant};

use carrete::websocket::Limits;
use serde_json::json;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{
        CloseFrame,
        frame::{
            Frame, FrameHeader,
            coding::{CloseCode, Control, Data, OpCode},
        },
    },
};

use crate::sockets::{server, server_with, server_within};

#[tokio::test]
async fn on_connect_come_videos_history_and_count() {
    let server = server().await;
    let mut page = server.open().await;
    let videos = page.next().await;
    assert_eq!(videos["type"], "videos");
    assert_eq!((&videos["total"], &videos["version"]), (&json!(3), &json!("1")));
    assert_eq!(videos["videos"][0]["id"], "canal1");
    let history = page.next().await;
    assert_eq!(history, json!({ "type": "history", "channel": null, "messages": [] }));
    let count = page.next().await;
    assert_eq!(count, json!({ "type": "user_count", "count": 1, "channels": {} }));
}

#[tokio::test]
async fn the_first_500_are_told_and_only_if_the_version_is_another() {
    let server = server().await;
    server.publish("größe 2", 600);
    let mut page = server.open().await;
    let videos = page.next().await;
    assert_eq!(videos["videos"].as_array().map(Vec::len), Some(500));
    assert_eq!(videos["total"], 600);
    let mut same = server.open_at("/ws?x=1&version=gr%C3%B6%C3%9Fe%202", &[]).await.expect("open");
    assert_eq!(same.next().await["type"], "history");
    let mut other = server.open_at("/ws?version=1", &[]).await.expect("open");
    assert_eq!(other.next().await["type"], "videos");
}

#[tokio::test]
async fn videos_are_told_when_asked_for_and_when_they_change() {
    let server = server().await;
    let mut page = server.open_quietly().await;
    for ask in ["fetch_videos", " fetch_videos\n", r#"{"type":"fetch_videos"}"#] {
        page.write(ask).await;
        assert_eq!(page.find(|event| event["type"] == "videos").await["total"], 3, "{ask}");
    }
    server.publish("2", 4);
    assert_eq!(page.find(|event| event["type"] == "videos").await["version"], "2");
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_the_socket_stays() {
    let server = server().await;
    let mut page = server.open_quietly().await;
    for text in [
        "{nope",
        "",
        "7",
        "\"fetch_videos\"",
        "null",
        "{}",
        r#"{"type":"dance"}"#,
        r#"{"type":7}"#,
        r#"{"type":"join"}"#,
        r#"{"type":"join","username":7}"#,
        r#"{"type":"watch"}"#,
        r#"{"type":"watch","channel":"../etc"}"#,
        r#"{"type":"watch","channel":"unknown"}"#,
        r#"{"type":"chat_message","text":"\ud83c"}"#,
        "[[]]",
        "[7]",
    ] {
        page.write(text).await;
        let error = page.error().await;
        assert_eq!(error["code"], "bad_request", "{text}");
        assert!(error["message"].as_str().is_some_and(|message| message.ends_with('.')));
    }
    page.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(page.error().await["code"], "bad_request");
    let nested = "[".repeat(10_000);
    page.write(&nested).await;
    assert_eq!(page.error().await["code"], "bad_request");
    page.write("fetch_videos").await;
    page.find(|event| event["type"] == "videos").await;
}

#[tokio::test]
async fn an_array_is_heard_event_by_event() {
    let server = server().await;
    let mut page = server.open_quietly().await;
    page.say(json!([
        { "type": "join", "username": "ana" },
        { "type": "watch", "channel": "canal2" },
        { "type": "dance" },
        { "type": "chat_message", "text": "hola", "channel": "canal2" },
    ]))
    .await;
    assert_eq!(page.find(|event| event["type"] == "joined").await["username"], "ana");
    assert_eq!(page.find(|event| event["type"] == "history").await["channel"], "canal2");
    assert_eq!(page.error().await["code"], "bad_request");
    assert_eq!(page.find(|event| event["type"] == "chat_message").await["text"], "hola");
    page.say(json!(vec![json!({ "type": "dance" }); 70])).await;
    assert_eq!(page.until_now().await.len(), 65);
}

#[tokio::test]
async fn a_frame_over_16_kib_closes_its_socket_and_nothing_else() {
    let server = server().await;
    let mut other = server.open_quietly().await;
    let fits = format!("{{\"type\":\"dance\",\"x\":\"{}\"}}", "x".repeat(16 * 1024 - 23));
    assert_eq!(fits.len(), 16 * 1024);
    let mut page = server.open_quietly().await;
    page.write(&fits).await;
    assert_eq!(page.error().await["code"], "bad_request");
    for size in [16 * 1024 + 1, 2_000_000] {
        let mut page = server.open_quietly().await;
        page.throw(Message::text("x".repeat(size))).await;
        assert_eq!(page.close().await.map(|frame| frame.code), Some(CloseCode::Size), "{size}");
    }
    other.write("fetch_videos").await;
    other.find(|event| event["type"] == "videos").await;
    page.write("fetch_videos").await;
    page.find(|event| event["type"] == "videos").await;
}

#[tokio::test]
async fn the_origin_is_ours_or_a_friend_or_absent() {
    let server = server_with(&[
        "--public-url",
        "https://tv.example",
        "--cors-origins",
        "https://a.example,http://b.example:8000",
    ])
    .await;
    let own = format!("http://{}", server.address);
    let own_tls = format!("https://{}", server.address);
    let other_port = format!("http://{}:1", server.address.ip());
    for (origin, status) in [
        (None, Ok(())),
        (Some(&*own), Ok(())),
        (Some(&*own_tls), Ok(())),
        (Some("https://tv.example"), Ok(())),
        (Some("http://TV.example:80"), Ok(())),
        (Some("https://tv.example:443"), Ok(())),
        (Some("http://a.example"), Ok(())),
        (Some("https://b.example:8000"), Ok(())),
        (Some("http://b.example"), Err(403)),
        (Some("http://other.example"), Err(403)),
        (Some("https://tv.example.other"), Err(403)),
        (Some("https://tv.example:8443"), Err(403)),
        (Some(&*other_port), Err(403)),
        (Some("null"), Err(403)),
        (Some(""), Err(403)),
        (Some("http://"), Err(403)),
    ] {
        let headers: Vec<_> = origin.iter().map(|origin| ("origin", *origin)).collect();
        let opened = server.open_at("/ws", &headers).await.map(drop);
        assert_eq!(opened, status, "{origin:?}");
    }
    for (host, status) in [("reels.lan", Ok(())), ("other.lan", Err(403))] {
        let headers = [("host", host), ("origin", "http://reels.lan:80")];
        assert_eq!(server.open_at("/ws", &headers).await.map(drop), status, "{host}");
    }
}

#[tokio::test]
async fn a_forwarded_host_counts_from_a_trusted_proxy_alone() {
    let headers = [("x-forwarded-host", "tv.example"), ("origin", "https://tv.example")];
    let trusting = server_with(&["--trusted-proxies", "127.0.0.0/8"]).await;
    assert!(trusting.open_at("/ws", &headers).await.is_ok());
    let server = server().await;
    assert_eq!(server.open_at("/ws", &headers).await.map(drop), Err(403));
}

#[tokio::test]
async fn refusals_are_sentences_in_json() {
    let server =
        server_within(&[], Limits { new: "1000/1".parse().expect("a rate"), open: 2 }).await;
    let client = crate::web::client();
    let url = format!("http://{}/ws", server.address);
    let plain = client.get(&url).send().await.expect("an answer");
    assert_eq!(plain.status(), 426);
    assert_eq!(plain.headers()["upgrade"], "websocket");
    let body: serde_json::Value = plain.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "upgrade_required");

    let (first, _second) = (server.open_quietly().await, server.open_quietly().await);
    assert_eq!(server.open_at("/ws", &[]).await.map(drop), Err(503));
    first.leave().await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.open_at("/ws", &[]).await.is_err() {
        assert!(Instant::now() < deadline, "the place was not given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_count_is_right_after_a_storm_of_reconnects() {
    let server = server().await;
    let mut watcher = server.open_quietly().await;
    let mut pages = Vec::new();
    for _ in 0..10 {
        pages.push(server.open().await);
    }
    for round in 0..20 {
        for page in pages.drain(..) {
            // Half of them say goodbye, half just go.
            if round % 2 == 0 {
                page.leave().await;
            }
        }
        for _ in 0..10 {
            pages.push(server.open().await);
        }
    }
    watcher.find(|event| event["type"] == "user_count" && event["count"] == 11).await;
    drop(pages);
    watcher.find(|event| event["type"] == "user_count" && event["count"] == 1).await;
    // Nothing more comes once it is right.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let rest = watcher.until_now().await;
    assert!(rest.iter().all(|event| event["count"] == 1), "{rest:?}");
}

#[tokio::test]
async fn counts_tell_who_watches_what_at_most_twice_a_second() {
    let server = server().await;
    let mut a = server.open_quietly().await;
    let mut b = server.open_quietly().await;
    a.say(json!({ "type": "watch", "channel": "canal1" })).await;
    for number in [2, 3, 2, 3, 1] {
        b.say(json!({ "type": "watch", "channel": format!("canal{number}") })).await;
    }
    let start = Instant::now();
    let both = |event: &serde_json::Value| event["channels"] == json!({ "canal1": 2 });
    let count = a.find(both).await;
    assert_eq!(count["count"], 2);
    let mut c = server.open().await;
    let at_once = c.find(|event| event["type"] == "user_count").await;
    assert_eq!(at_once, json!({ "type": "user_count", "count": 3, "channels": { "canal1": 2 } }));
    b.leave().await;
    let mut counts = 0;
    loop {
        let event = a.find(|event| event["type"] == "user_count").await;
        counts += 1;
        if event["count"] == 2 && event["channels"] == json!({ "canal1": 1 }) {
            break;
        }
    }
    assert!(counts <= 2 + start.elapsed().as_millis() / 500, "{counts}");
}

#[tokio::test]
async fn a_server_that_stops_closes_every_socket_with_1001() {
    let server = server().await;
    let mut pages = Vec::new();
    for _ in 0..20 {
        pages.push(server.open_quietly().await);
    }
    // One that never answers a close must not hold the others up.
    let _mute = server.open().await;
    server.shutdown.cancel();
    let start = Instant::now();
    let closes = async {
        for page in &mut pages {
            assert_eq!(page.close().await.map(|frame| frame.code), Some(CloseCode::Away));
        }
    };
    tokio::join!(closes, server.live.closed());
    assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
    assert_eq!(server.live.open_sockets(), 0);
    let connects = tokio::net::TcpStream::connect(server.address).await;
    assert!(connects.is_err(), "nobody else comes in");
}

#[tokio::test]
async fn whoever_floods_is_told_and_then_closed() {
    let server = server().await;
    let mut page = server.open_quietly().await;
    for _ in 0..260 {
        page.write("{nope").await;
    }
    let slow = page.find(|event| event["code"] == "slow_down").await;
    assert!(slow["retry_after_ms"].as_u64().is_some_and(|wait| wait > 0));
    for _ in 0..700 {
        page.throw(Message::text("{nope")).await;
    }
    assert_eq!(page.close().await.map(|frame| frame.code), Some(CloseCode::Policy));
}

fn closing(code: u16) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: "bye".into() }))
}

/// A close as no library writes it.
fn raw_close(payload: &'static [u8]) -> Message {
    let opcode = OpCode::Control(Control::Close);
    let header = FrameHeader { opcode, mask: Some([1, 2, 3, 4]), ..FrameHeader::default() };
    Message::Frame(Frame::from_payload(header, payload.into()))
}

#[tokio::test]
async fn a_close_is_answered() {
    let server = server().await;
    for (close, answer) in [
        (closing(1000), Some(1000)),
        (closing(1001), Some(1001)),
        (closing(3000), Some(3000)),
        (closing(4999), Some(4999)),
        (Message::Close(None), None),
        // Codes that may not be sent.
        (closing(0), Some(1002)),
        (closing(999), Some(1002)),
        (closing(1004), Some(1002)),
        (closing(1005), Some(1002)),
        (closing(1006), Some(1002)),
        (closing(1015), Some(1002)),
        (closing(1016), Some(1002)),
        (closing(2999), Some(1002)),
        (closing(5000), Some(1002)),
        (closing(65_535), Some(1002)),
        // Half a code, and a reason that is no text.
        (raw_close(b"\x03"), Some(1002)),
        (raw_close(b"\x03\xe8\xff\xfe"), Some(1007)),
    ] {
        let told = format!("{close:?}");
        let mut page = server.open_quietly().await;
        page.send(close).await;
        let (frame, cleanly) = page.answer_to_close().await;
        assert_eq!(
            frame.map(|frame| frame.map(|frame| u16::from(frame.code))),
            Some(answer),
            "{told}"
        );
        assert!(cleanly, "{told}: the connection was not ended after the answer");
    }
    let mut watcher = server.open_quietly().await;
    watcher.find(|event| event["type"] == "user_count" && event["count"] == 1).await;
}

#[tokio::test]
async fn text_that_is_none_closes_with_1007() {
    let server = server().await;
    for (parts, code) in [
        (vec![(&b"\xc3\x28"[..], true)], CloseCode::Invalid),
        (vec![(&b"fetch_videos \xf0\x9f"[..], true)], CloseCode::Invalid),
        (vec![(&b"ab"[..], false), (&b"\xff"[..], true)], CloseCode::Invalid),
        (vec![(&b"\xed\xa0\x80"[..], true)], CloseCode::Invalid),
    ] {
        let mut page = server.open_quietly().await;
        let mut data = Data::Text;
        for (part, last) in parts.iter().copied() {
            let frame = Frame::message(part, OpCode::Data(data), last);
            page.throw(Message::Frame(frame)).await;
            data = Data::Continue;
        }
        assert_eq!(page.close().await.map(|frame| frame.code), Some(code), "{parts:?}");
    }
    // Half a character at the end of one fragment is whole with the next.
    let mut page = server.open_quietly().await;
    for (part, data, last) in
        [(&b"\"\xc3"[..], Data::Text, false), (&b"\xb1\""[..], Data::Continue, true)]
    {
        page.send(Message::Frame(Frame::message(part, OpCode::Data(data), last))).await;
    }
    assert_eq!(page.error().await["code"], "bad_request");
}

#[tokio::test]
async fn one_array_is_answered_by_one_list() {
    let server = server().await;
    let mut page = server.open_quietly().await;
    let ask = json!({ "type": "fetch_videos" });
    page.say(json!(vec![ask; 64])).await;
    for _ in 0..20 {
        page.write("fetch_videos").await;
    }
    let is_list = |event: &&serde_json::Value| event["type"] == "videos";
    let at_once = page.until_now().await;
    assert_eq!(at_once.iter().filter(is_list).count(), 1);
    // Whoever asked after that gets one as well, a little later.
    page.find(|event| event["type"] == "videos").await;
    assert_eq!(page.until_now().await.iter().filter(is_list).count(), 0);
}

#[tokio::test]
async fn one_host_does_not_lock_others_out() {
    let limits = Limits { new: "20/600".parse().expect("a rate"), open: 100 };
    let server = server_within(&["--trusted-proxies", "127.0.0.0/8"], limits).await;
    let open = async |address: &str| server.open_at("/ws", &[("x-forwarded-for", address)]).await;
    let mut greedy = Vec::new();
    for _ in 0..100 {
        greedy.extend(open("192.168.1.66").await.ok());
    }
    assert_eq!(greedy.len(), 20);
    assert_eq!(open("192.168.1.66").await.map(drop), Err(503));
    // A whole network of IPv6 is one host.
    let mut neighbours = Vec::new();
    for n in 0..100 {
        neighbours.extend(open(&format!("2001:db8::{n:x}")).await.ok());
    }
    assert_eq!(neighbours.len(), 20);
    for n in 0..10 {
        assert!(open(&format!("192.168.1.{n}")).await.is_ok(), "{n}");
    }
}

#[tokio::test]
async fn three_hundred_behind_one_address_join() {
    let server = server().await;
    let opened = futures_util::future::join_all((0..300).map(|_| server.open())).await;
    let mut pages = opened;
    let joined = pages.iter_mut().enumerate().map(async |(n, page)| {
        page.say(json!({ "type": "join", "username": format!("guest{n}") })).await;
        page.find(|event| event["type"] == "joined").await
    });
    let joined = futures_util::future::join_all(joined).await;
    assert_eq!(joined.len(), 300);
    assert_eq!(server.live.open_sockets(), 300);
}
