//! The keys and what they do; single letters can be switched off (WCAG 2.1.4).

use leptos::prelude::*;
use web_sys::{HtmlDialogElement, HtmlInputElement};

use crate::{
    dom::{recall, remember},
    icon::Icon,
    overlay_history,
    part::{Part, effect, parts},
    text::{texts, words},
    value::Value,
};

parts! {
    mod parts in "main" {
        HELP: ".help",
        HELP_BUTTON: ".help-button",
        HEAR_LETTER: ".hear .letter",
    }
    mod dialog in ".help" {
        CLOSE: ".close",
        LETTERS: ".letters",
    }
}

const LETTERS_KEY: &str = "carrete.letters";
const OFF: &str = "off";

/// Opens the help, where there is room for its button.
#[component]
pub(crate) fn HelpButton() -> impl IntoView {
    view! {
        <button class="hole help-button" type="button" aria-label=texts().keyboard>
            <Icon name="keyboard" />
        </button>
    }
}

/// The keys.
#[component]
pub(crate) fn Help() -> impl IntoView {
    let (texts, words) = (texts(), words());
    let keys = [
        (texts.keys_next, vec!["↓", "↑"]),
        (texts.keys_ends, vec![texts.key_home, texts.key_end]),
        (words.pause, vec![texts.key_space]),
        (texts.sound, vec!["M"]),
        (texts.like, vec!["L"]),
        (texts.captions, vec!["C"]),
        (texts.full_screen, vec!["F"]),
        (texts.keys_write, vec![texts.key_enter]),
        (texts.guide, vec!["G"]),
        (texts.keys_channel, vec!["0", "…", "9"]),
    ];
    view! {
        <dialog class="help" aria-label=texts.keyboard>
            <header>
                <h2>{texts.keyboard}</h2>
                <button class="close hole" type="button" aria-label=texts.close>
                    <Icon name="close" />
                </button>
            </header>
            <dl>
                {keys
                    .map(|(what, keys)| {
                        let keys: Vec<_> = keys
                            .into_iter()
                            .map(|key| {
                                view! { <kbd data-dots=(key == "…").then_some("")>{key}</kbd> }
                            })
                            .collect();
                        view! {
                            <div>
                                <dt>{what}</dt>
                                <dd>{keys}</dd>
                            </div>
                        }
                    })}
            </dl>
            <label class="switch">
                <span>
                    <b>{texts.single_letters}</b>
                    {texts.single_letters_why}
                </span>
                <input class="letters" type="checkbox" role="switch" checked />
            </label>
        </dialog>
    }
}

/// The help; a cheap handle.
#[derive(Clone, Copy)]
pub(crate) struct Keyboard {
    /// Single letters are keys.
    pub(crate) letters: Value<bool>,
    /// The help is to be shown.
    pub(crate) help: Value<bool>,
}

impl Keyboard {
    /// As this browser remembers it.
    pub(crate) fn new() -> Self {
        Self {
            letters: Value::new(recall(LETTERS_KEY).as_deref() != Some(OFF)),
            help: Value::new(false),
        }
    }
}

/// Binds the help and its button.
pub(crate) fn help(room: &Part, keyboard: Keyboard) {
    let dialog = room.find(parts::HELP);
    room.find(parts::HELP_BUTTON).on_click(move || keyboard.help.set(true));
    dialog.find(dialog::CLOSE).on_click(move || keyboard.help.set(false));
    dialog.on("close", move |_| keyboard.help.set(false));
    let letters = dialog.find(dialog::LETTERS).of::<HtmlInputElement>().clone();
    dialog.find(dialog::LETTERS).on("change", {
        let letters = letters.clone();
        move |_| {
            keyboard.letters.set(letters.checked());
            remember(LETTERS_KEY, if letters.checked() { "" } else { OFF });
        }
    });
    effect(move || letters.set_checked(keyboard.letters.get()));
    room.find(parts::HEAR_LETTER).bind_bool("hidden", move || !keyboard.letters.get());
    effect(move || {
        if keyboard.help.get() {
            overlay_history::show(&dialog);
        } else {
            dialog.of::<HtmlDialogElement>().close();
        }
    });
}
