//! What is made of channels in the background: posters, ThumbHashes and waveforms, with the real
//! ffmpeg, on films of two seconds.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::Ordering,
    time::Duration,
};

use app::catalog::{ChannelId, Media};
use axum::http::{Method, StatusCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use carrete::{
    catalog::Snapshot,
    posters::{self, Settings},
    sources::BucketConfig,
    transcode::Tools,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    bucket::Store,
    fixtures::{App, Streams, playlist, segment},
    server::named,
};

const RED: &str = "color=red:s=320x180:r=10:d=2";
const SOUND: &str = "sine=frequency=440:duration=2";

fn ffmpeg(arguments: &[&str], to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder")).expect("made");
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(to)
        .status()
        .expect("ffmpeg runs");
    assert!(done.success(), "{arguments:?}");
}

fn lavfi(source: &str) -> [&str; 4] {
    ["-f", "lavfi", "-i", source]
}

const X264: [&str; 8] =
    ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"];
const HLS: [&str; 6] = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
const FMP4: [&str; 2] = ["-hls_segment_type", "fmp4"];

/// Every kind of channel.
fn film_everything(streams: &Streams) {
    let red = lavfi(RED);
    ffmpeg(&[&red[..], &X264, &HLS].concat(), &streams.path("ts/playlist.m3u8"));
    ffmpeg(&[&red[..], &X264, &HLS, &FMP4].concat(), &streams.path("fmp4/playlist.m3u8"));
    ffmpeg(
        &[&red[..], &X264, &HLS, &FMP4, &["-hls_flags", "single_file"]].concat(),
        &streams.path("parts/playlist.m3u8"),
    );
    ffmpeg(&[&red[..], &X264, &["-s", "1920x1080"]].concat(), &streams.path("bare.mp4"));
    ffmpeg(&[&red[..], &["-frames:v", "1"]].concat(), &streams.outside("cover.jpg"));
    let cover = streams.outside("cover.jpg");
    let cover = cover.to_str().expect("a path");
    let with_cover = ["-i", cover, "-map", "0", "-map", "1", "-c:v", "copy"];
    ffmpeg(
        &[&lavfi(SOUND)[..], &with_cover, &["-disposition:v", "attached_pic"]].concat(),
        &streams.path("cover.mp3"),
    );
    ffmpeg(&lavfi(SOUND), &streams.path("plain.mp3"));
    ffmpeg(&[&lavfi(SOUND)[..], &HLS].concat(), &streams.path("song/playlist.m3u8"));
    streams.channel("given");
    fs::copy(cover, streams.path("given/poster.jpg")).expect("copied");
    // Nothing in it can be seen.
    streams.channel("fake");
}

/// A program in ffmpeg's place that notes each run and does the work with the real one.
fn noted(streams: &Streams) -> Tools {
    let program = streams.outside("ffmpeg");
    let log = streams.outside("runs");
    let script = format!(
        "#!/bin/sh\nsleep 0.03\nread -r stat </proc/$$/stat\nset -- \"$stat\" \"$@\"\n\
         echo \"begin $(echo \"$1\" | cut -d' ' -f19)\" >>'{log}'\nshift\n\
         ffmpeg \"$@\" <&0\ncode=$?\necho end >>'{log}'\nexit $code\n",
        log = log.display()
    );
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("allowed");
    Tools { ffmpeg: program, ..Tools::default() }
}

fn runs(streams: &Streams) -> Vec<String> {
    let text = fs::read_to_string(streams.outside("runs")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn start(app: &App, tools: Tools) -> DropGuard {
    let settings = Settings {
        tools,
        gone_after: Duration::from_millis(100),
        ..Settings::new(app.state.data.clone())
    };
    let shutdown = CancellationToken::new();
    posters::start(settings, app.state.sources.clone(), shutdown.clone());
    shutdown.drop_guard()
}

fn media<'a>(snapshot: &'a Snapshot, id: &str) -> &'a Media {
    let id = ChannelId::parse(id).expect("an id");
    snapshot.get(&id).unwrap_or_else(|| panic!("{id} is not listed"))
}

fn kept(streams: &Streams) -> Vec<PathBuf> {
    let folder = streams.folders().data.join("posters");
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut kept: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    kept.sort();
    kept
}

/// The average of the picture, told by the ThumbHash.
fn is_red(media: &Media) -> bool {
    let hash = media.thumbhash.as_deref().map(|text| BASE64_STANDARD.decode(text));
    let Some(Ok(hash)) = hash else { return false };
    thumbhash::thumb_hash_to_average_rgba(&hash)
        .is_ok_and(|(red, green, blue, _)| red > 0.6 && green < 0.3 && blue < 0.3)
}

fn is_done(snapshot: &Snapshot) -> bool {
    let has = |id| media(snapshot, id).thumbhash.is_some();
    ["ts", "fmp4", "parts", "bare", "cover", "given"].iter().all(|id| has(id))
        && ["cover", "plain", "song"].iter().all(|id| media(snapshot, id).waveform.is_some())
}

#[tokio::test]
async fn every_channel_gets_what_can_be_made_of_it_once() {
    let streams = Streams::new();
    film_everything(&streams);
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 9).await;
    let before = app.now().version().to_owned();
    let tools = noted(&streams);
    let making = start(&app, tools.clone());
    app.until(is_done).await;
    let snapshot = app.now();
    assert_ne!(snapshot.version(), before);
    for id in ["ts", "fmp4", "parts", "bare", "cover", "given"] {
        let media = media(&snapshot, id);
        assert_eq!(media.poster.as_deref(), Some(&*format!("/streams/{id}/poster.webp")));
        assert!(is_red(media), "{id} is not red: {:?}", media.thumbhash);
    }
    for id in ["plain", "song", "fake"] {
        assert_eq!(media(&snapshot, id).poster, None, "{id}");
    }
    assert_eq!(media(&snapshot, "bare").waveform, None);

    let poster = app.get("/streams/bare/poster.webp").await;
    assert_eq!(poster.status, StatusCode::OK);
    assert_eq!(poster.header("content-type"), "image/webp");
    assert_eq!(poster.header("cache-control"), "no-cache");
    assert!(poster.body.len() < 20_000, "{} bytes", poster.body.len());
    let tag = [("if-none-match", poster.header("etag"))];
    let again = app.ask(Method::GET, "/streams/bare/poster.webp", &tag).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let given = app.get("/streams/given/poster.webp").await;
    assert_eq!(given.header("content-type"), "image/jpeg");
    for none in
        ["plain/poster.webp", "fake/poster.webp", "bare/waveform.json", "bare.mp4/poster.webp"]
    {
        assert_eq!(app.get(&format!("/streams/{none}")).await.status, StatusCode::NOT_FOUND);
    }

    assert_eq!(media(&snapshot, "plain").waveform.as_deref(), Some("/streams/plain/waveform.json"));
    for id in ["cover", "plain", "song"] {
        let answer = app.get(&format!("/streams/{id}/waveform.json")).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(!answer.header("etag").is_empty());
        let waveform = answer.json();
        assert_eq!((&waveform["version"], &waveform["bits"]), (&2.into(), &8.into()));
        assert_eq!(waveform["sample_rate"].as_u64(), Some(8_000));
        let length = waveform["length"].as_u64().expect("a number");
        assert!((15..=18).contains(&length), "{id}: {length}");
        let data: Vec<i64> = serde_json::from_value(waveform["data"].clone()).expect("numbers");
        assert_eq!(data.len() as u64, 2 * length);
        assert!(data.iter().any(|value| *value < -5) && data.iter().any(|value| *value > 5));
    }

    // One at a time, behind everything else.
    let runs_before = runs(&streams);
    for (n, line) in runs_before.iter().enumerate() {
        assert_eq!(line, if n % 2 == 0 { "begin 15" } else { "end" });
    }
    // A look at a poster makes nothing, nor does a second start.
    for id in ["ts", "fake", "plain", "bare", "given"] {
        app.get(&format!("/streams/{id}/poster.webp")).await;
        app.get(&format!("/streams/{id}/waveform.json")).await;
    }
    // The folder is the second's when the first has ended.
    drop((making, app));
    let files = kept(&streams);
    let second = streams.app().await;
    let _making = start(&second, tools);
    second.until(is_done).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(runs(&streams), runs_before);
    assert_eq!(kept(&streams), files);
    assert_eq!(second.now().version(), snapshot.version());
}

