//! One reel: an article with its poster, its title and the frame line below it. The server writes the
//! first ones; the browser fills copies of an empty one.

use leptos::prelude::*;

use super::{ratio, shape};
use crate::{
    catalog::{Kind, Media, Source},
    icon::{Icon, Logo},
    part::{Part, parts},
    text::{Words, texts},
    thumb,
};

parts! {
    mod article in ".reel-template" {
        POSTER: ".poster",
        TITLE: "h2",
        DESCRIPTION: ".words",
        TAGS: ".tag",
        PICTURE: ".picture",
        LIGHT: ".light",
        NEXT_NUMBER: ".next-number",
    }
}

/// Languages of subtitles that are named.
const LANGUAGES: usize = 3;

/// What a reel says of itself, the same on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReelContent {
    id: String,
    url: String,
    shape: &'static str,
    /// Its lengths and its colour, as the stylesheet reads them.
    style: String,
    title: String,
    /// Where its bytes live, the height of its picture, and the languages of its subtitles.
    about: [String; 3],
    description: String,
    tags: String,
    poster: Option<String>,
    /// What stands for the poster until it comes.
    thumbhash: Option<String>,
}

/// What the sound of a bare file is called; a playlist's is not told.
fn codec(mime: &str) -> Option<&str> {
    match mime.strip_prefix("audio/")?.split(';').next()? {
        "mpeg" => Some("mp3"),
        // `codecs="mp4a.40.2"`. A search for text weighs more than a kilobyte in the page.
        "mp4" => mime.split('"').any(|part| part.starts_with("mp4a")).then_some("aac"),
        other => Some(other),
    }
}

impl ReelContent {
    /// What `media` says.
    pub(crate) fn of(media: &Media, words: &Words) -> Self {
        let source = match media.source {
            _ if media.live => words.on_air,
            Source::Local => words.local,
            Source::S3 => "S3",
            Source::Http => "HTTP",
        };
        let quality = match (media.kind, media.width.zip(media.height)) {
            (Kind::Audio, _) => codec(&media.mime).unwrap_or(words.music).to_owned(),
            (Kind::Video, Some((width, height))) => format!("{}p", width.min(height)),
            (Kind::Video, None) => String::new(),
        };
        let languages = media.subtitles.iter().take(LANGUAGES).map(|track| track.lang.clone());
        let languages = languages.collect::<Vec<_>>().join(" ");
        let ratio = ratio(media).map(|ratio| format!(";--ratio:{ratio}")).unwrap_or_default();
        let id = media.id.as_str();
        let hue = id.bytes().fold(0u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
        Self {
            id: id.to_owned(),
            url: media.url.clone(),
            shape: shape(media),
            style: format!("--hue:{hue}{ratio}"),
            title: media.title.clone(),
            about: [source.to_owned(), quality, languages],
            description: media.description.clone().unwrap_or_default(),
            tags: media.tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" "),
            poster: media.poster.clone(),
            thumbhash: media.thumbhash.clone(),
        }
    }

    /// Says it in an article of the page.
    pub(crate) fn fill(&self, article: &Part) {
        article.set_attr("data-shape", Some(self.shape));
        article.set_attr("aria-label", Some(&self.title));
        article.find(article::POSTER).set_attr("src", self.poster.as_deref());
        self.throw_light(article);
        article.find(article::TITLE).set_text(&self.title);
        for (part, text) in article.query_all(".about").iter().zip(&self.about) {
            part.set_text(text);
        }
        article.find(article::DESCRIPTION).set_text(&self.description);
        article.find(article::TAGS).set_text(&self.tags);
    }
}

impl ReelContent {
    /// The tiny picture lies behind the poster, and is the light beside it.
    fn throw_light(&self, article: &Part) {
        let (picture, light) = (article.find(article::PICTURE), article.find(article::LIGHT));
        if self.thumbhash.is_none() || picture.get_attr("data-hash") != self.thumbhash {
            let thumb = self.thumbhash.as_deref().and_then(thumb::picture);
            let style = thumb.as_ref().map(|address| format!("--thumb:url({address})"));
            picture.set_attr("style", style.as_deref());
            picture.set_attr("data-hash", self.thumbhash.as_deref());
            light.set_attr("src", thumb.as_deref().or(self.poster.as_deref()));
        }
    }
}

/// Where a reel stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReelPosition {
    /// Place in the whole list, from 0.
    pub(crate) place: u32,
    /// Length of the whole list.
    pub(crate) total: u32,
    /// Places from the strip's origin.
    pub(crate) steps: i32,
    /// It is the active one.
    pub(crate) active: bool,
}

impl ReelPosition {
    fn style(&self, content: &ReelContent) -> String {
        format!("--steps:{};{}", self.steps, content.style)
    }

    /// Puts an article there.
    pub(crate) fn fill(&self, article: &Part, content: &ReelContent) {
        let number = (self.place + 1).to_string();
        article.set_attr("style", Some(&self.style(content)));
        article.set_attr("tabindex", Some(if self.active { "0" } else { "-1" }));
        article.set_attr("aria-current", self.active.then_some("true"));
        article.set_attr("aria-posinset", Some(&number));
        article.set_attr("aria-setsize", Some(&self.total.to_string()));
        for part in article.query_all(".number") {
            part.set_text(&number);
        }
        article.find(article::NEXT_NUMBER).set_text(&(self.place + 2).to_string());
    }
}

/// An article of the feed. The player puts its element inside `.picture`.
#[component]
pub(crate) fn Reel(content: ReelContent, position: ReelPosition) -> impl IntoView {
    let style = position.style(&content);
    let number = position.place + 1;
    let poster = content.poster.clone();
    let title = content.title.clone();
    view! {
        <article
            class="reel"
            tabindex=if position.active { "0" } else { "-1" }
            data-channel=content.id
            data-shape=content.shape
            aria-posinset=number
            aria-setsize=position.total
            aria-current=position.active.then_some("true")
            aria-label=content.title
            style=style
        >
            <div class="picture">
                <img class="light" src=poster.clone() alt="" aria-hidden="true" />
                <img class="poster" src=poster alt="" draggable="false" />
            </div>
            <div class="slate">
                <p class="edge-print">
                    <span class="mark"></span>
                    <span class="number">{number}</span>
                    {content.about.map(|about| view! { <span class="about">{about}</span> })}
                </p>
                <h2 dir="auto">{title}</h2>
                <p class="description">
                    <span class="words" dir="auto">{content.description}</span>
                    // Between the two: in one of them it lies where that begins or ends, on either side.
                    " "
                    <b class="tag" dir="auto">{content.tags}</b>
                </p>
                <noscript>
                    <p class="description">
                        <a href=content.url>{texts().open_stream}</a>
                    </p>
                </noscript>
            </div>
            <div class="frame-line edge-print" aria-hidden="true">
                <span>
                    <span class="mark"></span>
                    <span class="number">{number}</span>
                </span>
                <Logo />
                <span class="swipe-word">
                    <Icon name="up" />
                    {texts().swipe}
                </span>
                <span>
                    <span class="mark"></span>
                    <span class="next-number">{number + 1}</span>
                </span>
            </div>
        </article>
    }
}
