//! The list of another Carrete. Only what lies on that host or in its bucket is taken: what it takes
//! from elsewhere itself may be ours.

use std::{collections::HashSet, ffi::OsString};

use app::catalog::{Kind, Media, Source};
use percent_encoding::percent_decode_str;
use url::Url;

use super::record::{Raw, RemoteRecord, TAG_MAX_CHARS, TAGS_MAX, TITLE_MAX_CHARS, bounded};
use crate::{hls::media_type, probe::vtt, storage::Page};

/// The most characters of a description.
const DESCRIPTION_MAX_CHARS: usize = 2000;
/// The most subtitles of a channel, and letters of a language (RFC 5646, 4.4.1).
const SUBTITLES_MAX: usize = 32;
const LANG_MAX: usize = 35;
/// The longest media type.
const MIME_MAX: usize = 200;
/// The most pixels of a side.
const PIXELS_MAX: u32 = 1 << 16;
/// A ThumbHash has 25 bytes at most; in base64.
const THUMBHASH_MAX: usize = 36;

/// The address of its list.
pub(super) fn list_of(base: &Url) -> Url {
    let mut list = base.clone();
    list.set_path(&format!("{}/api/videos", base.path().trim_end_matches('/')));
    list.set_query(None);
    list
}

/// The entries of such a list; `None` where the page is none. Blocks.
fn entries(page: &Page) -> Option<Vec<serde_json::Value>> {
    let is_object = |value: &serde_json::Value| {
        ["id", "url", "kind", "source"].iter().all(|key| value.get(key).is_some())
    };
    let list: Vec<serde_json::Value> = serde_json::from_str(&page.text).ok()?;
    // An empty list may be anybody's, but not at that address.
    let is_list =
        list.iter().all(is_object) && (!list.is_empty() || page.address.ends_with("/api/videos"));
    is_list.then_some(list)
}

/// The channels of one kind, and the names of those that it cannot reach itself.
pub(super) type Read = (Vec<(String, Raw)>, HashSet<OsString>);

/// Reads such a list; `None` where the page is none. Blocks.
pub(super) fn read(page: &Page, kind: Kind) -> Option<Read> {
    let list = entries(page)?;
    let Ok(base) = Url::parse(&page.address) else { return Some(Read::default()) };
    // What it does not tell in our form it does not tell to us.
    let media = list.into_iter().filter_map(|value| serde_json::from_value::<Media>(value).ok());
    let ours = media.filter(|media| media.kind == kind && media.source != Source::Http);
    let mut behind = HashSet::new();
    let raw = |media: Media| {
        let available = media.available;
        let told = told(&base, media)?;
        if !available {
            behind.insert(told.name.clone().into());
        }
        Some((told.name.clone(), Raw::Whole(told)))
    };
    Some((ours.filter_map(raw).collect(), behind))
}

/// Its media type, if it is one of media; else what the name says.
fn mime(told: String, url: &str, bare: bool) -> String {
    let is_begun = |kind: &&str| told.starts_with(*kind);
    let is_type = told.len() <= MIME_MAX
        && told.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && (!bare || told == media_type::OTHER || ["video/", "audio/"].iter().any(is_begun));
    if is_type { told } else { media_type::of(url).to_owned() }
}

