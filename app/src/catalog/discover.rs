//! The server function that discovers channels.

use std::sync::Arc;

use leptos::{
    prelude::*,
    server_fn::{Http, codec::GetUrl, error::FromServerFnError, error::ServerFnErrorErr},
};

use super::{Anchor, Catalog, Order, Window};
use crate::{error::AppError, wire::WirePost};

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
) -> Result<Window, AppError> {
    let order = match order {
        Some(text) => {
            Order::try_from(text).map_err(|error| AppError::BadRequest(error.to_owned()))?
        }
        None => Order::default(),
    };
    discover(order, &anchor, before, after)
}

/// What [`channels`] answers; the server's render calls it without the detour over HTTP.
pub fn discover(order: Order, anchor: &str, before: u32, after: u32) -> Result<Window, AppError> {
    let catalog = use_context::<Arc<dyn Catalog>>().ok_or(AppError::Unavailable)?;
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
        Self::Transport(error.to_string())
    }
}
