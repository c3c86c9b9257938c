//! The chat as views see it, and the socket that carries it. What happens is decided in
//! `chat/state.rs`.

mod buttons;
mod overlay;
mod panel;
mod soft_keyboard;
mod state;

use std::rc::Rc;

use self::state::{Clock, Command, Event, State, Topic, step};
pub(crate) use self::{
    buttons::{ChatButton, Viewers},
    overlay::{ChatOverlay, ChatOverlayLine},
    panel::{ChatPanel, Line},
    state::Link,
};
use crate::{
    catalog::ChannelId,
    dom::{Timer, is_narrow, recall, remember},
    part::Part,
    reels::feed::{self, Feed},
    value::{Owned, Topics, Value},
    websocket::{
        ClientEvent, ServerEvent,
        socket::{Socket, SocketEvent, websocket_address},
    },
};

/// A message is shown over the picture for so long.
const OVERLAY_MS: i32 = 8000;
const SECOND_MS: i32 = 1000;
/// A reel counts as watched when it stays so long.
const WATCH_MS: i32 = 400;
const NAME_KEY: &str = "carrete.name";
const TOKEN_KEY: &str = "carrete.token";

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
    state: Value<State>,
    topics: Topics,
    /// Hears what belongs to the reel on screen.
    pub(crate) on_reaction: Owned<Rc<OnEvent>>,
    socket: Owned<Rc<Socket>>,
    watching: Owned<Rc<Timer>>,
    clocks: [Owned<Rc<Timer>>; 3],
}

impl Chat {
    pub(crate) fn new(feed: Feed) -> Self {
        Self {
            feed,
            state: Value::new(State::new(recall(NAME_KEY))),
            topics: Topics::new(Topic::Link as usize + 1),
            on_reaction: Owned::new(),
            socket: Owned::new(),
            watching: Owned::new(),
            clocks: [(); 3].map(|()| Owned::new()),
        }
    }

    /// Opens the socket. Called in the browser, once.
    pub(crate) fn start(&self) {
        let (chat, feed) = (*self, self.feed);
        let address = move || websocket_address(&format!("?version={}", feed.version()));
        self.socket.set(Socket::open(address, move |event| chat.on_socket(event)));
    }

    /// Closes the socket.
    pub(crate) fn stop(&self) {
        drop(self.socket.take());
        drop(self.watching.take());
        for clock in self.clocks {
            drop(clock.take());
        }
    }

    fn on_socket(&self, event: SocketEvent) {
        self.dispatch(match event {
            SocketEvent::Opened => Event::Opened,
            SocketEvent::Closed { pause_ms, stops } => {
                Event::Closed { seconds: (pause_ms / 1000.0).ceil() as u32, stops }
            }
            SocketEvent::Event(event) => {
                if let Some(on_reaction) = self.on_reaction.get() {
                    on_reaction(&event);
                }
                if let ServerEvent::Videos { videos, total, version } = event {
                    let listed = feed::state::Event::Listed { videos, total, version };
                    self.feed.dispatch(listed);
                    return;
                }
                Event::Received(event)
            }
        });
    }

    /// Something has happened.
    pub(crate) fn dispatch(&self, event: Event) {
        for command in self.state.update_untracked(|state| step(state, event)) {
            self.perform(command);
        }
    }

    fn perform(&self, command: Command) {
        let chat = *self;
        match command {
            Command::Changed(topic) => self.topics.notify(topic as usize),
            Command::Join(username) => {
                self.send_event(&ClientEvent::Join { username, token: recall(TOKEN_KEY) });
            }
            Command::Watch => self.watch(),
            Command::Say(pending) => {
                let nonce = pending.nonce.clone();
                let sent = self.send_event(&ClientEvent::ChatMessage {
                    text: pending.text,
                    channel: pending.channel,
                    nonce: Some(pending.nonce),
                });
                if sent {
                    self.dispatch(Event::Sent(nonce));
                }
            }
            Command::SendDraft => self.send(),
            Command::Remember { name, token } => {
                remember(NAME_KEY, &name);
                remember(TOKEN_KEY, &token);
            }
            Command::RefreshFeed => self.feed.dispatch(feed::state::Event::Refresh),
            Command::Start(clock) => {
                let ms = if clock == Clock::Overlay { OVERLAY_MS } else { SECOND_MS };
                let timer = Timer::every(ms, move || chat.dispatch(Event::Tick(clock)));
                self.clocks[clock as usize].set(Rc::new(timer));
            }
            Command::Stop(clock) => drop(self.clocks[clock as usize].take()),
        }
    }

    /// Reads the state. Untracked.
    pub(crate) fn now<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        self.state.with_untracked(read)
    }

    /// Reads the state, and follows this topic of it.
    pub(crate) fn follow<R>(&self, topic: Topic, read: impl FnOnce(&State) -> R) -> R {
        self.topics.track(topic as usize);
        self.state.with_untracked(read)
    }

    /// Follows these topics of the state.
    fn track(&self, topics: &[Topic]) {
        for topic in topics {
            self.topics.track(*topic as usize);
        }
    }

    /// The socket. Tracked.
    pub(crate) fn link(&self) -> Link {
        self.follow(Topic::Link, |state| state.link)
    }

    /// How often the socket broke since it was last open.
    pub(crate) fn breaks(&self) -> u32 {
        self.now(|state| state.breaks)
    }

    /// Whether the server is away. Tracked.
    pub(crate) fn is_away(&self) -> bool {
        self.follow(Topic::Link, State::is_away)
    }

    /// Whether the sheet is open. Tracked.
    pub(crate) fn is_open(&self) -> bool {
        self.follow(Topic::Panel, |state| state.open)
    }

    /// Says something over the socket; `false` where it is not open.
    pub(crate) fn send_event(&self, event: &ClientEvent) -> bool {
        self.socket.get().is_some_and(|socket| socket.send_event(event))
    }

    /// Tries the socket at once.
    pub(crate) fn retry(&self) {
        if let Some(socket) = self.socket.get() {
            socket.now();
        }
    }

    /// Sends the draft.
    fn send(&self) {
        let (here, remembered) = (self.watched(), recall(NAME_KEY));
        self.dispatch(Event::Send { nonce: nonce(), here, remembered });
    }

    /// To the text box.
    pub(crate) fn write(&self) {
        self.dispatch(Event::Write { narrow: is_narrow() });
    }

    /// Opens or closes the sheet.
    pub(crate) fn toggle(&self) {
        self.dispatch(Event::Toggle { narrow: is_narrow() });
    }

    /// Tells which reel is on screen, when it has stayed a moment.
    pub(crate) fn watch_soon(&self) {
        let chat = *self;
        self.watching.set(Rc::new(Timer::once(WATCH_MS, move || chat.watch())));
    }

    fn watch(&self) {
        if let Some(channel) = self.watched() {
            self.send_event(&ClientEvent::Watch { channel });
        }
    }

    fn watched(&self) -> Option<ChannelId> {
        self.feed.media_at(self.feed.active_now()).map(|media| media.id.clone())
    }
}

/// Marks one message; unguessable is not needed, unique is.
fn nonce() -> String {
    let part = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}", part(), part(), js_sys::Date::now() as u64 as u32)
}
