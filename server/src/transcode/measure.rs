//! What is really in a file: every packet of it counted once, without decoding any.
//!
//! Containers are mistaken about themselves. Recordings of browsers look like a thousand pictures a
//! second, parts of a longer recording begin where the whole did not, tags tell the end for the
//! length. So what a conversion rests on (where each track begins and ends, how many pictures there
//! are in a second, what an edit list hides) is taken from the packets themselves.

use std::collections::HashMap;

use super::probe::{MediaInfo, Picture};

/// A step back of a track's clock, and for a broadcast a step ahead, from which on it is another
/// clock: recordings that were put one behind the other.
const BACK_S: f64 = 1.0;
const AHEAD_S: f64 = 10.0;

/// Seconds of pictures that are counted one by one; later ones are not needed to know the rate.
const COUNTED_S: usize = 40_000;

/// Pictures a second that players know, and that a counted rate is taken for.
const RATES: [f64; 14] =
    [5.0, 8.0, 10.0, 12.0, 15.0, 20.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0];

/// How far a rate that is told may lie above and below the one that is counted. Above it only costs
/// pictures that are shown twice; below it some would be lost.
const ABOVE: f64 = 1.5;
const BELOW: f64 = 0.75;

/// One track, as it is to be played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Track {
    /// Where it begins and ends, in seconds of the container's clock.
    pub(super) start_s: f64,
    pub(super) end_s: f64,
    /// Where the first packet stands that can be decoded by itself.
    pub(super) key_s: Option<f64>,
    /// Seconds that are there to be decoded only: an edit list hides what they show.
    pub(super) hidden_s: f64,
    /// The longest pause between one packet and the next, in seconds.
    pub(super) gap_s: f64,
    /// Clocks that it was recorded by, one after the other. With several, the end says nothing.
    pub(super) clocks: u32,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) picture: Option<Track>,
    pub(super) sound: Option<Track>,
    /// Pictures a second, where there are enough of them to say.
    pub(super) rate: Option<f64>,
}

impl Measured {
    /// Where the first of the tracks begins.
    pub(super) fn start_s(&self) -> Option<f64> {
        self.both().map(|track| track.start_s).reduce(f64::min)
    }

    /// Seconds from the first beginning to the last end; `None` where no clock says.
    pub(super) fn length_s(&self) -> Option<f64> {
        if self.both().any(|track| track.clocks > 1) {
            return None;
        }
        let end_s = self.both().map(|track| track.end_s).reduce(f64::max)?;
        Some(end_s - self.start_s()?).filter(|length_s| *length_s > 0.0)
    }

    fn both(&self) -> impl Iterator<Item = &Track> {
        self.picture.iter().chain(&self.sound)
    }

    /// The rate that these pictures are to be encoded at, where the one that the file tells is none;
    /// `None` where it is as it should be. Of interlaced pictures each field may be a packet.
    pub(super) fn corrected_rate(&self, picture: &Picture) -> Option<f64> {
        let counted = self.rate?;
        let credible = |told: f64| (counted * BELOW..=counted * ABOVE).contains(&told);
        if picture.interlaced || picture.told_rate.is_some_and(credible) {
            return None;
        }
        let far = |rate: &f64| (rate.ln() - counted.ln()).abs();
        RATES.into_iter().min_by(|one, other| far(one).total_cmp(&far(other)))
    }
}

/// Takes packets as ffprobe tells them, a line each, and counts.
#[derive(Debug)]
pub(super) struct Counter {
    picture: Option<u32>,
    sound: Option<u32>,
    broadcast: bool,
    tracks: HashMap<u32, Counted>,
    /// Pictures of each second of the clock.
    seconds: HashMap<i64, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    track: Track,
    packets: u64,
    /// Where the last one stands, on the clock by which packets are stored.
    last_s: f64,
}

/// One line.
struct Packet {
    stream: u32,
    /// When it is shown, and when it is stored.
    at_s: f64,
    stored_s: f64,
    length_s: f64,
    key: bool,
    hidden: bool,
}

impl Packet {
    /// Reads `key=value` with bars between; `None` where it has no place in time.
    fn read(line: &str) -> Option<Self> {
        let value = |key: &str| {
            line.trim_end().split('|').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
        };
        let seconds = |key| {
            let seconds: Option<f64> = value(key)?.parse().ok();
            seconds.filter(|seconds| seconds.is_finite() && seconds.abs() < 1e9)
        };
        let (shown, stored) = (seconds("pts_time"), seconds("dts_time"));
        let flags = value("flags").unwrap_or_default();
        Some(Self {
            stream: value("stream_index")?.parse().ok()?,
            at_s: shown.or(stored)?,
            stored_s: stored.or(shown)?,
            length_s: seconds("duration_time").unwrap_or(0.0).max(0.0),
            key: flags.contains('K'),
            hidden: flags.contains('D'),
        })
    }
}

