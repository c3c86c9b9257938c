//! A bare media file at the top of a source, read into [`Facts`].

use std::collections::HashMap;

use app::catalog::Kind;

use super::{
    about::About,
    facts::{Content, Facts, FileOffer, Offer},
    files::Files,
    folder::Read,
    probe::{self, Probed},
    reason::Reason,
};
use crate::hls::media_type;

/// Reads the file `name`.
pub(crate) fn read(files: &mut dyn Files, name: &str, probed: &mut Option<Probed>) -> Read {
    Read { facts: facts(files, name, probed), about_error: None }
}

fn facts(files: &mut dyn Files, name: &str, probed: &mut Option<Probed>) -> Result<Facts, Reason> {
    let missing = || Reason::Missing { first: name.to_owned(), count: 1 };
    let stamp = files.stat(name)?.ok_or_else(missing)?;
    let probe = probe::cached(files, name, Some(stamp), false, probed)?.unwrap_or_default();
    let by_name = media_type::of(name);
    let by_name_kind = if by_name.starts_with("audio/") { Kind::Audio } else { Kind::Video };
    let kind = probe.kind.unwrap_or(by_name_kind);
    let media_type = match (by_name, kind) {
        ("video/mp4", Kind::Audio) => "audio/mp4",
        ("video/webm", Kind::Audio) => "audio/webm",
        // Browsers know QuickTime files with these codecs by the name of their successor.
        ("video/quicktime", _) if probe.codecs.iter().any(|c| c.starts_with("avc1")) => "video/mp4",
        (by_name, _) => by_name,
    };
    // For these the type says it all, and browsers doubt a parameter they do not expect.
    let codecs: &[String] = match media_type {
        "audio/mpeg" | "audio/aac" | "audio/flac" | "audio/wav" => &[],
        _ => &probe.codecs,
    };
    let file = FileOffer { media_type, stamp, pinned: None, loose: true };
    let about = About { title: probe.title, description: probe.artist, ..About::default() };
    Ok(Facts {
        place: files.place(),
        content: Content::of_file(stamp.size),
        behind: HashMap::new(),
        main: name.to_owned(),
        bare: true,
        files: HashMap::from([(name.into(), Offer::File(file))]),
        poster: None,
        subtitles: Vec::new(),
        about,
        kind,
        mime: probe::mime(media_type, codecs),
        codecs: probe.codecs,
        duration_s: probe.duration_s,
        width: probe.width,
        height: probe.height,
        live: false,
        updated_at: stamp.modified_ms(),
    })
}
