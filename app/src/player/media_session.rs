//! Media Session (W3C): what plays, and the keys of the device that ask something of it, also with
//! the screen off.

use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::Player;
use crate::{
    catalog::Media,
    dom::{get, set},
    part::effect,
    reels::feed::Feed,
    value::Owned,
};

/// What a key of the device asks for.
type Action = Closure<dyn FnMut()>;

/// Tells the device what plays; `step` goes one reel on (1) or back (-1).
pub(crate) fn media_session(player: Player, feed: Feed, step: impl Fn(i32) + Clone + 'static) {
    let session = get(&window().navigator(), "mediaSession");
    let Ok(handle) = get(&session, "setActionHandler").dyn_into::<Function>() else { return };
    let (on, back) = (step.clone(), step);
    let actions: [(&str, Action); 4] = [
        ("play", Closure::new(move || player.play())),
        ("pause", Closure::new(move || player.pause_from_outside())),
        ("nexttrack", Closure::new(move || on(1))),
        ("previoustrack", Closure::new(move || back(-1))),
    ];
    for (name, action) in &actions {
        // Browsers know different sets of actions, and refuse the rest.
        let _ = handle.call2(&session, &JsValue::from(*name), action.as_ref());
    }
    let held = Owned::new();
    held.set(Rc::new(actions));
    on_cleanup(move || drop(held.take()));
    effect({
        let session = session.clone();
        move || {
            if let Some(media) = feed.active_media() {
                set(&session, "metadata", metadata(&media));
            }
        }
    });
    effect(move || {
        set(&session, "playbackState", if player.paused.get() { "paused" } else { "playing" });
    });
}

fn metadata(media: &Media) -> JsValue {
    let what = JsValue::from(Object::new());
    set(&what, "title", &media.title);
    set(&what, "artist", media.description.as_deref().unwrap_or("Carrete"));
    if let Some(poster) = &media.poster {
        let picture = JsValue::from(Object::new());
        set(&picture, "src", poster);
        set(&what, "artwork", Array::of1(&picture));
    }
    get(&window(), "MediaMetadata")
        .dyn_into::<Function>()
        .and_then(|class| Reflect::construct(&class, &Array::of1(&what)))
        .unwrap_or(JsValue::NULL)
}
