//! The document around the page: head, title, Open Graph tags, style and scripts.

use std::sync::Arc;

use leptos::{config::LeptosOptions, prelude::*};

use crate::{
    App,
    catalog::{Catalog, Media, Opening},
    player::{EARLY_ELEMENT, EarlyRequest},
    share::IsOpen,
    start::{ELEMENT, Page, PageRequest, Start, Stylesheet, Wanted},
};

/// What a link to the product shows, 1200x630.
const OPEN_GRAPH_PICTURE: &str = "/og.jpg";

/// The whole document. Rendered by the server only; the browser hydrates the body.
pub fn shell(options: LeptosOptions, request: PageRequest) -> impl IntoView {
    let start = Start::find(&request);
    provide_context(IsOpen(request.is_open));
    let PageRequest { wanted, base_url, stylesheet, has_stylesheet, early, theme, .. } = request;
    let inlined = (!has_stylesheet && !stylesheet.text.is_empty()).then_some(&stylesheet);
    let own_picture = matches!(wanted, Wanted::Channel(_));
    let is_pulse = matches!(wanted, Wanted::Pulse);
    let json = start.to_json();
    let active = match &start.page {
        Page::Reels(window, active) => {
            active.checked_sub(window.offset).and_then(|n| window.items.get(n as usize)).cloned()
        }
        Page::Empty(_) | Page::Missing(_) | Page::Starting | Page::Pulse(_) => None,
    };
    let texts = start.lang.texts();
    let lang = start.lang.tag();
    // What only some pages need does not weigh on the first visit to the reels.
    let own_stylesheet = match start.page {
        Page::Pulse(_) => Some("/pulse.css"),
        Page::Empty(_) | Page::Missing(_) | Page::Starting => Some("/pages.css"),
        _ => None,
    };
    // What stands still needs no WASM; the pulse has a few lines of its own.
    let hydrates = !matches!(start.page, Page::Missing(_) | Page::Pulse(_));
    let own_script = matches!(start.page, Page::Pulse(_)).then_some("/pulse.js");
    let title = match (&start.page, &active) {
        (_, Some(media)) => format!("{} · Carrete", media.title),
        (Page::Missing(_), _) => format!("{} · Carrete", texts.missing_title),
        (Page::Pulse(_), _) => format!("{} · Carrete", texts.pulse),
        _ => "Carrete".into(),
    };
    let page = match &active {
        Some(media) if own_picture => media.id.page(),
        _ if is_pulse => "/pulse".into(),
        _ => "/".into(),
    };
    let description = active
        .as_ref()
        .and_then(|media| media.description.clone())
        .unwrap_or_else(|| texts.site_description.into());
    view! {
        <!DOCTYPE html>
        <html lang=lang data-theme=theme.forced()>
            <head>
                <meta charset="utf-8" />
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover"
                />
                <meta name="theme-color" content="#0b0805" />
                <title>{title.clone()}</title>
                <meta name="description" content=description.clone() />
                {open_graph(&base_url, page, own_picture, active.as_ref(), &title, &description)}
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                {ahead(active.as_ref(), &early, inlined)}
                {style(&stylesheet, inlined.is_some())}
                {own_stylesheet.map(|href| view! { <link rel="stylesheet" href=href /> })}
                {hydrates.then(|| view! { <HydrationScripts options=options.clone() /> })}
                {own_script.map(|src| view! { <script type="module" src=src></script> })}
                <AutoReload options />
                {hydrates
                    .then(|| {
                        view! {
                            <script type="application/json" id=ELEMENT inner_html=json></script>
                        }
                    })}
            </head>
            <body>
                <App start />
            </body>
        </html>
    }
}

/// The style in the page itself for who does not have the file yet: nothing is waited for before the
/// first paint.
fn style(stylesheet: &Stylesheet, inline: bool) -> impl IntoView + use<> {
    let text = inline.then(|| stylesheet.text.to_string());
    let address = (!inline).then(|| stylesheet.address.to_string());
    view! {
        {text.map(|text| view! { <style inner_html=text></style> })}
        {address.map(|href| view! { <link rel="stylesheet" href=href /> })}
    }
}

/// What plays the first reel, told before everything else: its picture, the player's library and what it
/// opens with, and the module that binds them while the page's WASM is still on its way. It stands before
/// what hydrates, and runs before it: browsers put off what is `async`.
fn ahead(
    active: Option<&Media>,
    early: &str,
    inlined: Option<&Stylesheet>,
) -> impl IntoView + use<> {
    let catalog = use_context::<Arc<dyn Catalog>>();
    let opening = active.zip(catalog).map(|(media, catalog)| catalog.opening(&media.id));
    let Opening { addresses, separate_tracks } = opening.unwrap_or_default();
    let poster = active.and_then(|media| media.poster.clone());
    let preload = |kind: &'static str, urgency: &'static str, href: String| {
        leptos::html::link()
            .attr("rel", "preload")
            .attr("as", kind)
            .attr("fetchpriority", urgency)
            .attr("crossorigin", (kind == "fetch").then_some("anonymous"))
            .attr("href", href)
    };
    let request = active.map(|media| EarlyRequest::new(media, separate_tracks, inlined));
    let library = request.as_ref().and_then(EarlyRequest::library);
    let module = request.map(|request| {
        view! {
            <script type="application/json" id=EARLY_ELEMENT inner_html=request.to_json()></script>
            <script type="module" fetchpriority="high" src=early.to_owned()></script>
        }
    });
    let fetches: Vec<_> =
        addresses.into_iter().map(|href| preload("fetch", "high", href)).collect();
    view! {
        {library.map(|href| view! { <link rel="modulepreload" fetchpriority="high" href=href /> })}
        {module}
        {poster.map(|href| preload("image", "high", href))}
        {fetches}
    }
}

fn open_graph(
    base_url: &str,
    page: String,
    own_picture: bool,
    active: Option<&Media>,
    title: &str,
    description: &str,
) -> impl IntoView + use<> {
    let url = format!("{base_url}{page}");
    let kind = if active.is_some() { "video.other" } else { "website" };
    // A link to a reel shows the reel, any other link the product.
    let poster = active.filter(|_| own_picture).and_then(|media| media.poster.as_deref());
    let image = base_url.to_owned() + poster.unwrap_or(OPEN_GRAPH_PICTURE);
    let property = |name: &'static str, content: String| {
        leptos::html::meta().attr("property", name).attr("content", content)
    };
    view! {
        {property("og:site_name", "Carrete".into())}
        {property("og:type", kind.into())}
        {property("og:title", title.to_owned())}
        {property("og:description", description.to_owned())}
        {property("og:url", url.clone())}
        <link rel="canonical" href=url />
        {property("og:image", image)}
        <meta name="twitter:card" content="summary_large_image" />
    }
}

#[cfg(test)]
mod tests {
    use leptos::prelude::RenderHtml;

    use super::{Stylesheet, style};

    #[test]
    fn a_stylesheet_stands_in_the_page_or_is_linked_never_both() {
        let sheet = Stylesheet {
            address: "/pkg/carrete.a1.css".into(),
            version: "a1".into(),
            text: "a > b { content: \"&\" }".into(),
        };
        let inline = style(&sheet, true).to_html();
        assert!(inline.contains("<style>a > b { content: \"&\" }</style>"), "{inline}");
        assert!(!inline.contains("<link"), "{inline}");
        let linked = style(&sheet, false).to_html();
        assert!(linked.contains("href=\"/pkg/carrete.a1.css\"") && !linked.contains("<style"));
    }
}
