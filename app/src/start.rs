//! What a page starts from: found by the server while it renders, read back from the HTML by the
//! browser while it hydrates.

use std::sync::Arc;

use leptos::prelude::{document, use_context};
use serde::{Serialize, Serializer};
use wasm_bindgen::JsValue;

use crate::{
    catalog::{self, Anchor, ChannelId, FeedSlice, Order},
    dom::get,
    error::AppError,
    pulse::{self, Pulse},
    text::Lang,
    theme::Theme,
    wire::{self, FromJs, from_js_members},
};

/// What the server knows of a request for a page; provided as context to the render.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Which page.
    pub wanted: Wanted,
    /// The reader's language.
    pub lang: Lang,
    /// By day or by night.
    pub theme: Theme,
    /// The order of the feed.
    pub order: Order,
    /// Scheme and authority that people reach this server by, without a slash at the end.
    pub base_url: String,
    /// The address that the QR code leads to.
    pub join_url: String,
    /// Whether that leads to this server from other devices.
    pub is_open: bool,
    /// The folder of the channels, for whoever sits at the machine; `None` for everybody else.
    pub folder: Option<String>,
    /// The stylesheet.
    pub stylesheet: Stylesheet,
    /// The browser that asks holds the stylesheet already.
    pub has_stylesheet: bool,
    /// The address of the module that plays the first reel before the WASM is there.
    pub early: String,
}

/// The stylesheet of a build.
#[derive(Clone, Debug)]
pub struct Stylesheet {
    /// Its address.
    pub address: Arc<str>,
    /// Names its content.
    pub version: Arc<str>,
    /// What stands in it; empty where it may change while it is served.
    pub text: Arc<str>,
}

/// Which page was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The feed from its first channel.
    First,
    /// The feed at one channel.
    Channel(ChannelId),
    /// How fast it feels, for the operator.
    Pulse,
    /// An address that is none of ours; the text names it where it is worth naming.
    Nothing(Option<String>),
}

/// What the page shows first, the same on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Start {
    /// The reader's language.
    pub lang: Lang,
    /// The address that lets others in.
    pub join_url: String,
    /// The page.
    pub page: Page,
}

/// A page, with what it needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Page {
    /// The feed: a part of the list, and the active channel's place in the whole list, from 0.
    Reels(FeedSlice, u32),
    /// No channels yet. To whoever sits at the machine it says where they are looked for.
    Empty(Option<String>),
    /// No such page; the text is the channel that was asked for.
    Missing(Option<String>),
    /// The first scan is not done.
    Starting,
    /// How fast it feels.
    Pulse(Rendered),
}

/// What a page shows in HTML that the server alone renders. It stands in the document; nothing of
/// it is sent a second time, and the browser leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered(pub String);

impl Serialize for Rendered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

/// Channels ahead of the active one that a page starts with.
const BEFORE: u32 = 6;
/// Channels behind the active one that a page starts with.
const AFTER: u32 = 12;

/// The element of the document that holds it as JSON.
pub(crate) const ELEMENT: &str = "start";

impl Start {
    /// Answers a request: the server's side.
    pub fn find(request: &PageRequest) -> Self {
        let order = request.order;
        let page = match request.wanted.clone() {
            Wanted::First => match catalog::discover(order, &Anchor::First.to_text(), 0, AFTER) {
                Ok(slice) if slice.total == 0 => Page::Empty(request.folder.clone()),
                Ok(slice) => Page::Reels(slice, 0),
                Err(_) => Page::Starting,
            },
            Wanted::Channel(id) => {
                match catalog::discover(order, &Anchor::Id(id.clone()).to_text(), BEFORE, AFTER) {
                    Ok(slice) => match slice.items.iter().position(|media| media.id == id) {
                        Some(place) => {
                            let active = slice.offset + u32::try_from(place).unwrap_or(0);
                            Page::Reels(slice, active)
                        }
                        None => Page::Missing(Some(id.to_string())),
                    },
                    Err(AppError::Unavailable) => Page::Starting,
                    Err(_) => Page::Missing(Some(id.to_string())),
                }
            }
            Wanted::Nothing(name) => Page::Missing(name),
            Wanted::Pulse => {
                let report = use_context::<Arc<dyn Pulse>>().map(|pulse| pulse.report());
                let shown = pulse::rendered(&report.unwrap_or_default(), request.lang);
                Page::Pulse(Rendered(shown))
            }
        };
        Self { lang: request.lang, join_url: request.join_url.clone(), page }
    }

    /// Reads what the server found from the document: the browser's side.
    pub fn read() -> Option<Self> {
        let text = document().get_element_by_id(ELEMENT)?.text_content()?;
        wire::read_text(&text)
    }

    /// As JSON that may stand in a `script` element.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }
}

impl FromJs for Page {
    fn from_js(value: &JsValue) -> Option<Self> {
        let name = value.as_string();
        let reels = get(value, "Reels");
        match name.as_deref() {
            Some("Starting") => Some(Self::Starting),
            _ if reels.is_object() => {
                let slice = FromJs::from_js(&get(&reels, "0"))?;
                Some(Self::Reels(slice, FromJs::from_js(&get(&reels, "1"))?))
            }
            _ if !get(value, "Empty").is_undefined() => Some(Self::Empty(None)),
            _ => Some(Self::Missing(FromJs::from_js(&get(value, "Missing"))?)),
        }
    }
}

impl FromJs for Lang {
    fn from_js(value: &JsValue) -> Option<Self> {
        Self::parse(&value.as_string()?)
    }
}

from_js_members! { Start { lang, join_url, page } }
