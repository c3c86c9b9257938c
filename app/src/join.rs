//! Letting the others in: the address of this room as a QR code.

use leptos::prelude::*;
use web_sys::HtmlDialogElement;

use crate::{icon::Icon, part::Part, text::texts};

/// The address that the code leads to.
#[derive(Clone, Debug)]
pub(crate) struct JoinUrl(pub(crate) String);

/// Opens the code.
#[component]
pub(crate) fn JoinButton() -> impl IntoView {
    let texts = texts();
    let url = use_context::<JoinUrl>().map(|url| url.0).unwrap_or_default();
    view! {
        <button class="hole join-button" type="button" aria-label=texts.let_others_in>
            <Icon name="qr" />
        </button>
        <dialog class="join-sheet" aria-label=texts.let_others_in>
            <h2>{texts.let_others_in}</h2>
            <img class="qr" src="/qr.svg" alt="" width="220" height="220" loading="lazy" />
            <code>{url}</code>
            <p>{texts.qr_text}</p>
            <button class="primary" type="button">
                {texts.close}
            </button>
        </dialog>
    }
}

/// Opens and closes the sheet. The picture is lazy: asked for when somebody wants to see it.
pub(crate) fn join_button(room: &Part) {
    let sheet = room.find(".join-sheet");
    let closes = sheet.clone();
    room.find(".join-button").on_press(move || {
        let _ = sheet.of::<HtmlDialogElement>().show_modal();
    });
    closes.find(".primary").on_press({
        let closes = closes.clone();
        move || closes.of::<HtmlDialogElement>().close()
    });
}
