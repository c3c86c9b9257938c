//! Everybody's chat and the reels' rooms: who is here, what was said, and how fast one may say it.
//! Sockets live in `live`; nothing here knows how an event travels.

mod history;
mod hub;
mod member;
mod nonce;
mod presence;
mod rate;
mod reaction;
mod reactions;
mod rooms;
mod text;

pub use history::{Batch, Feed, Lagged};
pub use hub::{ChatHub, ChatRates, Snapshot, Totals};
pub use member::{Member, Refusal};
pub use presence::{SocketId, Token};
pub use rate::{Addresses, Bucket, fence};
pub use reaction::ReactionKind;
pub use text::{MessageText, TextError, Username};
