//! Ambient chat: the last lines over the picture, like subtitles; touches pass through.

use leptos::prelude::*;

use super::Chat;

/// The newest lines, gone after some seconds. The log says them to screen readers.
#[component]
pub(crate) fn Talk(chat: Chat) -> impl IntoView {
    view! {
        <div class="talk" aria-hidden="true">
            <For
                each=move || chat.ambient.get()
                key=|message| message.id.clone()
                children=|message| {
                    view! {
                        <p class="line">
                            <b>{message.username}</b>
                            " "
                            {message.text}
                        </p>
                    }
                }
            />
        </div>
    }
}
