//! Letting the others in: the address of this room as a QR code.

use leptos::{html, prelude::*};

use crate::{icon::Icon, text::texts};

/// The address that the code leads to.
#[derive(Clone, Debug)]
pub(crate) struct JoinUrl(pub(crate) String);

/// Opens the code.
#[component]
pub(crate) fn JoinButton() -> impl IntoView {
    let texts = texts();
    let url = use_context::<JoinUrl>().map(|url| url.0).unwrap_or_default();
    let sheet = NodeRef::<html::Dialog>::new();
    // The picture is asked for when somebody wants to see it.
    let opened = RwSignal::new(false);
    let open = move |_| {
        opened.set(true);
        if let Some(sheet) = sheet.get_untracked() {
            let _ = sheet.show_modal();
        }
    };
    let close = move |_| {
        if let Some(sheet) = sheet.get_untracked() {
            sheet.close();
        }
    };
    view! {
        <button class="hole join-button" type="button" aria-label=texts.let_others_in on:click=open>
            <Icon name="qr" />
        </button>
        <dialog class="join-sheet" node_ref=sheet aria-label=texts.let_others_in>
            <h2>{texts.let_others_in}</h2>
            {move || {
                opened
                    .get()
                    .then(|| view! { <img class="qr" src="/qr.svg" alt="" width="220" height="220" /> })
            }}
            <code>{url}</code>
            <p>{texts.qr_text}</p>
            <button class="primary" type="button" on:click=close>
                {texts.close}
            </button>
        </dialog>
    }
}
