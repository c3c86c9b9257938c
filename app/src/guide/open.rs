//! The guide over the reels: the document of `/guide`, fetched and taken into a dialog, while the reel
//! plays on below.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use js_sys::{Array, Promise};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Element, Event, HtmlAnchorElement, HtmlDialogElement, HtmlElement, HtmlInputElement,
    IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit,
};

use super::document::STYLESHEET;
use crate::{
    catalog::ChannelId,
    dom::{Timer, fetched, get, opens_elsewhere, set, swipes},
    icon::Icon,
    overlay_history,
    part::{Part, parts},
    reaction::Reactions,
    reels::feed::Feed,
    text::texts,
};

parts! {
    mod parts in "main" {
        GUIDE_DIALOG: ".guide-dialog",
    }
}

/// Silence after a key before the guide is searched.
const TYPED_MS: i32 = 60;
/// What did not come is asked for again after so long.
const AGAIN_MS: i32 = 3000;
/// How many were found, for those who hear it.
const COUNT: &str = "[role=status]";
/// Rolls are fetched when they are so near to what is seen.
const NEAR: &str = "150% 0px";

/// What was found is said aloud when nobody has typed for so long.
const SAID_MS: i32 = 400;

/// The dialog that takes the guide. Until that comes it says so, and can be left.
#[component]
pub(crate) fn GuideDialog() -> impl IntoView {
    let texts = texts();
    view! {
        <dialog
            class="guide-dialog"
            aria-label=texts.guide
            tabindex="-1"
            data-late-text=texts.guide_late
        >
            <form class="coming" method="dialog">
                <p role="status">{texts.guide_comes}</p>
                <button class="hole" aria-label=texts.close>
                    <Icon name="close" />
                </button>
            </form>
        </dialog>
    }
}

/// See the module.
struct Guide {
    dialog: Part,
    feed: Feed,
    reactions: Reactions,
    go: Box<dyn Fn(ChannelId)>,
    observer: RefCell<Option<Observer>>,
    typed: RefCell<Option<Timer>>,
    said: RefCell<Option<Timer>>,
    later: RefCell<Option<Timer>>,
    /// Counts questions: an older answer is not shown over a newer one.
    asked: Cell<u32>,
}

/// Opens the guide by every link to it; `go` goes to a channel.
pub(crate) fn guide(
    room: &Part,
    feed: Feed,
    reactions: Reactions,
    go: impl Fn(ChannelId) + 'static,
) {
    let dialog = room.find(parts::GUIDE_DIALOG);
    let guide = Rc::new_cyclic(|weak: &Weak<Guide>| {
        let weak = weak.clone();
        let observer = Observer::new(&dialog, move |roll| {
            if let Some(guide) = weak.upgrade() {
                guide.fill(roll);
            }
        });
        Guide {
            dialog: dialog.clone(),
            feed,
            reactions,
            go: Box::new(go),
            observer: RefCell::new(observer),
            typed: RefCell::default(),
            said: RefCell::default(),
            later: RefCell::default(),
            asked: Cell::new(0),
        }
    });
    for link in room.query_all("a[href^='/guide']") {
        let guide = Rc::clone(&guide);
        link.on("click", move |event| guide.opened(&event));
    }
    dialog.on("click", {
        let guide = Rc::clone(&guide);
        move |event| guide.pressed(&event)
    });
    dialog.on("input", {
        let guide = Rc::clone(&guide);
        move |_| guide.typed()
    });
    dialog.on("submit", move |event| {
        // Closing is a form of its own.
        if guide.dialog.query(".guide").is_some() {
            event.prevent_default();
            guide.search();
        }
    });
}

impl Guide {
    fn opened(self: &Rc<Self>, event: &Event) {
        if opens_elsewhere(event) {
            return;
        }
        event.prevent_default();
        overlay_history::show(&self.dialog);
        let media = self.feed.media_at(self.feed.active_now());
        let here = media.map(|media| format!("?here={}", media.id.encoded())).unwrap_or_default();
        let guide = Rc::clone(self);
        // By a key the focus goes where one types; a finger would bring the keyboard up.
        let by_key = get(event, "detail").as_f64() == Some(0.0);
        let then = move |sheet: Part| {
            sheet.toggle_attr("data-fetches", true);
            guide.dialog.element().replace_children_with_node_1(sheet.element());
            guide.shown();
            let window = guide.dialog.element().client_height();
            if let Some(current) = guide.dialog.query(".film-frame [aria-current]")
                && current.element().get_bounding_client_rect().bottom() > f64::from(window)
            {
                current.element().scroll_into_view();
            }
            // On a phone the field would bring its keyboard up.
            match guide.dialog.query("input[name=q]") {
                Some(field) if by_key || !swipes() => field.focus(),
                _ => guide.dialog.focus(),
            }
        };
        self.ask(format!("/guide{here}"), Box::new(then));
    }

