//! Whole or not at all: a bare file is listed when all of it is there, wherever its index stands, and
//! one that is cut for ever is named.

use std::{fs, time::Duration};

use app::catalog::ChannelId;

use crate::{
    fixtures::{App, Streams},
    kinds::{AVC, film, judged, said, song},
};

/// Longer than a file that stands still is watched before it is listed.
const STANDS_STILL: Duration = Duration::from_millis(1500);

/// One of each, made beside the streams folder.
fn everything(streams: &Streams) -> Vec<(&'static str, Vec<u8>)> {
    let at = |name: &str| streams.outside("whole").join(name);
    film(&format!("{AVC} -c:a aac"), &at("index-at-end.mp4"));
    film(&format!("{AVC} -c:a aac -movflags +faststart"), &at("index-at-front.mov"));
    film(
        &format!("{AVC} -c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof"),
        &at("pieces.m4v"),
    );
    film("-c:v libvpx -deadline realtime -c:a libopus", &at("web.webm"));
    song("-c:a aac -movflags +faststart", &at("tune.m4a"));
    song("-c:a libmp3lame", &at("song.mp3"));
    song("-c:a libmp3lame -write_xing 0 -id3v2_version 0", &at("bare.mp3"));
    song("-c:a aac -f adts", &at("voice.aac"));
    song("-c:a flac", &at("lossless.flac"));
    song("-c:a libvorbis", &at("music.ogg"));
    song("-c:a libopus", &at("talk.opus"));
    song("-c:a pcm_s16le", &at("wave.wav"));
    let mut all = Vec::new();
    for entry in fs::read_dir(streams.outside("whole")).expect("listed") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let bytes = fs::read(entry.path()).expect("read");
        all.push((&*name.leak(), bytes));
    }
    all.sort();
    all
}

fn names(app: &App) -> Vec<String> {
    app.now().media().iter().map(|media| media.id.to_string()).collect()
}

#[tokio::test]
async fn a_file_that_is_copied_slowly_waits_until_it_is_whole() {
    let streams = Streams::new();
    let all = everything(&streams);
    let app = streams.app().await;
    for (name, bytes) in &all {
        streams.write(name, &bytes[..bytes.len() * 6 / 10 + 1]);
    }
    // What only makes room for itself is none either.
    streams.write("room.mp4", vec![0; 4000]);
    tokio::time::sleep(STANDS_STILL).await;
    assert_eq!(names(&app), [""; 0]);
    for (name, bytes) in &all {
        streams.write(name, bytes);
    }
    app.until(|snapshot| snapshot.len() == all.len()).await;
    let tune = app.now().get(&ChannelId::parse("tune").expect("an id")).cloned();
    assert!(tune.and_then(|tune| tune.duration_s).is_some_and(|s| (0.9..1.2).contains(&s)));
}

#[tokio::test]
async fn a_file_that_is_cut_for_ever_is_named() {
    let streams = Streams::new();
    let all = everything(&streams);
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    for (name, bytes) in &all {
        streams.write(name, &bytes[..bytes.len() * 6 / 10 + 1]);
        let file = fs::File::options().append(true).open(streams.path(name)).expect("opened");
        file.set_modified(long_ago).expect("dated");
    }
    let (playable, findings) = judged(&streams).await;
    for (name, part) in [
        ("index-at-end.mp4", "it is not whole: it ends after"),
        ("index-at-front.mov", "it is not whole: it ends after"),
        ("pieces.m4v", "it is not whole: it ends after"),
        ("web.webm", "it is not whole: it ends after"),
        ("tune.m4a", "it is not whole: it ends after"),
        ("wave.wav", "it is not whole: it ends after"),
        // These play as far as they go.
        ("song.mp3", "it seems to be cut off"),
        ("bare.mp3", "it seems to be cut off: its last frame"),
        ("voice.aac", "it seems to be cut off: its last frame"),
        ("lossless.flac", "it seems to be cut off: it ends after"),
        ("music.ogg", "it seems to be cut off: its last page"),
        ("talk.opus", "it seems to be cut off: its last page"),
    ] {
        let found = said(&findings, name, part);
        assert!(found.fix.contains("copy it anew"), "{name}: {}", found.fix);
    }
    assert_eq!((playable, findings.len()), (6, all.len()));
}

