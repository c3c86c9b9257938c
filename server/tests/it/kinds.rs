//! Files as people have them: each is judged by what would be played of it, whatever else is inside and
//! whatever it is called; what cannot be played everywhere is named with what mends it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use app::catalog::{ChannelId, Kind, Media};
use axum::http::StatusCode;
use carrete::sources::report::{self, Finding};

use crate::fixtures::{App, Streams, segment};

pub(crate) const PICTURE: &str = "testsrc2=s=128x72:r=10:d=1";
pub(crate) const SOUND: &str = "sine=440:d=1";
pub(crate) const AVC: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10";

/// Runs ffmpeg; arguments are parted by blanks.
pub(crate) fn ffmpeg(arguments: &str, to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder")).expect("made");
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split(' ').filter(|argument| !argument.is_empty()))
        .arg(to)
        .status()
        .expect("ffmpeg runs");
    assert!(done.success(), "{arguments}");
}

pub(crate) fn film(arguments: &str, to: &Path) {
    ffmpeg(&format!("-f lavfi -i {PICTURE} -f lavfi -i {SOUND} {arguments}"), to);
}

pub(crate) fn song(arguments: &str, to: &Path) {
    ffmpeg(&format!("-f lavfi -i {SOUND} {arguments}"), to);
}

/// What the doctor finds in this folder, and how many channels it says can be played.
pub(crate) async fn judged(streams: &Streams) -> (usize, Vec<Finding>) {
    let folder: PathBuf = streams.path("");
    let judged = tokio::task::spawn_blocking(move || report::judge(&folder)).await.expect("judged");
    let (snapshot, findings) = judged.expect("readable");
    (report::playable(&snapshot, &findings), findings)
}

pub(crate) fn said<'a>(findings: &'a [Finding], name: &str, part: &str) -> &'a Finding {
    let of_it: Vec<&Finding> = findings.iter().filter(|finding| finding.name == name).collect();
    let found = of_it.iter().find(|finding| finding.message.contains(part));
    found.unwrap_or_else(|| panic!("{part:?} is not said of {name}: {of_it:?}"))
}

fn media(app: &App, id: &str) -> Media {
    let id = ChannelId::parse(id).expect("an id");
    let snapshot = app.now();
    let found = snapshot.get(&id).unwrap_or_else(|| panic!("{id} is not listed"));
    Media::clone(found)
}

#[tokio::test]
async fn a_film_plays_with_the_first_sound_that_browsers_know() {
    let streams = Streams::new();
    let two = |first: &str, second: &str, name: &str| {
        let sounds = format!("-c:a:0 {first} -ac:a:0 2 -c:a:1 {second} -ac:a:1 2");
        film(&format!("-map 0:v -map 1:a -map 1:a {AVC} {sounds}"), &streams.path(name));
    };
    two("libmp3lame", "ac3", "mp3-first.mp4");
    two("aac", "eac3", "aac-first.mp4");
    two("ac3", "aac", "dolby-first.mp4");
    two("aac", "alac", "apple.mov");
    two("pcm_s16le", "ac3", "camera.mov");
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8";
    film(&format!("-map 0:v -map 1:a {vp9} -c:a libopus"), &streams.path("web.webm"));
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 6).await;
    for (id, sound) in [
        ("mp3-first", "mp3"),
        ("aac-first", "mp4a.40.2"),
        ("dolby-first", "mp4a.40.2"),
        ("apple", "mp4a.40.2"),
    ] {
        let media = media(&app, id);
        assert_eq!(media.kind, Kind::Video);
        let (picture, rest) = media.mime.split_once(',').expect("two codecs");
        assert!(picture.starts_with("video/mp4; codecs=\"avc1.42c0"), "{id}: {}", media.mime);
        assert_eq!(rest, format!("{sound}\""), "{id}");
    }
    // Browsers play it without having a name for it.
    assert!(
        media(&app, "camera").mime.ends_with("avc1.42c00a\""),
        "{}",
        media(&app, "camera").mime
    );
    assert_eq!(media(&app, "web").mime, "video/webm; codecs=\"vp9,opus\"");
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings), (6, Vec::new()));
}

