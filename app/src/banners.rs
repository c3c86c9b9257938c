//! Banners at the top: one line of state and one action, while the picture keeps playing.

use std::rc::Rc;

use leptos::prelude::*;

use crate::{
    catalog::ChannelId,
    chat::{Chat, Link},
    dom::Timer,
    icon::Icon,
    part::{Part, effect, parts},
    reels::feed::{Feed, state::Event},
    text::{texts, words},
    value::Owned,
};

parts! {
    mod parts in "main" {
        OFFLINE: ".offline",
        STATUS: ".bars > [role=status]",
        STOPPING: ".stopping",
        BANNERS: ".bars",
        RETURNED: ".returned",
        GONE: ".gone",
        FRESH: ".fresh",
    }
    mod banner in ".bar" {
        RING: ".ring",
        SPAN: "p span",
        BUTTON: "button",
        P: "p",
    }
}

/// What is new is told so long.
const FRESH_MS: i32 = 15_000;
/// What needs no answer is told so long.
const TOLD_MS: i32 = 5_000;

/// What is wrong with the connection, if something is. The bar that counts is in no live region: its
/// sentence is said beside it, once, and not at each second.
#[component]
pub(crate) fn Banners() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="bars">
            <p class="sr-only" role="status"></p>
            <div class="bar offline" hidden>
                <span class="ring" aria-hidden="true"></span>
                <p>{texts.offline} " " <span></span></p>
                <button type="button">{texts.now}</button>
            </div>
            <div class="said" role="status">
                <div class="bar stopping" hidden>
                    <Icon name="alert" />
                    <p>{texts.stopping}</p>
                </div>
                <div class="bar returned" hidden>
                    <Icon name="check" />
                    <p>{texts.returned}</p>
                </div>
                <div class="bar gone" hidden>
                    <Icon name="alert" />
                    <p>{texts.reel_gone}</p>
                </div>
                <div class="bar fresh" hidden>
                    <Icon name="plus" />
                    <p></p>
                    <button type="button">{texts.see}</button>
                </div>
            </div>
        </div>
    }
}

/// The bars follow the socket and the list; `go` leads to a channel, or to the guide.
pub(crate) fn banners(
    room: &Part,
    chat: Chat,
    feed: Feed,
    go: impl Fn(Option<ChannelId>) + 'static,
) {
    fresh(room, feed, go);
    let bar = room.find(parts::OFFLINE);
    let (ring, again) = (bar.find(banner::RING), bar.find(banner::SPAN));
    bar.find(banner::BUTTON).on_click(move || chat.retry());
    let status = room.find(parts::STATUS);
    let sentence = bar.find(banner::P).element().text_content().unwrap_or_default();
    let stopping = room.find(parts::STOPPING);
    let (all, room) = (room.find(parts::BANNERS), room.clone());
    let (returned, gone) = (told(room.find(parts::RETURNED)), told(room.find(parts::GONE)));
    let mut was_away = false;
    effect(move || {
        let link = chat.link();
        let away = chat.is_away();
        // The server said that it stops; from the second try on it is simply not there.
        let stops = away && chat.breaks() < 2;
        stopping.toggle_attr("hidden", !stops);
        let counts = away && !stops;
        bar.toggle_attr("hidden", !counts);
        // An open dialog covers everything else and makes it inert: the one voice speaks in it. What has
        // the focus loses it on the way, so it is hidden before.
        let dialog = room.query("dialog[open]").filter(|_| away);
        let over = dialog.as_ref().unwrap_or(&room);
        if over.query(":scope > .bars").is_none() {
            let _ = over.element().append_child(all.element());
        }
        status.set_text(if counts { sentence.trim() } else { "" });
        if let Link::Lost(left, all) = link {
            ring.set_attr("style", Some(&format!("--left:calc({left}/{})", all.max(1))));
            again.set_text(&trying(left));
        }
        if link == Link::Open && was_away {
            returned();
        }
        was_away = away || (was_away && link != Link::Open);
    });
    let mut before = feed.missed();
    effect(move || {
        let missed = feed.missed();
        if std::mem::replace(&mut before, missed) != missed {
            gone();
        }
    });
}

/// When the server is tried again. Its number does not leave its words at the end of a line.
fn trying(left: u32) -> String {
    let words = words();
    if left == 0 {
        words.trying.to_owned()
    } else {
        format!("{}\u{a0}{left}\u{a0}s.", words.again_in)
    }
}

/// What shows a bar for a while.
fn told(bar: Part) -> impl Fn() {
    let timer = Owned::new();
    move || {
        let shown = bar.clone();
        bar.toggle_attr("hidden", false);
        timer.set(Rc::new(Timer::once(TOLD_MS, move || shown.toggle_attr("hidden", true))));
    }
}

/// How many channels are new; gone when one looks, or after a while.
fn fresh(room: &Part, feed: Feed, go: impl Fn(Option<ChannelId>) + 'static) {
    let words = words();
    let bar = room.find(parts::FRESH);
    let sentence = bar.find(banner::P);
    bar.find(banner::BUTTON).on_click(move || {
        let first = untrack(|| feed.fresh()).and_then(|(_, first)| first);
        feed.dispatch(Event::FreshSeen);
        go(first);
    });
    let timer = Owned::new();
    effect(move || {
        let fresh = feed.fresh();
        bar.toggle_attr("hidden", fresh.is_none());
        match fresh {
            Some((count, _)) => {
                sentence.set_text(&match count {
                    1 => words.new_reel.to_owned(),
                    count => format!("{count}\u{a0}{}", words.new_reels),
                });
                timer.set(Rc::new(Timer::once(FRESH_MS, move || feed.dispatch(Event::FreshSeen))));
            }
            None => drop(timer.take()),
        }
    });
}
