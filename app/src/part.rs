//! A part of the page in the browser: an element that the server wrote, and what is bound to it.
//! Attributes and texts follow signals, listeners live as long as the reactive owner that made them.

mod list;
#[cfg(test)]
pub(crate) mod page;

use std::borrow::Cow;

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlTemplateElement};

pub(crate) use self::list::List;
use crate::dom::Listener;

/// A text that is made, or one that is a constant.
pub(crate) type Text = Cow<'static, str>;

/// Where a part lies below another one. Made by [`parts!`] only, which also tests that it is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selector(pub(crate) &'static str);

/// The picture in an icon.
const ICON: Selector = Selector("use");

/// Names the parts that the browser binds, beside the view that the server renders: `mod NAME in
/// ROOT { PART: SELECTOR }`. A test renders the page and finds every one of them below its root, so
/// that a class with another name is a red test and no dead page.
macro_rules! parts {
    ($(mod $name:ident in $root:literal { $($part:ident: $selector:literal),* $(,)? })*) => {$(
        mod $name {
            use $crate::part::Selector;

            $(pub(super) const $part: Selector = Selector($selector);)*

            #[cfg(test)]
            #[test]
            fn every_part_is_on_the_page() {
                $crate::part::page::check($root, &[$($selector),*]);
            }
        }
    )*};
}
pub(crate) use parts;

/// An element of the page; a cheap clone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part(Element);

impl Part {
    /// The part that this element is.
    pub(crate) fn new(element: Element) -> Self {
        Self(element)
    }

    /// The first element below that has this name.
    ///
    /// # Panics
    /// Where there is none: server and WASM are of one build, so the page lacks nothing.
    #[inline(never)]
    pub(crate) fn find(&self, name: Selector) -> Self {
        let Some(part) = self.query(name.0) else { panic!("the page has no {}", name.0) };
        part
    }

    /// The first element below that matches, where there is one.
    pub(crate) fn query(&self, selector: &str) -> Option<Self> {
        self.0.query_selector(selector).ok().flatten().map(Self)
    }

    /// Every element below that matches.
    pub(crate) fn query_all(&self, selector: &str) -> Vec<Self> {
        let Ok(list) = self.0.query_selector_all(selector) else { return Vec::new() };
        (0..list.length())
            .filter_map(|n| list.get(n))
            .map(|node| Self(node.unchecked_into()))
            .collect()
    }

    /// The element.
    pub(crate) fn element(&self) -> &Element {
        &self.0
    }

    /// The element, of the kind that the page's HTML says it is.
    pub(crate) fn of<T: JsCast>(&self) -> &T {
        self.0.unchecked_ref()
    }

    /// A copy of what this `template` holds, in no document yet.
    pub(crate) fn copy(&self) -> Option<Self> {
        let held = self.of::<HtmlTemplateElement>().content().first_element_child()?;
        Some(Self(held.clone_node_with_deep(true).ok()?.unchecked_into()))
    }

    /// Clicks it.
    pub(crate) fn click(&self) {
        self.of::<HtmlElement>().click();
    }

    /// Gives it the focus.
    pub(crate) fn focus(&self) {
        let _ = self.of::<HtmlElement>().focus();
    }

    /// What has the focus, if something has it.
    pub(crate) fn focused() -> Option<Self> {
        let body = |element: &Element| element.tag_name() == "BODY";
        document().active_element().filter(|element| !body(element)).map(Self)
    }

