//! Files that are mistaken about themselves, or that hold what a channel cannot: what is made of them
//! is true, with picture and sound of one length.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use app::catalog::ChannelId;
use carrete::transcode::{ConvertJob, Converted, IngestError, Tools, convert};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{fixtures::Streams, program};

/// Picture and sound may differ by so much: a frame of each, and what stands before the first sample.
const EVEN_S: f64 = 0.15;

fn ffmpeg(arguments: &[&str], output: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(output)
        .output()
        .expect("ffmpeg runs");
    assert!(made.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&made.stderr));
}

/// A film of so many seconds of picture and sound each. The left half is red, the right one blue, and
/// after a second and a half the picture is green.
fn film(picture_s: f64, sound_s: f64) -> Vec<String> {
    let picture = format!(
        "color=blue:s=160x90:r=25:d={picture_s},drawbox=0:0:80:90:red:fill,\
         drawbox=0:0:160:90:green:fill:enable='gte(t,1.5)'"
    );
    let sound = format!("sine=frequency=440:duration={sound_s}");
    let mut words = Vec::new();
    for source in [picture, sound] {
        words.extend(["-f".to_owned(), "lavfi".to_owned(), "-i".to_owned(), source]);
    }
    let form = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "250"];
    words.extend(form.map(str::to_owned));
    words.extend(["-keyint_min", "250", "-c:a", "aac"].map(str::to_owned));
    words
}

/// The films, made once for all tests of this process.
fn films() -> &'static Path {
    static FILMS: OnceLock<TempDir> = OnceLock::new();
    FILMS.get_or_init(made_films).path()
}

