//! Ambient chat: the last lines over the picture, like subtitles; touches pass through.

use leptos::prelude::*;

use super::{Chat, state::Topic};
use crate::part::{List, Part, effect, parts};

parts! {
    mod parts in "main" {
        OVERLAY: ".talk",
        LINE_TEMPLATE: ".talk-template",
    }
    mod line in ".talk-template" {
        NAME: "b",
        TEXT: "span",
    }
}

/// The newest lines, gone after some seconds. The log says them to screen readers.
#[component]
pub(crate) fn ChatOverlay() -> impl IntoView {
    view! { <div class="talk" aria-hidden="true"></div> }
}

/// One of them.
#[component]
pub(crate) fn ChatOverlayLine() -> impl IntoView {
    view! {
        <p class="line">
            <b dir="auto"></b>
            " "
            <span dir="auto"></span>
        </p>
    }
}

/// The lines follow the chat.
pub(super) fn bind(room: &Part, chat: Chat) {
    let list = List::new(room.find(parts::OVERLAY), &room.find(parts::LINE_TEMPLATE), "data-key");
    effect(move || {
        chat.follow(Topic::Overlay, |state| {
            let messages = &state.overlay;
            let keys = messages.iter().map(|message| message.id.clone()).collect();
            for (line, message) in list.reconcile(keys).iter().zip(messages) {
                line.find(line::NAME).set_text(&message.username);
                line.find(line::TEXT).set_text(&message.text);
            }
        });
    });
}
