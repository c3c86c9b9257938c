//! The answer that a browser wants before it lets another site's page ask for a range.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// What the streams answer.
pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// Who may read them.
pub(super) const ANYONE: HeaderValue = HeaderValue::from_static("*");
/// How long a browser may remember the answer, in seconds.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");

/// `OPTIONS /streams/{*path}`: the answer that a browser wants before it lets another site's page
/// ask for a range.
pub async fn preflight(asked: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(header::ALLOW, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE);
    // Streams are open to all, so whatever a page wants to send is welcome.
    let mut allowed = String::from("Range");
    let names = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|n| n.to_str().ok());
    for name in names.unwrap_or_default().split(',').map(str::trim) {
        if !name.eq_ignore_ascii_case("range") && http::HeaderName::try_from(name).is_ok() {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    response
}
