//! One reel: an article with its poster, its title and the frame line below it.

use std::sync::Arc;

use leptos::prelude::*;

use super::{feed::Feed, ratio, shape};
use crate::{
    catalog::{Kind, Media, Source},
    icon::Logo,
    text::texts,
};

/// An article of the feed. The player puts its element inside `.picture`.
#[component]
pub(crate) fn Reel(media: Arc<Media>, feed: Feed) -> impl IntoView {
    let texts = texts();
    let id = media.id.clone();
    let place = Memo::new({
        let id = id.clone();
        move |_| feed.place(&id)
    });
    let steps = Memo::new({
        let id = id.clone();
        move |_| feed.steps_of(&id)
    });
    let is_active = Memo::new(move |_| place.get() == Some(feed.active()));
    let number = move || place.get().map(|place| place + 1);
    let source = match media.source {
        Source::Local => texts.local,
        Source::S3 => "S3",
        Source::Http => "HTTP",
    };
    let quality = match (media.kind, media.width.zip(media.height)) {
        (Kind::Audio, _) => Some(texts.music.to_owned()),
        (Kind::Video, Some((width, height))) => Some(format!("{}p", width.min(height))),
        (Kind::Video, None) => None,
    };
    let ratio = ratio(&media).map(|ratio| format!(";--ratio:{ratio}")).unwrap_or_default();
    let hue = media.id.as_str().bytes().fold(0u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    let style = move || format!("--steps:{};--hue:{hue}{ratio}", steps.get());
    let tags: Vec<_> =
        media.tags.iter().map(|tag| view! { <b class="tag">{format!("#{tag} ")}</b> }).collect();
    let described = media.description.is_some() || !tags.is_empty();
    view! {
        <article
            class="reel"
            tabindex=move || if is_active.get() { "0" } else { "-1" }
            data-channel=media.id.to_string()
            data-shape=shape(&media)
            aria-posinset=number
            aria-setsize=move || feed.total()
            aria-current=move || is_active.get().then_some("true")
            aria-label=media.title.clone()
            style=style
        >
            <div class="picture">
                {media
                    .poster
                    .clone()
                    .map(|poster| {
                        view! {
                            <img class="light" src=poster.clone() alt="" aria-hidden="true" />
                            <img class="poster" src=poster alt="" draggable="false" />
                        }
                    })}
            </div>
            <div class="slate">
                <p class="edge-print">
                    <span class="mark"></span>
                    <span>{number}</span>
                    <span class="about">{source}</span>
                    {quality.map(|quality| view! { <span class="about">{quality}</span> })}
                </p>
                <h2>{media.title.clone()}</h2>
                {described
                    .then(|| {
                        view! {
                            <p class="description">
                                {media.description.clone().map(|text| text + " ")} {tags}
                            </p>
                        }
                    })}
                <noscript>
                    <p class="description">
                        <a href=media.url.clone()>{texts.open_stream}</a>
                    </p>
                </noscript>
            </div>
            <div class="frame-line edge-print" aria-hidden="true">
                <span>
                    <span class="mark"></span>
                    {number}
                </span>
                <Logo />
                <span>
                    <span class="mark"></span>
                    {move || number().map(|number| number + 1)}
                </span>
            </div>
        </article>
    }
}
