//! The document around the page: head, title, Open Graph tags, style and scripts.

use std::sync::Arc;

use leptos::{config::LeptosOptions, prelude::*};

use crate::{
    App,
    catalog::{Catalog, Media},
    player::LIGHT,
    share::IsOpen,
    start::{ELEMENT, Page, PageRequest, Start, Wanted},
};

/// What a link to the product shows, 1200x630.
const OPEN_GRAPH_PICTURE: &str = "/og.jpg";

/// The whole document. Rendered by the server only; the browser hydrates the body.
pub fn shell(options: LeptosOptions, request: PageRequest) -> impl IntoView {
    let start = Start::find(&request);
    provide_context(IsOpen(request.is_open));
    let PageRequest { wanted, base_url, stylesheet, theme, .. } = request;
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
    // What stands still needs no program; the pulse has a few lines of its own.
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
                <link rel="stylesheet" href=stylesheet />
                {own_stylesheet.map(|href| view! { <link rel="stylesheet" href=href /> })}
                {hydrates.then(|| view! { <HydrationScripts options=options.clone() /> })}
                {own_script.map(|src| view! { <script type="module" src=src></script> })}
                {ahead(active.as_ref())}
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

/// What the player will ask for, told before the page's program has come: the picture first, then the
/// player's library and what it opens with, the bytes of the film behind everything that runs them.
fn ahead(active: Option<&Media>) -> impl IntoView + use<> {
    let catalog = use_context::<Arc<dyn Catalog>>();
    let addresses = active.zip(catalog).map(|(media, catalog)| catalog.opening(&media.id));
    let addresses = addresses.unwrap_or_default();
    let library = !addresses.is_empty();
    let poster = active.and_then(|media| media.poster.clone());
    let preload = |kind: &'static str, urgency: &'static str, href: String| {
        leptos::html::link()
            .attr("rel", "preload")
            .attr("as", kind)
            .attr("fetchpriority", urgency)
            .attr("crossorigin", (kind == "fetch").then_some("anonymous"))
            .attr("href", href)
    };
    let fetches: Vec<_> = addresses
        .into_iter()
        .enumerate()
        .map(|(n, href)| preload("fetch", if n == 0 { "high" } else { "low" }, href))
        .collect();
    view! {
        {poster.map(|href| preload("image", "high", href))}
        {library.then(|| view! { <link rel="modulepreload" href=LIGHT /> })}
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
