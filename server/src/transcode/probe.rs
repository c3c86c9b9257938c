//! What is in a file: told by ffprobe, after a look of our own that it is no list of other files.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{IngestError, Tools, ffmpeg, measure::Measured};

/// What a conversion needs to know of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct MediaInfo {
    pub(super) picture: Option<Picture>,
    /// Index of the stream with the sound that is taken.
    pub(super) sound: Option<u32>,
    /// Where ffmpeg begins to read, in seconds of the container's clock.
    pub(super) start_s: f64,
    /// Length in seconds, perhaps estimated.
    pub(super) duration_s: Option<f64>,
    /// Length or end in seconds of the picture, or of the sound alone, where the file announces it.
    pub(super) announced_s: Option<f64>,
    /// A transport or program stream, whose clock may be set anew anywhere.
    pub(super) broadcast: bool,
    pub(super) title: Option<String>,
}

impl MediaInfo {
    /// Without a track that the file names and has nothing of, where it has something of another.
    pub(super) fn with_what_is_there(mut self, measured: &Measured) -> Self {
        if measured.picture.is_some() {
            self.sound = self.sound.filter(|_| measured.sound.is_some());
        } else if measured.sound.is_some() {
            self.picture = None;
        }
        self
    }
}

/// The moving picture of a file, as it is shown: turned, with square pixels.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) stream: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) interlaced: bool,
    /// The file says that it is to be turned or mirrored.
    pub(super) turned: bool,
    pub(super) codec: String,
    /// Pictures a second on the whole, by what the file says of itself.
    pub(super) frame_rate: Option<f64>,
    /// The rate that ffmpeg would encode at.
    pub(super) told_rate: Option<f64>,
}

/// Bytes at the beginning of a file that tell a playlist.
const SNIFFED: u64 = 4 * 1024;

/// Still pictures that come no oftener than this are a cover or those of chapters, a second.
const SLOW: f64 = 2.0;

/// The absolute path of a regular file that can be read and is no playlist.
///
/// A playlist under a video's name would make ffmpeg open what it names: files of this host.
pub(super) async fn readable(input: &Path) -> Result<PathBuf, IngestError> {
    let input = input.to_owned();
    let look = move || {
        let unreadable = || IngestError::UnreadableInput(input.clone());
        let metadata =
            std::fs::metadata(&input).map_err(|_| IngestError::NoInput(input.clone()))?;
        if !metadata.is_file() {
            return Err(unreadable());
        }
        let mut head = Vec::new();
        let file = std::fs::File::open(&input).map_err(|_| unreadable())?;
        file.take(SNIFFED).read_to_end(&mut head).map_err(|_| unreadable())?;
        if is_playlist(&head) {
            return Err(IngestError::Playlist(input.clone()));
        }
        std::path::absolute(&input).map_err(|_| unreadable())
    };
    tokio::task::spawn_blocking(look).await.map_err(|_| IngestError::Stopped)?
}

fn is_playlist(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let begins =
        ["#extm3u", "#ext", "ffconcat", "[playlist]", "[reference]", "<asx", "<smil", "v=0"];
    begins.iter().any(|begin| text.starts_with(begin))
        || (text.starts_with('<') && ["<mpd", "<smil", "<asx"].iter().any(|tag| text.contains(tag)))
        || text.lines().next().is_some_and(|line| line.starts_with("file '"))
}

/// What becomes of the sound of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    /// It is encoded, so that whatever stands first will do.
    Encoded,
    /// It is taken over as it is: one that plays everywhere goes before the first.
    Copied,
}

/// Asks ffprobe.
pub(super) async fn probe(
    tools: &Tools,
    input: &Path,
    sound: Sound,
    stop: &CancellationToken,
) -> Result<MediaInfo, IngestError> {
    let told = ffmpeg::probe(tools, input, stop).await?;
    let probed: Probed =
        serde_json::from_slice(&told).map_err(|_| IngestError::NoMedia(input.to_owned()))?;
    let media = read(&probed, sound);
    if media.picture.is_none() && media.sound.is_none() {
        return Err(IngestError::NoMedia(input.to_owned()));
    }
    Ok(media)
}

