//! What lies in the buffer of an element, and what it is seen doing.

use web_sys::HtmlMediaElement;

use super::{super::playback::Look, Slot};
use crate::dom::now_ms;

/// A hole so small is none, in seconds.
const NEAR_S: f64 = 0.2;

impl Slot {
    /// What it does at this moment.
    pub(crate) fn look(&self) -> Look {
        let at_s = self.video.current_time();
        let loading = match self.binding() {
            Some(binding) => !binding.is_idle(),
            None => self.video.network_state() == HtmlMediaElement::NETWORK_LOADING,
        };
        Look {
            ms: now_ms(),
            at_s,
            paused: self.video.paused(),
            ended: self.video.ended(),
            ahead_s: self.ahead_s(),
            next_s: self.buffered().map(|(start, _)| start).find(|start| *start > at_s + NEAR_S),
            loading,
        }
    }

    /// Seconds in the buffer ahead of the playhead.
    pub(crate) fn ahead_s(&self) -> f64 {
        let at = self.video.current_time();
        self.buffered()
            .find(|(start, end)| start - NEAR_S <= at && at <= *end)
            .map_or(0.0, |(_, end)| end - at)
    }

    /// The parts of the reel that are in the buffer, in seconds.
    fn buffered(&self) -> impl Iterator<Item = (f64, f64)> {
        let ranges = self.video.buffered();
        (0..ranges.length()).filter_map(move |n| Some((ranges.start(n).ok()?, ranges.end(n).ok()?)))
    }

    /// Whether the buffer reaches to the end of the reel.
    pub(crate) fn is_whole(&self) -> bool {
        let duration = self.video.duration();
        duration.is_finite() && self.video.current_time() + self.ahead_s() >= duration - 0.2
    }
}
