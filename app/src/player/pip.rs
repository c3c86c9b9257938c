//! Picture in picture: the reel goes on in a small window beside others.

use js_sys::Function;
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlVideoElement;

use crate::dom::get;

/// Whether this browser can.
pub(super) fn is_there() -> bool {
    get(&document(), "pictureInPictureEnabled").is_truthy()
}

/// Whether this element is the one in the small window.
pub(super) fn holds(video: &HtmlVideoElement) -> bool {
    js_sys::Object::is(&get(&document(), "pictureInPictureElement"), video)
}

/// Into the small window; refused where no gesture asked for it.
pub(super) fn enter(video: &HtmlVideoElement) {
    call(video, "requestPictureInPicture");
}

/// Back into the page.
pub(super) fn leave() {
    call(&document(), "exitPictureInPicture");
}

fn call(object: &JsValue, name: &str) {
    if let Ok(function) = get(object, name).dyn_into::<Function>()
        && let Ok(promise) = function.call0(object)
    {
        crate::dom::swallow(promise);
    }
}
