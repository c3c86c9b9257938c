//! The chat: a sheet on a phone, a column on a desktop. The picture makes room for it.

mod log;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent};

pub(crate) use self::log::Line;
use super::{Chat, Note};
use crate::{
    icon::Icon,
    part::{Part, watch},
    reels::feed::Feed,
    text::{texts, words},
};

/// Characters of a waiting message that are shown while the name is asked.
const WAITING_CHARS: usize = 24;

/// Everything that was said, and the box to say something.
#[component]
pub(crate) fn ChatPanel() -> impl IntoView {
    let (texts, words) = (texts(), words());
    view! {
        <section class="chat" tabindex="-1" aria-label=words.chat>
            <div class="grip"></div>
            <header>
                <h2>{words.chat}</h2>
                <div class="scope" role="group" aria-label=words.chat>
                    <button class="everyone" type="button" aria-pressed="true">
                        {texts.everyone}
                    </button>
                    <button class="only-here" type="button" aria-pressed="false">
                        {texts.only_this_reel}
                    </button>
                </div>
                <p class="edge-print watching">
                    <b>"0"</b>
                    " "
                    {words.watching}
                    <span hidden></span>
                </p>
                <button class="close" type="button" aria-label=texts.close>
                    <Icon name="close" />
                </button>
            </header>
            <div class="log" role="log" tabindex="0" aria-label=words.chat>
                <ol>
                    <li class="quiet">{texts.nobody_spoke}</li>
                </ol>
            </div>
            <div class="note" role="status">
                <span class="ring" hidden></span>
                <p hidden>
                    <b></b>
                    " "
                    <span></span>
                </p>
            </div>
            <form class="composer say">
                <input
                    class="field"
                    type="text"
                    autocomplete="off"
                    enterkeyhint="send"
                    aria-label=texts.message
                    placeholder=texts.say_something
                />
                <button class="send" type="submit" aria-label=texts.send>
                    <Icon name="send" />
                </button>
            </form>
            <form class="composer name" hidden>
                <input
                    class="field"
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
        </section>
    }
}

/// The panel follows the chat.
pub(super) fn bind(room: &Part, chat: Chat, feed: Feed) {
    let panel = room.find(".chat");
    panel.find(".close").on_press(move || chat.toggle());
    panel.on("keydown", move |event| {
        if event.unchecked_ref::<KeyboardEvent>().key() == "Escape" && chat.open.get_untracked() {
            chat.toggle();
        }
    });
    // The focus goes to the text box where that was asked for, else into the sheet that opens.
    let (mut before, mut asked) = (false, 0);
    watch({
        let (panel, text) = (panel.clone(), panel.find(".say input"));
        move || {
            let (open, writes) = (chat.open.get(), chat.writes.get());
            panel.mark("data-open", open);
            if std::mem::replace(&mut asked, writes) != writes {
                text.focus();
            } else if open && !before {
                panel.focus();
            }
            before = open;
        }
    });
    for (selector, only) in [(".everyone", false), (".only-here", true)] {
        let button = panel.find(selector);
        button.on_press(move || chat.only_here.set(only));
        button.state("aria-pressed", move || chat.only_here.get() == only);
    }
    watching(&panel.find(".watching"), chat, feed);
    log::bind(room, chat, feed);
    note(&panel.find(".note"), chat);
    composer(&panel, chat);
}

/// How many there are, and how many of them here.
fn watching(part: &Part, chat: Chat, feed: Feed) {
    let words = words();
    let (all, here) = (part.find("b"), part.find("span"));
    watch(move || {
        let id = feed.active_media().map(|media| media.id.clone());
        chat.online.with(|(count, channels)| {
            all.say(&count.to_string());
            let count = id.map_or(0, |id| channels.of(&id));
            here.mark("hidden", count == 0);
            here.say(&format!("{count} {}", words.here));
        });
    });
}

/// What a person must know about what they wrote.
fn note(part: &Part, chat: Chat) {
    let words = words();
    let (ring, sentence) = (part.find(".ring"), part.find("p"));
    let (first, rest) = (sentence.find("b"), sentence.find("span"));
    watch(move || {
        let said = match chat.note.get() {
            Some(Note::SlowDown(..)) => Some((words.slow_down, words.slow_down_rest.to_owned())),
            Some(Note::TooLong) => Some(("", words.too_long.to_owned())),
            Some(Note::BadName) => Some(("", words.bad_name.to_owned())),
            None if chat.asking.get() => {
                let rest = format!("{} {}", words.only_the_first_time, waiting(&chat.draft.get()));
                Some((words.what_shall_we_call_you, rest))
            }
            None => None,
        };
        let slow = match chat.note.get() {
            Some(Note::SlowDown(left, all)) => Some((left, all)),
            _ => None,
        };
        ring.mark("hidden", slow.is_none());
        if let Some((left, all)) = slow {
            ring.set("style", Some(&format!("--left:calc({left}/{})", all.max(1))));
            ring.say(&left.to_string());
        }
        sentence.mark("hidden", said.is_none());
        let (before, after) = said.unwrap_or_default();
        first.say(before);
        rest.say(&after);
    });
}

/// The beginning of the message that waits for a name.
fn waiting(draft: &str) -> String {
    let mut text: String = draft.chars().take(WAITING_CHARS).collect();
    if text.len() < draft.len() {
        text.push('…');
    }
    format!("«{text}»")
}

/// The box to say something, and the one that asks for the name, once; the message waits.
fn composer(panel: &Part, chat: Chat) {
    let (say, name) = (panel.find(".say"), panel.find(".name"));
    let (text, called) = (say.find("input"), name.find("input"));
    let field = |part: &Part| part.of::<HtmlInputElement>().clone();
    say.on("submit", move |event| {
        event.prevent_default();
        chat.send();
    });
    text.on("input", {
        let text = field(&text);
        move |_| chat.draft.set(text.value())
    });
    watch({
        let text = field(&text);
        move || {
            let draft = chat.draft.get();
            if text.value() != draft {
                text.set_value(&draft);
            }
        }
    });
    say.find(".send")
        .state("aria-disabled", move || matches!(chat.note.get(), Some(Note::SlowDown(..))));
    name.on("submit", {
        let called = field(&called);
        move |event| {
            event.prevent_default();
            chat.call_me(&called.value());
        }
    });
    // The focus goes where one writes next.
    let mut before = false;
    watch(move || {
        let asking = chat.asking.get();
        say.mark("hidden", asking);
        name.mark("hidden", !asking);
        if asking != before {
            if asking { called.focus() } else { text.focus() }
        }
        before = asking;
    });
}
