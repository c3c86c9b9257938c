//! How many sockets there may be, and how many events one may send.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    chat::{Addresses, Bucket, fence},
    config::Rate,
};

/// Events of one socket, whatever they are: room for fifty quick swipes and the talk beside them.
const EVENTS: Rate =
    Rate { count: NonZeroU32::new(200).expect("not zero"), per: Duration::from_secs(10) };

/// Refused events after which a socket is closed with 1008: its program does not listen.
const REFUSED_MAX: u32 = 500;

/// Times the new sockets of one address that all addresses may open together, so that no one of
/// them locks the others out.
const NEW_IN_ALL: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

/// How many sockets one address may have. Room for a whole LAN behind it. All addresses together may
/// open four times as many, and have a quarter more open.
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

impl Limits {
    fn new_in_all(self) -> Rate {
        Rate { count: self.new.count.saturating_mul(NEW_IN_ALL), per: self.new.per }
    }

    fn open_in_all(self) -> usize {
        self.open.saturating_add(self.open.div_ceil(4))
    }
}

/// Counts the sockets in.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    limits: Limits,
    new: Bucket,
    new_by_address: Addresses,
    open: usize,
    /// Only addresses that have some open; so there are never more than sockets.
    open_by_address: HashMap<IpAddr, usize>,
}

/// A place for one socket, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Gate,
    address: IpAddr,
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(Counts {
            limits,
            new: Bucket::default(),
            new_by_address: Addresses::default(),
            open: 0,
            open_by_address: HashMap::new(),
        })))
    }

    /// A place for one socket of this address; `None` where it, or everybody, has too many. What is
    /// refused is not counted.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let (now, address) = (Instant::now(), fence(address));
        let mut counts = self.lock();
        let Counts { limits, new, new_by_address, open, open_by_address } = &mut *counts;
        let own = open_by_address.get(&address).copied().unwrap_or_default();
        if *open >= limits.open_in_all() || own >= limits.open {
            return None;
        }
        let own_new = new_by_address.of(address, now);
        if !new.wait(limits.new_in_all(), now).is_zero() || !own_new.wait(limits.new, now).is_zero()
        {
            return None;
        }
        own_new.spend(limits.new, now);
        new.spend(limits.new_in_all(), now);
        *open += 1;
        open_by_address.insert(address, own + 1);
        Some(Place { gate: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Every change of the counts is whole before anything in it can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.gate.lock();
        counts.open -= 1;
        if let Some(own) = counts.open_by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                counts.open_by_address.remove(&self.address);
            }
        }
    }
}

/// What a socket may ask to be told, in bytes a second, and how many seconds of it at once: a few of
/// the longest histories, and hundreds of usual ones. An event of forty bytes can ask for 200 kB.
const TOLD_A_SECOND: f64 = 256.0 * 1024.0;
const TOLD_AT_ONCE: Duration = Duration::from_secs(8);

/// How much one socket was told because it asked.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    paid_off: Option<Instant>,
}

impl Allowance {
    /// When something may be told again; `None` is now.
    pub(super) fn wait(&self, now: Instant) -> Option<Instant> {
        self.paid_off.and_then(|paid_off| paid_off.checked_sub(TOLD_AT_ONCE)).filter(|at| *at > now)
    }

    /// Counts what is told, however long it is.
    pub(super) fn spend(&mut self, bytes: usize, now: Instant) {
        #[expect(clippy::cast_precision_loss, reason = "no answer has 2^53 bytes")]
        let cost = Duration::from_secs_f64(bytes as f64 / TOLD_A_SECOND);
        self.paid_off = Some(self.paid_off.map_or(now, |paid_off| paid_off.max(now)) + cost);
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
    use std::{net::IpAddr, time::Duration};

    use tokio::time::{Instant, advance};

    use super::{Allowance, Gate, Limits, Pace, Verdict};

    fn host(n: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, n])
    }

    #[tokio::test(start_paused = true)]
    async fn the_gate_counts_new_and_open_sockets() {
        let gate = Gate::new(Limits { new: "3/1".parse().expect("a rate"), open: 4 });
        let places: Vec<_> = (0..5).map(|_| gate.enter(host(1))).collect();
        assert_eq!(places.iter().flatten().count(), 3);
        advance(Duration::from_secs(1)).await;
        let more: Vec<_> = (0..3).map(|_| gate.enter(host(1))).collect();
        assert_eq!(more.iter().flatten().count(), 1);
        drop(places);
        advance(Duration::from_secs(1)).await;
        assert!(gate.enter(host(1)).is_some());
        drop(more);
        assert!(gate.lock().open_by_address.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_takes_the_places_of_another() {
        let gate = Gate::new(Limits { new: "100/1".parse().expect("a rate"), open: 8 });
        let greedy: Vec<_> = (0..1_000).filter_map(|_| gate.enter(host(1))).collect();
        assert_eq!(greedy.len(), 8);
        let others: Vec<_> = (2..9).filter_map(|n| gate.enter(host(n))).collect();
        // Together a quarter more than one of them.
        assert_eq!(others.len(), 2);
        drop((greedy, others));
        assert_eq!(gate.lock().open, 0);
        // Opening and closing all the time takes no more than one address's share either.
        advance(Duration::from_secs(1)).await;
        let entered = (0..1_000).filter(|_| gate.enter(host(1)).is_some()).count();
        assert_eq!(entered, 100);
        assert!(gate.enter(host(2)).is_some());
    }

    #[test]
    fn who_asked_for_much_waits_until_it_is_paid_off() {
        let now = Instant::now();
        let mut allowance = Allowance::default();
        assert_eq!(allowance.wait(now), None);
        allowance.spend(1 << 20, now);
        assert_eq!(allowance.wait(now), None);
        allowance.spend(2 << 20, now);
        let wait = allowance.wait(now).expect("too much").duration_since(now);
        assert_eq!(wait, Duration::from_secs(4));
        assert_eq!(allowance.wait(now + wait), None);
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
