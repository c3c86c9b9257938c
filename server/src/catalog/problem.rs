//! Why something in the streams folder is not in the list: one sentence for the log and for
//! `carrete doctor`, and what mends it.

use std::ffi::OsStr;

use app::catalog::ChannelIdError;

use super::name::{self, shown};
use crate::{probe::vtt::language, storage::Refusal};

/// Where a name lies, for who is told what mends it: no command of this host reaches a file elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whereabouts<'a> {
    /// In the folder of this path.
    Folder(&'a str),
    /// In the bucket.
    Bucket,
    /// On another server.
    Server,
}

impl Whereabouts<'_> {
    /// What people call it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Folder(_) => "streams folder",
            Self::Bucket => "bucket",
            Self::Server => "server",
        }
    }
}

/// Why a name is left out of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The name is no id.
    #[error("{0}")]
    Name(ChannelIdError),
    /// The name is not Unicode.
    #[error("its name is not UTF-8")]
    NotText,
    /// Another name has the id.
    #[error("another file or folder already has the id {}", shown(OsStr::new(.0)))]
    Clash(String),
    /// A folder that holds no channel.
    #[error("it holds no playlist.m3u8")]
    NoPlaylist,
    /// A playlist that cannot be understood.
    #[error("{file} cannot be read as a playlist: {why}")]
    Broken {
        /// The playlist, inside the channel's folder.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A playlist that reaches out.
    #[error("{file} names {}, which is outside of its folder", shown(OsStr::new(.address)))]
    Outside {
        /// The playlist, inside the channel's folder.
        file: String,
        /// The address, as written.
        address: String,
    },
    /// A link that reaches out.
    #[error("{} is a link that leads out of the streams folder", shown(OsStr::new(.0)))]
    Link(String),
    /// Files that a playlist names are not there, or empty.
    #[error("{} is missing or empty{}", .first, and_more(*.count))]
    Missing {
        /// The first of them, inside the channel's folder.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// A file that a playlist names is there under another spelling.
    #[error("{wanted} is missing, and {} is there: only the writing differs", shown(OsStr::new(.there)))]
    Spelled {
        /// What the playlist names, inside the channel's folder.
        wanted: String,
        /// What is there.
        there: String,
    },
    /// What a playlist says of its variables cannot be followed.
    #[error("{file} cannot be read: {why}")]
    Variable {
        /// The playlist, inside the channel's folder.
        file: String,
        /// Which variable, and what is wrong.
        why: String,
    },
    /// Media that a store keeps packed.
    #[error("{0} is packed with gzip")]
    Packed(String),
    /// A bare file of which a part is missing.
    #[error("it is not whole: {0}")]
    Cut(String),
    /// What the owner says of the channel cannot be read.
    #[error("{file} cannot be read, so that nobody can know who may see it: {why}")]
    About {
        /// The file that says it.
        file: String,
        /// Where and why, with the line.
        why: String,
    },
    /// It is for some people only, and nobody can show that they are one of them.
    #[error("{file} says access = \"{access}\", and there are no accounts here yet")]
    Access {
        /// The file that says it.
        file: String,
        /// Whom it is for.
        access: &'static str,
    },
    /// A live playlist with nothing to play yet.
    #[error("it has no whole segment yet")]
    NoSegment,
    /// A copy under way.
    #[error("its files are still being written")]
    Changing,
    /// The file system said no.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// The file, inside the channel's folder.
        file: String,
        /// What the file system said.
        why: String,
    },
    /// Another server, or we ourselves, will not have it.
    #[error("{}", .0.what)]
    Refused(Refusal),
    /// A media file of a type that browsers do not play.
    #[error("browsers do not play files of this type")]
    OtherType,
    /// A list of a type that is not read.
    #[error("lists of this type are not read")]
    OtherList,
    /// Subtitles of a type that browsers do not read.
    #[error("browsers do not read subtitles of this type")]
    OtherSubtitles,
    /// Our own fault.
    #[error("reading it failed in a way that nobody foresaw; please report it")]
    Panicked,
}

impl Problem {
    /// Whether time may mend it: a copy under way looks like this.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::Name(_)
                | Self::NotText
                | Self::Clash(_)
                | Self::OtherType
                | Self::OtherList
                | Self::OtherSubtitles
                | Self::Access { .. }
                | Self::Panicked
        )
    }

    /// What a person can do about it; `name` is the name where it lies.
    pub(crate) fn fix(&self, lies: Whereabouts<'_>, name: &str) -> String {
        match self {
            Self::Name(_) | Self::NotText | Self::Clash(_) => "rename it".into(),
            Self::NoPlaylist => "name its playlist playlist.m3u8, or take the folder away".into(),
            Self::Broken { why, .. } if why.contains("packed") => {
                "unpack it, and store it without Content-Encoding".into()
            }
            Self::Broken { .. } => {
                "make the playlist anew, for example with carrete convert".into()
            }
            Self::Outside { .. } => {
                "write addresses relative to the playlist, and keep its files beside it".into()
            }
            Self::Link(_) => {
                "copy the files into the streams folder, or mount their folder inside of it".into()
            }
            Self::Missing { .. } => "copy the missing files".into(),
            Self::Spelled { wanted, .. } => {
                format!(
                    "rename it {}",
                    shown(OsStr::new(wanted.rsplit('/').next().unwrap_or(wanted)))
                )
            }
            Self::Variable { .. } => {
                "define it in that playlist with #EXT-X-DEFINE:NAME=\"…\",VALUE=\"…\", or write \
                 the addresses in full"
                    .into()
            }
            Self::Packed(_) => "unpack it, and store it without Content-Encoding".into(),
            Self::Cut(_) => "wait until it is written, or copy it anew".into(),
            Self::About { file, .. } => format!("mend {file}; until then it stays hidden"),
            Self::Access { file, .. } => {
                format!("take that line out of {file} to show it to everyone")
            }
            Self::NoSegment | Self::Changing => "wait until it is written".into(),
            Self::Unreadable { .. } => match lies {
                Whereabouts::Folder(_) => "let the server's user read it".into(),
                _ => "check whether its address answers, or take it off the list".into(),
            },
            Self::Refused(refusal) => refusal.fix.clone(),
            Self::OtherType => convert_command(lies, name, false),
            Self::OtherList => {
                "name the address of an HLS playlist (.m3u8) or of a media file instead".into()
            }
            Self::OtherSubtitles => subtitle_command(lies, name),
            Self::Panicked => "take it away, or convert it anew".into(),
        }
    }
}

