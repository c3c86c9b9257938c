//! Files become channels, whole or not at all: with the real ffmpeg, on films of two seconds.

use std::{
    cell::RefCell,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use app::catalog::ChannelId;
use carrete::transcode::{
    ConvertJob, Converted, IngestError, OutputFormat, Progress, Tools, convert, convert_each,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const PICTURE: &str = "testsrc2=r=10:d=4.2:s=";
const SOUND: &str = "sine=frequency=440:duration=4.2";

/// The films, made once for all tests.
fn film(name: &str) -> PathBuf {
    static FILMS: OnceLock<TempDir> = OnceLock::new();
    let films = FILMS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = |size: &str| format!("{PICTURE}{size}");
        for (name, arguments) in [
            (
                "landscape.mp4",
                vec![
                    "-f",
                    "lavfi",
                    "-i",
                    &picture("854x480"),
                    "-f",
                    "lavfi",
                    "-i",
                    SOUND,
                    "-preset",
                    "ultrafast",
                    "-metadata",
                    "title=La playa",
                ],
            ),
            (
                "portrait.mkv",
                vec!["-f", "lavfi", "-i", &picture("720x1280"), "-preset", "ultrafast"],
            ),
            ("odd.mp4", vec!["-f", "lavfi", "-i", &picture("321x241"), "-pix_fmt", "yuv444p"]),
            ("music.mp3", vec!["-f", "lavfi", "-i", SOUND]),
            ("old.avi", vec!["-f", "lavfi", "-i", &picture("320x240"), "-c:v", "msmpeg4v2"]),
        ] {
            run(Command::new("ffmpeg")
                .args(["-v", "error", "-y"])
                .args(arguments)
                .arg(folder.path().join(name)));
        }
        let landscape = folder.path().join("landscape.mp4");
        run(Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&landscape)
            .args(["-c", "copy", "-metadata:s:v:0", "rotate=90"])
            .arg(folder.path().join("turned.mp4")));
        let whole = fs::read(folder.path().join("portrait.mkv")).expect("a film");
        fs::write(folder.path().join("cut.mkv"), &whole[..whole.len() / 3]).expect("written");
        fs::write(folder.path().join("noise.mp4"), vec![7; 50_000]).expect("written");
        fs::write(folder.path().join("empty.mp4"), []).expect("written");
        fs::write(
            folder.path().join("list.mp4"),
            "#EXTM3U\n#EXTINF:1,\nlandscape.mp4\n#EXT-X-ENDLIST\n",
        )
        .expect("written");
        fs::write(folder.path().join("concat.mp4"), "ffconcat version 1.0\nfile landscape.mp4\n")
            .expect("written");
        // Its first lines are no list, but ffprobe would guess one.
        let hidden = format!("{}#EXTM3U\n#EXTINF:1,\nlandscape.mp4\n", "\n".repeat(8_000));
        fs::write(folder.path().join("hidden.mp4"), hidden).expect("written");
        folder
    });
    films.path().join(name)
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn job(streams: &Path, input: PathBuf, channel: &str, profile: &str) -> ConvertJob {
    ConvertJob {
        input,
        channel: ChannelId::parse(channel).expect("an id"),
        profile: profile.parse().expect("a profile"),
        streams: streams.to_owned(),
        replace: false,
        tools: Tools::default(),
    }
}

async fn made(job: &ConvertJob) -> Result<Converted, IngestError> {
    convert(job, &CancellationToken::new(), |_| {}).await
}

/// Everything in the folder, hidden or not.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn probe(playlist: &Path) -> Value {
    let told = run(Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_streams", "-show_format"])
        .arg(playlist));
    serde_json::from_slice(&told).expect("JSON")
}

