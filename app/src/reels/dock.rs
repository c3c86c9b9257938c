//! The controls stand in the document as they are seen, so that Tab and screen readers follow the eyes:
//! in a row on a phone held upright, one below the other where there is film beside the picture.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::{
    dom::Listener,
    layout::FILM_BESIDE,
    part::{Part, Selector, keep, parts},
};

parts! {
    mod button in ".dock" {
        SOUND: ".sound",
        CAPTIONS: ".captions",
        MENU: ".menu-button",
        SHARE: ".share",
        FULL_SCREEN: ".full",
        CHAT: ".chat-button",
        LIKE: ".like",
    }
    mod parts in "main" {
        DOCK: ".dock",
    }
}

/// From the left: what is nearest the right thumb comes last, as the server writes it.
const ROW: [Selector; 7] = [
    button::SOUND,
    button::CAPTIONS,
    button::MENU,
    button::SHARE,
    button::FULL_SCREEN,
    button::CHAT,
    button::LIKE,
];
/// From the top: like and chat, the rest, and sound where the thumb was.
const COLUMN: [Selector; 7] = [
    button::LIKE,
    button::CHAT,
    button::CAPTIONS,
    button::MENU,
    button::SHARE,
    button::FULL_SCREEN,
    button::SOUND,
];

/// The dock follows the shape of the window.
pub(super) fn dock(room: &Part) {
    let dock = room.find(parts::DOCK);
    let Ok(Some(query)) = window().match_media(FILM_BESIDE) else { return };
    let lay_out = {
        let query = query.clone();
        move || {
            let focused = document().active_element().filter(|_| dock.has_focus());
            let order = if query.matches() { COLUMN } else { ROW };
            for selector in order {
                let _ = dock.element().append_child(dock.find(selector).element());
            }
            // What moves in the document loses the focus.
            if let Some(focused) = focused.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
                let _ = focused.focus();
            }
        }
    };
    lay_out();
    keep(Listener::new(&query, "change", move |_| lay_out()));
}
