//! The player as views see it: signals, and what a person can ask for. The two elements that it
//! owns live in `player/pool.rs`; views never touch them.

mod captions;
mod controls;
pub mod early;
mod failure;
mod frames;
mod hls;
mod measure;
mod media_session;
mod menu;
mod pip;
mod play_overlay;
mod playback;
mod playlist_prefetch;
mod pool;
mod resume;
mod slot;
mod text_tracks;
mod waveform;

use std::{rc::Rc, sync::Arc};

use web_sys::HtmlElement;

pub(crate) use self::{
    captions::{Caption, CaptionsButton},
    controls::{FullScreen, MiniProgress, SeekBar, Sound, UnmutePrompt, clock, controls},
    early::{ELEMENT as EARLY_ELEMENT, EarlyRequest},
    failure::{BufferingIndicator, Failure, failure},
    media_session::media_session,
    menu::{Level, Menu, MenuButton},
    play_overlay::PlayOverlay,
    waveform::SoundTrack,
};
use self::{
    playback::{By, Event},
    pool::Pool,
};
use crate::{
    catalog::Media,
    dom::{recall, remember},
    value::{Owned, Value},
};

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
    /// It is live, and sends nothing new; it goes on by itself when it does.
    Resting,
}

/// Why the large play button shows: the reel is to play, does not, and nobody in the page asked for
/// that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// The browser starts nothing unless the page is touched.
    Tap,
    /// Something outside the page has paused it.
    Outside,
}

const SOUND_KEY: &str = "carrete.sound";
const CAPTIONS_KEY: &str = "carrete.captions";
const LOOPS_KEY: &str = "carrete.loops";
const GOES_ON_KEY: &str = "carrete.goes-on";
const ON: &str = "on";
const OFF: &str = "off";

/// Seconds without any progress after which a reel is given up.
pub const PATIENCE_S: u32 = 8;

/// The player; a cheap handle.
#[derive(Clone, Copy)]
pub struct Player {
    /// What the picture is doing.
    pub phase: Value<Phase>,
    /// Seconds until a reel that failed is tried again by itself; 0 where it is not.
    pub retry_s: Value<u32>,
    /// Seconds until a waiting reel is given up.
    pub patience_s: Value<u32>,
    /// It stands, whoever wants that.
    pub paused: Value<bool>,
    /// Why it stands, where nobody in the page has asked for it.
    pub prompt: Value<Option<Prompt>>,
    /// Without sound.
    pub muted: Value<bool>,
    /// The playhead, in seconds.
    pub time_s: Value<f64>,
    /// Length in seconds, as the element knows it.
    pub duration_s: Value<Option<f64>>,
    /// Counts reels that came to their end without looping.
    pub ended: Value<u32>,
    /// Captions are wanted.
    pub captions: Value<bool>,
    /// The reel on screen has captions.
    pub has_captions: Value<bool>,
    /// What its captions say now.
    pub cue: Value<String>,
    /// Its qualities, best first: the height of the picture, and bits a second.
    pub levels: Value<Vec<(u32, u32)>>,
    /// Height of the picture that is shown, along its shorter side; 0 while it is not known.
    pub height: Value<u32>,
    /// The height that a person chose; `None` leaves it to the network.
    pub wanted_height: Value<Option<u32>>,
    /// Videos begin again at their end.
    pub loops: Value<bool>,
    /// Music goes on to the next at its end.
    pub goes_on: Value<bool>,
    /// The reel on screen plays for the last time.
    pub last_time: Value<bool>,
    /// The menu is open.
    pub menu: Value<bool>,
    /// A finger drags along the film edge.
    pub scrubbing: Value<bool>,
    pool: Owned<Rc<Pool>>,
}

impl Player {
    /// A player without elements: they are made in the browser by [`Player::start`].
    pub fn new() -> Self {
        Self {
            phase: Value::new(Phase::Waiting),
            retry_s: Value::new(0),
            patience_s: Value::new(PATIENCE_S),
            paused: Value::new(false),
            prompt: Value::new(None),
            muted: Value::new(true),
            time_s: Value::new(0.0),
            duration_s: Value::new(None),
            ended: Value::new(0),
            captions: Value::new(false),
            has_captions: Value::new(false),
            cue: Value::default(),
            levels: Value::default(),
            height: Value::new(0),
            wanted_height: Value::new(None),
            loops: Value::new(true),
            goes_on: Value::new(true),
            last_time: Value::new(false),
            menu: Value::new(false),
            scrubbing: Value::new(false),
            pool: Owned::new(),
        }
    }

    /// Makes the two elements. Called in the browser, once.
    pub fn start(&self) {
        let is = |key, word: &str| recall(key).as_deref() == Some(word);
        self.captions.set(is(CAPTIONS_KEY, ON));
        self.loops.set(!is(LOOPS_KEY, OFF));
        self.goes_on.set(!is(GOES_ON_KEY, OFF));
        if let Some(pool) = Pool::new(*self) {
            self.pool.set(pool);
        }
    }

    /// Destroys what it holds.
    pub fn stop(&self) {
        drop(self.pool.take());
    }

    /// Plays a reel inside `picture`. Everything that must happen before the next frame happens
    /// before this returns.
    pub fn show(&self, media: &Arc<Media>, picture: &HtmlElement) {
        self.with_pool(|pool| pool.show(media, picture));
    }

    /// Takes over what plays in `picture` since before the WASM was there, if it is this reel.
    pub fn adopt(&self, media: &Arc<Media>, picture: &HtmlElement) {
        self.with_pool(|pool| pool.adopt(media, picture));
    }

