//! Sound files: length, codec and tags.

use std::io::{BufReader, Seek};

use app::catalog::Kind;
use lofty::{
    config::ParseOptions,
    file::{AudioFile, FileType, TaggedFile, TaggedFileExt},
    probe::Probe as Lofty,
    tag::Accessor,
};

use super::{Media, Probe};

/// Reads a sound file; `name` tells what it is where its first bytes do not.
pub(super) fn read(file: Media, name: &str) -> Option<Probe> {
    let tagged = open(file, name, true)?;
    let codec = match tagged.file_type() {
        FileType::Mpeg => Some("mp3"),
        FileType::Aac => Some("mp4a.40.2"),
        FileType::Flac => Some("flac"),
        FileType::Opus => Some("opus"),
        FileType::Vorbis => Some("vorbis"),
        FileType::Wav => Some("pcm"),
        _ => None,
    };
    let probe = Probe {
        kind: Some(Kind::Audio),
        codecs: codec.map(str::to_owned).into_iter().collect(),
        ..Probe::default()
    };
    Some(with_tags(probe, &tagged))
}

/// Adds the tags of an MP4 file to what its tracks told.
pub(super) fn tagged(probe: Probe, mut file: Media, name: &str) -> Probe {
    if file.rewind().is_err() {
        return probe;
    }
    // The length of a video is not that of its sound.
    match open(file, name, probe.kind == Some(Kind::Audio)) {
        Some(tagged) => with_tags(probe, &tagged),
        None => probe,
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
            text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        probe.title = text(tag.title());
        probe.artist = text(tag.artist());
    }
    probe
}
