//! What is seen and said: views, wire types and server functions, compiled for both sides.

// Views are types: the page's is deep.
#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "the component macro makes its property types public")]

mod banners;
pub mod broken;
pub mod catalog;
mod chat;
mod dialog;
mod dom;
pub mod error;
pub mod guide;
mod help;
mod hydrate_root;
pub mod icon;
mod layout;
mod overlay_history;
mod pages;
mod part;
pub mod player;
pub mod pulse;
mod reaction;
pub mod reels;
mod share;
mod shell;
pub mod start;
pub mod text;
pub mod theme;
mod thumb;
pub mod value;
pub mod websocket;
pub mod wire;

use leptos::{either::EitherOf5, prelude::*};

pub use self::shell::shell;
use self::{
    hydrate_root::hydrate_root,
    pages::{Empty, Missing, Starting, reload_with_the_first_channel},
    pulse::PulsePage,
    reels::Reels,
    share::JoinUrl,
    start::{Page, Start},
};

/// The page: what the server found for it, written by the server and taken over by the browser.
#[component]
pub fn App(
    /// The same on both sides.
    start: Start,
) -> impl IntoView {
    provide_context(start.lang);
    provide_context(JoinUrl(start.join_url));
    let page = start.page.clone();
    hydrate_root(
        // No view is erased anywhere: an erased one keeps every way to render it in the WASM bundle.
        move || match start.page {
            Page::Reels(slice, active) => EitherOf5::A(view! { <Reels slice active /> }),
            Page::Empty(folder) => EitherOf5::B(view! { <Empty folder /> }),
            Page::Missing(name) => EitherOf5::C(view! { <Missing name /> }),
            Page::Starting => EitherOf5::D(view! { <Starting /> }),
            Page::Pulse(shown) => EitherOf5::E(view! { <PulsePage shown /> }),
        },
        move |root| match page {
            Page::Reels(slice, active) => reels::take_over(root, slice, active),
            Page::Empty(_) | Page::Starting => reload_with_the_first_channel(),
            // Nothing of them moves.
            Page::Pulse(_) | Page::Missing(_) => {}
        },
    )
}
