//! The list of another Carrete. Only what lies on that host or in its bucket is taken: what it takes
//! from elsewhere itself may be ours.

use std::{collections::HashSet, ffi::OsString};

use app::catalog::{Kind, Media, Source};
use percent_encoding::percent_decode_str;
use url::Url;

use super::told::{Raw, Told};
use crate::storage::Page;

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

fn told(base: &Url, media: Media) -> Option<Told> {
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
    for track in &media.subtitles {
        let file = format!("{}.vtt", track.lang);
        if let Some(address) = join(&track.url) {
            beside.push((file.clone(), address));
            subtitles.push((track.lang.clone(), file));
        }
    }
    Some(Told {
        bare,
        live: media.live,
        title: (media.title != media.id.as_str()).then_some(media.title),
        description: media.description,
        tags: media.tags,
        order: media.order,
        mime: media.mime,
        duration_s: media.duration_s,
        width: media.width,
        height: media.height,
        thumbhash: media.thumbhash,
        beside,
        subtitles,
        updated_at: media.updated_at,
        keeps_older: true,
        ..Told::new(&name, &address, media.kind)
    })
}
