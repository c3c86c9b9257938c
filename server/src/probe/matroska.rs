//! WebM and Matroska: tracks and length from the head of the file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use matroska_demuxer::{MatroskaFile, TrackEntry, TrackType};

use super::{Media, Probe, Track, codec::is_still};

/// Pictures that each stand for so long are covers, in nanoseconds.
const SLOW_NS: u64 = 500_000_000;

/// No element that is read is longer: its length is taken for memory before a byte of it is there, and
/// as long as the file says it is there is room for any.
const ELEMENT_MAX: u64 = 32 << 20;

/// A file that is no longer, from where one reads, than the longest element.
struct Near(Media);

impl Read for Near {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Seek for Near {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if let SeekFrom::End(by) = to {
            let here = self.0.stream_position()?;
            let end = self.0.seek(SeekFrom::End(0))?.min(here.saturating_add(ELEMENT_MAX));
            let at = end.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
            return self.0.seek(SeekFrom::Start(at));
        }
        self.0.seek(to)
    }
}

/// Reads the tracks of a WebM file.
pub(super) fn read(file: Media) -> Option<Probe> {
    let file = MatroskaFile::open(BufReader::new(Near(file))).ok()?;
    let tracks: Vec<Track> = file.tracks().iter().filter_map(track).collect();
    let mut probe = Probe::of_tracks(&tracks)?;
    probe.title = file.info().title().map(str::to_owned);
    #[expect(clippy::cast_precision_loss, reason = "the scale is about a million")]
    let scale = file.info().timestamp_scale().get() as f64 / 1e9;
    probe.duration_s = file.info().duration().map(|ticks| ticks * scale).filter(|s| *s > 0.0);
    Some(probe)
}

fn track(entry: &TrackEntry) -> Option<Track> {
    let picture = match entry.track_type() {
        TrackType::Video => true,
        TrackType::Audio => false,
        _ => return None,
    };
    let codec = codec(entry);
    let side = |pixels: std::num::NonZeroU64| u32::try_from(pixels.get()).ok();
    let size = entry.video().and_then(|v| side(v.pixel_width()).zip(side(v.pixel_height())));
    let slow = entry.default_duration().is_some_and(|each| each.get() >= SLOW_NS);
    Some(Track { picture, still: is_still(&codec) && slow, codec, size })
}

fn codec(track: &TrackEntry) -> String {
    match track.codec_id() {
        "V_VP8" => "vp8".into(),
        "V_VP9" => "vp9".into(),
        "V_AV1" => "av01.0.08M.08".into(),
        "A_OPUS" => "opus".into(),
        "A_VORBIS" => "vorbis".into(),
        "A_FLAC" => "flac".into(),
        "A_MPEG/L3" => "mp3".into(),
        "V_MPEGH/ISO/HEVC" => "hvc1".into(),
        "V_MPEG4/ISO/AVC" => match track.codec_private() {
            Some([_, profile, flags, level, ..]) => {
                format!("avc1.{profile:02x}{flags:02x}{level:02x}")
            }
            _ => "avc1".into(),
        },
        id if id.starts_with("A_AAC") => "mp4a.40.2".into(),
        id if id.starts_with("A_AC3") => "ac-3".into(),
        id => id.to_ascii_lowercase(),
    }
}