#[tokio::test]
async fn what_some_browsers_lack_is_told_and_the_rest_of_it_plays() {
    let streams = Streams::new();
    film(&format!("{AVC} -c:a ac3"), &streams.path("dolby.mp4"));
    film(
        "-c:v libx265 -x265-params log-level=error -tag:v hvc1 -c:a aac",
        &streams.path("hevc.mov"),
    );
    film("-c:v mpeg4 -c:a aac", &streams.path("old.mp4"));
    film("-c:v prores_ks -c:a pcm_s16le", &streams.path("cut.mov"));
    song("-c:a alac", &streams.path("lossless.m4a"));
    for (format, name) in
        [("yuv444p", "screencast.mp4"), ("yuv420p10le", "anime.mp4"), ("yuv422p", "studio.mov")]
    {
        film(
            &format!("-c:v libx264 -preset ultrafast -pix_fmt {format} -c:a aac"),
            &streams.path(name),
        );
    }
    let hls = "-f hls -hls_time 1 -hls_list_size 0";
    film(
        &format!("-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le -c:a aac {hls}"),
        &streams.path("channel/playlist.m3u8"),
    );
    film(&format!("{AVC} -c:a mp2 {hls}"), &streams.path("television/playlist.m3u8"));
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 10).await;
    // Without its sound it plays everywhere.
    assert_eq!(media(&app, "dolby").mime, "video/mp4; codecs=\"avc1.42c00a\"");
    let mime = media(&app, "hevc").mime;
    assert!(
        mime.starts_with("video/mp4; codecs=\"hvc1.") && mime.ends_with(",mp4a.40.2\""),
        "{mime}"
    );
    assert_eq!(media(&app, "old").mime, "video/mp4; codecs=\"mp4v.20,mp4a.40.2\"");
    let (playable, findings) = judged(&streams).await;
    assert_eq!(playable, 0);
    for (name, part) in [
        ("dolby.mp4", "its sound is ac-3; Dolby sound plays in some browsers only"),
        ("hevc.mov", "HEVC plays in some browsers only"),
        ("old.mp4", "browsers do not play it"),
        ("cut.mov", "browsers do not play it"),
        ("lossless.m4a", "Apple Lossless"),
        ("screencast.mp4", "phones have no decoder"),
        ("anime.mp4", "phones have no decoder"),
        ("studio.mov", "phones have no decoder"),
    ] {
        let stem = name.split('.').next().expect("a stem");
        let fix = &said(&findings, name, part).fix;
        assert!(
            fix.contains("run carrete convert '") && fix.contains(&format!("'{stem}'")),
            "{fix}"
        );
    }
    for (name, part) in
        [("channel", "phones have no decoder"), ("television", "MPEG sound of layer I or II")]
    {
        let fix = &said(&findings, name, part).fix;
        assert!(fix.contains(&format!("carrete convert --replace FILM '{name}'")), "{fix}");
    }
    assert_eq!(findings.len(), 10);
}