    /// Asks for a guide and hands it over, unless something else was asked meanwhile. One that does
    /// not come is told of, and asked for again as long as the dialog is open.
    // One future for all: each kind of `then` would have its own.
    fn ask(self: &Rc<Self>, address: String, then: Box<dyn FnOnce(Part)>) {
        let asked = self.asked.get() + 1;
        self.asked.set(asked);
        self.dialog.set_attr("aria-busy", Some("true"));
        let guide = Rc::clone(self);
        spawn_local(async move {
            loop {
                let ready = dressed();
                let page = fetched(&address).await.and_then(|page| page.query(".guide"));
                drop(JsFuture::from(ready).await);
                if guide.asked.get() != asked {
                    return;
                }
                let page = page.filter(|_| is_dressed());
                guide.dialog.toggle_attr("data-late", page.is_none());
                if let Some(page) = page {
                    guide.dialog.set_attr("aria-busy", None);
                    return then(page);
                }
                if let (Some(status), Some(text)) =
                    (guide.dialog.query(COUNT), guide.dialog.get_attr("data-late-text"))
                {
                    status.set_text(&text);
                }
                drop(JsFuture::from(passed(AGAIN_MS)).await);
                if guide.asked.get() != asked || !guide.dialog.of::<HtmlDialogElement>().open() {
                    return;
                }
            }
        });
    }

    /// Other frames are shown: rings round what is liked, and rolls that wait to come near.
    fn shown(&self) {
        self.reactions.each_liked(|id| {
            if let Some(frame) = self.dialog.query(&format!("[data-channel=\"{id}\"]")) {
                frame.toggle_attr("data-liked", true);
            }
        });
        if let Some(observer) = &*self.observer.borrow() {
            observer.0.disconnect();
            for roll in self.dialog.query_all(".roll[data-src]") {
                observer.0.observe(roll.element());
            }
        }
    }

    /// A roll comes near: it is fetched.
    fn fill(self: &Rc<Self>, roll: Part) {
        let Some(address) = roll.get_attr("data-src") else { return };
        if let Some(observer) = &*self.observer.borrow() {
            observer.0.unobserve(roll.element());
        }
        let guide = Rc::clone(self);
        spawn_local(async move {
            if let Some(new) = fetched(&address).await.and_then(|page| page.query(".roll")) {
                let _ = roll.element().replace_with_with_node_1(new.element());
                guide.shown();
                return;
            }
            // It keeps its height, and is tried again a little later.
            let weak = Rc::downgrade(&guide);
            *guide.later.borrow_mut() = Some(Timer::once(AGAIN_MS, move || {
                if let Some(guide) = weak.upgrade() {
                    guide.shown();
                }
            }));
        });
    }

    fn typed(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        *self.typed.borrow_mut() = Some(Timer::once(TYPED_MS, move || {
            if let Some(guide) = weak.upgrade() {
                guide.search();
            }
        }));
    }

    /// Searches for what the form holds.
    fn search(self: &Rc<Self>) {
        let fields = self.dialog.query_all(".guide-search input");
        let pairs: Vec<_> = fields
            .iter()
            .map(|field| {
                let field = field.of::<HtmlInputElement>();
                let value = js_sys::encode_uri_component(&field.value());
                format!("{}={value}", field.name())
            })
            .collect();
        self.show(format!("/guide?{}", pairs.join("&")));
    }

