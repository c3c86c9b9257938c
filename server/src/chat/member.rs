//! What one socket may do in the chat. Dropping it leaves.

use std::{mem, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use app::{catalog::ChannelId, websocket::ServerEvent};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{
    history::{Event, Feed, StoredMessage, to_json},
    hub::{ChatHub, Snapshot},
    nonce::RecentNonces,
    presence::{SocketId, Token},
    reaction::{Likes, ReactionKind, Toggled},
    reactions::Tenths,
    text::{MessageText, TextError, Username},
};
use crate::config::Rate;

/// ReactionStore of a person: a burst of twenty, then two a second.
const REACTIONS: Rate =
    Rate { count: NonZeroU32::new(20).expect("not zero"), per: Duration::from_secs(10) };

/// When to come back where a batch had no space left.
const FULL_RETRY: Duration = Duration::from_secs(1);

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only `join` comes before `chat_message`.
    #[error("Choose a name first: nobody has joined on this connection.")]
    NotJoined,
    /// Not 1–24 visible characters.
    #[error("A name has 1 to 24 visible characters.")]
    BadUsername,
    /// Over 500 characters.
    #[error("A message has at most 500 characters.")]
    TooLong,
    /// Over the rate.
    #[error("That was too fast; wait a moment and send it again.")]
    SlowDown(
        /// How long to wait.
        Duration,
    ),
    /// Not of the socket's language; the sentence says what.
    #[error("{0}")]
    BadRequest(&'static str),
}

/// One open socket in the chat.
#[derive(Debug)]
pub struct Member {
    hub: ChatHub,
    socket: SocketId,
    address: IpAddr,
    person: Option<Token>,
    room: Option<ChannelId>,
    /// Likes given before a join.
    likes: Likes,
}

impl Member {
    pub(super) fn new(hub: ChatHub, socket: SocketId, address: IpAddr) -> Self {
        Self { hub, socket, address, person: None, room: None, likes: Likes::default() }
    }

    /// Names this socket in batches.
    pub fn socket(&self) -> SocketId {
        self.socket
    }

    /// Where everybody's chat stands, and what comes after.
    pub fn snapshot(&self) -> Snapshot {
        self.hub.lock().snapshot()
    }

    /// Where the watched room stands, and what comes after.
    pub fn room(&self) -> Option<(Utf8Bytes, Feed)> {
        self.room.as_ref().map(|channel| self.hub.lock().look(channel))
    }

    /// Takes a name, or with a token of the last 24 hours the name that goes with it: this socket is
    /// one more of that person then. Without one, somebody who has joined here takes another name
    /// and stays the same person.
    pub fn join(&mut self, wish: &str, token: Option<&str>) -> Result<Utf8Bytes, Refusal> {
        let now = Instant::now();
        let mut state = self.hub.lock();
        let known = token.and_then(|token| token.parse::<Token>().ok());
        let back = known.and_then(|token| state.people.come_back(token, self.socket, now));
        let joined = match back {
            Some(joined) => joined,
            None => {
                let wish = Username::parse(wish).map_err(|_| Refusal::BadUsername)?;
                state.people.come(self.person, self.socket, &wish, now)
            }
        };
        if let Some(before) = self.person.filter(|before| *before != joined.token) {
            state.people.leave(before, self.socket, now);
        }
        self.person = Some(joined.token);
        let likes = mem::take(&mut self.likes);
        if let Some(person) = state.people.speaker(joined.token, self.socket) {
            let twice = person.likes.take_over(likes);
            state.take_back(twice);
        }
        for (socket, name, token) in joined.renamed {
            let told =
                Event { shared: None, own: Some((socket, announce(&name, token))), said: None };
            // Where the batch is full, its owner sees the new name at its next message.
            state.push(None, told);
            self.hub.wake();
        }
        Ok(announce(&joined.name, joined.token))
    }

    /// Says something to everybody or to a room. Answers only where the sender would not get the
    /// message with the next batch: a repeat, or a room that it does not watch.
    pub fn say(
        &mut self,
        text: &str,
        channel: Option<ChannelId>,
        nonce: Option<&str>,
    ) -> Result<Option<Utf8Bytes>, Refusal> {
        let now = Instant::now();
        let mut state = self.hub.lock();
        let (socket, rates) = (self.socket, state.rates);
        let person = self.person.and_then(|token| state.people.speaker(token, socket));
        let Some(person) = person else {
            return Err(Refusal::NotJoined);
        };
        if nonce.is_some_and(|nonce| nonce.chars().count() > RecentNonces::MAX_CHARS) {
            return Err(Refusal::BadRequest("A nonce has at most 36 characters."));
        }
        if let Some(said) = nonce.and_then(|nonce| person.nonces.said(nonce, now)) {
            return Ok(Some(said.event(nonce)));
        }
        let text = MessageText::parse(text).map_err(|error| match error {
            TextError::TooLong => Refusal::TooLong,
            TextError::Empty | TextError::Character => {
                Refusal::BadRequest("A message has something to read in it.")
            }
        })?;
        let wait = person.rate.wait(rates.person, now);
        let name = person.name.clone();
        let wait = wait.max(state.address(self.address, now).wait(rates.address, now));
        if !wait.is_zero() {
            return Err(Refusal::SlowDown(wait));
        }
        // What is refused has not happened: from here on nothing can be.
        if state.is_full(channel.as_ref()) {
            return Err(Refusal::SlowDown(FULL_RETRY));
        }

        let said =
            Arc::new(StoredMessage::new(&state.message(name.as_str(), text.as_str(), channel)));
        let own = nonce.map(|_| said.event(nonce));
        let event = Event {
            shared: Some(said.event(None)),
            own: own.clone().map(|own| (socket, own)),
            said: Some(said.clone()),
        };
        state.push(said.channel.as_ref(), event);
        state.address(self.address, now).spend(rates.address, now);
        if let Some(person) = self.person.and_then(|token| state.people.speaker(token, socket)) {
            person.rate.spend(rates.person, now);
            if let Some(nonce) = nonce {
                person.nonces.remember(nonce, said.clone(), now);
            }
        }
        drop(state);
        self.hub.wake();
        let hears = said.channel.is_none() || said.channel == self.room;
        Ok(own.filter(|_| !hears))
    }

    /// Goes from one room to another; the answer is its history, and its batches from here on.
    pub fn watch(&mut self, channel: &ChannelId) -> (Utf8Bytes, Feed) {
        let mut state = self.hub.lock();
        let answer = state.watch(self.room.as_ref(), channel, Instant::now());
        self.room = Some(channel.clone());
        drop(state);
        self.hub.wake();
        answer
    }

    /// Feels something at a moment of a reel; everybody is told. A second like takes it back.
    pub fn react(
        &mut self,
        kind: ReactionKind,
        channel: ChannelId,
        at_s: f64,
    ) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut state = self.hub.lock();
        let (socket, rates) = (self.socket, state.rates);
        let mut wait = state.address(self.address, now).wait(rates.address, now);
        let full = state.is_full(None);
        let person = self.person.and_then(|token| state.people.speaker(token, socket));
        if let Some(person) = &person {
            wait = wait.max(person.reactions.wait(REACTIONS, now));
        }
        if !wait.is_zero() {
            return Err(Refusal::SlowDown(wait));
        }
        // What is refused has not happened: from here on nothing can be.
        if full {
            return Err(Refusal::SlowDown(FULL_RETRY));
        }
        let username = person.as_ref().map(|person| person.name.as_str().to_owned());
        let likes = match person {
            Some(person) => {
                person.reactions.spend(REACTIONS, now);
                &mut person.likes
            }
            None => &mut self.likes,
        };
        let at = Tenths::of(at_s);
        let like = kind == ReactionKind::Like;
        let toggled = if like { likes.toggle(&channel, at) } else { Toggled::On };
        let stand = state.feel(kind, &channel, at, toggled);
        let (on, likes) = (toggled == Toggled::On, like.then_some(stand));
        let kind = kind.as_str().to_owned();
        let event = ServerEvent::Reaction { kind, channel, at_s, username, on, likes };
        state.push(None, Event::shared(&event));
        state.address(self.address, now).spend(rates.address, now);
        drop(state);
        self.hub.wake();
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.hub.lock();
        if let Some(token) = self.person {
            state.people.leave(token, self.socket, now);
        }
        // Nobody could take back what was liked without a name: it ends with its socket.
        let nameless = mem::take(&mut self.likes);
        state.take_back(nameless.into_all());
        state.unwatch(self.room.as_ref(), now);
        state.leave();
        drop(state);
        self.hub.wake();
    }
}

fn announce(name: &Username, token: Token) -> Utf8Bytes {
    let event =
        ServerEvent::Joined { username: name.as_str().to_owned(), token: token.to_string() };
    to_json(&event).into()
}