#[tokio::test]
async fn pictures_of_chapters_make_no_film_of_a_song() {
    let streams = Streams::new();
    let slides = "testsrc2=s=64x64:r=1/3:d=9";
    let talk = format!("-f lavfi -i sine=440:d=9 -f lavfi -i {slides} -map 0:a -map 1:v -c:a aac");
    ffmpeg(&format!("{talk} -c:v mjpeg -pix_fmt yuvj420p -f mov"), &streams.path("talk.m4a"));
    ffmpeg(&format!("{talk} -c:v png -f mov"), &streams.path("lecture.m4a"));
    ffmpeg(&format!("{talk} -c:v mjpeg -pix_fmt yuvj420p -f mp4"), &streams.path("story.mp4"));
    // A film of an old camera is none of them: nobody plays it, and that is told.
    film("-c:v mjpeg -pix_fmt yuvj420p -c:a pcm_u8", &streams.path("camera.mov"));
    // A film with a cover, first of all tracks, is a film.
    ffmpeg(
        &format!(
            "-f lavfi -i {PICTURE} -f lavfi -i testsrc2=s=64x64:r=1:d=1 -f lavfi -i {SOUND} -map 1:v -map 0:v \
             -map 2:a -c:v:0 mjpeg -pix_fmt:v:0 yuvj420p -c:v:1 libx264 -pix_fmt:v:1 yuv420p -c:a aac"
        ),
        &streams.path("action.mp4"),
    );
    let app = streams.app().await;
    // Nor does sound of a kind that few know.
    song("-c:a adpcm_ms", &streams.path("dictated.wav"));
    app.until(|snapshot| snapshot.len() == 6).await;
    assert_eq!(media(&app, "dictated").kind, Kind::Audio);
    for id in ["talk", "lecture", "story"] {
        let media = media(&app, id);
        assert_eq!((media.kind, media.width), (Kind::Audio, None), "{id}");
        assert_eq!(media.mime, "audio/mp4; codecs=\"mp4a.40.2\"", "{id}");
        assert!(media.duration_s.is_some_and(|seconds| (8.5..9.5).contains(&seconds)), "{id}");
    }
    let action = media(&app, "action");
    assert_eq!((action.kind, action.width), (Kind::Video, Some(128)));
    assert!(action.mime.starts_with("video/mp4; codecs=\"avc1."), "{}", action.mime);
    assert_eq!(media(&app, "camera").kind, Kind::Video);
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings.len()), (4, 2));
    said(&findings, "camera.mov", "jpeg");
    said(&findings, "dictated.wav", "adpcm");
}

/// A channel of variants, each with the first segment of a film.
fn ladder(streams: &Streams, name: &str, variants: &[(&str, &str)]) {
    let mut master = String::from("#EXTM3U\n#EXT-X-VERSION:7\n");
    for (n, (attributes, sample)) in variants.iter().enumerate() {
        master.push_str(&format!("#EXT-X-STREAM-INF:{attributes}\nv{n}/index.m3u8\n"));
        streams.write(
            &format!("{name}/v{n}/index.m3u8"),
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n0.ts\n#EXT-X-ENDLIST\n",
        );
        let to = streams.path(&format!("{name}/v{n}/0.ts"));
        match *sample {
            "" => streams.write(&format!("{name}/v{n}/0.ts"), segment(1)),
            arguments => film(&format!("{arguments} -f mpegts"), &to),
        }
    }
    streams.write(&format!("{name}/playlist.m3u8"), master);
}

#[tokio::test]
async fn a_master_is_judged_by_the_best_variant_that_plays() {
    let streams = Streams::new();
    let hevc = "BANDWIDTH=900,RESOLUTION=640x360,CODECS=\"hvc1.1.6.L63.90,mp4a.40.2\"";
    let avc = "BANDWIDTH=400,RESOLUTION=320x180,CODECS=\"avc1.42c00d,mp4a.40.2\"";
    ladder(&streams, "hevc-above", &[(hevc, ""), (avc, "")]);
    let dolby = "BANDWIDTH=990,RESOLUTION=640x360,CODECS=\"avc1.64001e,ec-3\"";
    let stereo = "BANDWIDTH=900,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\"";
    ladder(&streams, "dolby-beside", &[(dolby, ""), (stereo, "")]);
    ladder(&streams, "hevc-alone", &[(hevc, "")]);
    let (large, small) = ("BANDWIDTH=900,RESOLUTION=640x360", "BANDWIDTH=400,RESOLUTION=320x180");
    let old = "-c:v mpeg2video -c:a aac";
    ladder(&streams, "untold", &[(large, old), (small, &format!("{AVC} -c:a aac"))]);
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 4).await;
    for (id, width, codecs) in [
        ("hevc-above", 320, "avc1.42c00d,mp4a.40.2"),
        ("dolby-beside", 640, "avc1.64001e,mp4a.40.2"),
        ("hevc-alone", 640, "hvc1.1.6.L63.90,mp4a.40.2"),
        ("untold", 320, "avc1.42c00a,mp4a.40.2"),
    ] {
        let media = media(&app, id);
        assert_eq!(
            media.mime,
            format!("application/vnd.apple.mpegurl; codecs=\"{codecs}\""),
            "{id}"
        );
        assert_eq!(media.width, Some(width), "{id}");
    }
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings.len()), (3, 1));
    said(&findings, "hevc-alone", "HEVC");
}