#[tokio::test]
async fn whole_files_of_all_kinds_have_nothing_to_mend() {
    let streams = Streams::new();
    let all = everything(&streams);
    for (name, bytes) in &all {
        streams.write(name, bytes);
    }
    // Nobody says how long these are.
    let endless =
        "-f lavfi -i testsrc2=s=128x72:r=10:d=1 -c:v libvpx -deadline realtime -f webm -live 1";
    crate::kinds::ffmpeg(endless, &streams.path("endless.webm"));
    crate::kinds::ffmpeg(
        "-f lavfi -i color=red:s=64x64 -frames:v 1 -c:v libx264 -pix_fmt yuv420p",
        &streams.path("one.mp4"),
    );
    // A tag behind the sound, and a few bytes that nobody needs behind the last box.
    let with_tag = |name: &str| {
        [&all.iter().find(|(n, _)| *n == name).expect("made").1[..], b"TAG", &[b' '; 125]].concat()
    };
    streams.write("tagged.mp3", with_tag("song.mp3"));
    // Programs that know no better hang the tag of an MP3 on whatever holds sound.
    streams.write("tagged.m4a", with_tag("tune.m4a"));
    streams.write("tagged-film.mp4", with_tag("index-at-end.mp4"));
    streams.write("tagged-pieces.m4v", with_tag("pieces.m4v"));
    let film = &all.iter().find(|(name, _)| *name == "index-at-end.mp4").expect("made").1;
    streams.write("tail.mp4", [&film[..], b"\0\0\0"].concat());
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings), (all.len() + 7, Vec::new()));
}

/// Channels, each with the name of a file of it that comes last.
fn channels(streams: &Streams) -> [(&'static str, &'static str); 4] {
    let hls = "-f hls -hls_time 0.4 -hls_list_size 0 -hls_playlist_type vod";
    let at = |name: &str| streams.outside("channels").join(name).join("playlist.m3u8");
    let short = format!("{AVC} -g 4 -c:a aac {hls}");
    film(&short, &at("ts"));
    film(&format!("{short} -hls_segment_type fmp4"), &at("fmp4"));
    film(&format!("{short} -hls_flags single_file"), &at("one-ts"));
    film(&format!("{short} -hls_segment_type fmp4 -hls_flags single_file"), &at("one-fmp4"));
    [
        ("ts", "playlist2.ts"),
        ("fmp4", "playlist2.m4s"),
        ("one-ts", "playlist.ts"),
        ("one-fmp4", "playlist.m4s"),
    ]
}

/// Copies a channel, with no more than so much of `last`.
fn copy(streams: &Streams, channel: &str, last: &str, part: f64) {
    for entry in fs::read_dir(streams.outside("channels").join(channel)).expect("listed") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let bytes = fs::read(entry.path()).expect("read");
        let share = if name == last { part } else { 1.0 };
        let end = (bytes.len() as f64 * share) as usize;
        streams.write(&format!("{channel}/{name}"), &bytes[..end]);
    }
}

#[tokio::test]
async fn a_channel_whose_last_file_is_still_written_waits_for_it() {
    let streams = Streams::new();
    let channels = channels(&streams);
    let app = streams.app().await;
    for (channel, last) in channels {
        copy(&streams, channel, last, 0.57);
    }
    tokio::time::sleep(STANDS_STILL).await;
    assert_eq!(names(&app), [""; 0]);
    for (channel, last) in channels {
        copy(&streams, channel, last, 1.0);
    }
    app.until(|snapshot| snapshot.len() == channels.len()).await;
}

#[tokio::test]
async fn a_channel_that_is_cut_for_ever_is_named() {
    let streams = Streams::new();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    for (channel, last) in channels(&streams) {
        copy(&streams, channel, last, 0.57);
        let file = streams.path(&format!("{channel}/{last}"));
        let file = fs::File::options().append(true).open(file).expect("opened");
        file.set_modified(long_ago).expect("dated");
    }
    streams.write(
        "huge/playlist.m3u8",
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n\
        #EXT-X-BYTERANGE:18446744073709551615@5\na.ts\n#EXTINF:6,\n#EXT-X-BYTERANGE:9000@5\nb.ts\n\
        #EXT-X-ENDLIST\n",
    );
    for name in ["huge/a.ts", "huge/b.ts"] {
        streams.write(name, crate::fixtures::segment(0));
        let file = fs::File::options().append(true).open(streams.path(name)).expect("opened");
        file.set_modified(long_ago).expect("dated");
    }
    let signed_in = "<!DOCTYPE html><title>Sign in first</title>".repeat(10);
    streams.write("page/playlist.m3u8", crate::fixtures::playlist(0..1, true));
    streams.write("page/playlist0.ts", signed_in);
    let (playable, findings) = judged(&streams).await;
    for (name, part) in [
        ("ts", "it seems to be cut off: playlist2.ts ends within a packet"),
        ("fmp4", "it seems to be cut off: playlist2.m4s ends after"),
        ("one-ts", "it is not whole: playlist.ts ends after"),
        ("one-fmp4", "it is not whole: playlist.m4s ends after"),
        ("huge", "it is not whole: b.ts ends after 1880 of 9005 bytes"),
        ("page", "it holds no media that is known: it is a web page"),
    ] {
        said(&findings, name, part);
    }
    assert_eq!((playable, findings.len()), (2, 6));
}
