//! When the controls show. They are light that goes out when nobody asks for it: hidden means
//! opacity 0, still focusable, and Tab brings it back.

use std::rc::Rc;

use leptos::prelude::*;
use web_sys::Element;

use crate::dom::{Timer, now_ms};
use crate::value::{Owned, Value};

/// After a touch.
const TOUCH_MS: i32 = 3000;
/// After the pointer moved.
const POINTER_MS: i32 = 2500;
/// The slate alone, when a reel arrives.
const ARRIVAL_MS: i32 = 2500;
/// And for the first reel of a visit.
const FIRST_MS: i32 = 4000;

/// What shows over the picture; a cheap handle.
#[derive(Clone, Copy)]
pub struct ControlsVisibility {
    /// Every control.
    pub controls: Value<bool>,
    /// Title and description.
    pub slate: Value<bool>,
    /// The strip is on its way.
    pub moving: Value<bool>,
    /// The hint of a first visit is shown.
    pub hint: Value<bool>,
    /// A finger holds: the reel runs faster.
    pub fast: Value<bool>,
    /// Something holds the controls: a pause, a menu, a sheet.
    pub held: Value<bool>,
    /// When what shows goes out, and when the timer that sees to it rings.
    until_ms: Value<f64>,
    rings_ms: Value<f64>,
    timer: Owned<Rc<Timer>>,
    hinting: Owned<Rc<Timer>>,
}

impl ControlsVisibility {
    /// As a page arrives: the slate, no controls.
    pub fn new() -> Self {
        Self {
            controls: Value::new(false),
            slate: Value::new(true),
            moving: Value::new(false),
            hint: Value::new(false),
            fast: Value::new(false),
            held: Value::new(false),
            until_ms: Value::new(0.0),
            rings_ms: Value::new(0.0),
            timer: Owned::new(),
            hinting: Owned::new(),
        }
    }

    /// The first reel of a visit is on screen.
    pub fn first(&self) {
        self.hide_after(FIRST_MS);
    }

    /// Another reel has come to rest.
    pub fn arrived(&self) {
        self.stopped();
        self.slate.set(true);
        self.hide_after(ARRIVAL_MS);
    }

    /// A touch or a key asks for the controls.
    pub fn touched(&self) {
        self.show(TOUCH_MS);
    }

    /// The pointer moved.
    pub fn pointed(&self) {
        self.show(POINTER_MS);
    }

    fn show(&self, ms: i32) {
        self.hint_is_over();
        if !self.controls.get_untracked() {
            self.controls.set(true);
        }
        if !self.slate.get_untracked() {
            self.slate.set(true);
        }
        self.hide_after(ms);
    }

    /// Shows the hint for so long. It stands where the slate is, which has what is left of its time
    /// afterwards.
    pub fn hint_for(&self, ms: i32) {
        let visibility = *self;
        let left = self.until_ms.get_untracked() - now_ms();
        drop(self.timer.take());
        self.hint.set(true);
        self.hinting.set(Rc::new(Timer::once(ms, move || {
            visibility.hint_is_over();
            visibility.slate.set(true);
            visibility.hide_after((left as i32).max(ARRIVAL_MS));
        })));
    }

    /// The hint goes: it has been there long enough, or something else wants its place.
    pub fn hint_is_over(&self) {
        if self.hint.get_untracked() {
            drop(self.hinting.take());
            self.hint.set(false);
        }
    }

    /// The strip stands again.
    pub fn stopped(&self) {
        if self.moving.get_untracked() {
            self.moving.set(false);
        }
    }

    /// The strip begins to move: everything goes out.
    pub fn started(&self) {
        if !self.moving.get_untracked() {
            self.moving.set(true);
        }
        self.leave();
    }

    /// Everything goes out.
    pub fn leave(&self) {
        self.hint_is_over();
        drop(self.timer.take());
        if self.controls.get_untracked() {
            self.controls.set(false);
        }
        if self.slate.get_untracked() {
            self.slate.set(false);
        }
    }

    /// A pointer that moves says so a hundred times a second: the timer that runs is let be, and
    /// looks when it rings whether it is time.
    fn hide_after(&self, ms: i32) {
        let until = now_ms() + f64::from(ms);
        self.until_ms.set(until);
        if self.timer.get().is_none() || until < self.rings_ms.get_untracked() {
            self.ring_after(ms, ms);
        }
    }

    fn ring_after(&self, wait: i32, ms: i32) {
        let visibility = *self;
        self.rings_ms.set(now_ms() + f64::from(wait));
        self.timer.set(Rc::new(Timer::once(wait, move || visibility.rung(ms))));
    }

    fn rung(&self, ms: i32) {
        let left = self.until_ms.get_untracked() - now_ms();
        if left >= 1.0 {
            self.ring_after(left as i32 + 1, ms);
            return;
        }
        drop(self.timer.take());
        if self.held.get_untracked() || focus_is_inside() {
            self.hide_after(ms);
        } else {
            self.leave();
        }
    }
}

impl Default for ControlsVisibility {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a person is in the controls by keyboard.
fn focus_is_inside() -> bool {
    let inside = |element: Element| {
        element.closest(".controls, .top").ok().flatten().is_some()
            && element.matches(":focus-visible").unwrap_or(false)
    };
    document().active_element().is_some_and(inside)
}
