//! What happens to the chat, and what is to be done about it.

use super::Pending;
use crate::{catalog::ChannelId, websocket::ServerEvent};

/// What has happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The socket is open.
    Opened,
    /// The socket is closed.
    Closed {
        /// Seconds until it is tried again.
        seconds: u32,
        /// The server said that it stops.
        stops: bool,
    },
    /// The server said something.
    Received(ServerEvent),
    /// The pending message with this nonce went out on the socket.
    Sent(String),
    /// A clock that was started has come round.
    Tick(Clock),
    /// The text box holds something else.
    Typed(String),
    /// The same, while an input method composes a word: nothing is changed there meanwhile.
    Composing(String),
    /// The draft is to be sent.
    Send {
        /// Marks the message.
        nonce: String,
        /// The reel on screen.
        here: Option<ChannelId>,
        /// The name that this browser remembers.
        remembered: Option<String>,
    },
    /// A name was given.
    Named(String),
    /// The name is not given now; the message still waits in its box.
    NotNamed,
    /// Only this reel's room is to be shown and written, or everybody's.
    Scope {
        /// Only this reel's.
        only_here: bool,
    },
    /// Somebody wants the text box, through the sheet where that is closed.
    Write {
        /// The chat is a sheet, no column.
        narrow: bool,
    },
    /// Somebody wants the sheet to open or to close.
    Toggle {
        /// The chat is a sheet, no column.
        narrow: bool,
    },
    /// The log was scrolled.
    Scrolled {
        /// Its newest line is seen.
        to_end: bool,
    },
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Views of this follow.
    Changed(Topic),
    /// Take this name on the server.
    Join(String),
    /// Tell the server which reel is on screen.
    Watch,
    /// Say this over the socket, and tell whether it went out.
    Say(Pending),
    /// Send the draft, as a person would.
    SendDraft,
    /// Keep this name and its token in this browser.
    Remember {
        /// The name.
        name: String,
        /// What proves it.
        token: String,
    },
    /// Ask for the list around the reel on screen.
    RefreshFeed,
    /// Start a clock anew.
    Start(Clock),
    /// Stop it.
    Stop(Clock),
}

/// What comes round again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The seconds until the socket is tried again.
    Link,
    /// The seconds until one may write again.
    SlowDown,
    /// The oldest message over the picture goes.
    Overlay,
}

/// What views follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// What was said, and what waits to come back.
    Log,
    /// The messages over the picture.
    Overlay,
    /// The sheet: whether it is open, what is unread, which room it shows.
    Panel,
    /// Who is there.
    Online,
    /// The name, and what a person must know about what they wrote.
    Composer,
    /// The text box.
    Draft,
    /// The socket.
    Link,
}
