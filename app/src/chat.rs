//! Chat as the page holds it: what was said, what waits to be said, who one is. The views live in
//! `chat/`.

mod buttons;
mod heard;
mod overlay;
mod panel;
mod refused;
mod soft_keyboard;

use std::{collections::VecDeque, rc::Rc};

use leptos::prelude::untrack;

pub(crate) use self::{
    buttons::{ChatButton, Viewers},
    overlay::{ChatOverlay, ChatOverlayLine},
    panel::{ChatPanel, Line},
    refused::Note,
};
use crate::{
    catalog::ChannelId,
    dom::{Timer, is_narrow, recall},
    part::Part,
    reels::feed::Feed,
    value::{Owned, Value},
    websocket::{
        ClientEvent, Message, Rooms, ServerEvent,
        socket::{Socket, websocket_address},
    },
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

/// The state of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not open yet, for the first time.
    Opening,
    /// Open.
    Open,
    /// Lost; tried again in so many seconds of so many, at 0 just now.
    Lost(u32, u32),
}

/// Binds the views of the chat.
pub(crate) fn take_over(room: &Part, chat: Chat, feed: Feed) {
    buttons::bind(room, chat);
    soft_keyboard::follow(room);
    panel::bind(room, chat, feed);
    overlay::bind(room, chat);
}

/// Hears what the server says.
type OnEvent = dyn Fn(&ServerEvent);

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
    /// Counts how often somebody wanted to write before it was time.
    pub(crate) insists: Value<u32>,
    /// What could not be said and stands in the text box again, untouched.
    returned: Value<String>,
    /// The text in the box is said as soon as the server is back.
    pub(crate) waits: Value<bool>,
    /// The name is being taken again, and how often that was done since something was said.
    rejoins: Value<(bool, u32)>,
    /// Only this reel's room is shown and written.
    pub(crate) only_here: Value<bool>,
    /// The sheet is open.
    pub(crate) open: Value<bool>,
    /// Counts how often somebody asked for the text box.
    pub(crate) writes: Value<u32>,
    /// Hears what belongs to the reel on screen.
    pub(crate) on_reaction: Owned<Rc<OnEvent>>,
    /// The socket.
    pub(crate) link: Value<Link>,
    /// It broke because the server stops.
    pub(crate) stops: Value<bool>,
    /// How often it broke since it was last open.
    pub(crate) breaks: Value<u32>,
    socket: Owned<Rc<Socket>>,
    timers: Owned<Rc<Timer>>,
    watching: Owned<Rc<Timer>>,
    counting: Owned<Rc<Timer>>,
    slowing: Owned<Rc<Timer>>,
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
            insists: Value::new(0),
            returned: Value::default(),
            waits: Value::new(false),
            rejoins: Value::new((false, 0)),
            only_here: Value::new(false),
            open: Value::new(false),
            writes: Value::new(0),
            on_reaction: Owned::new(),
            link: Value::new(Link::Opening),
            stops: Value::new(false),
            breaks: Value::new(0),
            socket: Owned::new(),
            timers: Owned::new(),
            watching: Owned::new(),
            counting: Owned::new(),
            slowing: Owned::new(),
        }
    }

    /// Opens the socket. Called in the browser, once.
    pub(crate) fn start(&self) {
        let chat = *self;
        self.name.set(recall(NAME_KEY));
        let feed = self.feed;
        let address = move || websocket_address(&format!("?version={}", feed.version()));
        self.socket.set(Socket::open(address, move |heard| chat.heard(heard)));
    }

    /// Closes the socket.
    pub(crate) fn stop(&self) {
        drop(self.socket.take());
        drop(self.timers.take());
        drop(self.watching.take());
        drop(self.counting.take());
        drop(self.slowing.take());
    }

    /// Says something over the socket; `false` where it is not open.
    pub(crate) fn say(&self, event: &ClientEvent) -> bool {
        self.socket.get().is_some_and(|socket| socket.send_event(event))
    }

    /// Tries the socket at once.
    pub(crate) fn retry(&self) {
        if let Some(socket) = self.socket.get() {
            socket.now();
        }
    }

    /// Whether the server is away: a short break is not worth a word, so from the second try on, or
    /// at once where it said that it stops. Tracked.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self.link.get(), Link::Lost(..)) && (self.breaks.get() > 1 || self.stops.get())
    }

    // What a person does

    /// The text box holds something else.
    pub(crate) fn typed(&self, text: String) {
        self.waits.set(false);
        let text = self.apart(text);
        self.draft.set(text);
    }

    /// Sends the draft; asks for a name first, where there is none.
    pub(crate) fn send(&self) {
        let text = self.draft.with_untracked(|draft| draft.trim().to_owned());
        if text.is_empty() || self.must_wait() {
            return;
        }
        if self.name.with_untracked(Option::is_none) {
            // Another tab may have asked for it meanwhile.
            let Some(name) = recall(NAME_KEY) else {
                self.asking.set(true);
                return;
            };
            self.name.set(Some(name));
            self.join();
        }
        if untrack(|| self.is_away()) {
            self.waits.set(true);
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

    /// The name is not given now; the message still waits in its box.
    pub(crate) fn ask_no_more(&self) {
        self.asking.set(false);
        self.note.set(None);
    }

    /// To the text box, through the sheet where it is closed.
    pub(crate) fn write(&self) {
        self.writes.update(|n| *n += 1);
        if is_narrow() && !self.open.get_untracked() {
            self.toggle();
        }
    }

    /// Opens or closes the sheet. A column beside the picture is always there: then one writes.
    pub(crate) fn toggle(&self) {
        let open = !self.open.get_untracked();
        if open && !is_narrow() {
            self.writes.update(|n| *n += 1);
            return;
        }
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
}

/// Marks one message; unguessable is not needed, unique is.
fn nonce() -> String {
    let part = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}", part(), part(), js_sys::Date::now() as u64 as u32)
}
