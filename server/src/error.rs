//! The errors that leave the server: one table of statuses and codes. Causes are logged where they
//! are handled and never sent.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// When it is worth asking again for what is not there yet, in seconds.
const RETRY: HeaderValue = HeaderValue::from_static("2");

/// Says which side of this server is away (RFC 9209): another Carrete, in front of this one, goes on
/// asking for what lies elsewhere.
pub const PROXY_STATUS: &str = "proxy-status";
/// Its value.
pub const DESTINATION_UNAVAILABLE: &str = "carrete; error=destination_unavailable";

/// What an address answers when it cannot answer what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No such channel.
    #[error("There is no channel with this id; GET /api/channels lists those there are.")]
    UnknownChannel,
    /// No such address or file.
    #[error("There is nothing at this address.")]
    NotFound,
    /// A query that cannot be read.
    #[error("The query is not of this address's form; offset and limit are whole numbers.")]
    BadQuery,
    /// The method is not one of the address's.
    #[error("This address does not answer this method.")]
    MethodNotAllowed,
    /// The `Origin` is not one of ours.
    #[error("Pages of another site may not do this; add the site to CORS_ORIGINS.")]
    ForeignOrigin,
    /// A plain request where a socket is.
    #[error("This address is a WebSocket; open it with a client that upgrades over HTTP/1.1.")]
    UpgradeRequired,
    /// The limit of connections, or of open or of new sockets is reached.
    #[error("Too many are connected now; try again in a moment.")]
    TooManySockets,
    /// A file that was listed cannot be read now.
    #[error("The file cannot be read now; try again in a moment.")]
    Unreadable,
    /// The first look at the streams folder is not done.
    #[error("The server is starting and does not know its channels yet; try again in a moment.")]
    Starting,
    /// The source of a file does not answer.
    #[error("The store that has this file does not answer; try again in a moment.")]
    SourceAway,
    /// A body that is too large.
    #[error("The body of the request is larger than this address takes.")]
    TooLarge,
    /// A body that cannot be read.
    #[error("The body of the request is not of this address's form.")]
    BadBody,
    /// A body that does not come to its end.
    #[error("The body of the request took too long; send all of it at once.")]
    BodyTooSlow,
    /// No host, or one that nobody can read.
    #[error("The request has to tell the host that it asks, once: Host: tv.example:8080.")]
    BadHost,
    /// A target that is no path.
    #[error("The target of the request is no place of this server; a path begins with a slash.")]
    BadTarget,
    /// A client's half of a WebSocket's opening that cannot be answered.
    #[error("Sec-WebSocket-Key has to be 16 random bytes in base64.")]
    BadSocketKey,
    /// A body of another type.
    #[error("The body of the request is of a type that this address does not take.")]
    MediaType,
    /// Over the rate.
    #[error("That was too fast; wait as long as Retry-After says.")]
    SlowDown,
    /// Our own fault.
    #[error("The server failed to answer; its log says why.")]
    Internal,
}

impl ApiError {
    /// The status and the code of each error, on one page.
    pub fn status_and_code(self) -> (StatusCode, &'static str) {
        match self {
            Self::UnknownChannel => (StatusCode::NOT_FOUND, "unknown_channel"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::BadQuery => (StatusCode::BAD_REQUEST, "bad_query"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign_origin"),
            Self::UpgradeRequired => (StatusCode::UPGRADE_REQUIRED, "upgrade_required"),
            Self::TooManySockets => (StatusCode::SERVICE_UNAVAILABLE, "too_many_sockets"),
            Self::Unreadable => (StatusCode::SERVICE_UNAVAILABLE, "unreadable"),
            Self::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
            Self::SourceAway => (StatusCode::SERVICE_UNAVAILABLE, "source_away"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::BadBody => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::BadHost => (StatusCode::BAD_REQUEST, "bad_host"),
            Self::BadTarget => (StatusCode::BAD_REQUEST, "bad_target"),
            Self::BadSocketKey => (StatusCode::BAD_REQUEST, "bad_socket_key"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::SlowDown => (StatusCode::TOO_MANY_REQUESTS, "slow_down"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// As it is told.
    pub fn body(self) -> serde_json::Value {
        let (_, code) = self.status_and_code();
        json!({ "error": { "code": code, "message": self.to_string() } })
    }

    /// Why a request's body could not be read: it is too long, does not come, or is not as it says.
    pub fn of_body(error: &axum::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if error.is::<http_body_util::LengthLimitError>() {
                return Self::TooLarge;
            }
            if error.is::<tower_http::timeout::TimeoutError>() {
                return Self::BodyTooSlow;
            }
            cause = error.source();
        }
        Self::BadBody
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, _) = self.status_and_code();
        let mut response = (status, [(http::header::CACHE_CONTROL, "no-cache")], Json(self.body()))
            .into_response();
        if matches!(
            self,
            Self::SourceAway | Self::Starting | Self::Unreadable | Self::TooManySockets
        ) {
            response.headers_mut().insert(http::header::RETRY_AFTER, RETRY);
        }
        if self == Self::SourceAway {
            let away = HeaderValue::from_static(DESTINATION_UNAVAILABLE);
            response.headers_mut().insert(PROXY_STATUS, away);
        }
        response
    }
}
