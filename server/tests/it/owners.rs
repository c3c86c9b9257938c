//! What owners and their systems put beside channels: words that cannot be read, captions and what only
//! looks like them, names in other writing, variables, links, and what nobody meant to put there.

use std::{fs, os::unix::fs::symlink, sync::Arc, time::Duration};

use app::catalog::ChannelId;
use axum::http::StatusCode;

use crate::{
    bucket::Store,
    fixtures::{App, Streams, playlist, segment},
    kinds::{AVC, film, judged, said, song},
};

const CAPTIONS: &str = "WEBVTT\n\n00:00.000 --> 00:06.000\nHola a todos\n";

fn languages(app: &App, id: &str) -> Vec<String> {
    let id = ChannelId::parse(id).expect("an id");
    let media = app.now().get(&id).cloned().unwrap_or_else(|| panic!("{id} is not listed"));
    media.subtitles.iter().map(|subtitle| subtitle.lang.clone()).collect()
}

#[tokio::test]
async fn what_cannot_be_read_hides_and_the_last_that_could_holds() {
    let streams = Streams::new();
    for (name, about) in [
        ("open", "title = \"x\"\ntags = [\"a\"\nhidden = true\n"),
        ("typed", "hidden = \"yes\"\n"),
        ("long", &*format!("hidden = true\n# {}\n", "x".repeat(100_000))),
        ("latin", "hidden = false\n"),
        ("family", "title = \"x\"\naccess = \"family\"\n"),
        ("members", "access = \"members\"\n"),
        ("hidden", "hidden = true\nunknown = 1\n"),
        ("everyone", "access = \"everyone\"\n"),
        ("later", "title = \"First\"\n"),
        ("acces", "title = \"x\"\nacces = \"members\"\n"),
        ("until", "until = \"2001-01-01\"\n"),
    ] {
        streams.channel(name);
        streams.write(&format!("{name}/channel.toml"), about);
    }
    streams.write("latin/channel.toml", b"title = \"a\xF1o\"\n");
    streams.channel("folder");
    fs::create_dir(streams.path("folder/channel.toml")).expect("made");
    streams.channel("link");
    fs::write(streams.outside("their.toml"), "title = \"x\"\n").expect("written");
    symlink(streams.outside("their.toml"), streams.path("link/channel.toml")).expect("linked");
    streams.channel("upper");
    streams.write("upper/Channel.toml", "hidden = true\n");
    streams.channel("text");
    streams.write("text/channel.toml.txt", "hidden = true\n");
    song("-c:a libmp3lame", &streams.path("loud.mp3"));
    streams.write("loud.mp3.TOML", "hidden = true\n");
    song("-c:a libmp3lame", &streams.path("bare.mp3"));
    streams.write("bare.mp3.toml", "title =\n");
    song("-c:a libmp3lame", &streams.path("secret.mp3"));
    streams.write("secret.toml", "hidden = true\n");
    song("-c:a libmp3lame", &streams.path("song.mp3"));
    streams.write("song.mp3.toml", "title = \"La canción\"\norder = 1\ntags = [\"mar\"]\n");

    let (_, findings) = judged(&streams).await;
    for (name, part) in [
        ("open", "channel.toml cannot be read, so that nobody can know who may see it: line "),
        ("typed", "line 1: "),
        ("long", "it is too long"),
        ("latin", "UTF-8"),
        ("family", "line 2: "),
        ("members", "access = \"members\", and there are no accounts here yet"),
        ("folder", "no plain file"),
        ("link", "leads out"),
        ("bare.mp3", "bare.mp3.toml cannot be read"),
        ("acces", "line 2: there is no key acces; access may be meant"),
        ("until", "line 1: until is not understood yet"),
        ("upper", "Channel.toml cannot be read, so that nobody can know who may see it: its name"),
        ("text", "its name has to be channel.toml"),
        ("loud.mp3", "its name has to be loud.mp3.toml"),
    ] {
        let found = said(&findings, name, part);
        assert!(!found.fix.is_empty());
    }
    assert_eq!(findings.len(), 14);

    let app = streams.app().await;
    app.until_ids(&["song", "everyone", "later"]).await;
    let song = app.get("/api/channels/song").await.json();
    assert_eq!((&song["title"], &song["tags"][0]), (&"La canción".into(), &"mar".into()));
    // While the server runs, a mistake changes nothing.
    streams.write("later/channel.toml", "title = \"Second\n");
    streams.write("song.mp3.toml", "order = \"first\"\n");
    streams.channel("seen");
    app.until_ids(&["song", "everyone", "later", "seen"]).await;
    assert_eq!(app.get("/api/channels/later").await.json()["title"], "First");
    streams.write("later/channel.toml", "title = \"Second\"\nhidden = true\n");
    streams.write("song.mp3.toml", "title = \"Otra\"\n");
    app.until_ids(&["everyone", "seen", "song"]).await;
    // What was hidden stays so.
    streams.write("later/channel.toml", "hidden = true\ntitle = \"Thi\n");
    streams.write("bare.mp3.toml", "title = \"Al fin\"\n");
    app.until_ids(&["bare", "everyone", "seen", "song"]).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(app.ids().await, ["bare", "everyone", "seen", "song"]);
    assert_eq!(app.get("/streams/later/playlist.m3u8").await.status, StatusCode::NOT_FOUND);
    fs::remove_file(streams.path("secret.toml")).expect("removed");
    app.until_ids(&["bare", "everyone", "secret", "seen", "song"]).await;
}

