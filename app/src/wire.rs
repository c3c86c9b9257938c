//! What crosses between server and page is JSON. The server writes it with serde; the page reads it
//! with the browser's own parser: serde's would weigh a third of the WASM bundle.

use std::convert::Infallible;

use js_sys::{Array, JSON, Object};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    catalog::{ChannelId, FeedSlice, Kind, Media, Order, Source, Storyboard, Subtitle},
    dom::get,
    error::AppError,
    websocket::Rooms,
};

/// JSON, written on the server and read in the page.
#[derive(Debug)]
pub struct Wire;

/// A server function's answer as [`Wire`].
pub type WirePost = Post<Wire>;

impl ContentType for Wire {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Wire {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Wire {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(output).map(Bytes::from)
    }
}

impl<T: FromJs> Decodes<T> for Wire {
    type Error = &'static str;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        std::str::from_utf8(&bytes)
            .ok()
            .and_then(read_text)
            .ok_or("the answer is not of this page's version")
    }
}

/// Reads a JSON text in the page.
pub(crate) fn read_text<T: FromJs>(text: &str) -> Option<T> {
    T::from_js(&JSON::parse(text).ok()?)
}

/// Can be read from a parsed value. Members that it does not know are passed over.
pub trait FromJs: Sized {
    /// `None` where the value is not of this form.
    fn from_js(value: &JsValue) -> Option<Self>;
}

impl FromJs for Infallible {
    fn from_js(_: &JsValue) -> Option<Self> {
        None
    }
}

impl FromJs for String {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl FromJs for bool {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl FromJs for f64 {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_f64()
    }
}

impl FromJs for u32 {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_f64().map(|number| number as Self)
    }
}

impl FromJs for u64 {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_f64().map(|number| number as Self)
    }
}

impl<T: FromJs> FromJs for Option<T> {
    fn from_js(value: &JsValue) -> Option<Self> {
        if value.is_null() || value.is_undefined() {
            Some(None)
        } else {
            T::from_js(value).map(Some)
        }
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.dyn_ref::<Array>()?.iter().map(|item| T::from_js(&item)).collect()
    }
}

impl FromJs for Rooms {
    fn from_js(value: &JsValue) -> Option<Self> {
        let object: &Object = value.dyn_ref()?;
        let entry = |key: JsValue| {
            let id = ChannelId::from_js(&key)?;
            let count = u32::from_js(&get(value, id.as_str()))?;
            Some((id, count))
        };
        Object::keys(object).iter().map(entry).collect::<Option<_>>().map(Self)
    }
}

impl FromJs for ChannelId {
    fn from_js(value: &JsValue) -> Option<Self> {
        Self::parse(&value.as_string()?).ok()
    }
}

impl FromJs for Kind {
    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "video" => Some(Self::Video),
            "audio" => Some(Self::Audio),
            _ => None,
        }
    }
}

impl FromJs for Source {
    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "local" => Some(Self::Local),
            "s3" => Some(Self::S3),
            "http" => Some(Self::Http),
            _ => None,
        }
    }
}

impl FromJs for Order {
    fn from_js(value: &JsValue) -> Option<Self> {
        Self::parse(&value.as_string()?)
    }
}

impl FromJs for AppError {
    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string().as_deref() {
            Some("NotFound") => Some(Self::NotFound),
            Some("Unavailable") => Some(Self::Unavailable),
            _ => Some(Self::Transport(
                JSON::stringify(value).map_or_else(|_| String::new(), Into::into),
            )),
        }
    }
}

/// Reads a struct member by member, each under its own name.
macro_rules! from_js_members {
    ($($type:ident { $($member:ident),* $(,)? })*) => {$(
        impl $crate::wire::FromJs for $type {
            fn from_js(value: &wasm_bindgen::JsValue) -> Option<Self> {
                Some(Self {
                    $($member: $crate::wire::FromJs::from_js(&$crate::dom::get(value, stringify!($member)))?,)*
                })
            }
        }
    )*};
}
pub(crate) use from_js_members;

from_js_members! {
    Subtitle { lang, url }
    Storyboard { url, interval_s, columns, tile_w, tile_h }
    Media {
        id, title, description, kind, source, url, mime, duration_s, width, height, poster, thumbhash,
        waveform, subtitles, storyboard, live, available, tags, updated_at, order, format,
    }
    FeedSlice { items, offset, total, version, order }
}
