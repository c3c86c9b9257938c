//! What a client hears when something was not done.

use app::websocket::{ErrorCode, ServerEvent};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::chat::Refusal;

pub(super) const BINARY: Refusal =
    Refusal::BadRequest("Binary frames mean nothing here; send JSON as text.");
pub(super) const NO_JSON: Refusal = Refusal::BadRequest("That is no JSON.");
pub(super) const TOO_MANY: Refusal =
    Refusal::BadRequest("An array has at most 64 events; the rest was left out.");
pub(super) const UNKNOWN: Refusal =
    Refusal::BadRequest("There is no such event, or one of its members is missing or wrong.");
pub(super) const CHANNEL: Refusal = Refusal::BadRequest("There is no channel with this id.");
pub(super) const KIND: Refusal =
    Refusal::BadRequest("A reaction is one of like, laugh, wow, clap and fire.");
pub(super) const MOMENT: Refusal =
    Refusal::BadRequest("at_s is a number of seconds, zero or more.");

/// The `error` event; `nonce` is the mark of the message that it answers.
pub(super) fn error(refusal: &Refusal, nonce: Option<String>) -> Utf8Bytes {
    let (code, wait) = match refusal {
        Refusal::NotJoined => (ErrorCode::NotJoined, None),
        Refusal::BadUsername => (ErrorCode::BadUsername, None),
        Refusal::TooLong => (ErrorCode::TooLong, None),
        Refusal::SlowDown(wait) => (ErrorCode::SlowDown, Some(*wait)),
        Refusal::BadRequest(_) => (ErrorCode::BadRequest, None),
    };
    let error = ServerEvent::Error {
        code,
        message: refusal.to_string(),
        nonce,
        // Up to the next whole millisecond: waiting exactly as long must be enough.
        retry_after_ms: wait
            .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1)),
    };
    serde_json::to_string(&error).expect("an error has string keys").into()
}
