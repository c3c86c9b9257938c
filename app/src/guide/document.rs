//! The guide as a whole document, and one roll of it alone.

use leptos::prelude::*;

use super::{
    Findings, GuideQuery, Roll,
    desk::{Choices, Home, Join, OnAir, Search},
    roll::WholeRoll,
    sheet::{Sheet, said},
};
use crate::{catalog::Order, text::Lang, theme::Theme};

/// What only the guide needs does not weigh on the first visit to the reels.
pub(super) const STYLESHEET: &str = "/guide.css";

/// What the server knows of a request for the guide.
#[derive(Clone, Debug)]
pub struct GuideRequest {
    /// What is asked for.
    pub query: GuideQuery,
    /// The visitor's order.
    pub order: Order,
    /// The seed that the next shuffle has.
    pub seed: u32,
    /// The visitor's language.
    pub lang: Lang,
    /// By day or by night.
    pub theme: Theme,
    /// The stylesheet's address.
    pub stylesheet: String,
    /// Whether other devices reach this server.
    pub is_open: bool,
}

/// The whole document. Rendered by the server only, and never hydrated: nothing of it is in the
/// page's program.
pub fn document(request: GuideRequest, findings: Findings) -> impl IntoView {
    let GuideRequest { query, order, seed, lang, theme, stylesheet, is_open } = request;
    let texts = lang.guide_texts();
    let count = said(&findings, &query, lang);
    let is_few = findings.is_few();
    let on_air = findings.on_air.clone();
    view! {
        <!DOCTYPE html>
        <html lang=lang.tag() data-theme=theme.forced()>
            <head>
                <meta charset="utf-8" />
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover"
                />
                <title>{format!("{} · Carrete", texts.guide)}</title>
                <meta name="description" content=lang.texts().site_description />
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=stylesheet />
                <link rel="stylesheet" href=STYLESHEET />
            </head>
            <body>
                <main class="guide-page">
                    <div class="guide" style=format!("--here:\"{}\"", texts.here)>
                        <h1 class="sr-only">{texts.guide}</h1>
                        <div class="desk">
                            <Home query=query.clone() />
                            <Search query=query.clone() lang />
                            <p class="sr-only" role="status">
                                {count}
                            </p>
                            <Choices
                                findings=findings.clone()
                                query=query.clone()
                                order
                                seed
                                lang
                                theme
                            />
                            <OnAir frames=on_air lang />
                            {is_few.then(|| view! { <Join is_open lang /> })}
                        </div>
                        <Sheet findings query order lang />
                    </div>
                </main>
            </body>
        </html>
    }
}

/// One roll alone, as a page puts it into its empty place.
pub fn roll(roll: Roll, found: u32, query: GuideQuery, lang: Lang) -> String {
    Owner::new().with(|| view! { <WholeRoll roll found query lang /> }.to_html())
}
