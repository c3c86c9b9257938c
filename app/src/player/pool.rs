//! The pool of two elements: one in the document, inside the active article, the other detached and
//! run up on the neighbour. Both are made once and kept for life.

mod preferences;
mod preload;
mod recovery;
mod slot_events;

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    sync::Arc,
};

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use super::{
    Phase, Player,
    early::{self, EarlyPlayback},
    measure::Measure,
    playback::{Event, Playback},
    resume::ResumePositions,
    slot::{self, Slot},
};
use crate::{
    catalog::{Kind, Media},
    dom::{Listener, Timer},
};

/// See the module.
pub(crate) struct Pool {
    player: Player,
    slots: [Rc<Slot>; 2],
    active: Cell<usize>,
    picture: RefCell<Option<HtmlElement>>,
    last_frame: HtmlCanvasElement,
    wanted: RefCell<Option<Arc<Media>>>,
    when_moving: RefCell<Option<Box<dyn FnOnce()>>>,
    /// What the reel on screen does; see there.
    playback: RefCell<Playback>,
    /// What has happened and was not dealt with yet.
    events: RefCell<Vec<Event>>,
    busy: Cell<bool>,
    /// Counts seconds while something is waited for or watched.
    clock: RefCell<Option<Rc<Timer>>>,
    weak: Weak<Self>,
    reloaded_ms: Cell<f64>,
    later: RefCell<Option<Timer>>,
    reloads: Cell<u32>,
    #[expect(dead_code, reason = "listens while it is held")]
    leaving: Vec<Listener>,
    /// What is measured for the pulse.
    pub(crate) measure: Rc<Measure>,
    resume: ResumePositions,
    /// The reel on screen has waited for data: nothing is preloaded beside it too early.
    stalled: Cell<bool>,
    speed: Cell<f64>,
    saves_data: bool,
    /// What played before the page's WASM was there, until it is taken over.
    early: RefCell<Option<EarlyPlayback>>,
}

impl Pool {
    /// Makes both elements; `None` where the browser refuses.
    pub(crate) fn new(player: Player) -> Option<Rc<Self>> {
        let last_frame: HtmlCanvasElement =
            document().create_element("canvas").ok()?.dyn_into().ok()?;
        last_frame.set_class_name("last-frame");
        let early = early::take();
        let first = early.as_ref().map(EarlyPlayback::video);
        if let Some(first) = &first {
            slot::prepare(first)?;
        }
        let videos = [first.or_else(slot::element)?, slot::element()?];
        Some(Rc::new_cyclic(|weak: &Weak<Self>| {
            let mut n = 0;
            let slots = videos.map(|video| {
                let (weak, own) = (weak.clone(), n);
                n += 1;
                Slot::new(
                    video,
                    Rc::new(move |event| {
                        if let Some(pool) = weak.upgrade() {
                            pool.on_slot_event(own, event);
                        }
                    }),
                )
            });
            Self {
                player,
                slots,
                active: Cell::new(0),
                picture: RefCell::default(),
                last_frame,
                wanted: RefCell::default(),
                when_moving: RefCell::default(),
                playback: RefCell::new(Playback::new(document().hidden())),
                events: RefCell::default(),
                busy: Cell::new(false),
                clock: RefCell::default(),
                weak: weak.clone(),
                reloaded_ms: Cell::new(f64::NEG_INFINITY),
                later: RefCell::default(),
                reloads: Cell::new(0),
                leaving: preload::when_left(weak),
                measure: Measure::begin(),
                resume: ResumePositions::recall(),
                stalled: Cell::new(false),
                speed: Cell::new(1.0),
                saves_data: preload::saves_data(),
                early: RefCell::new(early),
            }
        }))
    }

    fn current(&self) -> &Rc<Slot> {
        &self.slots[self.active.get()]
    }

    fn spare(&self) -> &Rc<Slot> {
        &self.slots[1 - self.active.get()]
    }

    /// Plays a reel inside `picture`: the hand-over, all in one turn.
    pub(crate) fn show(&self, media: &Arc<Media>, picture: &HtmlElement) {
        let here = self.picture.borrow().as_ref() == Some(picture);
        if here && self.current().holds(media) {
            return;
        }
        self.leave();
        let left = self.active.get();
        // First out, then in: there are never two in the document.
        self.current().video.remove();
        if !self.current().holds(media) {
            self.note_position();
            if !self.saves_data {
                self.active.set(1 - left);
            }
            if !self.current().holds(media) {
                self.current().load(
                    media,
                    self.load_options(media, self.ahead_first_s(), self.resume.of(media)),
                );
            }
        }
        let (now, before) = (self.current(), self.spare());
        let _ = picture.append_child(&now.video);
        *self.picture.borrow_mut() = Some(picture.clone());
        now.video.set_muted(self.player.muted.get_untracked());
        now.with_binding(|binding| {
            binding.hold_ahead(self.ahead_first_s());
            binding.go_on();
        });
        now.frames.restart();
        now.video.set_playback_rate(self.speed.get());
        self.wanted.take();
        self.later.take();
        self.reloads.set(0);
        self.stalled.set(false);
        self.dispatch(Event::Shown {
            ready: now.is_ready(),
            audio: media.kind == Kind::Audio,
            live: media.live,
        });
        self.move_pip(now, before);
        before.pause();
        before.with_binding(super::hls::Binding::keep_estimate);
        before.stop_loading();
        if !now.is_ready() {
            before.leave_network();
        }
        self.tell_all();
    }

