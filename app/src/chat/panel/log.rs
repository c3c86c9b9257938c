//! What was said, oldest first, and below it what has not come back yet.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::super::{
    Chat,
    state::{Event, Pending, State, Topic},
};
use crate::{
    part::{List, Part, effect, parts},
    reels::feed::Feed,
    text::words,
    websocket::Message,
};

parts! {
    mod parts in "main" {
        LOG: ".log",
        LINE_TEMPLATE: ".line-template",
    }
    mod log in ".log" {
        LINES: "ol",
        QUIET: ".quiet",
    }
    mod line in ".line-template" {
        ROOM_MARK: ".room-mark",
        NAME: "b",
        TIME: "time",
        TEXT: "p",
    }
    mod line_mark in ".line-template" {
        NUMBER: ".number",
    }
}

/// The reader of the log counts as at its bottom within so many pixels.
const BOTTOM_PX: i32 = 40;

/// One message, to be filled by the browser.
#[component]
pub(crate) fn Line() -> impl IntoView {
    view! {
        <li class="message">
            <b dir="auto"></b>
            " "
            <time class="edge-print"></time>
            <span class="room-mark edge-print" hidden>
                <span class="mark"></span>
                <span class="number"></span>
            </span>
            <p dir="auto"></p>
        </li>
    }
}

/// The log follows the chat, and its newest line only while its reader is at the bottom.
pub(super) fn bind(room: &Part, chat: Chat, feed: Feed) {
    let log = room.find(parts::LOG);
    let list = List::new(log.find(log::LINES), &room.find(parts::LINE_TEMPLATE), "data-key");
    let quiet = log.find(log::QUIET);
    log.on("scroll", {
        let log = log.clone();
        move |_| {
            let element = log.element();
            let below = element.scroll_height() - element.scroll_top() - element.client_height();
            chat.dispatch(Event::Scrolled { to_end: below <= BOTTOM_PX });
        }
    });
    effect(move || {
        // A note below takes of its height.
        chat.track(&[Topic::Panel, Topic::Composer, Topic::Log]);
        let here = feed.active_media().map(|media| media.id.clone());
        let reads_back = chat.now(|state| {
            let State { messages, pending, name, only_here, .. } = state;
            let belongs = |message: &&Message| match &message.channel {
                Some(channel) => Some(channel) == here.as_ref(),
                None => !only_here,
            };
            let said: Vec<&Message> = messages.iter().filter(belongs).collect();
            let ids = said.iter().map(|message| &message.id);
            let keys: Vec<_> = ids.chain(pending.iter().map(|p| &p.nonce)).cloned().collect();
            quiet.toggle_attr("hidden", !keys.is_empty());
            let lines = list.reconcile(keys);
            for (line, message) in lines.iter().zip(&said) {
                fill(line, message, name.as_ref() == Some(&message.username), feed);
            }
            for (line, pending) in lines.iter().skip(said.len()).zip(pending) {
                fill_pending(line, pending, name.as_deref());
            }
            state.reads_back
        });
        if !reads_back {
            let log = log.element().clone();
            request_animation_frame(move || log.set_scroll_top(log.scroll_height()));
        }
    });
}

fn fill(line: &Part, message: &Message, mine: bool, feed: Feed) {
    let place = message.channel.as_ref().and_then(|channel| feed.place(channel));
    line.toggle_attr("data-mine", mine);
    if let Some(place) = place {
        let mark = line.find(line::ROOM_MARK);
        mark.toggle_attr("hidden", false);
        mark.find(line_mark::NUMBER).set_text(&(place + 1).to_string());
    }
    // The rest of a message never changes.
    if line.get_attr("data-said").is_none() {
        line.toggle_attr("data-said", true);
        line.find(line::NAME).set_text(&message.username);
        line.find(line::TIME).set_text(&time_of_day(message.ts));
        line.find(line::TEXT).set_text(&message.text);
    }
}

fn fill_pending(line: &Part, pending: &Pending, name: Option<&str>) {
    line.toggle_attr("data-mine", true);
    line.toggle_attr("data-pending", true);
    line.find(line::NAME).set_text(name.unwrap_or_default());
    line.find(line::TIME).set_text(words().not_sent);
    line.find(line::TEXT).set_text(&pending.text);
}

/// `hh:mm` where the reader is.
fn time_of_day(ts: u64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(ts as f64));
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}