    /// Whether another part is in it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.0.contains(Some(&other.0))
    }

    /// Gives it the focus; `false` where it cannot have it, as what is hidden.
    pub(crate) fn takes_focus(&self) -> bool {
        self.focus();
        self.has_focus()
    }

    /// Whether the focus is in it.
    pub(crate) fn has_focus(&self) -> bool {
        Self::focused().is_some_and(|part| self.contains(&part))
    }

    /// An attribute's value.
    pub(crate) fn get_attr(&self, name: &str) -> Option<String> {
        self.0.get_attribute(name)
    }

    /// Sets an attribute, or takes it away; does nothing where it is so already.
    #[inline(never)]
    pub(crate) fn set_attr(&self, name: &str, value: Option<&str>) {
        if self.0.get_attribute(name).as_deref() == value {
            return;
        }
        // Fails only for a name that no attribute can have.
        let _ = match value {
            Some(value) => self.0.set_attribute(name, value),
            None => self.0.remove_attribute(name),
        };
    }

    /// Sets an attribute without a value, or takes it away. What is hidden with the focus in it gives
    /// that to the reel on screen, unless something else takes it: it would be lost.
    pub(crate) fn toggle_attr(&self, name: &str, on: bool) {
        if on && name == "hidden" && self.has_focus() {
            request_animation_frame(focus_reel);
        }
        self.set_attr(name, on.then_some(""));
    }

    /// Has this text and nothing else; does nothing where it has it already.
    #[inline(never)]
    pub(crate) fn set_text(&self, text: &str) {
        if self.0.text_content().as_deref() != Some(text) {
            self.0.set_text_content(Some(text));
        }
    }

    /// The attribute follows what `value` reads.
    pub(crate) fn bind_attr(&self, name: &'static str, value: impl Fn() -> Option<Text> + 'static) {
        let part = self.clone();
        effect(move || part.set_attr(name, value().as_deref()));
    }

    /// The attribute says `true` or `false`, as ARIA's states do.
    pub(crate) fn bind_aria(&self, name: &'static str, on: impl Fn() -> bool + 'static) {
        let part = self.clone();
        effect(move || part.set_attr(name, Some(if on() { "true" } else { "false" })));
    }

    /// The attribute without a value is there while `on` says so.
    pub(crate) fn bind_bool(&self, name: &'static str, on: impl Fn() -> bool + 'static) {
        let part = self.clone();
        effect(move || part.toggle_attr(name, on()));
    }

    /// The text follows what `text` reads.
    pub(crate) fn bind_text(&self, text: impl Fn() -> String + 'static) {
        let part = self.clone();
        effect(move || part.set_text(&text()));
    }

    /// The icon inside follows what `name` reads: a symbol of `public/icons.svg`.
    pub(crate) fn bind_icon(&self, name: impl Fn() -> &'static str + 'static) {
        let part = self.find(ICON);
        effect(move || part.set_attr("href", Some(&format!("/icons.svg#{}", name()))));
    }

    /// Calls `handler` at every such event.
    pub(crate) fn on(&self, event: &'static str, handler: impl FnMut(Event) + 'static) {
        self.on_boxed(event, Box::new(handler));
    }

    #[inline(never)]
    fn on_boxed(&self, event: &'static str, handler: Box<dyn FnMut(Event)>) {
        keep(Listener::active(&self.0, event, handler));
    }

    /// Calls `handler` when it is clicked.
    pub(crate) fn on_click(&self, mut handler: impl FnMut() + 'static) {
        self.on("click", move |_| handler());
    }
}

/// Gives the focus to the reel on screen, where nothing that is seen has it; or to the dialog that
/// keeps the reel from having it.
fn focus_reel() {
    let document = document();
    let is_lost = |element: Element| element.matches("body, [hidden], [hidden] *").unwrap_or(false);
    if document.active_element().is_none_or(is_lost) {
        for heir in ["article[aria-current]", "dialog[open]"] {
            if let Ok(Some(heir)) = document.query_selector(heir) {
                Part(heir).focus();
            }
        }
    }
}

/// Keeps a listener as long as the owner that runs now.
pub(crate) fn keep(listener: Listener) {
    let kept = SendWrapper::new(listener);
    on_cleanup(move || drop(kept));
}

/// Runs `task` now and whenever a signal that it has read changes.
pub(crate) fn effect(task: impl FnMut() + 'static) {
    // One kind of effect for all: each kind is code of its own.
    effect_boxed(Box::new(task));
}

#[inline(never)]
fn effect_boxed(mut task: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| task());
}
