//! What happens to the two elements, as events of the player's machine.

use leptos::prelude::document;

use super::{
    super::{
        Cause, Phase,
        hls::HlsEvent,
        pip,
        playback::{By, Event},
        slot::SlotEvent,
    },
    Pool,
};
use crate::dom::now_ms;

impl Pool {
    pub(super) fn on_slot_event(&self, n: usize, event: SlotEvent) {
        if n == self.active.get() {
            self.on_current_event(event)
        } else {
            self.on_spare_event(event)
        }
    }

    fn on_current_event(&self, event: SlotEvent) {
        let current = self.current();
        let video = &current.video;
        let shown = current.frames.seen() > 0 || self.is_audio();
        match event {
            // Sound that plays and a picture that nobody can decode.
            SlotEvent::Ready if !self.is_audio() && video.video_width() == 0 => {
                self.dispatch(Event::Broken(Cause::Unsupported));
            }
            SlotEvent::Ready => {
                self.tell_duration();
                current.stand_at_begin();
                self.dispatch(Event::Ready);
            }
            SlotEvent::Time => {
                self.player.time_s.set(video.current_time());
                self.measure.plays(current.height());
                self.keep_fed();
                current.frames.moved();
                if shown && !video.paused() && self.player.phase.get_untracked() == Phase::Waiting {
                    self.dispatch(Event::Moves);
                }
            }
            SlotEvent::Duration => self.tell_duration(),
            SlotEvent::Waiting => {
                let buffered = current.ahead_s() > 0.0;
                self.dispatch(Event::Starves { seeking: video.seeking(), buffered });
            }
            // No frame is presented while nobody looks.
            SlotEvent::Playing => {
                if shown || document().hidden() {
                    self.dispatch(Event::Moves);
                }
            }
            SlotEvent::Began if !video.paused() => self.dispatch(Event::Began),
            SlotEvent::Stopped if video.paused() && !video.ended() && video.is_connected() => {
                // The small window is seen, whatever hides the page.
                self.dispatch(if pip::holds(video) {
                    Event::Pause(By::Outside)
                } else {
                    Event::Stopped { ms: now_ms() }
                });
            }
            SlotEvent::Began | SlotEvent::Stopped => {}
            SlotEvent::Ended => self.player.ended.update(|n| *n += 1),
            SlotEvent::Frame(1) => self.dispatch(Event::Moves),
            SlotEvent::Frame(_) => {
                self.measure.moves();
                if let Some(then) = self.when_moving.take() {
                    then();
                }
            }
            SlotEvent::Refused { muted } => self.dispatch(Event::Refused { muted }),
            // hls.js tells of its own bytes itself, also of those that it has not appended yet.
            SlotEvent::Bytes if current.binding().is_none() => {
                self.dispatch(Event::Bytes { segment: false });
            }
            SlotEvent::Bytes => {}
            SlotEvent::Hls(report) => self.reported(report),
            SlotEvent::Cue => self.tell_cue(),
            SlotEvent::Tracks => self.caption(),
            // hls.js tells of its own errors itself.
            SlotEvent::Broken if current.binding().is_some() => {}
            SlotEvent::Broken => {
                // 2 is MEDIA_ERR_NETWORK.
                let network = video.error().is_some_and(|error| error.code() == 2);
                self.dispatch(Event::Broken(if network { Cause::Network } else { Cause::Media }));
            }
            SlotEvent::NoLibrary => self.dispatch(Event::Broken(Cause::Network)),
            SlotEvent::Unsupported => self.dispatch(Event::Broken(Cause::Unsupported)),
            SlotEvent::RunUp => {}
        }
    }

    fn reported(&self, report: HlsEvent) {
        match report {
            HlsEvent::Buffered | HlsEvent::Segment => {
                // What was given up has stopped loading: this is only its last word.
                if !matches!(self.player.phase.get_untracked(), Phase::Failed(_)) {
                    self.dispatch(Event::Bytes { segment: report == HlsEvent::Segment });
                }
                if report == HlsEvent::Buffered {
                    self.preload_wanted();
                }
            }
            HlsEvent::Parsed => {
                self.dispatch(Event::Bytes { segment: false });
                self.choose_level(false);
                self.tell_levels();
            }
            HlsEvent::Level(lines) => self.player.height.set(lines),
            HlsEvent::Gone => self.dispatch(Event::Gone),
            HlsEvent::Grew => self.dispatch(Event::Grew),
            HlsEvent::Restarted => self.dispatch(Event::Restarted),
            HlsEvent::Threw => self.dispatch(Event::Threw),
            HlsEvent::Fatal { network } => self.dispatch(Event::Fatal { network }),
            HlsEvent::NeedsFull => {}
        }
    }

    fn on_spare_event(&self, event: SlotEvent) {
        let spare = self.spare();
        match event {
            SlotEvent::Ready if !self.player.needs_tap() => spare.run_up(),
            SlotEvent::RunUp => self.feed_current(),
            SlotEvent::Hls(HlsEvent::Parsed) => {
                let wanted = self.player.wanted_height.get_untracked();
                spare.with_binding(|binding| binding.choose(wanted, false));
            }
            SlotEvent::Refused { .. } => self.rest_spare(),
            SlotEvent::Hls(HlsEvent::Fatal { .. } | HlsEvent::Gone | HlsEvent::Threw)
            | SlotEvent::Broken
            | SlotEvent::NoLibrary
            | SlotEvent::Unsupported => {
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
