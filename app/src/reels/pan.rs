//! What a finger, a pen or a dragging mouse means. Decides; moves nothing.

/// A drag begins after so many CSS pixels.
const BEGIN_PX: f64 = 12.0;
/// A longer drag than this share of the height goes to the next reel, unless it is going back.
const FAR: f64 = 0.15;
/// A faster one goes, however short, in CSS pixels a millisecond.
const FAST: f64 = 0.3;
/// The speed is that of the last so many milliseconds.
const SPEED_OVER_MS: f64 = 100.0;
/// A touch that neither moves nor stays longer is a tap.
const TAP_MS: f64 = 400.0;

/// What the movement of a pointer means for the strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pan {
    /// Nothing yet.
    Undecided,
    /// It is not ours: it moves sideways.
    Sideways,
    /// A drag has begun, so far from where it moves the strip, which may be nothing yet, on the way to
    /// the next reel (1) or to the one before (-1).
    Begun(f64, i32),
    /// It goes on.
    Dragged(f64),
}

/// What the lift of a pointer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lift {
    /// One reel on (1), one back (-1).
    Step(i32),
    /// Back to where it was.
    Spring,
    /// It was a tap.
    Tap,
    /// Nothing.
    Nothing,
}

/// One pointer from down to up. Lengths are CSS pixels, times milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    x: f64,
    y: f64,
    down_ms: f64,
    /// Where the drag began to move the strip.
    begun_y: Option<f64>,
    sideways: bool,
    samples: Vec<(f64, f64)>,
}

impl Track {
    /// A pointer goes down.
    pub(crate) fn new(x: f64, y: f64, ms: f64) -> Self {
        Self { x, y, down_ms: ms, begun_y: None, sideways: false, samples: vec![(ms, y)] }
    }

    /// It moves.
    pub(crate) fn moved(&mut self, x: f64, y: f64, ms: f64) -> Pan {
        if self.sideways {
            return Pan::Sideways;
        }
        self.samples.retain(|(at, _)| ms - at <= SPEED_OVER_MS);
        self.samples.push((ms, y));
        if let Some(begun) = self.begun_y {
            return Pan::Dragged(y - begun);
        }
        let (dx, dy) = (x - self.x, y - self.y);
        if dx.abs().max(dy.abs()) < BEGIN_PX {
            Pan::Undecided
        } else if dx.abs() > dy.abs() {
            self.sideways = true;
            Pan::Sideways
        } else {
            // From here on one to one, without a jump.
            let begun = self.y + dy.signum() * BEGIN_PX;
            self.begun_y = Some(begun);
            Pan::Begun(y - begun, way_of(dy))
        }
    }

    /// Whether it drags the strip.
    pub(crate) fn drags(&self) -> bool {
        self.begun_y.is_some()
    }

    /// It is not ours after all, like one that moves sideways.
    pub(crate) fn let_go(&mut self) {
        self.begun_y = None;
        self.sideways = true;
    }

    fn speed(&self) -> f64 {
        match (self.samples.first(), self.samples.last()) {
            (Some((from_ms, from)), Some((to_ms, to))) if to_ms > from_ms => {
                (to - from) / (to_ms - from_ms)
            }
            _ => 0.0,
        }
    }

    /// It lifts.
    pub(crate) fn lifted(&mut self, y: f64, ms: f64, height: f64) -> Lift {
        let Some(_) = self.begun_y else {
            let still = !self.sideways && ms - self.down_ms <= TAP_MS;
            return if still { Lift::Tap } else { Lift::Nothing };
        };
        self.samples.retain(|(at, _)| ms - at <= SPEED_OVER_MS);
        if self.samples.last().is_none_or(|(_, last)| *last != y) {
            self.samples.push((ms, y));
        }
        let (way, speed) = (y - self.y, self.speed());
        let going_back = speed * way < 0.0 && speed.abs() > FAST / 3.0;
        let goes = speed * way > 0.0 && speed.abs() > FAST;
        if goes || (way.abs() > FAR * height && !going_back) {
            Lift::Step(way_of(way))
        } else {
            Lift::Spring
        }
    }
}

/// One reel on (1) by a finger that moves up, one back (-1) by one that moves down.
pub(crate) fn way_of(dy: f64) -> i32 {
    if dy < 0.0 { 1 } else { -1 }
}

#[cfg(test)]
mod tests {
    use super::{Lift, Pan, Track};

    /// Moves from 400 by `steps` of (dy, ms) on a page 800 high, and lifts.
    fn check(steps: &[(f64, f64)], lift: Lift) {
        let (mut y, mut ms) = (400.0, 0.0);
        let mut track = Track::new(100.0, y, ms);
        for (dy, dt) in steps {
            y += dy;
            ms += dt;
            track.moved(100.0, y, ms);
        }
        assert_eq!(track.lifted(y, ms + 8.0, 800.0), lift, "{steps:?}");
    }

    #[test]
    fn far_or_fast_goes_and_everything_else_springs_back() {
        check(&[], Lift::Tap);
        check(&[(5.0, 50.0)], Lift::Tap);
        check(&[(-20.0, 11.0), (-40.0, 11.0)], Lift::Step(1));
        check(&[(20.0, 11.0), (40.0, 11.0)], Lift::Step(-1));
        check(&[(-60.0, 400.0)], Lift::Spring);
        check(&[(-100.0, 400.0), (-60.0, 400.0)], Lift::Step(1));
        check(&[(-200.0, 200.0), (40.0, 60.0), (40.0, 60.0)], Lift::Spring);
    }

    #[test]
    fn a_sideways_drag_is_not_ours() {
        let mut track = Track::new(100.0, 400.0, 0.0);
        assert_eq!(track.moved(130.0, 405.0, 10.0), Pan::Sideways);
        assert_eq!(track.moved(130.0, 105.0, 20.0), Pan::Sideways);
        assert_eq!(track.lifted(105.0, 30.0, 800.0), Lift::Nothing);
    }

    #[test]
    fn the_strip_does_not_jump_when_a_drag_begins() {
        let mut track = Track::new(100.0, 400.0, 0.0);
        assert_eq!(track.moved(100.0, 390.0, 10.0), Pan::Undecided);
        assert_eq!(track.moved(100.0, 380.0, 20.0), Pan::Begun(-8.0, 1));
        assert_eq!(track.moved(100.0, 370.0, 30.0), Pan::Dragged(-18.0));
    }

    #[test]
    fn a_drag_knows_its_way_before_the_strip_has_moved() {
        for (y, way) in [(388.0, 1), (412.0, -1)] {
            let mut track = Track::new(100.0, 400.0, 0.0);
            assert_eq!(track.moved(100.0, y, 10.0), Pan::Begun(0.0, way), "to {y}");
        }
    }
}