fn read(probed: &Probed, sounds: Sound) -> MediaInfo {
    let is_sound = |stream: &&Stream| stream.codec_type == "audio" && stream.channels != Some(0);
    let duration_s =
        probed.format.duration.as_deref().and_then(number).filter(|seconds| *seconds > 0.0);
    let sound = probed.streams.iter().filter(is_sound);
    // Of several that are alike, the first.
    let sound = sound.min_by_key(|s| sounds == Sound::Copied && !s.plays_everywhere());
    let picture = picture(&probed.streams, sound.is_some());
    let leading = picture.as_ref().map_or(sound, |picture| {
        probed.streams.iter().find(|stream| stream.index == picture.stream)
    });
    // SourceConfig the length is a guess from the size and the first rate.
    let announces = ["mov,", "matroska,", "avi", "flac", "wav"];
    let announces = announces.iter().any(|name| probed.format.format_name.starts_with(name));
    let announced_s = leading.filter(|_| announces).and_then(Stream::length);
    let title = probed.format.tags.iter().find(|(name, _)| name.eq_ignore_ascii_case("title"));
    MediaInfo {
        picture,
        sound: sound.map(|stream| stream.index),
        start_s: probed.format.start_time.as_deref().and_then(number).unwrap_or(0.0),
        duration_s,
        announced_s,
        broadcast: probed.format.format_name.starts_with("mpeg"),
        title: title.and_then(|(_, text)| Some(text.as_str()?.to_owned())),
    }
}

/// The picture that somebody would watch. A cover, or a picture for each chapter, is none beside a film
/// or a sound, wherever it stands.
fn picture(streams: &[Stream], beside_sound: bool) -> Option<Picture> {
    let is_film = |stream: &&Stream| !stream.is_still();
    let film = streams.iter().filter(is_film).find_map(Stream::picture);
    film.or_else(|| streams.iter().filter(|_| !beside_sound).find_map(Stream::picture))
}

#[derive(Deserialize)]
struct Probed {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    format_name: String,
    start_time: Option<String>,
    duration: Option<String>,
    tags: serde_json::Map<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_type: String,
    codec_name: String,
    width: u32,
    height: u32,
    channels: Option<u32>,
    duration: Option<String>,
    tags: serde_json::Map<String, serde_json::Value>,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    nb_frames: Option<String>,
    field_order: Option<String>,
    disposition: Disposition,
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disposition {
    attached_pic: u8,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
    displaymatrix: Option<String>,
}

impl SideData {
    /// Whether the picture is shown otherwise than it is stored. The matrix also mirrors, which no
    /// angle says.
    fn turns(&self) -> bool {
        const ONE: [i64; 9] = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30];
        let matrix = self.displaymatrix.as_deref().map(|matrix| {
            let rows = matrix.lines().map(|line| line.split_once(':').map_or("", |(_, row)| row));
            rows.flat_map(str::split_whitespace)
                .filter_map(|n| n.parse::<i64>().ok())
                .collect::<Vec<_>>()
        });
        let angle = || self.rotation.is_some_and(|degrees| (degrees % 360.0).abs() > 0.5);
        match matrix {
            // Where it stands at the edge of the picture says nothing of how.
            Some(matrix) if matrix.len() == ONE.len() => {
                [0, 1, 2, 3, 4, 5, 8].iter().any(|n| matrix[*n] != ONE[*n])
            }
            _ => angle(),
        }
    }
}

impl Stream {
    /// Whether it is one of still pictures that come so rarely that nobody would watch them as a film.
    /// Old cameras make films of the same codec.
    fn is_still(&self) -> bool {
        const STILL: [&str; 7] = ["mjpeg", "mjpegb", "png", "gif", "tiff", "webp", "bmp"];
        let rate = self.avg_frame_rate.as_deref().and_then(|text| ratio(text, '/'));
        let one = self.nb_frames.as_deref() == Some("1");
        STILL.contains(&&*self.codec_name) && (one || rate.is_none_or(|rate| rate <= SLOW))
    }

