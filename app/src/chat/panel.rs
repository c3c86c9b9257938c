//! The chat: a sheet on a phone, a column on a desktop. The picture makes room for it.

mod log;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent};

pub(crate) use self::log::Line;
use super::{
    Chat,
    state::{Event, Note, Topic},
};
use crate::{
    dom::{animate, get, is_narrow, set},
    icon::Icon,
    overlay_history,
    part::{Part, effect, parts},
    reels::feed::Feed,
    text::{texts, words},
};

parts! {
    mod parts in "main" {
        CHAT: ".chat",
        CHAT_BUTTON: ".chat-button",
    }
    mod panel in ".chat" {
        CLOSE: ".close",
        EVERYONE: ".everyone",
        ONLY_HERE: ".only-here",
        TEXT: ".say input",
        WATCHING: ".watching",
        STATUS: "[role=status]",
        NOTE: ".note",
        SAY_FORM: ".say",
        NAME_FORM: ".name",
    }
    mod watching in ".watching" {
        ALL: "span",
        HERE: ".here",
    }
    mod here in ".watching .here" {
        COUNT: "b",
        NUMBER: ".number",
    }
    mod note in ".note" {
        RING: ".ring",
        TITLE: "p b",
        TEXT: "p span",
    }
    mod say in ".say" {
        FIELD: "input",
        SEND: ".send",
    }
    mod name in ".composer.name" {
        FIELD: "input",
    }
}

/// Characters of a waiting message that are shown while the name is asked.
const WAITING_CHARS: usize = 24;
/// What is shown once more comes back in this time.
const BLINK_MS: i32 = 240;

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
                    <span>"0 " {words.watching}</span>
                    <span class="here" hidden>
                        <b></b>
                        " "
                        <span class="mark"></span>
                        <span class="number"></span>
                    </span>
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
            <p class="sr-only" role="status"></p>
            <div class="note" aria-hidden="true" hidden>
                <span class="ring" hidden></span>
                <p dir="auto">
                    <b></b>
                    " "
                    <span></span>
                </p>
            </div>
            <form class="composer say">
                <input
                    class="field"
                    type="text"
                    dir="auto"
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
                    dir="auto"
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
    let panel = room.find(parts::CHAT);
    panel.find(panel::CLOSE).on_click(move || chat.toggle());
    panel.on("keydown", move |event| {
        let escape = event.unchecked_ref::<KeyboardEvent>().key() == "Escape";
        if escape && chat.now(|state| state.asking) {
            chat.dispatch(Event::NotNamed);
        } else if escape && chat.now(|state| state.open) {
            chat.toggle();
        }
    });
    // The focus goes to the text box where that was asked for, else into the sheet that opens, and
    // from there back to what opened it.
    let (mut before, mut asked, mut opener) = (false, 0, None);
    effect({
        let (panel, text) = (panel.clone(), panel.find(panel::TEXT));
        let button = room.find(parts::CHAT_BUTTON);
        move || {
            let (open, writes) = chat.follow(Topic::Panel, |state| (state.open, state.writes));
            if open && !before {
                opener = Part::focused().filter(|part| !panel.contains(part));
            }
            let leaves = before && !open && panel.has_focus();
            panel.toggle_attr("data-open", open);
            if leaves {
                // A column beside the picture stays where it is, and so does who writes in it.
                let mut back = opener.take().into_iter().chain([button.clone()]);
                if is_narrow() {
                    back.find(Part::takes_focus);
                }
            } else if std::mem::replace(&mut asked, writes) != writes {
                text.focus();
            } else if open && !before {
                panel.focus();
            }
            match (std::mem::replace(&mut before, open), open) {
                // A column beside the picture lies over nothing.
                (false, true) if is_narrow() => {
                    overlay_history::opened(&panel, move || chat.toggle())
                }
                (true, false) => overlay_history::closed(&panel),
                _ => {}
            }
        }
    });
    for (selector, only) in [(panel::EVERYONE, false), (panel::ONLY_HERE, true)] {
        let button = panel.find(selector);
        button.on_click(move || chat.dispatch(Event::Scope { only_here: only }));
        button.bind_aria("aria-pressed", move || {
            chat.follow(Topic::Panel, |state| state.only_here == only)
        });
    }
    watching(&panel.find(panel::WATCHING), chat, feed);
    log::bind(room, chat, feed);
    note(&panel, chat);
    composer(&panel, chat);
}

/// How many there are; and how many at the reel on screen, by its number, where those are others.
fn watching(part: &Part, chat: Chat, feed: Feed) {
    let words = words();
    let (all, here) = (part.find(watching::ALL), part.find(watching::HERE));
    let (some, number) = (here.find(here::COUNT), here.find(here::NUMBER));
    effect(move || {
        let id = feed.active_media().map(|media| media.id.clone());
        chat.follow(Topic::Online, |state| {
            let (count, channels) = &state.online;
            all.set_text(&format!("{count} {}", words.watching));
            let at_reel = id.map_or(0, |id| channels.of(&id));
            here.toggle_attr("hidden", at_reel == 0 || at_reel == *count);
            some.set_text(&format!("{at_reel} {}", words.at_reel));
            number.set_text(&(feed.active() + 1).to_string());
        });
    });
}

