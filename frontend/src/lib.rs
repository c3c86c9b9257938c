//! The entry point of the page's WebAssembly: it hydrates the body, nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates what the server rendered.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app::App);
}
