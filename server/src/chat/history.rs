//! One audience, everybody or a reel's room: the last 100 messages, and the batches on their way.
//!
//! History holds exactly what has left in a batch, and every batch has a number: who takes a
//! [`Feed`] together with the history gets each message once, in one or in the other.

use std::{collections::VecDeque, mem, sync::Arc};

use app::{
    catalog::ChannelId,
    websocket::{Message, ServerEvent},
};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{presence::SocketId, reactions::ReelReactions};

/// Messages kept of each audience.
const HISTORY_MAX: usize = 100;

/// Events waiting for the next batch of one audience; beyond, senders are told to slow down.
const PENDING_MAX: usize = 2_048;

/// One message, serialised once.
#[derive(Debug)]
pub(super) struct StoredMessage {
    /// The object without its `type`, as it stands in a history.
    object: Box<str>,
    pub(super) channel: Option<ChannelId>,
}

impl StoredMessage {
    pub(super) fn new(message: &Message) -> Self {
        Self { object: to_json(message).into(), channel: message.channel.clone() }
    }

    /// The event; `nonce` only for its own sender.
    pub(super) fn event(&self, nonce: Option<&str>) -> Utf8Bytes {
        let body = &self.object[1..self.object.len() - 1];
        match nonce.map(|nonce| to_json(&nonce)) {
            None => format!(r#"{{"type":"chat_message",{body}}}"#),
            Some(nonce) => format!(r#"{{"type":"chat_message",{body},"nonce":{nonce}}}"#),
        }
        .into()
    }
}

/// The text of an event or a part of one.
pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys and no fallible serialisers")
}

/// One event of a batch: what everybody gets, and what one socket gets instead.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) shared: Option<Utf8Bytes>,
    pub(super) own: Option<(SocketId, Utf8Bytes)>,
    pub(super) said: Option<Arc<StoredMessage>>,
}

impl Event {
    pub(super) fn shared(event: &ServerEvent) -> Self {
        Self { shared: Some(to_json(event).into()), own: None, said: None }
    }
}

/// What was due to one audience in one tick, as one frame that all its sockets share.
#[derive(Debug)]
pub struct Batch {
    number: u64,
    frame: Option<Utf8Bytes>,
    events: Box<[Event]>,
}

impl Batch {
    fn new(number: u64, events: Box<[Event]>) -> Self {
        let frame = join(events.iter().filter_map(|event| event.shared.as_ref()));
        // Only what somebody gets differently is needed beside the frame.
        let differs = events.iter().any(|event| event.own.is_some());
        Self { number, frame, events: if differs { events } else { Box::default() } }
    }

    /// The frame for one socket; `None` where nothing in it is for this one.
    pub fn frame_for(&self, socket: SocketId) -> Option<Utf8Bytes> {
        let own = |event: &Event| event.own.as_ref().is_some_and(|(owner, _)| *owner == socket);
        if !self.events.iter().any(own) {
            return self.frame.clone();
        }
        join(self.events.iter().filter_map(|event| match &event.own {
            Some((owner, text)) if *owner == socket => Some(text),
            _ => event.shared.as_ref(),
        }))
    }
}

/// One event as it is, several as an array.
fn join<'a>(events: impl Iterator<Item = &'a Utf8Bytes>) -> Option<Utf8Bytes> {
    let events: Vec<&Utf8Bytes> = events.collect();
    match events.as_slice() {
        [] => None,
        [one] => Some((*one).clone()),
        several => {
            let size = several.iter().map(|event| event.len() + 1).sum::<usize>() + 1;
            let mut frame = String::with_capacity(size);
            for event in several {
                frame.push(if frame.is_empty() { '[' } else { ',' });
                frame.push_str(event);
            }
            frame.push(']');
            Some(frame.into())
        }
    }
}

/// The batches of one audience from the moment of its history on.
#[derive(Debug)]
pub struct Feed {
    batches: broadcast::Receiver<Arc<Batch>>,
    after: u64,
}

/// The reader was too slow and missed something; a new snapshot tells it where things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

impl Feed {
    /// Waits for the next batch. Nothing is lost if the wait is dropped. Never ends by itself: a
    /// hub that is gone sends nothing more.
    pub async fn next(&mut self) -> Result<Arc<Batch>, Lagged> {
        loop {
            match self.batches.recv().await {
                Ok(batch) if batch.number <= self.after => {}
                Ok(batch) => return Ok(batch),
                Err(broadcast::error::RecvError::Lagged(_)) => return Err(Lagged),
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// One audience.
#[derive(Debug)]
pub(super) struct Audience {
    channel: Option<ChannelId>,
    messages: VecDeque<Arc<StoredMessage>>,
    history: Option<Utf8Bytes>,
    pending: Vec<Event>,
    number: u64,
    batches: broadcast::Sender<Arc<Batch>>,
}

/// No room for another event before the next batch leaves.
#[derive(Debug)]
pub(super) struct Full;

/// A batch and where it goes; sent when the hub's lock is no longer held.
pub(super) type Departure = (broadcast::Sender<Arc<Batch>>, Arc<Batch>);

impl Audience {
    /// `ring` is how many batches a slow reader may be behind before it has lagged.
    pub(super) fn new(channel: Option<ChannelId>, ring: usize) -> Self {
        Self {
            channel,
            messages: VecDeque::new(),
            history: None,
            pending: Vec::new(),
            number: 0,
            batches: broadcast::Sender::new(ring),
        }
    }

    pub(super) fn feed(&self) -> Feed {
        Feed { batches: self.batches.subscribe(), after: self.number }
    }

    /// The `history` event, built once for all who ask until the next message or feeling; of a
    /// room with the reactions there.
    pub(super) fn history(&mut self, reactions: Option<&ReelReactions>) -> Utf8Bytes {
        self.history
            .get_or_insert_with(|| {
                let channel = to_json(&self.channel);
                let messages: Vec<&str> = self.messages.iter().map(|said| &*said.object).collect();
                let messages = messages.join(",");
                let mut event =
                    format!(r#"{{"type":"history","channel":{channel},"messages":[{messages}]"#);
                if self.channel.is_some() {
                    let likes = reactions.map_or(0, |reactions| reactions.likes);
                    let moments =
                        to_json(&reactions.map(ReelReactions::moments).unwrap_or_default());
                    event.push_str(&format!(r#","likes":{likes},"moments":{moments}"#));
                }
                event.push('}');
                event.into()
            })
            .clone()
    }

    /// Somebody reacted: the history is built anew.
    pub(super) fn invalidate(&mut self) {
        self.history = None;
    }

    /// Whether the next batch takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_MAX
    }

    /// Puts an event into the next batch.
    pub(super) fn push(&mut self, event: Event) -> Result<(), Full> {
        if self.is_full() {
            return Err(Full);
        }
        self.pending.push(event);
        Ok(())
    }

    /// Closes the batch: its messages are history from now on.
    pub(super) fn depart(&mut self) -> Option<Departure> {
        if self.pending.is_empty() {
            return None;
        }
        for said in self.pending.iter_mut().filter_map(|event| event.said.take()) {
            if self.messages.len() == HISTORY_MAX {
                self.messages.pop_front();
            }
            self.messages.push_back(said);
            self.history = None;
        }
        self.number += 1;
        let batch = Batch::new(self.number, mem::take(&mut self.pending).into());
        Some((self.batches.clone(), Arc::new(batch)))
    }

    pub(super) fn is_forgettable(&self) -> bool {
        self.messages.is_empty() && self.pending.is_empty()
    }
}
