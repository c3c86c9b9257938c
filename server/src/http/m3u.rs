//! The channels as an M3U list, for VLC, Kodi and the apps of television sets.

use std::{convert::Infallible, fmt::Write as _, iter, sync::Arc};

use app::catalog::{Kind, Media};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};

use super::state::AppState;
use crate::{
    catalog::{Snapshot, etag_of},
    delivery::conditional::is_known,
    error::ApiError,
};

/// What players know these lists by.
const M3U: HeaderValue = HeaderValue::from_static("audio/x-mpegurl; charset=utf-8");
/// The list is asked for again each time; the entity tag makes that cheap.
const CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Channels whose lines are made at once.
const AT_ONCE: usize = 64;

/// `GET /channels.m3u`: every channel in feed order, with absolute addresses.
///
/// Each host has a text of its own, and whoever asks names the host: so none is kept. What is sent is
/// made from the list that all share while it is taken, and who takes it slowly holds a few lines.
pub(crate) async fn list(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let snapshot = state.catalog.whole().await?;
    let base: Arc<str> = state.base_url(&parts).into();
    let etag = etag_of(format!("{} {base}", snapshot.videos_json().etag).as_bytes());
    let known = is_known(&parts.headers, &etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let length: usize = pieces(&snapshot, &base).map(|piece| piece.len()).sum();
        let body = pieces(&snapshot, &base).map(Ok::<_, Infallible>);
        let mut response = Body::from_stream(stream::iter(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, M3U);
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        response
    };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

/// The list, some channels after another; each piece is made when it is asked for.
fn pieces(
    snapshot: &Arc<Snapshot>,
    base: &Arc<str>,
) -> impl Iterator<Item = Bytes> + Send + 'static {
    let (snapshot, base) = (snapshot.clone(), base.clone());
    let starts = (0..snapshot.media().len()).step_by(AT_ONCE);
    let lines = starts.map(move |start| {
        let mut text = String::new();
        for media in snapshot.media()[start..].iter().take(AT_ONCE) {
            entry(&mut text, media, &base);
        }
        Bytes::from(text)
    });
    iter::once(Bytes::from_static(b"#EXTM3U\n")).chain(lines)
}

/// The lines of one channel.
fn entry(text: &mut String, media: &Media, base: &str) {
    // A length of -1 says that it goes on, or that nobody knows.
    let length = media.duration_s.filter(|_| !media.live).map(f64::ceil);
    let _ = write!(text, "#EXTINF:{}", length.unwrap_or(-1.0));
    let title = plain(&media.title);
    let quoted = |text: &str| plain(text).replace('"', "'");
    let _ =
        write!(text, " tvg-id=\"{}\" tvg-name=\"{}\"", quoted(media.id.as_str()), quoted(&title));
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

/// A text of one line.
fn plain(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::catalog::Media;
    use serde_json::json;

    use super::{AT_ONCE, pieces};
    use crate::catalog::Snapshot;

    #[test]
    fn lines_are_made_when_they_are_taken() {
        let media = |n: usize| -> Media {
            let json = json!({
                "id": format!("c{n:03}"), "title": "A reel", "kind": "video", "source": "local",
                "url": format!("/streams/c{n:03}.mp4"), "mime": "video/mp4", "subtitles": [],
                "live": false, "available": true, "tags": [], "updated_at": 0,
            });
            serde_json::from_value(json).expect("a media object")
        };
        let all = 3 * AT_ONCE + 1;
        let snapshot = Arc::new(Snapshot::of_media((0..all).map(media).collect()));
        let pieces: Vec<_> = pieces(&snapshot, &"http://tv.lan".into()).collect();
        let lines = |piece: &[u8]| piece.iter().filter(|byte| **byte == b'\n').count();
        let counts: Vec<_> = pieces.iter().map(|piece| lines(piece)).collect();
        assert_eq!(counts, [1, 2 * AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE, 2]);
        assert!(pieces[4].ends_with(b"\nhttp://tv.lan/streams/c192.mp4\n"));
    }
}
