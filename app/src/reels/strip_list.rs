//! On the strip: the reels around the one on screen, as a list beside it on a desktop.

use std::sync::Arc;

use leptos::prelude::*;

use super::feed::Feed;
use crate::{catalog::Media, player::clock, text::texts};

/// Reels listed on each side of the active one.
const SIDE: u32 = 3;
/// Reels listed at most.
const LISTED: usize = 6;

/// The neighbours of the reel on screen. Its links are plain: they work before hydration too.
#[component]
pub(crate) fn StripList(feed: Feed) -> impl IntoView {
    let texts = texts();
    let listed = move || {
        let active = feed.active();
        let mut around = feed.around(active, LISTED as u32);
        let first = around
            .iter()
            .position(|media| feed.place(&media.id).is_some_and(|p| p + SIDE > active))
            .unwrap_or(0)
            .min(around.len().saturating_sub(LISTED));
        around.drain(..first);
        around.truncate(LISTED);
        around
    };
    view! {
        <nav class="strip-list" aria-label=texts.on_the_strip>
            <header>
                <h2>{texts.on_the_strip}</h2>
                <p class="edge-print">{move || feed.active() + 1} " / " {move || feed.total()}</p>
            </header>
            <ol>
                <For
                    each=listed
                    key=|media| media.id.clone()
                    children=move |media| view! { <Frame feed media /> }
                />
            </ol>
        </nav>
    }
}

#[component]
fn Frame(feed: Feed, media: Arc<Media>) -> impl IntoView {
    let id = media.id.clone();
    let place = Memo::new(move |_| feed.place(&id));
    let current = move || (place.get() == Some(feed.active())).then_some("true");
    view! {
        <li>
            <a href=media.id.page() aria-current=current>
                {media
                    .poster
                    .clone()
                    .map(|poster| view! { <img src=poster alt="" loading="lazy" draggable="false" /> })}
                <span class="edge-print">
                    <span class="mark"></span>
                    {move || place.get().map(|place| place + 1)}
                    " "
                    {media.duration_s.map(clock)}
                </span>
                <b>{media.title.clone()}</b>
            </a>
        </li>
    }
}