    /// Views learn of the reel on screen, and it of what is preferred for every reel.
    fn tell_all(&self) {
        self.player.time_s.set(self.current().video.current_time());
        self.tell_duration();
        self.tell_levels();
        self.keep_level();
        self.caption();
        self.loop_as_preferred();
    }

    /// Takes over what plays already in `picture`: the reel that the page came with. Nothing of it
    /// stops.
    pub(crate) fn adopt(&self, media: &Arc<Media>, picture: &HtmlElement) {
        let Some(early) = self.early.take() else { return };
        let current = self.current();
        *self.picture.borrow_mut() = Some(picture.clone());
        let options = self.load_options(media, self.ahead_first_s(), self.resume.of(media));
        current.adopt(media, options, &early);
        self.dispatch(Event::Shown {
            ready: current.is_ready(),
            audio: media.kind == Kind::Audio,
            live: media.live,
        });
        if early.frames() >= 2 {
            self.measure.has_opened(early.moved());
        }
        current.catch_up(&early);
        self.tell_all();
    }

    /// Whether the spare holds this reel and knows its first picture.
    pub(crate) fn is_preloaded(&self, media: &Media) -> bool {
        let spare = self.spare();
        spare.holds(media) && spare.is_ready()
    }

    /// Takes the element out of the document: reels are passed too fast to be loaded.
    pub(crate) fn leave_and_wait(&self) {
        self.leave();
        let current = self.current();
        current.pause();
        current.video.remove();
        for slot in &self.slots {
            slot.stop_loading();
        }
        self.dispatch(Event::Left);
    }

    /// Leaves the last picture behind in the article that the element leaves.
    fn leave(&self) {
        self.when_moving.take();
        let slot = self.current();
        slot.frames.stop();
        let Some(picture) = self.picture.take() else { return };
        let (width, height) = (slot.video.video_width() / 2, slot.video.video_height() / 2);
        if slot.frames.seen() == 0 || width == 0 {
            self.last_frame.remove();
            return;
        }
        if self.last_frame.width() != width || self.last_frame.height() != height {
            self.last_frame.set_width(width);
            self.last_frame.set_height(height);
        }
        let context = self.last_frame.get_context("2d").ok().flatten();
        if let Some(context) = context.and_then(|c| c.dyn_into::<CanvasRenderingContext2d>().ok()) {
            let drawn = context.draw_image_with_html_video_element_and_dw_and_dh(
                &slot.video,
                0.0,
                0.0,
                width.into(),
                height.into(),
            );
            if drawn.is_ok() {
                let _ = picture.append_child(&self.last_frame);
            }
        }
    }

    /// Remembers where the reel on screen is left.
    pub(crate) fn note_position(&self) {
        if let Some(media) = self.current().media() {
            self.resume.left(&media, self.current().video.current_time());
        }
    }

    /// Calls `then` once the reel on screen moves.
    pub(crate) fn when_moving(&self, then: Box<dyn FnOnce()>) {
        if self.current().frames.seen() >= 2 || self.player.phase.get_untracked() == Phase::Playing
        {
            then();
        } else {
            *self.when_moving.borrow_mut() = Some(then);
        }
    }

    /// Switches the sound on both elements: permission is per element, and only a gesture gives it.
    pub(crate) fn mute(&self, muted: bool) {
        self.player.muted.set(muted);
        for slot in &self.slots {
            slot.video.set_muted(muted);
        }
        if self.spare().video.paused() {
            return;
        }
        // A spare that runs is in no document and stays silent.
        self.spare().video.set_muted(true);
    }

    /// Goes to a second of the reel.
    pub(crate) fn seek(&self, seconds: f64) {
        self.current().video.set_current_time(seconds.max(0.0));
        self.player.time_s.set(seconds.max(0.0));
    }

    /// The picture moves.
    fn moves(&self) {
        if self.is_audio()
            && let Some(then) = self.when_moving.take()
        {
            then();
        }
        self.preload_wanted();
    }

    fn is_audio(&self) -> bool {
        self.current().media().is_some_and(|media| media.kind == Kind::Audio)
    }

    fn tell_duration(&self) {
        let current = self.current();
        let media = current.media();
        let duration = current.video.duration();
        let known = if media.as_ref().is_some_and(|media| media.live) {
            None
        } else if duration.is_finite() && duration > 0.0 {
            // A buffer that was ended, because one track is shorter, ends for a while where it is.
            let told_s = media.and_then(|media| media.duration_s).unwrap_or(0.0);
            Some(duration.max(told_s))
        } else {
            media.and_then(|media| media.duration_s)
        };
        if self.player.duration_s.get_untracked() != known {
            self.player.duration_s.set(known);
        }
    }
}
