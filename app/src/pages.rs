//! Pages that are no feed: no channels yet, no such channel, still starting.

use leptos::{either::Either, prelude::*};
use send_wrapper::SendWrapper;

use crate::{
    icon::Logo,
    share::IsOpen,
    text::texts,
    websocket::{
        ServerEvent,
        socket::{Socket, SocketEvent, websocket_address},
    },
};

/// Watches for the first channel: then this page is out of date and asks for itself again.
pub(crate) fn reload_with_the_first_channel() {
    let socket = SendWrapper::new(Socket::open(
        || websocket_address(""),
        |heard| {
            if let SocketEvent::Event(ServerEvent::Videos { total: 1.., .. }) = heard {
                let _ = window().location().reload();
            }
        },
    ));
    on_cleanup(move || drop(socket));
}

/// A strip of three frames; the middle one is fogged where something is missing.
#[component]
fn BlankStrip(numbers: [&'static str; 3], fogged: bool) -> impl IntoView {
    view! {
        <div class="blank-strip" aria-hidden="true">
            {numbers
                .into_iter()
                .enumerate()
                .map(|(n, number)| {
                    view! {
                        <div class="frame" data-fogged=(fogged && n == 1).then_some("")>
                            <div></div>
                            <p class="edge-print">
                                <span class="mark"></span>
                                {number}
                            </p>
                        </div>
                    }
                })
                .collect_view()}
        </div>
    }
}

/// No channels yet. Whoever sits at the machine reads how to add one, and gets the code that lets the
/// others in; those only have to wait.
#[component]
pub(crate) fn Empty(
    /// The folder of the channels; `None` for a guest.
    folder: Option<String>,
) -> impl IntoView {
    let texts = texts();
    let is_open = use_context::<IsOpen>().is_some_and(|open| open.0);
    let title = if folder.is_some() { texts.empty_title } else { texts.empty_for_guests };
    let sentence = if folder.is_some() { texts.empty_text } else { texts.empty_wait };
    let ways = folder.map(|folder| {
        view! {
            <ol class="ways">
                <li>
                    <b>{texts.empty_copy}</b>
                    <code>{folder}</code>
                </li>
                <li>
                    <b>{texts.empty_convert}</b>
                    <code>"carrete convert boda.mov boda"</code>
                </li>
                <li>
                    <b>{texts.empty_elsewhere}</b>
                    <code>"VIDEO_ORIGIN=http://nas.lan/media/"</code>
                </li>
            </ol>
            <div class="join">
                {is_open
                    .then(|| view! { <img src="/qr.svg" alt="" width="200" height="200" /> })}
                <p>
                    <b>{texts.let_others_in}</b>
                    <br />
                    {if is_open { texts.qr_text } else { texts.only_here }}
                </p>
            </div>
        }
    });
    view! {
        <main class="sheet-page">
            <Logo />
            <h1>{title}</h1>
            <p>{sentence}</p>
            {ways}
            <BlankStrip numbers=["1", "2", "3"] fogged=false />
            <div role="feed" aria-busy="true" aria-label=texts.feed class="sr-only"></div>
        </main>
    }
}

/// Nothing at this address, or no such channel.
#[component]
pub(crate) fn Missing(
    /// The channel that was asked for.
    name: Option<String>,
) -> impl IntoView {
    let texts = texts();
    let sentence = match name {
        Some(name) => Either::Left(view! {
            {texts.missing_before}
            " "
            <b>{name}</b>
            " "
            {texts.missing_after}
        }),
        None => Either::Right(texts.nothing_here),
    };
    view! {
        <main class="sheet-page missing">
            <Logo />
            <BlankStrip numbers=["403", "404", "405"] fogged=true />
            <h1>{texts.missing_title}</h1>
            <p>{sentence}</p>
            <p class="actions">
                <a class="primary" href="/guide">
                    {texts.see_the_guide}
                </a>
                <a class="secondary" href="/">
                    {texts.go_to_first}
                </a>
            </p>
        </main>
    }
}

/// The first scan is not done.
#[component]
pub(crate) fn Starting() -> impl IntoView {
    view! {
        <main class="sheet-page">
            <Logo />
            <p role="status">{texts().starting}</p>
        </main>
    }
}