    /// Whether all browsers play its sound as it is.
    fn plays_everywhere(&self) -> bool {
        ["aac", "mp3", "opus", "flac"].contains(&&*self.codec_name)
    }

    /// Of most containers a member; Matroska has a tag `01:02:03.5`.
    fn length(&self) -> Option<f64> {
        let tagged = || {
            let (_, text) =
                self.tags.iter().find(|(name, _)| name.eq_ignore_ascii_case("duration"))?;
            text.as_str()?
                .split(':')
                .map(number)
                .try_fold(0.0, |sum, part| Some(sum * 60.0 + part?))
        };
        self.duration.as_deref().and_then(number).or_else(tagged).filter(|length| *length > 0.0)
    }

    fn picture(&self) -> Option<Picture> {
        // A cover is a picture that does not move.
        let moves = self.codec_type == "video" && self.disposition.attached_pic == 0;
        if !moves || self.width == 0 || self.height == 0 {
            return None;
        }
        let aspect = self.sample_aspect_ratio.as_deref().and_then(|text| ratio(text, ':'));
        let aspect = aspect.filter(|aspect| (0.1..10.0).contains(aspect)).unwrap_or(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
        let wide = (f64::from(self.width) * aspect).round().max(1.0) as u32;
        let rotation = self.side_data_list.iter().find_map(|side| side.rotation).unwrap_or(0.0);
        let turned = (rotation / 90.0).round().abs() % 2.0 > 0.5;
        let (width, height) = if turned { (self.height, wide) } else { (wide, self.height) };
        Some(Picture {
            stream: self.index,
            width,
            height,
            interlaced: matches!(self.field_order.as_deref(), Some("tt" | "bb" | "tb" | "bt")),
            turned: self.side_data_list.iter().any(SideData::turns),
            codec: self.codec_name.clone(),
            frame_rate: self.avg_frame_rate.as_deref().and_then(|text| ratio(text, '/')),
            told_rate: self.r_frame_rate.as_deref().and_then(|text| ratio(text, '/')),
        })
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn ratio(text: &str, sign: char) -> Option<f64> {
    let (above, below) = text.split_once(sign)?;
    let ratio = number(above)? / number(below)?;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::{Probed, Sound, is_playlist, read};

    #[test]
    fn playlists_are_told_from_media() {
        for list in [
            "#EXTM3U\n/etc/passwd",
            "\u{FEFF}\n #extm3u",
            "ffconcat version 1.0",
            "file '/etc/passwd'\n",
            "<?xml version=\"1.0\"?>\n<!-- x --><MPD xmlns=\"\">",
            "[playlist]\nFile1=x",
            "v=0\r\no=- 0",
        ] {
            assert!(is_playlist(list.as_bytes()), "{list:?}");
        }
        for media in
            [&b"\0\0\0\x20ftypisom"[..], b"\x1aE\xdf\xa3", b"ID3", b"G@\0\x10", b"OggS", b""]
        {
            assert!(!is_playlist(media), "{media:?}");
        }
    }

    #[test]
    fn what_is_turned_or_mirrored_is_known() {
        let turns = |a: i64, b: i64, c: i64, d: i64, rotation: Option<f64>| {
            let row = |x: i64, y: i64, z: i64| format!("00000000: {x:>11} {y:>11} {z:>11}\n");
            let rows = [row(a, b, 0), row(c, d, 0), row(77 << 16, 0, 1 << 30)];
            let displaymatrix = Some(format!("\n{}", rows.concat()));
            super::SideData { rotation, displaymatrix }.turns()
        };
        let one = 1 << 16;
        assert!(!turns(one, 0, 0, one, Some(0.0)));
        for (a, b, c, d) in [
            (0, one, -one, 0),
            (0, -one, one, 0),
            (-one, 0, 0, -one),
            (-one, 0, 0, one),
            (one, 0, 0, -one),
            (0, one, one, 0),
        ] {
            assert!(turns(a, b, c, d, Some(0.0)), "{a} {b} {c} {d}");
        }
        for (degrees, turned) in [(0.0, false), (-360.0, false), (90.0, true), (-180.0, true)] {
            let side = super::SideData { rotation: Some(degrees), displaymatrix: None };
            assert_eq!(side.turns(), turned, "{degrees}");
        }
    }

    #[test]
    fn pictures_are_taken_as_they_are_shown() {
        let told = r#"{"streams":[
            {"index":0,"codec_type":"video","width":600,"height":600,"disposition":{"attached_pic":1}},
            {"index":1,"codec_type":"video","codec_name":"h264","width":720,"height":576,
             "sample_aspect_ratio":"16:11","avg_frame_rate":"25/1","field_order":"tt",
             "side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]},
            {"index":2,"codec_type":"audio","channels":2}],
            "format":{"format_name":"mov,mp4","duration":"12.5","tags":{"Title":"La playa"}}}"#;
        let probed: Probed = serde_json::from_str(told).expect("as ffprobe tells it");
        let media = read(&probed, Sound::Encoded);
        let picture = media.picture.expect("a picture");
        assert_eq!((picture.stream, picture.width, picture.height), (1, 576, 1047));
        assert!(picture.interlaced && picture.turned);
        assert_eq!((media.sound, media.duration_s), (Some(2), Some(12.5)));
        assert_eq!(media.title.as_deref(), Some("La playa"));
    }
    /// Picture and sound that are taken of these streams, by their places.
    fn taken(streams: &[&str], sound: Sound) -> (Option<u32>, Option<u32>) {
        let told = streams.iter().enumerate().map(|(n, stream)| {
            let (kind, rest) = stream.split_once(' ').expect("a kind");
            let (codec, rate) = rest.split_once(' ').unwrap_or((rest, "0/0"));
            format!(
                r#"{{"index":{n},"codec_type":"{kind}","codec_name":"{codec}","width":64,"height":64,
                    "avg_frame_rate":"{rate}"}}"#
            )
        });
        let told = told.collect::<Vec<_>>().join(",");
        let probed: Probed =
            serde_json::from_str(&format!(r#"{{"streams":[{told}]}}"#)).expect("as ffprobe tells");
        let media = read(&probed, sound);
        (media.picture.map(|picture| picture.stream), media.sound)
    }

    #[test]
    fn what_would_be_played_is_taken() {
        for (streams, encoded, copied) in [
            (&["video h264 25/1", "audio aac"][..], (Some(0), Some(1)), Some(1)),
            (&["video mjpeg 1/9", "video h264 25/1", "audio aac"], (Some(1), Some(2)), Some(2)),
            (&["video png", "video hevc 25/1", "audio ac3"], (Some(1), Some(2)), Some(2)),
            (&["audio aac", "video mjpeg 1/1"], (None, Some(0)), Some(0)),
            (&["audio mp3", "video png"], (None, Some(0)), Some(0)),
            // The film of an old camera, and pictures without any sound.
            (&["video mjpeg 15/1", "audio pcm_u8"], (Some(0), Some(1)), Some(1)),
            (&["video mjpeg 1/2"], (Some(0), None), None),
            (
                &["video h264 25/1", "audio ac3", "audio dts", "audio aac"],
                (Some(0), Some(1)),
                Some(3),
            ),
            (
                &["video h264 25/1", "audio eac3", "audio opus", "audio aac"],
                (Some(0), Some(1)),
                Some(2),
            ),
        ] {
            assert_eq!(taken(streams, Sound::Encoded), encoded, "{streams:?}");
            assert_eq!(taken(streams, Sound::Copied), (encoded.0, copied), "{streams:?}");
        }
    }
}
