//! A bare media file at the top of a source, read into [`ChannelRecord`].

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use app::catalog::Kind;

use super::{
    channel_toml::{self, Owner},
    files::Files,
    folder::{
        Read,
        beside::{Beside, aside, offer},
    },
    probe_cache::{self, ProbeCache},
};
use crate::{
    catalog::{
        name,
        problem::Problem,
        record::{ChannelRecord, Content, FileOffer, Offer},
        remark::Remark,
    },
    hls::media_type,
    probe::{self, Container, Ends, Inspected, Probe},
};

/// A file that seems to be cut off is waited for as long as it was written so lately.
pub(super) const SETTLES: Duration = Duration::from_secs(20);

/// Reads the file `name`.
pub(crate) fn read(files: &mut dyn Files, name: &str, probed: &mut Option<ProbeCache>) -> Read {
    let mut about_error = None;
    let record = owner(files, name, probed).and_then(|mut owner| {
        about_error = owner.error.take();
        record(files, name, owner, probed)
    });
    Read { record, about_error }
}

/// What a file beside it says of it: `film.mp4.toml`, or `film.toml`.
fn owner(
    files: &mut dyn Files,
    name: &str,
    probed: &mut Option<ProbeCache>,
) -> Result<Owner, Problem> {
    match about_name(files, name) {
        Some(file) => channel_toml::read(files, &file, probed),
        None => match channel_toml::misnamed(files, &format!("{name}.toml")) {
            Some(wrong) => Err(wrong),
            None => Ok(Owner::default()),
        },
    }
}

/// The name of that file, if there is one.
pub(super) fn about_name(files: &dyn Files, name: &str) -> Option<String> {
    let own = [format!("{name}.toml"), format!("{}.toml", name::stem(name))];
    own.iter().find_map(|own| named(files, own))
}

fn record(
    files: &mut dyn Files,
    name: &str,
    owner: Owner,
    probed: &mut Option<ProbeCache>,
) -> Result<ChannelRecord, Problem> {
    let missing = || Problem::Missing { first: name.to_owned(), count: 1 };
    let stamp = files.stat(name)?.ok_or_else(missing)?;
    let here = files.location().folder.is_some();
    let inspected = probe_cache::cached(files, (name, name), Some(stamp), false, here, probed)?;
    let inspected = inspected.unwrap_or(Inspected::UNKNOWN);
    let mut remarks = Vec::new();
    match inspected.ends {
        // A store shows nothing before all of it is there; a web server shows what lies in its folder.
        Ends::Cut(why) if !files.is_settled() => {
            return Err(Problem::Cut(why));
        }
        Ends::Cut(why) | Ends::Short(why) => {
            let age = SystemTime::now().duration_since(stamp.modified()).unwrap_or_default();
            if here && age < SETTLES {
                return Err(Problem::Changing);
            }
            remarks.push(Remark::Short(why));
        }
        Ends::Whole | Ends::Unknown => {}
    }
    let probe = inspected.probe.unwrap_or_default();
    remarks.extend(remark(name, inspected.container, &probe));
    let by_name = media_type::of(name);
    let by_name_kind = if by_name.starts_with("audio/") { Kind::Audio } else { Kind::Video };
    let kind = probe.kind.unwrap_or(by_name_kind);
    let media_type = media_type(by_name, kind, inspected.container, &probe);
    let file = FileOffer { media_type, stamp, pinned: None, loose: true };
    let mut all = HashMap::from([(name.into(), Offer::File(file))]);
    let beside = beside(files, name, &mut all, &mut remarks)?;
    let mut about = owner.about;
    about.title = about.title.or(probe.title);
    about.description = about.description.or(probe.artist);
    Ok(ChannelRecord {
        location: files.location(),
        content: Content::of_file(stamp.size),
        behind: HashMap::new(),
        beside: HashMap::new(),
        thumbhash: None,
        refers_to: Vec::new(),
        main: name.to_owned(),
        bare: true,
        files: all,
        poster: beside.poster,
        subtitles: beside.subtitles,
        about,
        remarks,
        kind,
        mime: probe::mime(media_type, &told(media_type, &probe.codecs)),
        codecs: probe.codecs,
        duration_s: probe.duration_s,
        width: probe.width,
        height: probe.height,
        live: false,
        updated_at: stamp.modified_ms().max(owner.modified_ms).max(beside.newest_ms),
    })
}