fn made_films() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let make = |name: &str, words: Vec<String>, more: &[&str]| {
        let words: Vec<&str> =
            words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        ffmpeg(&words, &at(name));
    };
    make("even.mp4", film(4.0, 4.0), &[]);
    make("shortsound.mp4", film(4.0, 2.0), &[]);
    make("shortpicture.mp4", film(2.0, 4.0), &[]);
    make("bitlonger.mp4", film(3.0, 3.6), &[]);
    let even = text("even.mp4");
    for (name, delayed, other) in
        [("latesound.mkv", "1:a", "0:v"), ("latepicture.mkv", "1:v", "0:a")]
    {
        let words = ["-i", &even, "-itsoffset", "1.4", "-i", &even, "-map", other, "-map", delayed];
        ffmpeg(&[&words[..], &["-c", "copy"]].concat(), &at(name));
    }
    // Cut by an edit list alone, as phones do it: the pictures before the cut are still in the file.
    ffmpeg(&["-ss", "2.0", "-i", &even, "-c", "copy"], &at("trimmed.mp4"));
    ffmpeg(&["-i", &even, "-c", "copy", "-metadata:s:v:0", "rotate=90"], &at("turned.mov"));
    ffmpeg(&["-i", &even, "-c", "copy", "-metadata:s:v:0", "rotate=180"], &at("upside.mp4"));
    let mut mirrored = fs::read(at("even.mp4")).expect("a film");
    let head = mirrored.windows(4).position(|name| name == b"tkhd").expect("a track");
    let matrix = head + 44;
    mirrored[matrix..matrix + 4].copy_from_slice(&(-65_536_i32).to_be_bytes());
    mirrored[matrix + 24..matrix + 28].copy_from_slice(&(160_i32 << 16).to_be_bytes());
    fs::write(at("mirrored.mp4"), mirrored).expect("written");
    // Clocks that begin elsewhere.
    for (name, begin, format) in [
        ("late.mkv", "46", "matroska"),
        ("late.ts", "3600", "mpegts"),
        ("late.flv", "90", "flv"),
        ("late.mp4", "20", "mp4"),
    ] {
        let words = ["-i", &even, "-c", "copy", "-output_ts_offset", begin, "-f", format];
        let fragments = ["-movflags", "frag_keyframe+empty_moov+delay_moov"];
        let more = if format == "mp4" { &fragments[..] } else { &[] };
        ffmpeg(&[&words[..], more].concat(), &at(name));
    }
    ffmpeg(&["-ss", "2", "-copyts", "-i", &even, "-c", "copy"], &at("part2.mkv"));
    // A length that is not there, in a file that is.
    ffmpeg(&["-i", &even, "-c", "copy"], &at("boast.mkv"));
    let mut boast = fs::read(at("boast.mkv")).expect("a film");
    let tags: Vec<usize> =
        (0..boast.len()).filter(|n| boast[*n..].starts_with(b"00:00:0")).collect();
    assert!(!tags.is_empty(), "no tag tells a length");
    for tag in tags {
        boast[tag + 3..tag + 5].copy_from_slice(b"07");
    }
    fs::write(at("boast.mkv"), &boast).expect("written");
    fs::write(at("cut.mkv"), &boast[..boast.len() * 2 / 3]).expect("written");
    let wav = Command::new("ffmpeg")
        .args(["-v", "error", "-i", &even, "-vn", "-f", "wav", "pipe:1"])
        .output()
        .expect("ffmpeg runs");
    fs::write(at("piped.wav"), wav.stdout).expect("written");
    // Two recordings, one behind the other; and one whose sound begins later than ffmpeg usually looks.
    ffmpeg(&["-i", &even, "-c", "copy"], &at("once.ts"));
    let once = fs::read(at("once.ts")).expect("a film");
    fs::write(at("twice.ts"), [&once[..], &once[..]].concat()).expect("written");
    make("silent.ts", film(7.0, 0.1), &["-map", "0:v", "-g", "25", "-keyint_min", "25"]);
    let silent = fs::read(at("silent.ts")).expect("a film");
    ffmpeg(&["-i", &even, "-c", "copy", "-output_ts_offset", "7"], &at("sounds.ts"));
    let sounds = fs::read(at("sounds.ts")).expect("a film");
    fs::write(at("soundlater.mp4"), [silent, sounds].concat()).expect("written");
    // A pause in the sound.
    let pause = ["-af", "aselect='not(between(t,1,3))'"];
    make("pause.mkv", film(4.0, 4.0), &pause);
    recording(&folder.path().join("webcam.webm"));
    make("deep.mp4", film(2.0, 2.0), &["-pix_fmt", "yuv420p10le"]);
    let hlg = ["-pix_fmt", "yuv420p10le", "-color_primaries", "bt2020", "-colorspace", "bt2020nc"];
    make("hlg.mp4", film(2.0, 2.0), &[&hlg[..], &["-color_trc", "arib-std-b67"]].concat());
    folder
}

/// As browsers record: some 20 pictures a second at uneven milliseconds, and no word on a rate.
fn recording(path: &Path) {
    let picture = "testsrc2=s=160x90:r=20:d=6,settb=1/1000,setpts='N*50+random(0)*47'";
    let words =
        ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:duration=6"];
    let form = ["-vsync", "passthrough", "-enc_time_base:v", "1:1000", "-c:v", "libvpx"];
    let more = ["-deadline", "realtime", "-c:a", "libopus", "-f", "webm", "-live", "1"];
    ffmpeg(&[&words[..], &form, &more].concat(), path);
    let mut bytes = fs::read(path).expect("a film");
    // The length of a picture becomes an empty element.
    let told = bytes.windows(3).position(|id| id == [0x23, 0xE3, 0x83]);
    if let Some(at) = told {
        let length = 4 + usize::from(bytes[at + 3] & 0x7F);
        let empty = [0xEC, 0x80 | u8::try_from(length - 2).expect("short")];
        bytes[at..at + length].fill(0);
        bytes[at..at + 2].copy_from_slice(&empty);
    }
    fs::write(path, bytes).expect("written");
}

