//! The guide over the reels: the document of `/guide` in a dialog. One searches and turns its pages
//! there; a channel leads back to the reels.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use js_sys::Array;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{
    Element, Event, HtmlAnchorElement, HtmlElement, IntersectionObserver,
    IntersectionObserverEntry, IntersectionObserverInit,
};

use super::document::STYLESHEET;
use crate::{
    catalog::ChannelId,
    dialog::{AGAIN_MS, Dialog, DocumentDialog, STATUS, asked_by},
    dom::{Timer, fetched, get, opens_elsewhere},
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
/// Rolls are fetched when they are so near to what is seen.
const NEAR: &str = "150% 0px";

/// The form that searches.
const FORM: &str = ".guide-search";
/// What was found is said aloud when nobody has typed for so long.
const SAID_MS: i32 = 400;

/// The dialog that takes the guide.
#[component]
pub(crate) fn GuideDialog() -> impl IntoView {
    let texts = texts();
    view! {
        <DocumentDialog
            class="guide-dialog"
            name=texts.guide
            coming=texts.guide_comes
            late=texts.guide_late
        />
    }
}

/// See the module.
struct Guide {
    dialog: Rc<Dialog>,
    feed: Feed,
    reactions: Reactions,
    go: Box<dyn Fn(ChannelId)>,
    observer: RefCell<Option<Observer>>,
    typed: RefCell<Option<Timer>>,
    said: RefCell<Option<Timer>>,
    later: RefCell<Option<Timer>>,
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
            dialog: Dialog::new(dialog.clone(), ".guide", STYLESHEET),
            feed,
            reactions,
            go: Box::new(go),
            observer: RefCell::new(observer),
            typed: RefCell::default(),
            said: RefCell::default(),
            later: RefCell::default(),
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
        if guide.dialog.is_filled() {
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
        let media = self.feed.media_at(self.feed.active_now());
        let here = media.map(|media| format!("?here={}", media.id.encoded())).unwrap_or_default();
        let guide = Rc::clone(self);
        let by_key = get(event, "detail").as_f64() == Some(0.0);
        self.dialog.open(format!("/guide{here}"), move || {
            // What was typed before is no question any more.
            guide.typed.take();
            guide.shown();
            let dialog = &guide.dialog.part;
            let window = dialog.element().client_height();
            if let Some(current) = dialog.query(".film-frame [aria-current]")
                && current.element().get_bounding_client_rect().bottom() > f64::from(window)
            {
                current.element().scroll_into_view();
            }
            guide.dialog.focus("input[name=q]", by_key);
        });
    }

    /// Other frames are shown: rings round what is liked, and rolls that wait to come near.
    fn shown(&self) {
        self.reactions.each_liked(|id| {
            if let Some(frame) = self.dialog.part.query(&format!("[data-channel=\"{id}\"]")) {
                frame.toggle_attr("data-liked", true);
            }
        });
        if let Some(observer) = &*self.observer.borrow() {
            observer.0.disconnect();
            for roll in self.dialog.part.query_all(".roll[data-src]") {
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
        if let Some(form) = self.dialog.part.query(FORM) {
            self.show(asked_by(&form));
        }
    }

    /// Shows another sheet and the choices that lead on from it.
    fn show(self: &Rc<Self>, address: String) {
        let guide = Rc::clone(self);
        let then = move |page: Part| {
            guide.say_soon(&page);
            guide.dialog.replace(&page, [".guide-sheet", ".guide-choices"]);
            for hidden in guide.dialog.part.query_all(".guide-search [type=hidden]") {
                hidden.element().remove();
            }
            if let Some(form) = guide.dialog.part.query(FORM) {
                for hidden in page.query_all(".guide-search [type=hidden]") {
                    let _ = form.element().append_child(hidden.element());
                }
            }
            guide.dialog.part.element().set_scroll_top(0);
            // The link that led here may be gone.
            if !guide.dialog.part.has_focus() {
                guide
                    .dialog
                    .part
                    .query(".tags [aria-current]")
                    .unwrap_or(guide.dialog.part.clone())
                    .focus();
            }
            guide.shown();
        };
        self.dialog.ask(address, Box::new(then));
    }

    /// What was found is said once nobody types any more: in the same live region, which browsers
    /// read out only where they knew it before.
    fn say_soon(&self, page: &Part) {
        let (Some(old), Some(new)) = (self.dialog.part.query(STATUS), page.query(STATUS)) else {
            return;
        };
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
        let inside = |selector: &str| link.closest(selector).ok().flatten();
        if let Some(id) = inside("[data-channel]").and_then(|f| f.get_attribute("data-channel")) {
            event.prevent_default();
            self.dialog.close();
            if let Ok(id) = ChannelId::parse(&id) {
                (self.go)(id);
            }
        } else if inside(".home, .guide-search").is_some() {
            event.prevent_default();
            self.dialog.close();
        } else if inside(".ruler, .guide-turn").is_some() {
            event.prevent_default();
            let hash = link.unchecked_ref::<HtmlAnchorElement>().hash();
            if let Some(roll) = self.dialog.part.query(&hash) {
                roll.element().scroll_into_view();
            }
        } else if inside(".tags, .nothing").is_some() {
            event.prevent_default();
            self.show(link.unchecked_ref::<HtmlAnchorElement>().href());
        }
    }
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
