//! Whether the server is well: cheap, silent, and also asked by the container's health check.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::state::AppState;

/// Whether the server is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// ok, degraded, starting or stopping.
    status: Status,
    /// The program's version.
    version: &'static str,
    /// How many channels are listed; absent while starting or stopping.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<usize>,
    /// What is away or has ended, a word each; with degraded alone. A source: `bucket_away`,
    /// `video_away`, `audio_away`, or `…_incomplete` where it cannot reach all that it lists. A task
    /// of this server: `folder_task_ended` and the like, until it goes on. The log and `carrete
    /// doctor` say the sentence.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<String>>,
}

/// How a server is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Degraded,
    Starting,
    Stopping,
}

/// `GET /api/health`.
pub(crate) async fn health(State(state): State<AppState>) -> Response {
    let away = |status| Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        channels: None,
        reasons: None,
    };
    let (status, body) = match state.catalog.current() {
        _ if state.shutdown.is_cancelled() => {
            (StatusCode::SERVICE_UNAVAILABLE, away(Status::Stopping))
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, away(Status::Starting)),
        Some(snapshot) => {
            let mut reasons = snapshot.reasons().to_vec();
            reasons.extend(state.tasks.ended());
            let reasons = Some(reasons).filter(|reasons| !reasons.is_empty());
            let status = if reasons.is_some() { Status::Degraded } else { Status::Ok };
            let channels = Some(snapshot.len());
            (StatusCode::OK, Health { channels, reasons, ..away(status) })
        }
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