/// What was made of a film.
struct Made {
    done: Converted,
    /// All of it as one file.
    whole: PathBuf,
    probed: Value,
    /// Beginning, end and packets of the picture and of the sound.
    tracks: [Option<(f64, f64, usize)>; 2],
    playlist_s: f64,
    _streams: TempDir,
}

async fn made(name: &str, profile: &str) -> Result<Made, IngestError> {
    let streams = tempfile::tempdir().expect("a folder");
    let job = ConvertJob {
        input: films().join(name),
        channel: ChannelId::parse("canal").expect("an id"),
        profile: profile.parse().expect("a profile"),
        streams: streams.path().to_owned(),
        replace: false,
        tools: Tools::default(),
    };
    let done = convert(&job, &CancellationToken::new(), |_| {}).await?;
    let channel = streams.path().join("canal");
    let below = fs::read_dir(&channel).expect("a folder").filter_map(Result::ok);
    let below = below.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap_or(channel);
    let playlist = fs::read_to_string(below.join("playlist.m3u8")).expect("a playlist");
    let mut whole = fs::read(below.join("init.mp4")).expect("an init");
    let mut playlist_s = 0.0;
    for line in playlist.lines() {
        if let Some(length) = line.strip_prefix("#EXTINF:") {
            playlist_s += length.trim_end_matches(',').parse::<f64>().expect("a length");
        } else if !line.starts_with('#') {
            whole.extend(fs::read(below.join(line)).expect("a segment"));
        }
    }
    let path = streams.path().join("whole.mp4");
    fs::write(&path, whole).expect("written");
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_streams", "-show_entries"])
        .args(["packet=stream_index,pts_time,duration_time,flags"])
        .arg(&path)
        .output()
        .expect("ffprobe runs");
    let probed: Value = serde_json::from_slice(&probed.stdout).expect("JSON");
    let seconds = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    let track = |kind: &str| {
        let streams = probed["streams"].as_array()?;
        let index = &streams.iter().find(|stream| stream["codec_type"] == kind)?["index"];
        let packets = probed["packets"].as_array()?.iter();
        let shown = packets.filter(|packet| packet["stream_index"] == *index);
        let times: Vec<(f64, f64)> = shown
            .filter_map(|packet| {
                let at = seconds(&packet["pts_time"])?;
                Some((at, at + seconds(&packet["duration_time"]).unwrap_or(0.0)))
            })
            .collect();
        let start = times.iter().map(|(start, _)| *start).reduce(f64::min)?;
        let end = times.iter().map(|(_, end)| *end).reduce(f64::max)?;
        Some((start, end, times.len()))
    };
    let tracks = [track("video"), track("audio")];
    Ok(Made { done, whole: path, tracks, playlist_s, probed, _streams: streams })
}

impl Made {
    /// The colour at a moment and a place.
    fn colour(&self, at_s: f64, (x, y): (u32, u32)) -> &'static str {
        let shown = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&self.whole)
            .args(["-ss", &at_s.to_string(), "-frames:v", "1"])
            .args(["-vf", &format!("crop=2:2:{x}:{y}"), "-pix_fmt", "rgb24"])
            .args(["-f", "rawvideo", "pipe:1"])
            .output()
            .expect("ffmpeg runs");
        let strongest = shown.stdout.iter().take(3).enumerate().max_by_key(|(_, value)| **value);
        ["red", "green", "blue"][strongest.expect("a picture").0]
    }

    /// The colours of the left and the right half.
    fn halves(&self, at_s: f64) -> [&'static str; 2] {
        [(20, 40), (120, 40)].map(|place| self.colour(at_s, place))
    }

    fn stream(&self, kind: &str) -> &Value {
        let streams = self.probed["streams"].as_array().expect("streams");
        streams.iter().find(|stream| stream["codec_type"] == kind).expect("a stream")
    }

    /// Picture and sound begin and end together after so many seconds.
    fn is_even(&self, told: &str, length_s: f64) {
        let [Some(picture), Some(sound)] = self.tracks else { panic!("{told}: {:?}", self.tracks) };
        let all = format!("{told}: picture {picture:?}, sound {sound:?}, {} s", self.playlist_s);
        assert!((picture.0 - sound.0).abs() < EVEN_S, "{all} begin apart");
        assert!((picture.1 - sound.1).abs() < EVEN_S, "{all} end apart");
        assert!(picture.0.max(sound.0) < EVEN_S, "{all} begin late");
        assert!((picture.1 - picture.0 - length_s).abs() < EVEN_S, "{all}, not {length_s}");
        assert!((self.playlist_s - length_s).abs() < 2.0 * EVEN_S, "{all}, not {length_s}");
        assert!((self.done.duration_s - self.playlist_s).abs() < 0.01, "{all}");
    }
}

