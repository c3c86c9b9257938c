//! The QR code that lets the others in.

use app::catalog::ChannelId;
use axum::{
    extract::{Query, Request, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::header;
use serde::Deserialize;

use super::state::AppState;
use crate::{addresses, error::ApiError};

/// The longest path that a code leads to: of a channel's page with the longest id.
const PATH_MAX_BYTES: usize = 1_000;

/// What the code leads to.
#[derive(Debug, Deserialize)]
pub(crate) struct QrQuery {
    /// A path of this site; its beginning where absent.
    path: Option<String>,
}

/// `GET /qr.svg?path=/c/{id}`: the address that a phone of the same network can open.
pub(crate) async fn svg(
    State(state): State<AppState>,
    wanted: Result<Query<QrQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let path = wanted.ok().and_then(|Query(wanted)| wanted.path).unwrap_or_default();
    let id = path.strip_prefix("/c/").and_then(|name| ChannelId::parse(name).ok());
    if path.len() > PATH_MAX_BYTES || (!path.is_empty() && id.is_none()) {
        return ApiError::NotFound.into_response();
    }
    let page = id.map(|id| id.page()).unwrap_or_default();
    let address = state.join_address(&parts) + &page;
    match addresses::qr_svg(&address) {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => ApiError::Internal.into_response(),
    }
}
