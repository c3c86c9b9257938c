//! A document of the server in a dialog over the reels, which play on below: it is fetched, dressed in
//! its stylesheet and taken into one `<dialog>`, which the browser's Back closes. One that does not come
//! is told of, and asked for again as long as the dialog is open. What the document is, and what its
//! links lead to, is known to whoever opens it.

use std::{cell::Cell, rc::Rc};

use js_sys::Promise;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlDialogElement, HtmlInputElement};

use crate::{
    dom::{fetched, get, set, swipes},
    icon::Icon,
    overlay_history,
    part::Part,
    text::texts,
};

/// What did not come is asked for again after so long.
pub(crate) const AGAIN_MS: i32 = 3000;
/// What is said aloud in a document.
pub(crate) const STATUS: &str = "[role=status]";

/// The dialog. Until its document comes it says so, and can be left.
#[component]
pub(crate) fn DocumentDialog(
    class: &'static str,
    /// What it is called.
    name: &'static str,
    /// What is said until the document comes.
    coming: &'static str,
    /// What is said where it does not come.
    late: &'static str,
) -> impl IntoView {
    view! {
        <dialog class=class aria-label=name tabindex="-1" data-late-text=late>
            <form class="coming" method="dialog">
                <p role="status">{coming}</p>
                <button class="hole" aria-label=texts().close>
                    <Icon name="close" />
                </button>
            </form>
        </dialog>
    }
}

/// See the module.
pub(crate) struct Dialog {
    /// The element.
    pub(crate) part: Part,
    /// What of a document is taken.
    content: &'static str,
    /// The address of what its documents wear.
    stylesheet: &'static str,
    /// Counts questions: an older answer is not shown over a newer one.
    asked: Cell<u32>,
}

impl Dialog {
    /// Takes into `part` what `content` finds in a document.
    pub(crate) fn new(part: Part, content: &'static str, stylesheet: &'static str) -> Rc<Self> {
        Rc::new(Self { part, content, stylesheet, asked: Cell::new(0) })
    }

    /// Shows the dialog and takes a document into it; `then` sees it there.
    pub(crate) fn open(self: &Rc<Self>, address: String, then: impl FnOnce() + 'static) {
        overlay_history::show(&self.part);
        let dialog = Rc::clone(self);
        let taken = move |content: Part| {
            content.toggle_attr("data-fetches", true);
            dialog.part.element().replace_children_with_node_1(content.element());
            then();
        };
        self.ask(address, Box::new(taken));
    }

    /// Asks for a document and hands over what is taken of it, unless something else was asked
    /// meanwhile.
    // One future for all: each kind of `then` would have its own.
    pub(crate) fn ask(self: &Rc<Self>, address: String, then: Box<dyn FnOnce(Part)>) {
        let asked = self.asked.get() + 1;
        self.asked.set(asked);
        self.part.set_attr("aria-busy", Some("true"));
        let dialog = Rc::clone(self);
        spawn_local(async move {
            loop {
                let ready = dialog.dressed();
                let content = fetched(&address).await.and_then(|page| page.query(dialog.content));
                drop(JsFuture::from(ready).await);
                if dialog.asked.get() != asked {
                    return;
                }
                let content = content.filter(|_| dialog.is_dressed());
                dialog.part.toggle_attr("data-late", content.is_none());
                if let Some(content) = content {
                    dialog.part.set_attr("aria-busy", None);
                    return then(content);
                }
                if let (Some(status), Some(text)) =
                    (dialog.part.query(STATUS), dialog.part.get_attr("data-late-text"))
                {
                    status.set_text(&text);
                }
                drop(JsFuture::from(passed(AGAIN_MS)).await);
                if dialog.asked.get() != asked || !dialog.element().open() {
                    return;
                }
            }
        });
    }

    /// Closes it.
    pub(crate) fn close(&self) {
        self.element().close();
    }

    /// Whether a document is in it.
    pub(crate) fn is_filled(&self) -> bool {
        self.part.query(self.content).is_some()
    }

    /// Parts of what is shown give way to those of another document.
    pub(crate) fn replace(&self, content: &Part, selectors: [&str; 2]) {
        for selector in selectors {
            if let (Some(old), Some(new)) = (self.part.query(selector), content.query(selector)) {
                let _ = old.element().replace_with_with_node_1(new.element());
            }
        }
    }

    /// The focus goes where one types, or to the dialog: a finger would bring the keyboard up.
    pub(crate) fn focus(&self, field: &str, by_key: bool) {
        match self.part.query(field) {
            Some(field) if by_key || !swipes() => field.focus(),
            _ => self.part.focus(),
        }
    }

    fn element(&self) -> &HtmlDialogElement {
        self.part.of()
    }

    /// The stylesheet in the document.
    fn link(&self) -> Option<Element> {
        document().query_selector(&format!("link[href='{}']", self.stylesheet)).ok().flatten()
    }

    /// Whether it is there. Browsers differ in what a link has whose file did not come: none, or an
    /// empty one.
    fn is_dressed(&self) -> bool {
        self.link()
            .is_some_and(|link| get(&get(&get(&link, "sheet"), "cssRules"), "length").is_truthy())
    }

    /// Puts the stylesheet on, once; the promise holds when it is there, or does not come.
    fn dressed(&self) -> Promise {
        if self.is_dressed() {
            return Promise::resolve(&JsValue::NULL);
        }
        // One that did not come is asked for again.
        if let Some(link) = self.link() {
            link.remove();
        }
        let document = document();
        let (Some(head), Ok(link)) = (document.head(), document.create_element("link")) else {
            return Promise::resolve(&JsValue::NULL);
        };
        let _ = link.set_attribute("rel", "stylesheet");
        let _ = link.set_attribute("href", self.stylesheet);
        let comes = Promise::new(&mut |resolve, _| {
            for event in ["onload", "onerror"] {
                set(&link, event, resolve.clone());
            }
        });
        let _ = head.append_child(&link);
        comes
    }
}

/// The address that a form asks for (`method="get"`).
pub(crate) fn asked_by(form: &Part) -> String {
    let fields = form.query_all("input");
    let pairs: Vec<_> = fields
        .iter()
        .map(|field| {
            let field = field.of::<HtmlInputElement>();
            let value = js_sys::encode_uri_component(&field.value());
            format!("{}={value}", field.name())
        })
        .collect();
    format!("{}?{}", form.get_attr("action").unwrap_or_default(), pairs.join("&"))
}

/// Holds when so many milliseconds have passed.
fn passed(ms: i32) -> Promise {
    Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    })
}