#[tokio::test]
async fn picture_and_sound_are_of_one_length() {
    for (name, profile, length_s) in [
        ("even.mp4", "auto", 4.0),
        ("even.mp4", "source", 4.0),
        ("shortsound.mp4", "auto", 4.0),
        ("shortsound.mp4", "low", 4.0),
        ("shortsound.mp4", "source", 4.0),
        ("shortpicture.mp4", "auto", 4.0),
        ("shortpicture.mp4", "source", 4.0),
        ("bitlonger.mp4", "source", 3.0),
        ("latesound.mkv", "auto", 5.4),
        ("latesound.mkv", "source", 5.4),
        ("latepicture.mkv", "auto", 5.4),
        ("latepicture.mkv", "source", 5.4),
        ("pause.mkv", "source", 4.0),
        ("soundlater.mp4", "auto", 11.0),
    ] {
        let told = format!("{name} {profile}");
        let made = made(name, profile).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        made.is_even(&told, length_s);
    }
}

#[tokio::test]
async fn two_recordings_behind_each_other_end_together() {
    for profile in ["auto", "low"] {
        let made = made("twice.ts", profile).await.expect("made");
        let [Some(picture), Some(sound)] = made.tracks else { panic!("{:?}", made.tracks) };
        assert!((picture.1 - sound.1).abs() < EVEN_S, "{picture:?} {sound:?}");
        assert!((7.5..8.5).contains(&(picture.1 - picture.0)), "{picture:?}");
    }
}

#[tokio::test]
async fn a_copy_shows_what_the_file_says() {
    for (name, size, left, right) in [
        ("even.mp4", (160, 90), "red", "blue"),
        ("turned.mov", (90, 160), "blue", "red"),
        ("upside.mp4", (160, 90), "blue", "red"),
        ("mirrored.mp4", (160, 90), "blue", "red"),
        ("trimmed.mp4", (160, 90), "green", "green"),
    ] {
        let made = made(name, "source").await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let picture = made.stream("video");
        let shown = (picture["width"].as_u64(), picture["height"].as_u64());
        assert_eq!(shown, (Some(size.0), Some(size.1)), "{name}");
        assert!(picture["side_data_list"].is_null(), "{name} is still to be turned");
        let shown = match name {
            // As ffmpeg turns it, and every player that knows of it.
            "turned.mov" => [(40, 20), (40, 120)].map(|place| made.colour(0.2, place)),
            _ => made.halves(0.2),
        };
        assert_eq!(shown, [left, right], "{name}");
        let length_s = if name == "trimmed.mp4" { 2.0 } else { 4.0 };
        made.is_even(name, length_s);
        assert_eq!(made.stream("audio")["codec_name"], "aac");
    }
}

#[tokio::test]
async fn a_recording_has_the_pictures_that_were_counted() {
    let made = made("webcam.webm", "auto").await.expect("made");
    let [Some((start_s, end_s, pictures)), Some(_)] = made.tracks else { panic!("no tracks") };
    let rate = pictures as f64 / (end_s - start_s);
    assert!((18.0..32.0).contains(&rate), "{pictures} pictures, {rate} a second");
    made.is_even("webcam.webm", 6.0);
    assert!(made.stream("video")["level"].as_u64().is_some_and(|level| level <= 31));
}

