//! What an owner should know of a channel that is listed: a sentence for the log and for
//! `carrete doctor`, and what mends it.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};

use super::{
    name::{self, shown},
    problem::{Whereabouts, convert_command, subtitle_command},
};
use crate::{
    probe::vtt::{IN_UTF16, NO_HEADER, NOT_UTF8, PACKED, PAGE},
    probe::{Container, is_protected},
};

/// Whether these subtitles may be what they should be, and cannot be read as they are written: a
/// conversion would fail on them too.
fn is_written_otherwise(is: &str) -> bool {
    [PACKED, IN_UTF16, NOT_UTF8, NO_HEADER, PAGE].contains(&is)
}

/// Something about a channel that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// What is played of it does not play everywhere.
    Codec(String),
    /// It is protected, so that nobody but its seller's programs plays it.
    Protected(String),
    /// A file is of another kind than its name says.
    Container { is: Container, named: Container },
    /// A file that is called like media holds none.
    NoMedia(&'static str),
    /// It seems to end before its end.
    Short(String),
    /// Subtitles that browsers do not read, by their path below the streams folder.
    Subtitles { file: String, is: &'static str },
    /// Something beside the media is a link that leads out, and is not used.
    Link(String),
    /// What was said of it when it was looked at, on another server.
    Remembered(Remembered),
}

/// What is said of a channel, in plain data, so that a restart knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    plays: bool,
    message: String,
    fix: String,
}

impl Remark {
    /// Of what is played of a file that is made of these codecs.
    pub(crate) fn of_trouble(trouble: String, codecs: &[String]) -> Self {
        let is_protected = codecs.iter().any(|codec| is_protected(codec));
        if is_protected { Self::Protected(trouble) } else { Self::Codec(trouble) }
    }

    /// As it is written down; `name` is the channel's where it lies.
    pub(crate) fn remembered(
        &self,
        lies: Whereabouts<'_>,
        name: &str,
        is_folder: bool,
    ) -> Remembered {
        Remembered {
            plays: self.plays(),
            message: self.message(),
            fix: self.fix(lies, name, is_folder),
        }
    }

    /// What people call that which keeps browsers from playing it, where it is how the file is built.
    pub(crate) fn format(&self) -> Option<&'static str> {
        match self {
            Self::Container { is, .. } => is.format(),
            _ => None,
        }
    }

    /// Whether all browsers play it in spite of this.
    pub(crate) fn plays(&self) -> bool {
        match self {
            Self::Codec(_) | Self::Protected(_) | Self::NoMedia(_) => false,
            Self::Container { is, .. } => is.extension().is_some(),
            Self::Short(_) | Self::Subtitles { .. } | Self::Link(_) => true,
            Self::Remembered(said) => said.plays,
        }
    }

    /// What is wrong, in a sentence without its end.
    pub(crate) fn message(&self) -> String {
        let file = |path: &str| shown(OsStr::new(path.rsplit('/').next().unwrap_or(path)));
        match self {
            Self::Codec(trouble) | Self::Protected(trouble) => trouble.clone(),
            Self::Remembered(said) => said.message.clone(),
            Self::Container { is, named } => {
                format!("it is {}, and not {} as its name says", is.label(), named.label())
            }
            Self::NoMedia(is) => format!("it holds no media that is known: it is {is}"),
            Self::Short(why) => format!("it seems to be cut off: {why}"),
            Self::Subtitles { file: path, is } if is_written_otherwise(is) => {
                format!("its subtitles {} are left out: they are {is}", file(path))
            }
            Self::Subtitles { file: path, is } if path.ends_with(".vtt") => {
                format!("its subtitles {} are left out: they are {is}, and not WebVTT", file(path))
            }
            Self::Subtitles { file: path, is } => {
                format!("its subtitles {} are left out: browsers do not read {is}", file(path))
            }
            Self::Link(path) => {
                format!(
                    "{} is left out: it is a link that leads out of the streams folder",
                    file(path)
                )
            }
        }
    }

    /// The line of the log for the channel that is called so there; `name` is its name where it lies.
    pub(crate) fn line(
        &self,
        called: &str,
        lies: Whereabouts<'_>,
        name: &str,
        is_folder: bool,
    ) -> String {
        let verb = if self.plays() { "has something to mend" } else { "may not play" };
        format!("{called} {verb}: {}; {}.", self.message(), self.fix(lies, name, is_folder))
    }

    /// What a person can do about it; `name` is the channel's where it lies.
    pub(crate) fn fix(&self, lies: Whereabouts<'_>, name: &str, is_folder: bool) -> String {
        match self {
            Self::Codec(_) => convert_command(lies, name, is_folder),
            Self::Protected(_) => "take a copy of it that is not protected".into(),
            Self::Container { is, .. } => {
                let convert = convert_command(lies, name, is_folder);
                match is.extension() {
                    Some(extension) => {
                        let right = format!("{}.{extension}", name::stem(name));
                        format!("rename it {}, or {convert}", shown(OsStr::new(&right)))
                    }
                    None => convert,
                }
            }
            Self::NoMedia(_) => "take the file away, or copy the right one".into(),
            Self::Short(_) => "copy it anew".into(),
            Self::Subtitles { is, .. } if *is == PACKED => "unpack it".into(),
            Self::Subtitles { is, .. } if *is == NO_HEADER => {
                "write WEBVTT in its first line".into()
            }
            Self::Subtitles { is, .. } if *is == PAGE => {
                "take the file away, or copy the right one".into()
            }
            Self::Subtitles { is, .. } if is_written_otherwise(is) => "save it as UTF-8".into(),
            Self::Subtitles { file, .. } => subtitle_command(lies, file),
            Self::Link(_) => "copy the file itself there".into(),
            Self::Remembered(said) => said.fix.clone(),
        }
    }
}