    /// Shows another sheet and the choices that lead on from it.
    fn show(self: &Rc<Self>, address: String) {
        let guide = Rc::clone(self);
        let then = move |page: Part| {
            guide.say_soon(&page);
            for selector in [".guide-sheet", ".guide-choices"] {
                if let (Some(old), Some(new)) = (guide.dialog.query(selector), page.query(selector))
                {
                    let _ = old.element().replace_with_with_node_1(new.element());
                }
            }
            for hidden in guide.dialog.query_all(".guide-search [type=hidden]") {
                hidden.element().remove();
            }
            if let Some(form) = guide.dialog.query(".guide-search") {
                for hidden in page.query_all(".guide-search [type=hidden]") {
                    let _ = form.element().append_child(hidden.element());
                }
            }
            guide.dialog.element().set_scroll_top(0);
            // The link that led here may be gone.
            if !guide.dialog.has_focus() {
                guide.dialog.query(".tags [aria-current]").unwrap_or(guide.dialog.clone()).focus();
            }
            guide.shown();
        };
        self.ask(address, Box::new(then));
    }

    /// What was found is said once nobody types any more: in the same live region, which browsers
    /// read out only where they knew it before.
    fn say_soon(&self, page: &Part) {
        let (Some(old), Some(new)) = (self.dialog.query(COUNT), page.query(COUNT)) else { return };
        let text = new.element().text_content().unwrap_or_default();
        *self.said.borrow_mut() = Some(Timer::once(SAID_MS, move || old.set_text(&text)));
    }

    /// A link was pressed: ours stay in the dialog, the rest are documents.
    fn pressed(self: &Rc<Self>, event: &Event) {
        if opens_elsewhere(event) {
            return;
        }
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok())
        else {
            return;
        };
        let Ok(Some(link)) = target.closest("a") else { return };
        let close = || self.dialog.of::<HtmlDialogElement>().close();
        let inside = |selector: &str| link.closest(selector).ok().flatten();
        if let Some(id) = inside("[data-channel]").and_then(|f| f.get_attribute("data-channel")) {
            event.prevent_default();
            close();
            if let Ok(id) = ChannelId::parse(&id) {
                (self.go)(id);
            }
        } else if inside(".home, .guide-search").is_some() {
            event.prevent_default();
            close();
        } else if inside(".ruler, .guide-turn").is_some() {
            event.prevent_default();
            let hash = link.unchecked_ref::<HtmlAnchorElement>().hash();
            if let Some(roll) = self.dialog.query(&hash) {
                roll.element().scroll_into_view();
            }
        } else if inside(".tags, .nothing").is_some() {
            event.prevent_default();
            self.show(link.unchecked_ref::<HtmlAnchorElement>().href());
        }
    }
}

/// Holds when so many milliseconds have passed.
fn passed(ms: i32) -> Promise {
    Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    })
}

/// The guide's stylesheet in the document.
fn stylesheet() -> Option<Element> {
    document().query_selector(&format!("link[href='{STYLESHEET}']")).ok().flatten()
}

/// Whether it is there. Browsers differ in what a link has whose file did not come: none, or an
/// empty one.
fn is_dressed() -> bool {
    stylesheet()
        .is_some_and(|link| get(&get(&get(&link, "sheet"), "cssRules"), "length").is_truthy())
}

/// Puts the guide's stylesheet on, once; the promise holds when it is there, or does not come.
fn dressed() -> Promise {
    if is_dressed() {
        return Promise::resolve(&JsValue::NULL);
    }
    // One that did not come is asked for again.
    if let Some(link) = stylesheet() {
        link.remove();
    }
    let document = document();
    let (Some(head), Ok(link)) = (document.head(), document.create_element("link")) else {
        return Promise::resolve(&JsValue::NULL);
    };
    let _ = link.set_attribute("rel", "stylesheet");
    let _ = link.set_attribute("href", STYLESHEET);
    let comes = Promise::new(&mut |resolve, _| {
        for event in ["onload", "onerror"] {
            set(&link, event, resolve.clone());
        }
    });
    let _ = head.append_child(&link);
    comes
}

/// Tells which of the observed elements come near to what is seen. Dropping it ends that.
struct Observer(IntersectionObserver, #[expect(dead_code, reason = "called by the observer")] Seen);

type Seen = Closure<dyn FnMut(Array)>;

impl Observer {
    fn new(root: &Part, near: impl Fn(Part) + 'static) -> Option<Self> {
        let seen = Seen::new(move |entries: Array| {
            for entry in entries.iter() {
                let entry: IntersectionObserverEntry = entry.unchecked_into();
                if entry.is_intersecting() {
                    near(Part::new(entry.target()));
                }
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root(Some(root.of::<HtmlElement>()));
        options.set_root_margin(NEAR);
        let callback = seen.as_ref().unchecked_ref();
        Some(Self(IntersectionObserver::new_with_options(callback, &options).ok()?, seen))
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}