#[tokio::test]
async fn clocks_may_begin_anywhere_and_tags_may_be_wrong() {
    for (name, profile, length_s) in [
        ("late.mkv", "low", 4.0),
        ("late.mkv", "source", 4.0),
        ("late.ts", "low", 4.0),
        ("late.flv", "low", 4.0),
        ("late.mp4", "low", 4.0),
        ("boast.mkv", "low", 4.0),
    ] {
        let told = format!("{name} {profile}");
        let made = made(name, profile).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        made.is_even(&told, length_s);
    }
    let part = made("part2.mkv", "low").await.expect("made");
    assert!((1.8..4.2).contains(&part.done.duration_s), "{}", part.done.duration_s);
    let piped = made("piped.wav", "low").await.expect("made");
    assert!((piped.done.duration_s - 4.0).abs() < EVEN_S, "{}", piped.done.duration_s);
    let cut = made("cut.mkv", "low").await.err().expect("a cut file").to_string();
    assert!(cut.contains("is damaged"), "{cut}");
}

#[tokio::test]
async fn every_phone_decodes_what_is_made() {
    for name in ["deep.mp4", "soundlater.mp4"] {
        let made = made(name, "auto").await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(made.stream("video")["pix_fmt"], "yuv420p", "{name}");
        assert_eq!(made.stream("audio")["codec_name"], "aac", "{name}");
    }
    // The colours of a film in HLG are told on, so that screens can show them as they are.
    let picture = made("hlg.mp4", "auto").await.expect("made").stream("video").clone();
    assert_eq!(picture["color_transfer"], "arib-std-b67");
    assert_eq!(
        (&picture["color_primaries"], &picture["pix_fmt"]),
        (&"bt2020".into(), &"yuv420p".into())
    );
}

#[tokio::test]
async fn the_doctor_names_what_begins_without_a_track() {
    let streams = Streams::new();
    let even = films().join("even.mp4").display().to_string();
    let part = |channel: &str, n: u32| streams.path(&format!("{channel}/part{n}.ts"));
    for (channel, silent, tracks) in [
        ("silent", 1, "0:v"),
        ("longsilent", 2, "0:v"),
        // Only the last has sound, and only some browsers would play that.
        ("latest", 3, "0:v"),
        ("dolby", 1, "0:v"),
        ("blind", 1, "0:a"),
        ("whole", 0, "0"),
    ] {
        let sound = if channel == "dolby" { "ac3" } else { "aac" };
        fs::create_dir(streams.path(channel)).expect("a folder");
        let pattern = streams.path(&format!("{channel}/part%d.ts")).display().to_string();
        let form =
            ["-i", &even, "-preset", "ultrafast", "-g", "25", "-keyint_min", "25", "-f", "hls"];
        let segments = ["-hls_time", "1", "-hls_list_size", "0", "-hls_segment_filename", &pattern];
        let playlist = streams.path(&format!("{channel}/playlist.m3u8"));
        ffmpeg(&[&form[..], &segments, &["-c:a", sound]].concat(), &playlist);
        for n in 0..silent {
            let (from, to) = (part(channel, n).display().to_string(), streams.outside("x.ts"));
            ffmpeg(&["-copyts", "-i", &from, "-map", tracks, "-c", "copy", "-muxdelay", "0"], &to);
            fs::rename(to, part(channel, n)).expect("moved");
        }
    }
    let output = program::carrete_verb(&["doctor", "--port", "0"], &streams, &[]).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for channel in ["silent", "longsilent", "latest", "dolby", "blind"] {
        let what = if channel == "blind" { "picture" } else { "sound" };
        let line = format!("FAIL {channel:?}: its first segment has no {what}");
        assert!(told.contains(&line), "{line} is not in {told}");
    }
    assert!(!told.contains("\"whole\""), "{told}");
}