/// Converts and answers the size, the codecs and the media playlist.
async fn check(film_name: &str, profile: &str, size: Option<(u64, u64)>) -> String {
    let streams = tempfile::tempdir().expect("a folder");
    let done = made(&job(streams.path(), film(film_name), "canal", profile)).await;
    let done = done.unwrap_or_else(|error| panic!("{film_name} {profile}: {error}"));
    assert!((done.duration_s - 4.2).abs() < 0.3, "{film_name} {profile}: {}", done.duration_s);
    assert_eq!(names(streams.path()), ["canal"]);
    let folder = streams.path().join("canal");
    let probed = probe(&folder.join("playlist.m3u8"));
    let streams = probed["streams"].as_array().expect("streams");
    let video = streams.iter().find(|stream| stream["codec_type"] == "video");
    let told = video.map(|video| {
        assert_eq!((&video["codec_name"], &video["pix_fmt"]), (&"h264".into(), &"yuv420p".into()));
        assert!(video["side_data_list"].is_null(), "{film_name} is still turned");
        (video["width"].as_u64().expect("a width"), video["height"].as_u64().expect("a height"))
    });
    assert_eq!(told, size, "{film_name} {profile}");
    if let Some(audio) = streams.iter().find(|stream| stream["codec_type"] == "audio") {
        assert_eq!(audio["codec_name"], "aac");
    }
    let playlist = fs::read_to_string(folder.join("playlist.m3u8")).expect("a playlist");
    match playlist.lines().find(|line| line.ends_with("/playlist.m3u8")) {
        Some(media) => fs::read_to_string(folder.join(media)).expect("a media playlist"),
        None => playlist,
    }
}

#[tokio::test]
async fn profiles_fit_turn_and_never_upscale() {
    for (film, profile, size) in [
        ("landscape.mp4", "low", Some((640, 358))),
        ("landscape.mp4", "high", Some((854, 480))),
        ("portrait.mkv", "low", Some((360, 640))),
        ("portrait.mkv", "auto", Some((720, 1280))),
        ("turned.mp4", "low", Some((358, 640))),
        ("odd.mp4", "medium", Some((320, 240))),
        ("old.avi", "auto", Some((320, 240))),
        ("music.mp3", "low", None),
        ("music.mp3", "auto", None),
    ] {
        let playlist = check(film, profile, size).await;
        // ffmpeg says it of pictures alone; sound is independent everywhere.
        let independent = playlist.contains("#EXT-X-INDEPENDENT-SEGMENTS");
        assert!(independent || size.is_none(), "{film} {profile}");
        assert!(playlist.contains("#EXT-X-ENDLIST"), "{film} {profile}");
        let lengths: Vec<f64> = playlist
            .lines()
            .filter_map(|line| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse().ok())
            .collect();
        assert_eq!(lengths.len(), 3, "{film} {profile}: {lengths:?}");
        assert!(lengths[..2].iter().all(|length| (length - 2.0).abs() < 0.1), "{lengths:?}");
    }
}

