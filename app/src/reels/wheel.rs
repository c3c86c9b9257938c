//! What a wheel means: a notch is one reel at once, a fling of a trackpad is one reel.

/// A mouse's notch, in CSS pixels.
const NOTCH_PX: f64 = 100.0;
/// A fling begins to count at this way, so that a resting finger does nothing.
const FLING_PX: f64 = 16.0;
/// Silence that ends a fling.
const SILENCE_MS: f64 = 140.0;
/// Within a fling, deltas that grow by so much again are the next one.
const GROWS: f64 = 1.8;
/// And at the earliest after this time.
const AGAIN_MS: f64 = 220.0;

/// Remembers enough of the past to tell a notch from a fling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wheel {
    last_ms: f64,
    last: f64,
    way: f64,
    /// When the running fling moved a reel.
    fired_ms: Option<f64>,
    flings: bool,
}

impl Wheel {
    /// One `wheel` event: `dy` in CSS pixels (or lines, with `lines`), its time in milliseconds.
    /// Answers how many reels to go: 1, 0 or -1.
    pub(crate) fn turned(&mut self, dy: f64, lines: bool, ms: f64) -> i32 {
        if dy == 0.0 {
            return 0;
        }
        let quiet = ms - self.last_ms > SILENCE_MS;
        let turned_round = dy * self.last < 0.0;
        if quiet || turned_round {
            *self = Self::default();
        }
        let grew = dy.abs() > self.last.abs() * GROWS && dy.abs() > FLING_PX;
        (self.last_ms, self.last) = (ms, dy);
        // A trackpad's fling may pass 100 px, but it does not begin there.
        if lines || (dy.abs() >= NOTCH_PX && !self.flings) {
            return step(dy);
        }
        self.flings = true;
        if self.fired_ms.is_some_and(|fired| grew && ms - fired > AGAIN_MS) {
            self.fired_ms = None;
            self.way = 0.0;
        }
        self.way += dy;
        if self.fired_ms.is_none() && self.way.abs() >= FLING_PX {
            self.fired_ms = Some(ms);
            return step(dy);
        }
        0
    }
}

fn step(dy: f64) -> i32 {
    if dy > 0.0 { 1 } else { -1 }
}

#[cfg(test)]
mod tests {
    use super::Wheel;

    fn check(events: impl IntoIterator<Item = (f64, f64)>, reels: i32) {
        let mut wheel = Wheel::default();
        let mut ms = 1000.0;
        let moved: i32 = events
            .into_iter()
            .map(|(dy, dt)| {
                ms += dt;
                wheel.turned(dy, false, ms)
            })
            .sum();
        assert_eq!(moved, reels);
    }

    #[test]
    fn every_notch_is_a_reel() {
        check((0..50).map(|_| (120.0, 8.0)), 50);
        check((0..50).map(|_| (-100.0, 8.0)), -50);
        assert_eq!(Wheel::default().turned(3.0, true, 0.0), 1);
    }

    #[test]
    fn a_fling_is_a_reel() {
        let fling = || {
            let up = [2.0, 8.0, 30.0, 90.0, 160.0, 220.0];
            let down = (0..60).map(|n| 200.0 * 0.93_f64.powi(n));
            up.into_iter().chain(down).map(|dy| (dy, 16.0))
        };
        check(fling(), 1);
        check(fling().map(|(dy, dt)| (-dy, dt)), -1);
        check(fling().chain([(0.0, 400.0)]).chain(fling()), 2);
    }

    #[test]
    fn a_second_fling_into_the_tail_of_the_first_counts() {
        let tail = (0..40).map(|n| (120.0 * 0.9_f64.powi(n), 16.0));
        let second = [10.0, 40.0, 80.0, 60.0, 40.0].map(|dy| (dy, 16.0));
        check([(5.0, 16.0), (60.0, 16.0)].into_iter().chain(tail).chain(second), 2);
    }

    #[test]
    fn a_resting_finger_is_nothing() {
        check([(1.0, 16.0), (2.0, 16.0), (1.0, 16.0)], 0);
    }
}
