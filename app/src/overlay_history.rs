//! What lies over the reels has an entry of its own in the session history (HTML): Back closes it, and
//! the reel plays on.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::HtmlDialogElement;

use crate::{
    dom::Listener,
    part::{Part, keep},
};

type Close = Box<dyn Fn()>;

thread_local! {
    /// What lies over the reels and how it is closed, the uppermost last.
    static OVER: RefCell<Vec<(Part, Close)>> = const { RefCell::new(Vec::new()) };
    /// Steps back that were taken here and are not told yet.
    static TAKEN: Cell<u32> = const { Cell::new(0) };
}

/// Shows a dialog over everything, unless it is there already.
pub(crate) fn show(dialog: &Part) {
    let element = dialog.of::<HtmlDialogElement>().clone();
    if !element.open() && element.show_modal().is_ok() {
        opened(dialog, move || element.close());
    }
}

/// Something opened over the reels.
pub(crate) fn opened(part: &Part, close: impl Fn() + 'static) {
    OVER.with_borrow_mut(|over| over.push((part.clone(), Box::new(close))));
    if let Ok(history) = window().history() {
        // The state is the mark of such an entry.
        let _ = history.push_state(&JsValue::TRUE, "");
    }
}

/// It is closed: its entry goes too, where Back has not taken it.
pub(crate) fn closed(part: &Part) {
    let was_there = OVER.with_borrow_mut(|over| {
        let before = over.len();
        over.retain(|(each, _)| each != part);
        over.len() < before
    });
    if let (true, Ok(history)) = (was_there, window().history())
        && history.state().is_ok_and(|state| state.is_truthy())
    {
        TAKEN.set(TAKEN.get() + 1);
        let _ = history.back();
    }
}

/// Listens for Back and for dialogs that close; `then` hears that another entry is the current one.
pub(crate) fn listen(room: &Part, then: impl Fn() + 'static) {
    // After a reload nothing is open; its entry is still there.
    if let Ok(history) = window().history()
        && history.state().is_ok_and(|state| state.is_truthy())
    {
        TAKEN.set(1);
        let _ = history.back();
    }
    for dialog in room.query_all("dialog") {
        let part = dialog.clone();
        dialog.on("close", move |_| closed(&part));
    }
    let back = Listener::new(&window(), "popstate", move |_| {
        if TAKEN.get() > 0 {
            TAKEN.set(TAKEN.get() - 1);
        } else if let Some((_, close)) = OVER.with_borrow_mut(Vec::pop) {
            close();
        }
        then();
    });
    keep(back);
}
