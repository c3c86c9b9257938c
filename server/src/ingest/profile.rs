//! What a conversion makes: boxes and rates by name, fitted to what the file has.

use std::str::FromStr;

use super::probe::{MediaInfo, Picture};

/// The name of a quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfileName {
    /// The best single rendition that does not upscale, under a master playlist.
    #[default]
    Auto,
    /// 640x360, 500 kb/s.
    Low,
    /// 1280x720, 1500 kb/s.
    Medium,
    /// 1920x1080, 3000 kb/s.
    High,
    /// What the file has, not encoded again.
    Source,
}

impl ProfileName {
    /// As it is written in a command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Source => "source",
        }
    }
}

impl FromStr for ProfileName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Low, Self::Medium, Self::High, Self::Source]
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or("a profile is one of auto, low, medium, high and source")
    }
}

/// A box for landscape, and the most that it may cost.
#[derive(Clone, Copy, Debug)]
struct Step {
    name: &'static str,
    width: u32,
    height: u32,
    video_kbps: u32,
    audio_kbps: u32,
}

const LOW: Step = Step { name: "low", width: 640, height: 360, video_kbps: 500, audio_kbps: 64 };
const MEDIUM: Step =
    Step { name: "medium", width: 1280, height: 720, video_kbps: 1_500, audio_kbps: 128 };
const HIGH: Step =
    Step { name: "high", width: 1920, height: 1080, video_kbps: 3_000, audio_kbps: 160 };

/// Seconds of a segment: 125 kB before the first picture at the low profile.
const SEGMENT_S: u32 = 2;

/// What ffmpeg is to do with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The sub-folder of the rendition where a master playlist stands above it.
    pub(super) below: Option<String>,
    /// Width and height of the pictures, if any are encoded.
    pub(super) size: Option<(u32, u32)>,
    video: Option<u32>,
    audio: Option<u32>,
    /// Index of the streams of the file.
    streams: Vec<u32>,
    has_picture: bool,
    deinterlace: bool,
    copy: bool,
    hevc: bool,
}

impl Plan {
    pub(super) fn new(profile: ProfileName, media: &MediaInfo) -> Self {
        let step = match profile {
            ProfileName::Low => LOW,
            ProfileName::Medium => MEDIUM,
            ProfileName::High | ProfileName::Source => HIGH,
            ProfileName::Auto => best(media.picture.as_ref()),
        };
        let copy = profile == ProfileName::Source;
        let picture = media.picture.as_ref();
        let streams =
            picture.map(|picture| picture.stream).into_iter().chain(media.sound).collect();
        Self {
            below: (profile == ProfileName::Auto).then(|| step.name.to_owned()),
            size: picture.filter(|_| !copy).map(|picture| fit(step, picture)),
            video: picture.filter(|_| !copy).map(|_| step.video_kbps),
            audio: media.sound.filter(|_| !copy).map(|_| step.audio_kbps),
            streams,
            has_picture: picture.is_some(),
            deinterlace: picture.is_some_and(|picture| picture.interlaced),
            copy,
            hevc: copy && picture.is_some_and(|picture| picture.codec == "hevc"),
        }
    }

    pub(super) fn copies(&self) -> bool {
        self.copy
    }

    pub(super) fn has_picture(&self) -> bool {
        self.has_picture
    }

    /// ffmpeg's arguments behind the input. Names are relative to the rendition's folder, because
    /// a `%` in a folder's name would be taken for a pattern.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Arguments::default();
        for stream in &self.streams {
            arguments.put(["-map", &format!("0:{stream}")]);
        }
        arguments.put(["-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"]);
        if self.copy {
            arguments.put(["-c", "copy"]);
            if self.hevc {
                arguments.put(["-tag:v", "hvc1"]);
            }
        }
        if let (Some((width, height)), Some(kbps)) = (self.size, self.video) {
            let deinterlace = if self.deinterlace { "yadif=deint=interlaced," } else { "" };
            let filter = format!("{deinterlace}scale={width}:{height}:flags=bicubic,setsar=1");
            arguments.put(["-vf", &filter, "-c:v", "libx264", "-preset", "veryfast"]);
            arguments.put(["-pix_fmt", "yuv420p", "-profile:v", "high", "-crf", "22"]);
            // The rate is a bound, not an aim: what is simple costs less.
            arguments.put(["-maxrate", &format!("{kbps}k"), "-bufsize", &format!("{kbps}k")]);
            let frames = format!("expr:gte(t,n_forced*{SEGMENT_S})");
            arguments.put(["-force_key_frames", &frames, "-sc_threshold", "0"]);
            arguments.put(["-flags", "+cgop"]);
        }
        if let Some(kbps) = self.audio {
            arguments.put(["-c:a", "aac", "-b:a", &format!("{kbps}k")]);
            arguments.put(["-ac", "2", "-ar", "48000"]);
        }
        let seconds = SEGMENT_S.to_string();
        arguments.put(["-f", "hls", "-hls_time", &seconds, "-hls_list_size", "0"]);
        arguments.put(["-hls_playlist_type", "vod", "-hls_flags", "independent_segments"]);
        arguments.put(["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"]);
        arguments.put(["-hls_segment_filename", "segment%05d.m4s", "playlist.m3u8"]);
        arguments.0
    }
}