#[tokio::test]
async fn auto_stands_under_a_master_playlist_and_source_is_copied() {
    let streams = tempfile::tempdir().expect("a folder");
    let channel = streams.path().join("canal");
    made(&job(streams.path(), film("landscape.mp4"), "canal", "auto")).await.expect("made");
    assert_eq!(names(&channel), ["channel.toml", "medium", "playlist.m3u8"]);
    let title = fs::read_to_string(channel.join("channel.toml")).expect("a description");
    assert_eq!(title, "title = \"La playa\"\n");
    let master = fs::read_to_string(channel.join("playlist.m3u8")).expect("a playlist");
    for part in [
        "RESOLUTION=854x480",
        "FRAME-RATE=10.000",
        "\"avc1.64",
        ",mp4a.40.2\"",
        "\nmedium/playlist.m3u8\n",
    ] {
        assert!(master.contains(part), "{part} is not in {master}");
    }
    let bandwidth = master.split_once(":BANDWIDTH=").and_then(|(_, rest)| rest.split_once(','));
    let bandwidth: u64 = bandwidth.and_then(|(bits, _)| bits.parse().ok()).expect("a bandwidth");
    assert!((100_000..3_500_000).contains(&bandwidth), "{bandwidth}");

    made(&job(streams.path(), film("landscape.mp4"), "La playa", "source")).await.expect("made");
    let copied = probe(&streams.path().join("La playa/playlist.m3u8"));
    assert_eq!(copied["streams"][0]["width"], 854);
    assert!(!names(&streams.path().join("La playa")).contains(&"channel.toml".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_converted_leaves_nothing_and_says_why() {
    let streams = tempfile::tempdir().expect("a folder");
    for (name, profile, part) in [
        ("nothing.mp4", "low", "there is no file"),
        (".", "low", "cannot be read as a file"),
        ("noise.mp4", "low", "no video and no music"),
        ("empty.mp4", "low", "no video and no music"),
        ("list.mp4", "low", "is a playlist"),
        ("concat.mp4", "auto", "is a playlist"),
        ("hidden.mp4", "low", "no video and no music"),
        ("cut.mkv", "low", "is damaged"),
        ("old.avi", "source", "taken over as it is"),
    ] {
        let error = made(&job(streams.path(), film(name), "canal", profile)).await;
        let error = error.expect_err(name).to_string();
        assert!(error.contains(part), "{name}: {error}");
        assert!(!error.contains('\n'), "{name}: {error}");
        assert_eq!(names(streams.path()), [""; 0], "{name}");
    }
    let mut job = job(streams.path(), film("music.mp3"), "canal", "low");
    job.tools.ffmpeg = "no-such-ffmpeg".into();
    let error = made(&job).await.expect_err("no tool").to_string();
    assert!(error.starts_with("no-such-ffmpeg is not installed"), "{error}");
    job.streams = streams.path().join("a/b");
    let error = made(&job).await.expect_err("no folder").to_string();
    assert!(error.contains("cannot be written"), "{error}");
    assert_eq!(names(streams.path()), [""; 0]);
}

/// A program of a few lines in ffmpeg's place.
fn pretender(folder: &Path, script: &str) -> Tools {
    let path = folder.join("pretender");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("allowed");
    Tools { ffmpeg: path, ..Tools::default() }
}

#[tokio::test]
async fn a_full_disk_is_one_sentence() {
    let (streams, tools) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let script = "echo half > segment00000.m4s; echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1";
    let mut job = job(streams.path(), film("music.mp3"), "canal", "low");
    job.tools = pretender(tools.path(), script);
    assert!(matches!(made(&job).await, Err(IngestError::DiskFull)));
    assert_eq!(names(streams.path()), [""; 0]);
    // The real one, where no file may grow beyond 64 KiB.
    job.input = film("portrait.mkv");
    job.tools = pretender(tools.path(), "ulimit -f 64; exec ffmpeg \"$@\"");
    let error = made(&job).await.expect_err("too small");
    assert!(matches!(error, IngestError::Ffmpeg(_)), "{error}");
    assert_eq!(names(streams.path()), [""; 0]);
}

#[tokio::test]
async fn half_a_rendition_is_no_channel() {
    let (streams, tools) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for script in [
        "exit 0",
        "ffmpeg \"$@\"; rm segment00001.m4s",
        "ffmpeg \"$@\"; sed -i /ENDLIST/d playlist.m3u8",
    ] {
        let mut job = job(streams.path(), film("music.mp3"), "canal", "low");
        job.tools = pretender(tools.path(), script);
        assert!(made(&job).await.is_err(), "{script}");
        assert_eq!(names(streams.path()), [""; 0], "{script}");
    }
}

#[tokio::test]
async fn stopped_in_the_middle_nothing_stays_and_nothing_runs() {
    let (streams, tools) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let pid = tools.path().join("pid");
    let script =
        format!("sleep 60 & echo $! > {}; echo half > segment00000.m4s; wait", pid.display());
    let mut job = job(streams.path(), film("music.mp3"), "canal", "low");
    job.tools = pretender(tools.path(), &script);
    for by_token in [true, false] {
        let _ = fs::remove_file(&pid);
        let stop = CancellationToken::new();
        let (task, stop_task) = (job.clone(), stop.clone());
        let work = tokio::spawn(async move { convert(&task, &stop_task, |_| {}).await });
        let deadline = Instant::now() + Duration::from_secs(20);
        while fs::read_to_string(&pid).map_or(true, |text| text.is_empty()) {
            assert!(Instant::now() < deadline, "it did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(names(streams.path())[0].starts_with(".tmp-canal-"));
        if by_token {
            stop.cancel();
            assert!(matches!(work.await, Ok(Err(IngestError::Stopped))));
        } else {
            work.abort();
            let _ = work.await;
        }
        let child = fs::read_to_string(&pid).expect("a number");
        let proc = Path::new("/proc").join(child.trim()).join("stat");
        let deadline = Instant::now() + Duration::from_secs(10);
        while fs::read_to_string(&proc).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < deadline, "a child of ffmpeg still runs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(names(streams.path()), [""; 0]);
    }
}

#[tokio::test]
async fn a_conversion_in_progress_is_never_swept_however_old() {
    let (streams, tools) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let go = tools.path().join("go");
    let script =
        format!("while [ ! -e {} ]; do sleep 0.02; done; exec ffmpeg \"$@\"", go.display());
    let mut slow = job(streams.path(), film("music.mp3"), "slow", "auto");
    slow.tools = pretender(tools.path(), &script);
    let working = tokio::spawn(async move { made(&slow).await });
    let deadline = Instant::now() + Duration::from_secs(20);
    let hidden = loop {
        let found = names(streams.path()).into_iter().find(|name| name.starts_with(".tmp-slow-"));
        let found = found.map(|name| streams.path().join(name));
        if let Some(hidden) = found.filter(|hidden| hidden.join("high").exists()) {
            break hidden;
        }
        assert!(Instant::now() < deadline, "it did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // As it looks on the third day of a long film; and what a killed one has left a moment ago.
    let days = std::time::SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60);
    for folder in [&hidden, &hidden.join("high")] {
        fs::File::open(folder).expect("a folder").set_modified(days).expect("set");
    }
    fs::create_dir_all(streams.path().join(".tmp-dead-0123456789abcdef/low")).expect("a folder");
    made(&job(streams.path(), film("music.mp3"), "quick", "low")).await.expect("made");
    let left = hidden.file_name().map(|name| name.to_string_lossy().into_owned());
    assert_eq!(names(streams.path()), [left.expect("a name"), "quick".to_owned()]);
    fs::write(&go, "").expect("written");
    working.await.expect("it ends").expect("made");
    assert_eq!(names(streams.path()), ["quick", "slow"]);
}

#[tokio::test]
async fn a_channel_gives_way_only_when_told_to() {
    let streams = tempfile::tempdir().expect("a folder");
    let first = job(streams.path(), film("music.mp3"), "canal", "low");
    made(&first).await.expect("made");
    let mut second = job(streams.path(), film("odd.mp4"), "canal", "auto");
    assert!(matches!(made(&second).await, Err(IngestError::Exists(_))));
    assert!(names(&streams.path().join("canal")).contains(&"segment00000.m4s".to_owned()));
    second.replace = true;
    made(&second).await.expect("made");
    assert_eq!(names(&streams.path().join("canal")), ["channel.toml", "low", "playlist.m3u8"]);
    assert_eq!(names(streams.path()), ["canal"]);
}

#[tokio::test]
async fn progress_rises_to_the_whole_and_each_goes_on_after_a_failure() {
    let streams = tempfile::tempdir().expect("a folder");
    let told: RefCell<Vec<Progress>> = RefCell::default();
    let job_one = job(streams.path(), film("portrait.mkv"), "uno", "low");
    let stop = CancellationToken::new();
    convert(&job_one, &stop, |progress| told.borrow_mut().push(progress)).await.expect("made");
    let percents: Vec<f64> = told.borrow().iter().filter_map(|progress| progress.percent).collect();
    assert!(
        percents.is_sorted() && percents.last().is_some_and(|last| *last > 90.0),
        "{percents:?}"
    );

    let jobs = [
        job_one,
        job(streams.path(), film("noise.mp4"), "dos", "low"),
        job(streams.path(), film("music.mp3"), "100% tres", "low"),
    ];
    assert_eq!(convert_each(&jobs, OutputFormat::AsJson, &stop).await, 2);
    assert_eq!(names(streams.path()), ["100% tres", "uno"]);
}
