//! The forms of bodies, as they are on the wire. The types that are written lie in `app` and carry
//! no schema, which the page's program would have to carry too; the tests see that each form has
//! exactly the members of its type.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::http::health::Health;

#[derive(OpenApi)]
#[openapi(components(schemas(Media, Window, Health, Fault, Beat)))]
struct Forms;

/// A document with nothing but the forms.
pub(super) fn forms() -> utoipa::openapi::OpenApi {
    Forms::openapi()
}

/// What a media object shows.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(not(test), expect(dead_code, reason = "it is described, and made by the tests alone"))]
enum Kind {
    Video,
    Audio,
}

/// Where a media object's bytes live: the streams folder, a bucket, another server.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(not(test), expect(dead_code, reason = "it is described, and made by the tests alone"))]
enum Source {
    Local,
    S3,
    Http,
}

/// One subtitle track.
#[derive(Serialize, ToSchema)]
struct Subtitle {
    /// BCP 47 language tag.
    lang: String,
    /// Address of the WebVTT file.
    url: String,
}

/// A sheet of small pictures for scrubbing.
#[derive(Serialize, ToSchema)]
struct Storyboard {
    /// Address of the sheet.
    url: String,
    /// Seconds between two tiles.
    interval_s: f64,
    /// Tiles in a row.
    columns: u32,
    /// Width of a tile in pixels.
    tile_w: u32,
    /// Height of a tile in pixels.
    tile_h: u32,
}

/// One channel of the list.
#[derive(Serialize, ToSchema)]
struct Media {
    /// The channel's name: 1 to 100 characters, at most 200 bytes.
    id: String,
    /// What people read; the id where nothing else is given.
    title: String,
    /// One line or more about it.
    description: Option<String>,
    /// Video or audio.
    kind: Kind,
    /// Which source holds the bytes.
    source: Source,
    /// Address of the playlist or bare file, relative to the origin, percent-encoded.
    url: String,
    /// Media type, with the codecs where they are known.
    mime: String,
    /// Length in seconds; null while live or not known.
    duration_s: Option<f64>,
    /// Width in pixels of the best rendition.
    width: Option<u32>,
    /// Height in pixels of the best rendition.
    height: Option<u32>,
    /// Address of the poster.
    poster: Option<String>,
    /// ThumbHash of the poster in base64.
    thumbhash: Option<String>,
    /// Address of how loud the music is over time.
    waveform: Option<String>,
    /// WebVTT tracks.
    subtitles: Vec<Subtitle>,
    /// Pictures for scrubbing.
    storyboard: Option<Storyboard>,
    /// The playlist still grows.
    live: bool,
    /// The source can be reached.
    available: bool,
    /// Words to find it by.
    tags: Vec<String>,
    /// When it last changed, Unix time in milliseconds.
    updated_at: u64,
    /// Its order of channel.toml: such go first in the feed, ascending.
    order: Option<f64>,
    /// What it is made of that not every browser plays, such as `HEVC`; null where every one does.
    format: Option<String>,
}

/// A contiguous part of the list.
#[derive(Serialize, ToSchema)]
struct Window {
    /// The media objects, in the order that was asked for.
    items: Vec<Media>,
    /// Place of the first of them, from 0.
    offset: u32,
    /// How many channels the whole list has.
    total: u32,
    /// Names this state of the list.
    version: String,
    /// The order that it is a part of.
    order: String,
}

/// Why an address did not answer what was asked.
#[derive(Serialize, ToSchema)]
struct Fault {
    /// What went wrong.
    error: Told,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
struct Told {
    /// For programs, in snake case.
    code: String,
    /// For people: one sentence that one can act on.
    message: String,
}

/// How fast a page was. Every member may be absent.
#[derive(Serialize, ToSchema)]
struct Beat {
    /// From the finger's lift to a moving picture, in milliseconds; 64 at most.
    #[schema(nullable = false)]
    swipes_ms: Option<Vec<f64>>,
    /// From the opening of the page to a moving picture, in milliseconds.
    #[schema(nullable = false)]
    cold_ms: Option<f64>,
    /// How often the picture stood still.
    #[schema(nullable = false)]
    stalls: Option<u32>,
    /// Seconds by the height that was shown.
    #[schema(nullable = false)]
    levels: Option<std::collections::BTreeMap<String, f64>>,
    /// How often network, media or unsupported was the cause of a failure.
    #[schema(nullable = false)]
    errors: Option<std::collections::BTreeMap<String, u32>>,
}

#[cfg(test)]
mod tests {
    use app::catalog;