#[tokio::test]
async fn a_changed_channel_gets_another_and_a_gone_one_leaves_nothing() {
    let streams = Streams::new();
    let film = |color: &str| {
        let source = format!("color={color}:s=64x36:r=10:d=2");
        ffmpeg(&[&lavfi(&source)[..], &["-pix_fmt", "yuv420p"]].concat(), &streams.path("a.mp4"));
    };
    film("blue");
    streams.channel("other");
    let app = streams.app().await;
    let _making = start(&app, Tools::default());
    let done =
        |snapshot: &Snapshot| snapshot.len() == 2 && media(snapshot, "a").thumbhash.is_some();
    app.until(done).await;
    assert!(!is_red(media(&app.now(), "a")));
    let first = kept(&streams);
    let tag = app.get("/streams/a/poster.webp").await.header("etag").to_owned();

    film("red");
    app.until(|snapshot| snapshot.len() == 2 && is_red(media(snapshot, "a"))).await;
    assert_ne!(app.get("/streams/a/poster.webp").await.header("etag"), tag);
    let gone = |file: &PathBuf| {
        let file = file.clone();
        async move {
            for _ in 0..500 {
                if !file.exists() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            false
        }
    };
    let second = kept(&streams);
    let mut old = first.iter().filter(|file| file.extension().is_some_and(|e| e == "thumbhash"));
    assert!(gone(old.next().expect("a hash")).await, "what was made of the old film stays");
    fs::remove_file(streams.path("a.mp4")).expect("removed");
    app.until_ids(&["other"]).await;
    for file in second.iter().filter(|file| fs::metadata(file).is_ok_and(|meta| meta.len() > 0)) {
        assert!(gone(file).await, "what was made of a channel that is gone stays");
    }
}

#[tokio::test]
async fn without_ffmpeg_or_a_place_to_keep_things_everything_else_goes_on() {
    let streams = Streams::new();
    ffmpeg(&[&lavfi(RED)[..], &["-pix_fmt", "yuv420p"]].concat(), &streams.path("a.mp4"));
    let app = streams.app().await;
    app.until_ids(&["a"]).await;
    let nowhere = Tools { ffmpeg: "/nowhere/ffmpeg".into(), ..Tools::default() };
    let making = start(&app, nowhere);
    streams.channel("b");
    app.until_ids(&["a", "b"]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(media(&app.now(), "a").poster, None);
    assert!(kept(&streams).is_empty(), "the absence of ffmpeg is not remembered");
    drop(making);

    let data = streams.folders().data;
    fs::remove_dir_all(&data).expect("removed");
    fs::write(&data, "a file").expect("written");
    let _making = start(&app, Tools::default());
    streams.channel("c");
    app.until_ids(&["a", "b", "c"]).await;
    assert_eq!(app.get("/streams/a/poster.webp").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_of_a_bucket_get_pictures_out_of_their_beginning() {
    let (bucket, streams) = (Store::new().await, Streams::new());
    let red = lavfi(RED);
    ffmpeg(&[&red[..], &X264, &HLS].concat(), &bucket.path("ts/playlist.m3u8"));
    ffmpeg(&[&red[..], &X264, &HLS, &FMP4].concat(), &bucket.path("fmp4/playlist.m3u8"));
    ffmpeg(
        &[&red[..], &X264, &HLS, &FMP4, &["-hls_flags", "single_file"]].concat(),
        &bucket.path("parts/playlist.m3u8"),
    );
    ffmpeg(&[&red[..], &X264].concat(), &bucket.path("bare.mp4"));
    ffmpeg(&[&red[..], &["-frames:v", "1"]].concat(), &streams.outside("cover.jpg"));
    let cover = streams.outside("cover.jpg");
    let with_cover = ["-i", cover.to_str().expect("a path"), "-map", "0", "-map", "1"];
    let attached = ["-c:v", "copy", "-disposition:v", "attached_pic"];
    ffmpeg(&[&lavfi(SOUND)[..], &with_cover, &attached].concat(), &bucket.path("cover.mp3"));
    // Its index lies behind more than is ever brought.
    let mut long = fs::read(bucket.path("bare.mp4")).expect("a film");
    let index = long.windows(4).rposition(|name| name == b"moov").expect("an index") - 4;
    let nothing = [&(17_u32 << 20).to_be_bytes()[..], b"free", &vec![0; (17 << 20) - 8]].concat();
    long.splice(index..index, nothing);
    bucket.write("long.mp4", long);
    bucket.write("given/playlist.m3u8", playlist(0..1, true));
    bucket.write("given/playlist0.ts", segment(0));
    bucket.write("given/poster.jpg", fs::read(&cover).expect("a picture"));
    // Each list is a hash of everything.
    let source = BucketConfig { refresh: Duration::from_secs(2), ..bucket.source() };
    let app = streams.app_with(vec![source]).await;
    app.until(|snapshot| snapshot.len() == 7).await;

    // While the bucket is away nothing is given up.
    bucket.mood.down.store(true, Ordering::Relaxed);
    app.until(|snapshot| !media(snapshot, "ts").available).await;
    let _making = start(&app, noted(&streams));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(runs(&streams).is_empty());
    bucket.mood.down.store(false, Ordering::Relaxed);
    let ids = ["ts", "fmp4", "parts", "bare", "long", "cover", "given"];
    app.until(|list| ids.iter().all(|id| media(list, id).thumbhash.is_some())).await;
    let snapshot = app.now();
    for id in ids {
        let media = media(&snapshot, id);
        assert_eq!(media.poster.as_deref(), Some(&*format!("/streams/{id}/poster.webp")));
        assert!(is_red(media), "{id} is not red: {:?}", media.thumbhash);
        assert_eq!(app.get(&format!("/streams/{id}/poster.webp")).await.status, StatusCode::OK);
    }
    assert_eq!(media(&snapshot, "cover").waveform, None, "all of it would have to be fetched");
    assert_eq!(bucket.mood.reads_of("/ts/playlist1.ts"), 0, "more than the beginning was read");
    for (n, line) in runs(&streams).iter().enumerate() {
        assert_eq!(line, if n % 2 == 0 { "begin 15" } else { "end" });
    }
    // Who opens the channel finds its beginning here.
    let before = bucket.mood.reads_of("/ts/playlist0.ts");
    let list = app.get("/streams/ts/playlist.m3u8").await;
    let first = named(list.text()).into_iter().next().expect("a segment");
    assert_eq!(app.get(&format!("/streams/ts/{first}")).await.status, StatusCode::OK);
    assert_eq!(bucket.mood.reads_of("/ts/playlist0.ts"), before);
    let aside = |path: &&PathBuf| path.to_string_lossy().contains(".tmp-");
    assert_eq!(kept(&streams).iter().filter(aside).count(), 0, "{:?}", kept(&streams));
}

#[tokio::test]
async fn the_front_cover_goes_before_the_back_cover() {
    use lofty::{
        config::WriteOptions,
        picture::{MimeType, Picture, PictureType},
        tag::{Tag, TagExt, TagType},
    };

    let streams = Streams::new();
    let picture = |color: &str, kind| {
        let path = streams.outside(&format!("{color}.jpg"));
        let source = format!("color={color}:s=128x128");
        ffmpeg(&[&lavfi(&source)[..], &["-frames:v", "1"]].concat(), &path);
        let bytes = fs::read(path).expect("read");
        Picture::unchecked(bytes).pic_type(kind).mime_type(MimeType::Jpeg).build()
    };
    let (front, back) =
        (picture("red", PictureType::CoverFront), picture("blue", PictureType::CoverBack));
    let blue = streams.outside("blue.jpg");
    let blue = blue.to_str().expect("a path");
    for (name, tag, pictures) in [
        ("album.mp3", TagType::Id3v2, [&back, &front]),
        ("album2.flac", TagType::VorbisComments, [&back, &front]),
        ("album3.ogg", TagType::VorbisComments, [&back, &front]),
        // Here none is told from another: the first is meant.
        ("album4.m4a", TagType::Mp4Ilst, [&front, &back]),
    ] {
        let path = streams.outside(name);
        let slides = ["-i", blue, "-map", "0:a", "-map", "1:v", "-c:v", "mjpeg", "-f", "mov"];
        let slides = if name.ends_with("m4a") { &slides[..] } else { &[] };
        let plain = if name.ends_with("ogg") { &["-c:a", "libvorbis"][..] } else { &[] };
        ffmpeg(&[&lavfi(SOUND)[..], slides, plain].concat(), &path);
        let mut tags = Tag::new(tag);
        pictures.into_iter().for_each(|picture| tags.push_picture(picture.clone()));
        tags.save_to_path(&path, WriteOptions::default()).expect("tagged");
        fs::rename(path, streams.path(name)).expect("moved");
    }
    let app = streams.app().await;
    app.until(|snapshot| snapshot.len() == 4).await;
    let _making = start(&app, Tools::default());
    app.until(|snapshot| snapshot.media().iter().all(|media| media.thumbhash.is_some())).await;
    for media in app.now().media() {
        assert!(is_red(media), "{} shows its back", media.id);
    }
}
