//! When the controls show. They are light that goes out when nobody asks for it: hidden means
//! opacity 0, still focusable, and Tab brings it back.

use std::rc::Rc;

use leptos::prelude::*;
use web_sys::Element;

use crate::dom::Timer;
use crate::value::{Held, Value};

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
pub struct Chrome {
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
    timer: Held<Rc<Timer>>,
    hinting: Held<Rc<Timer>>,
}

impl Chrome {
    /// As a page arrives: the slate, no controls.
    pub fn new() -> Self {
        Self {
            controls: Value::new(false),
            slate: Value::new(true),
            moving: Value::new(false),
            hint: Value::new(false),
            fast: Value::new(false),
            held: Value::new(false),
            timer: Held::new(),
            hinting: Held::new(),
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
        if !self.controls.get_untracked() {
            self.controls.set(true);
        }
        if !self.slate.get_untracked() {
            self.slate.set(true);
        }
        self.hide_after(ms);
    }

    /// The hint goes after so long.
    pub fn hint_until(&self, ms: i32) {
        let hint = self.hint;
        self.hinting.set(Rc::new(Timer::once(ms, move || hint.set(false))));
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
        drop(self.timer.take());
        if self.controls.get_untracked() {
            self.controls.set(false);
        }
        if self.slate.get_untracked() {
            self.slate.set(false);
        }
    }

    fn hide_after(&self, ms: i32) {
        let chrome = *self;
        self.timer.set(Rc::new(Timer::once(ms, move || chrome.hide(ms))));
    }

    fn hide(&self, ms: i32) {
        if self.held.get_untracked() || focus_is_inside() {
            self.hide_after(ms);
        } else {
            self.leave();
        }
    }
}

impl Default for Chrome {
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
