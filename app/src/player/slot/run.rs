//! How an element plays and stands: on screen, and, muted and in no document, past its first frames.

use std::rc::Rc;

use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::{Slot, SlotEvent};
use crate::dom::{Timer, get, swallow};

/// How far a spare runs: video of MPEG-TS begins at 0.067 s, and one that has decoded only its first
/// frame stays frozen for 100 ms after the hand-over.
const RUN_UP_S: f64 = 0.07;
/// How far a spare may run while a finger drags.
const DRAG_LIMIT_S: f64 = 0.25;
/// How often a run is looked at.
const LOOK_MS: i32 = 16;
/// And how many times at most: a run that comes nowhere ends.
const LOOKS: u32 = 300;

impl Slot {
    /// Plays; what goes wrong is told.
    pub(crate) fn play(self: &Rc<Self>) {
        self.run.take();
        let (load, muted) = (self.load.get(), self.video.muted());
        let Ok(promise) = self.video.play() else {
            self.emit_soon(load, SlotEvent::Refused { muted });
            return;
        };
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            let Err(error) = JsFuture::from(promise).await else { return };
            // AbortError only says that it was paused or has another source meanwhile; what cannot
            // be played is told by the element's own error.
            let name = get(&error, "name").as_string().unwrap_or_default();
            if !matches!(&*name, "AbortError" | "NotSupportedError")
                && let Some(slot) = weak.upgrade().filter(|slot| slot.load.get() == load)
            {
                (slot.emit)(SlotEvent::Refused { muted });
            }
        });
    }

    /// Starts and stops within a gesture: browsers that refuse to play allow it to this element from
    /// then on.
    pub(crate) fn bless(self: &Rc<Self>) {
        if self.is_ready() && !self.has_run_up() {
            self.run_up();
        } else if self.video.paused() {
            if let Ok(promise) = self.video.play() {
                swallow(promise.into());
            }
            self.pause();
        }
    }

    /// Stops the clock.
    pub(crate) fn pause(&self) {
        self.run.take();
        let _ = self.video.pause();
    }

    /// Runs, muted and in no document, past its first frames.
    pub(crate) fn run_up(self: &Rc<Self>) {
        self.run_to(self.from_s.get() + RUN_UP_S, true);
    }

    /// Runs, muted and in no document, while a finger drags.
    pub(crate) fn run_while_dragged(self: &Rc<Self>) {
        self.run_to(self.from_s.get() + DRAG_LIMIT_S, false);
    }

    /// Stops and goes back to where it stood ready.
    pub(crate) fn stand_ready(&self) {
        self.pause();
        self.video.set_current_time(self.from_s.get() + RUN_UP_S);
    }

    fn run_to(self: &Rc<Self>, limit_s: f64, tells: bool) {
        self.video.set_muted(true);
        self.play();
        let weak = Rc::downgrade(self);
        let mut looks = 0;
        let look = Timer::every(LOOK_MS, move || {
            let Some(slot) = weak.upgrade() else { return };
            looks += 1;
            let there = slot.video.current_time() >= limit_s;
            if there || looks > LOOKS {
                slot.pause();
                slot.run_up.set(there);
                if tells {
                    (slot.emit)(SlotEvent::RunUp);
                }
            }
        });
        *self.run.borrow_mut() = Some(look);
    }
}
