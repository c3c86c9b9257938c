//! A page that stopped working says so, and how to go on: the WASM bundle may fail while it takes
//! the page over, and then nothing else would answer.

use std::panic;

use leptos::prelude::{document, window};
use wasm_bindgen::JsValue;
use web_sys::Element;

use crate::text::Lang;

/// Shows a bar with a link to this page from now on, whenever the WASM fails.
pub fn tell_when_broken() {
    panic::set_hook(Box::new(|why| {
        web_sys::console::error_1(&JsValue::from(why.to_string()));
        show();
    }));
}

/// Shows the bar. Plain elements and a plain link: no part of the failed WASM is needed.
pub fn show() {
    let document = document();
    let lang = document.document_element().and_then(|root| root.get_attribute("lang"));
    let words = lang.as_deref().and_then(Lang::parse).unwrap_or_default().words();
    let element = |name: &str, class: &str, text: &str| -> Option<Element> {
        let element = document.create_element(name).ok()?;
        element.set_class_name(class);
        element.set_text_content(Some(text));
        Some(element)
    };
    let bar = (|| {
        let (bars, bar) = (element("div", "bars", "")?, element("div", "bar", "")?);
        let link = element("a", "", words.reload)?;
        bars.set_attribute("role", "alert").ok()?;
        link.set_attribute("href", &window().location().href().ok()?).ok()?;
        let sentence = element("p", "", words.page_broke)?;
        bar.append_child(&sentence).ok()?;
        bar.append_child(&link).ok()?;
        bars.append_child(&bar).ok()?;
        Some(bars)
    })();
    if let (Some(body), Some(bar)) = (document.body(), bar) {
        let _ = body.append_child(&bar);
    }
}
