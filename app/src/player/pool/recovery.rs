//! When the picture does not come: a playlist that has changed, another try, and giving up. What is
//! done when is decided in `player/playback.rs`.

use std::rc::Rc;

use leptos::prelude::document;

use super::{
    super::{
        Cause,
        hls::{self, AHEAD_FIRST_S, Binding},
        pip,
        playback::{Command, Event, step},
        playlist_prefetch,
    },
    Pool,
};
use crate::dom::{Timer, now_ms};

/// At most one reload of a playlist whose segments have gone in this time.
const RELOAD_EVERY_MS: f64 = 1500.0;
/// So many reloads of one reel, then it is given up.
const RELOADS: u32 = 6;
const SECOND_MS: i32 = 1000;

impl Pool {
    /// Something happens to the reel on screen: what follows is done before this returns, or, where
    /// it happens while something is being done, after that.
    pub(crate) fn dispatch(&self, event: Event) {
        self.events.borrow_mut().push(event);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let events = self.events.take();
            if events.is_empty() {
                break;
            }
            for event in events {
                let commands = step(&mut self.playback.borrow_mut(), event);
                self.publish();
                for command in commands {
                    self.perform(command);
                }
            }
        }
        self.busy.set(false);
    }

    /// The page is hidden or shown.
    pub(super) fn seen(&self) {
        // The small window is seen, whatever hides the page.
        let hidden = document().hidden() && !pip::holds(&self.current().video);
        self.dispatch(Event::Hidden { hidden, ms: now_ms() });
    }

    /// Views follow the state.
    fn publish(&self) {
        let player = &self.player;
        let playback = self.playback.borrow();
        let (patience_s, retry_s) = playback.counts();
        player.phase.replace(playback.phase());
        player.paused.replace(playback.stands());
        player.prompt.replace(playback.prompt());
        player.patience_s.replace(patience_s);
        player.retry_s.replace(retry_s);
        if !playback.needs_clock() {
            self.clock.take();
        }
    }

    fn perform(&self, command: Command) {
        let current = self.current();
        match command {
            Command::Play if current.may_play() => current.play(),
            Command::Play => {}
            Command::Pause => current.pause(),
            Command::Mute => {
                self.player.muted.set(true);
                current.video.set_muted(true);
            }
            Command::Bless => self.spare().bless(),
            Command::RestSpare => self.rest_spare(),
            Command::StartClock => self.start_clock(),
            Command::GiveWay => {
                self.give_way();
                self.stalled.set(true);
            }
            Command::NoteStall => self.measure.stalled(),
            Command::Move => self.moves(),
            Command::GiveUp(cause) => {
                self.measure.failed(cause);
                // One that rests is asked on and on whether it has begun again.
                if cause != Cause::Resting {
                    current.give_up();
                }
                current.pause();
            }
            Command::TakeBack => current.take_back(),
            Command::Recover => {
                let at_s = current.video.current_time();
                current.with_binding(|binding| binding.recover(at_s));
            }
            Command::Reload => self.reload(None),
            Command::ReloadPast(past_s) => self.reload(Some(past_s)),
            Command::ReloadSoon => self.reload_soon(),
            Command::Seek(to_s) => current.video.set_current_time(to_s),
            Command::EndBuffer => current.with_binding(Binding::end_buffer),
            Command::End if current.video.loop_() => current.video.set_current_time(0.0),
            Command::End => self.player.ended.update(|n| *n += 1),
        }
    }

    fn start_clock(&self) {
        if !self.playback.borrow().needs_clock() {
            return;
        }
        let weak = self.weak.clone();
        let timer = Timer::every(SECOND_MS, move || {
            if let Some(pool) = weak.upgrade() {
                pool.dispatch(Event::Second(pool.current().look()));
            }
        });
        *self.clock.borrow_mut() = Some(Rc::new(timer));
    }

    /// Loads the playlist of the reel on screen anew and goes on at the same second, or so far behind
    /// what is buffered.
    fn reload(&self, past_s: Option<f64>) {
        self.later.take();
        self.reloaded_ms.set(now_ms());
        let current = self.current();
        let Some(media) = current.media() else { return };
        playlist_prefetch::forget(&media);
        hls::ask_again();
        let at_s = current.video.current_time() + past_s.map_or(0.0, |s| current.ahead_s() + s);
        let end_s = media.duration_s.unwrap_or(f64::INFINITY);
        let from_s = (!media.live && at_s > 0.0 && at_s < end_s).then_some(at_s);
        current.load(&media, self.load_options(&media, AHEAD_FIRST_S, from_s));
        current.frames.restart();
    }

    /// The segments have other versions now, and the playlist tells them: at once, or when the last
    /// reload is some time ago, because the server may learn of them a moment after the page.
    fn reload_soon(&self) {
        if self.later.borrow().is_some() {
            return;
        }
        if self.reloads.replace(self.reloads.get() + 1) == RELOADS {
            self.dispatch(Event::Broken(Cause::Network));
            return;
        }
        let wait = (RELOAD_EVERY_MS - (now_ms() - self.reloaded_ms.get())).max(0.0) as i32;
        let weak = self.weak.clone();
        *self.later.borrow_mut() = Some(Timer::once(wait, move || {
            if let Some(pool) = weak.upgrade() {
                pool.dispatch(Event::Reload);
            }
        }));
    }
}
