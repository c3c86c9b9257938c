//! On the strip: the reels around the one on screen, as a list beside it on a desktop.

use std::rc::Rc;

use leptos::prelude::*;

use super::feed::Feed;
use crate::{
    catalog::{Media, Window},
    part::{List, Part, watch},
    player::clock,
    text::texts,
};

/// Reels listed on each side of the active one.
const SIDE: u32 = 3;
/// Reels listed at most.
const LISTED: u32 = 6;

/// Places of the listed reels in a list of so many, from 0.
fn listed(active: u32, total: u32) -> std::ops::Range<u32> {
    let first = active.saturating_sub(SIDE - 1).min(total.saturating_sub(LISTED));
    first..(first + LISTED).min(total)
}

/// The neighbours of the reel on screen. Its links are plain: they work without the program too.
#[component]
pub(crate) fn StripList(window: Window, active: u32) -> impl IntoView {
    let texts = texts();
    let frames: Vec<_> = listed(active, window.total)
        .filter_map(|place| {
            let media = window.items.get(place.checked_sub(window.offset)? as usize)?;
            Some(view! { <Frame media=Some(media.clone()) place current=place == active /> })
        })
        .collect();
    view! {
        <nav class="strip-list" aria-label=texts.on_the_strip>
            <header>
                <h2>{texts.on_the_strip}</h2>
                <p class="edge-print">
                    <span class="number">{active + 1}</span>
                    " / "
                    <span class="total">{window.total}</span>
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
            <a href=page aria-current=current.then_some("true")>
                <img src=poster alt="" loading="lazy" draggable="false" />
                <span class="edge-print">
                    <span class="mark"></span>
                    <span class="number">{place + 1}</span>
                    " "
                    <span class="length">
                        {media.as_ref().and_then(|media| media.duration_s).map(clock)}
                    </span>
                </span>
                <b>{media.map(|media| media.title)}</b>
            </a>
        </li>
    }
}

/// The list follows the reel on screen.
pub(crate) fn strip_list(room: &Part, feed: Feed) {
    let nav = room.find(".strip-list");
    let (number, total) = (nav.find(".number"), nav.find(".total"));
    let list = Rc::new(List::new(nav.find("ol"), &room.find(".frame-template"), "data-key"));
    watch(move || {
        let active = feed.active();
        number.say(&(active + 1).to_string());
        total.say(&feed.total().to_string());
        let shown = feed.held(listed(active, feed.total()));
        let keys = shown.iter().map(|(_, media)| media.id.to_string()).collect();
        for (frame, (place, media)) in list.lay_out(keys).iter().zip(shown) {
            let link = frame.find("a");
            link.set("href", Some(&media.id.page()));
            link.set("aria-current", (place == active).then_some("true"));
            frame.find("img").set("src", media.poster.as_deref());
            frame.find(".number").say(&(place + 1).to_string());
            frame.find(".length").say(&media.duration_s.map(clock).unwrap_or_default());
            frame.find("b").say(&media.title);
        }
    });
}
