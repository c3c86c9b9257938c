//! Files as people have them, in a bucket and on another server: each is judged as in the streams
//! folder, and what mends it is said for where it lies.

use std::{fs, time::Duration};

use app::catalog::{ChannelId, Kind};
use axum::{Router, http::header, routing::get};
use carrete::sources::report::{self, Finding};

use crate::{
    bucket::Store,
    fixtures::Streams,
    kinds::{AVC, film, said},
    program::carrete_logging,
    server::{Server, bytes, pages},
};

/// Each of these fixes says this, and no path of this host.
fn check(findings: &[Finding], expected: &[(&str, &str, &str)]) {
    for (name, part, fix) in expected {
        let found = said(findings, name, part);
        assert!(found.fix.contains(fix), "{name}: {}", found.fix);
        assert!(!found.fix.contains("the bucket/"), "{name}: {}", found.fix);
        assert!(!found.fix.contains("folder there/"), "{name}: {}", found.fix);
    }
    assert_eq!(findings.len(), expected.len(), "{findings:?}");
}

/// A web server that shows these files as a folder.
pub(crate) fn folder(files: Vec<(&'static str, Vec<u8>)>) -> Router {
    let links = files.iter().map(|(name, bytes)| {
        format!("<a href=\"{name}\">{name}</a> 22-Nov-2026 11:00 {}\n", bytes.len())
    });
    let page = format!("<html><pre>{}</pre></html>", links.collect::<String>());
    let mut router = Router::new()
        .route("/", get(move || async move { ([(header::CONTENT_TYPE, "text/html")], page) }));
    for (name, bytes) in files {
        let etag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..8]);
        let answer = move || async move { ([(header::ETAG, etag)], bytes) };
        router = router.route(&format!("/{name}"), get(answer));
    }
    router
}

