//! Playback that begins before the WASM is there. The server writes into the page what
//! `public/early.mjs` wants to know of the first reel; the module binds and plays it, and the pool
//! takes over what the module has bound, as it is.

use std::collections::BTreeMap;

use js_sys::{Function, Promise};
use leptos::prelude::{document, window};
use serde::Serialize;
use serde_json::Value as Json;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::HtmlVideoElement;

use super::{
    hls::{self, AHEAD_SLOW_S, Hls, LoadOptions},
    resume,
};
use crate::{
    catalog::Media,
    dom::{get, set},
    start::Stylesheet,
};

/// Where the module puts what it has bound, in the global scope.
const GLOBAL: &str = "early";
/// The element of the document that holds the request as JSON. Its id is no name of a global: what is
/// not there would be found as the element.
pub(crate) const ELEMENT: &str = "early-request";
/// How long after the first picture the stylesheet is fetched for the next visit, in milliseconds.
const KEEP_STYLE_MS: u32 = 3000;

/// What the module is to play, and how.
#[derive(Debug, Serialize)]
pub(crate) struct EarlyRequest {
    id: String,
    source: String,
    mime: String,
    /// The build of hls.js that plays it; none for a bare file.
    library: Option<&'static str>,
    /// That is the whole library.
    full: bool,
    /// The configuration of hls.js, but for what the browser alone knows.
    config: BTreeMap<&'static str, Json>,
    /// Where the page keeps its bandwidth estimate.
    bandwidth: &'static str,
    resume: Option<Resume>,
    stylesheet: Option<KeptStylesheet>,
}

/// A long reel goes on where it was left.
#[derive(Debug, Serialize)]
struct Resume {
    /// Where the page keeps the seconds.
    key: &'static str,
    /// From this second on it begins anew.
    before: f64,
}

/// A stylesheet that stands in the page, to be fetched as a file for the next visit.
#[derive(Debug, Serialize)]
struct KeptStylesheet {
    href: String,
    version: String,
    after_ms: u32,
}

impl EarlyRequest {
    /// For the reel that a page opens with; `inlined` is a stylesheet that stands in the page.
    pub(crate) fn new(media: &Media, separate_tracks: bool, inlined: Option<&Stylesheet>) -> Self {
        let options =
            LoadOptions { ahead_s: AHEAD_SLOW_S, from_s: None, duration_s: media.duration_s };
        let (numbers, flags) = hls::settings(options);
        let numbers = numbers.into_iter().map(|(key, number)| (key, Json::from(number)));
        let flags = flags.into_iter().map(|(key, flag)| (key, Json::from(flag)));
        let worker = [("workerPath", Json::from(hls::WORKER))];
        let config = numbers.chain(flags).chain(worker).collect();
        Self {
            id: media.id.to_string(),
            source: media.url.clone(),
            mime: media.mime.clone(),
            library: media.is_hls().then(|| hls::address(separate_tracks)),
            full: separate_tracks,
            config: if media.is_hls() { config } else { BTreeMap::new() },
            bandwidth: hls::ESTIMATE_KEY,
            resume: resume::resumes_before(media).map(|before| Resume { key: resume::KEY, before }),
            stylesheet: inlined.map(|sheet| KeptStylesheet {
                href: sheet.address.to_string(),
                version: sheet.version.to_string(),
                after_ms: KEEP_STYLE_MS,
            }),
        }
    }

    /// As JSON that may stand in a `script` element.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }

    /// The build of hls.js that it wants.
    pub(crate) fn library(&self) -> Option<&'static str> {
        self.library
    }
}

#[wasm_bindgen]
extern "C" {
    /// What the module plays, and how far that has come.
    pub(crate) type EarlyPlayback;

    /// The element; in the document.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn video(this: &EarlyPlayback) -> HtmlVideoElement;
    /// Whether the element has something to play.
    #[wasm_bindgen(method, getter)]
    fn bound(this: &EarlyPlayback) -> bool;
    /// The instance of hls.js; none where the browser plays by itself.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn hls(this: &EarlyPlayback) -> Option<Hls>;
    /// That is of the whole library.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn full(this: &EarlyPlayback) -> bool;
    /// Its listener for errors.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn heard(this: &EarlyPlayback) -> Function;
    /// The data of the worst error so far.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn error(this: &EarlyPlayback) -> JsValue;
    /// Different frames that were presented, at most 2.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn frames(this: &EarlyPlayback) -> u32;
    /// When the last of them was, in milliseconds of the page's clock.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn moved(this: &EarlyPlayback) -> u32;
    /// Waits for the first picture, or for what keeps it, and 0.4 s at most.
    #[wasm_bindgen(method)]
    fn settled(this: &EarlyPlayback) -> Promise;
}

