//! Files among other answers on one connection of the real program.

use std::time::Duration;

use axum::body::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::{
    fixtures::{Streams, segment},
    program::carrete,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// An answer's head in small letters.
async fn head(client: &mut BufReader<TcpStream>) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, client.read_u8()).await.expect("in time");
        head.push(byte.expect("the whole head"));
    }
    String::from_utf8(head).expect("a head in ASCII").to_lowercase()
}

async fn body(client: &mut BufReader<TcpStream>, length: usize) -> Bytes {
    let mut body = vec![0; length];
    let read = timeout(PATIENCE, client.read_exact(&mut body)).await.expect("in time");
    read.expect("the whole body");
    body.into()
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_between_other_answers() {
    let streams = Streams::new();
    streams.channel("a");
    let films: Vec<Vec<u8>> = (0..3).map(|n| segment(n + 1).repeat(400 * usize::from(n))).collect();
    for (n, film) in films.iter().enumerate().skip(1) {
        streams.write(&format!("a/playlist{n}.ts"), film);
    }
    let running = carrete(&streams).await;
    let ids = crate::web::get(format!("{}/api/channels", running.base)).await.expect("an answer");
    assert_eq!(ids.text().await.expect("a body"), "[\"a\"]");

    let address = ("127.0.0.1", running.port());
    let mut client = BufReader::new(TcpStream::connect(address).await.expect("connected"));
    let (one, two) = (&films[1][..], &films[2][..]);
    let last = format!("bytes=-{}", two.len() - 700_001);
    let asked: [(&str, &str, &str, u16, &[u8]); 9] = [
        ("GET", "/streams/a/playlist2.ts", "", 200, two),
        ("GET", "/api/channels", "", 200, b"[\"a\"]"),
        ("GET", "/streams/a/playlist1.ts", "", 200, one),
        ("GET", "/streams/a/playlist2.ts", "bytes=188-600000", 206, &two[188..=600_000]),
        ("HEAD", "/streams/a/playlist2.ts", "", 200, b""),
        ("GET", "/streams/a/playlist2.ts", "bytes=99999999-", 416, b""),
        ("GET", "/streams/a/playlist1.ts", "bytes=9-9", 206, &one[9..=9]),
        ("HEAD", "/streams/a/playlist1.ts", "bytes=9-9", 200, b""),
        ("GET", "/streams/a/playlist2.ts", &last, 206, &two[700_001..]),
    ];
    for _ in 0..4 {
        // All are asked for before the first is answered.
        for (method, path, range, ..) in asked {
            let range = if range.is_empty() { "" } else { &format!("Range: {range}\r\n") };
            let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{range}\r\n");
            client.get_mut().write_all(request.as_bytes()).await.expect("asked");
        }
        let mut tag = String::new();
        for (method, path, range, status, bytes) in asked {
            let head = head(&mut client).await;
            assert!(head.starts_with(&format!("http/1.1 {status} ")), "{path} {range}: {head}");
            let length = field(&head, "content-length")
                .map_or(0, |length| length.parse().expect("a length"));
            if method == "GET" && status != 416 {
                assert_eq!(length, bytes.len(), "{path} {range}");
                assert!(body(&mut client, length).await == bytes, "{path} {range}");
            }
            tag = field(&head, "etag").map_or(tag, str::to_owned);
        }
        let held = format!(
            "GET /streams/a/playlist2.ts HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n"
        );
        client.get_mut().write_all(held.as_bytes()).await.expect("asked");
        assert!(head(&mut client).await.starts_with("http/1.1 304 "));
    }
}
