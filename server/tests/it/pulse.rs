//! The pulse: reports of pages, what Prometheus reads, and the operator's page of the real program.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use app::pulse::Pulse;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
};
use carrete::{metrics::Now, rum::RumHandle};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    fixtures::{App, Streams, config},
    program::carrete,
};

struct House {
    router: Router,
    pulse: RumHandle,
    _app: App,
    _streams: Streams,
}

async fn house() -> House {
    let mut config = config(&["--cors-origins", "http://friend.lan"]);
    let streams = Streams::new();
    config.folders = streams.folders();
    let now = || Now { channels: 3, sockets: 46, rooms: 9, messages: 7, reactions: 2 };
    let network = config.network.clone();
    let app = App::start_with(config, Vec::new(), |state| {
        let (metrics, tasks) = (state.metrics.clone(), state.tasks.clone());
        state.rum = RumHandle::start(&network, metrics, now, tasks);
    });
    let app = app.await;
    House { router: app.router.clone(), pulse: app.state.rum.clone(), _app: app, _streams: streams }
}

impl House {
    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    /// From an address of its own, so that no rate is in the way.
    async fn report(&self, from: u8, headers: &[(&str, &str)], body: &str) -> Response<Body> {
        let mut request = Request::post("/api/pulse").header("host", "tv.lan:8080");
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "text/plain;charset=UTF-8");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = ([192, 168, 1, from], 4_000).into();
        let request = request.extension(ConnectInfo(peer)).body(Body::from(body.to_owned()));
        self.ask(request.expect("a request")).await
    }

    async fn metrics(&self) -> String {
        let request = Request::get("/metrics")
            .header("host", "tv.lan:8080")
            .body(Body::empty())
            .expect("a request");
        let answer = self.ask(request).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(body.to_vec()).expect("text")
    }
}

/// Reads the text format strictly: every sample below the HELP and TYPE of its family.
fn series(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let mut found = BTreeMap::new();
    let (mut helped, mut family, mut kind) = (String::new(), String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help");
            assert!(!help.is_empty(), "{line}");
            helped = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, told) = rest.split_once(' ').expect("a type");
            assert_eq!(name, helped, "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&told), "{line}");
            (family, kind) = (name.to_owned(), told.to_owned());
            if kind == "counter" {
                assert!(family.ends_with("_total"), "{line}");
            }
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            let of_family = name == family
                || kind == "histogram"
                    && ["_bucket", "_sum", "_count"]
                        .iter()
                        .any(|end| name == format!("{family}{end}"));
            assert!(of_family, "{line} is not of {family}");
            let value = value.parse().unwrap_or_else(|_| panic!("{line}: no number"));
            assert!(found.insert(series.to_owned(), value).is_none(), "{line} twice");
        }
    }
    found
}