impl Counter {
    /// For the tracks that a conversion takes.
    pub(super) fn new(media: &MediaInfo) -> Self {
        Self {
            picture: media.picture.as_ref().map(|picture| picture.stream),
            sound: media.sound,
            broadcast: media.broadcast,
            tracks: HashMap::new(),
            seconds: HashMap::new(),
        }
    }

    /// Reads one line of ffprobe's.
    pub(super) fn read(&mut self, line: &str) {
        let Some(packet) = Packet::read(line) else { return };
        let is_picture = self.picture == Some(packet.stream);
        if !is_picture && self.sound != Some(packet.stream) {
            return;
        }
        let counted = self.tracks.entry(packet.stream).or_insert_with(|| Counted::at(&packet));
        if packet.hidden {
            counted.track.hidden_s += packet.length_s;
            return;
        }
        counted.take(&packet, self.broadcast);
        if is_picture && self.seconds.len() < COUNTED_S {
            #[expect(clippy::cast_possible_truncation, reason = "only tells seconds apart")]
            let second = packet.at_s.floor() as i64;
            *self.seconds.entry(second).or_default() += 1;
        }
    }

    /// What was counted, once all packets were read.
    pub(super) fn finish(self) -> Measured {
        let of = |index: Option<u32>| self.tracks.get(&index?).filter(|track| track.packets > 0);
        let picture = of(self.picture);
        Measured {
            picture: picture.map(|counted| counted.track),
            sound: of(self.sound).map(|counted| counted.track),
            rate: picture.and_then(|counted| rate(&self.seconds, counted)),
        }
    }
}

impl Counted {
    fn at(packet: &Packet) -> Self {
        let track = Track {
            start_s: packet.at_s,
            end_s: packet.at_s,
            key_s: None,
            hidden_s: 0.0,
            gap_s: 0.0,
            clocks: 1,
        };
        Self { track, packets: 0, last_s: packet.stored_s }
    }

    fn take(&mut self, packet: &Packet, broadcast: bool) {
        if self.packets == 0 {
            // What came before was hidden.
            let hidden_s = self.track.hidden_s;
            *self = Self::at(packet);
            self.track.hidden_s = hidden_s;
        }
        let track = &mut self.track;
        let step_s = packet.stored_s - self.last_s;
        if step_s < -BACK_S || (broadcast && step_s > AHEAD_S) {
            track.clocks += 1;
        } else {
            track.gap_s = track.gap_s.max(packet.at_s - track.end_s);
        }
        if packet.key {
            track.key_s.get_or_insert(packet.at_s);
        }
        if track.clocks == 1 {
            track.start_s = track.start_s.min(packet.at_s);
        }
        track.end_s = track.end_s.max(packet.at_s + packet.length_s);
        self.last_s = packet.stored_s;
        self.packets += 1;
    }
}

