//! Bars at the top: one line of state and one action, while the picture keeps playing.

use leptos::prelude::*;

use crate::{
    chat::{Chat, Link},
    icon::Icon,
    text::texts,
};

/// What is wrong with the connection, if something is.
#[component]
pub(crate) fn Bars(chat: Chat) -> impl IntoView {
    let texts = texts();
    // A short break is not worth a word: it is told from the second try on.
    let seconds = move || match chat.link.get() {
        Link::Lost(seconds) if chat.breaks.get() > 1 => Some(seconds),
        _ => None,
    };
    let lost = Memo::new(move |_| seconds().is_some());
    view! {
        <div class="bars" role="status">
            {move || {
                lost.get()
                    .then(|| {
                        view! {
                            <div class="bar">
                                <Icon name="alert" />
                                <p>{texts.offline} " " {move || seconds().unwrap_or(0)} " s."</p>
                                <button type="button" on:click=move |_| chat.retry()>
                                    {texts.now}
                                </button>
                            </div>
                        }
                    })
            }}
        </div>
    }
}
