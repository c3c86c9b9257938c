//! What lies beside a channel's playlists: its poster, its captions, and what cannot be used.

use std::{ffi::OsStr, io::Read as _};

use super::Reading;
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
        record::{FileOffer, Offer, POSTERS},
        remark::Remark,
    },
    hls::media_type,
    probe::vtt::{self, Content},
    sources::files::Files,
    storage::local::FileVersion,
};

/// What was found beside the media.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) poster: Option<Box<str>>,
    /// Language and file.
    pub(crate) subtitles: Vec<(String, String)>,
    /// The last change of any of it, Unix time in milliseconds.
    pub(crate) newest_ms: u64,
}

impl Reading<'_> {
    /// Poster and captions.
    pub(super) fn beside(&mut self) -> Result<Beside, Problem> {
        let mut beside = Beside::default();
        for name in POSTERS {
            if beside.poster.is_none() && self.put(name, name, &mut beside)?.is_some() {
                beside.poster = Some(name.into());
            }
        }
        let folder = self.files.location().folder.map(|folder| folder.path).unwrap_or_default();
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut names = self.files.names()?;
        names.sort_unstable();
        for name in names {
            if name::is_hidden(OsStr::new(&name)) {
                continue;
            }
            let shown = format!("{folder}/{name}");
            if name::form(&name) == NameForm::OtherSubtitles {
                let is = "subtitles of this type";
                self.remarks.push(Remark::Subtitles { file: shown, is });
                continue;
            }
            let Some(lang) = name.strip_suffix(".vtt").and_then(vtt::language) else { continue };
            // One that a playlist names is a segment, and no track of its own.
            if self.offers.contains_key(name.as_str()) || beside.has(&lang) {
                continue;
            }
            if self.put(&name, &shown, &mut beside)?.is_some() {
                beside.subtitles.push((lang, name));
            }
        }
        beside.subtitles.sort();
        Ok(beside)
    }

    /// Puts a file on offer that is what its name says.
    fn put(&mut self, name: &str, shown: &str, beside: &mut Beside) -> Result<Option<()>, Problem> {
        let Some(stamp) = aside(self.files, name, shown, &mut self.remarks)? else {
            return Ok(None);
        };
        beside.newest_ms = beside.newest_ms.max(stamp.modified_ms());
        self.offers.insert(name.into(), offer(name, stamp));
        Ok(Some(()))
    }
}

impl Beside {
    pub(crate) fn has(&self, lang: &str) -> bool {
        self.subtitles.iter().any(|(known, _)| known == lang)
    }
}

/// A poster or captions as they are served.
pub(crate) fn offer(name: &str, stamp: FileVersion) -> Offer {
    Offer::File(FileOffer { media_type: media_type::of(name), stamp, pinned: None, loose: true })
}

/// The file, if it can be used; why not is a remark. `shown` is its path below the streams folder.
pub(crate) fn aside(
    files: &mut dyn Files,
    name: &str,
    shown: &str,
    remarks: &mut Vec<Remark>,
) -> Result<Option<FileVersion>, Problem> {
    let stamp = match files.aside(name) {
        Ok(Some(stamp)) => stamp,
        Ok(None) => return Ok(None),
        // One file that leads out costs itself alone.
        Err(Problem::Link(_)) => {
            remarks.push(Remark::Link(shown.to_owned()));
            return Ok(None);
        }
        Err(reason) => return Err(reason),
    };
    if !name.ends_with(".vtt") {
        return Ok(Some(stamp));
    }
    let mut head = Vec::new();
    let read = files.media(name)?.and_then(|(file, size)| {
        file.take(vtt::JUDGED).read_to_end(&mut head).ok()?;
        Some(head.len() as u64 >= size)
    });
    match read.map_or(Content::Captions, |all| vtt::content(&head, all)) {
        Content::Captions => Ok(Some(stamp)),
        Content::Other | Content::NotVtt("empty") => Ok(None),
        Content::NotVtt(is) => {
            remarks.push(Remark::Subtitles { file: shown.to_owned(), is });
            Ok(None)
        }
    }
}