/// Pictures a second: as many as there are in nine of ten whole seconds that have some, so that
/// neither the pauses of a recorded screen nor one burst decide; of a short film all of them.
fn rate(seconds: &HashMap<i64, u32>, counted: &Counted) -> Option<f64> {
    let (first, last) = (seconds.keys().min()?, seconds.keys().max()?);
    let whole = seconds.iter().filter(|(second, _)| *second != first && *second != last);
    let mut whole: Vec<u32> = whole.map(|(_, pictures)| *pictures).collect();
    whole.sort_unstable();
    if let Some(usual) = whole.get(whole.len() * 9 / 10).filter(|_| whole.len() >= 3) {
        return Some(f64::from(*usual));
    }
    let length_s = counted.track.end_s - counted.track.start_s;
    #[expect(clippy::cast_precision_loss, reason = "a few seconds of pictures")]
    let rate = counted.packets as f64 / length_s;
    (counted.packets > 1 && counted.track.clocks == 1 && rate.is_finite()).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::{Counter, Measured};
    use crate::transcode::probe::{MediaInfo, Picture};

    fn media(told_rate: Option<f64>) -> MediaInfo {
        let picture = Picture { stream: 0, told_rate, ..Picture::default() };
        MediaInfo { picture: Some(picture), sound: Some(1), ..MediaInfo::default() }
    }

    fn counted(media: &MediaInfo, lines: impl IntoIterator<Item = String>) -> Measured {
        let mut counter = Counter::new(media);
        lines.into_iter().for_each(|line| counter.read(&line));
        counter.finish()
    }

    fn line(stream: u32, at_s: f64, length_s: f64, flags: &str) -> String {
        format!(
            "stream_index={stream}|pts_time={at_s:.6}|dts_time={at_s:.6}|duration_time={length_s:.6}|flags={flags}|\n"
        )
    }

    fn pictures(every_s: f64, n: u32) -> impl Iterator<Item = String> {
        (0..n).map(move |n| line(0, f64::from(n) * every_s, every_s, "K_"))
    }

    #[test]
    fn tracks_begin_and_end_where_their_packets_do() {
        let lines = [
            line(2, 0.0, 5.0, "K_"),
            line(0, 46.0, 0.04, "__"),
            line(0, 46.08, 0.04, "K_"),
            line(1, 46.5, 0.02, "K_"),
            line(0, 46.04, 0.04, "__"),
            line(1, 59.98, 0.02, "K_"),
            line(0, 59.90, 0.04, "__"),
            "stream_index=0|pts_time=N/A|dts_time=N/A|duration_time=N/A|flags=__".into(),
            "nonsense".into(),
            String::new(),
        ];
        let measured = counted(&media(None), lines);
        let (picture, sound) = (measured.picture.expect("one"), measured.sound.expect("one"));
        assert_eq!((picture.start_s, picture.key_s), (46.0, Some(46.08)));
        assert_eq!((sound.start_s, sound.end_s), (46.5, 60.0));
        assert!((sound.gap_s - 13.46).abs() < 1e-6, "{}", sound.gap_s);
        assert_eq!((measured.start_s(), measured.length_s()), (Some(46.0), Some(14.0)));
    }

    #[test]
    fn what_an_edit_list_hides_is_counted_apart() {
        let hidden = (0..25).map(|n| line(0, -1.0 + f64::from(n) * 0.04, 0.04, "_D"));
        let measured = counted(&media(None), hidden.chain(pictures(0.04, 50)));
        let picture = measured.picture.expect("one");
        assert!((picture.hidden_s - 1.0).abs() < 1e-6);
        assert_eq!((picture.start_s, picture.end_s), (0.0, 2.0));
    }

    #[test]
    fn clocks_that_are_set_anew_say_no_length() {
        let twice = || pictures(0.04, 100).chain(pictures(0.04, 100));
        assert_eq!(counted(&media(None), twice()).length_s(), None);
        let far = [line(0, 0.0, 0.04, "K_"), line(0, 300.0, 0.04, "K_")];
        let mut media = media(None);
        assert_eq!(counted(&media, far.clone()).length_s(), Some(300.04));
        media.broadcast = true;
        assert_eq!(counted(&media, far).length_s(), None);
    }

    #[test]
    fn a_rate_that_cannot_be_is_replaced_by_the_counted_one() {
        let corrected = |told: Option<f64>, lines: Vec<String>| {
            let media = media(told);
            let measured = counted(&media, lines);
            measured.corrected_rate(media.picture.as_ref().expect("a picture"))
        };
        let at = |fps: f64| pictures(1.0 / fps, (fps * 8.0) as u32).collect::<Vec<_>>();
        for (told, fps, rate) in [
            (Some(1000.0), 20.0, Some(20.0)),
            (Some(1000.0), 29.97, Some(30.0)),
            (Some(90_000.0), 23.976, Some(24.0)),
            (Some(100.0), 15.0, Some(15.0)),
            (None, 25.0, Some(25.0)),
            (Some(1.0), 30.0, Some(30.0)),
            (Some(1000.0), 2.0, Some(5.0)),
            (Some(1000.0), 120.0, Some(120.0)),
            (Some(25.0), 25.0, None),
            (Some(30.0), 29.97, None),
            (Some(60_000.0 / 1_001.0), 59.94, None),
            (Some(240.0), 240.0, None),
        ] {
            assert_eq!(corrected(told, at(fps)), rate, "{told:?} {fps}");
        }
        // A screen that rests for a minute and then moves.
        let mut rests: Vec<String> = (0..60).map(|n| line(0, f64::from(n), 1.0, "K_")).collect();
        rests.extend((0..300).map(|n| line(0, 60.0 + f64::from(n) / 30.0, 0.033, "K_")));
        assert_eq!(corrected(Some(1000.0), rests), Some(30.0));
        // Too short for whole seconds; and one picture alone.
        assert_eq!(corrected(Some(1000.0), at(20.0)[..20].to_vec()), Some(20.0));
        assert_eq!(corrected(Some(1000.0), at(20.0)[..1].to_vec()), None);
        let mut fields = media(Some(25.0));
        let picture = fields.picture.as_mut().expect("a picture");
        picture.interlaced = true;
        let picture = picture.clone();
        assert_eq!(counted(&fields, at(50.0)).corrected_rate(&picture), None);
    }
}
