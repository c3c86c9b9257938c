//! What is prepared beside the reel on screen: the neighbour in the direction of travel on the spare
//! element, those after it as playlists, and nothing that would starve the reel on screen.

use std::{rc::Weak, sync::Arc};

use leptos::prelude::*;
use web_sys::EventTarget;

use super::{
    super::{
        Phase,
        hls::{AHEAD_FIRST_S, AHEAD_S, AHEAD_SLOW_S, AHEAD_SPARE_S, Binding, LoadOptions},
        playback::Event,
        playlist_prefetch,
    },
    Pool,
};
use crate::{
    catalog::Media,
    dom::{Listener, get},
};

/// The reel on screen has this many seconds in its buffer, or all of it, before a neighbour is
/// preloaded: that never starves it.
const AHEAD_BEFORE_PRELOAD_S: f64 = 4.0;
/// On a network that carries both with ease, the neighbour is preloaded as soon as the picture moves.
const AHEAD_ON_A_FAST_NETWORK_S: f64 = 0.5;
/// Such a network carries so many bits a second; while it carries two, each sees half of it.
const FAST_NETWORK: f64 = 2e6;
/// With less than so many seconds left, the reel on screen has the network to itself again.
const AHEAD_IN_NEED_S: f64 = 0.4;

impl Pool {
    /// Prepares a reel that may come next, when the one on screen can spare the network.
    pub(crate) fn preload(&self, media: &Arc<Media>) {
        if self.current().holds(media) {
            return;
        }
        *self.wanted.borrow_mut() = Some(Arc::clone(media));
        self.preload_wanted();
    }

    pub(super) fn preload_wanted(&self) {
        let current = self.current();
        let moving =
            current.frames.seen() >= 2 || self.player.phase.get_untracked() == Phase::Playing;
        let enough =
            if self.network_is_fast() { AHEAD_ON_A_FAST_NETWORK_S } else { AHEAD_BEFORE_PRELOAD_S };
        let fed = current.is_whole() || current.ahead_s() >= enough;
        // A browser may present two frames of what it refuses to play; it would refuse the neighbour
        // too.
        if self.saves_data || !moving || !fed || self.player.needs_tap() {
            return;
        }
        if let Some(media) = self.wanted.take() {
            self.load_spare(&media);
        }
    }

    fn load_spare(&self, media: &Arc<Media>) {
        let spare = self.spare();
        if spare.holds(media) {
            spare.with_binding(Binding::go_on);
            if spare.is_ready() && !spare.has_run_up() {
                spare.run_up();
            }
            self.feed_current();
            return;
        }
        // A detached element has no size of its own: the level is chosen for where it will stand.
        if let Some(picture) = &*self.picture.borrow() {
            spare.video.set_width(u32::try_from(picture.client_width()).unwrap_or(0));
            spare.video.set_height(u32::try_from(picture.client_height()).unwrap_or(0));
        }
        spare.load(media, self.load_options(media, AHEAD_SPARE_S, self.resume.of(media)));
    }

    /// Whether the network has carried enough for two lately, and nothing has stalled since.
    fn network_is_fast(&self) -> bool {
        let mut estimate = 0.0;
        self.current().with_binding(|binding| estimate = binding.estimate());
        !self.stalled.get() && estimate >= FAST_NETWORK
    }

    /// Ours comes first: a neighbour that still loads is stopped before the reel on screen runs dry.
    pub(super) fn keep_fed(&self) {
        let current = self.current();
        if current.ahead_s() < AHEAD_IN_NEED_S && !current.is_whole() {
            self.give_way();
        }
    }

    /// The network is for the reel on screen; the neighbour goes on when that one can spare it again.
    pub(super) fn give_way(&self) {
        let spare = self.spare();
        let Some(media) = spare.media().filter(|_| spare.is_loading()) else { return };
        if !spare.has_run_up() && self.wanted.borrow().is_none() {
            *self.wanted.borrow_mut() = Some(media);
        }
        spare.give_way();
        self.stalled.set(true);
    }

    /// Seconds that the reel on screen holds while a neighbour is preloaded.
    pub(super) fn ahead_first_s(&self) -> f64 {
        if self.network_is_fast() { AHEAD_FIRST_S } else { AHEAD_SLOW_S }
    }

    /// Fetches the playlists of reels that may come after the preloaded one.
    pub(crate) fn prefetch_playlists(&self, reels: &[Arc<Media>]) {
        if !self.saves_data {
            playlist_prefetch::prefetch(reels);
        }
    }

    pub(super) fn feed_current(&self) {
        self.current().with_binding(|binding| binding.hold_ahead(AHEAD_S));
    }

    pub(super) fn load_options(
        &self,
        media: &Media,
        ahead_s: f64,
        from_s: Option<f64>,
    ) -> LoadOptions {
        LoadOptions { ahead_s, from_s, duration_s: media.duration_s }
    }

    /// A finger drags towards `media`.
    pub(crate) fn run_up(&self, media: &Arc<Media>) {
        if self.saves_data || self.current().holds(media) {
            return;
        }
        self.wanted.take();
        let spare = self.spare();
        if !spare.holds(media) {
            self.load_spare(media);
        } else if spare.is_ready() {
            spare.run_while_dragged();
        }
    }

    /// The finger went back.
    pub(crate) fn step_back(&self) {
        if self.spare().has_run_up() {
            self.spare().stand_ready();
        }
    }
}

/// Remembers where a reel stands when its page is left, because a phone may never come back to it; plays
/// on when it does; and tries again at once when the network is back.
pub(super) fn when_left(pool: &Weak<Pool>) -> Vec<Listener> {
    let on = |target: &EventTarget, event| {
        let weak = pool.clone();
        Listener::new(target, event, move |_| {
            if let Some(pool) = weak.upgrade() {
                pool.note_position();
            }
        })
    };
    let weak = pool.clone();
    let back = Listener::new(&window(), "online", move |_| {
        if let Some(pool) = weak.upgrade() {
            pool.dispatch(Event::Online);
        }
    });
    let again = |target: &EventTarget, event| {
        let weak = pool.clone();
        Listener::new(target, event, move |_| {
            if let Some(pool) = weak.upgrade() {
                pool.seen();
            }
        })
    };
    vec![
        on(&window(), "pagehide"),
        on(&document(), "visibilitychange"),
        again(&window(), "pageshow"),
        again(&document(), "visibilitychange"),
        back,
    ]
}

/// Whether the person, the network or little memory asks to save: then nothing is preloaded, and the pool
/// is one.
pub(super) fn saves_data() -> bool {
    let memory = get(&window().navigator(), "deviceMemory").as_f64();
    if memory.is_some_and(|gibibytes| gibibytes < 1.0) {
        return true;
    }
    let connection = get(&window().navigator(), "connection");
    get(&connection, "saveData").is_truthy()
        || get(&connection, "effectiveType").as_string().is_some_and(|kind| kind.ends_with("2g"))
}
