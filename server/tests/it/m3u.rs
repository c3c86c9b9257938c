//! The list for television apps, told by the real program, and read back by another one.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::{
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete, carrete_with},
};

async fn text(at: &Running, path: &str) -> String {
    let answer =
        crate::web::client().get(format!("{}{path}", at.base)).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.expect("text")
}

async fn until_ids(at: &Running, ids: &str) {
    let began = Instant::now();
    loop {
        let listed = text(at, "/api/channels").await;
        if listed == ids {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{listed} is listed, not {ids}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn streams() -> Streams {
    let streams = Streams::new();
    streams.channel("año 1");
    streams.write(
        "año 1/channel.toml",
        "title = \"El \\\"mar\\\",\\nal sol\"\ntags = [\"mar\", \"sol\"]\n",
    );
    streams.write("año 1/poster.jpg", "jpg");
    streams.write("live/playlist0.ts", segment(0));
    streams.write("live/playlist.m3u8", playlist(0..1, false));
    streams.write("song.mp3", "not really media");
    streams
}

#[tokio::test]
async fn players_get_absolute_addresses() {
    let streams = streams();
    let running = carrete(&streams).await;
    until_ids(&running, r#"["año 1","live","song"]"#).await;
    let base = &running.base;
    let expected = format!(
        "#EXTM3U\n\
         #EXTINF:6 tvg-id=\"año 1\" tvg-name=\"El 'mar', al sol\" tvg-logo=\"{base}/streams/a%C3%B1o%201/poster.webp\" group-title=\"mar;sol\",El \"mar\", al sol\n\
         {base}/streams/a%C3%B1o%201/playlist.m3u8\n\
         #EXTINF:-1 tvg-id=\"live\" tvg-name=\"live\",live\n{base}/streams/live/playlist.m3u8\n\
         #EXTINF:-1 tvg-id=\"song\" tvg-name=\"song\" radio=\"true\",song\n{base}/streams/song.mp3\n"
    );
    assert_eq!(text(&running, "/channels.m3u").await, expected);
    let client = crate::web::client();
    let get = || client.get(format!("{base}/channels.m3u"));
    let answer = get().send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "audio/x-mpegurl; charset=utf-8");
    let etag = answer.headers()["etag"].clone();
    let again = get().header("if-none-match", etag).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let other = get().header("host", "tv.lan:8080").send().await.expect("an answer");
    let other = other.text().await.expect("text");
    assert!(other.contains("\nhttp://tv.lan:8080/streams/song.mp3\n"), "{other}");
}

#[tokio::test]
async fn another_program_reads_it_and_the_first_ones_own_list() {
    let (there, here) = (streams(), Streams::new());
    let first = carrete(&there).await;
    until_ids(&first, r#"["año 1","live","song"]"#).await;
    let list = format!("{}/channels.m3u", first.base);
    let settings = [
        ("VIDEO_ORIGIN", list.as_str()),
        ("AUDIO_ORIGIN", first.base.as_str()),
        ("SOURCE_REFRESH_S", "1"),
    ];
    let second = carrete_with(&here, &settings).await;
    until_ids(&second, r#"["El mar , al sol","live","song"]"#).await;
    let served = text(&second, "/streams/El%20mar%20%2C%20al%20sol/playlist.m3u8").await;
    let original = text(&first, "/streams/a%C3%B1o%201/playlist.m3u8").await;
    assert_eq!(served, original, "addresses stay as they came");
    let last = served.lines().rfind(|line| line.contains("playlist2.ts")).expect("a segment");
    let path = format!("{}/streams/El%20mar%20%2C%20al%20sol/{last}", second.base);
    let answer = crate::web::client().get(path).send().await.expect("an answer");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(answer.bytes().await.expect("bytes"), segment(2));
    assert_eq!(text(&second, "/streams/song.mp3").await, "not really media");
    drop(first);
    let began = Instant::now();
    while !text(&second, "/api/health").await.contains("\"degraded\"") {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody says that it is away");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(text(&second, "/streams/song.mp3").await, "not really media");
}
