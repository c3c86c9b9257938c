//! Chat as the page holds it: what was said, what waits to be said, who one is. The views live in
//! `chat/`.

mod buttons;
mod panel;
mod talk;

use std::{collections::VecDeque, rc::Rc};

pub(crate) use self::{
    buttons::{ChatButton, Viewers},
    panel::{ChatPanel, Line},
    talk::{Talk, TalkLine},
};
use crate::{
    catalog::ChannelId,
    dom::{Timer, recall, remember},
    live::{
        ClientEvent, ErrorCode, Message, Rooms, ServerEvent,
        socket::{Heard, Socket, live_address},
    },
    part::Part,
    reels::feed::Feed,
    value::{Held, Value},
};

/// Lines kept in the page.
const KEPT: usize = 300;
/// Lines shown over the picture at once.
const AMBIENT: usize = 3;
/// And for how long.
const AMBIENT_MS: i32 = 8000;
/// A reel counts as watched when it stays so long.
const WATCH_MS: i32 = 400;
/// The longest message, in characters (Unicode scalar values).
pub(crate) const TEXT_MAX: usize = 500;
/// The longest name, in characters.
pub(crate) const NAME_MAX: usize = 24;
const NAME_KEY: &str = "carrete.name";
const TOKEN_KEY: &str = "carrete.token";

/// A message on its way: shown, and said again after a reconnection until it has come back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pending {
    pub(crate) nonce: String,
    pub(crate) text: String,
    pub(crate) channel: Option<ChannelId>,
    /// It has been on a socket: it may have been heard.
    said: bool,
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
}

/// The state of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not open yet, for the first time.
    Opening,
    /// Open.
    Open,
    /// Lost; tried again in so many seconds.
    Lost(u32),
}

/// Binds the views of the chat.
pub(crate) fn take_over(room: &Part, chat: Chat, feed: Feed) {
    buttons::bind(room, chat);
    panel::bind(room, chat, feed);
    talk::bind(room, chat);
}

/// Hears what the server says.
type Hearer = dyn Fn(&ServerEvent);

/// Chat and the socket that carries it; a cheap handle.
#[derive(Clone, Copy)]
pub(crate) struct Chat {
    feed: Feed,
    /// What was said, oldest first.
    pub(crate) messages: Value<VecDeque<Message>>,
    /// What waits to come back.
    pub(crate) pending: Value<Vec<Pending>>,
    /// The newest lines, for a few seconds.
    pub(crate) ambient: Value<VecDeque<Message>>,
    /// Messages that came while the sheet was closed.
    pub(crate) unread: Value<u32>,
    /// Open sockets, and those at each reel.
    pub(crate) online: Value<(u32, Rooms)>,
    /// One's own name.
    pub(crate) name: Value<Option<String>>,
    /// The text box.
    pub(crate) draft: Value<String>,
    /// The name is being asked.
    pub(crate) asking: Value<bool>,
    /// What a person must know.
    pub(crate) note: Value<Option<Note>>,
    /// Only this reel's room is shown and written.
    pub(crate) only_here: Value<bool>,
    /// The sheet is open.
    pub(crate) open: Value<bool>,
    /// Counts how often somebody asked for the text box.
    pub(crate) writes: Value<u32>,
    /// Hears what belongs to the reel on screen.
    pub(crate) felt: Held<Rc<Hearer>>,
    /// The socket.
    pub(crate) link: Value<Link>,
    /// How often it broke since it was last open.
    pub(crate) breaks: Value<u32>,
    socket: Held<Rc<Socket>>,
    timers: Held<Rc<Timer>>,
    watching: Held<Rc<Timer>>,
    counting: Held<Rc<Timer>>,
    slowing: Held<Rc<Timer>>,
}

impl Chat {
    pub(crate) fn new(feed: Feed) -> Self {
        Self {
            feed,
            messages: Value::default(),
            pending: Value::default(),
            ambient: Value::default(),
            unread: Value::new(0),
            online: Value::default(),
            name: Value::new(None),
            draft: Value::default(),
            asking: Value::new(false),
            note: Value::new(None),
            only_here: Value::new(false),
            open: Value::new(false),
            writes: Value::new(0),
            felt: Held::new(),
            link: Value::new(Link::Opening),
            breaks: Value::new(0),
            socket: Held::new(),
            timers: Held::new(),
            watching: Held::new(),
            counting: Held::new(),
            slowing: Held::new(),
        }
    }

    /// Opens the socket. Called in the browser, once.
    pub(crate) fn wake(&self) {
        let chat = *self;
        self.name.set(recall(NAME_KEY));
        let feed = self.feed;
        let address = move || live_address(&format!("?version={}", feed.version()));
        self.socket.set(Socket::open(address, move |heard| chat.heard(heard)));
    }

