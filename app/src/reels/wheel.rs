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
/// Parts of a notch add up, unless the wheel stands so long.
const HALF_TURNED_MS: f64 = 1000.0;
/// What systems scroll by for one notch, in lines, where it is not one.
const NOTCH_LINES: f64 = 3.0;
/// Parts of a notch are not told exactly: so near to a whole one is one.
const NEAR: f64 = 0.01;

/// Remembers enough of the past to tell a notch from a fling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wheel {
    last_ms: f64,
    last: f64,
    way: f64,
    /// When the running fling moved a reel.
    fired_ms: Option<f64>,
    flings: bool,
    /// How much of the next notch a finer wheel has turned, and when it last did.
    notch: f64,
    notch_ms: f64,
}

impl Wheel {
    /// One `wheel` event: `dy` in CSS pixels (or lines, with `lines`), its time in milliseconds.
    /// Answers how many reels to go: 1, 0 or -1.
    pub(crate) fn turned(&mut self, dy: f64, lines: bool, ms: f64) -> i32 {
        if dy == 0.0 {
            return 0;
        }
        if lines {
            return self.turned_lines(dy, ms);
        }
        let quiet = ms - self.last_ms > SILENCE_MS;
        let turned_round = dy * self.last < 0.0;
        if quiet || turned_round {
            *self = Self::default();
        }
        let grew = dy.abs() > self.last.abs() * GROWS && dy.abs() > FLING_PX;
        (self.last_ms, self.last) = (ms, dy);
        // A trackpad's fling may pass 100 px, but it does not begin there.
        if dy.abs() >= NOTCH_PX && !self.flings {
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

    /// A wheel that tells lines: whole ones are a notch, however many; parts of it add up to one.
    fn turned_lines(&mut self, dy: f64, ms: f64) -> i32 {
        let stood = ms - self.notch_ms > HALF_TURNED_MS;
        if stood || dy * self.notch < 0.0 {
            self.notch = 0.0;
        }
        self.notch_ms = ms;
        if is_whole(dy) {
            self.notch = 0.0;
            return step(dy);
        }
        // An even part of one line belongs to a wheel of one line a notch.
        let of = if is_whole(1.0 / dy) { 1.0 } else { NOTCH_LINES };
        self.notch += dy / of;
        if self.notch.abs() < 1.0 - NEAR {
            return 0;
        }
        self.notch -= self.notch.signum();
        step(dy)
    }
}

fn is_whole(number: f64) -> bool {
    let near = (number - number.round()).abs();
    near < NEAR && number.abs() > 0.5
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

    /// Turns by `dy` lines each 12 ms.
    fn check_lines(dy: f64, events: usize, reels: i32) {
        let mut wheel = Wheel::default();
        let moved: i32 = (0..events).map(|n| wheel.turned(dy, true, 12.0 * n as f64)).sum();
        assert_eq!(moved, reels, "{events} times {dy} lines");
    }

    #[test]
    fn parts_of_a_notch_add_up_to_it() {
        check_lines(0.25, 3, 0);
        check_lines(0.25, 4, 1);
        check_lines(-0.25, 8, -2);
        check_lines(0.1, 10, 1);
        check_lines(0.5, 2, 1);
        // Three lines a notch, in four, eight and two parts.
        check_lines(0.75, 4, 1);
        check_lines(-0.375, 16, -2);
        check_lines(1.5, 2, 1);
        // Whole ones, of whatever size.
        check_lines(1.0, 5, 5);
        check_lines(-3.0, 5, -5);
    }

    #[test]
    fn a_turn_back_and_a_rest_forget_what_was_half_turned() {
        let mut wheel = Wheel::default();
        let mut turn = |dy: f64, ms: f64| wheel.turned(dy, true, ms);
        assert_eq!([turn(0.5, 0.0), turn(-0.5, 10.0), turn(0.5, 20.0)], [0, 0, 0]);
        assert_eq!([turn(0.5, 30.0), turn(0.5, 40.0), turn(0.5, 5_000.0)], [1, 0, 0]);
        // A slow hand reaches the notch too.
        assert_eq!([turn(0.25, 5_600.0), turn(0.25, 6_200.0)], [0, 1]);
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
