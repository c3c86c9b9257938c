use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, http::header, response::IntoResponse, routing::get};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Service, Timeouts,
    connections::{Bounds, Connections},
    serve_one,
    timed::Pace,
};
use crate::config::List;

/// Longer than any patience of these tests.
const ENOUGH: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(400);
const PATIENT: Pace = Pace { idle: ENOUGH, window: ENOUGH, least: 0 };
const MANY: Bounds = Bounds { open: 100, of_one: 100, answers: 100, answers_of_one: 100 };
/// Bytes of what `/film` answers: more than lies in any buffer on the way.
const FILM: usize = 24 << 20;

async fn serving(timeouts: Timeouts, bounds: Bounds) -> std::net::SocketAddr {
    static CHUNK: [u8; 64 * 1024] = [0; 64 * 1024];
    let film = || async {
        let chunks = stream::repeat(Bytes::from_static(&CHUNK)).take(FILM / CHUNK.len());
        let body = Body::from_stream(chunks.map(Ok::<_, Infallible>));
        ([(header::CONTENT_LENGTH, FILM.to_string())], body).into_response()
    };
    let router = Router::new().route("/film", get(film)).route("/", get(|| async { "here" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Connections::new(bounds, List::default());
    tokio::spawn(serve_one(
        Service { router, sendfile: true, timeouts },
        listener,
        connections,
        CancellationToken::new().into(),
    ));
    address
}

async fn asks(address: std::net::SocketAddr, head: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head).await.unwrap();
    client
}

/// Everything that comes until the end.
async fn rest(mut client: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    timeout(ENOUGH, client.read_to_end(&mut all)).await.expect("cut off").ok();
    all
}

#[tokio::test]
async fn who_never_ends_the_head_is_cut_off() {
    let address = serving(Timeouts { head: SHORT, pace: PATIENT }, MANY).await;
    let client = asks(address, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(!rest(client).await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn who_takes_nothing_is_cut_off() {
    let pace = Pace { idle: SHORT, ..PATIENT };
    let address = serving(Timeouts { head: ENOUGH, pace }, MANY).await;
    let client = asks(address, b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // The server fills every buffer on the way, waits, and gives up.
    sleep(SHORT * 4).await;
    // What is in the kernel by then is thrown away too.
    let (mut client, mut all) = (client, Vec::new());
    let end = timeout(ENOUGH, client.read_to_end(&mut all)).await.expect("cut off");
    assert_eq!(end.expect_err("given up").kind(), std::io::ErrorKind::ConnectionReset);
    assert!(all.len() < FILM);
}

#[tokio::test]
async fn an_answer_takes_as_long_as_it_takes() {
    let pace = Pace { idle: SHORT, window: SHORT, least: 1_000 };
    let address = serving(Timeouts { head: ENOUGH, pace }, MANY).await;
    let mut client =
        asks(address, b"GET /film HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let (mut got, mut bytes) = (0, vec![0; 128 << 10]);
    loop {
        // Slowly, and many times longer than nothing at all is borne.
        sleep(SHORT / 20).await;
        match timeout(ENOUGH, client.read(&mut bytes)).await.expect("it goes on") {
            Ok(0) | Err(_) => break,
            Ok(read) => got += read,
        }
    }
    assert!(got > FILM, "{got} bytes of {FILM} came");
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let address = serving(Timeouts { head: ENOUGH, pace: PATIENT }, MANY).await;
    let client = asks(address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let said = rest(client).await;
    // A settings frame would be of type 4.
    assert!(said.get(3) != Some(&4), "{said:?}");
}

#[tokio::test]
async fn beyond_its_share_an_address_is_told_to_come_later() {
    let bounds = Bounds { open: 8, of_one: 3, ..MANY };
    let address = serving(Timeouts { head: ENOUGH, pace: PATIENT }, bounds).await;
    let film = b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut watching =
        [asks(address, film).await, asks(address, film).await, asks(address, film).await];
    for client in &mut watching {
        client.read_exact(&mut [0; 64 << 10]).await.expect("it is sent");
    }
    let fourth = TcpStream::connect(address).await.unwrap();
    let said = String::from_utf8(rest(fourth).await).expect("text");
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("\r\nretry-after: 2\r\n"), "{said}");
    assert!(said.contains("\"too_many_sockets\""), "{said}");
    // Those who watch go on, and who comes after one of them has gone is let in.
    let [one, mut other, _third] = watching;
    other.read_exact(&mut vec![0; 1 << 20]).await.expect("it goes on");
    drop(one);
    sleep(SHORT).await;
    let mut fifth = asks(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut said = [0; 15];
    fifth.read_exact(&mut said).await.expect("answered");
    assert_eq!(&said, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn who_takes_nothing_of_many_answers_is_told_to_come_later() {
    let bounds = Bounds { answers_of_one: 2, ..MANY };
    let address = serving(Timeouts { head: ENOUGH, pace: PATIENT }, bounds).await;
    let film = b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut watching = [asks(address, film).await, asks(address, film).await];
    for client in &mut watching {
        client.read_exact(&mut [0; 1 << 10]).await.expect("it is sent");
    }
    let mut third = asks(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut said = [0; 600];
    let read = third.read(&mut said).await.expect("answered");
    let said = String::from_utf8_lossy(&said[..read]).into_owned();
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("\r\nretry-after: 2\r\n"), "{said}");
    // Over the same connection, once one of the others has gone.
    let [one, _other] = watching;
    drop(one);
    sleep(SHORT).await;
    third.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("heard");
    let mut said = [0; 15];
    third.read_exact(&mut said).await.expect("answered");
    assert_eq!(&said, b"HTTP/1.1 200 OK");
    // One answer after the other is one at a time.
    for _ in 0..5 {
        let mut next =
            asks(address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        next.read_exact(&mut said).await.expect("answered");
        assert_eq!(&said, b"HTTP/1.1 200 OK");
        rest(next).await;
    }
}

#[tokio::test]
async fn connections_that_ask_for_nothing_give_way() {
    let bounds = Bounds { open: 6, of_one: 4, ..MANY };
    let address = serving(Timeouts { head: ENOUGH, pace: PATIENT }, bounds).await;
    let mut watching = asks(address, b"GET /film HTTP/1.1\r\nHost: x\r\n\r\n").await;
    watching.read_exact(&mut [0; 64 << 10]).await.expect("it is sent");
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(asks(address, b"GET / HTTP/1.1\r\nHo").await);
    }
    sleep(SHORT * 2).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut next = asks(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut said = [0; 15];
        timeout(ENOUGH, next.read_exact(&mut said)).await.expect("in time").expect("answered");
        assert_eq!(&said, b"HTTP/1.1 200 OK");
        others.push(next);
    }
    for client in idle {
        assert!(rest(client).await.is_empty(), "it was let go without a word");
    }
    watching.read_exact(&mut vec![0; 1 << 20]).await.expect("it goes on");
}
