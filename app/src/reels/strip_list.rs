//! On the strip: the reels around the one on screen, as a list beside it on a desktop.

use std::rc::Rc;

use leptos::prelude::*;

use wasm_bindgen::JsCast;
use web_sys::Element;

use super::{feed::Feed, shape};
use crate::{
    catalog::{ChannelId, FeedSlice, Media},
    dom::opens_elsewhere,
    part::{List, Part, effect, parts},
    player::clock,
    text::texts,
};

parts! {
    mod parts in "main" {
        STRIP_LIST: ".strip-list",
        PLAY: ".play",
        ACTIVE_ARTICLE: "article[aria-current]",
        FRAME_TEMPLATE: ".frame-template",
    }
    mod list in ".strip-list" {
        SKIP: ".skip",
        NUMBER: ".number",
        TOTAL: ".total",
        FRAMES: "ol",
    }
    mod frame in ".frame-template" {
        LINK: "a",
        POSTER: "img",
        NUMBER: ".number",
        LENGTH: ".length",
        TITLE: "b",
    }
}

/// Reels listed on each side of the active one.
const SIDE: u32 = 3;
/// Reels listed at most.
const LISTED: u32 = 6;

/// Places of the listed reels in a list of so many, from 0.
fn listed(active: u32, total: u32) -> std::ops::Range<u32> {
    let first = active.saturating_sub(SIDE - 1).min(total.saturating_sub(LISTED));
    first..(first + LISTED).min(total)
}

/// The neighbours of the reel on screen. Its links are plain: they work without the WASM bundle too. Who
/// goes by keyboard may pass them by.
#[component]
pub(crate) fn StripList(slice: FeedSlice, active: u32) -> impl IntoView {
    let texts = texts();
    let frames: Vec<_> = listed(active, slice.total)
        .filter_map(|place| {
            let media = slice.items.get(place.checked_sub(slice.offset)? as usize)?;
            Some(view! { <Frame media=Some(media.clone()) place current=place == active /> })
        })
        .collect();
    view! {
        <nav class="strip-list" aria-label=texts.on_the_strip>
            <button class="skip secondary" type="button">
                {texts.to_the_controls}
            </button>
            <header>
                <h2>{texts.on_the_strip}</h2>
                <p class="edge-print">
                    <span class="number">{active + 1}</span>
                    " / "
                    <span class="total">{slice.total}</span>
                </p>
            </header>
            <ol>{frames}</ol>
        </nav>
    }
}

#[component]
pub(crate) fn Frame(media: Option<Media>, place: u32, current: bool) -> impl IntoView {
    let id = media.as_ref().map(|media| media.id.to_string());
    let page = media.as_ref().map(|media| media.id.page());
    let poster = media.as_ref().and_then(|media| media.poster.clone());
    view! {
        <li data-key=id>
            <a href=page aria-current=current.then_some("true") data-number=place + 1>
                <img src=poster alt="" loading="lazy" draggable="false" />
                <span class="edge-print">
                    <span class="mark"></span>
                    <span class="number">{place + 1}</span>
                    " "
                    <span class="length">
                        {media.as_ref().and_then(|media| media.duration_s).map(clock)}
                    </span>
                </span>
                <b dir="auto">{media.map(|media| media.title)}</b>
            </a>
        </li>
    }
}

/// The list follows the reel on screen, and `go` goes to another one: the page stays.
pub(crate) fn strip_list(room: &Part, feed: Feed, go: impl Fn(ChannelId) + 'static) {
    let nav = room.find(parts::STRIP_LIST);
    let play = room.find(parts::PLAY);
    nav.find(list::SKIP).on_click(move || play.focus());
    nav.on("click", move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let row = target.and_then(|target| target.closest("[data-key]").ok().flatten());
        let id = row.and_then(|row| row.get_attribute("data-key"));
        let id = id.and_then(|id| ChannelId::parse(&id).ok());
        if let Some(id) = id.filter(|_| !opens_elsewhere(&event)) {
            event.prevent_default();
            go(id);
        }
    });
    // Beside a landscape picture there is no list: who was in it is at the reel.
    effect({
        let (nav, room) = (nav.clone(), room.clone());
        move || {
            let wide = feed.rested_media().is_some_and(|media| shape(&media) == "wide");
            if wide && nav.has_focus() {
                room.find(parts::ACTIVE_ARTICLE).focus();
            }
        }
    });
    let (number, total) = (nav.find(list::NUMBER), nav.find(list::TOTAL));
    let list =
        Rc::new(List::new(nav.find(list::FRAMES), &room.find(parts::FRAME_TEMPLATE), "data-key"));
    effect(move || {
        let active = feed.active();
        number.set_text(&(active + 1).to_string());
        total.set_text(&feed.total().to_string());
        let shown = feed.held(listed(active, feed.total()));
        let keys = shown.iter().map(|(_, media)| media.id.to_string()).collect();
        for (frame, (place, media)) in list.reconcile(keys).iter().zip(shown) {
            let link = frame.find(frame::LINK);
            let number = (place + 1).to_string();
            link.set_attr("href", Some(&media.id.page()));
            link.set_attr("aria-current", (place == active).then_some("true"));
            link.set_attr("data-number", Some(&number));
            frame.find(frame::POSTER).set_attr("src", media.poster.as_deref());
            frame.find(frame::NUMBER).set_text(&number);
            frame.find(frame::LENGTH).set_text(&media.duration_s.map(clock).unwrap_or_default());
            frame.find(frame::TITLE).set_text(&media.title);
        }
    });
}
