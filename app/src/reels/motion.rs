//! Where the strip stands: one transform, moved by the finger and brought to rest by one animation.

use std::cell::{Cell, RefCell};

use js_sys::{Array, Object};
use leptos::prelude::document;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Animation, AnimationPlayState, HtmlElement};

use crate::dom::{animate, reduced_motion, set, within};

/// How long the strip slides after the finger lifts.
const SLIDE_MS: f64 = 260.0;
const SLIDE_EASING: &str = "cubic-bezier(.2,.8,.25,1)";
/// What comes from further comes from here, in heights of the feed.
const FARTHEST: f64 = 1.2;
/// Without this head start the first frame of the slide does not move.
const HEAD_START_MS: f64 = 16.0;
/// A peek at the next reel goes so far.
const PEEK_PX: f64 = 88.0;
/// On its way there, and back.
const PEEK_MS: f64 = 320.0;
/// And stays.
const PEEK_HOLD_MS: f64 = 1600.0;
/// A drag beyond the first or the last reel follows the finger only so far.
const BEYOND: f64 = 0.3;

/// A feed that is shown at more than this share of its height is not scaled: the height that it is
/// laid out with is told in whole pixels only.
const UNSCALED: f64 = 0.99;

/// The transform that brings the reel `steps` places from the origin into the frame, and `y` CSS
/// pixels further down (in hundredths: writing floats weighs in the page). How far one reel is from
/// the next is known to the stylesheet alone: where the height of the window is no whole number, a
/// second opinion would drift away from where the reels lie.
fn shifted(steps: i32, y: f64) -> String {
    let y = (y * 100.0) as i32;
    format!("translate3d(0,calc(var(--pitch)*{} + {y}px/100),0)", -steps)
}

/// The strip's place. All lengths are CSS pixels.
pub(crate) struct Motion {
    feed: HtmlElement,
    strip: HtmlElement,
    /// Places of the active reel from the strip's origin.
    steps: Cell<i32>,
    dragged: Cell<f64>,
    /// How much smaller the feed is shown than it is laid out, read when a finger takes hold: asked
    /// at each move it would have the browser lay the page out each time.
    grabbed_scale: Cell<f64>,
    animation: RefCell<Option<Animation>>,
    settled: Closure<dyn FnMut()>,
}

impl Motion {
    /// `settled` is called whenever a slide has come to its end.
    pub(crate) fn new(
        feed: HtmlElement,
        strip: HtmlElement,
        settled: impl FnMut() + 'static,
    ) -> Self {
        Self {
            feed,
            strip,
            steps: Cell::new(0),
            dragged: Cell::new(0.0),
            grabbed_scale: Cell::new(1.0),
            animation: RefCell::default(),
            settled: Closure::new(settled),
        }
    }

    /// Height of the feed.
    pub(crate) fn height(&self) -> f64 {
        f64::from(self.feed.client_height())
    }

    /// How much smaller the feed is shown than it is laid out: the open chat takes room.
    fn scale(&self) -> f64 {
        let (shown, laid_out) = (self.feed.get_bounding_client_rect().height(), self.height());
        let scale = if laid_out > 0.0 && shown > 0.0 { shown / laid_out } else { 1.0 };
        if scale > UNSCALED { 1.0 } else { scale }
    }

    /// Where the strip is seen, from the top of the window.
    fn seen(&self) -> f64 {
        self.strip.get_bounding_client_rect().top()
    }

    /// Rests `steps` places from the origin, and tells how far below that it was seen; a slide may
    /// have been under way.
    fn rest(&self, steps: i32) -> f64 {
        let seen = self.seen();
        self.stop();
        self.steps.set(steps);
        self.write(0.0);
        (seen - self.seen()) / self.scale()
    }

    fn write(&self, offset: f64) {
        let transform = shifted(self.steps.get(), offset);
        let _ = self.strip.style().set_property("transform", &transform);
    }

    fn stop(&self) {
        if let Some(animation) = self.animation.take() {
            animation.set_onfinish(None);
            animation.cancel();
        }
    }

    /// Stands still at once, `steps` places from the origin.
    pub(crate) fn place(&self, steps: i32) {
        self.stop();
        self.steps.set(steps);
        self.dragged.set(0.0);
        self.write(0.0);
    }

    /// Takes hold of the strip where it is seen. One that rests is where it was put: nothing is read.
    pub(crate) fn grab(&self) {
        self.grabbed_scale.set(self.scale());
        let offset = if self.slides() {
            self.rest(self.steps.get())
        } else {
            self.stop();
            0.0
        };
        self.dragged.set(offset);
        self.write(offset);
    }

    /// Whether an animation moves it.
    pub(crate) fn slides(&self) -> bool {
        let running = |animation: &Animation| animation.play_state() == AnimationPlayState::Running;
        self.animation.borrow().as_ref().is_some_and(running)
    }

    /// Follows the finger: `dy` since it took hold. `blocked` where there is no reel that way.
    pub(crate) fn drag(&self, dy: f64, blocked: bool) {
        let dy = if blocked { dy * BEYOND } else { dy };
        self.write(self.dragged.get() + dy / self.grabbed_scale.get());
    }

    /// Shows what lies below for a moment, and comes back.
    pub(crate) fn peek(&self) {
        self.stop();
        let steps = self.steps.get();
        let frame = |y: f64, at: f64| {
            let frame = Object::new();
            set(&frame, "transform", shifted(steps, y));
            set(&frame, "offset", at);
            set(&frame, "easing", "cubic-bezier(.2,0,0,1)");
            frame
        };
        let all = PEEK_MS * 2.0 + PEEK_HOLD_MS;
        let frames = [
            frame(0.0, 0.0),
            frame(-PEEK_PX, PEEK_MS / all),
            frame(-PEEK_PX, 1.0 - PEEK_MS / all),
            frame(0.0, 1.0),
        ];
        let options = Object::new();
        set(&options, "duration", all);
        let animation = animate(&self.strip, &Array::from_iter(frames), &options);
        *self.animation.borrow_mut() = Some(animation);
    }

    /// Slides from where it is seen to `steps` places from the origin. Nothing far is slid past:
    /// what comes from further than a reel away comes from a reel away.
    pub(crate) fn slide(&self, steps: i32) {
        let far = FARTHEST * self.height();
        let from = within(self.rest(steps), -far, far);
        self.dragged.set(0.0);
        let frame = |y: f64| {
            let frame = Object::new();
            set(&frame, "transform", shifted(steps, y));
            frame
        };
        let options = Object::new();
        set(&options, "duration", if reduced_motion() { 1.0 } else { SLIDE_MS });
        set(&options, "easing", SLIDE_EASING);
        let animation = animate(&self.strip, &Array::of2(&frame(from), &frame(0.0)), &options);
        if let Some(now) = document().timeline().current_time() {
            animation.set_start_time(Some(now - HEAD_START_MS));
        }
        animation.set_onfinish(Some(self.settled.as_ref().unchecked_ref()));
        *self.animation.borrow_mut() = Some(animation);
    }
}

impl Drop for Motion {
    fn drop(&mut self) {
        self.stop();
    }
}
