//! What a conversion makes: boxes and rates by name, fitted to what the file has.

use std::str::FromStr;

use super::{
    arguments::{Arguments, Picturing, Sounding},
    even::{EVEN_S, Even},
    measure::Measured,
    note::Note,
    probe::{MediaInfo, Picture},
};

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

/// Sound that goes on after a copied picture is cut off up to this length, in seconds. Beyond, the
/// picture is encoded, so that its last image can stay.
const TRIMMED_MAX_S: f64 = 1.0;

/// A copied picture may begin so many seconds after the sound: players wait as long.
const LATE_MAX_S: f64 = 0.5;

/// A pause in copied sound from which on players stand still, in seconds.
const GAP_S: f64 = 0.3;

/// The clock is moved only by more than this, in seconds.
const SHIFT_MIN_S: f64 = 0.02;

/// What ffmpeg is to do with one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// The sub-folder of the rendition where a master playlist stands above it.
    pub(super) below: Option<String>,
    /// What its owner is told of it afterwards.
    pub(super) notes: Vec<Note>,
    /// Pictures a second of what is made, if there are any.
    pub(super) frame_rate: Option<f64>,
    picture: Option<(u32, Picturing)>,
    sound: Option<(u32, Sounding)>,
    /// Seconds by which the clock of the file is moved, so that what is taken begins at zero.
    shift_s: f64,
    /// What is copied ends here.
    until_s: Option<f64>,
    /// The sound ends with the picture, wherever that is.
    shortest: bool,
}

impl Plan {
    /// For one quality of one file, after what was counted in it.
    pub(super) fn new(profile: ProfileName, media: &MediaInfo, measured: &Measured) -> Self {
        let step = match profile {
            ProfileName::Low => LOW,
            ProfileName::Medium => MEDIUM,
            ProfileName::High => HIGH,
            ProfileName::Auto | ProfileName::Source => best(media.picture.as_ref()),
        };
        let even = Even::of(measured);
        let mut plan = Self {
            below: (profile == ProfileName::Auto).then(|| step.name.to_owned()),
            shift_s: measured.start_s().map_or(0.0, |start_s| media.start_s - start_s),
            ..Self::default()
        };
        if profile == ProfileName::Source {
            plan.copy(media, measured, &even, step);
        } else {
            plan.encode(media, measured, &even, step);
        }
        plan
    }

    fn encode(&mut self, media: &MediaInfo, measured: &Measured, even: &Even, step: Step) {
        if let Some(picture) = &media.picture {
            let (size, kbps) = (fit(step, picture), Some(step.video_kbps));
            self.encode_picture(picture, measured, even, (size, kbps));
        }
        if let Some(sound) = media.sound {
            self.encode_sound(sound, even, step);
        }
    }

    /// Takes over what can be, and says of the rest why it cannot.
    fn copy(&mut self, media: &MediaInfo, measured: &Measured, even: &Even, step: Step) {
        if let Some(picture) = &media.picture {
            let why = why_not_copied(picture, measured);
            let held = even.hold_s > TRIMMED_MAX_S;
            if why.is_some() || held {
                self.notes.extend(why);
                self.encode_picture(picture, measured, even, (shown(picture), None));
            } else {
                let hevc = picture.codec == "hevc";
                self.picture = Some((picture.stream, Picturing::Copied { hevc }));
                self.frame_rate = picture.frame_rate;
                if even.hold_s > EVEN_S {
                    self.until_s = even.picture_s;
                    self.notes.push(Note::SoundTrimmed(even.hold_s));
                }
            }
        }
        let Some(sound) = media.sound else { return };
        let hides = measured.sound.is_some_and(|track| track.hidden_s > EVEN_S);
        let pauses = measured.sound.is_some_and(|track| track.gap_s > GAP_S);
        let even_already = even.before_s <= EVEN_S && even.after_s <= EVEN_S;
        if media.picture.is_some() && (hides || pauses || !even_already) {
            if hides {
                self.notes.push(Note::SoundHidden);
            }
            self.encode_sound(sound, even, step);
        } else {
            self.sound = Some((sound, Sounding::Copied));
        }
    }

