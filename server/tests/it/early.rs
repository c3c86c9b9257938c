//! What a page says of its first reel, so that it plays before the page's WASM is there.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete},
};

/// Longer than anything promised.
const PATIENCE: Duration = Duration::from_secs(20);

async fn page(server: &Running, path: &str) -> String {
    let answer = crate::web::get(format!("{}{path}", server.base)).await.expect("an answer");
    answer.text().await.expect("a page")
}

/// What stands between two texts, the first time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(to)?.0)
}

fn request(page: &str) -> Option<Value> {
    let text =
        between(page, r#"<script type="application/json" id="early-request">"#, "</script>")?;
    Some(serde_json::from_str(text).expect("JSON"))
}

#[tokio::test]
async fn a_page_says_what_its_first_reel_is_played_with() {
    let streams = Streams::new();
    streams.channel("plain");
    // Longer than a minute: it goes on where it was left.
    for n in 0..40 {
        streams.write(&format!("long/playlist{n}.ts"), segment(n));
    }
    streams.write("long/playlist.m3u8", playlist(0..40, true));
    streams.write("live/playlist0.ts", segment(0));
    streams.write("live/playlist1.ts", segment(1));
    streams.write("live/playlist.m3u8", playlist(0..2, false));
    for (folder, variant) in [("spoken", ",AUDIO=\"a\""), ("written", ",SUBTITLES=\"s\"")] {
        streams.write(
            &format!("{folder}/playlist.m3u8"),
            format!(
                "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",DEFAULT=YES\n\
                 #EXT-X-STREAM-INF:BANDWIDTH=1{variant}\nvideo.m3u8\n"
            ),
        );
        streams.write(&format!("{folder}/video.m3u8"), playlist(0..3, true));
        for n in 0..3 {
            streams.write(&format!("{folder}/playlist{n}.ts"), segment(n));
        }
    }
    let server = carrete(&streams).await;
    server.until_ids(&["live", "long", "plain", "spoken", "written"]).await;

    let light = "/vendor/hls/hls.light.min.mjs";
    let full = "/vendor/hls/hls.min.mjs";
    for (id, library, resumes) in [
        ("plain", light, false),
        ("long", light, true),
        ("live", light, false),
        ("spoken", full, false),
        ("written", full, false),
    ] {
        let page = page(&server, &format!("/c/{id}")).await;
        let told = request(&page).unwrap_or_else(|| panic!("{id}: {page}"));
        assert_eq!(told["id"], id);
        assert_eq!(told["source"], format!("/streams/{id}/playlist.m3u8"));
        assert_eq!(told["library"], library, "{id}");
        assert_eq!(!told["resume"].is_null(), resumes, "{id}: {told}");
        // As the page configures hls.js later.
        for (key, value) in [
            ("progressive", Value::from(true)),
            ("testBandwidth", Value::from(false)),
            ("startFragPrefetch", Value::from(true)),
            ("workerPath", Value::from("/vendor/hls/hls.worker.js")),
            ("maxBufferSize", Value::from(16e6)),
        ] {
            assert_eq!(told["config"][key], value, "{id}: {key}");
        }
        assert!(
            page.contains(&format!("href=\"{library}\"")),
            "{id}: its library is fetched ahead"
        );
        let module = page.find("src=\"/early.mjs").expect("the module");
        let hydrates = page.find("/pkg/carrete.js").expect("what hydrates");
        assert!(module < hydrates, "{id}: the module runs first");
    }
}

#[tokio::test]
async fn a_bare_file_needs_no_library_and_a_page_without_reels_no_module() {
    let streams = Streams::new();
    let server = carrete(&streams).await;
    let empty = page(&server, "/").await;
    assert!(request(&empty).is_none() && !empty.contains("early.mjs"), "{empty}");

    // The smallest MP3 that is one: four frames of silence.
    let frame = [&[0xFF, 0xFB, 0x90, 0x00][..], &[0; 413]].concat();
    streams.write("song.mp3", frame.repeat(40));
    let began = Instant::now();
    let (told, page) = loop {
        let page = page(&server, "/c/song").await;
        if let Some(told) = request(&page) {
            break (told, page);
        }
        assert!(began.elapsed() < PATIENCE, "it is not listed: {page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(told["source"], "/streams/song.mp3");
    assert!(told["mime"].as_str().is_some_and(|mime| mime.starts_with("audio/mpeg")), "{told}");
    assert!(told["library"].is_null() && !page.contains("hls.light"), "{told}");
    for other in ["/c/nobody", "/pulse", "/guide"] {
        let page = self::page(&server, other).await;
        assert!(request(&page).is_none() && !page.contains("early.mjs"), "{other}");
    }
}

#[tokio::test]
async fn a_name_cannot_end_the_request_of_its_page() {
    let streams = Streams::new();
    streams.channel("a&b 'c' 日本");
    let server = carrete(&streams).await;
    server.until_ids(&["a&b 'c' 日本"]).await;
    let page = page(&server, "/").await;
    assert_eq!(request(&page).expect("a request")["id"], "a&b 'c' 日本");
}