#[tokio::test]
async fn a_poster_beside_a_bare_file_is_its_poster() {
    let streams = Streams::new();
    song("-c:a libmp3lame", &streams.path("song.mp3"));
    streams.write("song.mp3.jpg", "jpg");
    let app = streams.app().await;
    app.until_ids(&["song"]).await;
    assert_eq!(app.get("/api/channels/song").await.json()["poster"], "/streams/song/poster.webp");
    let poster = app.get("/streams/song/poster.webp").await;
    assert_eq!((poster.status, poster.text()), (StatusCode::OK, "jpg"));
    assert_eq!(poster.header("content-type"), "image/jpeg");
    fs::remove_file(streams.path("song.mp3.jpg")).expect("removed");
    app.until(|snapshot| snapshot.media().first().is_some_and(|m| m.poster.is_none())).await;
}

#[tokio::test]
async fn only_captions_count_as_languages() {
    let streams = Streams::new();
    streams.channel("lecture");
    let cues = |cue: &str| {
        format!("WEBVTT\n\n00:00.000 --> 00:03.000\n{cue}\n\n00:03.000 --> 00:06.000\n{cue}\n")
    };
    for (name, text) in [
        ("chapters", cues("Chapter one: arrival")),
        ("es-chapters", cues("Capítulo uno")),
        ("thumbs", cues("sprite.jpg#xywh=0,0,160,90")),
        ("metadata", cues("{\"lat\":40.4,\"lon\":-3.7}")),
        // By their names these could be languages.
        ("seg", cues("sprite.jpg#xywh=160,0,160,90")),
        ("gps", cues("{\"lat\":40.4}")),
        ("pre", cues("thumbs/0001.webp")),
        ("nav", cues("Next")),
        ("cap", "WEBVTT\nKind: chapters\n\n00:00.000 --> 00:01.000\nOne\n".into()),
        ("es", CAPTIONS.into()),
        ("pt-BR", cues("[Música]")),
    ] {
        streams.write(&format!("lecture/{name}.vtt"), text);
    }
    film(&format!("{AVC} -c:a aac"), &streams.path("film.mp4"));
    streams.write("film.es.vtt", CAPTIONS);
    streams.write("film.mp4.de.vtt", CAPTIONS);
    streams.write("film.chapters.vtt", cues("One"));
    streams.write("film.mp4.thumbs.vtt", cues("a.jpg#xywh=0,0,1,1"));
    let app = streams.app().await;
    app.until_ids(&["film", "lecture"]).await;
    assert_eq!(languages(&app, "lecture"), ["es", "pt-BR"]);
    assert_eq!(languages(&app, "film"), ["de", "es"]);
    assert_eq!(app.get("/streams/film/de.vtt").await.text(), CAPTIONS);
    assert_eq!(judged(&streams).await, (2, Vec::new()));
    // One that comes later is there too.
    streams.write("film.fr.vtt", CAPTIONS);
    app.until(|snapshot| snapshot.media()[0].subtitles.len() == 3).await;
}

#[tokio::test]
async fn one_file_that_leads_out_costs_itself_alone() {
    let streams = Streams::new();
    streams.channel("canal");
    streams.write("canal/es.vtt", CAPTIONS);
    for (file, name) in [("their.vtt", "canal/de.vtt"), ("their.jpg", "canal/poster.jpg")] {
        fs::write(streams.outside(file), CAPTIONS).expect("written");
        symlink(streams.outside(file), streams.path(name)).expect("linked");
    }
    let app = streams.app().await;
    app.until_ids(&["canal"]).await;
    assert_eq!(languages(&app, "canal"), ["es"]);
    for name in ["de.vtt", "poster.webp"] {
        assert_eq!(app.get(&format!("/streams/canal/{name}")).await.status, StatusCode::NOT_FOUND);
    }
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings.len()), (1, 2));
    said(&findings, "canal", "\"de.vtt\" is left out: it is a link");
    said(&findings, "canal", "\"poster.jpg\" is left out: it is a link");
}

