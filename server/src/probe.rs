//! Looking inside media files for what the list says of them: kind, size, codecs, length, title,
//! and whether they are whole. Reads little, in pure Rust, and starts no process.

mod audio;
mod codec;
mod container;
mod ends;
mod frames;
mod matroska;
mod mp4;
mod ogg;
mod tags;
mod ts;
pub(crate) mod vtt;

use std::{
    io::{Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use app::catalog::Kind;

use self::codec::reach;
pub(crate) use self::{
    audio::front_cover,
    codec::{Reach, is_picture, is_protected},
    container::{Container, WEB_PAGE},
    ends::Ends,
    mp4::cut_segment,
};
use crate::hls::playlist::Variant;

/// Bytes that can be read from any place.
pub(crate) trait Readable: Read + Seek {}

impl<T: Read + Seek> Readable for T {}

/// A media file, wherever it lies.
pub(crate) type Media = Box<dyn Readable>;

/// What was found inside a media file; all of it may stay unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Probe {
    pub(crate) kind: Option<Kind>,
    /// Pixels as shown, after a rotation that the container asks for.
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    /// What is played of it, by RFC 6381: the first picture and the first sound that browsers play.
    pub(crate) codecs: Vec<String>,
    /// There is sound, whoever plays it.
    pub(crate) has_sound: bool,
    /// What of that does not play everywhere, in a sentence.
    pub(crate) trouble: Option<String>,
    pub(crate) duration_s: Option<f64>,
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
}

/// One track of a media file.
#[derive(Clone, Debug, PartialEq)]
struct Track {
    /// Pictures, and no sound.
    picture: bool,
    /// By RFC 6381.
    codec: String,
    /// Pixels as shown.
    size: Option<(u32, u32)>,
    /// A cover, or a picture for each chapter: nobody watches it.
    still: bool,
}

/// What a media file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inspected {
    /// What it is by its beginning.
    pub(crate) container: Option<Container>,
    /// What is inside.
    pub(crate) probe: Option<Probe>,
    /// Whether all of it is there.
    pub(crate) ends: Ends,
}

/// What people call the first of these codecs that not every browser plays.
pub(crate) fn format(codecs: &[String]) -> Option<String> {
    codecs.iter().find_map(|codec| codec::format(codec))
}

impl Inspected {
    /// Of a file that nobody could look into.
    pub(crate) const UNKNOWN: Self = Self { container: None, probe: None, ends: Ends::Unknown };
}

impl Probe {
    /// What is played of these tracks: a browser passes over those that it does not know.
    fn of_tracks(tracks: &[Track]) -> Option<Self> {
        // The first of those that most browsers play.
        let best = |picture: bool| {
            let some = tracks.iter().filter(|track| track.picture == picture && !track.still);
            some.min_by_key(|track| reach(&track.codec).0)
        };
        let (mut picture, sound) = (best(true), best(false));
        if picture.is_none() && sound.is_none() {
            picture = tracks.first();
        }
        let first = picture.or(sound)?;
        let judged = |track: &Track, what: &str| {
            let (reach, why) = reach(&track.codec);
            (reach > Reach::Everywhere).then(|| format!("its {what} is {}; {why}", track.codec))
        };
        let troubles =
            [(picture, "codec"), (sound, if picture.is_some() { "sound" } else { "codec" })];
        let trouble = troubles.into_iter().find_map(|(track, what)| judged(track?, what));
        // A film whose sound few know is played without it.
        let heard =
            sound.filter(|sound| picture.is_none() || reach(&sound.codec).0 == Reach::Everywhere);
        let played = picture.into_iter().chain(heard);
        let mut codecs: Vec<String> = Vec::new();
        for codec in played.map(|track| &track.codec).filter(|codec| !codec.is_empty()) {
            if !codecs.contains(codec) {
                codecs.push(codec.clone());
            }
        }
        Some(Self {
            kind: Some(if picture.is_some() { Kind::Video } else { Kind::Audio }),
            width: first.size.map(|(width, _)| width),
            height: first.size.map(|(_, height)| height),
            codecs,
            has_sound: sound.is_some(),
            trouble,
            ..Self::default()
        })
    }