#[derive(Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn put<const N: usize>(&mut self, arguments: [&str; N]) {
        self.0.extend(arguments.map(str::to_owned));
    }
}

/// The smallest box that takes the picture as it is, else the largest.
fn best(picture: Option<&Picture>) -> Step {
    let Some(picture) = picture else { return HIGH };
    let (long, short) = (picture.width.max(picture.height), picture.width.min(picture.height));
    [LOW, MEDIUM]
        .into_iter()
        .find(|step| long <= step.width && short <= step.height)
        .unwrap_or(HIGH)
}

/// The picture within the box, turned for portrait, never larger than it is, in even numbers.
fn fit(step: Step, picture: &Picture) -> (u32, u32) {
    let (mut wide, mut high) = (step.width, step.height);
    if picture.height > picture.width {
        (wide, high) = (high, wide);
    }
    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
    let scale = (f64::from(wide) / width).min(f64::from(high) / height).min(1.0);
    (even(width * scale, wide), even(height * scale, high))
}

/// The nearest even number that is neither nothing nor more than is there.
fn even(length: f64, most: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the box")]
    let halves = ((length + 0.001) / 2.0) as u32;
    (halves * 2).clamp(2, most)
}

#[cfg(test)]
mod tests {
    use super::{Plan, ProfileName};
    use crate::ingest::probe::{MediaInfo, Picture};

    fn check(profile: &str, width: u32, height: u32, below: Option<&str>, size: (u32, u32)) {
        let picture = Picture {
            stream: 0,
            width,
            height,
            interlaced: false,
            codec: "h264".into(),
            frame_rate: Some(25.0),
        };
        let media = MediaInfo { picture: Some(picture), sound: Some(1), ..MediaInfo::default() };
        let plan = Plan::new(profile.parse().expect("a profile"), &media);
        assert_eq!(plan.below.as_deref(), below, "{profile} {width}x{height}");
        assert_eq!(plan.size, Some(size), "{profile} {width}x{height}");
    }

    #[test]
    fn boxes_turn_and_never_upscale_nor_crop() {
        for (profile, width, height, below, size) in [
            ("low", 1920, 1080, None, (640, 360)),
            ("low", 1080, 1920, None, (360, 640)),
            ("low", 1000, 1000, None, (360, 360)),
            ("low", 320, 240, None, (320, 240)),
            ("low", 321, 241, None, (320, 240)),
            ("low", 1920, 800, None, (640, 266)),
            ("medium", 720, 1280, None, (720, 1280)),
            ("medium", 640, 480, None, (640, 480)),
            ("high", 3840, 2160, None, (1920, 1080)),
            ("high", 2160, 3840, None, (1080, 1920)),
            ("high", 4000, 3, None, (1920, 2)),
            ("auto", 640, 360, Some("low"), (640, 360)),
            ("auto", 360, 640, Some("low"), (360, 640)),
            ("auto", 640, 480, Some("medium"), (640, 480)),
            ("auto", 1080, 1920, Some("high"), (1080, 1920)),
            ("auto", 7680, 4320, Some("high"), (1920, 1080)),
        ] {
            check(profile, width, height, below, size);
        }
    }

    #[test]
    fn profiles_have_the_names_of_the_command() {
        for name in ["auto", "low", "medium", "high", "source"] {
            assert_eq!(name.parse().map(ProfileName::as_str), Ok(name));
        }
        assert!("ultra".parse::<ProfileName>().is_err());
    }
}
