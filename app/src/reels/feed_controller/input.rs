//! What fingers, wheel, keys and focus ask of the controller.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusEvent, KeyboardEvent, PointerEvent, WheelEvent};

use super::{
    super::{
        gesture::{Gesture, Then},
        keys::{self, Key},
        pan::{Lift, Pan, Track, way_of},
    },
    FeedController,
};
use crate::{catalog::Anchor, dom::zoomed};

/// What scrolls by itself keeps its wheel.
const SCROLLABLE: &str = ".chat, .menu, dialog";
/// What takes a finger for itself. What is said of a reel that failed lies over its whole picture: a
/// swipe may begin on its buttons too.
const TOUCHABLE: &str =
    ":is(button:not(.play-overlay), a, input, [role=slider], [role=log]):not(.failure *)";

/// What a pointer went down on.
pub(super) enum Under {
    /// The picture on screen.
    Picture,
    /// A reel that only peeks.
    Neighbour(String),
    /// The room beside them: nothing there pauses, and nothing is liked.
    Room,
    /// The panel of a reel that failed, which follows the finger: where that was at its top.
    Panel(Element, i32),
}

impl FeedController {
    pub(super) fn pointer_down(self: &Rc<Self>, event: &PointerEvent) {
        if event.button() != 0 || closest(event, TOUCHABLE).is_some() {
            return;
        }
        if !event.is_primary() {
            // A second finger pinches.
            self.pointer_lost(event);
            return;
        }
        let under = under(event);
        if matches!(under, Under::Picture) {
            self.taps.down();
        }
        let track =
            Track::new(event.client_x().into(), event.client_y().into(), event.time_stamp());
        *self.track.borrow_mut() = Some((event.pointer_id(), track, under));
    }

    pub(super) fn pointer_moved(self: &Rc<Self>, event: &PointerEvent) {
        if event.pointer_type() == "mouse" && self.track.borrow().is_none() {
            self.visibility.pointed();
        }
        let (x, y) = (event.client_x().into(), event.client_y().into());
        // Let go before anything is called: what is called may ask for it.
        let pan = match &mut *self.track.borrow_mut() {
            Some((id, track, under)) if *id == event.pointer_id() => {
                let mut pan = track.moved(x, y, event.time_stamp());
                if let Pan::Begun(_, way) = pan {
                    let panel = panel_with_more(event, way);
                    // The finger moves the page itself about, or what has more to show that way.
                    if zoomed() || panel.is_some() {
                        track.let_go();
                        pan = Pan::Sideways;
                    }
                    if let Some(panel) = panel {
                        let top = event.client_y() + panel.scroll_top();
                        *under = Under::Panel(panel, top);
                    }
                }
                if let Under::Panel(panel, top) = under {
                    panel.set_scroll_top(*top - event.client_y());
                }
                pan
            }
            _ => return,
        };
        match pan {
            Pan::Undecided => {}
            Pan::Sideways => self.taps.cancel(),
            Pan::Begun(dy, way) => {
                self.taps.cancel();
                let _ = self.element.set_pointer_capture(event.pointer_id());
                self.visibility.started();
                self.motion.grab();
                self.dragged(dy);
                if let Some(media) = self.neighbour(way) {
                    self.player.run_up(&media);
                }
            }
            Pan::Dragged(dy) => self.dragged(dy),
        }
    }

    pub(super) fn dragged(&self, dy: f64) {
        self.motion.drag(dy, self.neighbour(way_of(dy)).is_none());
    }