/// What makes a channel that every browser plays out of the file or folder `name`. A playlist is no
/// input for a conversion, so a folder needs the film it was made from.
pub(crate) fn convert_command(lies: Whereabouts<'_>, name: &str, folder: bool) -> String {
    let id = quoted(if folder { name } else { name::stem(name) });
    let there = match lies {
        Whereabouts::Folder(streams) if !folder => {
            let input = quoted(&format!("{}/{name}", streams.trim_end_matches('/')));
            return format!("run carrete convert {input} {id}, then take the file away");
        }
        Whereabouts::Folder(_) => String::new(),
        Whereabouts::Bucket if folder => format!(", then carrete push --replace {id}"),
        Whereabouts::Bucket => {
            format!(", then carrete push {id}, and take the file out of the bucket")
        }
        Whereabouts::Server => ", and put what that makes there in its place".to_owned(),
    };
    if folder {
        format!("run carrete convert --replace FILM {id} with the film it was made from{there}")
    } else {
        format!("download it, run carrete convert FILE {id} with what came{there}")
    }
}

/// What makes subtitles that browsers read out of the file at `path` where it lies.
pub(crate) fn subtitle_command(lies: Whereabouts<'_>, path: &str) -> String {
    let stem = name::stem(path);
    let last = stem.rsplit(['/', '.']).next().unwrap_or(stem);
    let joint = if path.contains('/') { "/" } else { "." };
    let folder = path.rsplit_once('/').map_or(stem, |(folder, _)| folder);
    let (to, where_to) = match language(last) {
        Some(_) => (stem.to_owned(), ""),
        None => (format!("{folder}{joint}LANGUAGE"), ", with its language, like es"),
    };
    let below = |path: &str| match lies {
        Whereabouts::Folder(streams) => format!("{}/{path}", streams.trim_end_matches('/')),
        // What was downloaded lies where its owner put it.
        _ => path.rsplit('/').next().unwrap_or(path).to_owned(),
    };
    let at = |path: &str| quoted(&below(path));
    let to = at(&format!("{to}.vtt"));
    let command = if path.to_ascii_lowercase().ends_with(".vtt") {
        let as_srt = at(&format!("{stem}.srt"));
        format!("run mv {} {as_srt}, then ffmpeg -i {as_srt} {to}{where_to}", at(path))
    } else if name::is_read_by_ffmpeg(path) {
        format!("run ffmpeg -i {} {to}{where_to}", at(path))
    } else {
        format!("save them as WebVTT in {to}{where_to}")
    };
    match lies {
        Whereabouts::Folder(_) => command,
        _ => format!("download them, {command}, and put that there in their place"),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::{Whereabouts, convert_command, subtitle_command};

    #[test]
    fn commands_can_be_pasted() {
        assert_eq!(
            convert_command(Whereabouts::Folder("streams/"), "it's.mkv", false),
            r"run carrete convert 'streams/it'\''s.mkv' 'it'\''s', then take the file away"
        );
        for (path, command) in [
            ("film/es.srt", "run ffmpeg -i 's/film/es.srt' 's/film/es.vtt'"),
            ("film.es.srt", "run ffmpeg -i 's/film.es.srt' 's/film.es.vtt'"),
            (
                "film.ass",
                "run ffmpeg -i 's/film.ass' 's/film.LANGUAGE.vtt', with its language, like es",
            ),
            (
                "film/x y.srt",
                "run ffmpeg -i 's/film/x y.srt' 's/film/LANGUAGE.vtt', with its language, like es",
            ),
            (
                "film/es.vtt",
                "run mv 's/film/es.vtt' 's/film/es.srt', then ffmpeg -i 's/film/es.srt' 's/film/es.vtt'",
            ),
            ("film/es.ttml", "save them as WebVTT in 's/film/es.vtt'"),
        ] {
            assert_eq!(subtitle_command(Whereabouts::Folder("s"), path), command);
        }
    }

    #[test]
    fn what_lies_elsewhere_is_no_path_of_this_host() {
        for (lies, folder, parts) in [
            (
                Whereabouts::Bucket,
                false,
                &["download it, run carrete convert FILE 'a b' ", "then carrete push 'a b'"][..],
            ),
            (
                Whereabouts::Bucket,
                true,
                &["--replace FILM 'a b.mkv' ", "carrete push --replace 'a b.mkv'"],
            ),
            (
                Whereabouts::Server,
                false,
                &["download it, run carrete convert FILE 'a b' ", "there"],
            ),
            (Whereabouts::Server, true, &["--replace FILM 'a b.mkv' ", "there in its place"]),
        ] {
            let told = convert_command(lies, "a b.mkv", folder);
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
            assert!(!told.contains("bucket/") && !told.contains("folder there/"), "{told}");
        }
        assert_eq!(
            subtitle_command(Whereabouts::Bucket, "film/es.srt"),
            "download them, run ffmpeg -i 'es.srt' 'es.vtt', and put that there in their place"
        );
    }
}
