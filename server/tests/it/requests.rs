//! Requests as nobody's browser sends them, to the whole program: what is answered, and with which
//! headers.

use std::{io::Read, time::Duration};

use reqwest::{
    Method, Response, StatusCode,
    header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, HeaderMap, IF_NONE_MATCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    fixtures::Streams,
    program::{Running, carrete_with},
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

async fn house(settings: &[(&str, &str)]) -> (Streams, Running) {
    let streams = Streams::new();
    streams.channel("a");
    for (name, text) in [("icon.svg", "<svg/>"), ("pkg/carrete.js", "export {};")] {
        let path = streams.outside("site").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let running = carrete_with(&streams, settings).await;
    running.until_ids(&["a"]).await;
    (streams, running)
}

/// What is answered to these bytes, until the connection ends or is silent.
async fn said(server: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut said = Vec::new();
    let mut block = vec![0; 64 << 10];
    while let Ok(Ok(read @ 1..)) = timeout(Duration::from_secs(2), stream.read(&mut block)).await {
        said.extend_from_slice(&block[..read]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn status(said: &str) -> u16 {
    said.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

async fn ask(server: &Running, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = crate::web::client().request(method, format!("{}{path}", server.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

#[tokio::test]
async fn targets_and_hosts_that_are_none_are_refused_before_anybody_works_on_them() {
    let (_streams, server) = house(&[]).await;
    let server = &server;
    let asked = [
        ("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n", &[405][..]),
        ("CONNECT 127.0.0.1:22 HTTP/1.0\r\n\r\n", &[405]),
        ("CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", &[405]),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &[400]),
        ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", &[400]),
        ("GET tv.lan:80 HTTP/1.1\r\nHost: x\r\n\r\n", &[400]),
        ("GET ftp://tv.lan/x HTTP/1.1\r\nHost: x\r\n\r\n", &[400]),
        ("GET / HTTP/1.1\r\n\r\n", &[400]),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &[400]),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", &[400]),
        ("GET /streams/a/playlist.m3u8 HTTP/1.1\r\n\r\n", &[400]),
        ("GET /api/channels HTTP/1.1\r\nHost: a b\r\n\r\n", &[400]),
        ("GET /nothing HTTP/1.1\r\nHost:\r\n\r\n", &[400]),
        ("GET http://tv.lan/api/channels HTTP/1.1\r\nHost: x\r\n\r\n", &[200]),
        ("GET http://tv.lan/nothing HTTP/1.1\r\nHost: x\r\n\r\n", &[404]),
        ("GET /api/channels HTTP/1.0\r\n\r\n", &[200]),
        (
            "POST /api/pulse HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            &[400],
        ),
        (
            "POST /api/pulse HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
            &[400],
        ),
    ];
    // All at once: each waits for its connection to fall silent.
    let asked = asked.map(|(request, statuses)| async move {
        (request, statuses, said(server, request.as_bytes()).await)
    });
    let mut wrong = Vec::new();
    for (request, statuses, said) in futures_util::future::join_all(asked).await {
        let (head, _) = said.split_once("\r\n\r\n").unwrap_or_default();
        if !statuses.contains(&status(&said)) {
            wrong.push(format!("{request:?} is answered {:?}", said.lines().next()));
        }
        if !head.contains("x-content-type-options: nosniff") {
            wrong.push(format!("{request:?} may be sniffed: {head}"));
        }
        if status(&said) == 405 && !head.contains("allow: ") {
            wrong.push(format!("{request:?} is not told what is allowed: {head}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    // Nothing of it was a fault of ours.
    let counted = ask(server, "GET", "/metrics", &[]).await.text().await.expect("text");
    assert!(!counted.contains("status=\"500\""), "{counted}");
}

#[tokio::test]
async fn http_2_is_answered_by_nobody() {
    let (_streams, server) = house(&[]).await;
    let said = said(&server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(said.is_empty() || status(&said) >= 400, "{said:?}");
}

#[tokio::test]
async fn a_socket_opens_for_a_real_key_alone() {
    let (_streams, server) = house(&[]).await;
    let head = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\n";
    for (key, opens) in [
        ("dGhlIHNhbXBsZSBub25jZQ==", 101),
        ("abcde", 400),
        ("", 400),
        ("dGhlIHNhbXBsZSBub25jZQ", 400),
        ("dGhlIHNhbXBsZSBub25jZTE=", 400),
        ("dGhlIHNhbXBsZSBub25j", 400),
        ("!GhlIHNhbXBsZSBub25jZQ==", 400),
    ] {
        let request = format!("{head}Sec-WebSocket-Key: {key}\r\n\r\n");
        let mut stream =
            TcpStream::connect(("127.0.0.1", server.port())).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("answered");
        assert_eq!(status(&String::from_utf8_lossy(&first)), opens, "{key:?}");
    }
    let twice = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n".repeat(2);
    assert_eq!(status(&said(&server, format!("{head}{twice}\r\n").as_bytes()).await), 400);
}

#[tokio::test]
async fn errors_of_every_room_are_of_one_form() {
    let (_streams, server) = house(&[]).await;
    let long = "x".repeat(70 << 10);
    let mut wrong = Vec::new();
    for (method, path, expected) in [
        ("POST", "/icon.svg", 405),
        ("DELETE", "/icon.svg", 405),
        ("DELETE", "/pkg/carrete.js", 405),
        ("PUT", "/pkg/nothing.js", 405),
        ("POST", "/vendor/x", 405),
        ("GET", "/pkg/nothing.js", 404),
        ("GET", "/vendor/nothing.js", 404),
        ("GET", "/og.jpg", 404),
        ("POST", "/", 405),
        ("POST", "/api/channels", 405),
        ("GET", "/api/pulse", 405),
        ("POST", "/streams/a/playlist.m3u8", 405),
        ("GET", "/streams/nothing/x.ts", 404),
        ("GET", "/api/nothing", 404),
        ("POST-LONG", "/api/pulse", 413),
        ("POST-LONG", "/icon.svg", 413),
    ] {
        let request = match method {
            "POST-LONG" => {
                crate::web::client().post(format!("{}{path}", server.base)).body(long.clone())
            }
            other => {
                let method = Method::from_bytes(other.as_bytes()).expect("a method");
                crate::web::client().request(method, format!("{}{path}", server.base))
            }
        };
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let line = format!("{method} {path}");
        if status != expected {
            wrong.push(format!("{line} is answered {status}"));
        }
        if headers.get("x-content-type-options").is_none_or(|value| value != "nosniff") {
            wrong.push(format!("{line} may be sniffed"));
        }
        if status == 405 {
            let allow = headers.get(ALLOW).and_then(|allow| allow.to_str().ok());
            let reads = if path == "/api/pulse" { "POST" } else { "GET" };
            if !allow.is_some_and(|allow| allow.contains(reads)) {
                wrong.push(format!("{line} allows {allow:?}"));
            }
        }
        if cached(&headers).contains("immutable") || cached(&headers).contains("max-age") {
            wrong.push(format!("{line} may be kept: {}", cached(&headers)));
        }
        let told: serde_json::Value = answer.json().await.unwrap_or_default();
        if told["error"]["code"].as_str().is_none() {
            wrong.push(format!("{line} says {told}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn cached(headers: &HeaderMap) -> String {
    headers.get(CACHE_CONTROL).map_or("", |value| value.to_str().expect("text")).to_owned()
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_never_kept() {
    let (_streams, server) = house(&[]).await;
    let list = ask(&server, "GET", "/streams/a/playlist.m3u8", &[]).await.text().await;
    let list = list.expect("a playlist");
    let segment = list.lines().find(|line| line.contains("?v=")).expect("a versioned address");
    let segment = format!("/streams/a/{segment}");
    let whole = ask(&server, "GET", &segment, &[]).await;
    let tag = whole.headers()["etag"].to_str().expect("text").to_owned();
    assert!(cached(whole.headers()).contains("immutable"));
    for path in [&*segment, "/streams/a/playlist.m3u8"] {
        let versioned = path.contains("?v=");
        for (header, value, expected) in [
            ("range", "bytes=0-9", 206),
            ("range", "bytes=999999999-", 416),
            ("range", "bytes=-0", 416),
            ("if-match", "\"other\"", 412),
            ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", 412),
        ] {
            let answer = ask(&server, "GET", path, &[(header, value)]).await;
            assert_eq!(answer.status().as_u16(), expected, "{path} {header}: {value}");
            let kept = cached(answer.headers()).contains("immutable");
            assert_eq!(kept, versioned && expected == 206, "{path} {header}: {value}");
        }
    }
    let known = ask(&server, "GET", &segment, &[("if-none-match", &tag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    assert!(cached(known.headers()).contains("immutable"));
    let gone = segment.replace("?v=", "?v=0");
    let gone = ask(&server, "GET", &gone, &[]).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(cached(gone.headers()), "no-cache");
}

#[tokio::test]
async fn every_encoding_of_a_list_has_its_own_tag() {
    let (_streams, server) = house(&[]).await;
    for path in ["/api/videos", "/api/channels", "/channels.m3u", "/api/videos?offset=0&limit=1"] {
        let mut tags = Vec::new();
        for encoding in ["identity", "gzip", "br"] {
            let answer = ask(&server, "GET", path, &[(ACCEPT_ENCODING.as_str(), encoding)]).await;
            let told = answer.headers().get("content-encoding").cloned();
            let told = told.map(|told| told.to_str().expect("text").to_owned());
            assert_eq!(told.as_deref(), Some(encoding).filter(|e| *e != "identity"), "{path}");
            let vary = answer.headers().get("vary").cloned().expect("it varies");
            assert!(vary.to_str().expect("text").to_ascii_lowercase().contains("accept-encoding"));
            let tag = answer.headers()["etag"].to_str().expect("text").to_owned();
            let body = answer.bytes().await.expect("a body");
            if encoding == "gzip" {
                let mut text = String::new();
                flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).expect("gzip");
                assert!(text.contains('a'), "{path}: {text}");
            }
            let asked = [(ACCEPT_ENCODING.as_str(), encoding), (IF_NONE_MATCH.as_str(), &*tag)];
            let again = ask(&server, "GET", path, &asked).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path} {encoding}");
            assert_eq!(again.headers()["etag"], *tag, "{path} {encoding}");
            tags.push(tag);
        }
        tags.sort();
        tags.dedup();
        // A weak tag may stand for all of them.
        assert!(tags.len() == 3 || tags[0].starts_with("W/"), "{path}: {tags:?}");
    }
}

#[tokio::test]
async fn what_leads_only_home_is_no_address_for_a_phone() {
    let public = [("PUBLIC_URL", "")];
    let (_streams, server) = house(&public).await;
    for host in [
        "[::1]",
        "0.0.0.0:8080",
        "localhost.",
        "[::ffff:127.0.0.1]:9",
        "LOCALHOST:1",
        "a.localhost",
    ] {
        let request = format!("GET /guide HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let page = said(&server, request.as_bytes()).await;
        assert_eq!(status(&page), 200, "{host}");
        let request =
            format!("GET /qr.svg?for=/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let code = said(&server, request.as_bytes()).await;
        let request = "GET /qr.svg?for=/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
        let plain = said(&server, request.as_bytes()).await;
        let body = |said: &str| said.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        assert_eq!(body(&code), body(&plain), "{host} leads where 127.0.0.1 leads");
    }
}

#[tokio::test]
async fn a_body_that_drips_is_not_listened_to_for_ever() {
    let (_streams, server) = house(&[]).await;
    let mut drips = Vec::new();
    for head in [
        "POST /api/pulse HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1900\r\n\r\n",
        "POST /api/pulse HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let address = ("127.0.0.1", server.port());
        drips.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let (began, mut answer) = (Instant::now(), vec![0; 4096]);
            loop {
                let drop: &[u8] = if head.contains("chunked") { b"1\r\nx\r\n" } else { b"x" };
                if stream.write_all(drop).await.is_err() {
                    return (began.elapsed(), String::new());
                }
                match timeout(Duration::from_millis(250), stream.read(&mut answer)).await {
                    Ok(read) => {
                        let said = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]);
                        return (began.elapsed(), said.into_owned());
                    }
                    Err(_) => assert!(began.elapsed() < PATIENCE, "still listened to"),
                }
            }
        }));
    }
    for drip in drips {
        let (took, said) = drip.await.expect("an end");
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert_eq!(status(&said), 408, "{said}");
    }
}
