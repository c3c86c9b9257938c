//! Captions: the button that switches them and the line over the picture that says them.

use leptos::prelude::*;

use super::Player;
use crate::{
    icon::Icon,
    part::{Part, parts},
    text::texts,
};

parts! {
    mod parts in "main" {
        CAPTIONS: ".captions",
        CAPTION: ".caption",
    }
    mod caption in ".caption" {
        CUE: "span",
    }
}

/// Switches captions; there while the reel has any.
#[component]
pub(crate) fn CaptionsButton() -> impl IntoView {
    view! {
        <button
            class="hole captions"
            type="button"
            aria-label=texts().captions
            aria-pressed="false"
            hidden
        >
            <Icon name="captions" />
        </button>
    }
}

/// What is said now.
#[component]
pub(crate) fn Caption() -> impl IntoView {
    view! {
        <p class="caption" hidden>
            <span dir="auto"></span>
        </p>
    }
}

/// Binds both.
pub(super) fn captions(room: &Part, player: Player) {
    let button = room.find(parts::CAPTIONS);
    button.on_click(move || player.toggle_captions());
    button.bind_aria("aria-pressed", move || player.captions.get());
    button.bind_bool("hidden", move || !player.has_captions.get());
    let caption = room.find(parts::CAPTION);
    caption.bind_bool("hidden", move || player.cue.with(String::is_empty));
    caption.find(caption::CUE).bind_text(move || player.cue.get());
}