/// What a person must know about what they wrote: said once, and shown with the seconds that count.
fn note(panel: &Part, chat: Chat) {
    let words = words();
    let (status, note) = (panel.find(panel::STATUS), panel.find(panel::NOTE));
    let (ring, first, rest) =
        (note.find(note::RING), note.find(note::TITLE), note.find(note::TEXT));
    let mut before = (None, 0);
    effect(move || {
        chat.track(&[Topic::Composer, Topic::Draft]);
        let (now, asking) = chat.now(|state| (state.note, state.asking));
        let (title, text) = match now {
            Some(Note::SlowDown(left, _)) => (words.slow_down, slow_down(left)),
            Some(Note::TooLong) => ("", words.too_long.to_owned()),
            Some(Note::BadName) => ("", words.bad_name.to_owned()),
            Some(Note::NotTaken) => ("", words.not_taken.to_owned()),
            None if asking => {
                let rest = format!(
                    "{} {}",
                    words.only_the_first_time,
                    chat.now(|state| waiting(&state.draft))
                );
                (words.what_shall_we_call_you, rest)
            }
            None => ("", String::new()),
        };
        let slow = match now {
            Some(Note::SlowDown(left, all)) => Some((left, all)),
            _ => None,
        };
        // A second that passes is no news; who wants to write before it is time hears it again.
        let news = (slow.map(|(_, all)| all), chat.now(|state| state.insists));
        let is_slow = slow.is_some();
        if std::mem::replace(&mut before, news) != news || !is_slow {
            // The same words are said anew where a space differs.
            let again = if news.1 % 2 == 0 { "" } else { "\u{a0}" };
            status.set_text(&format!("{title} {text}{again}"));
        }
        ring.toggle_attr("hidden", !is_slow);
        if let Some((left, all)) = slow {
            ring.set_attr("style", Some(&format!("--left:calc({left}/{})", all.max(1))));
            ring.set_text(&left.to_string());
        }
        note.toggle_attr("hidden", text.is_empty());
        first.set_text(title);
        rest.set_text(&text);
    });
    let note = panel.find(panel::NOTE);
    let mut before = 0;
    effect(move || {
        let insists = chat.follow(Topic::Composer, |state| state.insists);
        if std::mem::replace(&mut before, insists) != insists {
            blink(note.of());
        }
    });
}

/// When one may write again.
fn slow_down(left: u32) -> String {
    let words = words();
    format!("{} {left}\u{a0}s{}", words.slow_down_until, words.slow_down_rest)
}

/// What stands there already is shown once more.
fn blink(element: &HtmlElement) {
    let frame = |opacity: &str| {
        let frame = js_sys::Object::new();
        set(&frame, "opacity", opacity);
        frame
    };
    let frames = js_sys::Array::of2(&frame(".3"), &frame("1"));
    animate(element, &frames, &BLINK_MS.into());
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
    let (say, name) = (panel.find(panel::SAY_FORM), panel.find(panel::NAME_FORM));
    let (text, called) = (say.find(say::FIELD), name.find(name::FIELD));
    let field = |part: &Part| part.of::<HtmlInputElement>().clone();
    say.on("submit", move |event| {
        event.prevent_default();
        chat.send();
    });
    // An input method composes its words in the box: nothing is changed there meanwhile.
    for event in ["input", "compositionend"] {
        let field = field(&text);
        text.on(event, move |event| {
            if get(&event, "isComposing").is_truthy() {
                chat.dispatch(Event::Composing(field.value()));
            } else {
                chat.dispatch(Event::Typed(field.value()));
            }
        });
    }
    effect({
        let text = field(&text);
        move || {
            let draft = chat.follow(Topic::Draft, |state| state.draft.clone());
            if text.value() != draft {
                text.set_value(&draft);
            }
        }
    });
    say.find(say::SEND).bind_aria("aria-disabled", move || {
        chat.follow(Topic::Composer, |state| state.waits || state.is_slow())
    });
    name.on("submit", {
        let called = field(&called);
        move |event| {
            event.prevent_default();
            chat.dispatch(Event::Named(called.value()));
        }
    });
    // The focus goes where one writes next.
    let mut before = false;
    effect(move || {
        let asking = chat.follow(Topic::Composer, |state| state.asking);
        say.toggle_attr("hidden", asking);
        name.toggle_attr("hidden", !asking);
        if asking != before {
            if asking { called.focus() } else { text.focus() }
        }
        before = asking;
    });
}
