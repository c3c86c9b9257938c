//! The vertical feed: articles near the active one, the gate that moves them, and the controls of
//! the reel on screen.

pub mod chrome;
pub mod feed;
mod gate;
mod keys;
mod motion;
mod pan;
mod reel;
mod strip_list;
mod wheel;

use std::rc::Rc;

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;

use self::{chrome::Chrome, feed::Feed, gate::Gate, reel::Reel, strip_list::StripList};
use crate::{
    bars::Bars,
    catalog::{Kind, Media, Window},
    chat::{Chat, ChatButton, ChatPanel, Talk, Viewers},
    dom::Held,
    icon::Logo,
    join::JoinButton,
    player::{Failure, FullScreen, Hear, Leader, Player, RestLine, Run, Sound},
    text::texts,
};

/// How a picture fills its frame.
pub(crate) fn shape(media: &Media) -> &'static str {
    match (media.kind, media.width, media.height) {
        (Kind::Audio, ..) => "music",
        (Kind::Video, Some(width), Some(height)) if width * 10 >= height * 12 => "wide",
        (Kind::Video, Some(width), Some(height)) if width * 10 > height * 7 => "square",
        (Kind::Video, ..) => "tall",
    }
}

/// Width by height, as a stylesheet reads it.
pub(crate) fn ratio(media: &Media) -> Option<String> {
    let (width, height) = media.width.zip(media.height)?;
    // Whole numbers only: writing floats weighs in the page.
    (height > 0).then(|| format!("calc({width}/{height})"))
}

/// The feed and everything that belongs to the reel on screen.
#[component]
pub fn Reels(
    /// The part of the list that the page starts with.
    window: Window,
    /// Place of the active channel in the whole list, from 0.
    active: u32,
) -> impl IntoView {
    let texts = texts();
    let feed = Feed::new(window, active);
    let player = Player::new();
    let chrome = Chrome::new();
    let chat = Chat::new(feed);

    let feed_ref = NodeRef::<html::Div>::new();
    let strip_ref = NodeRef::<html::Div>::new();
    let gate = Held::<Rc<Gate>>::new();

    Effect::new(move |_| {
        let (Some(element), Some(strip)) = (feed_ref.get(), strip_ref.get()) else { return };
        player.wake();
        gate.set(Gate::new(feed, player, chrome, element.unchecked_into(), strip.unchecked_into()));
        chrome.first();
        chat.wake();
    });
    on_cleanup(move || {
        drop(gate.take());
        player.sleep();
        chat.sleep();
    });
    Effect::new(move |_| {
        feed.active();
        chat.watch_soon();
    });
    // What holds the controls on screen.
    Effect::new(move |_| chrome.held.set(player.paused.get() || chat.open.get()));
    // Music goes on to the next.
    Effect::new(move |before: Option<u32>| {
        let ended = player.ended.get();
        if before.is_some_and(|before| before != ended)
            && let Some(gate) = gate.get()
        {
            gate.step(1);
        }
        ended
    });

    let step = move |by: i32| {
        if let Some(gate) = gate.get() {
            gate.step(by);
        }
    };
    let next = Callback::new(move |()| step(1));
    let number = Signal::derive(move || feed.active() + 1);
    // The layout follows when the strip has come to rest.
    let rested = Memo::new(move |_| feed.rested_media());
    let room_shape = move || rested.with(|media| media.as_ref().map_or("tall", |m| shape(m)));
    let room_ratio = move || rested.with(|media| media.as_ref().and_then(|media| ratio(media)));
    let light = move || rested.with(|media| media.as_ref().and_then(|media| media.poster.clone()));

    view! {
        <main
            class="room"
            data-shape=room_shape
            style:--ratio=room_ratio
            data-moving=move || chrome.moving.get().then_some("")
            data-controls=move || chrome.controls.get().then_some("")
            data-slate=move || chrome.slate.get().then_some("")
            data-paused=move || player.paused.get().then_some("")
            data-chat-open=move || chat.open.get().then_some("")
        >
            <h1 class="sr-only">"Carrete"</h1>
            <div class="room-light" aria-hidden="true">
                <img src=light alt="" />
            </div>
            <div
                class="feed"
                node_ref=feed_ref
                role="feed"
                aria-label=texts.feed
                aria-busy="false"
            >
                <div class="strip" node_ref=strip_ref>
                    <For
                        each=move || feed.articles()
                        key=|media| media.id.clone()
                        children=move |media| view! { <Reel media feed /> }
                    />
                </div>
            </div>
            <div class="film-edges" data-number=move || number.get() aria-hidden="true"></div>
            <Leader player />
            <Failure player number next />
            <RestLine player />
            <div class="top">
                <JoinButton />
                <span class="spacer"></span>
                <Viewers chat />
            </div>
            <StripList feed />
            <Talk chat />
            <div class="controls">
                <Run player />
                <div class="dock">
                    <Sound player />
                    <FullScreen toggle=gate::full_screen />
                    <ChatButton chat />
                </div>
            </div>
            <Hear player />
            <ChatPanel chat feed />
            <Bars chat />
            <div class="brand">
                <Logo />
            </div>
        </main>
    }
}
