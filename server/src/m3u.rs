//! The channels as an M3U list with absolute addresses, for VLC, Kodi and TV apps.

use std::fmt::Write;

use app::catalog::{Kind, Media};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::{hls::conditions::matches_any, state::AppState};

/// No standard names a type for lists in UTF-8; players know this one.
const LIST: HeaderValue = HeaderValue::from_static("audio/x-mpegurl; charset=utf-8");

/// `GET /channels.m3u`: everything of the list, live channels and music too.
pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let snapshot = state.catalog.current().unwrap_or_default();
    let base = state.base_url(&parts);
    let text = written(snapshot.media().iter().map(AsRef::as_ref), &base);
    let etag = format!("\"{}\"", &blake3::hash(text.as_bytes()).to_hex()[..24]);
    let mut response = if matches_any(parts.headers.get_all(header::IF_NONE_MATCH), &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, LIST)], text).into_response()
    };
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// The list, its addresses below `base`.
fn written<'a>(list: impl IntoIterator<Item = &'a Media>, base: &str) -> String {
    let mut text = String::from("#EXTM3U\n");
    for media in list {
        // Whole seconds are read everywhere; what has no length is told by -1.
        let seconds = media.duration_s.filter(|_| !media.live).unwrap_or(-1.0);
        let _ = write!(text, "#EXTINF:{seconds:.0}");
        let mut attribute = |name: &str, value: &str| {
            let _ = write!(text, " {name}=\"{}\"", plain(value).replace('"', "'"));
        };
        attribute("tvg-id", media.id.as_str());
        attribute("tvg-name", &media.title);
        if let Some(poster) = &media.poster {
            attribute("tvg-logo", &format!("{base}{poster}"));
        }
        if !media.tags.is_empty() {
            // A semicolon parts groups, so it cannot be in the name of one.
            let tags: Vec<_> = media.tags.iter().map(|tag| tag.replace(';', ",")).collect();
            attribute("group-title", &tags.join(";"));
        }
        if media.kind == Kind::Audio {
            attribute("radio", "true");
        }
        // Some players take what stands behind the last comma for the title.
        let title = plain(&media.title).replace(',', "\u{201A}");
        let _ = write!(text, ",{}\n{base}{}\n", title.trim(), media.url);
    }
    text
}

/// In one line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use app::catalog::{ChannelId, Kind, Media, Source};

    use super::written;

    fn media(id: &str, kind: Kind) -> Media {
        let id = ChannelId::parse(id).expect("an id");
        Media {
            url: format!("/streams/{}/playlist.m3u8", id.encoded()),
            title: id.to_string(),
            id,
            description: None,
            kind,
            source: Source::Local,
            mime: "application/vnd.apple.mpegurl".into(),
            duration_s: Some(19.6),
            width: None,
            height: None,
            poster: None,
            thumbhash: None,
            waveform: None,
            subtitles: Vec::new(),
            storyboard: None,
            live: false,
            available: true,
            tags: Vec::new(),
            updated_at: 0,
        }
    }

    #[test]
    fn every_kind_of_channel_is_written() {
        let mut film = media("año 1", Kind::Video);
        film.title = "The \"cove\",\nlast hour".into();
        film.tags = vec!["beach".into(), "sum;mer".into()];
        film.poster = Some("/streams/a%C3%B1o%201/poster.webp".into());
        let mut live = media("live", Kind::Video);
        (live.live, live.duration_s) = (true, None);
        let song = media("song", Kind::Audio);
        let text = written([&film, &live, &song], "http://tv.lan:8080");
        assert_eq!(
            text,
            "#EXTM3U\n\
             #EXTINF:20 tvg-id=\"año 1\" tvg-name=\"The 'cove', last hour\" \
             tvg-logo=\"http://tv.lan:8080/streams/a%C3%B1o%201/poster.webp\" \
             group-title=\"beach;sum,mer\",The \"cove\"\u{201A} last hour\n\
             http://tv.lan:8080/streams/a%C3%B1o%201/playlist.m3u8\n\
             #EXTINF:-1 tvg-id=\"live\" tvg-name=\"live\",live\n\
             http://tv.lan:8080/streams/live/playlist.m3u8\n\
             #EXTINF:20 tvg-id=\"song\" tvg-name=\"song\" radio=\"true\",song\n\
             http://tv.lan:8080/streams/song/playlist.m3u8\n"
        );
        assert_eq!(written([], "http://tv.lan"), "#EXTM3U\n");
    }
}
