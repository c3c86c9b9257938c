//! The chat as the page holds it, as a state machine without a browser: what was said, what waits to be
//! said and what became of it, who one is. An event goes in, commands come out, and the chat's views
//! perform them.

mod event;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub(crate) use self::event::{Clock, Command, Event, Topic};
use crate::{
    catalog::ChannelId,
    websocket::{Message, Rooms, ServerEvent},
};

/// Messages kept in the page.
const KEPT: usize = 300;
/// Messages shown over the picture at once.
const OVERLAID: usize = 3;
/// The longest message, in characters (Unicode scalar values).
const TEXT_MAX: usize = 500;
/// The longest name, in characters.
const NAME_MAX: usize = 24;

/// A message on its way: shown, and said again after a reconnection until it has come back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pending {
    pub(crate) nonce: String,
    pub(crate) text: String,
    pub(crate) channel: Option<ChannelId>,
    /// It has been on a socket: the server may have it.
    sent: bool,
}

/// The state of the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not open yet, for the first time.
    #[default]
    Opening,
    /// Open.
    Open,
    /// Lost; tried again in so many seconds of so many, at 0 just now.
    Lost(u32, u32),
}

/// What a person must know about what they wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Too fast; so many seconds of so many are left.
    SlowDown(u32, u32),
    /// Over 500 characters.
    TooLong,
    /// No name of 1–24 visible characters.
    BadName,
    /// The server did not take it.
    NotTaken,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What was said, oldest first.
    pub(crate) messages: VecDeque<Message>,
    /// What waits to come back.
    pub(crate) pending: Vec<Pending>,
    /// The newest messages, for a few seconds.
    pub(crate) overlay: VecDeque<Message>,
    /// Messages that came while the sheet was closed.
    pub(crate) unread: u32,
    /// Open sockets, and those at each reel.
    pub(crate) online: (u32, Rooms),
    /// One's own name.
    pub(crate) name: Option<String>,
    /// The text box.
    pub(crate) draft: String,
    /// The name is being asked.
    pub(crate) asking: bool,
    /// What a person must know.
    pub(crate) note: Option<Note>,
    /// Counts how often somebody wanted to write before it was time.
    pub(crate) insists: u32,
    /// The text in the box is sent as soon as the server is back.
    pub(crate) waits: bool,
    /// Only this reel's room is shown and written.
    pub(crate) only_here: bool,
    /// The sheet is open.
    pub(crate) open: bool,
    /// Counts how often somebody asked for the text box.
    pub(crate) writes: u32,
    /// Whoever reads the log has left its end.
    pub(crate) reads_back: bool,
    /// The socket.
    pub(crate) link: Link,
    /// It broke because the server stops.
    stops: bool,
    /// How often it broke since it was last open.
    pub(crate) breaks: u32,
    /// What could not be said and stands in the text box again, untouched.
    returned: String,
    /// The name is being taken again.
    rejoins: bool,
    /// And how often that was done since something was said.
    rejoined: u32,
}

/// What one event leads to.
pub(crate) fn step(state: &mut State, event: Event) -> Vec<Command> {
    let mut commands = Vec::new();
    state.take(event, &mut commands);
    commands
}

fn changed(out: &mut Vec<Command>, topic: Topic) {
    out.push(Command::Changed(topic));
}

impl State {
    /// With the name that this browser remembers.
    pub(crate) fn new(name: Option<String>) -> Self {
        Self { name, ..Self::default() }
    }

