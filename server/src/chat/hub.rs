//! The hub of one node: every member goes in and out here, and one task sends what they said.
//!
//! State lies behind one short-held `std` mutex rather than in a task of its own: each call is a
//! few map operations, callers get their answer without a round trip through a queue, and there is
//! no queue to bound. Nothing is sent and nothing awaited while it is held. A `Bus` between
//! several nodes would stand between [`ChatHub`] and the audiences' `push`.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::{
    catalog::ChannelId,
    websocket::{Message, ServerEvent},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use super::{
    history::{Audience, Departure, Event, Feed, to_json},
    member::Member,
    presence::{People, SocketId},
    rate::{Addresses, Bucket},
    reaction::{ReactionKind, Toggled},
    reactions::{ReactionStore, Tenths},
    rooms::Rooms,
};
use crate::{config::Rate, tasks::Tasks};

/// The time in which events gather for one frame. The first after a quiet moment leaves at once.
const TICK: Duration = Duration::from_millis(10);

/// Batches that a reader of everybody's chat may be behind before it has lagged.
const EVERYBODY_RING: usize = 128;

/// The least time between two counts.
const COUNT_EVERY: Duration = Duration::from_millis(500);

/// Bytes a second that counts may cost all sockets together; beyond, they become less frequent.
const COUNT_BYTES_PER_SECOND: u64 = 16 * 1024 * 1024;

/// How fast people may talk.
#[derive(Clone, Copy, Debug)]
pub struct ChatRates {
    /// Messages of a person.
    pub person: Rate,
    /// Messages of an address, whoever sends them; also what counts before a join.
    pub address: Rate,
}

/// The chat of this node. A cheap clone.
#[derive(Clone, Debug)]
pub struct ChatHub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) rates: ChatRates,
    pub(super) people: People,
    everybody: Audience,
    rooms: Rooms,
    store: ReactionStore,
    totals: Totals,
    addresses: Addresses,
    sockets: u32,
    last_socket: u64,
    last_id: (u64, u32),
    count: Count,
}

#[derive(Debug)]
struct Count {
    changed: bool,
    next: Instant,
}

/// Sums of the whole chat since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Reels that somebody watches now.
    pub rooms: u32,
    /// Messages said.
    pub messages: u64,
    /// ReactionStore, likes taken back among them.
    pub reactions: u64,
}

/// Where things stand for one socket: what it has missed is in here, what comes is in the feeds.
#[derive(Debug)]
pub struct Snapshot {
    /// Everybody's `history`, as an event.
    pub history: Utf8Bytes,
    /// The `user_count`, as an event.
    pub count: Utf8Bytes,
    /// Everybody's batches from here on.
    pub everybody: Feed,
}

impl ChatHub {
    /// Starts the hub and the task that sends; the task ends with `tasks`.
    pub fn start(rates: ChatRates, tasks: impl Into<Tasks>) -> Self {
        let now = Instant::now();
        let state = State {
            rates,
            people: People::new(now),
            everybody: Audience::new(None, EVERYBODY_RING),
            rooms: Rooms::default(),
            store: ReactionStore::default(),
            totals: Totals::default(),
            addresses: Addresses::default(),
            sockets: 0,
            last_socket: 0,
            last_id: (0, 0),
            count: Count { changed: false, next: now },
        };
        let hub = Self(Arc::new(Inner { state: Mutex::new(state), wake: Notify::new() }));
        let (tasks, sending) = (tasks.into(), hub.clone());
        let owner = tasks.clone();
        tasks.spawn(async move {
            let mut life = owner.life("chat_task_ended");
            while life.run(sending.send_batches(owner.stop())).await {}
        });
        hub
    }

    /// Where the numbers stand.
    pub fn totals(&self) -> Totals {
        let state = self.lock();
        Totals { rooms: state.rooms.watched(), ..state.totals }
    }

    /// Lets a new socket in.
    pub fn enter(&self, address: IpAddr) -> Member {
        let mut state = self.lock();
        state.sockets += 1;
        state.last_socket += 1;
        state.count.changed = true;
        let socket = SocketId(state.last_socket);
        drop(state);
        self.wake();
        Member::new(self.clone(), socket, address)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything in it can panic.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.0.wake.notify_one();
    }

    async fn send_batches(&self, shutdown: &CancellationToken) {
        loop {
            let (departures, count_at) = self.lock().depart(Instant::now());
            let sent = !departures.is_empty();
            for (sender, batch) in departures {
                // Nobody listening is no failure: history has it.
                let _ = sender.send(batch);
            }
            let count_due = async {
                match count_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(TICK), if sent => {}
                () = self.0.wake.notified(), if !sent => {}
                () = count_due, if !sent => {}
            }
        }
    }
}

