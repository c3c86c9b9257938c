//! Lists of television as people have them, served as they are: names, groups and ids as other
//! players read them, and one entry never holds the list.

use std::io::Write as _;

use app::catalog::Kind;
use axum::{Router, http::header, response::IntoResponse, routing::get};
use flate2::{Compression, write::GzEncoder};

use crate::{
    fixtures::{Streams, playlist, segment},
    server::Server,
};

/// A server of one film at `/film/index.m3u8` and of a list at `/tv.m3u`.
fn served(content_type: &'static str, list: Vec<u8>) -> Router {
    let form = |value: &'static str| [(header::CONTENT_TYPE, value)];
    let film = move || async move { (form("application/x-mpegurl"), playlist(0..1, true)) };
    let first = move || async move { (form("video/mp2t"), segment(0)).into_response() };
    Router::new()
        .route("/film/index.m3u8", get(film))
        .route("/film/playlist0.ts", get(first))
        .route("/tv.m3u", get(move || async move { (form(content_type), list).into_response() }))
}

/// Title, id and groups of every channel of a list.
async fn listed(content_type: &'static str, list: impl Fn(&str) -> Vec<u8>) -> Vec<[String; 3]> {
    let server = Server::new(Router::new()).await;
    let list = list(&server.url("/film/index.m3u8"));
    server.becomes(served(content_type, list));
    let allowed = server.address.to_string();
    let streams = Streams::new();
    let app =
        streams.app_beside(vec![server.source(Kind::Video, "/tv.m3u", &[&allowed]).into()]).await;
    app.until(|list| list.media().iter().any(|media| media.id.as_str() == "end")).await;
    let snapshot = app.now();
    let media = snapshot.media().iter().filter(|media| media.id.as_str() != "end");
    media.map(|media| [media.title.clone(), media.id.to_string(), media.tags.join(";")]).collect()
}

fn check(told: &[[String; 3]], title: &str, id: &str, groups: &str) {
    let found = told.iter().any(|one| *one == [title, id, groups]);
    assert!(found, "{title:?} as {id:?} in {groups:?} is not among {told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_everything_is_read_as_other_players_read_it() {
    let told = listed("audio/x-mpegurl", |film| {
        let at = |n: u32| format!("{film}?n={n}");
        let lines = [
            "#EXTM3U url-tvg=\"http://127.0.0.1/none.xml\" refresh=\"3600\"".to_owned(),
            String::new(),
            "#EXTINF:-1 tvg-id=\"a\" tvg-logo=\"\" group-title=\"Long\",Long token".into(),
            format!("{}&jwt={}", at(1), "eyJhbGciOi".repeat(230)),
            "#EXTINF:-1 group-title=\"Two\",Two addresses".into(),
            at(2),
            at(3),
            "#EXTINF:-1,tvg-id=\"c\" tvg-name=\"Behind\" group-title=\"Odd\",Behind the comma"
                .into(),
            at(4),
            "#EXTINF:-1 tvg-name=\"The \"Big\" One\" group-title=\"Quotes\",The \"Big\" One".into(),
            at(5),
            "#EXTINF:-1,Grouped".into(),
            "#EXTGRP:Local".into(),
            at(6),
            "#EXTINF:-1 tvg-name='Single Quoted' group-title='Sport',Single Quoted".into(),
            at(9),
            "#EXTINF:0,Zero".into(),
            "#EXTVLCOPT:http-user-agent=X".into(),
            "#KODIPROP:inputstream=inputstream.adaptive".into(),
            format!("{}|User-Agent=X&Referer=http://a.example/", at(7)),
            "#EXTINF:-1 group-title=\"News;Local\",Uno, dos, tres".into(),
            at(10),
            "#EXTINF:-1,Bad".into(),
            "http://[nowhere".into(),
            "#EXTINF:-1,end".into(),
            at(11),
        ];
        let mut bytes = lines.join("\r\n").into_bytes();
        bytes.extend(b"\r\n#EXTINF:-1 group-title=\"M\xfasica\",Canal \xd1and\xfa\r\n");
        bytes.extend(at(8).into_bytes());
        bytes
    })
    .await;
    check(&told, "Long token", "Long token", "Long");
    check(&told, "Two addresses", "Two addresses", "Two");
    check(&told, "Behind the comma", "Behind the comma", "Odd");
    check(&told, "Grouped", "Grouped", "Local");
    check(&told, "Single Quoted", "Single Quoted", "Sport");
    check(&told, "Zero", "Zero", "");
    check(&told, "Uno, dos, tres", "Uno, dos, tres", "News;Local");
    check(&told, "Canal Ñandú", "Canal Ñandú", "Música");
    let big = told.iter().find(|[title, ..]| title == "The \"Big\" One").expect("the big one");
    assert_eq!(big[2], "Quotes");
    assert_eq!(told.len(), 9, "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_write_a_list_is_read() {
    let list = |film: &str, end: &str| {
        let lines = [
            "#EXTM3U",
            "#EXTINF:-1 group-title=\"Música\",Ñandú",
            &format!("{film}?n=1"),
            "#EXTINF:-1,end",
            &format!("{film}?n=2"),
            "",
        ];
        lines.join(end)
    };
    let latin = |text: String| {
        text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect::<Vec<u8>>()
    };
    let wide = |text: String| {
        let text = format!("\u{FEFF}{text}");
        text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let packed = |text: String| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).expect("packed");
        packed.finish().expect("packed")
    };
    let told = [
        listed("application/gzip", |film| packed(list(film, "\n"))).await,
        listed("audio/x-mpegurl", |film| list(film, "\n").into_bytes()).await,
        listed("text/plain", |film| format!("\u{FEFF}{}", list(film, "\r\n")).into_bytes()).await,
        listed("text/plain", |film| list(film, "\n").replacen("#EXTM3U\n", "", 1).into_bytes())
            .await,
        listed("text/plain", |film| list(film, "\r").into_bytes()).await,
        listed("audio/x-mpegurl; charset=iso-8859-1", |film| latin(list(film, "\n"))).await,
        listed("application/octet-stream", |film| latin(list(film, "\r\n"))).await,
        listed("audio/x-mpegurl; charset=utf-8", |film| latin(list(film, "\n"))).await,
        listed("text/plain", |film| wide(list(film, "\r\n"))).await,
    ];
    for told in told {
        assert_eq!(told, [["Ñandú", "Ñandú", "Música"].map(str::to_owned)]);
    }
}