    /// Whether the server is away: a short break is not worth a word, so from the second try on, or
    /// at once where it said that it stops.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self.link, Link::Lost(..)) && (self.breaks > 1 || self.stops)
    }

    /// Whether one may not write yet.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self.note, Some(Note::SlowDown(..)))
    }

    fn take(&mut self, event: Event, out: &mut Vec<Command>) {
        match event {
            Event::Opened => {
                self.stops = false;
                self.breaks = 0;
                (self.rejoins, self.rejoined) = (false, 0);
                self.link = Link::Open;
                out.push(Command::Stop(Clock::Link));
                self.join(out);
                // What waits is said when the history has told what was heard before.
                out.push(Command::Watch);
                changed(out, Topic::Link);
            }
            Event::Closed { seconds, stops } => {
                self.stops |= stops;
                self.breaks += 1;
                if self.breaks > 1 {
                    out.push(Command::RefreshFeed);
                }
                self.link = Link::Lost(seconds, seconds);
                out.push(Command::Start(Clock::Link));
                changed(out, Topic::Link);
            }
            Event::Received(event) => self.received(event, out),
            Event::Sent(nonce) => {
                if let Some(n) = self.pending_at(&nonce) {
                    self.pending[n].sent = true;
                }
            }
            Event::Tick(clock) => self.tick(clock, out),
            Event::Typed(text) => {
                if std::mem::take(&mut self.waits) {
                    changed(out, Topic::Composer);
                }
                self.draft = self.apart(text);
                changed(out, Topic::Draft);
            }
            Event::Composing(text) => {
                self.draft = text;
                changed(out, Topic::Draft);
            }
            Event::Send { nonce, here, remembered } => self.send(nonce, here, remembered, out),
            Event::Named(name) => self.named(name.trim(), out),
            Event::NotNamed => {
                self.asking = false;
                self.note = None;
                changed(out, Topic::Composer);
            }
            Event::Scope { only_here } => {
                self.only_here = only_here;
                changed(out, Topic::Panel);
            }
            Event::Write { narrow } => {
                self.writes += 1;
                changed(out, Topic::Panel);
                if narrow && !self.open {
                    self.toggle(narrow);
                }
            }
            Event::Toggle { narrow } => {
                self.toggle(narrow);
                changed(out, Topic::Panel);
            }
            Event::Scrolled { to_end } => self.reads_back = !to_end,
        }
    }

    /// Opens or closes the sheet. A column beside the picture is always there: then one writes.
    fn toggle(&mut self, narrow: bool) {
        if self.open || narrow {
            self.open = !self.open;
            if self.open {
                self.unread = 0;
            }
        } else {
            self.writes += 1;
        }
    }

    fn tick(&mut self, clock: Clock, out: &mut Vec<Command>) {
        match (clock, &mut self.link, &mut self.note) {
            (Clock::Link, Link::Lost(left, _), _) => {
                *left = left.saturating_sub(1);
                changed(out, Topic::Link);
            }
            (Clock::SlowDown, _, Some(Note::SlowDown(left, _))) => {
                *left -= 1;
                if *left == 0 {
                    self.note = None;
                    // A name that was asked for too fast is asked for now, and what waits for it said.
                    self.rejoins = false;
                    self.say_pending(out);
                }
                changed(out, Topic::Composer);
            }
            (Clock::Overlay, ..) => {
                let gone = self.overlay.pop_front();
                if gone.is_some() {
                    changed(out, Topic::Overlay);
                }
            }
            _ => {}
        }
    }

    // What a person does

    /// Sends the draft; asks for a name first, where there is none.
    fn send(
        &mut self,
        nonce: String,
        here: Option<ChannelId>,
        remembered: Option<String>,
        out: &mut Vec<Command>,
    ) {
        let text = self.draft.trim().to_owned();
        if text.is_empty() || self.must_wait(out) {
            return;
        }
        changed(out, Topic::Composer);
        if self.name.is_none() {
            // Another tab may have asked for it meanwhile.
            self.name = remembered;
            self.asking = self.name.is_none();
            if self.asking {
                return;
            }
            self.join(out);
        }
        if self.is_away() {
            self.waits = true;
            return;
        }
        let channel = here.filter(|_| self.only_here);
        self.draft.clear();
        self.note = None;
        self.pending.push(Pending { nonce, text, channel, sent: false });
        changed(out, Topic::Draft);
        changed(out, Topic::Log);
        self.say_pending(out);
    }

    /// Takes a name and sends what waited for it.
    fn named(&mut self, name: &str, out: &mut Vec<Command>) {
        changed(out, Topic::Composer);
        if name.is_empty() || name.chars().count() > NAME_MAX {
            self.note = Some(Note::BadName);
            return;
        }
        self.note = None;
        self.name = Some(name.to_owned());
        self.asking = false;
        self.join(out);
        out.push(Command::SendDraft);
    }

    fn join(&self, out: &mut Vec<Command>) {
        if let Some(name) = &self.name {
            out.push(Command::Join(name.clone()));
        }
    }

    fn say_pending(&self, out: &mut Vec<Command>) {
        out.extend(self.pending.iter().cloned().map(Command::Say));
    }

    fn pending_at(&self, nonce: &str) -> Option<usize> {
        self.pending.iter().position(|pending| pending.nonce == nonce)
    }

    // What the server says

    fn received(&mut self, event: ServerEvent, out: &mut Vec<Command>) {
        match event {
            ServerEvent::History { channel, messages, .. } => {
                self.merge(messages);
                changed(out, Topic::Log);
                if channel.is_none() {
                    self.say_pending(out);
                    if std::mem::take(&mut self.waits) {
                        out.push(Command::SendDraft);
                        changed(out, Topic::Composer);
                    }
                }
            }
            ServerEvent::UserCount { count, channels } => {
                self.online = (count, channels);
                changed(out, Topic::Online);
            }
            ServerEvent::Joined { username, token } => {
                self.name = Some(username.clone());
                out.push(Command::Remember { name: username, token });
                changed(out, Topic::Composer);
                // Now the server knows who speaks here.
                if std::mem::take(&mut self.rejoins) {
                    self.say_pending(out);
                }
            }
            ServerEvent::ChatMessage(message) => self.said(message, out),
            ServerEvent::Error { code, nonce, retry_after_ms, .. } => {
                self.refused(code, nonce.as_deref(), retry_after_ms, out);
            }
            // The feed and the reactions take these.
            ServerEvent::Videos { .. } | ServerEvent::Reaction { .. } | ServerEvent::Unknown => {}
        }
    }

    /// Messages that were said before, some of them perhaps one's own that never came back.
    fn merge(&mut self, messages: Vec<Message>) {
        for message in messages {
            if self.knows(&message.id) {
                continue;
            }
            let own = Some(&message.username) == self.name.as_ref();
            self.pending.retain(|pending| {
                !(own
                    && pending.sent
                    && pending.text == message.text
                    && pending.channel == message.channel)
            });
            let after = self.messages.iter().rposition(|known| known.ts <= message.ts);
            self.messages.insert(after.map_or(0, |place| place + 1), message);
        }
        while self.messages.len() > KEPT {
            self.messages.pop_front();
        }
    }

    fn knows(&self, id: &str) -> bool {
        self.messages.iter().any(|message| message.id == id)
    }

    fn said(&mut self, message: Message, out: &mut Vec<Command>) {
        changed(out, Topic::Log);
        if let Some(nonce) = &message.nonce {
            if let Some(n) = self.pending_at(nonce) {
                self.pending.remove(n);
            }
            (self.rejoins, self.rejoined) = (false, 0);
        }
        if self.knows(&message.id) {
            return;
        }
        if !self.open {
            self.unread += 1;
            changed(out, Topic::Panel);
        }
        push_within(&mut self.overlay, message.clone(), OVERLAID);
        push_within(&mut self.messages, message, KEPT);
        changed(out, Topic::Overlay);
        out.push(Command::Start(Clock::Overlay));
    }
}

/// The newest of them, so many at most.
fn push_within(messages: &mut VecDeque<Message>, message: Message, most: usize) {
    messages.push_back(message);
    if messages.len() > most {
        messages.pop_front();
    }
}
