//! What can be felt at a moment of a reel, and who has a like standing.

use std::collections::VecDeque;

use app::catalog::ChannelId;

/// The closed set of feelings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReactionKind {
    /// Stands until it is taken back.
    Like,
    /// Ha.
    Laugh,
    /// Oh.
    Wow,
    /// Bravo.
    Clap,
    /// Great.
    Fire,
}

impl ReactionKind {
    /// Reads the word of the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "like" => Self::Like,
            "laugh" => Self::Laugh,
            "wow" => Self::Wow,
            "clap" => Self::Clap,
            "fire" => Self::Fire,
            _ => return None,
        })
    }

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Laugh => "laugh",
            Self::Wow => "wow",
            Self::Clap => "clap",
            Self::Fire => "fire",
        }
    }
}

/// One person's standing likes, the newest last.
#[derive(Debug, Default)]
pub(super) struct Likes(VecDeque<ChannelId>);

/// Likes that one person may have standing; beyond, the oldest is forgotten, so that liking it
/// again says `on` once more.
const LIKES_MAX: usize = 256;

impl Likes {
    /// Sets a like or takes it back; says whether it stands now.
    pub(super) fn toggle(&mut self, channel: &ChannelId) -> bool {
        if let Some(at) = self.0.iter().position(|liked| liked == channel) {
            self.0.remove(at);
            return false;
        }
        if self.0.len() == LIKES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(channel.clone());
        true
    }
}