impl State {
    /// Closes the batches that are due; says when the next count is, if one is owed.
    fn depart(&mut self, now: Instant) -> (Vec<Departure>, Option<Instant>) {
        if self.count.changed && now >= self.count.next {
            let count = Event::shared(&self.user_count());
            let bytes = count.shared.as_ref().map_or(0, |text| text.len() as u64);
            let cost = bytes * u64::from(self.sockets) * 1_000 / COUNT_BYTES_PER_SECOND;
            // A full batch leaves now anyway; the count goes with the next one.
            if self.everybody.push(count).is_ok() {
                self.count.changed = false;
                self.count.next = now + COUNT_EVERY.max(Duration::from_millis(cost));
            }
        }
        let mut departures = self.rooms.depart();
        departures.extend(self.everybody.depart());
        (departures, self.count.changed.then_some(self.count.next))
    }

    fn user_count(&self) -> ServerEvent {
        ServerEvent::UserCount { count: self.sockets, channels: self.rooms.counts() }
    }

    pub(super) fn snapshot(&mut self) -> Snapshot {
        Snapshot {
            history: self.everybody.history(None),
            count: to_json(&self.user_count()).into(),
            everybody: self.everybody.feed(),
        }
    }

    /// Whether the next batch of a room or of everybody takes no more. Who asks before anything else
    /// is done, and under the same lock, can refuse what then has not happened.
    pub(super) fn is_full(&self, channel: Option<&ChannelId>) -> bool {
        match channel {
            Some(channel) => self.rooms.is_full(channel),
            None => self.everybody.is_full(),
        }
    }

    /// Puts an event into the next batch of a room or of everybody. Whether there was space.
    pub(super) fn push(&mut self, channel: Option<&ChannelId>, event: Event) -> bool {
        match channel {
            Some(channel) => self.rooms.push(channel, event).is_ok(),
            None => self.everybody.push(event).is_ok(),
        }
    }

    /// A socket goes from one room to another; the other's history, and its batches from here on.
    pub(super) fn watch(
        &mut self,
        before: Option<&ChannelId>,
        channel: &ChannelId,
        now: Instant,
    ) -> (Utf8Bytes, Feed) {
        if before == Some(channel) {
            return self.look(channel);
        }
        self.unwatch(before, now);
        self.count.changed = true;
        self.rooms.come(channel, self.store.of(channel))
    }

    pub(super) fn look(&mut self, channel: &ChannelId) -> (Utf8Bytes, Feed) {
        self.rooms.look(channel, self.store.of(channel))
    }

    /// Somebody reacts at a reel, or a like is taken back; answers the likes that stand.
    pub(super) fn feel(
        &mut self,
        kind: ReactionKind,
        channel: &ChannelId,
        at: Tenths,
        toggled: Toggled,
    ) -> u32 {
        self.totals.reactions += 1;
        self.rooms.invalidate(channel);
        match toggled {
            Toggled::On => self.store.add(kind, channel, at),
            Toggled::Off(given) => self.store.take_back(channel, given),
        }
    }

    /// Likes of somebody who had given them already.
    pub(super) fn take_back(&mut self, likes: Vec<(ChannelId, Tenths)>) {
        for (channel, at) in likes {
            self.rooms.invalidate(&channel);
            self.store.take_back(&channel, at);
        }
    }

    pub(super) fn unwatch(&mut self, channel: Option<&ChannelId>, now: Instant) {
        if let Some(channel) = channel {
            self.rooms.leave(channel, now);
            self.count.changed = true;
        }
    }

    pub(super) fn leave(&mut self) {
        self.sockets -= 1;
        self.count.changed = true;
    }

    /// The rate of an address.
    pub(super) fn address(&mut self, address: IpAddr, now: Instant) -> &mut Bucket {
        self.addresses.of(address, now)
    }

    /// A message with the next id: milliseconds and a running number, both of fixed width, so that
    /// ids ascend as text and as time even if the clock is set back.
    pub(super) fn message(
        &mut self,
        username: &str,
        text: &str,
        channel: Option<ChannelId>,
    ) -> Message {
        self.totals.messages += 1;
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ts = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (last, number) = self.last_id;
        self.last_id = match number {
            _ if ts > last => (ts, 0),
            9_999 => (last + 1, 0),
            _ => (last, number + 1),
        };
        Message {
            id: format!("{:013}-{:04}", self.last_id.0, self.last_id.1),
            username: username.to_owned(),
            text: text.to_owned(),
            channel,
            ts,
            nonce: None,
        }
    }
}

#[cfg(test)]
mod tests;
