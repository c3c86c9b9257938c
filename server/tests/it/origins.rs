//! Other servers beside the streams folder: another Carrete, a folder that a web server lists, an
//! M3U list; what is taken of each, and how it is served.

use std::{sync::Arc, time::Duration};

use app::catalog::{ChannelId, Kind};
use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use carrete::{
    config::Config,
    sources::{RemoteConfig, SourceConfig},
};
use clap::{Args, FromArgMatches};

use crate::{
    bucket::Store,
    fixtures::{Streams, playlist, segment},
    program,
    server::{Server, bytes, film, named, pages, routed},
};

fn id(text: &str) -> ChannelId {
    ChannelId::parse(text).expect("an id")
}

fn both(one: RemoteConfig, other: RemoteConfig) -> Vec<SourceConfig> {
    vec![one.into(), other.into()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrete_in_front_of_two_others() {
    let (videos, music, bucket) = (Streams::new(), Streams::new(), Store::new().await);
    videos.channel("a");
    videos.write("a/channel.toml", "title = \"Playa\"\ntags = [\"mar\"]\n");
    videos.write("a/poster.jpg", "jpg");
    videos.write("a/es.vtt", "WEBVTT\n");
    videos.write("talk.mp3", "not really media");
    for n in 0..3 {
        bucket.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    bucket.write("b/playlist.m3u8", playlist(0..3, true));
    music.write("song.mp3", "not really media either");
    music.channel("clip");
    let video = videos.app_with(vec![bucket.source()]).await;
    video.until_ids(&["a", "b", "talk"]).await;
    let video_server = Server::new(video.router.clone()).await;
    let audio = music.app().await;
    let audio_server = Server::new(audio.router.clone()).await;

    let streams = Streams::new();
    streams.channel("own");
    let sources =
        both(video_server.source(Kind::Video, "", &[]), audio_server.source(Kind::Audio, "/", &[]));
    let app = streams.app_beside(sources).await;
    // Of the one only video, of the other only music.
    app.until_ids(&["a", "b", "own", "song"]).await;
    let media = app.get("/api/channels/a").await.json();
    let theirs = video.get("/api/channels/a").await.json();
    assert_eq!(media["source"], "http");
    for same in [
        "id",
        "title",
        "kind",
        "url",
        "mime",
        "duration_s",
        "width",
        "poster",
        "subtitles",
        "live",
        "tags",
        "updated_at",
    ] {
        assert_eq!(media[same], theirs[same], "{same}");
    }
    assert_eq!(app.get("/api/channels/song").await.json()["url"], "/streams/song.mp3");
    assert_eq!(app.get("/streams/song.mp3").await.text(), "not really media either");
    assert_eq!(app.get("/streams/song.mp3").await.header("content-type"), "audio/mpeg");
    assert_eq!(app.get("/streams/a/poster.webp").await.text(), "jpg");
    assert_eq!(app.get("/streams/a/poster.webp").await.header("content-type"), "image/webp");
    assert_eq!(app.get("/streams/a/es.vtt").await.text(), "WEBVTT\n");

    for channel in ["a", "b"] {
        let path = format!("/streams/{channel}/playlist.m3u8");
        let (list, their) = (app.get(&path).await, video.get(&path).await);
        assert_eq!(list.text(), their.text(), "addresses stay as they came");
        assert_eq!(list.header("cache-control"), "no-cache");
        for (n, name) in named(list.text()).into_iter().enumerate() {
            let path = format!("/streams/{channel}/{name}");
            let answer = app.get(&path).await;
            assert_eq!(answer.body, segment(n.try_into().expect("small")), "{name}");
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
            let etag = answer.header("etag").to_owned();
            let again = app.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED);
            let part = app.ask(Method::GET, &path, &[("range", "bytes=188-375")]).await;
            assert_eq!((part.status, part.body.len()), (StatusCode::PARTIAL_CONTENT, 188));
        }
        assert_eq!(video_server.temper.asked(&format!("/streams/{channel}/playlist0.ts")), 1);
    }
    let plain = app.get("/streams/a/playlist0.ts").await;
    assert_eq!((plain.header("cache-control"), &plain.body[..]), ("no-cache", &segment(0)[..]));
    for nothing in [
        "/streams/a/none.ts",
        "/streams/a/",
        "/streams/a/../own/playlist0.ts",
        "/streams/song.mp3/x",
        "/streams/talk.mp3",
    ] {
        assert_eq!(app.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }

    // What changes there changes here.
    videos.write("a/channel.toml", "title = \"Costa\"\n");
    app.until(|list| list.get(&id("a")).is_some_and(|media| media.title == "Costa")).await;
    std::fs::remove_dir_all(videos.path("a")).expect("removed");
    app.until_ids(&["b", "own", "song"]).await;
    let (before, fresh) = (video_server.temper.asked("/api/videos"), StatusCode::NOT_MODIFIED);
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert!(video_server.temper.asked("/api/videos") > before);
    assert!(video_server.temper.answered("/api/videos", fresh) > 0, "each list is read whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_may_name_each_other() {
    let (left, right) = (Streams::new(), Streams::new());
    left.channel("a");
    right.channel("b");
    let (left_server, right_server) =
        (Server::new(Router::new()).await, Server::new(Router::new()).await);
    let left_app = left.app_beside(vec![right_server.source(Kind::Video, "", &[]).into()]).await;
    let right_app = right.app_beside(vec![left_server.source(Kind::Video, "", &[]).into()]).await;
    left_server.becomes(left_app.router.clone());
    right_server.becomes(right_app.router.clone());
    left_app.until_ids(&["a", "b"]).await;
    right_app.until_ids(&["a", "b"]).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(
        (left_app.ids().await, right_app.ids().await),
        (vec!["a".into(), "b".into()], vec!["a".into(), "b".into()])
    );
    assert_eq!(left_app.get("/api/channels/b").await.json()["source"], "http");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_is_listed_once() {
    let there = Streams::new();
    there.channel("same");
    there.channel("other");
    there.write("song.mp3", "as long as");
    there.write("tune.mp3", "of one size");
    let app = there.app().await;
    let server = Server::new(app.router.clone()).await;
    let here = Streams::new();
    here.channel("same");
    here.write("other/playlist.m3u8", playlist(0..1, true));
    here.write("other/playlist0.ts", segment(7));
    here.write("song.mp3", "not as long as that");
    here.write("tune.mp3", "of one size");
    let sources = both(server.source(Kind::Video, "", &[]), server.source(Kind::Audio, "", &[]));
    let app = here.app_beside(sources).await;
    app.until_ids(&["other", "other.video", "same", "song", "song.audio", "tune"]).await;
    assert_eq!(app.get("/api/channels/same").await.json()["source"], "local");
    assert_eq!(app.get("/streams/other.video/playlist2.ts").await.body, segment(2));
    assert_eq!(app.get("/streams/song.audio.mp3").await.text(), "as long as");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_web_servers_list() {
    let html = "<html><body><h1>Index of /media/</h1><pre><a href=\"../\">../</a>\n\
        <a href=\"a%20b/\">a b/</a>   22-Nov-2026 11:00   -\n\
        <a href=\"song.mp3\">song.mp3</a>   22-Nov-2026 11:00   4000\n\
        <a href=\"film.mp4\">film.mp4</a>   22-Nov-2026 11:00   4000\n\
        <a href=\"notes.txt\">notes.txt</a>   22-Nov-2026 11:00   5\n</pre></body></html>";
    let folder = "<pre><a href=\"../\">../</a>\n<a href=\"playlist.m3u8\">playlist.m3u8</a>\n\
        <a href=\"playlist0.ts\">playlist0.ts</a>\n<a href=\"es.vtt\">es.vtt</a>\n\
        <a href=\"poster.jpg\">poster.jpg</a>\n<a href=\"channel.toml\">channel.toml</a>\n</pre>";
    let mut all = film("/media/a b/");
    all.iter_mut().for_each(|(path, _, _)| *path = path.replace(' ', "%20"));
    let all_html = [
        ("/media/".to_owned(), "text/html", html.to_owned()),
        ("/media/a%20b/".to_owned(), "text/html", folder.to_owned()),
        ("/media/a%20b/es.vtt".to_owned(), "text/vtt", "WEBVTT\n".to_owned()),
        ("/media/a%20b/poster.jpg".to_owned(), "image/jpeg", "jpg".to_owned()),
        ("/media/a%20b/channel.toml".to_owned(), "text/plain", "title = \"Playa\"".to_owned()),
        ("/media/song.mp3".to_owned(), "audio/mpeg", bytes(4)),
        ("/media/film.mp4".to_owned(), "video/mp4", bytes(5)),
    ];
    all.extend(all_html);
    let to = || async { Redirect::permanent("/media/") };
    let server = Server::new(routed(&all).route("/media", get(to))).await;
    let streams = Streams::new();
    let sources =
        both(server.source(Kind::Video, "/media", &[]), server.source(Kind::Audio, "/media/", &[]));
    let app = streams.app_beside(sources).await;
    app.until_ids(&["a b", "film", "song"]).await;
    let media = app.get("/api/channels/a%20b").await.json();
    assert_eq!((&media["title"], &media["duration_s"]), (&"Playa".into(), &6.0.into()));
    assert_eq!(media["subtitles"][0]["url"], "/streams/a%20b/es.vtt");
    assert_eq!(app.get("/streams/a%20b/es.vtt").await.text(), "WEBVTT\n");
    assert_eq!(app.get("/streams/a%20b/poster.webp").await.text(), "jpg");
    assert_eq!(app.get("/streams/a%20b/poster.webp").await.header("content-type"), "image/jpeg");
    let list = app.get("/streams/a%20b/playlist.m3u8").await;
    assert_eq!(list.text(), playlist(0..3, true), "addresses stay as they came");
    assert_eq!(app.get("/streams/a%20b/playlist1.ts").await.text(), bytes(1));
    assert_eq!(app.get("/streams/film.mp4").await.text(), bytes(5));
    let part = app.ask(Method::GET, "/streams/song.mp3", &[("range", "bytes=10-19")]).await;
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, &bytes(4)[10..20]));

    // The JSON of nginx.
    let json = r#"[{"name":"a b","type":"directory","mtime":"Sun"},{"name":"film.mp4","type":"file","mtime":"Sun","size":4000}]"#;
    all[4] = ("/media/".to_owned(), "application/json", json.to_owned());
    server.becomes(routed(&all));
    let streams = Streams::new();
    let app = streams.app_beside(vec![server.source(Kind::Video, "/media/", &[]).into()]).await;
    app.until_ids(&["a b", "film"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_m3u_list_is_served_under_our_addresses() {
    let away = Server::new(Router::new()).await;
    let live = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"/keys/k?id=3\"\n#EXTINF:2,\nhttp://HOST/cdn/s7.ts?token=hush7\n#EXTINF:2,\n../x/s8.ts\n#EXTINF:2,\nsub/s9.ts\n";
    let live = live.replace("HOST", &away.address.to_string());
    away.becomes(pages(&[
        ("/live/ch/index.m3u8", "application/x-mpegurl", live),
        ("/keys/k", "application/octet-stream", bytes(0)),
        ("/cdn/s7.ts", "video/mp2t", bytes(1)),
        ("/live/x/s8.ts", "video/mp2t", bytes(2)),
        ("/live/ch/sub/s9.ts", "video/mp2t", bytes(3)),
        ("/logo.png", "image/png", bytes(4)),
        ("/film.mp4", "video/mp4", bytes(5)),
    ]));
    let list = format!(
        "#EXTM3U\n#EXTINF:-1 tvg-logo=\"{}\" group-title=\"News\",Canal Uno\n{}\n#EXTINF:-1,Film\n{}\n",
        away.url("/logo.png"),
        away.url("/live/ch/index.m3u8?user=hush"),
        away.url("/film.mp4"),
    );
    let home = Server::new(pages(&[("/all.m3u", "audio/x-mpegurl", list)])).await;

    // Not without leave: the addresses lie in a private network.
    let streams = Streams::new();
    let app = streams.app_beside(vec![home.source(Kind::Video, "/all.m3u", &[]).into()]).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(app.ids().await.is_empty(), "{:?}", app.ids().await);
    assert_eq!(away.temper.asked("/"), 0, "a private address was asked");

    let allowed = away.address.to_string();
    let app =
        streams.app_beside(vec![home.source(Kind::Video, "/all.m3u", &[&allowed]).into()]).await;
    app.until_ids(&["Canal Uno", "Film"]).await;
    let media = app.get("/api/channels/Canal%20Uno").await.json();
    assert_eq!((&media["live"], &media["tags"][0]), (&true.into(), &"News".into()));
    assert_eq!(app.get("/streams/Canal%20Uno/poster.webp").await.text(), bytes(4));
    assert_eq!(
        app.get("/streams/Canal%20Uno/poster.webp").await.header("content-type"),
        "image/png"
    );
    assert_eq!(app.get("/streams/Film.mp4").await.text(), bytes(5));
    let list = app.get("/streams/Canal%20Uno/playlist.m3u8").await;
    let text = list.text().to_owned();
    for secret in ["hush", "token", &allowed, "http", "SERVER-CONTROL"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let names = named(&text);
    assert_eq!((names.len(), names[2].as_str()), (3, "sub/s9.ts"));
    for (n, name) in names.iter().enumerate() {
        let answer = app.get(&format!("/streams/Canal%20Uno/{name}")).await;
        assert_eq!(answer.text(), bytes(n as u8 + 1), "{name}");
        assert_eq!(answer.header("content-type"), "video/mp2t");
    }
    let key = text.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key");
    assert_eq!(app.get(&format!("/streams/Canal%20Uno/{key}")).await.text(), bytes(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_judged_one_by_one() {
    let secret = Server::new(pages(&[("/s", "text/plain", bytes(0))])).await;
    let (by_number, by_name) =
        (secret.url("/s"), format!("http://localhost:{}/s", secret.address.port()));
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/s", secret.address.port());
    let decimal = format!("http://2130706433:{}/s", secret.address.port());
    let targets = [
        by_number,
        by_name,
        mapped,
        decimal,
        "http://169.254.169.254/s".into(),
        "file:///etc/hosts".into(),
    ];
    let list: String = (0..targets.len()).map(|n| format!("#EXTINF:2,\n{n}.ts\n")).collect();
    let list =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{list}#EXTINF:2,\nloop.ts\n#EXT-X-ENDLIST\n");
    let mut router = pages(&[("/f/playlist.m3u8", "text/plain", list)]);
    for (n, target) in targets.iter().enumerate() {
        let to = Redirect::temporary(target);
        router = router.route(&format!("/f/{n}.ts"), get(move || async move { to }));
    }
    router = router.route("/f/loop.ts", get(|| async { Redirect::temporary("/f/loop.ts") }));
    let home = Server::new(router).await;
    let streams = Streams::new();
    let app =
        streams.app_beside(vec![home.source(Kind::Video, "/f/playlist.m3u8", &[]).into()]).await;
    app.until_ids(&["f"]).await;
    for (n, target) in targets.iter().enumerate() {
        let answer = app.get(&format!("/streams/f/{n}.ts")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{target}");
    }
    assert_eq!(app.get("/streams/f/loop.ts").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(secret.temper.asked("/"), 0, "a private address was asked");
    assert!(home.temper.asked("/f/loop.ts") < 20);

    let port = format!("localhost:{}", secret.address.port());
    let app = streams
        .app_beside(vec![home.source(Kind::Video, "/f/playlist.m3u8", &[&port]).into()])
        .await;
    app.until_ids(&["f"]).await;
    assert_eq!(app.get("/streams/f/1.ts").await.text(), bytes(0));
    assert_eq!(app.get("/streams/f/0.ts").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lets_one_in_is_said_to_that_server_alone() {
    let seen: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let note = seen.clone();
    let list = move |request: Request| async move {
        let login = request.headers().get(header::AUTHORIZATION).cloned();
        let Some(login) = login else { return StatusCode::UNAUTHORIZED.into_response() };
        note.lock().expect("no panic").push(login.to_str().expect("text").to_owned());
        let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nplaylist0.ts\n#EXT-X-ENDLIST\n";
        let answer: Response = list.into_response();
        answer
    };
    let server = Server::new(
        Router::new()
            .route("/f/playlist.m3u8", get(list))
            .route("/f/playlist0.ts", get(|| async { bytes(0) })),
    )
    .await;
    let streams = Streams::new();
    let app =
        streams.app_beside(vec![server.source(Kind::Video, "/f/playlist.m3u8", &[]).into()]).await;
    app.until(|list| !list.troubles().is_empty()).await;
    assert!(app.now().troubles()[0].contains("name:password"), "{:?}", app.now().troubles());
    let url = format!("http://ana:hush@{}/f/playlist.m3u8", server.address);
    let url: carrete::config::OriginUrl = url.parse().expect("an address");
    let origin = carrete::storage::http::Origin::new("video", &url, &[]);
    let label = carrete::storage::Store::label(&origin);
    assert!(!label.contains("hush") && !format!("{origin:?}").contains("hush"), "{label}");
    let page = carrete::storage::Store::page(&origin, url.url().as_str(), None).await;
    assert!(page.is_ok_and(|page| page.is_some()));
    assert_eq!(*seen.lock().expect("no panic"), ["Basic YW5hOmh1c2g="]);
    // A list may say for itself how one gets in somewhere.
    let inside = format!("http://eva:x@{}/f/playlist.m3u8", server.address);
    let list = format!("#EXTM3U\n#EXTINF:-1,Inside\n{inside}\n");
    let home = Server::new(pages(&[("/all.m3u", "text/plain", list)])).await;
    let allowed = server.address.to_string();
    let app =
        streams.app_beside(vec![home.source(Kind::Video, "/all.m3u", &[&allowed]).into()]).await;
    app.until_ids(&["Inside"]).await;
    assert_eq!(app.get("/streams/Inside/playlist0.ts").await.text(), bytes(0));
    assert!(!app.get("/api/videos").await.text().contains("eva"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_other_servers() {
    let mut all = film("/f/");
    let list = "#EXTM3U\n#EXTINF:-1,Film\n/f/playlist.m3u8\n#EXTINF:-1,Gone\n/g/playlist.m3u8\n\
        #EXTINF:-1,Home\nhttp://127.0.0.1:9/x.m3u8\n";
    all.push(("/all.m3u".to_owned(), "text/plain", list.to_owned()));
    let server = Server::new(routed(&all)).await;
    let streams = Streams::new();
    let examine = || {
        let folders = streams.folders();
        let command = Config::augment_args(clap::Command::new("carrete"));
        let url = server.url("/all.m3u");
        let matches = command.get_matches_from(["carrete", "--video-origin", &url]);
        let config = Config::from_arg_matches(&matches).expect("defaults");
        let config = Config { folders, port: 0, ..config };
        async move {
            let checks = carrete::doctor::examine(&config).await.into_iter();
            checks.filter(|check| check.check.starts_with("video")).collect::<Vec<_>>()
        }
    };
    let mut checks = examine().await;
    checks.sort_by(|a, b| a.check.cmp(&b.check));
    let told: Vec<_> = checks.iter().map(|check| (check.check.as_str(), check.ok)).collect();
    assert_eq!(
        told,
        [
            ("video server", true),
            ("video server \"Gone\"", false),
            ("video server \"Home\"", false)
        ]
    );
    assert!(checks[0].message.starts_with("1 of"), "{checks:?}");
    assert!(
        checks[2].fix.as_ref().is_some_and(|fix| fix.contains("ORIGIN_ALLOW_PRIVATE=127.0.0.1:9"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_follows_no_link_that_was_laid_for_it() {
    let server = Server::new(routed(&film("/f/"))).await;
    let streams = Streams::new();
    let (temporary, victim) = (streams.outside("tmp"), streams.outside("victim"));
    for folder in [&temporary, &victim] {
        std::fs::create_dir(folder).expect("a folder");
    }
    // Every number that the next processes may get.
    for number in std::process::id()..std::process::id() + 3_000 {
        let link = temporary.join(format!("carrete-doctor-{number}-video"));
        std::os::unix::fs::symlink(&victim, link).expect("a link");
    }
    let settings = [
        ("TMPDIR", temporary.display().to_string()),
        ("VIDEO_ORIGIN", server.url("/f/playlist.m3u8")),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let output = program::carrete_verb(&["doctor", "--port", "0"], &streams, &settings).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("ok   video server: 1 of its channels"), "{told}");
    assert_eq!(std::fs::read_dir(&victim).expect("a folder").count(), 0, "{told}");
    let left = std::fs::read_dir(&temporary).expect("a folder").filter_map(Result::ok);
    let left: Vec<_> = left.filter(|entry| !entry.path().is_symlink()).collect();
    assert!(left.is_empty(), "{left:?}");
}
