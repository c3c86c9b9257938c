//! How many connections there are, in all and from one address. When all places are taken, who asks
//! for nothing gives way: first of the address that wants one more, else of the one that has most.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use crate::config::{Cidr, List};

/// Descriptors that are taken by the program itself: watchers, threads, the cache and its stores.
const OWN: u64 = 256;
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
}

impl Bounds {
    /// What the descriptors of this process allow.
    pub(super) fn of_process() -> Self {
        Self::of_descriptors(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    /// A quarter of what is not taken by the program itself is for the files that are sent.
    fn of_descriptors(limit: u64) -> Self {
        let free = limit.saturating_sub(OWN).max(limit / 2);
        let open = (free / 4 * 3).clamp(8, OPEN_MAX);
        let index = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Self { open: index(open), of_one: index((open / 4 * 3).max(4)) }
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
}

#[derive(Debug)]
struct Seat {
    number: u64,
    /// `None` for a proxy that speaks for many.
    address: Option<IpAddr>,
    /// Since when nothing is asked for, in milliseconds of our clock from 1 on; [`BUSY`] else.
    idle_since: AtomicU64,
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
        let Bounds { open, of_one } = self.0.bounds;
        let mut taken = self.taken();
        let own = address.filter(|address| taken.of.get(address).is_some_and(|n| *n >= of_one));
        if own.is_some() || taken.by_number.len() >= open {
            // Whoever has most has them for nothing, or is the house itself.
            let most = || taken.of.iter().max_by_key(|(_, count)| **count).map(|(of, _)| *of);
            let from = own.or_else(most);
            let mut gone = self.dismiss(&mut taken, from);
            if gone.is_none() && own.is_none() {
                gone = self.dismiss(&mut taken, None);
            }
            gone?;
        }
        taken.last += 1;
        let seat = Arc::new(Seat {
            number: taken.last,
            address,
            idle_since: AtomicU64::new(self.now()),
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
        let mut taken = self.taken();
        let most = taken.of.iter().max_by_key(|(_, count)| **count).map(|(of, _)| *of);
        let _ = self.dismiss(&mut taken, most);
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
        let Some(address) = seat.address else { return };
        if let Some(count) = self.of.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&address);
            }
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
        self.connections.taken().leave(&self.seat);
    }
}

impl Sitter {
    /// Waits until the place is needed for somebody else.
    pub(super) fn gives_way(&self) -> WaitForCancellationFuture<'_> {
        self.seat.gives_way.cancelled()
    }

    /// A request has come. HTTP/1 answers one at a time.
    pub(super) fn busy(&self) -> Busy {
        self.seat.idle_since.store(BUSY, Ordering::Relaxed);
        Busy { sitter: self.clone(), for_ever: false }
    }
}

impl Busy {
    /// The connection has become something else than HTTP, which never gives way.
    pub(super) fn for_ever(mut self) {
        self.for_ever = true;
    }

    /// A body that holds this until it has left.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Sending { body, _busy: self })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if !self.for_ever {
            let Sitter { connections, seat } = &self.sitter;
            seat.idle_since.store(connections.now(), Ordering::Relaxed);
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
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use tokio::time::advance;

    use super::{Bounds, Connections, Place};
    use crate::config::List;

    fn peer(address: &str) -> SocketAddr {
        format!("{address}:4000").parse().expect("an address")
    }

    fn connections(open: usize, of_one: usize) -> Connections {
        let trusted = vec!["10.0.0.0/8".parse().expect("a network")];
        Connections::new(Bounds { open, of_one }, List(trusted))
    }

    #[test]
    fn a_lan_behind_one_address_has_room_where_the_system_has() {
        let of = Bounds::of_descriptors;
        assert!(of(20_000).of_one >= 10_000 && of(20_000).open < 16_000);
        assert!(of(1 << 40).open <= 32_768 && of(1 << 40).of_one > 20_000);
        for limit in [64, 256, 1_024, 4_096, 20_000, 1_048_576] {
            let Bounds { open, of_one } = of(limit);
            let open = u64::try_from(open).expect("few");
            assert!(open * 2 <= limit * 3 / 2 && limit - open >= limit / 4, "{limit}: {open}");
            assert!(of_one >= 4 && (of_one as u64) < open, "{limit}: {of_one} of {open}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_never_has_all_places_and_a_proxy_may() {
        let all = connections(10, 6);
        let own: Vec<Place> = (0..6).filter_map(|_| all.enter(peer("192.168.1.5"))).collect();
        assert_eq!(own.len(), 6);
        let busy: Vec<_> = own.iter().map(|place| place.sitter().busy()).collect();
        advance(Duration::from_secs(5)).await;
        assert!(all.enter(peer("192.168.1.5")).is_none(), "its share is full");
        assert!(all.enter(peer("[::ffff:192.168.1.5]")).is_none(), "however it writes its address");
        let others: Vec<_> = (0..4).filter_map(|_| all.enter(peer("10.1.2.3"))).collect();
        assert_eq!(others.len(), 4);
        drop((busy, own));
        let proxied: Vec<_> = (0..9).filter_map(|_| all.enter(peer("10.1.2.3"))).collect();
        assert_eq!(proxied.len(), 6, "a proxy has as many as there are");
    }

    #[tokio::test(start_paused = true)]
    async fn networks_count_as_one_host() {
        let all = connections(10, 2);
        let held = [all.enter(peer("[2001:db8::1]")), all.enter(peer("[2001:db8::2]"))];
        assert!(held.iter().all(Option::is_some));
        assert!(all.enter(peer("[2001:db8::3]")).is_none());
        assert!(all.enter(peer("[2001:db8:0:1::3]")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_nothing_gives_way() {
        let all = connections(4, 3);
        let idle = all.enter(peer("192.0.2.1")).expect("a place");
        advance(Duration::from_secs(1)).await;
        let later = all.enter(peer("192.0.2.1")).expect("a place");
        let asks = all.enter(peer("192.0.2.1")).expect("a place");
        let asked = asks.sitter().busy();
        let fourth = all.enter(peer("192.0.2.1")).expect("the oldest gives way");
        assert!(idle.sitter().seat.gives_way.is_cancelled());
        assert!(!later.sitter().seat.gives_way.is_cancelled());
        assert!(
            all.enter(peer("192.0.2.1")).is_none(),
            "the others are young, or asked for something"
        );
        // From another address there is one place; then one of the first has to give way.
        let other = all.enter(peer("192.0.2.2")).expect("a place");
        advance(Duration::from_secs(1)).await;
        let third = all.enter(peer("192.0.2.3")).expect("who has most gives one up");
        let gave = [&later, &fourth].map(|place| place.sitter().seat.gives_way.is_cancelled());
        assert!(gave[0] != gave[1], "one of them: {gave:?}");
        // A socket is no request that ends.
        asked.for_ever();
        advance(Duration::from_secs(3_600)).await;
        for _ in 0..9 {
            all.make_room();
        }
        assert!(!asks.sitter().seat.gives_way.is_cancelled());
        drop((idle, later, asks, fourth, other, third));
        assert!(all.taken().of.is_empty() && all.taken().by_number.is_empty());
    }
}
