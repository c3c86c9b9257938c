//! What is seen and said: views, wire types and server functions, compiled for both sides.

// Views are types: the page's is deep.
#![recursion_limit = "512"]
#![allow(unreachable_pub, reason = "the component macro makes its property types public")]

mod bars;
pub mod broken;
pub mod catalog;
mod chat;
mod dom;
pub mod error;
mod icon;
mod join;
pub mod live;
mod pages;
pub mod player;
pub mod pulse;
pub mod reels;
mod shell;
pub mod start;
pub mod text;
pub mod wire;

use leptos::{either::EitherOf5, prelude::*};

pub use self::shell::shell;
use self::{
    join::JoinUrl,
    pages::{Empty, Missing, Starting},
    pulse::PulsePage,
    reels::Reels,
    start::{Page, Start},
};

/// The page: what the server found for it, shown.
#[component]
pub fn App(
    /// The same on both sides.
    start: Start,
) -> impl IntoView {
    provide_context(start.lang);
    provide_context(JoinUrl(start.join_url));
    // No view is erased anywhere: an erased one keeps every way to render it in the program.
    match start.page {
        Page::Reels(window, active) => EitherOf5::A(view! { <Reels window active /> }),
        Page::Empty => EitherOf5::B(view! { <Empty /> }),
        Page::Missing(name) => EitherOf5::C(view! { <Missing name /> }),
        Page::Starting => EitherOf5::D(view! { <Starting /> }),
        Page::Pulse(shown) => EitherOf5::E(view! { <PulsePage shown /> }),
    }
}
