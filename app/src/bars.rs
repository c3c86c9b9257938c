//! Bars at the top: one line of state and one action, while the picture keeps playing.

use std::rc::Rc;

use leptos::prelude::*;

use crate::{
    catalog::ChannelId,
    chat::{Chat, Link},
    dom::Timer,
    icon::Icon,
    part::{Part, watch},
    reels::feed::Feed,
    text::{texts, words},
    value::Held,
};

/// What is new is told so long.
const FRESH_MS: i32 = 15_000;
/// What needs no answer is told so long.
const TOLD_MS: i32 = 5_000;

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
    }
}

/// The bars follow the socket and the list; `go` leads to a channel, or to the guide.
pub(crate) fn bars(room: &Part, chat: Chat, feed: Feed, go: impl Fn(Option<ChannelId>) + 'static) {
    fresh(room, feed, go);
    let bar = room.find(".offline");
    let seconds = bar.find(".seconds");
    bar.find("button").on_press(move || chat.retry());
    let stopping = room.find(".stopping");
    let returned = told(room.find(".returned"));
    let mut was_told = false;
    watch(move || {
        // A short break is not worth a word: it is told from the second try on, or where the server
        // said it.
        let lost = match chat.link.get() {
            Link::Lost(seconds) => Some((seconds, chat.breaks.get() > 1)),
            _ => None,
        };
        let stops = lost.is_some_and(|(_, long)| !long) && chat.stops.get();
        stopping.mark("hidden", !stops);
        let lost = lost.filter(|(_, long)| *long);
        bar.mark("hidden", lost.is_none());
        if let Some((lost, _)) = lost {
            seconds.say(&lost.to_string());
        }
        if chat.link.get() == Link::Open && was_told {
            returned();
        }
        was_told = lost.is_some() || stops || (was_told && chat.link.get() != Link::Open);
    });
    let gone = told(room.find(".gone"));
    let mut before = feed.missed();
    watch(move || {
        let missed = feed.missed();
        if std::mem::replace(&mut before, missed) != missed {
            gone();
        }
    });
}

/// What shows a bar for a while.
fn told(bar: Part) -> impl Fn() {
    let timer = Held::new();
    move || {
        let shown = bar.clone();
        bar.mark("hidden", false);
        timer.set(Rc::new(Timer::once(TOLD_MS, move || shown.mark("hidden", true))));
    }
}

/// How many channels are new; gone when one looks, or after a while.
fn fresh(room: &Part, feed: Feed, go: impl Fn(Option<ChannelId>) + 'static) {
    let words = words();
    let bar = room.find(".fresh");
    let sentence = bar.find("p");
    bar.find("button").on_press(move || {
        let first = untrack(|| feed.fresh()).and_then(|(_, first)| first);
        feed.seen_fresh();
        go(first);
    });
    let timer = Held::new();
    watch(move || {
        let fresh = feed.fresh();
        bar.mark("hidden", fresh.is_none());
        match fresh {
            Some((count, _)) => {
                sentence.say(&match count {
                    1 => words.new_reel.to_owned(),
                    count => format!("{count} {}", words.new_reels),
                });
                timer.set(Rc::new(Timer::once(FRESH_MS, move || feed.seen_fresh())));
            }
            None => drop(timer.take()),
        }
    });
}
