//! The player as views see it: signals, and what a person can ask for. The two elements that it
//! owns live in `player/pool.rs`; views never touch them.

mod controls;
mod frames;
mod hls;
mod pool;
mod slot;

use std::{rc::Rc, sync::Arc};

use leptos::prelude::*;
use web_sys::HtmlElement;

pub(crate) use self::controls::{
    Failure, FullScreen, Hear, Leader, RestLine, Run, Sound, clock, controls,
};
use self::pool::Pool;
use crate::{catalog::Media, dom::Held};

/// What the picture is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No moving picture yet, or no longer.
    Waiting,
    /// The picture moves, or is paused by a person.
    Playing,
    /// It was given up.
    Failed(Cause),
}

/// Why the picture does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The server did not send it.
    Network,
    /// It was sent and cannot be decoded.
    Media,
    /// This browser knows no way to play it.
    Unsupported,
}

/// Seconds without any progress after which a reel is given up.
pub const PATIENCE_S: u32 = 8;

/// The player; a cheap handle.
#[derive(Clone, Copy)]
pub struct Player {
    /// What the picture is doing.
    pub phase: RwSignal<Phase>,
    /// Seconds until a waiting reel is given up.
    pub patience_s: RwSignal<u32>,
    /// A person has paused it.
    pub paused: RwSignal<bool>,
    /// Without sound.
    pub muted: RwSignal<bool>,
    /// The playhead, in seconds.
    pub time_s: RwSignal<f64>,
    /// Length in seconds, as the element knows it.
    pub duration_s: RwSignal<Option<f64>>,
    /// Counts reels that came to their end without looping.
    pub ended: RwSignal<u32>,
    pool: Held<Rc<Pool>>,
}

impl Player {
    /// A player without elements: they are made in the browser by [`Player::wake`].
    pub fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Waiting),
            patience_s: RwSignal::new(PATIENCE_S),
            paused: RwSignal::new(false),
            muted: RwSignal::new(true),
            time_s: RwSignal::new(0.0),
            duration_s: RwSignal::new(None),
            ended: RwSignal::new(0),
            pool: Held::new(),
        }
    }

    /// Makes the two elements. Called in the browser, once.
    pub fn wake(&self) {
        if let Some(pool) = Pool::new(*self) {
            self.pool.set(pool);
        }
    }

    /// Destroys what it holds.
    pub fn sleep(&self) {
        drop(self.pool.take());
    }

    /// Plays a reel inside `picture`. Everything that must happen before the next frame happens
    /// before this returns.
    pub fn show(&self, media: &Arc<Media>, picture: &HtmlElement) {
        if let Some(pool) = self.pool.get() {
            pool.show(media, picture);
        }
    }

    /// Whether a reel is prepared so far that showing it costs nothing.
    pub fn is_warm(&self, media: &Media) -> bool {
        self.pool.get().is_some_and(|pool| pool.is_warm(media))
    }

    /// The reel on screen is left and the next one is not known yet.
    pub fn leave(&self) {
        if let Some(pool) = self.pool.get() {
            pool.leave_and_wait();
        }
    }

    /// Prepares a reel that may come next.
    pub fn warm(&self, media: &Arc<Media>) {
        if let Some(pool) = self.pool.get() {
            pool.warm(media);
        }
    }

    /// A finger drags towards a reel: its clock starts, so that it runs when the finger lifts.
    pub fn run_up(&self, media: &Arc<Media>) {
        if let Some(pool) = self.pool.get() {
            pool.run_up(media);
        }
    }

    /// The finger went back.
    pub fn step_back(&self) {
        if let Some(pool) = self.pool.get() {
            pool.step_back();
        }
    }

    /// Calls `then` when the reel on screen has presented two frames, so that nothing that can wait
    /// competes with it.
    pub fn when_moving(&self, then: impl FnOnce() + 'static) {
        if let Some(pool) = self.pool.get() {
            pool.when_moving(Box::new(then));
        }
    }

    /// Pauses or goes on.
    pub fn toggle(&self) {
        if let Some(pool) = self.pool.get() {
            pool.pause(!self.paused.get_untracked());
        }
    }

    /// Switches the sound.
    pub fn toggle_sound(&self) {
        if let Some(pool) = self.pool.get() {
            pool.mute(!self.muted.get_untracked());
        }
    }

    /// The playlist has another version.
    fn reload(&self) {
        if let Some(pool) = self.pool.get() {
            pool.reload();
        }
    }

    /// Nothing came for too long.
    fn give_up(&self) {
        if let Some(pool) = self.pool.get() {
            pool.fail(Cause::Network);
        }
    }

    /// Goes to a second of the reel.
    pub fn seek(&self, seconds: f64) {
        if let Some(pool) = self.pool.get() {
            pool.seek(seconds);
        }
    }

    /// Tries a failed reel again, from the start of its playlist.
    pub fn retry(&self) {
        if let Some(pool) = self.pool.get() {
            pool.retry();
        }
    }
}

impl Default for Player {
    fn default() -> Self {
        Self::new()
    }
}