/// What the module has made; nothing where it has not run, or has given up.
fn made() -> Option<EarlyPlayback> {
    let early = get(&window(), GLOBAL);
    early.is_object().then(|| early.unchecked_into())
}

/// Takes it, once. What the module has not bound yet it will not bind any more, also where it has not
/// run yet: then the page plays the first reel as every other.
pub(crate) fn take() -> Option<EarlyPlayback> {
    // A module that comes later finds nothing to do.
    if let Some(told) = document().get_element_by_id(ELEMENT) {
        told.remove();
    }
    let early = made()?;
    set(&window(), GLOBAL, JsValue::UNDEFINED);
    if !early.bound() {
        early.video().remove();
        return None;
    }
    Some(early)
}

/// Calls `then` when the first reel moves, or will not: hydration would keep the thread from it.
pub fn when_settled(then: impl FnOnce() + 'static) {
    let early = made();
    spawn_local(async move {
        if let Some(early) = early {
            let _ = JsFuture::from(early.settled()).await;
        }
        then();
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::EarlyRequest;
    use crate::{catalog::Media, start::Stylesheet};

    fn media(changes: Value) -> Media {
        let mut media = json!({
            "id": "a", "title": "A", "kind": "video", "source": "local",
            "url": "/streams/a/playlist.m3u8", "mime": "application/vnd.apple.mpegurl",
            "subtitles": [], "live": false, "available": true, "tags": [], "updated_at": 1
        });
        for (key, value) in changes.as_object().expect("an object") {
            media[key] = value.clone();
        }
        serde_json::from_value(media).expect("a media object")
    }

    fn told(media: &Media, separate_tracks: bool, inlined: Option<&Stylesheet>) -> Value {
        let text = EarlyRequest::new(media, separate_tracks, inlined).to_json();
        assert!(!text.contains('<'), "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_reel_goes_on_where_it_was_left_if_it_is_long() {
        let check = |changes: Value, before: Value| {
            let resume = &told(&media(changes.clone()), false, None)["resume"];
            assert_eq!(resume.get("before").unwrap_or(&Value::Null), &before, "{changes}");
        };
        check(json!({}), Value::Null);
        check(json!({ "duration_s": 59.9 }), Value::Null);
        check(json!({ "duration_s": 60.0 }), json!(52.0));
        check(json!({ "duration_s": 60.0, "live": true }), Value::Null);
    }

    #[test]
    fn short_reels_are_kept_whole_and_long_ones_are_not() {
        let behind = |duration: f64| {
            told(&media(json!({ "duration_s": duration })), false, None)["config"]
                ["backBufferLength"]
                .clone()
        };
        assert_eq!((behind(12.0), behind(90.0)), (json!(40.0), json!(4.0)));
    }

    #[test]
    fn a_bare_file_names_no_library_and_no_configuration() {
        let song = media(json!({ "url": "/streams/a.mp3", "mime": "audio/mpeg", "kind": "audio" }));
        let told = told(&song, false, None);
        assert_eq!((&told["library"], &told["config"]), (&Value::Null, &json!({})));
        assert_eq!(told["mime"], "audio/mpeg");
    }

    #[test]
    fn no_text_of_a_channel_ends_the_script_that_it_stands_in() {
        let told = told(&media(json!({ "url": "/streams/</script><script>" })), false, None);
        assert_eq!(told["source"], "/streams/</script><script>");
    }

    #[test]
    fn a_stylesheet_in_the_page_is_fetched_for_the_next_visit() {
        let sheet = Stylesheet {
            address: "/pkg/carrete.a1.css".into(),
            version: "a1".into(),
            text: "a{}".into(),
        };
        let kept = &told(&media(json!({})), false, Some(&sheet))["stylesheet"];
        assert_eq!(
            (&kept["href"], &kept["version"]),
            (&json!("/pkg/carrete.a1.css"), &json!("a1"))
        );
        assert!(told(&media(json!({})), false, None)["stylesheet"].is_null());
    }
}
