//! The WebVTT tracks of one media element: those beside the playlist, and those that hls.js adds where
//! the playlist has its own. The browser reads the cues and their times; the page says them itself,
//! where its own controls leave room.

use std::{cell::RefCell, rc::Rc};

use js_sys::Function;
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, HtmlVideoElement, Node};

use crate::{
    catalog::Subtitle,
    dom::{Listener, get, set},
};

/// The tracks of an element, and who hears that a cue begins or ends.
pub(crate) struct TextTracks {
    cued: Rc<dyn Fn()>,
    listeners: RefCell<Vec<Listener>>,
}

impl TextTracks {
    /// Calls `cued` when a cue begins or ends.
    pub(crate) fn new(cued: Rc<dyn Fn()>) -> Self {
        Self { cued, listeners: RefCell::default() }
    }

    /// Gives the element these tracks instead of those it had.
    pub(crate) fn replace(&self, video: &HtmlVideoElement, all: &[Subtitle]) {
        self.listeners.take();
        while let Some(track) = video.last_child() {
            let _ = video.remove_child(&track);
        }
        self.add(video, all);
    }

    /// Gives the element these tracks too.
    pub(crate) fn add(&self, video: &HtmlVideoElement, all: &[Subtitle]) {
        for subtitle in all {
            let Ok(track) = document().create_element("track") else { continue };
            for (name, value) in
                [("kind", "subtitles"), ("srclang", &*subtitle.lang), ("src", &*subtitle.url)]
            {
                let _ = track.set_attribute(name, value);
            }
            let _ = video.append_child(&track);
        }
    }

    /// Reads the track of the page's language, or the first one; none with `on` false.
    pub(crate) fn show(&self, video: &HtmlVideoElement, on: bool) {
        let tracks = spoken(video);
        let lang = document().document_element().and_then(|root| root.get_attribute("lang"));
        let own = tracks.iter().position(|track| {
            let tag = get(track, "language").as_string().unwrap_or_default();
            lang.as_deref().is_some_and(|lang| tag.starts_with(lang))
        });
        for (n, track) in tracks.iter().enumerate() {
            let reads = on && n == own.unwrap_or(0);
            let mode = if reads { "hidden" } else { "disabled" };
            // A mode that is set anew is a change, which brings one here again.
            if get(track, "mode").as_string().as_deref() != Some(mode) {
                set(track, "mode", mode);
            }
        }
        let heard = tracks.iter().map(|track| {
            let cued = Rc::clone(&self.cued);
            Listener::new(track.unchecked_ref::<EventTarget>(), "cuechange", move |_| cued())
        });
        *self.listeners.borrow_mut() = heard.collect();
    }
}

/// Whether an element has any captions.
pub(crate) fn has_any(video: &HtmlVideoElement) -> bool {
    !spoken(video).is_empty()
}

/// The tracks that a person reads; others carry data.
fn spoken(video: &HtmlVideoElement) -> Vec<JsValue> {
    let mut tracks = each(&get(video, "textTracks"));
    tracks.retain(|track| {
        matches!(get(track, "kind").as_string().as_deref(), Some("subtitles" | "captions"))
    });
    tracks
}

/// What the cues say now, without their markup.
pub(crate) fn said(video: &HtmlVideoElement) -> String {
    let text = |cue: &JsValue| {
        let fragment = get(cue, "getCueAsHTML").dyn_into::<Function>().ok()?.call0(cue).ok()?;
        fragment.dyn_into::<Node>().ok()?.text_content()
    };
    let tracks = spoken(video);
    let cues = tracks.iter().flat_map(|track| each(&get(track, "activeCues")));
    cues.filter_map(|cue| text(&cue)).collect::<Vec<_>>().join("\n")
}

/// The members of one of the browser's lists.
fn each(list: &JsValue) -> Vec<JsValue> {
    let length = get(list, "length").as_f64().unwrap_or(0.0) as u32;
    (0..length).filter_map(|n| js_sys::Reflect::get_u32(list, n).ok()).collect()
}