    /// Closes the socket.
    pub(crate) fn sleep(&self) {
        drop(self.socket.take());
        drop(self.timers.take());
        drop(self.watching.take());
        drop(self.counting.take());
        drop(self.slowing.take());
    }

    /// Says something over the socket; `false` where it is not open.
    pub(crate) fn say(&self, event: &ClientEvent) -> bool {
        self.socket.get().is_some_and(|socket| socket.say(event))
    }

    /// Tries the socket at once.
    pub(crate) fn retry(&self) {
        if let Some(socket) = self.socket.get() {
            socket.now();
        }
    }

    // What a person does

    /// Sends the draft; asks for a name first, where there is none.
    pub(crate) fn send(&self) {
        let text = self.draft.with_untracked(|draft| draft.trim().to_owned());
        if text.is_empty() || matches!(self.note.get_untracked(), Some(Note::SlowDown(..))) {
            return;
        }
        if text.chars().count() > TEXT_MAX {
            self.note.set(Some(Note::TooLong));
            return;
        }
        if self.name.with_untracked(Option::is_none) {
            self.asking.set(true);
            return;
        }
        let here = self.only_here.get_untracked();
        let pending = Pending {
            nonce: nonce(),
            text,
            channel: here.then(|| self.watched()).flatten(),
            said: false,
        };
        self.draft.set(String::new());
        self.note.set(None);
        self.pending.update(|all| all.push(pending));
        self.say_pending();
    }

    /// Takes a name and sends what waited for it.
    pub(crate) fn call_me(&self, name: &str) {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX {
            self.note.set(Some(Note::BadName));
            return;
        }
        self.note.set(None);
        self.name.set(Some(name.to_owned()));
        self.asking.set(false);
        self.join();
        self.send();
    }

    /// To the text box, through the sheet where it is closed.
    pub(crate) fn write(&self) {
        self.writes.update(|n| *n += 1);
        if !self.open.get_untracked() {
            self.toggle();
        }
    }

    /// Opens or closes the sheet.
    pub(crate) fn toggle(&self) {
        let open = !self.open.get_untracked();
        self.open.set(open);
        if open {
            self.unread.set(0);
        }
    }

    /// Tells which reel is on screen, when it has stayed a moment.
    pub(crate) fn watch_soon(&self) {
        let chat = *self;
        self.watching.set(Rc::new(Timer::once(WATCH_MS, move || chat.watch())));
    }

    fn watch(&self) {
        if let Some(channel) = self.watched() {
            self.say(&ClientEvent::Watch { channel });
        }
    }

    fn watched(&self) -> Option<ChannelId> {
        self.feed.media_at(self.feed.active_now()).map(|media| media.id.clone())
    }

    fn join(&self) {
        if let Some(username) = self.name.get_untracked() {
            self.say(&ClientEvent::Join { username, token: recall(TOKEN_KEY) });
        }
    }

    fn say_pending(&self) {
        let chat = *self;
        self.pending.update_untracked(|all| {
            for pending in all {
                let said = chat.say(&ClientEvent::ChatMessage {
                    text: pending.text.clone(),
                    channel: pending.channel.clone(),
                    nonce: Some(pending.nonce.clone()),
                });
                pending.said |= said;
            }
        });
    }

    // What the server says

    fn heard(&self, heard: Heard) {
        match heard {
            Heard::Opened => {
                self.link.set(Link::Open);
                self.breaks.set(0);
                drop(self.counting.take());
                self.join();
                self.watch();
                // What waits is said when the history has told what was heard before.
            }
            Heard::Closed(pause_ms) => self.lost((pause_ms / 1000.0).ceil() as u32),
            Heard::Event(event) => self.told(event),
        }
    }

    fn lost(&self, seconds: u32) {
        self.breaks.update(|breaks| *breaks += 1);
        if self.breaks.get_untracked() > 1 {
            self.feed.refresh();
        }
        self.link.set(Link::Lost(seconds));
        let link = self.link;
        self.counting.set(Rc::new(Timer::every(1000, move || {
            if let Link::Lost(seconds) = link.get_untracked() {
                link.set(Link::Lost(seconds.saturating_sub(1)));
            }
        })));
    }