    /// What a master playlist says itself; `None` where it says too little.
    pub(crate) fn of_variant(variant: &Variant) -> Option<Self> {
        let mut tracks = tracks_of(variant);
        if variant.resolution.is_none() && tracks.is_empty() {
            return None;
        }
        if variant.resolution.is_some() && !tracks.iter().any(|track| track.picture) {
            let nameless = Track { picture: true, codec: String::new(), size: None, still: false };
            tracks.insert(0, nameless);
        }
        for track in tracks.iter_mut().filter(|track| track.picture) {
            track.size = variant.resolution;
        }
        Self::of_tracks(&tracks)
    }
}

/// Who plays a variant of a master playlist, as far as that says it.
pub(crate) fn reach_of(variant: &Variant) -> Reach {
    let tracks = tracks_of(variant);
    let best = |picture: bool| {
        let some = tracks.iter().filter(|track| track.picture == picture);
        some.map(|track| reach(&track.codec).0).min()
    };
    best(true).max(best(false)).unwrap_or(Reach::Everywhere)
}

fn tracks_of(variant: &Variant) -> Vec<Track> {
    let codecs = variant.codecs.iter().flat_map(|codecs| codecs.split(','));
    codecs
        .map(str::trim)
        .filter(|codec| !codec.is_empty() && !["wvtt", "stpp"].iter().any(|c| codec.starts_with(c)))
        .map(|codec| Track {
            picture: is_picture(codec),
            codec: codec.to_owned(),
            size: None,
            still: false,
        })
        .collect()
}

/// A media type with the codecs parameter (RFC 6381 §3).
pub(crate) fn mime(media_type: &str, codecs: &[String]) -> String {
    if codecs.is_empty() {
        media_type.to_owned()
    } else {
        format!("{media_type}; codecs=\"{}\"", codecs.join(","))
    }
}

/// What is inside a file.
pub(crate) fn look_into(file: Media, size: u64, name: &str) -> Option<Probe> {
    inspect(file, size, name, false)?.probe
}

/// What a file of `size` bytes is. `thorough`: all of it may be read. `None` where a file made to break a
/// parser broke one.
pub(crate) fn inspect(file: Media, size: u64, name: &str, thorough: bool) -> Option<Inspected> {
    catch_unwind(AssertUnwindSafe(|| read(file, size, name, thorough))).ok()
}

fn read(mut file: Media, size: u64, name: &str, thorough: bool) -> Inspected {
    let mut container = Container::of_file(&mut file);
    let (probe, ends) = match container {
        Some(Container::Mp4) => {
            let (probe, ends) = mp4::read(&mut file, size, thorough);
            (probe.map(|probe| audio::tagged(probe, file)), ends)
        }
        Some(Container::Webm | Container::Matroska) => {
            let ends = ends::of_matroska(&mut file, size);
            (rewound(file).and_then(matroska::read), ends)
        }
        Some(Container::TransportStream) => (ts::read(file), Ends::Unknown),
        Some(Container::Foreign(_) | Container::NoMedia(_)) => (None, Ends::Unknown),
        Some(
            sound @ (Container::Ogg
            | Container::Mpeg
            | Container::Adts
            | Container::Flac
            | Container::Wav),
        ) => {
            let told = ends::of_sound(sound, &mut file, size, thorough);
            let ends = told.ends.clone();
            (rewound(file).and_then(|file| audio::read(file, sound, name, told)), ends)
        }
        // A copy may make room for all of it before its first byte is there.
        None if ends::begins_with_zeros(&mut file) => {
            (None, Ends::Cut("nothing but zeros is there yet".into()))
        }
        None => {
            // What could not be read, in a store that is away, may be anything.
            let is_read = ends::has_bytes(&mut file);
            let probe = rewound(file).and_then(|file| audio::read_unknown(file, name));
            container = (is_read && probe.is_none()).then_some(Container::UNKNOWN);
            (probe, Ends::Unknown)
        }
    };
    Inspected { container, probe, ends }
}

fn rewound(mut file: Media) -> Option<Media> {
    file.rewind().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests;
