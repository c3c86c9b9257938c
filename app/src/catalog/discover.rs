//! The server function that discovers channels.

use std::sync::Arc;

use leptos::{
    prelude::*,
    server_fn::{Http, ServerFn, codec::GetUrl, error::FromServerFnError, error::ServerFnErrorErr},
};

use super::{Anchor, Catalog, FeedSlice, Order, encode_segment};
use crate::{
    dom::fetched_text,
    error::AppError,
    wire::{WirePost, read_text},
};

/// The most channels on one side of the anchor that [`channels`] tells in one answer.
pub const WINDOW_SIDE_MAX: u32 = 100;

/// Discovers channels: those around `anchor` (`first`, `last`, or an id behind a `=`) in `order`
/// (`feed`, `newest`, or `shuffle.` and a seed).
#[server(prefix = "/api/fn", endpoint = "channels", protocol = Http<GetUrl, WirePost>)]
pub async fn channels(
    order: Option<String>,
    anchor: String,
    before: u32,
    after: u32,
) -> Result<FeedSlice, AppError> {
    let order = match order {
        Some(text) => {
            Order::try_from(text).map_err(|error| AppError::BadRequest(error.to_owned()))?
        }
        None => Order::default(),
    };
    discover(order, &anchor, before, after)
}

/// Asks [`channels`] from the page: the same address and the same answer. The client that the macro
/// makes carries a whole HTTP library; this one is a tenth of it.
pub(crate) async fn ask(
    order: Order,
    anchor: &Anchor,
    before: u32,
    after: u32,
) -> Option<FeedSlice> {
    let order = encode_segment(&String::from(order));
    let anchor = encode_segment(&anchor.to_text());
    let path = <Channels as ServerFn>::PATH;
    let query = format!("order={order}&anchor={anchor}&before={before}&after={after}");
    read_text(&fetched_text(&format!("{path}?{query}")).await?)
}

/// What [`channels`] answers; the server's render calls it without the detour over HTTP.
pub fn discover(
    order: Order,
    anchor: &str,
    before: u32,
    after: u32,
) -> Result<FeedSlice, AppError> {
    let catalog = use_context::<Arc<dyn Catalog>>().ok_or(AppError::Unavailable)?;
    if !catalog.is_there() {
        return Err(AppError::Unavailable);
    }
    catalog
        .window(
            order,
            &Anchor::parse(anchor)?,
            before.min(WINDOW_SIDE_MAX),
            after.min(WINDOW_SIDE_MAX),
        )
        .ok_or(AppError::NotFound)
}

impl FromServerFnError for AppError {
    type Encoder = crate::wire::Wire;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // What a parser says of them is no sentence for people.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::BadRequest(
                "anchor is a text, before and after are whole numbers, and none may be missing"
                    .to_owned(),
            ),
            error => Self::Transport(error.to_string()),
        }
    }
}
