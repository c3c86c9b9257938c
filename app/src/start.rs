//! What a page starts from: found by the server while it renders, read back from the HTML by the
//! browser while it hydrates.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{self, Anchor, ChannelId, Window},
    error::AppError,
    text::Lang,
};

/// What the server knows of a request for a page; provided as context to the render.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Which page.
    pub wanted: Wanted,
    /// The reader's language.
    pub lang: Lang,
    /// Scheme and authority that people reach this server by, without a slash at the end.
    pub base_url: String,
    /// The address that the QR code leads to.
    pub join_url: String,
    /// The stylesheet's address.
    pub stylesheet: String,
}

/// Which page was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The feed from its first channel.
    First,
    /// The feed at one channel.
    Channel(ChannelId),
    /// An address that is none of ours; the text names it where it is worth naming.
    Nothing(Option<String>),
}

/// What the page shows first, the same on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The reader's language.
    pub lang: Lang,
    /// The address that lets others in.
    pub join_url: String,
    /// The page.
    pub page: Page,
}

/// A page, with what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Page {
    /// The feed: a part of the list, and the active channel's place in the whole list, from 0.
    Reels(Window, u32),
    /// No channels yet.
    Empty,
    /// No such page; the text is the channel that was asked for.
    Missing(Option<String>),
    /// The first scan is not done.
    Starting,
}

/// Channels ahead of the active one that a page starts with.
const BEFORE: u32 = 6;
/// Channels behind the active one that a page starts with.
const AFTER: u32 = 12;

impl Start {
    /// Answers the request in context; called by the server's render alone.
    pub fn find() -> Self {
        let Some(request) = use_context::<PageRequest>() else {
            return Self { lang: Lang::default(), join_url: String::new(), page: Page::Starting };
        };
        let page = match request.wanted {
            Wanted::First => match catalog::discover(&Anchor::First.to_text(), 0, AFTER) {
                Ok(window) if window.total == 0 => Page::Empty,
                Ok(window) => Page::Reels(window, 0),
                Err(_) => Page::Starting,
            },
            Wanted::Channel(id) => {
                match catalog::discover(&Anchor::Id(id.clone()).to_text(), BEFORE, AFTER) {
                    Ok(window) => match window.items.iter().position(|media| media.id == id) {
                        Some(place) => {
                            let active = window.offset + u32::try_from(place).unwrap_or(0);
                            Page::Reels(window, active)
                        }
                        None => Page::Missing(Some(id.to_string())),
                    },
                    Err(AppError::Unavailable) => Page::Starting,
                    Err(_) => Page::Missing(Some(id.to_string())),
                }
            }
            Wanted::Nothing(name) => Page::Missing(name),
        };
        Self { lang: request.lang, join_url: request.join_url, page }
    }
}