/// What stands in it is another's word: no more of it is taken than anybody reads.
fn told(base: &Url, media: Media) -> Option<RemoteRecord> {
    // Its own addresses are relative: one that leads to another server is none of them.
    let join = |address: &str| {
        let url = base.join(address).ok()?;
        (url.origin() == base.origin()).then(|| url.to_string())
    };
    let address = join(&media.url)?;
    let bare = !media.is_hls();
    let name = if bare {
        let last = media.url.rsplit('/').next().unwrap_or_default();
        percent_decode_str(last).decode_utf8().ok()?.into_owned()
    } else {
        media.id.to_string()
    };
    let mut beside = Vec::new();
    for (name, address) in [("poster.webp", &media.poster), ("waveform.json", &media.waveform)] {
        beside.extend(address.as_ref().and_then(|a| Some((name.to_owned(), join(a)?))));
    }
    let mut subtitles = Vec::new();
    for track in media.subtitles.iter().take(SUBTITLES_MAX) {
        let Some(lang) = vtt::language(&track.lang).filter(|lang| lang.len() <= LANG_MAX) else {
            continue;
        };
        let file = format!("{lang}.vtt");
        if let Some(address) = join(&track.url) {
            beside.push((file.clone(), address));
            subtitles.push((lang, file));
        }
    }
    let tags = media.tags.iter().map(|tag| bounded(tag, TAG_MAX_CHARS));
    let title = bounded(&media.title, TITLE_MAX_CHARS);
    Some(RemoteRecord {
        bare,
        live: media.live,
        title: (media.title != media.id.as_str() && !title.is_empty()).then_some(title),
        description: media.description.map(|text| bounded(&text, DESCRIPTION_MAX_CHARS)),
        tags: tags.filter(|tag| !tag.is_empty()).take(TAGS_MAX).collect(),
        order: media.order.filter(|order| order.is_finite()),
        mime: mime(media.mime, &media.url, bare),
        duration_s: media.duration_s.filter(|seconds| *seconds > 0.0),
        width: media.width.filter(|pixels| *pixels <= PIXELS_MAX),
        height: media.height.filter(|pixels| *pixels <= PIXELS_MAX),
        thumbhash: media.thumbhash.filter(|hash| hash.len() <= THUMBHASH_MAX),
        beside,
        subtitles,
        updated_at: media.updated_at,
        keeps_older: true,
        ..RemoteRecord::new(&name, &address, media.kind)
    })
}

#[cfg(test)]
mod tests {
    use app::catalog::{ChannelId, Kind, Media, Source, Subtitle};
    use url::Url;

    use super::told;

    #[test]
    fn no_more_of_its_words_is_taken_than_anybody_reads() {
        let base = Url::parse("http://other.lan/api/videos").expect("an address");
        let lang = |lang: String| Subtitle { lang, url: "/streams/f/x.vtt".into() };
        let langs = ["es".to_owned(), "../../x".into(), "<b>".into(), "e".repeat(90_000)];
        let media = Media {
            id: ChannelId::parse("f").expect("an id"),
            title: "t".repeat(1_000_000),
            description: Some("ñ".repeat(3_000_000)),
            kind: Kind::Video,
            source: Source::Local,
            url: "/streams/f.mp4".into(),
            mime: "text/html\r\nset-cookie: a=b".into(),
            duration_s: Some(-5.0),
            width: Some(u32::MAX),
            height: Some(1080),
            poster: None,
            thumbhash: Some("A".repeat(200_000)),
            waveform: None,
            subtitles: langs
                .into_iter()
                .chain((0..5000).map(|n| format!("x{n}")))
                .map(lang)
                .collect(),
            storyboard: None,
            live: false,
            available: true,
            tags: (0..20_000).map(|n| format!("{n}{}", "x".repeat(500))).collect(),
            updated_at: 0,
            order: Some(f64::NAN),
            format: None,
        };
        // What no browser plays is told as that.
        let foreign = Media { mime: "application/octet-stream".into(), ..media.clone() };
        assert_eq!(told(&base, foreign).expect("a channel").mime, "application/octet-stream");
        let told = told(&base, media).expect("a channel");
        assert_eq!(told.title.map(|text| text.len()), Some(200));
        assert_eq!(told.description.map(|text| text.chars().count()), Some(2000));
        assert_eq!((told.tags.len(), told.tags[0].len()), (16, 100));
        assert_eq!(told.subtitles, [("es".to_owned(), "es.vtt".to_owned())]);
        assert_eq!((&*told.mime, told.duration_s, told.order), ("video/mp4", None, None));
        assert_eq!((told.width, told.height, told.thumbhash), (None, Some(1080), None));
    }
}
