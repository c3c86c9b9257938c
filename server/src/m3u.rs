//! The channels as an M3U list, for VLC, Kodi and the apps of television sets.

use std::fmt::Write as _;

use app::catalog::{Kind, Media};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::{error::ApiError, hls::conditions::matches_any, state::AppState};

/// What players know these lists by.
const M3U: HeaderValue = HeaderValue::from_static("audio/x-mpegurl; charset=utf-8");
/// The list is asked for again each time; the entity tag makes that cheap.
const CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// `GET /channels.m3u`: every channel in feed order, with absolute addresses.
pub(crate) async fn list(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let snapshot = state.catalog.whole().await?;
    let text = list_of(snapshot.media().iter().map(AsRef::as_ref), &state.base_url(&parts));
    let etag = format!("\"{}\"", &blake3::hash(text.as_bytes()).to_hex()[..24]);
    let known = matches_any(parts.headers.get_all(header::IF_NONE_MATCH), &etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, M3U)], text).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

fn list_of<'a>(all: impl Iterator<Item = &'a Media>, base: &str) -> String {
    let mut text = String::from("#EXTM3U\n");
    for media in all {
        // A length of -1 says that it goes on, or that nobody knows.
        let length = media.duration_s.filter(|_| !media.live).map(f64::ceil);
        let _ = write!(text, "#EXTINF:{}", length.unwrap_or(-1.0));
        let title = plain(&media.title);
        let quoted = |text: &str| plain(text).replace('"', "'");
        let _ = write!(
            text,
            " tvg-id=\"{}\" tvg-name=\"{}\"",
            quoted(media.id.as_str()),
            quoted(&title)
        );
        if let Some(poster) = &media.poster {
            let _ = write!(text, " tvg-logo=\"{base}{poster}\"");
        }
        if !media.tags.is_empty() {
            // A semicolon parts groups, so it cannot be in the name of one.
            let tags: Vec<_> = media.tags.iter().map(|tag| tag.replace(';', ",")).collect();
            let _ = write!(text, " group-title=\"{}\"", quoted(&tags.join(";")));
        }
        if media.kind == Kind::Audio {
            text.push_str(" radio=\"true\"");
        }
        let _ = writeln!(text, ",{title}\n{base}{}", media.url);
    }
    text
}

/// A text of one line.
fn plain(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}