    use super::{Fault, Kind, Media, Source, Storyboard, Subtitle, Told, Window};
    use crate::error::ApiError;

    // Each type is taken apart by name: a member that it gains does not compile until its form has
    // it too.
    impl From<catalog::Media> for Media {
        fn from(media: catalog::Media) -> Self {
            let catalog::Media {
                id,
                title,
                description,
                kind,
                source,
                url,
                mime,
                duration_s,
                width,
                height,
                poster,
                thumbhash,
                waveform,
                subtitles,
                storyboard,
                live,
                available,
                tags,
                updated_at,
                order,
                format,
            } = media;
            let kind = match kind {
                catalog::Kind::Video => Kind::Video,
                catalog::Kind::Audio => Kind::Audio,
            };
            let source = match source {
                catalog::Source::Local => Source::Local,
                catalog::Source::S3 => Source::S3,
                catalog::Source::Http => Source::Http,
            };
            let subtitles = subtitles
                .into_iter()
                .map(|catalog::Subtitle { lang, url }| Subtitle { lang, url })
                .collect();
            let storyboard = storyboard.map(|sheet| {
                let catalog::Storyboard { url, interval_s, columns, tile_w, tile_h } = sheet;
                Storyboard { url, interval_s, columns, tile_w, tile_h }
            });
            let id = id.to_string();
            Self {
                id,
                title,
                description,
                kind,
                source,
                url,
                mime,
                duration_s,
                width,
                height,
                poster,
                thumbhash,
                waveform,
                subtitles,
                storyboard,
                live,
                available,
                tags,
                updated_at,
                order,
                format,
            }
        }
    }

    fn media(kind: catalog::Kind, source: catalog::Source) -> catalog::Media {
        catalog::Media {
            id: catalog::ChannelId::parse("playa").expect("an id"),
            title: "Playa".into(),
            description: Some("El mar".into()),
            kind,
            source,
            url: "/streams/playa/playlist.m3u8".into(),
            mime: "application/vnd.apple.mpegurl".into(),
            duration_s: Some(6.0),
            width: Some(640),
            height: Some(360),
            poster: Some("/streams/playa/poster.webp".into()),
            thumbhash: Some("1QcSHQRnh493V4dIh4eXh1h4kJUI".into()),
            waveform: None,
            subtitles: vec![catalog::Subtitle { lang: "es".into(), url: "/es.vtt".into() }],
            storyboard: Some(catalog::Storyboard {
                url: "/s.webp".into(),
                interval_s: 2.0,
                columns: 5,
                tile_w: 160,
                tile_h: 90,
            }),
            live: false,
            available: true,
            tags: vec!["mar".into()],
            updated_at: 1,
            order: Some(1.5),
            format: Some("HEVC".into()),
        }
    }

    fn check(told: impl serde::Serialize, form: impl serde::Serialize) {
        let json = |value| serde_json::to_value(value).expect("JSON");
        assert_eq!(serde_json::to_value(told).expect("JSON"), json(form));
    }

    #[test]
    fn forms_are_those_of_the_wire() {
        use catalog::{Kind, Source};
        for (kind, source) in
            [(Kind::Video, Source::Local), (Kind::Audio, Source::S3), (Kind::Video, Source::Http)]
        {
            check(media(kind, source), Media::from(media(kind, source)));
        }
        let item = || media(Kind::Video, Source::S3);
        let catalog::FeedSlice { items, offset, total, version, order } = catalog::FeedSlice {
            items: vec![item()],
            offset: 3,
            total: 9,
            version: "v".into(),
            order: catalog::Order::Shuffle(7),
        };
        let told = catalog::FeedSlice { items: items.clone(), offset, total, version, order };
        let form = Window {
            items: items.into_iter().map(Media::from).collect(),
            offset,
            total,
            version: told.version.clone(),
            order: order.to_string(),
        };
        check(told, form);
    }

    #[tokio::test]
    async fn faults_are_those_of_the_wire() {
        let answer = axum::response::IntoResponse::into_response(ApiError::NotFound);
        let body = axum::body::to_bytes(answer.into_body(), 1 << 10).await.expect("a body");
        let told: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let (code, message) = ("not_found".to_owned(), ApiError::NotFound.to_string());
        check(told, Fault { error: Told { code, message } });
    }
}
