//! The root of a page: the server renders it, and the browser hydrates it as it stands.
//!
//! Hydrating every node of a page costs code for every node in the WASM bundle. This root is rendered by the
//! server alone; in the browser one function gets its element, and binds what moves (`part.rs`).

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
    },
};
use wasm_bindgen::JsCast;
use web_sys::{Element, Node};

use crate::part::Part;

/// A view of one element: `view` makes it on the server, `bind` takes it over in the browser.
pub(crate) struct HydrateRoot<F, B> {
    view: F,
    bind: B,
}

/// See [`HydrateRoot`].
pub(crate) fn hydrate_root<V, F, B>(view: F, bind: B) -> HydrateRoot<F, B>
where
    V: IntoView,
    F: FnOnce() -> V + Send + 'static,
    B: FnOnce(Part) + Send + 'static,
{
    HydrateRoot { view, bind }
}

impl<V, F, B> Render for HydrateRoot<F, B>
where
    V: IntoView,
    F: FnOnce() -> V + Send + 'static,
    B: FnOnce(Part) + Send + 'static,
{
    type State = Taken;

    /// Without the server's HTML there is an empty element to bind: it holds no part of the page.
    fn build(self) -> Self::State {
        let element: Element = document().create_element("main").unwrap_or_else(|_| unreachable!());
        Taken(element)
    }

    fn rebuild(self, _: &mut Self::State) {}
}

impl<V, F, B> RenderHtml for HydrateRoot<F, B>
where
    V: IntoView,
    F: FnOnce() -> V + Send + 'static,
    B: FnOnce(Part) + Send + 'static,
{
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        let view = (self.view)().into_view();
        view.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(
        self,
        cursor: &Cursor,
        position: &PositionState,
    ) -> Self::State {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        let element: Element = cursor.current().unchecked_into();
        position.set(Position::NextChild);
        (self.bind)(Part::new(element.clone()));
        Taken(element)
    }

    fn into_owned(self) -> Self::Owned {
        self
    }
}

impl<V, F, B> AddAnyAttr for HydrateRoot<F, B>
where
    V: IntoView,
    F: FnOnce() -> V + Send + 'static,
    B: FnOnce(Part) + Send + 'static,
{
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self::Output<NewAttr>
    where
        Self::Output<NewAttr>: RenderHtml,
    {
        unreachable!("it is the root of its page")
    }
}

/// The element that was taken over.
pub(crate) struct Taken(Element);

impl Mountable for Taken {
    fn unmount(&mut self) {
        self.0.remove();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        let _ = parent.insert_before(&self.0, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.0.clone()]
    }
}
