//! What can be expressed at a moment of a reel, and who has a like standing.

use std::collections::VecDeque;

use app::catalog::ChannelId;

use super::reactions::Tenths;

/// The closed set of reactions.
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

/// One person's standing likes with their moments, the newest last.
#[derive(Debug, Default)]
pub(super) struct Likes(VecDeque<(ChannelId, Tenths)>);

/// What a like came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toggled {
    /// It stands.
    On,
    /// The one of this moment stands no longer.
    Off(Tenths),
}

/// Likes that one person may have standing; beyond, the oldest is forgotten, so that liking it
/// again says `on` once more.
const LIKES_MAX: usize = 256;

impl Likes {
    /// Sets a like or takes it back.
    pub(super) fn toggle(&mut self, channel: &ChannelId, at: Tenths) -> Toggled {
        let before = self.0.iter().position(|(liked, _)| liked == channel);
        if let Some((_, given)) = before.and_then(|n| self.0.remove(n)) {
            return Toggled::Off(given);
        }
        if self.0.len() == LIKES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((channel.clone(), at));
        Toggled::On
    }

    /// All that stand, with their moments.
    pub(super) fn into_all(self) -> Vec<(ChannelId, Tenths)> {
        self.0.into()
    }

    /// Takes over what the same person liked without a name; answers what stood already and is
    /// one too many.
    pub(super) fn take_over(&mut self, others: Self) -> Vec<(ChannelId, Tenths)> {
        let mut twice = Vec::new();
        for (channel, at) in others.0 {
            if self.0.iter().any(|(liked, _)| *liked == channel) {
                twice.push((channel, at));
            } else {
                self.toggle(&channel, at);
            }
        }
        twice
    }
}
