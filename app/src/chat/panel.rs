//! The chat: a sheet on a phone, a column on a desktop. The picture makes room for it.

use leptos::{either::Either, either::EitherOf3, ev, html, prelude::*};
use wasm_bindgen::JsValue;

use super::{Chat, Note, Pending};
use crate::{icon::Icon, live::Message, reels::feed::Feed, text::texts};

/// The reader of the log counts as at its bottom within so many pixels.
const BOTTOM_PX: i32 = 40;

/// Everything that was said, and the box to say something.
#[component]
pub(crate) fn ChatPanel(chat: Chat, feed: Feed) -> impl IntoView {
    let texts = texts();
    let section = NodeRef::<html::Section>::new();
    Effect::new(move |before: Option<bool>| {
        let open = chat.open.get();
        if open
            && before == Some(false)
            && let Some(section) = section.get_untracked()
        {
            let _ = section.focus();
        }
        open
    });
    let here = move || {
        let id = feed.active_media().map(|media| media.id.clone())?;
        chat.online.with(|(_, channels)| channels.get(&id).copied()).filter(|count| *count > 0)
    };
    let scope = move |only: bool, label: &'static str| {
        view! {
            <button
                type="button"
                aria-pressed=move || (chat.only_here.get() == only).to_string()
                on:click=move |_| chat.only_here.set(only)
            >
                {label}
            </button>
        }
    };
    view! {
        <section
            class="chat"
            node_ref=section
            tabindex="-1"
            aria-label=texts.chat
            data-open=move || chat.open.get().then_some("")
            on:keydown=move |event: ev::KeyboardEvent| {
                if event.key() == "Escape" && chat.open.get_untracked() {
                    chat.toggle();
                }
            }
        >
            <div class="grip"></div>
            <header>
                <h2>{texts.chat}</h2>
                <div class="scope" role="group" aria-label=texts.chat>
                    {scope(false, texts.everyone)}
                    {scope(true, texts.only_this_reel)}
                </div>
                <p class="edge-print watching">
                    {move || chat.online.with(|(count, _)| *count)}
                    " "
                    {texts.watching}
                    {move || here().map(|count| view! { <span>{format!("{count} {}", texts.here)}</span> })}
                </p>
                <button
                    class="close"
                    type="button"
                    aria-label=texts.close
                    on:click=move |_| chat.toggle()
                >
                    <Icon name="close" />
                </button>
            </header>
            <Log chat feed />
            <Notice chat />
            {move || {
                if chat.asking.get() {
                    Either::Left(view! { <NameForm chat /> })
                } else {
                    Either::Right(view! { <Composer chat /> })
                }
            }}
        </section>
    }
}

/// What was said, oldest first. It follows the newest line only while its reader is at the bottom.
#[component]
fn Log(chat: Chat, feed: Feed) -> impl IntoView {
    let texts = texts();
    let log = NodeRef::<html::Ol>::new();
    let at_bottom = StoredValue::new(true);
    let shown = Memo::new(move |_| {
        let here = feed.active_media().map(|media| media.id.clone());
        let only_here = chat.only_here.get();
        let belongs = |message: &&Message| match &message.channel {
            Some(channel) => Some(channel) == here.as_ref(),
            None => !only_here,
        };
        chat.messages.with(|all| all.iter().filter(belongs).cloned().collect::<Vec<_>>())
    });
    Effect::new(move |_| {
        shown.track();
        chat.pending.track();
        chat.open.track();
        let Some(log) = log.get_untracked() else { return };
        if at_bottom.get_value() {
            request_animation_frame(move || log.set_scroll_top(log.scroll_height()));
        }
    });
    let scrolled = move |_| {
        if let Some(log) = log.get_untracked() {
            let below = log.scroll_height() - log.scroll_top() - log.client_height();
            at_bottom.set_value(below <= BOTTOM_PX);
        }
    };
    let quiet = move || shown.with(Vec::is_empty) && chat.pending.with(Vec::is_empty);
    view! {
        <ol class="log" node_ref=log role="log" tabindex="0" aria-label=texts.chat on:scroll=scrolled>
            {move || quiet().then(|| view! { <li class="quiet">{texts.nobody_spoke}</li> })}
            <For
                each=move || shown.get()
                key=|message| message.id.clone()
                children=move |message| view! { <Line chat feed message /> }
            />
            <For
                each=move || chat.pending.get()
                key=|pending| pending.nonce.clone()
                children=move |pending: Pending| {
                    view! {
                        <li class="message" data-mine="" data-pending="">
                            <b>{move || chat.name.get()}</b>
                            " "
                            <span class="edge-print">{texts.not_sent}</span>
                            <p>{pending.text}</p>
                        </li>
                    }
                }
            />
        </ol>
    }
}

