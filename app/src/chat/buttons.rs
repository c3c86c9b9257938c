//! The two ways into the chat: the button with what is unread, and the count of who is there.

use leptos::prelude::*;

use super::Chat;
use crate::{icon::Icon, text::texts};

/// Opens the chat; tells how much is unread.
#[component]
pub(crate) fn ChatButton(chat: Chat) -> impl IntoView {
    let texts = texts();
    let unread = move || Some(chat.unread.get()).filter(|unread| *unread > 0);
    let label = move || match unread() {
        Some(count) => format!("{}, {count} {}", texts.chat, texts.unread),
        None => texts.chat.to_owned(),
    };
    view! {
        <button
            class="hole chat-button"
            type="button"
            aria-label=label
            aria-expanded=move || chat.open.get().to_string()
            on:click=move |_| chat.toggle()
        >
            <Icon name="chat" />
            {move || unread().map(|unread| view! { <b>{unread.min(99)}</b> })}
        </button>
    }
}

/// How many are watching; opens the chat.
#[component]
pub(crate) fn Viewers(chat: Chat) -> impl IntoView {
    let texts = texts();
    let count = move || chat.online.with(|(count, _)| *count);
    view! {
        <button
            class="hole viewers"
            type="button"
            aria-label=move || format!("{} {}", count(), texts.watching)
            on:click=move |_| chat.toggle()
        >
            <Icon name="people" />
            <span>{count}</span>
        </button>
    }
}
