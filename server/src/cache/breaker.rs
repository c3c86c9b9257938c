//! A circuit breaker for one origin: after a few failures in a row nobody asks it for a while, then
//! one request at a time finds out whether it is back.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// Counts how often it opened and closed: what was asked before says nothing of how it is now.
    generation: u64,
}

/// HostPermit to ask the origin once. Dropped without a word it counts as nothing.
#[derive(Debug)]
pub struct HostPermit {
    breaker: Arc<Breaker>,
    generation: u64,
    /// It finds out whether the origin is back.
    probe: bool,
}

impl Breaker {
    /// HostPermit to ask, or how long to wait before asking again.
    pub fn ask(self: &Arc<Self>) -> Result<HostPermit, Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        let mut probe = false;
        if let Some(until) = state.open_until {
            if until > now {
                return Err(until - now);
            }
            if state.probing {
                return Err(state.pause);
            }
            (state.probing, probe) = (true, true);
        }
        Ok(HostPermit { breaker: self.clone(), generation: state.generation, probe })
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(&mut self, pause: Duration) {
        let pause = pause.min(PAUSE_MAX);
        *self = Self {
            failures: self.failures,
            open_until: Some(Instant::now() + pause),
            pause,
            probing: false,
            generation: self.generation.wrapping_add(1),
        };
    }
}

impl HostPermit {
    /// The origin answered, in full.
    pub fn answered(mut self) {
        let mut state = self.breaker.lock();
        if state.generation == self.generation {
            if self.probe {
                let generation = state.generation.wrapping_add(1);
                *state = State { generation, ..State::default() };
            } else {
                state.failures = 0;
            }
        }
        drop(state);
        self.probe = false;
    }

    /// The origin did not, or gave up in the middle.
    pub fn failed(mut self) {
        let mut state = self.breaker.lock();
        if state.generation == self.generation {
            state.failures = state.failures.saturating_add(1);
            if self.probe {
                let pause = state.pause * 2;
                state.open(pause);
            } else if state.failures >= FAILURES {
                state.open(PAUSE);
            }
        }
        drop(state);
        self.probe = false;
    }
}

impl Drop for HostPermit {
    fn drop(&mut self) {
        if self.probe {
            let mut state = self.breaker.lock();
            if state.generation == self.generation {
                state.probing = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use proptest::prelude::*;
    use tokio::time::sleep;

    use super::{Breaker, FAILURES, HostPermit, PAUSE, PAUSE_MAX};

    fn fail(breaker: &Arc<Breaker>) {
        breaker.ask().expect("leave").failed();
    }

    fn opened() -> Arc<Breaker> {
        let breaker = Arc::new(Breaker::default());
        (0..FAILURES).for_each(|_| fail(&breaker));
        assert!(!breaker.is_closed());
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_and_one_at_a_time_finds_out() {
        let breaker = Arc::new(Breaker::default());
        for _ in 1..FAILURES {
            fail(&breaker);
        }
        breaker.ask().expect("leave").answered();
        for _ in 0..FAILURES {
            assert!(breaker.is_closed());
            fail(&breaker);
        }
        assert_eq!(breaker.ask().err(), Some(PAUSE));
        sleep(PAUSE).await;
        let probe = breaker.ask().expect("leave for one");
        assert!(breaker.ask().is_err(), "a second beside the probe");
        drop(probe);
        fail(&breaker);
        assert_eq!(breaker.ask().err(), Some(PAUSE * 2));
        sleep(PAUSE * 2).await;
        breaker.ask().expect("leave").answered();
        assert!(breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_have_an_end() {
        let breaker = Arc::new(Breaker::default());
        for _ in 0..FAILURES + 20 {
            if let Err(wait) = breaker.ask() {
                assert!(wait <= PAUSE_MAX, "{wait:?}");
                sleep(wait).await;
            }
            fail(&breaker);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_before_it_opened_closes_nothing() {
        let breaker = Arc::new(Breaker::default());
        let before: Vec<HostPermit> = (0..6).map(|_| breaker.ask().expect("leave")).collect();
        (0..FAILURES).for_each(|_| fail(&breaker));
        let mut before = before.into_iter();
        before.next().expect("one").answered();
        assert_eq!(breaker.ask().err(), Some(PAUSE), "a late answer closes it");
        before.next().expect("one").failed();
        assert_eq!(breaker.ask().err(), Some(PAUSE), "a late failure doubles the pause");
        sleep(PAUSE).await;
        let probe = breaker.ask().expect("leave for one");
        for late in before {
            late.failed();
            assert!(breaker.ask().is_err(), "a second beside the probe");
        }
        probe.answered();
        assert!(breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_leave_that_is_dropped_lets_no_second_through() {
        let breaker = opened();
        sleep(PAUSE).await;
        let late = breaker.ask().expect("leave for one");
        // The probe is given up and another takes its place; the first was not this one.
        drop(late);
        let probe = breaker.ask().expect("leave for one");
        assert!(breaker.ask().is_err(), "a second beside the probe");
        probe.failed();
        assert_eq!(breaker.ask().err(), Some(PAUSE * 2));
    }

    proptest! {
        /// However answers come in, at most one is under way while it is open.
        #[test]
        fn one_at_a_time_while_it_is_open(steps in prop::collection::vec((0u8..4, 0usize..8), 1..80)) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time().start_paused(true).build().expect("a runtime");
            runtime.block_on(async {
                let breaker = opened();
                let mut leaves: Vec<HostPermit> = Vec::new();
                for (step, at) in steps {
                    match step {
                        0 => leaves.extend(breaker.ask()),
                        1 if !leaves.is_empty() => leaves.swap_remove(at % leaves.len()).failed(),
                        2 if !leaves.is_empty() => leaves.swap_remove(at % leaves.len()).answered(),
                        3 => sleep(Duration::from_millis(at as u64 * 700)).await,
                        _ => {}
                    }
                    let generation = breaker.lock().generation;
                    let probes = leaves.iter().filter(|l| l.probe && l.generation == generation).count();
                    prop_assert!(probes <= 1, "{} at once", probes);
                    prop_assert!(breaker.lock().pause <= PAUSE_MAX);
                }
                Ok(())
            })?;
        }
    }
}
