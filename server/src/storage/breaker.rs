//! A circuit breaker for one origin: after a few failures in a row nobody asks it for a while, then
//! one request at a time finds out whether it is back.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open at first; doubled with each probe that fails,
const PAUSE: Duration = Duration::from_secs(1);
/// up to this.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// The state of one origin, shared by all that ask it.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Nobody asks before this; `None` while it is closed.
    open_until: Option<Instant>,
    pause: Duration,
    /// One has been let through to find out.
    probing: bool,
}

/// Leave to ask the origin once. Dropped without a word it counts as nothing.
#[derive(Debug)]
pub struct Leave<'a> {
    breaker: &'a Breaker,
    told: bool,
}

impl Breaker {
    /// Leave to ask, or how long to wait before asking again.
    pub fn ask(&self) -> Result<Leave<'_>, Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(until) = state.open_until {
            if until > now {
                return Err(until - now);
            }
            if state.probing {
                return Err(state.pause);
            }
            state.probing = true;
        }
        Ok(Leave { breaker: self, told: false })
    }

    /// How long nobody should ask; `None` where one may.
    pub fn wait(&self) -> Option<Duration> {
        let state = self.lock();
        let until = state.open_until?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() && !state.probing { None } else { Some(left.max(PAUSE)) }
    }

    /// Whether requests pass.
    pub fn is_closed(&self) -> bool {
        self.lock().open_until.is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// The origin answered.
    pub fn answered(mut self) {
        self.told = true;
        *self.breaker.lock() = State::default();
    }

    /// The origin did not.
    pub fn failed(mut self) {
        self.told = true;
        let mut state = self.breaker.lock();
        state.failures = state.failures.saturating_add(1);
        if state.probing || (state.open_until.is_none() && state.failures >= FAILURES) {
            state.pause = if state.probing { state.pause * 2 } else { PAUSE }.min(PAUSE_MAX);
            state.open_until = Some(Instant::now() + state.pause);
            state.probing = false;
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Breaker, FAILURES, PAUSE};

    fn fail(breaker: &Breaker) {
        breaker.ask().expect("leave").failed();
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_and_one_at_a_time_finds_out() {
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            fail(&breaker);
        }
        breaker.ask().expect("leave").answered();
        for _ in 0..FAILURES {
            assert!(breaker.is_closed());
            fail(&breaker);
        }
        assert_eq!(breaker.ask().err(), Some(PAUSE));
        tokio::time::sleep(PAUSE).await;
        let probe = breaker.ask().expect("leave for one");
        assert!(breaker.ask().is_err(), "a second beside the probe");
        drop(probe);
        fail(&breaker);
        assert_eq!(breaker.ask().err(), Some(PAUSE * 2));
        tokio::time::sleep(PAUSE * 2).await;
        breaker.ask().expect("leave").answered();
        assert!(breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_have_an_end() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES + 20 {
            if let Err(wait) = breaker.ask() {
                assert!(wait <= Duration::from_secs(15), "{wait:?}");
                tokio::time::sleep(wait).await;
            }
            fail(&breaker);
        }
    }
}
