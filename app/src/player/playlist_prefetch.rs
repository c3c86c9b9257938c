//! Playlists of reels that may come soon, fetched before a player asks for them: then it needs no round
//! trip. They lie in the browser's own cache; for a short while they are taken from there unasked.

use std::cell::RefCell;

use js_sys::{Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Request, RequestInit};

use crate::{
    catalog::Media,
    dom::{get, now_ms, set, swallow},
};

/// A playlist that was fetched so long ago is asked for again.
const FRESH_MS: f64 = 60_000.0;
/// Playlists remembered.
const MOST: usize = 12;

thread_local! {
    /// Whole addresses, and when they were fetched. hls.js asks for all of a page's instances.
    static FETCHED: RefCell<Vec<(String, f64)>> = const { RefCell::new(Vec::new()) };
    /// Makes hls.js' requests; one for all instances, and for the life of the page.
    static SETUP: Setup = Setup::new(request);
}

type Setup = Closure<dyn FnMut(JsValue, JsValue) -> JsValue>;

/// Fetches the playlists that are not there yet.
pub(super) fn prefetch(reels: &[std::sync::Arc<Media>]) {
    let Ok(origin) = window().location().origin() else { return };
    for media in reels.iter().filter(|media| media.is_hls() && !media.live) {
        let address = format!("{origin}{}", media.url);
        let known = FETCHED.with_borrow_mut(|all| {
            all.retain(|(_, at)| now_ms() - at < FRESH_MS);
            let known = all.iter().any(|(each, _)| *each == address);
            if !known {
                all.push((address.clone(), now_ms()));
            }
            if all.len() > MOST {
                all.remove(0);
            }
            known
        });
        if !known {
            let how = RequestInit::new();
            set(&how, "priority", "low");
            swallow(window().fetch_with_str_and_init(&address, &how).into());
        }
    }
}

/// The playlist of this reel has another version now: it is asked for.
pub(super) fn forget(media: &Media) {
    FETCHED.with_borrow_mut(|all| all.retain(|(address, _)| !address.ends_with(&media.url)));
}

/// Puts itself into the configuration of an hls.js instance.
pub(super) fn set_up(config: &Object) {
    SETUP.with(|setup| set(config, "fetchSetup", setup.as_ref()));
}

/// The request for what hls.js wants (`fetchSetup`).
fn request(context: JsValue, how: JsValue) -> JsValue {
    let address = get(&context, "url").as_string().unwrap_or_default();
    let fetched = FETCHED.with_borrow(|all| {
        all.iter().any(|(each, at)| *each == address && now_ms() - at < FRESH_MS)
    });
    if fetched {
        let _ = Reflect::set(&how, &"cache".into(), &"force-cache".into());
    }
    Request::new_with_str_and_init(&address, how.unchecked_ref()).map_or(JsValue::NULL, Into::into)
}
