//! The controls over the picture: sound, full screen, the run with its film edge.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, KeyboardEvent, PointerEvent};

use super::{
    Player, captions::captions, menu::menu, play_overlay::play_overlay, waveform::waveform,
};
use crate::{
    dom::{Timer, within},
    icon::Icon,
    part::{Part, effect, parts},
    reels::feed::Feed,
    text::{texts, words},
    value::Owned,
};

parts! {
    mod parts in "main" {
        SOUND: ".sound",
        HEAR: ".hear",
        PLAY: ".play",
        TIME: ".time",
        FILM_EDGE: ".film-edge",
        RUN: ".run",
    }
    mod time in ".time" {
        NOW: "b",
        LENGTH: "span",
    }
}

/// The offer of sound keeps its words so long.
const HEAR_MS: i32 = 6000;
/// What an arrow key moves the playhead by, in seconds.
const KEY_STEP_S: f64 = 5.0;

/// `m:ss`, and `h:mm:ss` from an hour on.
pub(crate) fn clock(seconds: f64) -> String {
    let s = if seconds.is_finite() { seconds.max(0.0) as u64 } else { 0 };
    if s >= 3600 {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

/// Binds every control of the player.
pub(crate) fn controls(room: &Part, player: Player, feed: Feed) {
    sound(room, player);
    unmute_prompt(room, player);
    seek_bar(room, player);
    film_edge(room, player);
    play_overlay(room, player, feed);
    captions(room, player);
    menu(room, player);
    waveform(room, player, feed);
}

/// The sound button.
#[component]
pub(crate) fn Sound() -> impl IntoView {
    view! {
        <button class="hole sound" type="button" aria-label=texts().sound aria-pressed="false">
            <Icon name="muted" />
        </button>
    }
}

fn sound(room: &Part, player: Player) {
    let button = room.find(parts::SOUND);
    button.on_click(move || player.toggle_sound());
    button.bind_aria("aria-pressed", move || !player.muted.get());
    button.bind_icon(move || if player.muted.get() { "muted" } else { "sound" });
}

/// The light hole that offers sound until it was switched on once; after some seconds only its icon.
/// A mouse is told the key too.
#[component]
pub(crate) fn UnmutePrompt() -> impl IntoView {
    let texts = texts();
    view! {
        <button class="hear" type="button">
            <Icon name="muted" />
            <span class="by-touch">{texts.tap_to_hear}</span>
            <span class="by-mouse">{texts.sound_on} <span class="letter">" (M)"</span></span>
        </button>
    }
}

fn unmute_prompt(room: &Part, player: Player) {
    let button = room.find(parts::HEAR);
    button.on_click(move || player.toggle_sound());
    let timer = Owned::new();
    timer.set(Rc::new(Timer::once(HEAR_MS, {
        let button = button.clone();
        move || button.toggle_attr("data-small", true)
    })));
    effect(move || {
        if !player.muted.get() {
            button.toggle_attr("hidden", true);
        }
    });
}

/// Full screen on or off.
#[component]
pub(crate) fn FullScreen() -> impl IntoView {
    view! {
        <button class="hole full" type="button" aria-label=texts().full_screen>
            <Icon name="full" />
        </button>
    }
}

/// Play or pause, the film edge that is the progress, and the time.
#[component]
pub(crate) fn SeekBar() -> impl IntoView {
    let (texts, words) = (texts(), words());
    view! {
        <div class="run">
            <button class="play" type="button" aria-label=words.pause>
                <Icon name="pause" />
            </button>
            <div
                class="film-edge"
                role="slider"
                tabindex="0"
                aria-label=texts.seek
                aria-valuemin="0"
                aria-valuemax="0"
                aria-valuenow="0"
            >
                <Holes />
            </div>
            <div class="edge-print time">
                <b></b>
                <span></span>
            </div>
        </div>
    }
}

fn seek_bar(room: &Part, player: Player) {
    let words = words();
    let play = room.find(parts::PLAY);
    play.on_click(move || player.toggle());
    play.bind_attr("aria-label", move || {
        Some(if player.paused.get() { words.play } else { words.pause }.into())
    });
    play.bind_icon(move || if player.paused.get() { "play" } else { "pause" });
    let time = room.find(parts::TIME);
    time.find(time::NOW).bind_text(move || clock(player.time_s.get()));
    time.find(time::LENGTH)
        .bind_text(move || player.duration_s.get().map(clock).unwrap_or_default());
}

/// The film edge at rest: only its light.
#[component]
pub(crate) fn MiniProgress() -> impl IntoView {
    view! {
        <div class="rest-line" aria-hidden="true">
            <Holes />
        </div>
    }
}

/// One mask of holes, the played part a scaled layer below it.
#[component]
fn Holes() -> impl IntoView {
    view! {
        <div class="holes">
            <div class="played" style="transform:scaleX(0)"></div>
        </div>
    }
}

/// The progress: holes along the edge of a film. It can be dragged, and moved by keys.
fn film_edge(room: &Part, player: Player) {
    let edge = room.find(parts::FILM_EDGE);
    room.bind_bool("data-scrubbing", move || player.scrubbing.get());
    let seek_to = {
        let edge = edge.clone();
        move |event: &PointerEvent| {
            let rect = edge.element().get_bounding_client_rect();
            if let Some(duration) = player.duration_s.get_untracked()
                && rect.width() > 0.0
            {
                let share = (f64::from(event.client_x()) - rect.left()) / rect.width();
                player.seek(within(share, 0.0, 1.0) * (duration - 0.1).max(0.0));
            }
        }
    };
    edge.on("pointerdown", {
        let (edge, seek_to) = (edge.clone(), seek_to.clone());
        move |event| {
            let event: PointerEvent = event.unchecked_into();
            let _ = edge.element().set_pointer_capture(event.pointer_id());
            // Before the film edge grows under the finger.
            seek_to(&event);
            player.scrubbing.set(player.duration_s.get_untracked().is_some());
        }
    });
    edge.on("pointermove", move |event| {
        if player.scrubbing.get_untracked() {
            seek_to(&event.unchecked_into());
        }
    });
    for event in ["pointerup", "pointercancel"] {
        edge.on(event, move |_| player.scrubbing.set(false));
    }
    edge.on("keydown", move |event| seek_by_key(&event, player));
    let (played, run) = (room.query_all(".played"), room.find(parts::RUN));
    effect(move || {
        let (at, duration) = (player.time_s.get(), player.duration_s.get());
        let share = match duration {
            Some(duration) if duration > 0.0 => within(at / duration, 0.0, 1.0),
            _ => 1.0,
        };
        // Whole numbers only: writing floats weighs in the page.
        let share = format!("calc({}/10000)", (share * 10_000.0) as u32);
        let transform = format!("scaleX({share})");
        for part in &played {
            let _ = part.of::<HtmlElement>().style().set_property("transform", &transform);
        }
        let _ = run.of::<HtmlElement>().style().set_property("--at", &share);
        edge.set_attr("aria-valuemax", Some(&(duration.unwrap_or(0.0) as u32).to_string()));
        edge.set_attr("aria-valuenow", Some(&(at as u32).to_string()));
        edge.set_attr("aria-valuetext", Some(&clock(at)));
    });
}

fn seek_by_key(event: &Event, player: Player) {
    let key = event.unchecked_ref::<KeyboardEvent>().key();
    let (at, end) =
        (player.time_s.get_untracked(), player.duration_s.get_untracked().unwrap_or(0.0));
    let to = match key.as_str() {
        "ArrowLeft" | "ArrowDown" => at - KEY_STEP_S,
        "ArrowRight" | "ArrowUp" => at + KEY_STEP_S,
        "Home" => 0.0,
        "End" => end - 0.5,
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    player.seek(within(to, 0.0, end));
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn clocks_are_minutes_and_hours() {
        for (seconds, text) in [(0.0, "0:00"), (41.9, "0:41"), (96.0, "1:36"), (3723.0, "1:02:03")]
        {
            assert_eq!(clock(seconds), text);
        }
        assert_eq!(clock(f64::NAN), "0:00");
    }
}
