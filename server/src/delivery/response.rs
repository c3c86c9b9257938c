//! What of a body a request gets: all, a part, or word that it has it already; and the headers that
//! say so.

use axum::{body::Body, response::Response};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};

use super::{
    conditional::{self, Validators, Verdict},
    range::{self, Selection},
};

/// How a body of known size is sent.
#[derive(Clone, Copy)]
pub(super) enum Plan {
    Whole,
    Part(range::ByteRange),
    Unsatisfiable,
    NotModified,
    Failed,
}

impl Plan {
    /// Weighs the conditions and the range of a request against a body of `size` bytes.
    pub(super) fn new(request: &Parts, validators: &Validators, size: u64) -> Self {
        let headers = &request.headers;
        match conditional::evaluate(headers, validators) {
            Verdict::NotModified => return Self::NotModified,
            Verdict::Failed => return Self::Failed,
            Verdict::Send => {}
        }
        // Ranges mean something to GET alone (RFC 9110 §14.2).
        let range = headers
            .get(header::RANGE)
            .filter(|_| request.method == Method::GET)
            .filter(|_| conditional::range_is_current(headers, validators))
            .and_then(|range| range.to_str().ok());
        match range.map_or(Selection::Whole, |range| range::select(range, size)) {
            Selection::Whole => Self::Whole,
            Selection::Part(range) => Self::Part(range),
            Selection::Unsatisfiable => Self::Unsatisfiable,
        }
    }

    /// The answer, whose `body` is already the part that is planned.
    pub(super) fn response(
        self,
        body: Body,
        size: u64,
        media_type: &'static str,
        cache: HeaderValue,
        validators: &Validators,
    ) -> Response {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        // What is wrong with a request is no state of the body: nobody may keep it for that.
        let cache = match self {
            Self::Whole | Self::Part(_) | Self::NotModified => cache,
            Self::Unsatisfiable | Self::Failed => HeaderValue::from_static("no-store"),
        };
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(etag) = HeaderValue::from_str(&validators.etag) {
            headers.insert(header::ETAG, etag);
        }
        let modified = httpdate::fmt_http_date(validators.modified);
        if let Ok(modified) = HeaderValue::from_str(&modified) {
            headers.insert(header::LAST_MODIFIED, modified);
        }
        let mut with_body = |length: u64| {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            headers.insert(header::CONTENT_LENGTH, length.into());
        };
        let (status, range) = match self {
            Self::Whole => {
                with_body(size);
                (StatusCode::OK, None)
            }
            Self::Part(range) => {
                with_body(range.length());
                (StatusCode::PARTIAL_CONTENT, Some(range.content_range(size)))
            }
            Self::Unsatisfiable => {
                (StatusCode::RANGE_NOT_SATISFIABLE, Some(format!("bytes */{size}")))
            }
            Self::NotModified => (StatusCode::NOT_MODIFIED, None),
            Self::Failed => (StatusCode::PRECONDITION_FAILED, None),
        };
        if let Some(range) = range.and_then(|range| HeaderValue::from_str(&range).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        *response.status_mut() = status;
        response
    }
}
