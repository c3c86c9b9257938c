//! What a finger asks for without moving the strip: one tap, two, or a hold.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use super::keys::Key;
use crate::dom::Timer;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Gesture {
    /// A finger lifts: the browser takes it for a person's wish to hear.
    Touch,
    /// A tap where nothing is to be touched yet: the controls.
    Show,
    /// A tap on the picture: pause or go on.
    Tap,
    /// Two taps, the second at this point of the window.
    DoubleTap(f64, f64),
    /// A finger holds, or holds no longer.
    Hold(bool),
    /// A key that moves no strip.
    Key(Key),
}

/// A second tap within this time is the second of two; after it, one tap is known to be alone.
const DOUBLE_MS: i32 = 300;
/// And so near to the first, in CSS pixels.
const DOUBLE_PX: f64 = 48.0;
/// A finger that stays so long holds.
const HOLD_MS: i32 = 450;

/// A tap that may be the first of two.
#[derive(Clone, Copy)]
struct First {
    x: f64,
    y: f64,
    ms: f64,
    then: Then,
}

/// What a tap means that no second one follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is told when it is known to be alone.
    Tap,
    /// The controls were not there yet, and have come at once.
    Show,
    /// It has led elsewhere: a second one is a part of it.
    Gone,
}

/// Tells taps and holds apart. Moves nothing.
pub(crate) struct TapRecognizer {
    tell: Rc<dyn Fn(Gesture)>,
    /// The first of what may become two.
    first: Rc<Cell<Option<First>>>,
    alone: RefCell<Option<Timer>>,
    hold: RefCell<Option<Timer>>,
    holds: Rc<Cell<bool>>,
}

impl TapRecognizer {
    pub(crate) fn new(tell: impl Fn(Gesture) + 'static) -> Self {
        Self {
            tell: Rc::new(tell),
            first: Rc::default(),
            alone: RefCell::default(),
            hold: RefCell::default(),
            holds: Rc::default(),
        }
    }

    /// A finger is down.
    pub(crate) fn down(&self) {
        let (tell, holds) = (Rc::clone(&self.tell), Rc::clone(&self.holds));
        let timer = Timer::once(HOLD_MS, move || {
            holds.set(true);
            tell(Gesture::Hold(true));
        });
        *self.hold.borrow_mut() = Some(timer);
    }

    /// It moves: neither a tap nor a hold.
    pub(crate) fn cancel(&self) {
        self.lifted();
        self.first.set(None);
    }

    /// It lifts; says whether it held.
    pub(crate) fn lifted(&self) -> bool {
        self.hold.take();
        let held = self.holds.replace(false);
        if held {
            (self.tell)(Gesture::Hold(false));
        }
        held
    }

    /// It was a tap at a point of the window. A tap that was told as one is never told as the first
    /// of two as well.
    pub(crate) fn tapped(&self, (x, y): (f64, f64), ms: f64, then: Then) {
        self.alone.take();
        if let Some(first) = self.first.take() {
            let near = (x - first.x).hypot(y - first.y) <= DOUBLE_PX;
            let second = near && ms - first.ms <= f64::from(DOUBLE_MS);
            match first.then {
                Then::Gone if second => return,
                _ if second && then != Then::Gone => {
                    (self.tell)(Gesture::DoubleTap(x, y));
                    return;
                }
                Then::Tap => (self.tell)(Gesture::Tap),
                Then::Show | Then::Gone => {}
            }
        }
        self.first.set(Some(First { x, y, ms, then }));
        match then {
            Then::Gone => {}
            Then::Show => (self.tell)(Gesture::Show),
            Then::Tap => {
                let (tell, first) = (Rc::clone(&self.tell), Rc::clone(&self.first));
                *self.alone.borrow_mut() = Some(Timer::once(DOUBLE_MS, move || {
                    if first.take().is_some() {
                        tell(Gesture::Tap);
                    }
                }));
            }
        }
    }
}
