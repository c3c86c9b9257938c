//! Leading a player to the store itself: media alone, and never a playlist, a poster or a subtitle.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};

use super::{conditional::Validators, response::Plan};
use crate::{sources::resource::FileResource, storage::Asked};

/// The answer that leads there; `None` where this server has to answer itself.
///
/// What the player holds already is not sent for again, by the tag of either.
pub(super) async fn lead(file: &FileResource, request: &Parts) -> Option<Response> {
    let (media_type, stamp) = (file.media_type, file.stamp);
    if !media_type.starts_with("video/") && !media_type.starts_with("audio/") {
        return None;
    }
    let asked = if request.method == Method::HEAD { Asked::Head } else { Asked::Bytes };
    if matches!(Plan::new(request, &Validators::of(stamp), stamp.size), Plan::NotModified) {
        return None;
    }
    let direct = file.content.redirect(media_type, asked).await?;
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    let cache = format!("private, max-age={}", direct.kept.as_secs());
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::try_from(direct.address).ok()?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::try_from(cache).ok()?);
    Some(response)
}
