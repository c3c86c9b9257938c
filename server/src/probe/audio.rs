//! Sound files: length, codec, tags and covers.

use std::{
    io::{BufReader, Seek},
    path::Path,
};

use app::catalog::Kind;
use lofty::{
    config::ParseOptions,
    file::{AudioFile, FileType, TaggedFile, TaggedFileExt},
    picture::PictureType,
    probe::Probe as Lofty,
    tag::Accessor,
};

use super::{Container, Media, Probe, Track, codec::is_picture, ends::Sound, tags::readable};

/// Reads a sound file of which its frames and pages told this much.
pub(super) fn read(file: Media, container: Container, name: &str, sound: Sound) -> Option<Probe> {
    let tagged = open(file, name, true);
    let usual = match container {
        Container::Mpeg => "mp3",
        Container::Adts => "mp4a.40.2",
        Container::Flac => "flac",
        Container::Wav => "pcm",
        _ => "",
    };
    let told = tagged.as_ref().and_then(codec);
    let codecs = sound.codecs.or_else(|| Some(vec![told.unwrap_or(usual).to_owned()]))?;
    let tracks: Vec<Track> =
        codecs.into_iter().filter(|codec| !codec.is_empty()).map(track).collect();
    let mut probe = Probe::of_tracks(&tracks)?;
    probe.duration_s = sound.duration_s;
    Some(match tagged {
        Some(tagged) => with_tags(probe, &tagged),
        None => probe,
    })
}

/// Reads what does not say at its beginning what it is.
pub(super) fn read_unknown(file: Media, name: &str) -> Option<Probe> {
    let tagged = open(file, name, true)?;
    let probe = Probe::of_tracks(&[track(codec(&tagged)?.to_owned())])?;
    Some(with_tags(probe, &tagged))
}

/// Adds the tags of an MP4 file to what its tracks told.
pub(super) fn tagged(probe: Probe, mut file: Media) -> Probe {
    if file.rewind().is_err() {
        return probe;
    }
    // The length of a video is not that of its sound.
    match open(file, "x.mp4", probe.kind == Some(Kind::Audio)) {
        Some(tagged) => with_tags(probe, &tagged),
        None => probe,
    }
}

/// The picture of the front in a sound file; where none says that it is one, the first. Blocks.
pub(crate) fn front_cover(path: &Path) -> Option<Vec<u8>> {
    let options = ParseOptions::new().read_properties(false);
    let file = Lofty::open(path).ok()?.options(options).guess_file_type().ok()?.read().ok()?;
    let pictures = || file.tags().iter().flat_map(|tag| tag.pictures());
    let front = pictures().find(|picture| picture.pic_type() == PictureType::CoverFront);
    let cover = front.or_else(|| pictures().next())?;
    Some(cover.data().to_vec())
}

fn track(codec: String) -> Track {
    Track { picture: is_picture(&codec), codec, size: None, still: false }
}

fn codec(tagged: &TaggedFile) -> Option<&'static str> {
    match tagged.file_type() {
        FileType::Mpeg => Some("mp3"),
        FileType::Aac => Some("mp4a.40.2"),
        FileType::Flac => Some("flac"),
        FileType::Opus => Some("opus"),
        FileType::Vorbis => Some("vorbis"),
        FileType::Speex => Some("speex"),
        FileType::Wav => Some("pcm"),
        _ => None,
    }
}

fn open(file: Media, name: &str, properties: bool) -> Option<TaggedFile> {
    let options = ParseOptions::new().read_cover_art(false).read_properties(properties);
    let probe = match FileType::from_path(name) {
        Some(known) => Lofty::with_file_type(BufReader::new(file), known),
        None => Lofty::new(BufReader::new(file)),
    };
    probe.options(options).guess_file_type().ok()?.read().ok()
}

fn with_tags(mut probe: Probe, file: &TaggedFile) -> Probe {
    let seconds = file.properties().duration().as_secs_f64();
    if probe.duration_s.is_none() && seconds > 0.0 {
        probe.duration_s = Some(seconds);
    }
    if let Some(tag) = file.primary_tag().or_else(|| file.first_tag()) {
        let text = |text: Option<std::borrow::Cow<'_, str>>| {
            text.map(|text| readable(text.trim())).filter(|text| !text.is_empty())
        };
        probe.title = text(tag.title());
        probe.artist = text(tag.artist());
    }
    probe
}