#[tokio::test]
async fn what_systems_leave_is_passed_over_in_silence() {
    let streams = Streams::new();
    streams.channel("canal");
    for folder in [
        "@eaDir/film.mp4",
        "#recycle",
        "lost+found",
        "System Volume Information",
        "$RECYCLE.BIN/S-1-5-21",
        ".Trashes",
        ".Trash-1000/files",
        ".stfolder",
        "@Recycle",
        "RECYCLER",
        "__MACOSX",
        ".tmp-half",
        "Network Trash Folder",
    ] {
        streams.write(&format!("{folder}/old.mp4"), "x");
    }
    for file in
        ["._film.mp4", ".DS_Store", "Thumbs.db", "desktop.ini", "canal/._es.vtt", "canal/Thumbs.db"]
    {
        streams.write(file, b"\0\x05\x16\x07");
    }
    assert_eq!(judged(&streams).await, (1, Vec::new()));
    let app = streams.app().await;
    app.until_ids(&["canal"]).await;
    // However much is written there, nobody makes a new list of it.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let before = app.now();
    for n in 0..20 {
        streams.write(&format!(".tmp-half/{n}.ts"), segment(n));
        streams.write(&format!("@eaDir/{n}"), "x");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(Arc::ptr_eq(&before, &app.now()), "a new list was made");
    streams.channel("next");
    app.until_ids(&["canal", "next"]).await;
}

#[tokio::test]
async fn names_in_another_writing_are_found() {
    let streams = Streams::new();
    let (apart, whole) = ("Sen\u{303}al", "Señal");
    let channel = |folder: &str, files: &str, written: &str| {
        let mut text = String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n");
        for n in 0..2 {
            streams.write(&format!("{folder}/media/{files}{n}.ts"), segment(n));
            text.push_str(&format!("#EXTINF:2,\nmedia/{written}{n}.ts\n"));
        }
        text.push_str("#EXT-X-ENDLIST\n");
        text
    };
    let text = channel(apart, apart, whole);
    streams.write(&format!("{apart}/playlist.m3u8"), text);
    let text = channel("reverse", whole, apart);
    streams.write("reverse/playlist.m3u8", text);
    let text = channel("encoded", apart, "Se%C3%B1al");
    streams.write("encoded/playlist.m3u8", text);
    let text = channel("master", apart, whole);
    streams.write(&format!("master/{apart}.m3u8"), text);
    let master = format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{whole}.m3u8\n");
    streams.write("master/playlist.m3u8", master);
    let text = channel("capital", "part", "PART").replace("media/", "");
    streams.write("capital/playlist.m3u8", text);
    for n in 0..2 {
        fs::rename(
            streams.path(&format!("capital/media/part{n}.ts")),
            streams.path(&format!("capital/part{n}.ts")),
        )
        .expect("moved");
    }
    let app = streams.app().await;
    app.until_ids(&[whole, "encoded", "master", "reverse"]).await;
    for id in ["Se%C3%B1al", "encoded", "reverse"] {
        plays(&app, &format!("/streams/{id}/playlist.m3u8")).await;
    }
    let master = app.get("/streams/master/playlist.m3u8").await;
    let child = master.text().lines().last().expect("a child").to_owned();
    plays(&app, &format!("/streams/master/{child}")).await;
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings.len()), (4, 1));
    let found = said(&findings, "capital", "\"part0.ts\" is there: only the writing differs");
    assert_eq!(found.fix, "rename it \"PART0.ts\"");
}

/// Every address in a media playlist leads to something.
async fn plays(app: &App, url: &str) {
    let playlist = app.get(url).await;
    assert_eq!(playlist.status, StatusCode::OK, "{url}");
    let base = url.rsplit_once('/').expect("a folder").0;
    let names: Vec<&str> = playlist.text().lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!names.is_empty());
    for name in names {
        let answer = app.get(&format!("{base}/{name}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name} in {url}");
        assert!(answer.header("cache-control").contains("immutable"), "{name}");
    }
}