#[tokio::test]
async fn what_a_file_is_counts_and_not_its_name() {
    let streams = Streams::new();
    film(&format!("{AVC} -c:a aac -f mpegts"), &streams.path("downloaded.mp4"));
    film(&format!("{AVC} -c:a aac -f matroska"), &streams.path("recorded.mp4"));
    film("-c:v libvpx -deadline realtime -c:a libopus -f webm", &streams.path("saved.mp4"));
    film("-c:v mpeg4 -c:a mp3 -f avi", &streams.path("ancient.mp4"));
    song("-c:a libmp3lame -f mp3", &streams.path("song.m4a"));
    song("-c:a aac -f ipod", &streams.path("tune.mp3"));
    song("-c:a aac -f adts", &streams.path("voice.wav"));
    film(&format!("{AVC} -c:a aac -f mp4"), &streams.path("right.mov"));
    streams.write("page.mp4", "<!DOCTYPE html><title>Sign in first</title>");
    streams.write("photo.mov", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0");
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 10).await;
    for (id, mime) in [
        ("downloaded", "video/mp2t; codecs=\"avc1.42c00a,mp4a.40.2\""),
        ("recorded", "video/x-matroska; codecs=\"avc1.42c00a,mp4a.40.2\""),
        ("saved", "video/webm; codecs=\"vp8,opus\""),
        ("ancient", "application/octet-stream"),
        ("song", "audio/mpeg"),
        ("tune", "audio/mp4; codecs=\"mp4a.40.2\""),
        ("voice", "audio/aac"),
        ("right", "video/mp4; codecs=\"avc1.42c00a,mp4a.40.2\""),
    ] {
        assert_eq!(media(&app, id).mime, mime, "{id}");
    }
    // What hardly a browser reads has a name for whoever is told that it does not play.
    for (id, format) in [
        ("downloaded", Some("MPEG-TS")),
        ("recorded", Some("Matroska")),
        ("ancient", Some("AVI")),
        ("saved", None),
        ("voice", None),
        ("page", None),
    ] {
        assert_eq!(media(&app, id).format.as_deref(), format, "{id}");
    }
    let served = app.get("/streams/saved.mp4").await;
    assert_eq!(served.header("content-type"), "video/webm");
    let (playable, findings) = judged(&streams).await;
    assert_eq!(playable, 5);
    for (name, part, fix) in [
        (
            "downloaded.mp4",
            "it is an MPEG transport stream, and not MP4 as its name says",
            "run carrete convert",
        ),
        ("recorded.mp4", "it is Matroska, and not MP4", "run carrete convert"),
        (
            "saved.mp4",
            "it is WebM, and not MP4",
            "rename it \"saved.webm\", or run carrete convert",
        ),
        ("ancient.mp4", "it is AVI, and not MP4", "run carrete convert"),
        ("song.m4a", "it is MP3, and not MP4", "rename it \"song.mp3\", or run carrete convert"),
        ("tune.mp3", "it is MP4, and not MP3", "run carrete convert"),
        ("voice.wav", "it is AAC, and not WAV", "rename it \"voice.aac\", or run carrete convert"),
        ("page.mp4", "it is a web page", "take the file away"),
        ("photo.mov", "it is a picture", "take the file away"),
    ] {
        let found = &said(&findings, name, part).fix;
        assert!(found.contains(fix), "{name}: {found}");
    }
    assert_eq!(findings.len(), 9);
}

