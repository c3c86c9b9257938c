//! Whether the server is well: cheap, silent, and also asked by the container's health check.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde_json::json;

use crate::state::AppState;

/// `GET /api/health`.
pub(crate) async fn health(State(state): State<AppState>) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let (status, body) = if state.shutdown.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "stopping", "version": version }))
    } else {
        match state.catalog.current() {
            None => (
                StatusCode::SERVICE_UNAVAILABLE,
                json!({ "status": "starting", "version": version }),
            ),
            Some(snapshot) => {
                let (channels, reasons) = (snapshot.len(), snapshot.troubles());
                let body = if reasons.is_empty() {
                    json!({ "status": "ok", "version": version, "channels": channels })
                } else {
                    json!({
                        "status": "degraded",
                        "version": version,
                        "channels": channels,
                        "reasons": reasons,
                    })
                };
                (StatusCode::OK, body)
            }
        }
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
