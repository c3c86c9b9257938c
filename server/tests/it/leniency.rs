//! What other players bear, we bear: odd but playable channels are listed as they are, with nothing to
//! mend, and stay so.

use std::{
    fs,
    time::{Duration, UNIX_EPOCH},
};

use app::catalog::{ChannelId, Kind};
use axum::http::StatusCode;

use crate::{
    bucket::Store,
    fixtures::{Streams, playlist, segment},
    kinds::{AVC, ffmpeg, film, judged, song},
};

#[tokio::test]
async fn odd_channels_are_listed_with_nothing_to_mend() {
    let streams = Streams::new();
    let hls = "-f hls -hls_time 1 -hls_list_size 0";
    // A duration without the comma behind it.
    streams.channel("comma");
    let text = playlist(0..3, true).replace("2.000000,", "2.000000");
    streams.write("comma/playlist.m3u8", text);
    // Segments that are called pictures, with a picture before each.
    let png = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR";
    for n in 0..3 {
        streams.write(&format!("pictures/playlist{n}.png"), [&png[..], &segment(n)].concat());
    }
    streams.write("pictures/playlist.m3u8", playlist(0..3, true).replace(".ts", ".png"));
    // AAC in segments of its own.
    let list = make(&streams, "packed/playlist.m3u8");
    let segments = "-f segment -segment_time 0.5 -segment_format adts -segment_list";
    song(&format!("-c:a aac {segments} {}", list.display()), &make(&streams, "packed/%d.aac"));
    // Fragments of which nobody says how long they are all together.
    film(
        &format!("{AVC} -c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof"),
        &streams.path("pieces.mp4"),
    );
    ffmpeg(
        "-f lavfi -i testsrc2=s=64x36:r=10:d=1 -c:v libvpx -deadline realtime -f webm -live 1",
        &streams.path("endless.webm"),
    );
    // One picture, and no more.
    ffmpeg(
        "-f lavfi -i color=red:s=64x64 -frames:v 1 -c:v libx264 -pix_fmt yuv420p",
        &streams.path("one.mp4"),
    );
    film(&format!("{AVC} -c:a aac -frames:v 1 {hls}"), &streams.path("still/playlist.m3u8"));
    // Written before there were computers, and in years to come.
    for (name, years) in [("past", -19_i64), ("future", 61)] {
        streams.channel(name);
        let seconds = Duration::from_secs(years.unsigned_abs() * 31_556_952);
        let time = if years < 0 { UNIX_EPOCH - seconds } else { UNIX_EPOCH + seconds };
        for file in ["playlist.m3u8", "playlist0.ts", "playlist1.ts", "playlist2.ts"] {
            let path = streams.path(&format!("{name}/{file}"));
            let file = fs::File::options().append(true).open(path).expect("opened");
            file.set_modified(time).expect("dated");
        }
    }
    let app = streams.app().await;
    let all =
        ["comma", "endless", "future", "one", "packed", "past", "pictures", "pieces", "still"];
    app.until_ids(&all).await;
    assert_eq!(judged(&streams).await, (all.len(), Vec::new()));
    let packed =
        app.now().get(&ChannelId::parse("packed").expect("an id")).cloned().expect("listed");
    assert_eq!(packed.kind, Kind::Audio);
    for media in app.now().media() {
        assert_eq!(app.get(&media.url).await.status, StatusCode::OK, "{}", media.id);
    }
}

fn make(streams: &Streams, name: &str) -> std::path::PathBuf {
    let path = streams.path(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    path
}

#[tokio::test]
async fn keys_with_blanks_and_objects_for_folders_are_borne() {
    let streams = Streams::new();
    let store = Store::new().await;
    let folder = "the beach, 100% & more + \u{e9}";
    for n in 0..3 {
        store.write(&format!("{folder}/play list{n}.ts"), segment(n));
    }
    let text = playlist(0..3, true).replace("playlist", "play list");
    store.write(&format!("{folder}/playlist.m3u8"), text);
    fs::create_dir_all(store.path("empty folder")).expect("made");
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&[folder]).await;
    let media = app.now().media()[0].clone();
    let text = app.get(&media.url).await;
    assert_eq!(text.status, StatusCode::OK);
    let base = media.url.rsplit_once('/').expect("a folder").0.to_owned();
    for line in text.text().lines().filter(|line| !line.starts_with('#')) {
        let answer = app.get(&format!("{base}/{}", line.replace(' ', "%20"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{line}");
    }
}