    pub(super) fn pointer_up(self: &Rc<Self>, event: &PointerEvent) {
        let Some((_, mut track, under)) =
            self.track.borrow_mut().take_if(|(id, ..)| *id == event.pointer_id())
        else {
            return;
        };
        if self.taps.lifted() {
            return;
        }
        // A mouse has given the focus to the reel that it went down on.
        self.take_focus_along();
        self.tell(Gesture::Touch);
        match track.lifted(event.client_y().into(), event.time_stamp(), self.motion.height()) {
            Lift::Step(by) => self.step(by),
            Lift::Spring => self.spring_back(),
            // At once: browsers ask for a gesture.
            Lift::Tap if matches!(under, Under::Picture) && self.player.is_prompted() => {
                self.player.play()
            }
            Lift::Tap => {
                let at = (event.client_x().into(), event.client_y().into());
                let by_mouse = event.pointer_type() == "mouse";
                let then = match &under {
                    Under::Room | Under::Panel(..) => return self.tell(Gesture::Show),
                    Under::Neighbour(_) => Then::Gone,
                    Under::Picture if by_mouse || self.visibility.controls.get_untracked() => {
                        Then::Tap
                    }
                    Under::Picture => Then::Show,
                };
                self.taps.tapped(at, event.time_stamp(), then);
                if let Under::Neighbour(id) = under
                    && let Some(place) = self.feed.place_of(&id)
                {
                    self.go_to(Anchor::Place(place));
                }
            }
            Lift::Nothing => {}
        }
    }

    pub(super) fn pointer_lost(self: &Rc<Self>, _event: &PointerEvent) {
        let track = self.track.borrow_mut().take();
        self.taps.lifted();
        if track.is_some_and(|(_, track, _)| track.drags()) {
            self.spring_back();
        }
    }

    /// The strip goes back to where it rests.
    pub(super) fn spring_back(&self) {
        self.motion.slide(self.feed.steps());
        self.player.step_back();
    }

    pub(super) fn wheel_turned(self: &Rc<Self>, event: &WheelEvent) {
        if event.ctrl_key() || zoomed() || closest(event, SCROLLABLE).is_some() {
            return;
        }
        let lines = event.delta_mode() != WheelEvent::DOM_DELTA_PIXEL;
        // Counted also where it scrolls: the rest of a fling that came to an end there moves no reel.
        let by = self.wheel.borrow_mut().turned(event.delta_y(), lines, event.time_stamp());
        if panel_with_more(event, way_of(-event.delta_y())).is_some() {
            return;
        }
        event.prevent_default();
        if by != 0 {
            self.step(by);
        }
    }

    pub(super) fn key_pressed(self: &Rc<Self>, event: &KeyboardEvent) {
        let Some(key) = keys::read(event, self.keyboard.letters.get_untracked()) else { return };
        event.prevent_default();
        match key {
            Key::Step(by) => self.step(by),
            Key::First => self.go_to(Anchor::First),
            Key::Last => self.go_to(Anchor::Last),
            key => self.tell(Gesture::Key(key)),
        }
    }

    /// Focus that enters another article makes it the active one: screen readers move by focus. What
    /// a pointer wants there is known when it lifts.
    pub(super) fn focus_entered(self: &Rc<Self>, event: &FocusEvent) {
        let id = closest(event, "article").and_then(|reel| reel.get_attribute("data-channel"));
        // The browser scrolls what it focuses into view; the strip is moved by its transform alone.
        self.element.set_scroll_top(0);
        if self.track.borrow().is_some() {
            return;
        }
        if let Some(place) = id.and_then(|id| self.feed.place_of(&id))
            && place != self.feed.active_now()
        {
            self.go_to(Anchor::Place(place));
        }
    }
}

fn under(event: &Event) -> Under {
    let Some(picture) = closest(event, ".picture") else { return Under::Room };
    let neighbour = picture.closest("article:not([aria-current])").ok().flatten();
    match neighbour.and_then(|article| article.get_attribute("data-channel")) {
        Some(id) => Under::Neighbour(id),
        None => Under::Picture,
    }
}

/// The panel that an event is in, if it has more to show that way: at its end (1), or its start (-1).
fn panel_with_more(event: &Event, way: i32) -> Option<Element> {
    let panel = closest(event, ".failure")?;
    let above = panel.scroll_top();
    let below = panel.scroll_height() - panel.client_height() - above;
    // Heights are rounded: one pixel is none.
    (if way > 0 { below } else { above } > 1).then_some(panel)
}

#[inline(never)]
fn closest(event: &Event, selector: &str) -> Option<Element> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok().flatten()
}