    fn encode_picture(
        &mut self,
        picture: &Picture,
        measured: &Measured,
        even: &Even,
        (size, kbps): ((u32, u32), Option<u32>),
    ) {
        let rate = measured.corrected_rate(picture);
        if let (Some(told), Some(rate)) = (picture.told_rate, rate) {
            self.notes.push(Note::Rate { told, rate });
        }
        if even.hold_s > EVEN_S {
            self.notes.push(Note::PictureHeld(even.hold_s));
        }
        self.frame_rate = rate.or(picture.frame_rate).or(picture.told_rate);
        let (deinterlace, hold_s) = (picture.interlaced, even.hold_s);
        let encoded = Picturing::Encoded { size, kbps, deinterlace, rate, hold_s };
        self.picture = Some((picture.stream, encoded));
    }

    fn encode_sound(&mut self, sound: u32, even: &Even, step: Step) {
        if even.before_s > EVEN_S {
            self.notes.push(Note::SilenceBefore(even.before_s));
        }
        if even.after_s > EVEN_S {
            self.notes.push(Note::SilenceAfter(even.after_s));
        }
        self.shortest = even.unknown;
        let encoded = Sounding::Encoded { kbps: step.audio_kbps, until_s: even.picture_s };
        self.sound = Some((sound, encoded));
    }

    /// Whether anything of the file is taken over as it is.
    pub(super) fn copies(&self) -> bool {
        matches!(self.picture, Some((_, Picturing::Copied { .. })))
            || matches!(self.sound, Some((_, Sounding::Copied)))
    }

    pub(super) fn has_picture(&self) -> bool {
        self.picture.is_some()
    }

    /// Width and height of the pictures, if any are encoded.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        match self.picture {
            Some((_, Picturing::Encoded { size, .. })) => Some(size),
            _ => None,
        }
    }

    /// ffmpeg's arguments before the input.
    pub(super) fn before(&self) -> Vec<String> {
        // ffmpeg moves the clock to the beginning of the file; what is taken may begin later.
        let moves = self.shift_s.abs() > SHIFT_MIN_S;
        let shift = || vec!["-itsoffset".to_owned(), format!("{:.6}", self.shift_s)];
        moves.then(shift).unwrap_or_default()
    }

    /// ffmpeg's arguments behind the input. Names are relative to the rendition's folder, because
    /// a `%` in a folder's name would be taken for a pattern.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Arguments::default();
        let picture = self.picture.as_ref().map(|(stream, _)| stream);
        for stream in picture.into_iter().chain(self.sound.as_ref().map(|(stream, _)| stream)) {
            arguments.put(["-map", &format!("0:{stream}")]);
        }
        arguments.put(["-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"]);
        if let Some((_, picture)) = &self.picture {
            arguments.picture(picture);
        }
        if let Some((_, sound)) = &self.sound {
            arguments.sound(sound, self.has_picture(), self.shortest);
        }
        if let Some(until_s) = self.until_s {
            arguments.put(["-t", &format!("{until_s:.6}")]);
        }
        if self.shortest && self.has_picture() {
            arguments.put(["-shortest"]);
        }
        arguments.segments();
        arguments.0
    }
}

/// Why a picture cannot be taken over truthfully.
fn why_not_copied(picture: &Picture, measured: &Measured) -> Option<Note> {
    if picture.turned {
        // HLS has no word for it, and what stands in the segments is read by some players only.
        return Some(Note::Turned);
    }
    let track = measured.picture?;
    if track.hidden_s > EVEN_S {
        return Some(Note::PictureHidden);
    }
    let first_s = track.key_s.unwrap_or(track.end_s);
    let late = measured.start_s().is_some_and(|start_s| first_s - start_s > LATE_MAX_S);
    late.then_some(Note::PictureLate)
}

