//! How many sockets there may be, and how many events one may send.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{chat::Bucket, config::Rate};

/// Events of one socket, whatever they are: room for fifty quick swipes and the talk beside them.
const EVENTS: Rate =
    Rate { count: NonZeroU32::new(200).expect("not zero"), per: Duration::from_secs(10) };

/// Refused events after which a socket is closed with 1008: its program does not listen.
const REFUSED_MAX: u32 = 500;

/// How many sockets there may be. Room for a whole LAN behind one address.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// New ones.
    pub new: Rate,
    /// Open at the same time.
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let new = NonZeroU32::new(500).expect("not zero");
        Self { new: Rate { count: new, per: Duration::from_secs(1) }, open: 10_000 }
    }
}

/// Counts the sockets in.
#[derive(Debug)]
pub(super) struct Gate {
    limits: Limits,
    new: Mutex<Bucket>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, new: Mutex::default(), open: Arc::new(Semaphore::new(limits.open)) }
    }

    /// A place for one socket, as long as it is held.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let place = self.open.clone().try_acquire_owned().ok()?;
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        new.take(self.limits.new, Instant::now()).ok().map(|()| place)
    }
}

/// One socket's pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    bucket: Bucket,
    refused: u32,
}

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Heard,
    TooFast(Duration),
    Enough,
}

impl Pace {
    pub(super) fn judge(&mut self, now: Instant) -> Verdict {
        match self.bucket.take(EVENTS, now) {
            Ok(()) => Verdict::Heard,
            Err(wait) => {
                self.refused += 1;
                if self.refused > REFUSED_MAX { Verdict::Enough } else { Verdict::TooFast(wait) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::{Gate, Limits, Pace, Verdict};

    #[tokio::test(start_paused = true)]
    async fn the_gate_counts_new_and_open_sockets() {
        let gate = Gate::new(Limits { new: "3/1".parse().expect("a rate"), open: 4 });
        let places: Vec<_> = (0..5).map(|_| gate.enter()).collect();
        assert_eq!(places.iter().flatten().count(), 3);
        advance(Duration::from_secs(1)).await;
        let more: Vec<_> = (0..3).map(|_| gate.enter()).collect();
        assert_eq!(more.iter().flatten().count(), 1);
        drop(places);
        advance(Duration::from_secs(1)).await;
        assert!(gate.enter().is_some());
    }

    #[test]
    fn a_socket_that_does_not_listen_is_given_up() {
        let now = Instant::now();
        let mut pace = Pace::default();
        let verdicts: Vec<_> = (0..701).map(|_| pace.judge(now)).collect();
        assert_eq!(verdicts.iter().filter(|v| **v == Verdict::Heard).count(), 200);
        assert_eq!(verdicts.last(), Some(&Verdict::Enough));
        assert_eq!(verdicts.iter().filter(|v| **v == Verdict::Enough).count(), 1);
    }
}