#[tokio::test]
async fn a_report_is_counted() {
    let house = house().await;
    let before = series(&house.metrics().await);
    for (name, value) in [
        ("carrete_channels", 3.0),
        ("carrete_sockets", 46.0),
        ("carrete_chat_messages_total", 7.0),
        ("carrete_reactions_total", 2.0),
        ("carrete_swipe_seconds_count", 0.0),
        ("carrete_level_seconds_total{height=\"720\"}", 0.0),
        ("carrete_playback_errors_total{cause=\"unsupported\"}", 0.0),
    ] {
        assert_eq!(before.get(name), Some(&value), "{name}");
    }
    assert_eq!(
        before[&format!("carrete_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))],
        1.0
    );
    assert!(before["process_resident_memory_bytes"] > 1e6);
    assert!(before["process_start_time_seconds"] > 1.6e9);
    assert!(before.contains_key("process_cpu_seconds_total"));
    assert_eq!(house.pulse.report().swipe_p50_ms, None);

    let body = r#"{"swipes_ms":[70,75,200],"cold_ms":410,"stalls":2,
        "levels":{"720":30,"333":4},"errors":{"network":1},"later":1}"#;
    assert_eq!(house.report(1, &[], body).await.status(), StatusCode::NO_CONTENT);
    let json = [("content-type", "application/json"), ("origin", "http://tv.lan:8080")];
    assert_eq!(house.report(1, &json, "{}").await.status(), StatusCode::NO_CONTENT);
    let after = series(&house.metrics().await);
    for (name, value) in [
        ("carrete_swipe_seconds_count", 3.0),
        ("carrete_swipe_seconds_bucket{le=\"0.066\"}", 0.0),
        ("carrete_swipe_seconds_bucket{le=\"0.08\"}", 2.0),
        ("carrete_swipe_seconds_bucket{le=\"+Inf\"}", 3.0),
        ("carrete_cold_open_seconds_count", 1.0),
        ("carrete_stalls_total", 2.0),
        ("carrete_level_seconds_total{height=\"720\"}", 30.0),
        ("carrete_level_seconds_total{height=\"other\"}", 4.0),
        ("carrete_playback_errors_total{cause=\"network\"}", 1.0),
    ] {
        assert_eq!(after.get(name), Some(&value), "{name}");
    }
    let report = house.pulse.report();
    assert_eq!((report.swipe_p50_ms, report.swipe_p95_ms), (Some(75), Some(200)));
    assert_eq!((report.cold_ms, report.watching, report.rooms), (Some(410), 46, 9));
}

#[tokio::test]
async fn no_report_makes_a_label() {
    let house = house().await;
    // Requests are counted by route and status, and these have routes of their own.
    let is_asked = |name: &String| name.starts_with("carrete_http_requests_total");
    let names = |text: &str| {
        series(text).into_keys().filter(|name| !is_asked(name)).collect::<BTreeSet<_>>()
    };
    let before = names(&house.metrics().await);
    for (n, body) in [
        r#"{"levels":{"canal1":5,"720\"} 1\nevil 1":5,"192.168.1.7":1},"errors":{"evil":3}}"#,
        r#"{"levels":{"":1e308,"0720":-1,"720 ":1},"errors":{"network":1e308,"media":-4}}"#,
        r#"{"swipes_ms":[1e308,-1,null,"x",[1]],"cold_ms":1e308,"stalls":1e308}"#,
        r#"{"swipes_ms":{"a":1},"levels":[1,2],"errors":"x","stalls":null}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let status = house.report(n as u8, &[], body).await.status();
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    }
    let after = house.metrics().await;
    assert_eq!(names(&after), before);
    for name in ["canal1", "evil", "192.168"] {
        assert!(!after.contains(name), "{name} is in it");
    }
    let after = series(&after);
    assert_eq!(after["carrete_playback_errors_total{cause=\"network\"}"], 1_000.0);
    assert!(after["carrete_swipe_seconds_sum"] <= 60.0);
    assert!(after["carrete_cold_open_seconds_sum"] <= 120.0);
}

#[tokio::test]
async fn reports_are_of_our_pages_small_and_not_too_many() {
    let house = house().await;
    let status = |from, headers: &'static [(&str, &str)], body: &'static str| {
        let house = &house;
        async move { house.report(from, headers, body).await.status() }
    };
    assert_eq!(status(1, &[("origin", "http://evil.example")], "{}").await, StatusCode::FORBIDDEN);
    assert_eq!(status(1, &[("origin", "http://friend.lan")], "{}").await, StatusCode::NO_CONTENT);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(house.report(1, &form, "{}").await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(status(1, &[], "[]").await, StatusCode::BAD_REQUEST);
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(2_048));
    assert_eq!(house.report(1, &[], &large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let mut refused = None;
    for n in 0..30 {
        let answer = house.report(2, &[], "{}").await;
        if answer.status() != StatusCode::NO_CONTENT {
            refused = Some((n, answer));
            break;
        }
    }
    let (n, answer) = refused.expect("a limit");
    assert_eq!((n, answer.status()), (20, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(status(3, &[], "{}").await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_operator_sees_it_on_a_page_without_scripts() {
    let streams = Streams::new();
    streams.channel("secreto");
    let running = carrete(&streams).await;
    println!("first answer after {} ms", running.start.as_millis());
    let client = crate::web::client();
    let at = |path: &str| format!("{}{path}", running.base);
    let page = |path: &'static str| {
        let request = client.get(at(path)).send();
        async move { request.await.expect("an answer").text().await.expect("a page") }
    };
    let empty = page("/pulse?lang=en").await;
    assert_eq!(empty.matches("<b>–</b>").count(), 3, "{empty}");
    assert!(empty.contains("src=\"/pulse.js\"") && empty.contains("Finger to picture"), "{empty}");
    assert!(!empty.contains(".wasm"), "it looks again by a few lines, not by a program: {empty}");
    let script = include_str!("../../../public/pulse.js");
    assert!(script.contains("EVERY_MS = 2_000"), "every two seconds: {script}");

    let body = r#"{"swipes_ms":[72,72,118],"cold_ms":412}"#;
    let report = client.post(at("/api/pulse")).header("content-type", "text/plain").body(body);
    assert_eq!(report.send().await.expect("an answer").status(), 204);
    let spanish = page("/pulse?lang=es").await;
    for part in ["<b>72</b>", "<b>118</b>", "<b>0,41</b>", "Del dedo a la imagen", "objetivo 130"] {
        assert!(spanish.contains(part), "{part} is missing: {spanish}");
    }
    assert_eq!(spanish.matches("<b>72</b>").count(), 1);
    assert!(!spanish.contains("application/json"), "the report is not sent a second time");
    assert!(!spanish.contains("secreto") && !spanish.contains("/c/"));

    let began = Instant::now();
    while !page("/api/channels").await.contains("secreto") {
        assert!(began.elapsed() < Duration::from_secs(10), "the channel is not listed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for path in ["/streams/secreto/playlist.m3u8", "/streams/secreto/playlist0.ts", "/c/secreto"] {
        let answer = client.get(at(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.expect("a body");
    }
    for n in 0..20 {
        let answer = client.get(at(&format!("/nowhere/{n}"))).send().await.expect("an answer");
        assert_eq!(answer.status(), 404);
    }
    let text = page("/metrics").await;
    let found = series(&text);
    assert_eq!(found["carrete_http_requests_total{route=\"/c/{id}\",status=\"200\"}"], 1.0);
    assert_eq!(
        found["carrete_http_requests_total{route=\"/streams/{*path}\",status=\"200\"}"],
        2.0
    );
    assert_eq!(found["carrete_http_requests_total{route=\"other\",status=\"404\"}"], 20.0);
    assert_eq!(found["carrete_channels"], 1.0);
    assert!(found["carrete_bytes_served_total"] > 1_880.0);
    assert!(!text.contains("secreto") && !text.contains("nowhere"));
}
