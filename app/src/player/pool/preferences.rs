//! What a person prefers for every reel: captions, speed, quality, what comes after the end. It is
//! carried from reel to reel.

use super::{
    super::{pip, slot::Slot, text_tracks},
    Pool,
};

/// While a finger holds, the reel runs so many times as fast.
const HELD_SPEED: f64 = 2.0;

/// One quality for each height, the highest first. A handful: sorting weighs more in the page.
fn best_first(levels: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut best: Vec<(u32, u32)> = Vec::new();
    for level in levels {
        if best.iter().all(|(height, _)| *height != level.0) {
            let after = best.iter().filter(|(height, _)| *height > level.0).count();
            best.insert(after, *level);
        }
    }
    best
}

impl Pool {
    /// Reads the captions of the reel on screen, or not.
    pub(crate) fn caption(&self) {
        let current = self.current();
        let has = text_tracks::has_any(&current.video);
        if self.player.has_captions.get_untracked() != has {
            self.player.has_captions.set(has);
        }
        current.caption(self.player.captions.get_untracked());
        self.tell_cue();
    }

    pub(super) fn tell_cue(&self) {
        let on = self.player.captions.get_untracked();
        let said = if on { text_tracks::said(&self.current().video) } else { String::new() };
        if self.player.cue.with_untracked(|cue| *cue != said) {
            self.player.cue.set(said);
        }
    }

    /// Plays so many times as fast, this reel and those to come.
    pub(crate) fn set_speed(&self, speed: f64) {
        self.speed.set(speed);
        self.current().video.set_playback_rate(speed);
    }

    /// Faster while a finger holds.
    pub(crate) fn hold(&self, fast: bool) {
        let speed = if fast { HELD_SPEED } else { self.speed.get() };
        self.current().video.set_playback_rate(speed);
    }

    /// Takes the quality that was chosen.
    pub(crate) fn choose_level(&self, at_once: bool) {
        let wanted = self.player.wanted_height.get_untracked();
        self.current().with_binding(|binding| binding.choose(wanted, at_once));
    }

    /// A reel that was prepared in another quality goes on in the chosen one.
    pub(super) fn keep_level(&self) {
        let wanted = self.player.wanted_height.get_untracked();
        if wanted.is_some() {
            // One that shows it already is to stay with it.
            self.choose_level(wanted != Some(self.current().height()));
        }
    }

    /// Tells which qualities there are, and which one is shown.
    pub(super) fn tell_levels(&self) {
        let current = self.current();
        let mut levels = Vec::new();
        current.with_binding(|binding| levels = binding.levels());
        levels.retain(|(height, _)| *height > 0);
        self.player.levels.set(best_first(&levels));
        self.player.height.set(current.height());
    }

    /// Videos begin again at their end, and music goes on, unless a person wants it otherwise.
    pub(crate) fn loop_as_preferred(&self) {
        let (loops, goes_on) = (self.player.loops, self.player.goes_on);
        let again = !self.player.last_time.get_untracked();
        self.current().loop_as(again && loops.get_untracked(), again && !goes_on.get_untracked());
    }

    /// Into the small window, or back.
    pub(crate) fn toggle_pip(&self) {
        let video = &self.current().video;
        if pip::holds(video) { pip::leave() } else { pip::enter(video) }
    }

    /// The small window follows from reel to reel.
    pub(super) fn move_pip(&self, now: &Slot, before: &Slot) {
        if pip::holds(&before.video) {
            pip::enter(&now.video);
        }
    }
}
