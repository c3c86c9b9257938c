//! The entry point of the page's WebAssembly: it hydrates the body, nothing else.

use app::{App, AppProps, broken, player::early::when_settled, start::Start};
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over what the server rendered.
#[wasm_bindgen]
pub fn hydrate() {
    broken::tell_when_broken();
    when_settled(|| match Start::read() {
        Some(start) => leptos::mount::hydrate_body(move || App(AppProps { start })),
        None => broken::show(),
    });
}
