//! The one socket's language: what a page says and what the server says. The socket of the page
//! lives in `websocket/socket.rs`, the endpoint in the server.

pub(crate) mod socket;

use std::collections::BTreeMap;

use js_sys::{JSON, Object};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::JsValue;

use crate::{
    catalog::{ChannelId, Media},
    dom::{get, set},
    wire::{FromJs, from_js_members},
};

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

/// Something that was felt at a moment of a reel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// What is felt.
    pub kind: String,
    /// The moment, in seconds of the reel's time.
    pub at_s: f64,
}

/// How many watch each reel: an object of ids and numbers on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rooms(pub Vec<(ChannelId, u32)>);

impl Rooms {
    /// How many watch this reel.
    pub fn of(&self, id: &ChannelId) -> u32 {
        self.0.iter().find(|(each, _)| each == id).map_or(0, |(_, count)| *count)
    }
}

impl Serialize for Rooms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, count)| (id, count)))
    }
}

impl<'de> Deserialize<'de> for Rooms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rooms = BTreeMap::<ChannelId, u32>::deserialize(deserializer)?;
        Ok(Self(rooms.into_iter().collect()))
    }
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
        /// How many like the reel whose room it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        likes: Option<u32>,
        /// What was felt there last, at most 200, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        moments: Vec<Moment>,
    },
    /// How many sockets are open.
    UserCount {
        /// All of them, joined or not.
        count: u32,
        /// Those that said `watch`, by reel.
        #[serde(default)]
        channels: Rooms,
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
        /// With a like: how many stand now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        likes: Option<u32>,
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

impl FromJs for ServerEvent {
    fn from_js(value: &JsValue) -> Option<Self> {
        let kind = get(value, "type").as_string()?;
        Some(match kind.as_str() {
            "videos" => Self::Videos {
                videos: member(value, "videos")?,
                total: member(value, "total")?,
                version: member(value, "version")?,
            },
            "history" => Self::History {
                channel: member(value, "channel")?,
                messages: member(value, "messages")?,
                likes: member(value, "likes").flatten(),
                moments: member(value, "moments").unwrap_or_default(),
            },
            "user_count" => Self::UserCount {
                count: member(value, "count")?,
                channels: member(value, "channels").unwrap_or_default(),
            },
            "joined" => Self::Joined {
                username: member(value, "username")?,
                token: member(value, "token")?,
            },
            "chat_message" => Self::ChatMessage(Message::from_js(value)?),
            "reaction" => Self::Reaction {
                kind: member(value, "kind")?,
                channel: member(value, "channel")?,
                at_s: member(value, "at_s")?,
                username: member(value, "username")?,
                on: member(value, "on")?,
                likes: member(value, "likes").flatten(),
            },
            "error" => Self::Error {
                code: member(value, "code")?,
                message: member(value, "message")?,
                nonce: member(value, "nonce")?,
                retry_after_ms: member(value, "retry_after_ms")?,
            },
            _ => Self::Unknown,
        })
    }
}

fn member<T: FromJs>(value: &JsValue, name: &str) -> Option<T> {
    T::from_js(&get(value, name))
}

from_js_members! {
    Message { id, username, text, channel, ts, nonce }
    Moment { kind, at_s }
}

impl FromJs for ErrorCode {
    fn from_js(value: &JsValue) -> Option<Self> {
        Some(match value.as_string()?.as_str() {
            "not_joined" => Self::NotJoined,
            "bad_username" => Self::BadUsername,
            "too_long" => Self::TooLong,
            "slow_down" => Self::SlowDown,
            _ => Self::BadRequest,
        })
    }
}

impl ClientEvent {
    /// The frame's text, written by the browser.
    pub(crate) fn write(&self) -> String {
        let object = JsValue::from(Object::new());
        let optional = |name: &str, text: Option<&str>| {
            if let Some(text) = text {
                set(&object, name, text);
            }
        };
        let kind = match self {
            Self::Join { username, token } => {
                set(&object, "username", username);
                optional("token", token.as_deref());
                "join"
            }
            Self::ChatMessage { text, channel, nonce } => {
                set(&object, "text", text);
                optional("channel", channel.as_ref().map(ChannelId::as_str));
                optional("nonce", nonce.as_deref());
                "chat_message"
            }
            Self::Watch { channel } => {
                set(&object, "channel", channel.as_str());
                "watch"
            }
            Self::Reaction { kind, channel, at_s } => {
                set(&object, "kind", kind);
                set(&object, "channel", channel.as_str());
                set(&object, "at_s", *at_s);
                "reaction"
            }
            Self::FetchVideos => "fetch_videos",
        };
        set(&object, "type", kind);
        JSON::stringify(&object).map_or_else(|_| String::new(), Into::into)
    }
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
