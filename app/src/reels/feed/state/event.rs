//! What happens to the feed, and what is to be done about it.

use crate::catalog::{Anchor, FeedSlice, Media};

/// What has happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The native scroller stands at another place before the page is hydrated.
    Scrolled(u32),
    /// Finger, wheel or key: so many reels on, or back.
    Step {
        /// Reels; back below 0.
        by: i32,
        /// Milliseconds of the page's clock.
        ms: f64,
    },
    /// Somebody wants to be elsewhere in the list.
    GoTo {
        /// Where.
        anchor: Anchor,
        /// Milliseconds of the page's clock.
        ms: f64,
    },
    /// The strip has come to rest.
    Settled,
    /// The server has answered what it was asked for, or has not.
    Answered {
        /// A part of the list.
        slice: Option<FeedSlice>,
        /// Milliseconds of the page's clock.
        ms: f64,
    },
    /// The server tells that the list has another version.
    Listed {
        /// Its first channels, in feed order.
        videos: Vec<Media>,
        /// How many it has.
        total: u32,
        /// Names this state of it.
        version: String,
    },
    /// Nothing else tells what has changed, as while the socket is away.
    Refresh,
    /// What came lately has been seen.
    FreshSeen,
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Views of this follow.
    Changed(Topic),
    /// Ask the server for a part of the list, and tell the answer.
    Ask {
        /// Around what.
        anchor: Anchor,
        /// Channels ahead of it.
        before: u32,
        /// Channels behind it.
        after: u32,
    },
    /// Another reel is the active one: the player goes there.
    Show {
        /// It is passed too fast to be loaded, unless it stays.
        passing: bool,
    },
    /// Let the strip slide to the active reel.
    Slide,
    /// Put the strip where the active reel is, without a slide.
    Place,
    /// The strip rests: address, title, focus and the neighbours follow.
    Rest,
    /// No channel is left: the page for that is loaded.
    Leave,
}

/// What views follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The held part of the list.
    Window,
    /// The active place.
    Active,
    /// The place in the middle of the articles.
    Middle,
    /// The place that the strip is laid out from.
    Origin,
    /// Whether the server is being asked.
    Asking,
    /// Whether the reel on screen has been taken out of the list.
    LastTime,
    /// How often somebody went to a channel that was gone.
    Missed,
    /// How many channels are new.
    Fresh,
}
