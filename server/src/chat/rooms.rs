//! The reels' rooms: made when somebody comes or speaks, forgotten when long empty.

use std::collections::HashMap;

use app::catalog::ChannelId;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{
    history::{Audience, Departure, Event, Feed, Full},
    reactions::ReelReactions,
};

/// Batches that a reader of a room may be behind before it has lagged.
const RING: usize = 32;

/// Rooms remembered while nobody is in them; beyond, the longest empty is forgotten.
const EMPTY_MAX: usize = 1_000;

/// All rooms. Only channels of the list come here, so there are never more than it has had.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: HashMap<ChannelId, Room>,
    empty: usize,
    /// Rooms with something in their next batch.
    stirred: Vec<ChannelId>,
}

#[derive(Debug)]
struct Room {
    audience: Audience,
    watchers: u32,
    left: Instant,
}

impl Rooms {
    /// Whether a room's next batch takes no more.
    pub(super) fn is_full(&self, channel: &ChannelId) -> bool {
        self.rooms.get(channel).is_some_and(|room| room.audience.is_full())
    }

    /// Puts an event into a room's next batch.
    pub(super) fn push(&mut self, channel: &ChannelId, event: Event) -> Result<(), Full> {
        self.room(channel).audience.push(event)?;
        if !self.stirred.contains(channel) {
            self.stirred.push(channel.clone());
        }
        Ok(())
    }

    /// Closes the batches that are due.
    pub(super) fn depart(&mut self) -> Vec<Departure> {
        let stirred = std::mem::take(&mut self.stirred);
        stirred
            .iter()
            .filter_map(|channel| self.rooms.get_mut(channel)?.audience.depart())
            .collect()
    }

    /// Who watches what.
    pub(super) fn counts(&self) -> app::websocket::Rooms {
        let counts = self.rooms.iter().filter(|(_, room)| room.watchers > 0);
        app::websocket::Rooms(
            counts.map(|(channel, room)| (channel.clone(), room.watchers)).collect(),
        )
    }

    /// How many are watched.
    pub(super) fn watched(&self) -> u32 {
        u32::try_from(self.rooms.len() - self.empty).unwrap_or(u32::MAX)
    }

    /// Somebody comes: the room's history, and its batches from here on.
    pub(super) fn come(
        &mut self,
        channel: &ChannelId,
        reactions: Option<&ReelReactions>,
    ) -> (Utf8Bytes, Feed) {
        let room = self.room(channel);
        room.watchers += 1;
        if room.watchers == 1 {
            self.empty -= 1;
        }
        self.look(channel, reactions)
    }

    /// The same for somebody who is there.
    pub(super) fn look(
        &mut self,
        channel: &ChannelId,
        reactions: Option<&ReelReactions>,
    ) -> (Utf8Bytes, Feed) {
        let audience = &mut self.room(channel).audience;
        (audience.history(reactions), audience.feed())
    }

    /// Somebody reacted at a reel.
    pub(super) fn invalidate(&mut self, channel: &ChannelId) {
        if let Some(room) = self.rooms.get_mut(channel) {
            room.audience.invalidate();
        }
    }

    /// Somebody goes.
    pub(super) fn leave(&mut self, channel: &ChannelId, now: Instant) {
        let Some(room) = self.rooms.get_mut(channel) else { return };
        room.watchers -= 1;
        if room.watchers > 0 {
            return;
        }
        room.left = now;
        if room.audience.is_forgettable() {
            self.rooms.remove(channel);
        } else {
            self.empty += 1;
            self.evict();
        }
    }

    fn room(&mut self, channel: &ChannelId) -> &mut Room {
        if !self.rooms.contains_key(channel) {
            self.evict();
            self.empty += 1;
        }
        self.rooms.entry(channel.clone()).or_insert_with(|| Room {
            audience: Audience::new(Some(channel.clone()), RING),
            watchers: 0,
            left: Instant::now(),
        })
    }

    fn evict(&mut self) {
        if self.empty <= EMPTY_MAX {
            return;
        }
        let oldest = self
            .rooms
            .iter()
            .filter(|(_, room)| room.watchers == 0)
            .min_by_key(|(_, room)| room.left)
            .map(|(channel, _)| channel.clone());
        if oldest.is_some_and(|channel| self.rooms.remove(&channel).is_some()) {
            self.empty -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use app::catalog::ChannelId;
    use tokio::time::Instant;

    use super::{EMPTY_MAX, Event, Rooms};

    fn id(number: usize) -> ChannelId {
        ChannelId::parse(&format!("canal{number}")).expect("an id")
    }

    #[test]
    fn empty_rooms_are_forgotten_and_watched_ones_are_not() {
        let mut rooms = Rooms::default();
        let _ = rooms.come(&id(0), None);
        for number in 1..EMPTY_MAX + 50 {
            let event = Event { shared: Some("{}".into()), own: None, said: None };
            rooms.push(&id(number), event).expect("space");
            assert_eq!(rooms.depart().len(), 1);
        }
        assert!(rooms.rooms.len() <= EMPTY_MAX + 2, "{}", rooms.rooms.len());
        assert_eq!(rooms.counts().of(&id(0)), 1);
        rooms.leave(&id(0), Instant::now());
        assert!(rooms.counts().0.is_empty());
        assert_eq!(rooms.rooms.values().filter(|room| room.watchers == 0).count(), rooms.empty);
    }
}
