//! The page's socket: opens, opens again with growing pauses and jitter, and pauses that while
//! nobody looks. One that is open and dead is noticed: a silent server is asked for a sign of life.
//! What is said over it means nothing here.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use js_sys::{Array, JSON};
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::{ClientEvent, ServerEvent};
use crate::{
    dom::{Listener, Timer},
    wire::FromJs,
};

/// The first pause before a new try; each further one is twice as long.
const PAUSE_MS: f64 = 500.0;
/// The longest.
const PAUSE_MAX_MS: f64 = 30_000.0;
/// A socket that does not open in this time is given up.
const OPEN_MS: i32 = 10_000;
/// How often it is asked whether the server has said something meanwhile.
const LISTEN_MS: i32 = 5_000;
/// After so many of these silences the server is asked to say something.
const SILENCES_ASKED: u32 = 3;
/// And after so many the socket is taken for dead: 25 s, since a system notices after minutes.
const SILENCES_LOST: u32 = 5;
/// No event of the language: every server answers it, with an error, and keeps the connection. A
/// browser does not tell its page of the protocol's own pings.
const SIGN_OF_LIFE: &str = r#"{"type":"ping"}"#;
/// RFC 6455: the server goes away.
const GOING_AWAY: u16 = 1001;
/// RFC 6455: the server asks to come back later.
const TRY_AGAIN_LATER: u16 = 1013;

/// The socket's address beside this page, with a query.
pub(crate) fn websocket_address(query: &str) -> String {
    let location = window().location();
    let secure = location.protocol().is_ok_and(|protocol| protocol == "https:");
    let scheme = if secure { "wss" } else { "ws" };
    format!("{scheme}://{}/ws{query}", location.host().unwrap_or_default())
}

/// What the socket tells.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// It is open.
    Opened,
    /// The server said something.
    Event(ServerEvent),
    /// It is closed.
    Closed {
        /// It is tried again after so many milliseconds.
        pause_ms: f64,
        /// The server said that it stops.
        stops: bool,
    },
}

/// The socket. Dropping it closes it for good.
pub(crate) struct Socket {
    address: Box<dyn Fn() -> String>,
    emit: Box<dyn Fn(SocketEvent)>,
    socket: RefCell<Option<(WebSocket, Vec<Listener>)>>,
    tries: Cell<i32>,
    /// How long the server has said nothing, in turns of [`LISTEN_MS`].
    silences: Cell<u32>,
    listens: RefCell<Option<Timer>>,
    timer: RefCell<Option<Timer>>,
    page: RefCell<Vec<Listener>>,
}

impl Socket {
    /// Opens a socket to the address that `address` tells at each try.
    pub(crate) fn open(
        address: impl Fn() -> String + 'static,
        emit: impl Fn(SocketEvent) + 'static,
    ) -> Rc<Self> {
        let socket = Rc::new(Self {
            address: Box::new(address),
            emit: Box::new(emit),
            socket: RefCell::default(),
            tries: Cell::new(0),
            silences: Cell::new(0),
            listens: RefCell::default(),
            timer: RefCell::default(),
            page: RefCell::default(),
        });
        let back = |target: &web_sys::EventTarget, event| {
            let weak = Rc::downgrade(&socket);
            Listener::new(target, event, move |_| {
                if let Some(socket) = weak.upgrade().filter(|_| !document().hidden()) {
                    socket.now();
                    // What was open when the lid was shut may have died meanwhile.
                    if socket.silences.get() < SILENCES_ASKED {
                        socket.silences.set(SILENCES_ASKED);
                        socket.send(SIGN_OF_LIFE);
                    }
                }
            })
        };
        *socket.page.borrow_mut() =
            vec![back(&document(), "visibilitychange"), back(&window(), "online")];
        socket.connect();
        socket
    }

    /// Says something; `false` where the socket is not open.
    pub(crate) fn send_event(&self, event: &ClientEvent) -> bool {
        self.send(&event.write())
    }

