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

/// A second tap within this time is the second of two.
const DOUBLE_MS: f64 = 300.0;
/// And so near to the first, in CSS pixels.
const DOUBLE_PX: f64 = 48.0;
/// One tap is known to be alone after so long.
const ALONE_MS: i32 = 260;
/// A finger that stays so long holds.
const HOLD_MS: i32 = 450;

/// Tells taps and holds apart. Moves nothing.
pub(crate) struct Taps {
    tell: Rc<dyn Fn(Gesture)>,
    last: Cell<Option<(f64, f64, f64)>>,
    alone: RefCell<Option<Timer>>,
    hold: RefCell<Option<Timer>>,
    holds: Rc<Cell<bool>>,
}

impl Taps {
    pub(crate) fn new(tell: impl Fn(Gesture) + 'static) -> Self {
        Self {
            tell: Rc::new(tell),
            last: Cell::new(None),
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
        self.last.set(None);
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

    /// It was a tap at a point of the window. `shows`: the controls are not there yet, and come at
    /// once.
    pub(crate) fn tapped(&self, (x, y): (f64, f64), ms: f64, shows: bool) {
        self.alone.take();
        if let Some((at, last_x, last_y)) = self.last.take()
            && ms - at <= DOUBLE_MS
            && (x - last_x).hypot(y - last_y) <= DOUBLE_PX
        {
            (self.tell)(Gesture::DoubleTap(x, y));
            return;
        }
        self.last.set(Some((ms, x, y)));
        if shows {
            (self.tell)(Gesture::Show);
            return;
        }
        let tell = Rc::clone(&self.tell);
        *self.alone.borrow_mut() = Some(Timer::once(ALONE_MS, move || tell(Gesture::Tap)));
    }
}
