//! The two ways into the chat: the button with what is unread, and the count of who is there.

use leptos::prelude::*;

use super::{Chat, state::Topic};
use crate::{
    icon::Icon,
    part::{Part, parts},
    text::words,
};

parts! {
    mod parts in "main" {
        CHAT_BUTTON: ".chat-button",
        VIEWERS: ".viewers",
    }
    mod chat_button in ".chat-button" {
        UNREAD: "b",
    }
    mod viewers in ".viewers" {
        COUNT: "span",
    }
}

/// Unread messages are told up to this number.
const UNREAD_MAX: u32 = 99;

/// Opens the chat; tells how much is unread.
#[component]
pub(crate) fn ChatButton() -> impl IntoView {
    view! {
        <button
            class="hole chat-button"
            type="button"
            aria-label=words().chat
            aria-expanded="false"
        >
            <Icon name="chat" />
            <b hidden></b>
        </button>
    }
}

/// How many are watching; opens the chat.
#[component]
pub(crate) fn Viewers() -> impl IntoView {
    view! {
        <button class="hole viewers" type="button" aria-label=words().watching>
            <Icon name="people" />
            <span>"0"</span>
        </button>
    }
}

/// Both follow the chat.
pub(super) fn bind(room: &Part, chat: Chat) {
    let words = words();
    let unread_now = move || chat.follow(Topic::Panel, |state| state.unread);
    let button = room.find(parts::CHAT_BUTTON);
    button.on_click(move || chat.toggle());
    button.bind_aria("aria-expanded", move || chat.is_open());
    button.bind_attr("aria-label", move || {
        Some(match unread_now() {
            0 => words.chat.into(),
            unread => format!("{}, {unread} {}", words.chat, words.unread).into(),
        })
    });
    let unread = button.find(chat_button::UNREAD);
    unread.bind_bool("hidden", move || unread_now() == 0);
    unread.bind_text(move || unread_now().min(UNREAD_MAX).to_string());

    let viewers = room.find(parts::VIEWERS);
    let count = move || chat.follow(Topic::Online, |state| state.online.0);
    viewers.on_click(move || chat.toggle());
    viewers.bind_attr("aria-label", move || Some(format!("{} {}", count(), words.watching).into()));
    viewers.find(viewers::COUNT).bind_text(move || count().to_string());
}