#[tokio::test]
async fn a_file_that_nobody_knows_is_named_as_one_and_a_cut_stream_as_a_stream() {
    let streams = Streams::new();
    // Noise without a magic in it, as of a disk that was mended wrongly.
    let mut state = 0x9E37_79B9_u32;
    let noise = (0..100_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    streams.write("noise.mp4", [&[0x81, 0x92][..], &noise.collect::<Vec<u8>>()].concat());
    let whole = streams.outside("whole").join("a.ts");
    film(&format!("{AVC} -c:a aac -f mpegts"), &whole);
    let whole = fs::read(whole).expect("made");
    streams.write("cut.mp4", &whole[100..]);
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 2).await;
    assert_eq!(media(&app, "cut").mime, "video/mp2t; codecs=\"avc1.42c00a,mp4a.40.2\"");
    let (playable, findings) = judged(&streams).await;
    assert_eq!((playable, findings.len()), (0, 2));
    said(&findings, "noise.mp4", "it holds no media that is known");
    let found = said(&findings, "cut.mp4", "it is an MPEG transport stream, and not MP4");
    assert!(found.fix.contains("run carrete convert"), "{}", found.fix);
}

#[tokio::test]
async fn media_and_subtitles_of_other_types_are_named_with_what_mends_them() {
    let streams = Streams::new();
    let others = [
        "story.m4b",
        "radio.oga",
        "podcast.mka",
        "Film.MKV",
        "a.avi",
        "b.wmv",
        "c.flv",
        "d.ts",
        "e.3gp",
        "f.wma",
        "g.aiff",
        "h.m2ts",
        "i.vob",
        "j.amr",
    ];
    for name in others {
        streams.write(name, "x");
    }
    streams.channel("canal");
    let srt = "1\n00:00:00,000 --> 00:00:01,000\nHola\n";
    for (name, text) in [
        ("canal/es.srt", srt),
        ("canal/de.ass", "[Script Info]\n"),
        ("canal/fr.vtt", srt),
        ("canal/en.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"),
        ("film.es.srt", srt),
    ] {
        streams.write(name, text);
    }
    film(&format!("{AVC} -c:a aac"), &streams.path("film.mp4"));
    streams.write("film.en.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n");
    streams.write("film.de.vtt", srt);
    let app = streams.app().await;
    app.until_ids(&["canal", "film"]).await;
    for (id, url) in [("canal", "/streams/canal/en.vtt"), ("film", "/streams/film/en.vtt")] {
        let subtitles = media(&app, id).subtitles;
        let told: Vec<_> = subtitles.iter().map(|s| (s.lang.as_str(), s.url.as_str())).collect();
        assert_eq!(told, [("en", url)]);
        let answer = app.get(url).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), "text/vtt; charset=utf-8");
    }
    let (playable, findings) = judged(&streams).await;
    assert_eq!(playable, 2);
    for name in others {
        let fix = &said(&findings, name, "browsers do not play files of this type").fix;
        let stem = name.split('.').next().expect("a stem");
        assert!(
            fix.starts_with("run carrete convert '") && fix.contains(&format!("{name}' '{stem}'")),
            "{fix}"
        );
    }
    for (name, part, fix) in [
        ("canal", "\"es.srt\" are left out", "canal/es.srt' '"),
        ("canal", "\"de.ass\" are left out", "canal/de.vtt'"),
        ("canal", "\"fr.vtt\" are left out: they are SRT, and not WebVTT", "run mv '"),
        ("film.mp4", "\"film.de.vtt\" are left out: they are SRT", "film.de.vtt'"),
        ("film.es.srt", "browsers do not read subtitles of this type", "film.es.vtt'"),
    ] {
        let found = &said(&findings, name, part).fix;
        assert!(found.contains(fix) && found.contains("ffmpeg -i"), "{name}: {found}");
    }
    assert_eq!(findings.len(), others.len() + 5);
}
