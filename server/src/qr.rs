//! The QR code that lets the others in.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::header;

use crate::{addresses, error::ApiError, state::AppState};

/// `GET /qr.svg`: the address that a phone of the same network can open.
pub(crate) async fn svg(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let address = state.join_address(&parts);
    match addresses::qr_svg(&address) {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => ApiError::Internal.into_response(),
    }
}
