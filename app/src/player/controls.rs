//! The controls over the picture: sound, full screen, the run with its film edge, the leader while
//! one waits, and what is said when the picture does not come.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, KeyboardEvent, PointerEvent};

use super::{
    Cause, PATIENCE_S, Phase, Player, captions::captions, menu::menu, play_overlay::play_overlay,
    wave::wave,
};
use crate::{
    dom::{Timer, within},
    icon::Icon,
    part::{Part, watch},
    reels::feed::Feed,
    text::{texts, words},
    value::Held,
};

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

/// Binds every control of the player; `next` goes to the next reel.
pub(crate) fn controls(room: &Part, player: Player, feed: Feed, next: impl Fn() + 'static) {
    sound(room, player);
    hear(room, player);
    run(room, player);
    film_edge(room, player);
    play_overlay(room, player, feed);
    leader(room, player);
    failure(room, player, feed, next);
    captions(room, player);
    menu(room, player);
    wave(room, player, feed);
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
    let button = room.find(".sound");
    button.on_press(move || player.toggle_sound());
    button.state("aria-pressed", move || !player.muted.get());
    button.icon(move || if player.muted.get() { "muted" } else { "sound" });
}

/// The light hole that offers sound until it was switched on once; after some seconds only its icon.
#[component]
pub(crate) fn Hear() -> impl IntoView {
    let texts = texts();
    view! {
        <button class="hear" type="button" aria-label=texts.tap_to_hear>
            <Icon name="muted" />
            <span>{texts.tap_to_hear}</span>
        </button>
    }
}

fn hear(room: &Part, player: Player) {
    let button = room.find(".hear");
    button.on_press(move || player.toggle_sound());
    let timer = Held::new();
    timer.set(Rc::new(Timer::once(HEAR_MS, {
        let button = button.clone();
        move || button.mark("data-small", true)
    })));
    watch(move || {
        if !player.muted.get() {
            button.mark("hidden", true);
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
pub(crate) fn Run() -> impl IntoView {
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
            <output class="edge-print time">
                <b></b>
                <span></span>
            </output>
        </div>
    }
}

fn run(room: &Part, player: Player) {
    let words = words();
    let play = room.find(".play");
    play.on_press(move || player.toggle());
    play.attr("aria-label", move || {
        Some(if player.paused.get() { words.play } else { words.pause }.into())
    });
    play.icon(move || if player.paused.get() { "play" } else { "pause" });
    let time = room.find(".time");
    time.find("b").text(move || clock(player.time_s.get()));
    time.find("span").text(move || player.duration_s.get().map(clock).unwrap_or_default());
}

/// The film edge at rest: only its light.
#[component]
pub(crate) fn RestLine() -> impl IntoView {
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
    let edge = room.find(".film-edge");
    room.flag("data-scrubbing", move || player.scrubbing.get());
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
    let (played, run) = (room.all(".played"), room.find(".run"));
    watch(move || {
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
        edge.set("aria-valuemax", Some(&(duration.unwrap_or(0.0) as u32).to_string()));
        edge.set("aria-valuenow", Some(&(at as u32).to_string()));
        edge.set("aria-valuetext", Some(&clock(at)));
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

/// While one waits: nothing for 400 ms, then a film leader that counts the real seconds until the
/// reel is given up.
#[component]
pub(crate) fn Leader() -> impl IntoView {
    view! {
        <div class="leader" aria-hidden="true">
            <div class="cross"></div>
            <div class="dial">
                <div class="sweep"></div>
                <span>{PATIENCE_S}</span>
            </div>
            <p>{texts().searching_picture}</p>
        </div>
    }
}

fn leader(room: &Part, player: Player) {
    let leader = room.find(".leader");
    leader.find("span").text(move || player.patience_s.get().clamp(2, PATIENCE_S).to_string());
    leader.flag("data-waits", move || player.phase.get() == Phase::Waiting && !player.paused.get());
}

/// What is said where the picture does not come: why, and what one can do.
#[component]
pub(crate) fn Failure() -> impl IntoView {
    let (texts, words) = (texts(), words());
    view! {
        <div class="failure" role="alert" hidden>
            <p class="edge-print">
                <span class="mark"></span>
                <span class="number"></span>
                " · "
                {texts.no_picture}
            </p>
            <h2></h2>
            <p class="why"></p>
            <p class="again" hidden>
                {words.tries_again_in}
                " "
                <b></b>
                " s."
            </p>
            <p class="actions">
                <button class="primary" type="button">
                    <Icon name="retry" />
                    {texts.retry}
                </button>
                <button class="secondary" type="button">
                    {texts.next}
                </button>
            </p>
        </div>
    }
}

fn failure(room: &Part, player: Player, feed: Feed, next: impl Fn() + 'static) {
    let words = words();
    let failure = room.find(".failure");
    failure.find(".primary").on_press(move || player.retry());
    failure.find(".secondary").on_press(next);
    let (number, title, why) = (failure.find(".number"), failure.find("h2"), failure.find(".why"));
    let again = failure.find(".again");
    again.flag("hidden", move || player.retry_s.get() == 0);
    again.find("b").text(move || player.retry_s.get().to_string());
    let was_away = Cell::new(false);
    watch(move || {
        let Phase::Failed(cause) = player.phase.get() else {
            was_away.set(false);
            failure.mark("hidden", true);
            return;
        };
        number.say(&(feed.active() + 1).to_string());
        let is_away = feed.active_media().is_some_and(|media| !media.available);
        if was_away.replace(is_away) && !is_away {
            player.retry();
            return;
        }
        title.say(match cause {
            Cause::Unsupported if !is_away => words.cannot_play,
            _ => words.picture_does_not_come,
        });
        why.say(match cause {
            // A browser takes a file that is refused for one that it cannot play.
            _ if is_away => words.cause_away,
            Cause::Network => words.cause_network,
            Cause::Resting => words.cause_resting,
            Cause::Media | Cause::Unsupported => words.cause_media,
        });
        failure.mark("hidden", false);
    });
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
