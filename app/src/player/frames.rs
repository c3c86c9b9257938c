//! Presented frames: calls back when a media element has shown its first and its second picture.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::HtmlVideoElement;

use crate::dom::get;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = HtmlVideoElement)]
    type FrameSource;

    #[wasm_bindgen(method, catch, js_name = requestVideoFrameCallback)]
    fn request(this: &FrameSource, callback: &Function) -> Result<u32, JsValue>;
    #[wasm_bindgen(method, catch, js_name = cancelVideoFrameCallback)]
    fn cancel(this: &FrameSource, handle: u32) -> Result<(), JsValue>;
}

/// Asks for itself again: held where it can find itself.
type Callback = Rc<RefCell<Option<Closure<dyn FnMut(f64, JsValue)>>>>;

/// Watches the frames of one element. Counts from [`Frames::restart`] on, because a browser may
/// call once for an element that is in no document.
pub(crate) struct Frames {
    video: FrameSource,
    seen: Rc<Cell<u32>>,
    handle: Rc<Cell<Option<u32>>>,
    callback: Callback,
}

impl Frames {
    /// `presented(n)` is called for the first (1) and second (2) different frame.
    pub(crate) fn new(video: &HtmlVideoElement, presented: impl Fn(u32) + 'static) -> Self {
        let source: FrameSource = video.clone().unchecked_into();
        let seen = Rc::new(Cell::new(0));
        let handle = Rc::new(Cell::new(None));
        let callback: Callback = Rc::default();
        let last_s = Cell::new(-1.0);
        let closure = Closure::<dyn FnMut(f64, JsValue)>::new({
            let source = FrameSource::from(JsValue::from(video));
            let (seen, handle) = (Rc::clone(&seen), Rc::clone(&handle));
            let callback = Rc::downgrade(&callback);
            move |_now, frame: JsValue| {
                handle.set(None);
                let at_s = get(&frame, "mediaTime").as_f64().unwrap_or(0.0);
                if seen.get() == 0 || at_s != last_s.get() {
                    last_s.set(at_s);
                    seen.set(seen.get() + 1);
                    presented(seen.get());
                }
                if seen.get() < 2
                    && let Some(callback) = callback.upgrade()
                    && let Some(closure) = &*callback.borrow()
                {
                    handle.set(source.request(closure.as_ref().unchecked_ref()).ok());
                }
            }
        });
        *callback.borrow_mut() = Some(closure);
        Self { video: source, seen, handle, callback }
    }

    /// Counts from the next presented frame on. `false` where the browser tells no frames.
    pub(crate) fn restart(&self) -> bool {
        self.stop();
        self.seen.set(0);
        let handle = self
            .callback
            .borrow()
            .as_ref()
            .and_then(|closure| self.video.request(closure.as_ref().unchecked_ref()).ok());
        self.handle.set(handle);
        handle.is_some()
    }

    /// Frames counted since the last restart, at most 2.
    pub(crate) fn seen(&self) -> u32 {
        self.seen.get()
    }

    /// Stops counting.
    pub(crate) fn stop(&self) {
        if let Some(handle) = self.handle.take() {
            let _ = self.video.cancel(handle);
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.stop();
    }
}
