//! The feed's controller: fingers, wheel and keys move the strip, and the player follows. Everything that
//! a lift needs happens in the lift's own handler; the rest waits until the strip has settled.

mod input;

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use self::input::Under;
use super::{
    controls_visibility::ControlsVisibility,
    feed::{
        Feed,
        state::{Command, Event},
    },
    gesture::{Gesture, TapRecognizer},
    motion::Motion,
    pan::Track,
    wheel::Wheel,
};
use crate::{
    catalog::Anchor,
    dom::{Listener, Timer, now_ms, zoomed},
    help::Keyboard,
    part::{Part, parts},
    player::Player,
};

parts! {
    mod parts in "main" {
        FEED: ".feed",
        STRIP: ".strip",
    }
}

/// A passed reel is loaded after it stayed so long.
const DWELL_MS: i32 = 110;
/// The playlists of so many reels are known ahead, the neighbour's included.
const PLAYLISTS_AHEAD: i32 = 3;

/// Does what is asked and moves no strip.
type Doer = Box<dyn Fn(Gesture)>;

/// See the module.
pub(crate) struct FeedController {
    feed: Feed,
    player: Player,
    visibility: ControlsVisibility,
    keyboard: Keyboard,
    element: HtmlElement,
    motion: Motion,
    taps: TapRecognizer,
    does: RefCell<Option<Doer>>,
    /// The pointer that is down, what it does, and what it went down on.
    track: RefCell<Option<(i32, Track, Under)>>,
    wheel: RefCell<Wheel>,
    dwell: RefCell<Option<Timer>>,
    listeners: RefCell<Vec<Listener>>,
}