    /// Whether a reel is prepared so far that showing it costs nothing.
    pub fn is_preloaded(&self, media: &Media) -> bool {
        self.pool.get().is_some_and(|pool| pool.is_preloaded(media))
    }

    /// The reel on screen is left and the next one is not known yet.
    pub fn leave(&self) {
        self.with_pool(|pool| pool.leave_and_wait());
    }

    /// Prepares a reel that may come next.
    pub fn preload(&self, media: &Arc<Media>) {
        self.with_pool(|pool| pool.preload(media));
    }

    /// Reels that may come after the preloaded one: their playlists are fetched.
    pub fn prefetch_playlists(&self, reels: &[Arc<Media>]) {
        self.with_pool(|pool| pool.prefetch_playlists(reels));
    }

    /// A finger drags towards a reel: its clock starts, so that it runs when the finger lifts.
    pub fn run_up(&self, media: &Arc<Media>) {
        self.with_pool(|pool| pool.run_up(media));
    }

    /// The finger went back.
    pub fn step_back(&self) {
        self.with_pool(|pool| pool.step_back());
    }

    /// Calls `then` when the reel on screen has presented two frames, so that nothing that can wait
    /// competes with it.
    pub fn when_moving(&self, then: impl FnOnce() + 'static) {
        self.with_pool(|pool| pool.when_moving(Box::new(then)));
    }

    /// Switches captions, here and in every reel to come.
    pub fn toggle_captions(&self) {
        let on = !self.captions.get_untracked();
        self.captions.set(on);
        remember(CAPTIONS_KEY, if on { ON } else { OFF });
        self.with_pool(Pool::caption);
    }

    /// Plays so many times as fast.
    pub fn set_speed(&self, speed: f64) {
        self.with_pool(|pool| pool.set_speed(speed));
    }

    /// Twice as fast while a finger holds.
    pub fn hold(&self, fast: bool) {
        self.with_pool(|pool| pool.hold(fast));
    }

    /// Chooses a quality by its height, or leaves it to the network.
    pub fn set_height(&self, height: Option<u32>) {
        self.wanted_height.set(height);
        self.with_pool(|pool| pool.choose_level(true));
    }

    /// Whether the reel on screen plays for the last time: then it goes on to the next at its end.
    pub fn set_last_time(&self, last: bool) {
        self.last_time.set(last);
        self.with_pool(Pool::loop_as_preferred);
    }

    /// Whether videos begin again at their end.
    pub fn set_loops(&self, on: bool) {
        self.loops.set(on);
        remember(LOOPS_KEY, if on { ON } else { OFF });
        self.with_pool(Pool::loop_as_preferred);
    }

    /// Whether music goes on to the next at its end.
    pub fn set_goes_on(&self, on: bool) {
        self.goes_on.set(on);
        remember(GOES_ON_KEY, if on { ON } else { OFF });
        self.with_pool(Pool::loop_as_preferred);
    }

    /// Into the small window beside others, or back.
    pub fn toggle_pip(&self) {
        self.with_pool(Pool::toggle_pip);
    }

    fn with_pool(&self, ask: impl FnOnce(&Pool)) {
        if let Some(pool) = self.pool.get() {
            ask(&pool);
        }
    }

    /// A gesture wants another reel: its time runs from now on.
    pub fn lifted(&self) {
        self.with_pool(|pool| pool.measure.lifted());
    }

    /// Pauses, or goes on.
    pub fn pause(&self, pause: bool) {
        self.dispatch(if pause { Event::Pause(By::Person) } else { Event::Play });
    }

    /// Pauses or goes on.
    pub fn toggle(&self) {
        self.pause(!self.paused.get_untracked());
    }

    /// Plays, in the turn of the gesture that asks for it; does nothing where it plays.
    pub fn play(&self) {
        self.dispatch(Event::Play);
    }

    /// A key of the device, or another window, stops it.
    pub fn pause_from_outside(&self) {
        self.dispatch(Event::Pause(By::Outside));
    }

    /// Whether the large play button shows: then a touch anywhere on the picture plays.
    pub fn is_prompted(&self) -> bool {
        self.prompt.get_untracked().is_some()
    }

    /// Whether the browser plays nothing before a person asks for it.
    pub(crate) fn needs_tap(&self) -> bool {
        self.prompt.get_untracked() == Some(Prompt::Tap)
    }

    fn dispatch(&self, event: Event) {
        self.with_pool(|pool| pool.dispatch(event));
    }

    /// A gesture is there: sound that was on at the last visit comes back with it.
    pub fn sound_as_remembered(&self) {
        if self.muted.get_untracked() && recall(SOUND_KEY).as_deref() == Some(ON) {
            self.with_pool(|pool| pool.mute(false));
        }
    }

    /// Switches the sound.
    pub fn toggle_sound(&self) {
        remember(SOUND_KEY, if self.muted.get_untracked() { ON } else { OFF });
        self.with_pool(|pool| pool.mute(!self.muted.get_untracked()));
    }

    /// Goes to a second of the reel.
    pub fn seek(&self, seconds: f64) {
        self.with_pool(|pool| pool.seek(seconds));
    }

    /// Tries a failed reel again, from the start of its playlist.
    pub fn retry(&self) {
        self.dispatch(Event::Retry);
    }
}

impl Default for Player {
    fn default() -> Self {
        Self::new()
    }
}