fn made(streams: &Streams, name: &str, make: impl Fn(&std::path::Path)) -> Vec<u8> {
    let at = streams.outside("made").join(name);
    make(&at);
    fs::read(at).expect("made")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_bucket_are_named_with_what_mends_them_there() {
    let (streams, store) = (Streams::new(), Store::new().await);
    store.write("good.mp4", made(&streams, "a.mp4", |at| film(&format!("{AVC} -c:a aac"), at)));
    store.write("dolby.mp4", made(&streams, "b.mp4", |at| film(&format!("{AVC} -c:a ac3"), at)));
    store.write("old.mkv", "x");
    let hls = "-f hls -hls_time 1 -hls_list_size 0";
    film(
        &format!("{AVC} -c:a mp2 {hls}"),
        &streams.outside("made").join("television/playlist.m3u8"),
    );
    for entry in fs::read_dir(streams.outside("made/television")).expect("made") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        store.write(&format!("television/{name}"), fs::read(&path).expect("made"));
    }
    let (count, findings) = report::bucket(store.source()).await;
    assert_eq!(count, Ok(1));
    check(
        &findings,
        &[
            ("old.mkv", "of this type", "run carrete convert FILE 'old' "),
            ("dolby.mp4", "Dolby", "then carrete push 'dolby'"),
            ("television", "layer I or II", "carrete push --replace 'television'"),
        ],
    );

    // The log says it once, however often the bucket is listed.
    let log = streams.outside("log");
    let file = fs::File::create(&log).expect("a log");
    let server = carrete_logging(&streams, &store.told_to_a_program(), file).await;
    server.until_ids(&["dolby", "good", "television"]).await;
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let log = fs::read_to_string(log).expect("a log");
    for line in
        ["\"dolby.mp4\" of the bucket may not play: its sound is ac-3", "\"old.mkv\" of the bucket"]
    {
        assert_eq!(log.matches(line).count(), 1, "{line} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_another_server_are_judged_as_here() {
    let streams = Streams::new();
    let good = made(&streams, "a.mp4", |at| film(&format!("{AVC} -c:a aac"), at));
    let dolby = made(&streams, "b.mp4", |at| film(&format!("{AVC} -c:a ac3"), at));
    let stream = made(&streams, "c.ts", |at| film(&format!("{AVC} -c:a aac -f mpegts"), at));
    let front = "-c:a aac -movflags +faststart";
    let mut half = made(&streams, "d.mp4", |at| film(&format!("{AVC} {front}"), at));
    half.truncate(half.len() * 6 / 10);
    let server = Server::new(folder(vec![
        ("good.mp4", good),
        ("dolby.mp4", dolby),
        ("stream.mp4", stream),
        ("half.mp4", half),
    ]))
    .await;
    let (count, findings) = report::origin(server.source(Kind::Video, "/", &[])).await;
    assert_eq!(count, Ok(1));
    check(
        &findings,
        &[
            ("half.mp4", "left out: it is not whole: it ends after", "copy it anew"),
            ("dolby.mp4", "Dolby", "put what that makes there in its place"),
            ("stream.mp4", "it is an MPEG transport stream", "run carrete convert FILE 'stream' "),
        ],
    );
    let app = streams.app_beside(vec![server.source(Kind::Video, "/", &[]).into()]).await;
    app.until_ids(&["dolby", "good", "stream"]).await;
    assert_eq!(app.get("/streams/stream.mp4").await.header("content-type"), "video/mp2t");
    assert_eq!(app.get("/streams/good.mp4").await.header("content-type"), "video/mp4");
    let snapshot = app.now();
    let stream = snapshot.get(&ChannelId::parse("stream").expect("an id")).expect("listed");
    assert_eq!(stream.mime, "video/mp2t; codecs=\"avc1.42c00a,mp4a.40.2\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_there_defines_for_the_playlists_that_it_names() {
    let media = "#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"at\"\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n\
        {$at}0.ts\n#EXT-X-ENDLIST\n";
    let master = |define: &str| {
        format!(
            "#EXTM3U\n{define}#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS=\"avc1.42c00a\",RESOLUTION=64x64\n\
             media.m3u8\n"
        )
    };
    let files = |define: &str| {
        pages(&[
            ("/a/index.m3u8", "application/x-mpegurl", master(define)),
            ("/a/media.m3u8", "application/x-mpegurl", media.to_owned()),
            ("/a/seg-0.ts", "video/mp2t", bytes(3)),
        ])
    };
    let server = Server::new(files("#EXT-X-DEFINE:NAME=\"at\",VALUE=\"seg-\"\n")).await;
    let (path, streams) = ("/a/index.m3u8", Streams::new());
    let app = streams.app_beside(vec![server.source(Kind::Video, path, &[]).into()]).await;
    app.until_ids(&["a"]).await;
    let list = app.get("/streams/a/media.m3u8").await;
    assert!(list.text().contains("\nseg-0.ts\n"), "{}", list.text());
    assert_eq!(app.get("/streams/a/seg-0.ts").await.text(), bytes(3));
    // Where it defines nothing, that is what is said.
    let server = Server::new(files("")).await;
    let (count, findings) = report::origin(server.source(Kind::Video, path, &[])).await;
    assert_eq!((count.is_ok(), findings.len()), (true, 1), "{findings:?}");
    said(
        &findings,
        "a",
        "its EXT-X-DEFINE imports \"at\", which no master playlist above it defines",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_short_list_are_what_their_files_are() {
    let streams = Streams::new();
    let camera = made(&streams, "a.mov", |at| film(&format!("{AVC} -c:a aac"), at));
    let dolby = made(&streams, "b.mp4", |at| film(&format!("{AVC} -c:a ac3"), at));
    let server = Server::new(Router::new()).await;
    let files = folder(vec![("camera.mov", camera), ("dolby.mp4", dolby)]);
    let list = "#EXTM3U\n#EXTINF:9,Camera\ncamera.mov\n#EXTINF:9,Dolby\ndolby.mp4\n\
        #EXTINF:9,Old\nold.avi\n#EXTINF:-1,Dash\nlive.mpd\n";
    server.becomes(files.route("/l.m3u", get(move || async move { list })));
    let source = || server.source(Kind::Video, "/l.m3u", &[]);
    let app = streams.app_beside(vec![source().into()]).await;
    app.until_ids(&["Camera", "Dolby"]).await;
    let camera = app.get("/api/channels/Camera").await.json();
    assert_eq!(camera["mime"], "video/mp4; codecs=\"avc1.42c00a,mp4a.40.2\"");
    assert_eq!((&camera["title"], &camera["width"]), (&"Camera".into(), &128.into()));
    let film = app.get(camera["url"].as_str().expect("an address")).await;
    assert_eq!(film.header("content-type"), "video/mp4");
    let (count, findings) = report::origin(source()).await;
    assert_eq!(count, Ok(1));
    check(
        &findings,
        &[
            ("Old.avi", "browsers do not play files of this type", "carrete convert FILE 'Old' "),
            ("Dash.mpd", "lists of this type are not read", "HLS playlist"),
            ("Dolby.mp4", "Dolby", "carrete convert FILE 'Dolby' "),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beside_a_file_of_a_bucket_belongs_to_it() {
    let (streams, store) = (Streams::new(), Store::new().await);
    let bytes = made(&streams, "a.mp4", |at| film(&format!("{AVC} -c:a aac"), at));
    for name in ["film.mp4", "secret.mp4"] {
        store.write(name, &bytes);
    }
    store.write("film.mp4.toml", "title = \"La playa\"\n");
    store.write("film.es.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHola\n");
    store.write("film.de.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nsch\xF6n\n");
    store.write("film.jpg", "jpg");
    store.write("secret.toml", "hidden = true\n");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["film"]).await;
    let media = app.get("/api/channels/film").await.json();
    assert_eq!(media["title"], "La playa");
    assert_eq!(media["subtitles"].as_array().map(Vec::len), Some(1), "{media}");
    for (url, text) in [("es.vtt", "Hola"), ("poster.webp", "jpg")] {
        let answer = app.get(&format!("/streams/film/{url}")).await;
        assert!(answer.text().contains(text), "{url}: {answer:?}");
    }
    let (_, findings) = report::bucket(store.source()).await;
    check(
        &findings,
        &[("film.mp4", "\"film.de.vtt\" are left out: they are not in UTF-8", "UTF-8")],
    );
    // What is said of it is read again when it changes.
    store.write("secret.toml", "hidden = false\ntitle = \"Ya no\"\n");
    app.until_ids(&["film", "secret"]).await;
    assert_eq!(app.get("/api/channels/secret").await.json()["title"], "Ya no");
}
