//! The entry point of the page's WebAssembly: it hydrates the body, nothing else.

use app::{App, AppProps, start::Start};
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over what the server rendered.
#[wasm_bindgen]
pub fn hydrate() {
    if let Some(start) = Start::read() {
        leptos::mount::hydrate_body(move || App(AppProps { start }));
    }
}
