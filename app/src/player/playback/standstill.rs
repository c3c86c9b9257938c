//! One watch over the playing time: it does not move although it should. A hole in the buffer is
//! jumped, a track that ends before the other is closed, a decoder that hangs is pushed, and what
//! helps nothing is said.

/// Seconds ahead of the playhead below which it has nothing to play.
const EMPTY_S: f64 = 0.3;
/// Where one lands behind a hole, in seconds: exactly on its edge a browser may still stand in it.
const BEHIND_S: f64 = 0.05;
/// How far a decoder that hangs is pushed, in seconds.
const PUSH_S: f64 = 0.1;
/// A clock that comes so late, in milliseconds, says nothing: the machine was busy.
const LATE_MS: f64 = 1900.0;
/// Looks without movement before something is done: one may fall between two frames.
const STILL: u32 = 2;
/// A live reel that is sent bytes and does not move for so many looks is loaded anew.
const STILL_LIVE: u32 = 4;
/// Looks with movement after which the trouble is over.
const WELL: u32 = 4;
/// Remedies that are tried before it is given up.
const MOST: u32 = 6;
/// Segments that come and give nothing to play: what is missing does not come either.
const USELESS: u32 = 3;

/// What the element on screen is seen doing, once a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Milliseconds of the page's clock.
    pub(crate) ms: f64,
    /// The playhead, in seconds.
    pub(crate) at_s: f64,
    /// It is paused.
    pub(crate) paused: bool,
    /// It stands at its end.
    pub(crate) ended: bool,
    /// Seconds in the buffer from the playhead on.
    pub(crate) ahead_s: f64,
    /// Where the next part of the buffer begins, behind a hole.
    pub(crate) next_s: Option<f64>,
    /// Something is being loaded.
    pub(crate) loading: bool,
}

/// What is done about a standstill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Remedy {
    /// Seek there.
    Seek(f64),
    /// Say that no more comes for what is buffered.
    EndBuffer,
    /// Go on as at the end.
    End,
    /// Repair the decoder.
    Recover,
    /// Load it anew.
    Reload,
    /// Load it anew behind what is buffered.
    ReloadPast,
    /// Nothing helps.
    GiveUp,
}

/// Remembers how long the playhead has stood, and what was tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standstill {
    at_s: f64,
    ms: f64,
    still: u32,
    paused: u32,
    moving: u32,
    /// Segments that have come since it stands.
    pub(super) fed: u32,
    /// Remedies tried since it moved well.
    tried: u32,
}

impl Standstill {
    /// Looks begin anew; what was tried is remembered.
    pub(super) fn begin(&mut self) {
        *self = Self { tried: self.tried, ..Self::default() };
    }

    /// It has moved for so long that what was tried is forgotten.
    pub(super) fn is_over(&self) -> bool {
        self.moving >= WELL
    }

    /// It stands so long that it is to be seen.
    pub(super) fn shows(&self) -> bool {
        self.still >= STILL
    }

    /// An element that is to play, could, and is paused, twice in a row: nobody says why.
    pub(super) fn is_paused(&mut self, look: Look, ready: bool) -> bool {
        self.paused = if ready && look.paused && !look.ended { self.paused + 1 } else { 0 };
        self.paused >= STILL
    }

    /// Looks once more. `live`: the reel grows while it plays; `ready`: its first picture is there.
    pub(super) fn look(&mut self, look: Look, live: bool, ready: bool) -> Option<Remedy> {
        let late = look.ms - self.ms > LATE_MS;
        let moved = (look.at_s - self.at_s).abs() > 0.01;
        (self.ms, self.at_s) = (look.ms, look.at_s);
        if moved {
            self.moving += 1;
            (self.still, self.fed) = (0, 0);
            if self.moving >= WELL {
                self.tried = 0;
            }
            return None;
        }
        self.moving = 0;
        if late || look.paused || look.ended {
            self.still = 0;
            return None;
        }
        self.still += 1;
        if look.ahead_s < EMPTY_S { self.starved(look, live, ready) } else { self.hung() }
    }

    /// Nothing to play at the playhead.
    fn starved(&mut self, look: Look, live: bool, ready: bool) -> Option<Remedy> {
        if live && self.still >= STILL_LIVE && self.fed > 0 {
            return self.attempt([Remedy::Reload; 3]);
        }
        let comes = look.loading && self.fed < USELESS;
        if self.still < STILL || comes {
            return None;
        }
        if let Some(next_s) = look.next_s {
            return self.attempt([Remedy::Seek(next_s + BEHIND_S); 3]);
        }
        if live || !ready {
            return None;
        }
        self.attempt([Remedy::EndBuffer, Remedy::End, Remedy::End])
    }

    /// There is something to play, and it is not played.
    fn hung(&mut self) -> Option<Remedy> {
        if self.still <= STILL {
            return None;
        }
        let push = Remedy::Seek(self.at_s + PUSH_S);
        self.attempt([push, Remedy::Recover, Remedy::ReloadPast])
    }

    /// The first, the second, then the third of these over and over, and no more than so many.
    fn attempt(&mut self, remedies: [Remedy; 3]) -> Option<Remedy> {
        (self.still, self.fed) = (0, 0);
        let remedy = *remedies.get(self.tried as usize).unwrap_or(&remedies[2]);
        self.tried += 1;
        Some(if self.tried > MOST { Remedy::GiveUp } else { remedy })
    }
}
