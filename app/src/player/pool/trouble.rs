//! When the picture does not come: patience, another try, a playlist that has changed, and giving up.

use super::{
    super::{
        Cause, PATIENCE_S, Phase, glance,
        hls::{self, AHEAD_FIRST_S},
    },
    Pool,
};
use crate::dom::{Timer, now_ms};

/// At most one reload of a playlist whose segments have gone in this time.
const RELOAD_EVERY_MS: f64 = 1500.0;
/// The first pause before a failed reel is tried again, in seconds; each further one is twice as long.
const RETRY_S: u32 = 8;
/// The longest.
const RETRY_MAX_S: u32 = 60;
/// So many reloads of one reel, then it is given up.
const RELOADS: u32 = 6;

impl Pool {
    /// Tries again where it failed.
    pub(crate) fn retry(&self) {
        self.recovered.set(false);
        self.reload();
    }

    /// The line is there again.
    pub(super) fn back_on_line(&self) {
        if self.player.phase.get_untracked() == Phase::Failed(Cause::Network) {
            self.retry();
        }
    }

    /// Loads the playlist of the reel on screen anew and goes on at the same second.
    pub(crate) fn reload(&self) {
        self.later.take();
        self.reloaded_ms.set(now_ms());
        let current = self.current();
        let Some(media) = current.media() else { return };
        glance::forget(&media);
        let at_s = current.video.current_time();
        let from_s = (!media.live && at_s > 0.0).then_some(at_s);
        current.load(&media, self.wish(&media, AHEAD_FIRST_S, from_s));
        current.frames.restart();
        self.wait();
    }

    /// No picture moves: patience begins to run.
    pub(super) fn wait(&self) {
        self.player.phase.set(Phase::Waiting);
        self.player.patience_s.set(PATIENCE_S);
        let player = self.player;
        let timer = Timer::every(1000, move || {
            if player.phase.get_untracked() != Phase::Waiting || player.paused.get_untracked() {
                return;
            }
            let left = player.patience_s.get_untracked().saturating_sub(1);
            player.patience_s.set(left);
            if left == 0 {
                player.give_up();
            }
        });
        *self.patience.borrow_mut() = Some(timer);
    }

    /// Gives the reel on screen up.
    pub(crate) fn fail(&self, cause: Cause) {
        self.measure.failed(cause);
        self.try_again(cause);
        self.patience.take();
        self.current().give_up();
        self.current().pause();
        self.player.phase.set(Phase::Failed(cause));
    }

    /// What the line has done wrong is tried again by itself, each time later.
    fn try_again(&self, cause: Cause) {
        let tries = self.retries.replace(self.retries.get() + 1);
        let wait_s =
            if cause == Cause::Network { (RETRY_S << tries.min(3)).min(RETRY_MAX_S) } else { 0 };
        self.player.retry_s.set(wait_s);
        if wait_s == 0 {
            return;
        }
        let player = self.player;
        *self.later.borrow_mut() = Some(Timer::every(1000, move || {
            let left = player.retry_s.get_untracked().saturating_sub(1);
            player.retry_s.set(left);
            if left == 0 {
                player.retry();
            }
        }));
    }

    /// The segments have other versions now, and the playlist tells them: at once, or when the last
    /// reload is some time ago, because the server may learn of them a moment after the page.
    pub(super) fn reload_soon(&self) {
        if self.later.borrow().is_some() {
            return;
        }
        if self.reloads.replace(self.reloads.get() + 1) == RELOADS {
            self.fail(Cause::Network);
            return;
        }
        let since = now_ms() - self.reloaded_ms.get();
        if since >= RELOAD_EVERY_MS {
            self.reload();
            return;
        }
        let player = self.player;
        let wait = (RELOAD_EVERY_MS - since) as i32;
        *self.later.borrow_mut() = Some(Timer::once(wait, move || player.reload()));
    }

    pub(super) fn fatal(&self, network: bool) {
        if network {
            self.fail(Cause::Network);
        } else if self.recovered.replace(true) {
            self.fail(Cause::Media);
        } else {
            self.current().with_binding(hls::Binding::recover);
        }
    }
}