/// The picture as it is shown, in even numbers.
fn shown(picture: &Picture) -> (u32, u32) {
    let down = |length: u32| (length - length % 2).max(2);
    (down(picture.width), down(picture.height))
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
    use crate::transcode::{
        measure::{Measured, Track},
        note::Note,
        probe::{MediaInfo, Picture},
    };

    fn check(profile: &str, width: u32, height: u32, below: Option<&str>, size: (u32, u32)) {
        let picture = Picture { width, height, ..Picture::default() };
        let media = MediaInfo { picture: Some(picture), sound: Some(1), ..MediaInfo::default() };
        let plan = Plan::new(profile.parse().expect("a profile"), &media, &Measured::default());
        assert_eq!(plan.below.as_deref(), below, "{profile} {width}x{height}");
        assert_eq!(plan.size(), Some(size), "{profile} {width}x{height}");
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

    fn track(start_s: f64, end_s: f64) -> Track {
        let (key_s, hidden_s, gap_s, clocks) = (Some(start_s), 0.0, 0.0, 1);
        Track { start_s, end_s, key_s, hidden_s, gap_s, clocks }
    }

    /// The arguments of a plan, and what is said of it.
    fn plan(profile: &str, turned: bool, picture: Track, sound: Track) -> (String, Vec<Note>) {
        let shown = Picture { width: 320, height: 181, turned, ..Picture::default() };
        let media = MediaInfo { picture: Some(shown), sound: Some(1), ..MediaInfo::default() };
        let measured = Measured { picture: Some(picture), sound: Some(sound), rate: None };
        let plan = Plan::new(profile.parse().expect("a profile"), &media, &measured);
        let arguments = [plan.before(), plan.arguments()].concat().join(" ");
        (arguments, plan.notes)
    }

    #[test]
    fn what_is_copied_is_copied_where_that_is_true() {
        let (arguments, notes) = plan("source", false, track(0.0, 10.0), track(0.02, 10.05));
        assert!(arguments.contains("-c:v copy -c:a copy -f hls"), "{arguments}");
        assert!(notes.is_empty(), "{notes:?}");
        let mut hidden = track(0.0, 10.0);
        hidden.hidden_s = 1.1;
        let mut pauses = track(0.0, 10.0);
        pauses.gap_s = 3.0;
        let mut late = track(0.0, 10.0);
        late.key_s = Some(2.0);
        let whole = track(0.0, 10.0);
        for (turned, picture, sound, part) in [
            (true, whole, whole, "scale=320:180:flags=bicubic,setsar=1 -c:v libx264"),
            (true, whole, whole, "-crf 18 -force"),
            (true, whole, whole, "-c:a copy"),
            (false, hidden, whole, "-c:v libx264"),
            (false, late, whole, "-c:v libx264"),
            (false, whole, hidden, "-c:v copy -c:a aac"),
            (false, whole, pauses, "-c:v copy -c:a aac"),
            (false, whole, track(1.5, 10.0), "-c:v copy -c:a aac"),
            (false, whole, track(0.0, 5.0), "first_pts=0,apad=whole_dur=10.000000"),
            (false, whole, track(0.0, 10.6), "-c:v copy -c:a copy -t 10.000000"),
            (false, track(0.0, 5.0), whole, "tpad=stop_mode=clone:stop_duration=4.98"),
        ] {
            let (arguments, notes) = plan("source", turned, picture, sound);
            assert!(arguments.contains(part), "{part} is not in {arguments}");
            assert!(!notes.is_empty() || sound.gap_s > 0.0, "{arguments}");
        }
    }

    #[test]
    fn both_tracks_are_of_one_length_and_begin_together() {
        for (picture, sound, parts, notes) in [
            (track(0.0, 10.0), track(0.0, 10.0), &["whole_dur=10.000000"][..], 0),
            (track(0.0, 10.0), track(0.0, 5.0), &["whole_dur=10.000000"], 1),
            (track(0.0, 5.0), track(0.0, 10.0), &["stop_duration=4.98", "first_pts=0"], 1),
            (track(2.0, 12.0), track(0.0, 9.0), &["whole_dur=12.000000"], 1),
            (track(46.0, 60.0), track(46.02, 60.0), &["-itsoffset -46.0", "whole_dur=14.0"], 0),
        ] {
            let (arguments, told) = plan("low", false, picture, sound);
            for part in parts {
                assert!(arguments.contains(part), "{part} is not in {arguments}");
            }
            assert_eq!(told.len(), notes, "{told:?}");
        }
        let mut twice = track(0.0, 10.0);
        twice.clocks = 2;
        let (arguments, _) = plan("low", false, twice, twice);
        assert!(arguments.contains(",apad -shortest"), "{arguments}");
    }

    #[test]
    fn profiles_have_the_names_of_the_command() {
        for name in ["auto", "low", "medium", "high", "source"] {
            assert_eq!(name.parse().map(ProfileName::as_str), Ok(name));
        }
        assert!("ultra".parse::<ProfileName>().is_err());
    }
}
