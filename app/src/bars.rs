//! Bars at the top: one line of state and one action, while the picture keeps playing.

use leptos::prelude::*;

use crate::{
    chat::{Chat, Link},
    icon::Icon,
    part::{Part, watch},
    text::texts,
};

/// What is wrong with the connection, if something is.
#[component]
pub(crate) fn Bars() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="bars" role="status">
            <div class="bar offline" hidden>
                <Icon name="alert" />
                <p>{texts.offline} " " <span class="seconds"></span> " s."</p>
                <button type="button">{texts.now}</button>
            </div>
        </div>
    }
}

/// The bars follow the socket.
pub(crate) fn bars(room: &Part, chat: Chat) {
    let bar = room.find(".offline");
    let seconds = bar.find(".seconds");
    bar.find("button").on_press(move || chat.retry());
    watch(move || {
        // A short break is not worth a word: it is told from the second try on.
        let lost = match chat.link.get() {
            Link::Lost(seconds) if chat.breaks.get() > 1 => Some(seconds),
            _ => None,
        };
        bar.mark("hidden", lost.is_none());
        if let Some(lost) = lost {
            seconds.say(&lost.to_string());
        }
    });
}
