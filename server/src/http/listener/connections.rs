//! How many connections there are, in all and from one address, and over how many of them an answer
//! is being sent. When all places are taken, who asks for nothing gives way: first of the address that
//! wants one more, else of the one that has most.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::timed::Held;
use crate::config::{Cidr, List};

/// Descriptors that are taken by the program itself: watchers, threads, the cache and its stores.
const OWN: u64 = 384;
/// More connections are never open, however many descriptors there are.
const OPEN_MAX: u64 = 32_768;
/// A connection gives way when it has asked for nothing for so long: the first request of a new one
/// may still be on its way.
const GIVES_WAY: Duration = Duration::from_millis(500);
/// What stands for a request that is being answered.
const BUSY: u64 = 0;

/// Lets this program open as many files as the system allows it: shells and services begin with
/// a soft limit of 1,024, which some hundred viewers use up.
pub(super) fn raise_descriptors() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(kind = %error.kind(), ?current, "The limit of open files cannot be raised.");
    }
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// In all.
    pub(super) open: usize,
    /// From one address, behind which a whole LAN may be.
    pub(super) of_one: usize,
    /// Answers that are being sent: each may hold a file besides its socket, and who takes none of it
    /// holds that for a minute.
    pub(super) answers: usize,
    /// To one address.
    pub(super) answers_of_one: usize,
}

impl Bounds {
    /// What the descriptors of this process allow.
    pub(super) fn of_process() -> Self {
        Self::of_descriptors(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    /// A quarter of what is not taken by the program itself is for the files that are sent, of which
    /// one address has half.
    fn of_descriptors(limit: u64) -> Self {
        let free = limit.saturating_sub(OWN).max(limit / 2);
        let open = (free / 4 * 3).clamp(8, OPEN_MAX);
        let answers = (free / 4).clamp(6, OPEN_MAX);
        let index = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            open: index(open),
            of_one: index((open / 4 * 3).max(4)),
            answers: index(answers),
            answers_of_one: index((answers / 2).max(4)),
        }
    }
}

/// The places of all connections; a cheap clone.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bounds: Bounds,
    /// Proxies speak for many.
    trusted: List<Cidr>,
    taken: Mutex<Taken>,
    began: Instant,
}

#[derive(Debug, Default)]
struct Taken {
    last: u64,
    by_number: HashMap<u64, Arc<Seat>>,
    /// How many each address has.
    of: HashMap<IpAddr, usize>,
    /// How many answers are being sent, and to each address.
    answers: usize,
    answers_of: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Seat {
    number: u64,
    /// `None` for a proxy that speaks for many.
    address: Option<IpAddr>,
    /// Since when nothing is asked for and all is written, in milliseconds of our clock from 1 on;
    /// [`BUSY`] else.
    idle_since: AtomicU64,
    /// A request is being answered, of which not all has been handed to HTTP.
    is_asked: AtomicBool,
    /// It counts among the answers that are being sent.
    sends: AtomicBool,
    gives_way: CancellationToken,
}

/// The place of one connection, as long as it is held.
#[derive(Debug)]
pub(super) struct Place {
    connections: Connections,
    seat: Arc<Seat>,
}

/// What the task of a connection knows of its place.
#[derive(Clone, Debug)]
pub(super) struct Sitter {
    connections: Connections,
    seat: Arc<Seat>,
}

/// A request that is being answered, as long as it is held.
#[derive(Debug)]
pub(super) struct Busy {
    sitter: Sitter,
    for_ever: bool,
}

impl Connections {
    pub(super) fn new(bounds: Bounds, trusted: List<Cidr>) -> Self {
        let (taken, began) = (Mutex::default(), Instant::now());
        Self(Arc::new(Inner { bounds, trusted, taken, began }))
    }

    /// A place for who comes from `peer`; `None` where there is none for now.
    pub(super) fn enter(&self, peer: SocketAddr) -> Option<Place> {
        let peer = peer.ip().to_canonical();
        let speaks_for_many = self.0.trusted.0.iter().any(|cidr| cidr.0.contains(&peer));
        let address = (!speaks_for_many).then(|| network(peer));
        let Bounds { open, of_one, .. } = self.0.bounds;
        let mut taken = self.taken();
        let own = address.filter(|address| taken.of.get(address).is_some_and(|n| *n >= of_one));
        if own.is_some() || taken.by_number.len() >= open {
            match own {
                Some(_) => self.dismiss(&mut taken, own)?,
                None => self.dismiss_any(&mut taken)?,
            }
        }
        taken.last += 1;
        let seat = Arc::new(Seat {
            number: taken.last,
            address,
            idle_since: AtomicU64::new(self.now()),
            is_asked: AtomicBool::new(false),
            sends: AtomicBool::new(false),
            gives_way: CancellationToken::new(),
        });
        taken.by_number.insert(seat.number, seat.clone());
        if let Some(address) = address {
            *taken.of.entry(address).or_default() += 1;
        }
        drop(taken);
        Some(Place { connections: self.clone(), seat })
    }

