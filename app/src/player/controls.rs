//! The controls over the picture: sound, full screen, the run with its film edge, the leader while
//! one waits, and what is said when the picture does not come.

use std::rc::Rc;

use leptos::{ev, prelude::*};
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};

use super::{Cause, PATIENCE_S, Phase, Player};
use crate::{
    dom::{Held, Timer},
    icon::Icon,
    text::texts,
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

/// The sound button, and the light hole that says so until sound is on.
#[component]
pub(crate) fn Sound(player: Player) -> impl IntoView {
    let texts = texts();
    let icon = Signal::derive(move || if player.muted.get() { "muted" } else { "sound" });
    view! {
        <button
            class="hole sound"
            type="button"
            aria-label=texts.sound
            aria-pressed=move || (!player.muted.get()).to_string()
            on:click=move |_| player.toggle_sound()
        >
            <Icon name=icon />
        </button>
    }
}

/// The light hole that offers sound until it was switched on once; after some seconds only its icon.
#[component]
pub(crate) fn Hear(player: Player) -> impl IntoView {
    let texts = texts();
    let small = RwSignal::new(false);
    let heard = RwSignal::new(false);
    let timer = Held::new();
    Effect::new(move |_| timer.set(Rc::new(Timer::once(HEAR_MS, move || small.set(true)))));
    Effect::new(move |_| {
        if !player.muted.get() {
            heard.set(true);
        }
    });
    view! {
        <button
            class="hear"
            type="button"
            aria-label=texts.tap_to_hear
            hidden=move || heard.get()
            data-small=move || small.get().then_some("")
            on:click=move |_| player.toggle_sound()
        >
            <Icon name="muted" />
            <span>{texts.tap_to_hear}</span>
        </button>
    }
}

/// Full screen on or off.
#[component]
pub(crate) fn FullScreen(toggle: fn()) -> impl IntoView {
    view! {
        <button
            class="hole full"
            type="button"
            aria-label=texts().full_screen
            on:click=move |_| toggle()
        >
            <Icon name="full" />
        </button>
    }
}

/// Play or pause, the film edge that is the progress, and the time.
#[component]
pub(crate) fn Run(player: Player) -> impl IntoView {
    let texts = texts();
    let icon = Signal::derive(move || if player.paused.get() { "play" } else { "pause" });
    let label = move || if player.paused.get() { texts.play } else { texts.pause };
    let time = move || {
        let at = clock(player.time_s.get());
        match player.duration_s.get() {
            Some(duration) => format!("{at} / {}", clock(duration)),
            None => at,
        }
    };
    view! {
        <div class="run">
            <button class="play" type="button" aria-label=label on:click=move |_| player.toggle()>
                <Icon name=icon />
            </button>
            <FilmEdge player />
            <output class="edge-print time">{time}</output>
        </div>
    }
}

/// The progress: holes along the edge of a film. It can be dragged, and moved by keys.
#[component]
fn FilmEdge(player: Player) -> impl IntoView {
    let texts = texts();
    let edge = NodeRef::<leptos::html::Div>::new();
    let dragging = RwSignal::new(false);
    let share = move || match player.duration_s.get() {
        Some(duration) if duration > 0.0 => (player.time_s.get() / duration).clamp(0.0, 1.0),
        _ => 1.0,
    };
    let seek_to = move |event: &PointerEvent| {
        let (Some(edge), Some(duration)) =
            (edge.get_untracked(), player.duration_s.get_untracked())
        else {
            return;
        };
        let edge: &HtmlElement = edge.as_ref();
        let rect = edge.get_bounding_client_rect();
        if rect.width() > 0.0 {
            let share = (f64::from(event.client_x()) - rect.left()) / rect.width();
            player.seek(share.clamp(0.0, 1.0) * (duration - 0.1).max(0.0));
        }
    };
    let down = move |event: PointerEvent| {
        if let Some(edge) = edge.get_untracked() {
            let _ = edge.set_pointer_capture(event.pointer_id());
        }
        dragging.set(true);
        seek_to(&event);
    };
    let key = move |event: KeyboardEvent| {
        let (at, end) =
            (player.time_s.get_untracked(), player.duration_s.get_untracked().unwrap_or(0.0));
        let to = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => at - KEY_STEP_S,
            "ArrowRight" | "ArrowUp" => at + KEY_STEP_S,
            "Home" => 0.0,
            "End" => end - 0.5,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        player.seek(to.clamp(0.0, end));
    };
    view! {
        <div
            class="film-edge"
            node_ref=edge
            role="slider"
            tabindex="0"
            aria-label=texts.seek
            aria-valuemin="0"
            aria-valuemax=move || (player.duration_s.get().unwrap_or(0.0) as u32).to_string()
            aria-valuenow=move || (player.time_s.get() as u32).to_string()
            aria-valuetext=move || clock(player.time_s.get())
            on:pointerdown=down
            on:pointermove=move |event| {
                if dragging.get_untracked() {
                    seek_to(&event);
                }
            }
            on:pointerup=move |_| dragging.set(false)
            on:pointercancel=move |_| dragging.set(false)
            on:keydown=key
        >
            <Holes share />
        </div>
    }
}

/// The film edge at rest: only its light.
#[component]
pub(crate) fn RestLine(player: Player) -> impl IntoView {
    let share = move || match player.duration_s.get() {
        Some(duration) if duration > 0.0 => (player.time_s.get() / duration).clamp(0.0, 1.0),
        _ => 1.0,
    };
    view! {
        <div class="rest-line" aria-hidden="true">
            <Holes share />
        </div>
    }
}

/// One mask of holes, the played part a scaled layer below it.
#[component]
fn Holes(share: impl Fn() -> f64 + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div class="holes">
            <div class="played" style:transform=move || format!("scaleX(calc({}/10000))", (share() * 10_000.0) as u32)></div>
        </div>
    }
}

