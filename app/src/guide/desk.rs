//! What stands beside the contact sheet: search, tags, orders, what is on air, language and theme.

use leptos::prelude::*;

use super::{Filter, Findings, Frame, GuideQuery, roll::grouped};
use crate::{
    catalog::Order,
    icon::{Icon, Logo},
    text::Lang,
    theme::Theme,
};

/// The search and the way back to the reel.
#[component]
pub(super) fn Search(query: GuideQuery, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let hidden = |name: &'static str, value: String| {
        view! { <input type="hidden" name=name value=value /> }
    };
    let filter = match &query.filter {
        Filter::All => None,
        Filter::Music => Some(hidden("only", "music".into())),
        Filter::Live => Some(hidden("only", "live".into())),
        Filter::Tag(tag) => Some(hidden("tag", tag.clone())),
    };
    let here = query.here.as_ref().map(|here| hidden("here", here.to_string()));
    view! {
        <form class="guide-search" role="search" action="/guide" aria-label=texts.search>
            <label>
                <Icon name="search" />
                <input
                    class="field"
                    type="search"
                    name="q"
                    maxlength="100"
                    autocomplete="off"
                    enterkeyhint="search"
                    aria-label=texts.search
                    placeholder=texts.search_hint
                    value=query.text.clone()
                />
            </label>
            {filter}
            {here}
            <a class="close" href=query.back() aria-label=lang.texts().close>
                <Icon name="close" />
            </a>
        </form>
    }
}

/// Tags, orders, language and theme: one row on a phone.
#[component]
pub(super) fn Choices(
    findings: Findings,
    query: GuideQuery,
    order: Order,
    /// The seed that the next shuffle has.
    seed: u32,
    lang: Lang,
    theme: Theme,
) -> impl IntoView {
    let texts = lang.guide_texts();
    let tag = |filter: Filter, icon: Option<&'static str>, text: String| {
        let current = query.filter == filter;
        view! {
            <li>
                <a
                    class="secondary"
                    dir="auto"
                    href=query.narrowed(filter)
                    aria-current=current.then_some("true")
                >
                    {icon.map(|name| view! { <Icon name /> })}
                    {text}
                </a>
            </li>
        }
    };
    // A small house is seen whole: there is nothing to narrow.
    let narrows = !findings.is_few() || query.filter != Filter::All;
    let all = format!("{} {}", texts.all, grouped(findings.total));
    let tags = findings.tags.iter().map(|name| tag(Filter::Tag(name.clone()), None, hash(name)));
    let tags = narrows.then(|| {
        view! {
            <nav class="tags" aria-label=texts.tags>
                <ul>
                    {tag(Filter::All, None, all)}
                    {findings.music.then(|| tag(Filter::Music, Some("music"), texts.music.into()))}
                    {findings.live.then(|| tag(Filter::Live, Some("live"), texts.live.into()))}
                    {tags.collect_view()}
                </ul>
            </nav>
        }
    });
    let put = |to: Order, text: &'static str| {
        let current = std::mem::discriminant(&to) == std::mem::discriminant(&order);
        view! {
            <li>
                <a
                    class="secondary"
                    href=query.with("order", &to.to_string())
                    aria-current=current.then_some("true")
                >
                    {text}
                </a>
            </li>
        }
    };
    view! {
        <div class="guide-choices">
            {tags}
            <nav class="orders" aria-label=texts.order>
                <ul>
                    {put(Order::Feed, texts.order_feed)} {put(Order::Newest, texts.order_newest)}
                    {put(Order::Shuffle(seed), texts.order_shuffle)}
                </ul>
            </nav>
            <Settings query=query.clone() lang theme />
        </div>
    }
}

#[component]
fn Settings(query: GuideQuery, lang: Lang, theme: Theme) -> impl IntoView {
    let texts = lang.guide_texts();
    let (other, name) = match lang {
        Lang::En => ("es", "Español"),
        Lang::Es => ("en", "English"),
    };
    let (next, sentence) = match theme {
        Theme::Auto => (Theme::Light, texts.theme_light),
        Theme::Light => (Theme::Dark, texts.theme_dark),
        Theme::Dark => (Theme::Auto, texts.theme_auto),
    };
    view! {
        <div class="guide-settings">
            <a class="secondary" href="/channels.m3u" type="audio/x-mpegurl">
                <Icon name="download" />
                "M3U"
            </a>
            <a class="secondary" href=query.with("lang", other) lang=other hreflang=other>
                {name}
            </a>
            <a class="close" href=query.with("theme", next.name()) aria-label=sentence>
                <Icon name="theme" />
            </a>
        </div>
    }
}

/// The wordmark leads to the reel that the visitor came from.
#[component]
pub(super) fn Home(query: GuideQuery) -> impl IntoView {
    view! {
        <a class="home" href=query.back() aria-label="Carrete">
            <Logo />
        </a>
    }
}

/// The live channels, now.
#[component]
pub(super) fn OnAir(frames: Vec<Frame>, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let line = |Frame { number, media }: Frame| {
        view! {
            <li data-channel=media.id.to_string()>
                <a href=media.id.page()>
                    <p class="edge-print">
                        <span>
                            <span class="mark"></span>
                            {grouped(number)}
                        </span>
                        " "
                        <span data-live="">{texts.live_mark}</span>
                    </p>
                    <b dir="auto">{media.title.clone()}</b>
                </a>
            </li>
        }
    };
    (!frames.is_empty()).then(|| {
        view! {
            <section class="on-air" aria-labelledby="on-air">
                <h2 id="on-air">{texts.on_air}</h2>
                <ol>{frames.into_iter().map(line).collect_view()}</ol>
            </section>
        }
    })
}

/// The way in for the others, until the house is no longer small.
#[component]
pub(super) fn Join(
    /// Whether other devices reach this server.
    is_open: bool,
    lang: Lang,
) -> impl IntoView {
    let texts = lang.texts();
    let code = is_open.then(|| view! { <img src="/qr.svg" alt="" width="92" height="92" /> });
    view! {
        <section class="guide-join" aria-labelledby="join">
            {code}
            <div>
                <h2 id="join">{texts.let_others_in}</h2>
                <p>{if is_open { texts.qr_text } else { texts.only_here }}</p>
            </div>
        </section>
    }
}

/// A tag as people write it.
pub(super) fn hash(tag: &str) -> String {
    format!("#{tag}")
}