    /// Lets one connection give way that asks for nothing, where there is one.
    pub(super) fn make_room(&self) {
        let _ = self.dismiss_any(&mut self.taken());
    }

    /// Of whoever has most, who has them for nothing or is the house itself; where all of those are
    /// busy, of anybody.
    fn dismiss_any(&self, taken: &mut Taken) -> Option<()> {
        let most = taken.of.iter().max_by_key(|(_, count)| **count).map(|(of, _)| *of);
        self.dismiss(taken, most).or_else(|| self.dismiss(taken, None))
    }

    /// Who has asked for nothing for the longest gives way, of this address if there is one.
    fn dismiss(&self, taken: &mut Taken, from: Option<IpAddr>) -> Option<()> {
        let now = self.now();
        let least = u64::try_from(GIVES_WAY.as_millis()).unwrap_or(u64::MAX);
        let idle = taken.by_number.values().filter_map(|seat| {
            let since = seat.idle_since.load(Ordering::Relaxed);
            let is_idle = since != BUSY && now.saturating_sub(since) >= least;
            (is_idle && (from.is_none() || seat.address == from)).then_some((since, seat))
        });
        let seat = idle.min_by_key(|(since, _)| *since).map(|(_, seat)| seat.clone())?;
        taken.leave(&seat);
        seat.gives_way.cancel();
        Some(())
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}

impl Taken {
    fn leave(&mut self, seat: &Seat) {
        // Who gave way has left before.
        if self.by_number.remove(&seat.number).is_none() {
            return;
        }
        if let Some(address) = seat.address {
            one_less(&mut self.of, address);
        }
    }

    /// One more answer is being sent, if there may be.
    fn begin(&mut self, seat: &Seat, bounds: Bounds) -> bool {
        if seat.sends.load(Ordering::Relaxed) {
            // Who asks for the next before the last has left.
            return true;
        }
        let held = seat.address.and_then(|address| self.answers_of.get(&address));
        let has_its_share = held.is_some_and(|held| *held >= bounds.answers_of_one);
        if has_its_share || self.answers >= bounds.answers {
            return false;
        }
        self.answers += 1;
        if let Some(address) = seat.address {
            *self.answers_of.entry(address).or_default() += 1;
        }
        seat.sends.store(true, Ordering::Relaxed);
        true
    }

    fn end(&mut self, seat: &Seat) {
        if seat.sends.swap(false, Ordering::Relaxed) {
            self.answers -= 1;
            if let Some(address) = seat.address {
                one_less(&mut self.answers_of, address);
            }
        }
    }
}

fn one_less(counts: &mut HashMap<IpAddr, usize>, address: IpAddr) {
    if let Some(count) = counts.get_mut(&address) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&address);
        }
    }
}

impl Place {
    /// What the task of the connection is to know.
    pub(super) fn sitter(&self) -> Sitter {
        Sitter { connections: self.connections.clone(), seat: self.seat.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.connections.taken();
        taken.end(&self.seat);
        taken.leave(&self.seat);
    }
}

impl Held for Place {
    /// What HTTP has taken of an answer has left only now. Asked again while a request comes in, this
    /// changes nothing: who sends a byte at a time is idle all the while.
    fn all_is_written(&self) {
        let seat = &self.seat;
        let waits = seat.idle_since.load(Ordering::Relaxed) == BUSY;
        if waits && !seat.is_asked.load(Ordering::Relaxed) {
            self.connections.taken().end(seat);
            seat.idle_since.store(self.connections.now(), Ordering::Relaxed);
        }
    }
}

impl Sitter {
    /// Waits until the place is needed for somebody else.
    pub(super) fn gives_way(&self) -> WaitForCancellationFuture<'_> {
        self.seat.gives_way.cancelled()
    }

    /// A request has come. HTTP/1 answers one at a time.
    pub(super) fn busy(&self) -> Busy {
        self.seat.is_asked.store(true, Ordering::Relaxed);
        self.seat.idle_since.store(BUSY, Ordering::Relaxed);
        Busy { sitter: self.clone(), for_ever: false }
    }
}

impl Busy {
    /// The connection has become something else than HTTP, which never gives way.
    pub(super) fn for_ever(mut self) {
        self.for_ever = true;
    }

    /// Whether an answer may be sent now; if not, that is to be said in a few bytes.
    pub(super) fn may_send(&self) -> bool {
        let Sitter { connections, seat } = &self.sitter;
        connections.taken().begin(seat, connections.0.bounds)
    }

    /// A body that holds this until HTTP has taken all of it.
    pub(super) fn until_taken(self, body: Body) -> Body {
        Body::new(Sending { body, _busy: self })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if !self.for_ever {
            self.sitter.seat.is_asked.store(false, Ordering::Relaxed);
        }
    }
}

/// A body as it is, with the request that it answers.
struct Sending {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Of IPv6 the network counts: a host has all of it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
