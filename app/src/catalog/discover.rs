//! The server function that discovers channels.

use std::sync::Arc;

use leptos::{
    prelude::*,
    server_fn::{Http, codec::GetUrl, error::FromServerFnError, error::ServerFnErrorErr},
};

use super::{Anchor, Catalog, Window};
use crate::{error::AppError, wire::WirePost};

/// The most channels on one side of the anchor that [`channels`] tells in one answer.
pub const WINDOW_SIDE_MAX: u32 = 100;

/// Discovers channels: those around `anchor` (`first`, `last`, or an id behind a `=`) in feed order.
#[server(prefix = "/api/fn", endpoint = "channels", protocol = Http<GetUrl, WirePost>)]
pub async fn channels(anchor: String, before: u32, after: u32) -> Result<Window, AppError> {
    discover(&anchor, before, after)
}

/// What [`channels`] answers; the server's render calls it without the detour over HTTP.
pub fn discover(anchor: &str, before: u32, after: u32) -> Result<Window, AppError> {
    let catalog = use_context::<Arc<dyn Catalog>>().ok_or(AppError::Unavailable)?;
    catalog
        .window(&Anchor::parse(anchor)?, before.min(WINDOW_SIDE_MAX), after.min(WINDOW_SIDE_MAX))
        .ok_or(AppError::NotFound)
}

impl FromServerFnError for AppError {
    type Encoder = crate::wire::Wire;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Transport(error.to_string())
    }
}
