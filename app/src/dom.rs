//! The edge to the browser: listeners and animation frames that end when they are dropped.

use js_sys::{Function, Object, Promise};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AddEventListenerOptions, Animation, DomParser, Event, EventTarget, HtmlElement, MouseEvent,
    RequestInit, SupportedType,
};

use crate::{layout, part::Part};

/// An event listener; removed when dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Listens passively.
    pub(crate) fn new(
        target: &EventTarget,
        event: &'static str,
        handler: impl FnMut(Event) + 'static,
    ) -> Self {
        Self::with(target, event, true, Box::new(handler))
    }

    /// Listens so that the handler may call `preventDefault`.
    pub(crate) fn active(
        target: &EventTarget,
        event: &'static str,
        handler: impl FnMut(Event) + 'static,
    ) -> Self {
        Self::with(target, event, false, Box::new(handler))
    }

    // One function for all handlers: each kind of closure would have its own.
    fn with(
        target: &EventTarget,
        event: &'static str,
        passive: bool,
        handler: Box<dyn FnMut(Event)>,
    ) -> Self {
        let closure = Closure::wrap(handler);
        let options = AddEventListenerOptions::new();
        options.set_passive(passive);
        // Fails only for a null callback.
        let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
            event,
            closure.as_ref().unchecked_ref(),
            &options,
        );
        Self { target: target.clone(), event, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self
            .target
            .remove_event_listener_with_callback(self.event, self.closure.as_ref().unchecked_ref());
    }
}

/// A timer of the browser; cleared when dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    handle: i32,
    repeats: bool,
    _closure: Closure<dyn FnMut()>,
}

impl Timer {
    /// Once, after so many milliseconds.
    pub(crate) fn once(ms: i32, task: impl FnMut() + 'static) -> Self {
        Self::with(ms, false, Box::new(task))
    }

    /// Every so many milliseconds.
    pub(crate) fn every(ms: i32, task: impl FnMut() + 'static) -> Self {
        Self::with(ms, true, Box::new(task))
    }

    fn with(ms: i32, repeats: bool, task: Box<dyn FnMut()>) -> Self {
        let closure = Closure::wrap(task);
        let (window, task) = (window(), closure.as_ref().unchecked_ref());
        let handle = if repeats {
            window.set_interval_with_callback_and_timeout_and_arguments_0(task, ms)
        } else {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(task, ms)
        };
        Self { handle: handle.unwrap_or(0), repeats, _closure: closure }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.repeats {
            window().clear_interval_with_handle(self.handle);
        } else {
            window().clear_timeout_with_handle(self.handle);
        }
    }
}

/// Milliseconds of the page's monotonic clock.
pub(crate) fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// The nearest number that is neither below `low` nor above `high`. `f64::clamp` can panic with both
/// in its message: writing floats weighs in the page.
pub(crate) fn within(number: f64, low: f64, high: f64) -> f64 {
    if number < low {
        low
    } else if number > high {
        high
    } else {
        number
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = HtmlElement)]
    type Animatable;

    #[wasm_bindgen(method, js_name = animate)]
    fn begin(this: &Animatable, keyframes: &JsValue, options: &JsValue) -> Animation;
}

/// Begins an animation (Web Animations) of `element` through `frames`.
pub(crate) fn animate(element: &HtmlElement, frames: &JsValue, options: &JsValue) -> Animation {
    element.unchecked_ref::<Animatable>().begin(frames, options)
}

/// Whether the person asked for less motion.
pub(crate) fn reduced_motion() -> bool {
    matches("(prefers-reduced-motion: reduce)")
}

/// Whether this device is moved by fingers.
pub(crate) fn swipes() -> bool {
    matches("(pointer: coarse)")
}

/// Whether there is no room beside the picture: the chat is a sheet.
pub(crate) fn is_narrow() -> bool {
    matches(layout::SHEET)
}

/// Whether the page is seen through a part of itself: two fingers have drawn it larger.
pub(crate) fn zoomed() -> bool {
    window().visual_viewport().is_some_and(|viewport| viewport.scale() > 1.01)
}

/// Whether a click is the browser's: it asks for another tab or window, or to keep what lies there.
pub(crate) fn opens_elsewhere(event: &Event) -> bool {
    let event: &MouseEvent = event.unchecked_ref();
    let held = [event.ctrl_key(), event.meta_key(), event.shift_key(), event.alt_key()];
    held.contains(&true) || event.button() != 0
}

fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// Calls a method of a JS object that not every browser has, and waits for what it promises; `None`
/// where there is none, where it throws, or where it was refused.
pub(crate) async fn granted(object: &JsValue, method: &str, argument: &JsValue) -> Option<JsValue> {
    let method = get(object, method).dyn_into::<Function>().ok()?;
    let promise = method.call1(object, argument).ok()?;
    JsFuture::from(Promise::resolve(&promise)).await.ok()
}

/// Lets a promise end as it likes: it only asked, and whether it was granted shows by itself.
pub(crate) fn swallow(promise: JsValue) {
    if let Ok(promise) = promise.dyn_into::<Promise>() {
        spawn_local(async move { drop(JsFuture::from(promise).await) });
    }
}

/// An answer of ours that is not there whole after so long does not come any more.
const ANSWER_MS: f64 = 10_000.0;

/// What a request is made with: it ends by itself, where the browser has clocks for that.
fn patient() -> RequestInit {
    let init = Object::new();
    let clock = get(&window(), "AbortSignal");
    let signal = get(&clock, "timeout").dyn_into::<Function>();
    if let Ok(signal) = signal.and_then(|timeout| timeout.call1(&clock, &ANSWER_MS.into())) {
        set(&init, "signal", signal);
    }
    init.unchecked_into()
}

/// The text of one of our addresses; `None` where the server does not say 200, or nothing in time.
pub(crate) async fn fetched_text(address: &str) -> Option<String> {
    let answer = window().fetch_with_str_and_init(address, &patient());
    let response = JsFuture::from(answer).await.ok()?;
    if get(&response, "ok").is_falsy() {
        return None;
    }
    let text: Function = get(&response, "text").dyn_into().ok()?;
    let text: Promise = text.call0(&response).ok()?.dyn_into().ok()?;
    JsFuture::from(text).await.ok()?.as_string()
}

/// One of our pages, parsed and in no window: its scripts do not run.
pub(crate) async fn fetched(address: &str) -> Option<Part> {
    let text = fetched_text(address).await?;
    let page = DomParser::new().ok()?.parse_from_string(&text, SupportedType::TextHtml).ok()?;
    page.document_element().map(Part::new)
}

/// A value of a JS object, `undefined` where it has none.
pub(crate) fn get(object: &JsValue, key: &str) -> JsValue {
    js_sys::Reflect::get(object, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a value of a JS object.
pub(crate) fn set(object: &JsValue, key: &str, value: impl Into<JsValue>) {
    // Fails only for something that is no object.
    let _ = js_sys::Reflect::set(object, &JsValue::from_str(key), &value.into());
}

/// Remembers something in this browser, where it allows that.
pub(crate) fn remember(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// What this browser remembers.
pub(crate) fn recall(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}
