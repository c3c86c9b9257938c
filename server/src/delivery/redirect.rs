//! Leading a player to the store itself: media alone, and never a playlist, a poster or a subtitle.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};

use super::{conditional::Validators, response::Plan};
use crate::{
    cache::Edge,
    storage::{Asked, local::Stamp},
};

/// The answer that leads there; `None` where this server has to answer itself.
///
/// What the player holds already is not sent for again, by the tag of either.
pub(super) async fn lead(
    edge: &Edge,
    key: &str,
    (media_type, stamp): (&'static str, Stamp),
    request: &Parts,
) -> Option<Response> {
    if !media_type.starts_with("video/") && !media_type.starts_with("audio/") {
        return None;
    }
    let asked = if request.method == Method::HEAD { Asked::Head } else { Asked::Bytes };
    let validators =
        Validators { etag: format!("\"{}\"", stamp.version()), modified: stamp.modified() };
    if matches!(Plan::new(request, &validators, stamp.size), Plan::NotModified) {
        return None;
    }
    let direct = edge.direct(key, media_type, asked).await?;
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    let cache = format!("private, max-age={}", direct.kept.as_secs());
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::try_from(direct.address).ok()?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::try_from(cache).ok()?);
    Some(response)
}
