//! The rendition that ffmpeg left, and the master playlist above it.

use std::{fmt::Write as _, fs, io, path::Path};

use super::profile::Plan;

/// A finished media playlist and what its segments weigh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rendition {
    pub(super) duration_s: f64,
    /// Bits a second of the heaviest segment, and of all together.
    peak: u64,
    average: u64,
    /// Profile, constraints and level of H.264, if there is a picture of it.
    avc: Option<[u8; 3]>,
    has_sound: bool,
    frame_rate: Option<f64>,
}

impl Rendition {
    /// Reads the folder; `None` if it is not whole: no end, no segment, or one missing.
    pub(super) fn read(folder: &Path) -> io::Result<Option<Self>> {
        let playlist = match fs::read_to_string(folder.join("playlist.m3u8")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            playlist => playlist?,
        };
        let (mut duration_s, mut bytes, mut peak) = (0.0, 0, 0.0_f64);
        let mut segment_s = None;
        for line in playlist.lines() {
            if let Some(length) = line.strip_prefix("#EXTINF:") {
                segment_s = length.trim_end_matches(',').parse::<f64>().ok();
            } else if !line.is_empty() && !line.starts_with('#') {
                let (Some(seconds), Ok(segment)) =
                    (segment_s.take(), fs::metadata(folder.join(line)))
                else {
                    return Ok(None);
                };
                duration_s += seconds;
                bytes += segment.len();
                // The last one may be a frame long; its rate says nothing.
                if seconds >= 0.5 {
                    peak = peak.max(bits_a_second(segment.len(), seconds));
                }
            }
        }
        if duration_s <= 0.0 || !playlist.contains("#EXT-X-ENDLIST") {
            return Ok(None);
        }
        let init = fs::read(folder.join("init.mp4"))?;
        let average = bits_a_second(bytes, duration_s);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
        Ok(Some(Self {
            duration_s,
            peak: peak.max(average).ceil() as u64,
            average: average.ceil() as u64,
            avc: after(&init, b"avcC").and_then(|box_| box_.get(1..4)?.try_into().ok()),
            has_sound: after(&init, b"mp4a").is_some(),
            frame_rate: None,
        }))
    }

    /// With the frames a second of the picture, for the master playlist.
    pub(super) fn with_frame_rate(self, frame_rate: Option<f64>) -> Self {
        Self { frame_rate, ..self }
    }

    /// The master playlist with this one rendition in `below` (RFC 8216 §4.3.4.2).
    pub(super) fn master(&self, below: &str, plan: &Plan) -> String {
        let mut codecs = Vec::new();
        if let Some([profile, constraints, level]) = self.avc {
            codecs.push(format!("avc1.{profile:02x}{constraints:02x}{level:02x}"));
        }
        if self.has_sound {
            codecs.push("mp4a.40.2".to_owned());
        }
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"",
            self.peak,
            self.average,
            codecs.join(",")
        );
        if let Some((width, height)) = plan.size() {
            let _ = write!(text, ",RESOLUTION={width}x{height}");
        }
        if let Some(rate) = self.frame_rate.filter(|_| plan.has_picture()) {
            let _ = write!(text, ",FRAME-RATE={rate:.3}");
        }
        let _ = writeln!(text, "\n{below}/playlist.m3u8");
        text
    }
}

fn bits_a_second(bytes: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no segment has 2^53 bytes")]
    let bits = (bytes * 8) as f64;
    bits / seconds
}

/// What follows a box's name in an initialisation segment that we made ourselves.
fn after<'a>(init: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let at = init.windows(4).position(|window| window == name)?;
    init.get(at + 4..)
}
