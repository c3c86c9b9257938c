//! Presented frames: calls back when a media element has shown its first and its second picture
//! (`requestVideoFrameCallback`), and counts decoded ones where a browser does not tell.

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

/// A picture that has played so long without one callback is counted by what was decoded, in seconds:
/// some browsers know the callback and never call it.
const UNTOLD_S: f64 = 0.6;

/// Asks for itself again: held where it can find itself.
type Callback = Rc<RefCell<Option<Closure<dyn FnMut(f64, JsValue)>>>>;

/// Watches the frames of one element. Counts from [`Frames::restart`] on, because a browser may
/// call once for an element that is in no document.
pub(crate) struct Frames {
    video: FrameSource,
    seen: Rc<Cell<u32>>,
    handle: Rc<Cell<Option<u32>>>,
    callback: Callback,
    presented: Rc<dyn Fn(u32)>,
    /// The playhead and the frames decoded when counting began.
    began: Cell<(f64, f64)>,
}

impl Frames {
    /// `presented(n)` is called for the first (1) and second (2) different frame.
    pub(crate) fn new(video: &HtmlVideoElement, presented: impl Fn(u32) + 'static) -> Self {
        let source: FrameSource = video.clone().unchecked_into();
        let presented: Rc<dyn Fn(u32)> = Rc::new(presented);
        let seen = Rc::new(Cell::new(0));
        let handle = Rc::new(Cell::new(None));
        let callback: Callback = Rc::default();
        let last_s = Cell::new(-1.0);
        let closure = Closure::<dyn FnMut(f64, JsValue)>::new({
            let source = FrameSource::from(JsValue::from(video));
            let (seen, handle) = (Rc::clone(&seen), Rc::clone(&handle));
            let callback = Rc::downgrade(&callback);
            let presented = Rc::clone(&presented);
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
        Self { video: source, seen, handle, callback, presented, began: Cell::default() }
    }

    /// Counts from the next presented frame on.
    pub(crate) fn restart(&self) {
        self.stop();
        self.seen.set(0);
        self.began.set((self.video.current_time(), decoded(&self.video).unwrap_or(0.0)));
        let handle = self
            .callback
            .borrow()
            .as_ref()
            .and_then(|closure| self.video.request(closure.as_ref().unchecked_ref()).ok());
        self.handle.set(handle);
    }

    /// Counts on where somebody else has counted so far.
    pub(crate) fn resume(&self, seen: u32) {
        if seen < 2 {
            self.restart();
        }
        self.seen.set(seen.min(2));
    }

    /// The playhead has moved. Where the browser tells no frames, those that were decoded count, and
    /// where it counts none, the playhead.
    pub(crate) fn moved(&self) {
        let (from_s, before) = self.began.get();
        let played_s = (self.video.current_time() - from_s).abs();
        let told = self.handle.get().is_some();
        if played_s == 0.0 || (told && played_s < UNTOLD_S) || self.video.paused() {
            return;
        }
        let counted = decoded(&self.video).map_or(2.0, |now| now - before);
        for n in [1, 2] {
            if self.seen.get() < n && f64::from(n) <= counted {
                self.seen.set(n);
                (self.presented)(n);
            }
        }
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

/// Frames decoded since the element has its source; `None` where the browser does not count.
fn decoded(video: &FrameSource) -> Option<f64> {
    let quality: Function = get(video, "getVideoPlaybackQuality").dyn_into().ok()?;
    get(&quality.call0(video).ok()?, "totalVideoFrames").as_f64()
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.stop();
    }
}
