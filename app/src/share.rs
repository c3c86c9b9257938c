//! Letting others in: the address of the reel on screen as a code, as text, and by the device's own
//! way to share.

use js_sys::{Function, Object};
use leptos::{either::Either, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlDialogElement, HtmlInputElement};

use crate::{
    dom::{get, set, swallow},
    icon::Icon,
    overlay_history,
    part::{Part, parts},
    reels::feed::Feed,
    text::{texts, words},
};

parts! {
    mod parts in "main" {
        SHARE_SHEET: ".share-sheet",
        SHARE: ".share",
    }
    mod sheet in ".share-sheet" {
        LINK: "input",
        COPY: ".copy",
        CLOSE: ".close",
    }
}

/// The address that leads others to this page.
#[derive(Clone, Debug)]
pub(crate) struct JoinUrl(pub(crate) String);

/// Whether that address leads here from other devices; the server knows, and writes what follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsOpen(pub(crate) bool);

/// Shares the reel on screen.
#[component]
pub(crate) fn ShareButton() -> impl IntoView {
    view! {
        <button class="hole share" type="button" aria-label=texts().share>
            <Icon name="share" />
        </button>
    }
}

/// The link and the code. Where nobody else reaches this server, a sentence instead of a code.
#[component]
pub(crate) fn ShareSheet() -> impl IntoView {
    let (texts, words) = (texts(), words());
    let is_open = use_context::<IsOpen>().is_some_and(|open| open.0);
    let code = if is_open {
        Either::Left(view! {
            <img class="qr" alt="" width="160" height="160" />
            <p>{texts.share_code}</p>
        })
    } else {
        Either::Right(view! { <p>{texts.only_here}</p> })
    };
    view! {
        <dialog class="share-sheet" aria-label=texts.share_this_reel>
            <h2>{texts.share_this_reel}</h2>
            <div class="link">
                <input class="field" type="text" readonly aria-label=texts.link />
                <button class="copy primary" type="button" autofocus>
                    {words.copy_link}
                </button>
            </div>
            {code}
            <button class="close secondary" type="button">
                {texts.close}
            </button>
        </dialog>
    }
}

/// Binds both.
pub(crate) fn share(room: &Part, feed: Feed) {
    let sheet = room.find(parts::SHARE_SHEET);
    let (code, link) = (sheet.query(".qr"), sheet.find(sheet::LINK));
    let base = use_context::<JoinUrl>().map(|url| url.0).unwrap_or_default();
    let copy = sheet.find(sheet::COPY);
    room.find(parts::SHARE).on_click({
        let (sheet, copy, link) = (sheet.clone(), copy.clone(), link.clone());
        move || {
            let Some(media) = feed.media_at(feed.active_now()) else { return };
            let page = media.id.page();
            let address = format!("{base}{page}");
            if device_shares(&media.title, &address) {
                return;
            }
            if let Some(code) = &code {
                code.set_attr("src", Some(&format!("/qr.svg?path={page}")));
            }
            link.of::<HtmlInputElement>().set_value(&address);
            copy.set_text(words().copy_link);
            overlay_history::show(&sheet);
        }
    });
    copy.on_click({
        let copy = copy.clone();
        move || {
            let field = link.of::<HtmlInputElement>();
            field.select();
            if copies() {
                copy.set_text(words().copied);
            }
        }
    });
    sheet.find(sheet::CLOSE).on_click({
        let sheet = sheet.clone();
        move || sheet.of::<HtmlDialogElement>().close()
    });
}

/// Asks the device to share; `false` where it has no way, as on plain http.
fn device_shares(title: &str, url: &str) -> bool {
    let navigator = window().navigator();
    let Ok(share) = get(&navigator, "share").dyn_into::<Function>() else { return false };
    let what = JsValue::from(Object::new());
    set(&what, "title", title);
    set(&what, "url", url);
    match share.call1(&navigator, &what) {
        Ok(promise) => {
            swallow(promise);
            true
        }
        Err(_) => false,
    }
}

/// Copies what is selected. The clipboard of today is there in secure contexts only; this works on
/// plain http too.
fn copies() -> bool {
    let document = document();
    let copy = get(&document, "execCommand").dyn_into::<Function>();
    copy.and_then(|copy| copy.call1(&document, &"copy".into())).is_ok_and(|done| done.is_truthy())
}