/// What its owner should know of what it is.
fn remark(name: &str, container: Option<Container>, probe: &Probe) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let trouble = probe.trouble.clone().or_else(|| {
        let codec = probe.codecs.iter().find(|codec| !is_webm(codec))?;
        let is_webm = container == Some(Container::Webm);
        is_webm.then(|| format!("its codec is {codec}; in WebM it plays in some browsers only"))
    });
    match (container, Container::of_name(name)) {
        (Some(Container::NoMedia(is)), _) => remarks.push(Remark::NoMedia(is)),
        (Some(is), Some(named)) if is != named => {
            // The two differ by what they may hold.
            let same = (is, named) == (Container::Matroska, Container::Webm)
                && probe.codecs.iter().all(|codec| is_webm(codec));
            if !same {
                remarks.push(Remark::Container { is, named });
            }
        }
        _ => {}
    }
    if let Some(trouble) = trouble {
        remarks.push(Remark::of_trouble(trouble, &probe.codecs));
    }
    remarks
}

/// By what it is, and not by what it is called: browsers ask for the type before they look.
fn media_type(
    by_name: &'static str,
    kind: Kind,
    container: Option<Container>,
    probe: &Probe,
) -> &'static str {
    let is = container.and_then(Container::media_type).unwrap_or(by_name);
    let only_webm = probe.codecs.iter().all(|codec| is_webm(codec));
    match (is, kind) {
        ("video/mp4", Kind::Audio) => "audio/mp4",
        ("video/webm" | "video/x-matroska", Kind::Audio) if only_webm => "audio/webm",
        ("video/webm" | "video/x-matroska", Kind::Audio) => "audio/x-matroska",
        // Browsers that know other codecs in it know it by its other name.
        ("video/webm" | "video/x-matroska", Kind::Video) => {
            if only_webm {
                "video/webm"
            } else {
                "video/x-matroska"
            }
        }
        ("audio/ogg", Kind::Video) => "video/ogg",
        // They know QuickTime by the name of its successor.
        ("video/quicktime", Kind::Video) => "video/mp4",
        ("video/quicktime", Kind::Audio) => "audio/mp4",
        (is, _) => is,
    }
}

/// The codecs that the type tells.
fn told(media_type: &str, codecs: &[String]) -> Vec<String> {
    match media_type {
        // For these the type says it all, and browsers doubt a parameter they do not expect.
        "audio/mpeg" | "audio/aac" | "audio/flac" | "audio/wav" => Vec::new(),
        // They play it where no name for it is agreed upon.
        "video/mp4" | "audio/mp4" => {
            codecs.iter().filter(|codec| *codec != "pcm").cloned().collect()
        }
        _ => codecs.to_vec(),
    }
}

fn is_webm(codec: &str) -> bool {
    const KNOWN: [&str; 7] = ["vp8", "vp9", "vp08", "vp09", "av01", "opus", "vorbis"];
    KNOWN.iter().any(|known| codec.starts_with(known))
}

/// Poster and captions beside the file: `film.mp4.jpg` or `film.jpg`, `film.mp4.es.vtt` or
/// `film.es.vtt`.
fn beside(
    files: &mut dyn Files,
    name: &str,
    all: &mut HashMap<Box<str>, Offer>,
    remarks: &mut Vec<Remark>,
) -> Result<Beside, Problem> {
    let mut beside = Beside::default();
    let stems = [name::nfc(name), name::nfc(name::stem(name))];
    let posters = stems.iter().flat_map(|stem| [format!("{stem}.webp"), format!("{stem}.jpg")]);
    for poster in posters {
        let Some(file) = named(files, &poster).filter(|_| beside.poster.is_none()) else {
            continue;
        };
        if let Some(stamp) = aside(files, &file, &file, remarks)? {
            beside.newest_ms = beside.newest_ms.max(stamp.modified_ms());
            all.insert(file.as_str().into(), offer(&file, stamp));
            beside.poster = Some(file.into());
        }
    }
    for file in files.beside().to_vec() {
        let composed = name::nfc(&file);
        let lang = stems.iter().find_map(|stem| {
            let rest = composed.strip_prefix(stem.as_str())?.strip_prefix('.')?;
            probe::vtt::language(rest.strip_suffix(".vtt")?)
        });
        let Some(lang) = lang.filter(|lang| !beside.has(lang)) else { continue };
        if let Some(stamp) = aside(files, &file, &file, remarks)? {
            beside.newest_ms = beside.newest_ms.max(stamp.modified_ms());
            all.insert(file.as_str().into(), offer(&file, stamp));
            beside.subtitles.push((lang, file));
        }
    }
    beside.subtitles.sort();
    Ok(beside)
}

/// The name as it is written on disk, if it is one of those beside the file.
fn named(files: &dyn Files, wanted: &str) -> Option<String> {
    let wanted = name::nfc(wanted);
    files.beside().iter().find(|name| name::nfc(name) == wanted).cloned()
}
