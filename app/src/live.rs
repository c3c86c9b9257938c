//! The one socket's language: what a page says and what the server says. The socket of the page
//! lives in `live/socket.rs`, the endpoint in the server.

pub(crate) mod socket;

use std::collections::BTreeMap;

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
///
/// Read through one flat object with every member optional: a derived reader of tagged objects
/// would buffer each of them, and weigh four times as much in the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", from = "Flat")]
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
        channels: BTreeMap<ChannelId, u32>,
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
    /// A later server's event that this page does not know, or one that is not whole.
    Unknown,
}

#[derive(Deserialize)]
struct Flat {
    r#type: String,
    #[serde(default)]
    videos: Vec<Media>,
    total: Option<u32>,
    version: Option<String>,
    channel: Option<ChannelId>,
    #[serde(default)]
    messages: Vec<Message>,
    count: Option<u32>,
    #[serde(default)]
    channels: BTreeMap<ChannelId, u32>,
    username: Option<String>,
    token: Option<String>,
    id: Option<String>,
    text: Option<String>,
    ts: Option<u64>,
    kind: Option<String>,
    at_s: Option<f64>,
    on: Option<bool>,
    code: Option<ErrorCode>,
    message: Option<String>,
    nonce: Option<String>,
    retry_after_ms: Option<u64>,
}

impl From<Flat> for ServerEvent {
    fn from(flat: Flat) -> Self {
        flat.read().unwrap_or(Self::Unknown)
    }
}

impl Flat {
    fn read(self) -> Option<ServerEvent> {
        Some(match self.r#type.as_str() {
            "videos" => ServerEvent::Videos {
                videos: self.videos,
                total: self.total?,
                version: self.version?,
            },
            "history" => ServerEvent::History { channel: self.channel, messages: self.messages },
            "user_count" => ServerEvent::UserCount { count: self.count?, channels: self.channels },
            "joined" => ServerEvent::Joined { username: self.username?, token: self.token? },
            "chat_message" => ServerEvent::ChatMessage(Message {
                id: self.id?,
                username: self.username?,
                text: self.text?,
                channel: self.channel,
                ts: self.ts?,
                nonce: self.nonce,
            }),
            "reaction" => ServerEvent::Reaction {
                kind: self.kind?,
                channel: self.channel?,
                at_s: self.at_s?,
                username: self.username,
                on: self.on?,
            },
            "error" => ServerEvent::Error {
                code: self.code?,
                message: self.message?,
                nonce: self.nonce,
                retry_after_ms: self.retry_after_ms,
            },
            _ => return None,
        })
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

#[cfg(test)]
mod tests {
    use super::{ErrorCode, Message, ServerEvent};
    use crate::catalog::ChannelId;

    #[test]
    fn what_is_written_is_read_back() {
        let check = |event: ServerEvent| {
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<ServerEvent>(&text).unwrap(), event, "{text}");
        };
        let channel = ChannelId::parse("playa").unwrap();
        check(ServerEvent::Videos { videos: vec![], total: 3, version: "v".into() });
        check(ServerEvent::UserCount { count: 2, channels: [(channel.clone(), 1)].into() });
        check(ServerEvent::Joined { username: "ana".into(), token: "t".into() });
        let message = Message {
            id: "7".into(),
            username: "ana".into(),
            text: "hola".into(),
            channel: Some(channel.clone()),
            ts: 1,
            nonce: None,
        };
        check(ServerEvent::ChatMessage(message.clone()));
        check(ServerEvent::History { channel: None, messages: vec![message] });
        check(ServerEvent::Reaction {
            kind: "like".into(),
            channel,
            at_s: 1.5,
            username: None,
            on: true,
        });
        check(ServerEvent::Error {
            code: ErrorCode::SlowDown,
            message: "wait".into(),
            nonce: Some("n".into()),
            retry_after_ms: Some(900),
        });
    }

    #[test]
    fn events_of_a_later_server_are_passed_over() {
        for text in [r#"{"type":"later","x":1}"#, r#"{"type":"user_count"}"#] {
            assert_eq!(serde_json::from_str::<ServerEvent>(text).unwrap(), ServerEvent::Unknown);
        }
    }
}