    /// Tries at once where it waits for the next try.
    pub(crate) fn now(self: &Rc<Self>) {
        if self.socket.borrow().is_none() {
            self.connect();
        }
    }

    /// One more silence has passed: at first the server is asked, then it is given up.
    fn listen(self: &Rc<Self>) {
        let silences = self.silences.get() + 1;
        self.silences.set(silences);
        if silences >= SILENCES_LOST {
            self.lost(0);
        } else if silences >= SILENCES_ASKED {
            self.send(SIGN_OF_LIFE);
        }
    }

    fn send(&self, text: &str) -> bool {
        let socket = self.socket.borrow();
        let Some((socket, _)) = &*socket else { return false };
        socket.ready_state() == WebSocket::OPEN && socket.send_with_str(text).is_ok()
    }

    fn connect(self: &Rc<Self>) {
        self.timer.take();
        let Ok(socket) = WebSocket::new(&(self.address)()) else {
            self.lost(0);
            return;
        };
        let on = |event: &'static str, f: fn(&Rc<Self>, Event)| {
            let weak: Weak<Self> = Rc::downgrade(self);
            Listener::new(&socket, event, move |e| {
                if let Some(this) = weak.upgrade() {
                    f(&this, e);
                }
            })
        };
        let listeners = vec![
            on("open", |this, _| {
                this.timer.take();
                this.tries.set(0);
                this.silences.set(0);
                let weak = Rc::downgrade(this);
                *this.listens.borrow_mut() = Some(Timer::every(LISTEN_MS, move || {
                    if let Some(this) = weak.upgrade() {
                        this.listen();
                    }
                }));
                (this.emit)(SocketEvent::Opened);
            }),
            on("message", |this, event| {
                this.silences.set(0);
                let data = event.unchecked_into::<MessageEvent>().data().as_string();
                this.received(&data.unwrap_or_default());
            }),
            on("close", |this, event| this.lost(event.unchecked_into::<CloseEvent>().code())),
        ];
        *self.socket.borrow_mut() = Some((socket, listeners));
        let weak = Rc::downgrade(self);
        *self.timer.borrow_mut() = Some(Timer::once(OPEN_MS, move || {
            if let Some(this) = weak.upgrade() {
                this.lost(0);
            }
        }));
    }

    /// A frame holds one event or an array of them; what this page does not know is passed over.
    fn received(&self, text: &str) {
        let Ok(frame) = JSON::parse(text) else { return };
        let events = if Array::is_array(&frame) { Array::from(&frame) } else { Array::of1(&frame) };
        for event in events.iter().filter_map(|event| ServerEvent::from_js(&event)) {
            (self.emit)(SocketEvent::Event(event));
        }
    }

    fn lost(self: &Rc<Self>, code: u16) {
        drop(self.listens.take());
        if let Some((socket, listeners)) = self.socket.take() {
            drop(listeners);
            let _ = socket.close();
        }
        let tries = self.tries.get() + i32::from(code == TRY_AGAIN_LATER) * 3;
        self.tries.set((tries + 1).min(10));
        let longest = (PAUSE_MS * 2f64.powi(tries)).min(PAUSE_MAX_MS);
        // Half of it at least: a herd of pages does not come back at one moment.
        let pause = longest * (0.5 + js_sys::Math::random() * 0.5);
        (self.emit)(SocketEvent::Closed { pause_ms: pause, stops: code == GOING_AWAY });
        let weak = Rc::downgrade(self);
        *self.timer.borrow_mut() = Some(Timer::once(pause as i32, move || {
            // While nobody looks, nothing is tried; becoming visible tries.
            if let Some(this) = weak.upgrade().filter(|_| !document().hidden()) {
                this.now();
            }
        }));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((socket, listeners)) = self.socket.take() {
            drop(listeners);
            let _ = socket.close();
        }
    }
}
