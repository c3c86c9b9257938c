//! What a key means, and when it means nothing.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// One reel on (1), one back (-1).
    Step(i32),
    /// To the first reel.
    First,
    /// To the last reel.
    Last,
    /// Pause or go on.
    Pause,
    /// Sound on or off.
    Sound,
    /// Full screen on or off.
    FullScreen,
    /// Captions on or off.
    Captions,
    /// Like, or take it back.
    Like,
    /// The guide.
    Guide,
    /// What the keys do.
    Help,
    /// One more digit of a channel's number.
    Digit(u32),
    /// To the text box.
    Write,
}

/// Reads a key. Typing is never a shortcut, a focused control keeps Space and Enter, and whoever
/// scrolls something of its own keeps the keys that scroll.
/// Without `letters` a key that writes a character is none (WCAG 2.1.4), but for the space.
pub(crate) fn read(event: &KeyboardEvent, letters: bool) -> Option<Key> {
    if event.default_prevented() || event.ctrl_key() || event.alt_key() || event.meta_key() {
        return None;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let inside = |selector: &str| {
        target.as_ref().is_some_and(|element| element.closest(selector).ok().flatten().is_some())
    };
    let editable = target
        .as_ref()
        .and_then(|element| element.dyn_ref::<HtmlElement>())
        .is_some_and(HtmlElement::is_content_editable);
    if editable || inside("input, textarea, select, dialog") {
        return None;
    }
    let name = event.key();
    let key = of(&name)?;
    if !letters && name.chars().count() == 1 && key != Key::Pause {
        return None;
    }
    let keeps = match key {
        Key::Pause | Key::Write => inside("button, a, summary, [role=slider]"),
        Key::Step(_) | Key::First | Key::Last => inside("[role=log], [role=slider]"),
        _ => false,
    };
    (!keeps).then_some(key)
}

fn of(key: &str) -> Option<Key> {
    Some(match key {
        "ArrowDown" | "PageDown" => Key::Step(1),
        "ArrowUp" | "PageUp" => Key::Step(-1),
        "Home" => Key::First,
        "End" => Key::Last,
        " " => Key::Pause,
        "m" | "M" => Key::Sound,
        "f" | "F" => Key::FullScreen,
        "c" | "C" => Key::Captions,
        "l" | "L" => Key::Like,
        "g" | "G" => Key::Guide,
        "?" => Key::Help,
        "Enter" => Key::Write,
        digit => Key::Digit(digit.parse().ok().filter(|digit| *digit < 10)?),
    })
}