#[tokio::test]
async fn variables_of_playlists_are_replaced() {
    let streams = Streams::new();
    streams.channel("plain");
    let media = |defines: &str, address: &str| {
        let mut text = format!("#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:2\n{defines}");
        for n in 0..3 {
            text.push_str(&format!("#EXTINF:2,\n{address}{n}.ts\n"));
        }
        text + "#EXT-X-ENDLIST\n"
    };
    let name = "#EXT-X-DEFINE:NAME=\"at\",VALUE=\"../plain/x\"\n";
    let inside = "#EXT-X-DEFINE:NAME=\"at\",VALUE=\"media/play\"\n";
    for folder in ["named", "imported", "queried"] {
        for n in 0..3 {
            streams.write(&format!("{folder}/media/playlist{n}.ts"), segment(n));
        }
    }
    streams.write("named/playlist.m3u8", media(inside, "{$at}list"));
    let master =
        |query: &str| format!("#EXTM3U\n{inside}#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8{query}\n");
    streams.write("imported/playlist.m3u8", master(""));
    streams.write("imported/low.m3u8", media("#EXT-X-DEFINE:IMPORT=\"at\"\n", "{$at}list"));
    streams.write("queried/playlist.m3u8", master("?name=list&x=1"));
    streams.write(
        "queried/low.m3u8",
        media("#EXT-X-DEFINE:QUERYPARAM=\"name\"\n", "media/play{$name}"),
    );
    // What cannot be replaced, and what leads out once it is.
    streams.write("unsaid/playlist.m3u8", media(inside, "{$it}"));
    streams
        .write("unasked/playlist.m3u8", media("#EXT-X-DEFINE:QUERYPARAM=\"token\"\n", "{$token}"));
    streams.write("outside/playlist.m3u8", media(name, "{$at}"));
    let app = streams.app().await;
    app.until_ids(&["imported", "named", "plain", "queried"]).await;
    for url in ["named/playlist.m3u8", "imported/low.m3u8", "queried/low.m3u8?name=list&x=1"] {
        let text = app.get(&format!("/streams/{url}")).await;
        assert!(!text.text().contains("{$") && !text.text().contains("EXT-X-DEFINE"), "{url}");
        plays(&app, &format!("/streams/{}", url.split('?').next().expect("a path"))).await;
    }
    let (_, findings) = judged(&streams).await;
    said(&findings, "unsaid", "no EXT-X-DEFINE says what {$it} stands for");
    said(&findings, "unasked", "EXT-X-DEFINE takes \"token\" out of the query");
    said(&findings, "outside", "outside of its folder");
    assert_eq!(findings.len(), 3);
}

#[tokio::test]
async fn one_address_leads_to_one_channel_whatever_others_are_called() {
    let streams = Streams::new();
    let store = Store::new().await;
    streams.channel("song.mp3");
    song("-c:a libmp3lame", &streams.path("tune.mp3"));
    let there = Streams::new();
    song("-c:a libmp3lame -metadata title=Theirs", &there.path("song.mp3"));
    store.write("song.mp3", fs::read(there.path("song.mp3")).expect("read"));
    for n in 0..3 {
        store.write(&format!("tune.mp3/playlist{n}.ts"), segment(n));
    }
    store.write("tune.mp3/playlist.m3u8", playlist(0..3, true));
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["song", "song.mp3", "tune", "tune.mp3.s3"]).await;
    let mut seen = Vec::new();
    for media in app.now().media() {
        let answer = app.get(&media.url).await;
        assert_eq!(answer.status, StatusCode::OK, "{} at {}", media.id, media.url);
        let is_list = answer.header("content-type").contains("mpegurl");
        assert_eq!(is_list, media.is_hls(), "{} at {}", media.id, media.url);
        assert!(!seen.contains(&media.url), "{} twice", media.url);
        seen.push(media.url.clone());
    }
}

#[tokio::test]
async fn packed_playlists_of_a_bucket_are_unpacked() {
    use std::io::Write;

    let streams = Streams::new();
    let store = Store::new().await;
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    };
    for folder in ["lists", "all", "all of + % & it's"] {
        for n in 0..3 {
            let bytes = segment(n);
            store.write(
                &format!("{folder}/playlist{n}.ts"),
                if folder == "all" { packed(&bytes) } else { bytes },
            );
        }
        store.write(&format!("{folder}/playlist.m3u8"), packed(playlist(0..3, true).as_bytes()));
    }
    store.write("lists/channel.toml", packed(b"title = \"Packed\"\n"));
    let app = streams.app_with(vec![store.source()]).await;
    app.until(|snapshot| snapshot.len() == 2).await;
    plays(&app, "/streams/all%20of%20%2B%20%25%20%26%20it%27s/playlist.m3u8").await;
    assert_eq!(app.get("/api/channels/lists").await.json()["title"], "Packed");
    let text = app.get("/streams/lists/playlist.m3u8").await;
    assert_eq!(text.header("content-encoding"), "");
    plays(&app, "/streams/lists/playlist.m3u8").await;
    let (_, findings) = report_of(&store).await;
    said(&findings, "all", "playlist0.ts is packed with gzip");
}

async fn report_of(
    store: &Store,
) -> (Result<usize, String>, Vec<carrete::sources::report::Finding>) {
    carrete::sources::report::bucket(store.source()).await
}
