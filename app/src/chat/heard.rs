//! What the server says to the chat: what was said before, what is said now, and that it is gone.

use std::rc::Rc;

use super::{AMBIENT, AMBIENT_MS, Chat, KEPT, Link, NAME_KEY, TOKEN_KEY};
use crate::{
    dom::{Timer, remember},
    reels::feed::state::Event,
    websocket::{Message, ServerEvent, socket::SocketEvent},
};

impl Chat {
    pub(super) fn heard(&self, heard: SocketEvent) {
        match heard {
            SocketEvent::Opened => {
                self.stops.set(false);
                self.breaks.set(0);
                self.rejoins.set((false, 0));
                self.link.set(Link::Open);
                drop(self.counting.take());
                self.join();
                self.watch();
                // What waits is said when the history has told what was heard before.
            }
            SocketEvent::Closed { pause_ms, stops } => {
                self.stops.update(|all| *all |= stops);
                self.lost((pause_ms / 1000.0).ceil() as u32);
            }
            SocketEvent::Event(event) => self.told(event),
        }
    }

    fn lost(&self, seconds: u32) {
        self.breaks.update(|breaks| *breaks += 1);
        if self.breaks.get_untracked() > 1 {
            self.feed.dispatch(Event::Refresh);
        }
        self.link.set(Link::Lost(seconds, seconds));
        let link = self.link;
        self.counting.set(Rc::new(Timer::every(1000, move || {
            if let Link::Lost(left, all) = link.get_untracked() {
                link.set(Link::Lost(left.saturating_sub(1), all));
            }
        })));
    }

    fn told(&self, event: ServerEvent) {
        if let Some(on_reaction) = self.on_reaction.get() {
            on_reaction(&event);
        }
        match event {
            ServerEvent::Videos { videos, total, version } => {
                self.feed.dispatch(Event::Listed { videos, total, version });
            }
            ServerEvent::History { channel, messages, .. } => {
                self.remember_history(messages);
                if channel.is_none() {
                    self.say_pending();
                    if self.waits.update_untracked(std::mem::take) {
                        self.send();
                    }
                }
            }
            ServerEvent::UserCount { count, channels } => self.online.set((count, channels)),
            ServerEvent::Joined { username, token } => {
                remember(NAME_KEY, &username);
                remember(TOKEN_KEY, &token);
                self.name.set(Some(username));
                self.joined();
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
            self.rejoins.set((false, 0));
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
}
