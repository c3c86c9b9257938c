//! Looking inside media files for what the list says of them: kind, size, codecs, length, title.
//! Reads little, in pure Rust, and starts no process.

mod audio;
mod matroska;
mod mp4;
mod ts;

use std::{
    io::{Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use app::catalog::Kind;

use super::{files::Files, reason::Reason};
use crate::{hls::playlist::Variant, storage::disk::Stamp};

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
    /// RFC 6381.
    pub(crate) codecs: Vec<String>,
    pub(crate) duration_s: Option<f64>,
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
}

/// A probe and the file that it is of.
#[derive(Debug)]
pub(crate) struct Probed {
    path: String,
    stamp: Stamp,
    probe: Option<Probe>,
}

impl Probe {
    /// What a master playlist says itself; `None` where it says too little.
    pub(crate) fn of_variant(variant: &Variant) -> Option<Self> {
        let codecs: Vec<String> = variant
            .codecs
            .iter()
            .flat_map(|codecs| codecs.split(','))
            .map(|codec| codec.trim().to_owned())
            .filter(|codec| !codec.is_empty())
            .collect();
        if variant.resolution.is_none() && codecs.is_empty() {
            return None;
        }
        let video = variant.resolution.is_some() || codecs.iter().any(|codec| is_video(codec));
        Some(Self {
            kind: Some(if video { Kind::Video } else { Kind::Audio }),
            width: variant.resolution.map(|(width, _)| width),
            height: variant.resolution.map(|(_, height)| height),
            codecs,
            ..Self::default()
        })
    }
}

/// Probes the file `path` unless `probed` already tells of the same file. While live, whatever
/// was found first holds: the first segment of the window is another every few seconds.
pub(crate) fn cached(
    files: &dyn Files,
    path: &str,
    stamp: Option<Stamp>,
    live: bool,
    probed: &mut Option<Probed>,
) -> Result<Option<Probe>, Reason> {
    let Some(stamp) = stamp else { return Ok(None) };
    if let Some(known) = probed
        && known.probe.is_some()
        && (live || (known.path == path && known.stamp == stamp))
    {
        return Ok(known.probe.clone());
    }
    let probe = files.media(path)?.and_then(|(file, size)| look_into(file, size, path));
    *probed = Some(Probed { path: path.into(), stamp, probe: probe.clone() });
    Ok(probe)
}

/// A media type with the codecs parameter (RFC 6381 §3).
pub(crate) fn mime(media_type: &str, codecs: &[String]) -> String {
    if codecs.is_empty() {
        media_type.to_owned()
    } else {
        format!("{media_type}; codecs=\"{}\"", codecs.join(","))
    }
}

/// A codec that some browser of ours does not play, with a word on which.
pub(crate) fn trouble(codecs: &[String]) -> Option<String> {
    const PLAYED: [&str; 15] = [
        "avc1", "avc3", "vp8", "vp9", "vp08", "vp09", "av01", "mp4a.40", "mp4a.6", "mp3", "opus",
        "vorbis", "flac", "pcm", "wvtt",
    ];
    let codec = codecs
        .iter()
        .find(|codec| !PLAYED.iter().any(|p| codec.to_ascii_lowercase().starts_with(p)))?;
    let where_not = match codec.get(..4).unwrap_or(codec) {
        "hvc1" | "hev1" => "HEVC plays in some browsers only",
        "ac-3" | "ec-3" => "Dolby sound plays in some browsers only",
        _ => "browsers do not play it",
    };
    Some(format!("its codec is {codec}; {where_not}"))
}

fn is_video(codec: &str) -> bool {
    const AUDIO: [&str; 8] = ["mp4a", "mp3", "opus", "flac", "vorbis", "ac-3", "ec-3", "pcm"];
    !AUDIO.iter().any(|prefix| codec.to_ascii_lowercase().starts_with(prefix))
        && !codec.starts_with("wvtt")
        && !codec.starts_with("stpp")
}

/// A file made to break a parser costs what the file would have told, and nothing else.
pub(crate) fn look_into(file: Media, size: u64, name: &str) -> Option<Probe> {
    catch_unwind(AssertUnwindSafe(|| read(file, size, name))).ok().flatten()
}

fn read(mut file: Media, size: u64, name: &str) -> Option<Probe> {
    let mut head = [0; 12];
    file.read_exact(&mut head).ok()?;
    file.rewind().ok()?;
    match (&head[..4], &head[4..8]) {
        ([0x1A, 0x45, 0xDF, 0xA3], _) => matroska::read(file),
        ([0x47, ..], _) => ts::read(file),
        (
            _,
            b"ftyp" | b"styp" | b"moov" | b"moof" | b"sidx" | b"wide" | b"mdat" | b"free" | b"skip",
        ) => mp4::read(&mut file, size).map(|probe| audio::tagged(probe, file, name)),
        _ => audio::read(file, name),
    }
}

#[cfg(test)]
mod tests;