/// While one waits: nothing for 400 ms, then a film leader that counts the real seconds until the
/// reel is given up.
#[component]
pub(crate) fn Leader(player: Player) -> impl IntoView {
    let number = move || player.patience_s.get().clamp(2, PATIENCE_S);
    let waits = move || player.phase.get() == Phase::Waiting && !player.paused.get();
    view! {
        <div class="leader" aria-hidden="true" data-waits=move || waits().then_some("")>
            <div class="cross"></div>
            <div class="dial">
                <div class="sweep"></div>
                <span>{number}</span>
            </div>
        </div>
    }
}

/// What is said where the picture does not come: why, and what one can do.
#[component]
pub(crate) fn Failure(
    player: Player,
    /// The reel's place in the list, from 1.
    number: Signal<u32>,
    /// Goes to the next reel.
    next: Callback<()>,
) -> impl IntoView {
    let texts = texts();
    let cause = move || match player.phase.get() {
        Phase::Failed(cause) => Some(cause),
        Phase::Waiting | Phase::Playing => None,
    };
    let shown = Memo::new(move |_| cause());
    move || {
        shown.get().map(|cause| {
            let (title, why) = match cause {
                Cause::Network => (texts.picture_does_not_come, texts.cause_network),
                Cause::Media => (texts.picture_does_not_come, texts.cause_media),
                Cause::Unsupported => (texts.cannot_play, texts.cause_media),
            };
            view! {
                <div class="failure" role="alert">
                    <p class="edge-print">
                        <span class="mark"></span>
                        {move || number.get()}
                        " · "
                        {texts.no_picture}
                    </p>
                    <h2>{title}</h2>
                    <p>{why}</p>
                    <p class="actions">
                        <button
                            class="primary"
                            type="button"
                            on:click=move |_: ev::MouseEvent| player.retry()
                        >
                            <Icon name="retry" />
                            {texts.retry}
                        </button>
                        <button
                            class="secondary"
                            type="button"
                            on:click=move |_: ev::MouseEvent| next.run(())
                        >
                            {texts.next}
                        </button>
                    </p>
                </div>
            }
        })
    }
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