impl FeedController {
    /// Knows the feed of this room; [`FeedController::begin`] takes it over.
    pub(crate) fn new(
        feed: Feed,
        player: Player,
        visibility: ControlsVisibility,
        keyboard: Keyboard,
        room: &Part,
    ) -> Rc<Self> {
        let element: HtmlElement = room.find(parts::FEED).of::<HtmlElement>().clone();
        let strip = room.find(parts::STRIP).of::<HtmlElement>().clone();
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let (settled, tells) = (weak.clone(), weak.clone());
            let motion = Motion::new(element.clone(), strip, move || {
                if let Some(controller) = settled.upgrade() {
                    controller.feed.dispatch(Event::Settled);
                }
            });
            Self {
                feed,
                player,
                visibility,
                keyboard,
                element,
                motion,
                taps: TapRecognizer::new(move |gesture| {
                    if let Some(controller) = tells.upgrade() {
                        controller.tell(gesture);
                    }
                }),
                does: RefCell::default(),
                track: RefCell::default(),
                wheel: RefCell::default(),
                dwell: RefCell::default(),
                listeners: RefCell::default(),
            }
        })
    }

    /// Calls `does` for what is asked and moves no strip.
    pub(crate) fn on_gesture(&self, does: impl Fn(Gesture) + 'static) {
        *self.does.borrow_mut() = Some(Box::new(does));
    }

    fn tell(&self, gesture: Gesture) {
        if let Some(does) = &*self.does.borrow() {
            does(gesture);
        }
    }

    /// Shows for a moment what lies below; `false` where the strip is on its way or there is nothing.
    pub(crate) fn peek(&self) -> bool {
        let over = document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some());
        let still = self.track.borrow().is_none()
            && !self.visibility.moving.get_untracked()
            && !self.visibility.held.get_untracked()
            && !self.visibility.controls.get_untracked()
            && !over;
        let peeks = still && self.neighbour(1).is_some();
        if peeks {
            self.motion.peek();
        }
        peeks
    }

    /// The strip comes back, where it still peeks and nothing else has taken hold of it.
    pub(crate) fn peek_no_more(&self) {
        if self.motion.slides() && !self.visibility.moving.get_untracked() {
            self.spring_back();
        }
    }

    /// Takes the feed over from the native scroller, at the same place, and plays.
    pub(crate) fn begin(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.feed.on_command(move |command| {
            if let Some(controller) = weak.upgrade() {
                controller.perform(command);
            }
        });
        let scrolled = scrolled_to(&self.element);
        self.listen();
        if let Some(media) = self.feed.media_at(self.feed.active_now())
            && let Some(picture) = self.picture(media.id.as_str())
        {
            self.player.adopt(&media, &picture);
        }
        if let Some(place) = scrolled.and_then(|id| self.feed.place_of(&id)) {
            self.feed.dispatch(Event::Scrolled(place));
        }
        let _ = self.element.set_attribute("data-hydrated", "");
        self.element.set_scroll_top(0);
        self.motion.place(self.feed.steps());
        self.present();
        self.preload_next();
    }

    fn listen(self: &Rc<Self>) {
        let on = |target: &web_sys::EventTarget,
                  event: &'static str,
                  f: fn(&Rc<Self>, web_sys::Event)| {
            let weak = Rc::downgrade(self);
            Listener::new(target, event, move |e| {
                if let Some(controller) = weak.upgrade() {
                    f(&controller, e);
                }
            })
        };
        let taking = |target: &web_sys::EventTarget,
                      event: &'static str,
                      f: fn(&Rc<Self>, web_sys::Event)| {
            let weak = Rc::downgrade(self);
            Listener::active(target, event, move |e| {
                if let Some(controller) = weak.upgrade() {
                    f(&controller, e);
                }
            })
        };
        let document = document();
        // Also over the controls.
        let room = self.element.parent_element().unwrap_or_else(|| self.element.clone().into());
        *self.listeners.borrow_mut() = vec![
            on(&self.element, "pointerdown", |controller, e| {
                controller.pointer_down(&e.unchecked_into())
            }),
            on(&document, "pointermove", |controller, e| {
                controller.pointer_moved(&e.unchecked_into())
            }),
            on(&document, "pointerup", |controller, e| controller.pointer_up(&e.unchecked_into())),
            on(&document, "pointercancel", |controller, e| {
                controller.pointer_lost(&e.unchecked_into())
            }),
            taking(&room, "wheel", |controller, e| controller.wheel_turned(&e.unchecked_into())),
            taking(&document, "keydown", |controller, e| {
                controller.key_pressed(&e.unchecked_into())
            }),
            on(&self.element, "focusin", |controller, e| {
                controller.focus_entered(&e.unchecked_into())
            }),
            on(&window(), "resize", |controller, _| controller.resized()),
            taking(&self.element, "dragstart", |_, e| e.prevent_default()),
        ];
        if let Some(viewport) = window().visual_viewport() {
            // Before the next finger is down the browser must know whose its way is.
            let follows = on(&viewport, "resize", |controller, _| {
                let _ = controller.element.toggle_attribute_with_force("data-zoomed", zoomed());
            });
            self.listeners.borrow_mut().push(follows);
        }
    }

    // Moving

    /// The strip stands anew; what was on its way has arrived.
    fn resized(self: &Rc<Self>) {
        self.motion.place(self.feed.steps());
        if self.visibility.moving.get_untracked() {
            self.feed.dispatch(Event::Settled);
        }
    }

    /// One reel on or back.
    pub(crate) fn step(&self, by: i32) {
        self.feed.dispatch(Event::Step { by, ms: now_ms() });
    }

    /// To a place of the whole list.
    pub(crate) fn go_to(&self, anchor: Anchor) {
        self.feed.dispatch(Event::GoTo { anchor, ms: now_ms() });
    }

    fn perform(self: &Rc<Self>, command: Command) {
        match command {
            Command::Show { passing } => self.show(passing),
            Command::Slide => self.motion.slide(self.feed.steps()),
            Command::Place => self.motion.place(self.feed.steps()),
            Command::Rest => self.rest(),
            // The feed does these itself.
            Command::Changed(_) | Command::Ask { .. } | Command::Leave => {}
        }
    }

    /// The player goes to the reel that is the active one now: at once, or, where reels are passed too
    /// fast to be loaded, when it has stayed.
    fn show(self: &Rc<Self>, passing: bool) {
        self.player.lifted();
        self.player.menu.set(false);
        self.player.scrubbing.set(false);
        self.dwell.take();
        if let Some(media) = self.feed.media_at(self.feed.active_now()) {
            match self.picture(media.id.as_str()) {
                Some(picture) if !passing || self.player.is_preloaded(&media) => {
                    self.player.show(&media, &picture);
                    self.preload_next();
                }
                picture => {
                    self.player.leave();
                    self.present_after(if picture.is_some() { DWELL_MS } else { 0 });
                }
            }
        }
        self.visibility.started();
    }

    /// The picture of a channel's article, if it has one in the document. Ids hold no quotes and no
    /// backslashes, so they can stand in a selector.
    fn picture(&self, id: &str) -> Option<HtmlElement> {
        self.element
            .query_selector(&format!("[data-channel=\"{id}\"] .picture"))
            .ok()
            .flatten()
            .and_then(|element| element.dyn_into().ok())
    }

    /// Puts the player where the active reel is.
    pub(crate) fn present(self: &Rc<Self>) {
        let Some(media) = self.feed.media_at(self.feed.active_now()) else { return };
        match self.picture(media.id.as_str()) {
            Some(picture) => {
                self.player.show(&media, &picture);
                self.preload_next();
            }
            // In the next frame, when the articles have followed.
            None => self.present_after(0),
        }
    }

    fn present_after(self: &Rc<Self>, ms: i32) {
        let weak = Rc::downgrade(self);
        *self.dwell.borrow_mut() = Some(Timer::once(ms, move || {
            if let Some(controller) = weak.upgrade() {
                controller.present();
            }
        }));
    }

    /// The strip rests.
    fn rest(self: &Rc<Self>) {
        if let Some(media) = self.feed.media_at(self.feed.active_now()) {
            document().set_title(&format!("{} · Carrete", media.title));
        }
        self.tell_address();
        self.visibility.arrived();
        self.take_focus_along();
        self.preload_next();
        self.prefetch_playlists();
    }

    /// The address of the page is that of the reel on screen.
    pub(crate) fn tell_address(&self) {
        let Some(media) = self.feed.media_at(self.feed.active_now()) else { return };
        let address = media.id.page() + &remembered_apart();
        if let Ok(history) = window().history() {
            let state = history.state().unwrap_or(JsValue::NULL);
            let _ = history.replace_state_with_url(&state, "", Some(&address));
        }
    }

    /// Who was on an article by keyboard is on the active one now.
    fn take_focus_along(&self) {
        let focused = document().active_element();
        if !focused.is_some_and(|element| element.matches("article").unwrap_or(false)) {
            return;
        }
        let active = self.element.query_selector("article[aria-current]").ok().flatten();
        if let Some(active) = active.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let _ = active.focus();
        }
    }

    /// Prepares the neighbour in the direction of travel, when the reel on screen moves.
    fn preload_next(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.player.when_moving(move || {
            if let Some(controller) = weak.upgrade() {
                let travel = controller.feed.now(|state| state.travel);
                if let Some(media) =
                    controller.neighbour(travel).or_else(|| controller.neighbour(-travel))
                {
                    controller.player.preload(&media);
                }
            }
        });
    }

    /// Those after the neighbour come as playlists only.
    fn prefetch_playlists(&self) {
        let way = self.feed.now(|state| state.travel);
        let ahead: Vec<_> = (2..=PLAYLISTS_AHEAD).filter_map(|n| self.neighbour(way * n)).collect();
        self.player.prefetch_playlists(&ahead);
    }

    fn neighbour(&self, way: i32) -> Option<std::sync::Arc<crate::catalog::Media>> {
        let place = self.feed.active_now().cast_signed() + way;
        u32::try_from(place).ok().and_then(|place| self.feed.media_at(place))
    }
}

/// The query of the address without what a cookie remembers: a copied address forces it on nobody.
fn remembered_apart() -> String {
    let search = window().location().search().unwrap_or_default();
    let mut kept = String::new();
    for pair in search.trim_start_matches('?').split('&') {
        let name = pair.split('=').next().unwrap_or_default();
        if !matches!(name, "" | "lang" | "order" | "theme") {
            kept.push(if kept.is_empty() { '?' } else { '&' });
            kept.push_str(pair);
        }
    }
    kept
}

/// Which article the native scroller stands at, if somebody scrolled before hydration.
fn scrolled_to(element: &HtmlElement) -> Option<String> {
    if element.scroll_top() <= 0 {
        return None;
    }
    let middle = element.get_bounding_client_rect();
    let (x, y) = (middle.x() + middle.width() / 2.0, middle.y() + middle.height() / 2.0);
    let at = document().element_from_point(x as f32, y as f32)?;
    at.closest("article").ok().flatten()?.get_attribute("data-channel")
}