/// One message.
#[component]
fn Line(chat: Chat, feed: Feed, message: Message) -> impl IntoView {
    let mine = {
        let username = message.username.clone();
        move || chat.name.with(|name| name.as_ref() == Some(&username)).then_some("")
    };
    let room = message.channel.clone().map(|channel| {
        let number = move || feed.place(&channel).map(|place| place + 1);
        view! {
            <span class="room-mark edge-print">
                <span class="mark"></span>
                {number}
            </span>
        }
    });
    view! {
        <li class="message" data-mine=mine>
            <b>{message.username}</b>
            " "
            <time class="edge-print">{time_of_day(message.ts)}</time>
            {room}
            <p>{message.text}</p>
        </li>
    }
}

/// `hh:mm` where the reader is. Messages come over the socket, so this runs in the browser only.
fn time_of_day(ts: u64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(ts as f64));
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// What a person must know about what they wrote.
#[component]
fn Notice(chat: Chat) -> impl IntoView {
    let texts = texts();
    let waiting = move || {
        let draft = chat.draft.get();
        let mut text: String = draft.chars().take(24).collect();
        if text.len() < draft.len() {
            text.push('…');
        }
        format!("«{text}»")
    };
    let said = move || match chat.note.get() {
        Some(Note::SlowDown(left, all)) => Some(EitherOf3::A(view! {
            <span class="ring" style=format!("--left:calc({left}/{})", all.max(1))>
                {left}
            </span>
            <p>
                <b>{texts.slow_down}</b>
                " "
                {texts.slow_down_rest}
            </p>
        })),
        Some(Note::TooLong) => Some(EitherOf3::B(view! { <p>{texts.too_long}</p> })),
        Some(Note::BadName) => Some(EitherOf3::B(view! { <p>{texts.bad_name}</p> })),
        None if chat.asking.get() => Some(EitherOf3::C(view! {
            <p>
                <b>{texts.what_shall_we_call_you}</b>
                <br />
                {texts.only_the_first_time}
                " "
                {waiting}
            </p>
        })),
        None => None,
    };
    view! {
        <div class="note" role="status">
            {said}
        </div>
    }
}

/// The box to say something.
#[component]
fn Composer(chat: Chat) -> impl IntoView {
    let texts = texts();
    let slow = move || matches!(chat.note.get(), Some(Note::SlowDown(..)));
    view! {
        <form
            class="composer"
            on:submit=move |event: ev::SubmitEvent| {
                event.prevent_default();
                chat.send();
            }
        >
            <input
                class="field"
                type="text"
                autocomplete="off"
                enterkeyhint="send"
                aria-label=texts.message
                placeholder=texts.say_something
                prop:value=move || chat.draft.get()
                on:input=move |event| chat.draft.set(event_target_value(&event))
            />
            <button class="send" type="submit" aria-label=texts.send aria-disabled=move || slow().to_string()>
                <Icon name="send" />
            </button>
        </form>
    }
}

/// Asks for the name, once; the message waits.
#[component]
fn NameForm(chat: Chat) -> impl IntoView {
    let texts = texts();
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    view! {
        <form
            class="composer"
            on:submit=move |event: ev::SubmitEvent| {
                event.prevent_default();
                if let Some(field) = field.get_untracked() {
                    chat.call_me(&field.value());
                }
            }
        >
            <input
                class="field"
                node_ref=field
                type="text"
                autocomplete="nickname"
                maxlength="48"
                aria-label=texts.your_name
                placeholder=texts.your_name
            />
            <button class="primary" type="submit">
                {texts.come_in}
            </button>
        </form>
    }
}
