//! What the two elements tell, as events of the player's machine.

use leptos::prelude::document;

use super::{
    super::{
        Cause, Phase, beside,
        hls::Report,
        playback::{By, Event},
        slot::Told,
    },
    Pool,
};
use crate::dom::now_ms;

impl Pool {
    pub(super) fn heard(&self, n: usize, told: Told) {
        if n == self.active.get() { self.heard_current(told) } else { self.heard_spare(told) }
    }

    fn heard_current(&self, told: Told) {
        let current = self.current();
        let video = &current.video;
        let shown = current.frames.seen() > 0 || self.is_audio();
        match told {
            // Sound that plays and a picture that nobody can decode.
            Told::Ready if !self.is_audio() && video.video_width() == 0 => {
                self.dispatch(Event::Broken(Cause::Unsupported));
            }
            Told::Ready => {
                self.tell_duration();
                current.stand_at_begin();
                self.dispatch(Event::Ready);
            }
            Told::Time => {
                self.player.time_s.set(video.current_time());
                self.measure.plays(current.lines());
                self.keep_fed();
                current.frames.moved();
                if shown && !video.paused() && self.player.phase.get_untracked() == Phase::Waiting {
                    self.dispatch(Event::Moves);
                }
            }
            Told::Duration => self.tell_duration(),
            Told::Waiting => {
                let buffered = current.ahead_s() > 0.0;
                self.dispatch(Event::Starves { seeking: video.seeking(), buffered });
            }
            // No frame is presented while nobody looks.
            Told::Playing => {
                if shown || document().hidden() {
                    self.dispatch(Event::Moves);
                }
            }
            Told::Began if !video.paused() => self.dispatch(Event::Began),
            Told::Stopped if video.paused() && !video.ended() && video.is_connected() => {
                // The small window is seen, whatever hides the page.
                self.dispatch(if beside::holds(video) {
                    Event::Pause(By::Outside)
                } else {
                    Event::Stopped { ms: now_ms() }
                });
            }
            Told::Began | Told::Stopped => {}
            Told::Ended => self.player.ended.update(|n| *n += 1),
            Told::Frame(1) => self.dispatch(Event::Moves),
            Told::Frame(_) => {
                self.measure.moves();
                if let Some(then) = self.when_moving.take() {
                    then();
                }
            }
            Told::Refused { muted } => self.dispatch(Event::Refused { muted }),
            // hls.js tells of its own bytes itself, also of those that it has not appended yet.
            Told::Bytes if current.binding().is_none() => {
                self.dispatch(Event::Bytes { segment: false });
            }
            Told::Bytes => {}
            Told::Report(report) => self.reported(report),
            Told::Cue => self.tell_cue(),
            Told::Tracks => self.caption(),
            // hls.js tells of its own errors itself.
            Told::Broken if current.binding().is_some() => {}
            Told::Broken => {
                // 2 is MEDIA_ERR_NETWORK.
                let network = video.error().is_some_and(|error| error.code() == 2);
                self.dispatch(Event::Broken(if network { Cause::Network } else { Cause::Media }));
            }
            Told::NoLibrary => self.dispatch(Event::Broken(Cause::Network)),
            Told::Unsupported => self.dispatch(Event::Broken(Cause::Unsupported)),
            Told::RunUp => {}
        }
    }

    fn reported(&self, report: Report) {
        match report {
            Report::Buffered | Report::Segment => {
                // What was given up has stopped loading: this is only its last word.
                if !matches!(self.player.phase.get_untracked(), Phase::Failed(_)) {
                    self.dispatch(Event::Bytes { segment: report == Report::Segment });
                }
                if report == Report::Buffered {
                    self.warm_wanted();
                }
            }
            Report::Parsed => {
                self.dispatch(Event::Bytes { segment: false });
                self.choose_level(false);
                self.tell_levels();
            }
            Report::Level(lines) => self.player.height.set(lines),
            Report::Gone => self.dispatch(Event::Gone),
            Report::Grew => self.dispatch(Event::Grew),
            Report::Restarted => self.dispatch(Event::Restarted),
            Report::Threw => self.dispatch(Event::Threw),
            Report::Fatal { network } => self.dispatch(Event::Fatal { network }),
            Report::NeedsFull => {}
        }
    }

    fn heard_spare(&self, told: Told) {
        let spare = self.spare();
        match told {
            Told::Ready if !self.player.needs_tap() => spare.run_up(),
            Told::RunUp => self.feed_current(),
            Told::Report(Report::Parsed) => {
                let wanted = self.player.wanted_height.get_untracked();
                spare.with_binding(|binding| binding.choose(wanted, false));
            }
            Told::Refused { .. } => self.rest_spare(),
            Told::Report(Report::Fatal { .. } | Report::Gone | Report::Threw)
            | Told::Broken
            | Told::NoLibrary
            | Told::Unsupported => {
                // It is tried again, and its error shown, when somebody goes there.
                spare.clear();
                self.feed_current();
            }
            _ => {}
        }
    }

    /// The other element is not allowed to run: it waits where it stands.
    pub(super) fn rest_spare(&self) {
        self.spare().pause();
        self.feed_current();
    }
}
