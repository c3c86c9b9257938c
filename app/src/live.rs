//! The one socket's language: what a page says and what the server says. The socket of the page
//! lives in `live/socket.rs`, the endpoint in the server.

pub(crate) mod socket;

use serde::{Deserialize, Serialize};

use crate::catalog::{ChannelId, Media};

/// What a client says, one JSON object or an array of them in a text frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientEvent {
    /// Takes a name; with the token of an earlier `joined`, that name again.
    Join {
        /// The wished name.
        username: String,
        /// The token of an earlier `joined`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// Says something, to everybody or to a reel's room.
    ChatMessage {
        /// 1–500 characters after trimming.
        text: String,
        /// The room; nobody's in particular where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelId>,
        /// At most 36 characters; comes back to the sender.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
    },
    /// Tells which reel is on screen.
    Watch {
        /// The reel.
        channel: ChannelId,
    },
    /// Feels something at a moment of a reel.
    Reaction {
        /// What is felt.
        kind: String,
        /// The reel.
        channel: ChannelId,
        /// The moment, in seconds of its time.
        at_s: f64,
    },
    /// Asks for the list.
    FetchVideos,
}

/// One line of chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Unique, ascending in the order of saying.
    pub id: String,
    /// Who said it.
    pub username: String,
    /// Text, never HTML.
    pub text: String,
    /// The room, or everybody's.
    pub channel: Option<ChannelId>,
    /// When, Unix time in milliseconds.
    pub ts: u64,
    /// The sender's own mark; only the sender sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerEvent {
    /// The first of the list, at most 500.
    Videos {
        /// In feed order.
        videos: Vec<Media>,
        /// How many the whole list has.
        total: u32,
        /// Names this state of the list.
        version: String,
    },
    /// The last messages, oldest first.
    History {
        /// The room, or everybody's.
        channel: Option<ChannelId>,
        /// At most 100.
        messages: Vec<Message>,
    },
    /// How many sockets are open.
    UserCount {
        /// All of them, joined or not.
        count: u32,
        /// Those that said `watch`, by reel.
        #[serde(default)]
        channels: std::collections::BTreeMap<ChannelId, u32>,
    },
    /// The name that the joiner has from now on.
    Joined {
        /// The name.
        username: String,
        /// Proves it for 24 hours.
        token: String,
    },
    /// Somebody said something.
    ChatMessage(Message),
    /// Somebody felt something.
    Reaction {
        /// What is felt.
        kind: String,
        /// The reel.
        channel: ChannelId,
        /// The moment, in seconds of its time.
        at_s: f64,
        /// Who, if they have a name.
        username: Option<String>,
        /// `false` takes a like back.
        on: bool,
    },
    /// What the client said could not be done.
    Error {
        /// One of `not_joined`, `bad_username`, `too_long`, `slow_down`, `bad_request`.
        code: ErrorCode,
        /// One sentence a person can act on.
        message: String,
        /// The mark of the message it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
        /// When it may be tried again, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// A later server's event that this page does not know.
    #[serde(other)]
    Unknown,
}

/// The codes of [`ServerEvent::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Only `join` comes before `chat_message`.
    NotJoined,
    /// Not 1–24 visible characters.
    BadUsername,
    /// Over 500 characters.
    TooLong,
    /// Over the rate; `retry_after_ms` says when again.
    SlowDown,
    /// Not of the socket's language.
    BadRequest,
}