    fn told(&self, event: ServerEvent) {
        if let Some(felt) = self.felt.get() {
            felt(&event);
        }
        match event {
            ServerEvent::Videos { videos, total, version } => {
                self.feed.changed(videos, total, version);
            }
            ServerEvent::History { channel, messages, .. } => {
                self.remember_history(messages);
                if channel.is_none() {
                    self.say_pending();
                }
            }
            ServerEvent::UserCount { count, channels } => self.online.set((count, channels)),
            ServerEvent::Joined { username, token } => {
                remember(NAME_KEY, &username);
                remember(TOKEN_KEY, &token);
                self.name.set(Some(username));
            }
            ServerEvent::ChatMessage(message) => self.said(message),
            ServerEvent::Error { code, nonce, retry_after_ms, .. } => {
                self.refused(code, nonce.as_deref(), retry_after_ms);
            }
            ServerEvent::Reaction { .. } | ServerEvent::Unknown => {}
        }
    }

    /// Messages that were said before, some of them perhaps one's own that never came back.
    fn remember_history(&self, messages: Vec<Message>) {
        let name = self.name.get_untracked();
        self.pending.update(|all| {
            all.retain(|pending| {
                let heard = |message: &Message| {
                    Some(&message.username) == name.as_ref()
                        && message.text == pending.text
                        && message.channel == pending.channel
                        && !self.knows(&message.id)
                };
                !(pending.said && messages.iter().any(heard))
            });
        });
        self.messages.update(|all| {
            for message in messages {
                if !all.iter().any(|known| known.id == message.id) {
                    let after = all.iter().rposition(|known| known.ts <= message.ts);
                    all.insert(after.map_or(0, |place| place + 1), message);
                }
            }
            while all.len() > KEPT {
                all.pop_front();
            }
        });
    }

    fn knows(&self, id: &str) -> bool {
        self.messages.with_untracked(|all| all.iter().any(|message| message.id == id))
    }

    fn said(&self, message: Message) {
        if let Some(nonce) = &message.nonce {
            self.pending.update(|all| all.retain(|pending| pending.nonce != *nonce));
        }
        if self.knows(&message.id) {
            return;
        }
        if !self.open.get_untracked() {
            self.unread.update(|unread| *unread += 1);
        }
        self.ambient.update(|lines| {
            lines.push_back(message.clone());
            while lines.len() > AMBIENT {
                lines.pop_front();
            }
        });
        let ambient = self.ambient;
        self.timers.set(Rc::new(Timer::every(AMBIENT_MS, move || {
            if ambient.with_untracked(|lines| !lines.is_empty()) {
                ambient.update(|lines| drop(lines.pop_front()));
            }
        })));
        self.messages.update(|all| {
            all.push_back(message);
            if all.len() > KEPT {
                all.pop_front();
            }
        });
    }

    fn refused(&self, code: ErrorCode, nonce: Option<&str>, retry_after_ms: Option<u64>) {
        match code {
            ErrorCode::SlowDown | ErrorCode::TooLong | ErrorCode::BadRequest => {
                self.take_back(nonce);
            }
            ErrorCode::NotJoined => {}
            ErrorCode::BadUsername => {
                self.name.set(None);
                self.take_back(
                    self.pending
                        .with_untracked(|all| all.first().map(|p| p.nonce.clone()))
                        .as_deref(),
                );
                self.asking.set(true);
            }
        }
        match code {
            ErrorCode::SlowDown => {
                let seconds = retry_after_ms.unwrap_or(2000).div_ceil(1000).max(1);
                self.slow_down(u32::try_from(seconds).unwrap_or(60));
            }
            ErrorCode::TooLong => self.note.set(Some(Note::TooLong)),
            ErrorCode::BadUsername => self.note.set(Some(Note::BadName)),
            ErrorCode::NotJoined | ErrorCode::BadRequest => {}
        }
    }

    /// What could not be said goes back into the box.
    fn take_back(&self, nonce: Option<&str>) {
        let Some(nonce) = nonce else { return };
        let mut text = None;
        self.pending.update(|all| {
            if let Some(n) = all.iter().position(|pending| pending.nonce == nonce) {
                text = Some(all.remove(n).text);
            }
        });
        if let Some(text) = text {
            self.draft.update(|draft| {
                *draft = if draft.trim().is_empty() { text } else { format!("{text} {draft}") };
            });
        }
    }

    fn slow_down(&self, seconds: u32) {
        let note = self.note;
        note.set(Some(Note::SlowDown(seconds, seconds)));
        self.slowing.set(Rc::new(Timer::every(1000, move || {
            if let Some(Note::SlowDown(left, all)) = note.get_untracked() {
                note.set((left > 1).then(|| Note::SlowDown(left - 1, all)));
            }
        })));
    }
}

/// Marks one message; unguessable is not needed, unique is.
fn nonce() -> String {
    let part = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}", part(), part(), js_sys::Date::now() as u64 as u32)
}
