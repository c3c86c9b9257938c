//! Why something in the streams folder is not in the list: one sentence for the log and for
//! `carrete doctor`, and what mends it.

use app::catalog::ChannelIdError;

use crate::storage::Refusal;

/// Why a name is left out of the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The name is no id.
    #[error("{0}")]
    Name(ChannelIdError),
    /// The name is not Unicode.
    #[error("its name is not UTF-8")]
    NotText,
    /// Another name has the id.
    #[error("another file or folder already has the id {0:?}")]
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
    #[error("{file} names {address:?}, which is outside of its folder")]
    Outside {
        /// The playlist, inside the channel's folder.
        file: String,
        /// The address, as written.
        address: String,
    },
    /// A link that reaches out.
    #[error("{0:?} is a link that leads out of the streams folder")]
    Link(String),
    /// Files that a playlist names are not there, or empty.
    #[error("{} is missing or empty{}", .first, and_more(*.count))]
    Missing {
        /// The first of them, inside the channel's folder.
        first: String,
        /// How many there are.
        count: usize,
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
    #[error("{0}")]
    Refused(Refusal),
    /// A media file of a type that browsers do not play.
    #[error("browsers do not play files of this type")]
    OtherType,
    /// Our own fault.
    #[error("reading it failed in a way that nobody foresaw; please report it")]
    Panicked,
}

impl Reason {
    /// Whether time may mend it: a copy under way looks like this.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::Name(_) | Self::NotText | Self::Clash(_) | Self::OtherType | Self::Panicked
        )
    }

    /// What a person can do about it; `name` is the name in the folder `streams`.
    pub fn fix(&self, streams: &str, name: &str) -> String {
        match self {
            Self::Name(_) | Self::NotText | Self::Clash(_) => "rename it".into(),
            Self::NoPlaylist => "name its playlist playlist.m3u8, or take the folder away".into(),
            Self::Broken { .. } => {
                "make the playlist anew, for example with carrete convert".into()
            }
            Self::Outside { .. } => {
                "write addresses relative to the playlist, and keep its files beside it".into()
            }
            Self::Link(_) => "copy the files into the streams folder".into(),
            Self::Missing { .. } => "copy the missing files".into(),
            Self::NoSegment | Self::Changing => "wait until it is written".into(),
            Self::Unreadable { .. } => "let the server's user read it".into(),
            Self::Refused(refusal) => refusal.fix.clone(),
            Self::OtherType => convert_command(streams, name, false),
            Self::Panicked => "take it away, or convert it anew".into(),
        }
    }
}

/// What makes a channel that every browser plays out of the file or folder `name` of the folder
/// `streams`. A playlist is no input for a conversion, so a folder needs the film it was made from.
pub(crate) fn convert_command(streams: &str, name: &str, folder: bool) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    if folder {
        return format!(
            "run carrete convert --replace FILM {} with the film it was made from",
            quote(name)
        );
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let input = format!("{streams}/{name}");
    format!("run carrete convert {} {}, then take the file away", quote(&input), quote(stem))
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}
