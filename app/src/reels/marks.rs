//! What is said about the reel on screen beside its slate: that it is live, what comes next, which
//! number is being dialled, and, to screen readers, which reel has arrived.

use std::rc::Rc;

use leptos::prelude::*;

use super::{feed::Feed, feed_controller::FeedController};
use crate::{
    dom::Timer,
    part::{Part, effect, parts},
    player::Player,
    text::{texts, words},
    value::{Owned, Value},
};

parts! {
    mod parts in "main" {
        LIVE_BADGE: ".live-badge",
        UP_NEXT: ".up-next",
        ANNOUNCER: ".announcer",
        DIALLED: ".dialled",
    }
    mod up_next in ".up-next" {
        TITLE: "b",
    }
    mod dialled in ".dialled" {
        NUMBER: "b",
    }
}

/// What comes next is told so many seconds before the end.
const UP_NEXT_S: f64 = 6.0;
/// Of reels that are at least so long.
const UP_NEXT_FROM_S: f64 = 20.0;
/// After this silence the dialled number is gone to.
const DIAL_MS: i32 = 900;
/// The most digits of a number.
const DIGITS_MAX: u32 = 99_999;

/// The reel on screen is live.
#[component]
pub(crate) fn LiveBadge() -> impl IntoView {
    view! {
        <p class="live-badge edge-print" hidden>
            {texts().live_now}
        </p>
    }
}

/// What comes next, when this reel is about to end; goes there.
#[component]
pub(crate) fn UpNext() -> impl IntoView {
    view! {
        <button class="up-next" type="button" hidden>
            <span>{texts().up_next}</span>
            " "
            <b dir="auto"></b>
        </button>
    }
}

/// The number being dialled.
#[component]
pub(crate) fn ChannelNumber() -> impl IntoView {
    view! {
        <p class="dialled" aria-live="polite" hidden>
            <span class="mark"></span>
            <b></b>
        </p>
    }
}

/// Says to screen readers which reel has arrived.
#[component]
pub(crate) fn Announcer() -> impl IntoView {
    view! { <p class="announcer sr-only" aria-live="polite"></p> }
}

/// Binds all but the number_entry.
pub(crate) fn marks(room: &Part, feed: Feed, player: Player, controller: &Rc<FeedController>) {
    let words = words();
    let badge = room.find(parts::LIVE_BADGE);
    badge.bind_bool("hidden", move || !feed.active_media().is_some_and(|media| media.live));

    let next = room.find(parts::UP_NEXT);
    let title = next.find(up_next::TITLE);
    next.on_click({
        let controller = Rc::clone(controller);
        move || controller.step(1)
    });
    effect(move || {
        let left = player.duration_s.get().filter(|all| *all >= UP_NEXT_FROM_S);
        let soon = left.is_some_and(|all| all - player.time_s.get() < UP_NEXT_S);
        let following =
            soon.then(|| feed.held(feed.active() + 1..feed.active() + 2).pop()).flatten();
        next.toggle_attr("hidden", following.is_none());
        if let Some((_, media)) = following {
            title.set_text(&media.title);
        }
    });

    let announcer = room.find(parts::ANNOUNCER);
    let mut before = feed.rested_media().map(|media| media.id.clone());
    effect(move || {
        let Some(media) = feed.rested_media() else { return };
        if before.as_ref() != Some(&media.id) {
            let number = feed.place(&media.id).map_or(0, |place| place + 1);
            announcer.set_text(&format!("{number} {} {}: {}", words.of, feed.total(), media.title));
            before = Some(media.id.clone());
        }
    });
}

/// Digits that are typed one after the other; a cheap handle.
#[derive(Clone, Copy)]
pub(crate) struct ChannelNumberEntry {
    number: Value<u32>,
    timer: Owned<Rc<Timer>>,
}

impl ChannelNumberEntry {
    pub(crate) fn new() -> Self {
        Self { number: Value::new(0), timer: Owned::new() }
    }

    /// One more digit; after a silence `go` gets the number.
    pub(crate) fn digit(&self, digit: u32, go: impl Fn(u32) + 'static) {
        let number = self.number.get_untracked() * 10 + digit;
        self.number.set(number.min(DIGITS_MAX));
        let number_entry = *self;
        self.timer.set(Rc::new(Timer::once(DIAL_MS, move || {
            let number = number_entry.number.get_untracked();
            number_entry.number.set(0);
            if number > 0 {
                go(number);
            }
        })));
    }
}

/// Shows the number being dialled.
pub(crate) fn channel_number(room: &Part, number_entry: ChannelNumberEntry) {
    let part = room.find(parts::DIALLED);
    let number = part.find(dialled::NUMBER);
    effect(move || {
        let dialled = number_entry.number.get();
        part.toggle_attr("hidden", dialled == 0);
        number.set_text(&dialled.to_string());
    });
}
