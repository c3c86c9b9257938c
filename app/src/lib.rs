//! What is seen and said: views, wire types and server functions, compiled for both sides.

mod bars;
pub mod catalog;
mod chat;
mod dom;
pub mod error;
mod icon;
mod join;
pub mod live;
mod pages;
pub mod player;
pub mod reels;
mod shell;
pub mod start;
pub mod text;

use leptos::prelude::*;

pub use self::shell::shell;
use self::{
    join::JoinUrl,
    pages::{Empty, Missing, Starting},
    reels::Reels,
    start::{Page, Start},
};

/// The page: what the server found for it, shown.
#[component]
pub fn App() -> impl IntoView {
    let start = SharedValue::new(Start::find).into_inner();
    provide_context(start.lang);
    provide_context(JoinUrl(start.join_url));
    match start.page {
        Page::Reels(window, active) => view! { <Reels window active /> }.into_any(),
        Page::Empty => view! { <Empty /> }.into_any(),
        Page::Missing(name) => view! { <Missing name /> }.into_any(),
        Page::Starting => view! { <Starting /> }.into_any(),
    }
}
