//! The large play button over a reel that stands although nobody in the page asked for it. The whole
//! picture is its target; it lies in the article of the reel, so that whoever reads there finds it.

use leptos::prelude::*;

use super::{Player, Prompt, controls::clock};
use crate::{
    icon::Icon,
    part::{Part, effect, parts},
    reels::feed::Feed,
    text::{texts, words},
};

parts! {
    mod parts in "main" {
        PLAY_TEMPLATE: ".play-template",
    }
    mod overlay in ".play-template" {
        PLAY_OVERLAY: ".play-overlay",
        MARK: "span.standing",
        WHY: "p.standing",
    }
    mod why in ".play-template" {
        TIME: "b",
    }
    mod article in ".reel-template" {
        SLATE: ".slate",
    }
    mod slate in ".reel-template" {
        EDGE: ".edge-print",
    }
}

/// The button, what the edge print says of it, and why.
#[component]
pub(crate) fn PlayOverlay() -> impl IntoView {
    let texts = texts();
    view! {
        <div>
            <button class="play-overlay" type="button" aria-label=words().play>
                <Icon name="play" />
            </button>
            <span class="standing outside">{texts.paused}</span>
            <p class="description standing">
                <span class="tap">{texts.tap_to_play}</span>
                <span class="outside">
                    {texts.paused_outside}
                    " "
                    <b></b>
                    " "
                    {texts.when_you_like}
                </span>
            </p>
        </div>
    }
}

/// Puts it into the article of the reel on screen while there is a reason.
pub(super) fn play_overlay(room: &Part, player: Player, feed: Feed) {
    let Some(parts) = room.find(parts::PLAY_TEMPLATE).copy() else { return };
    let (button, mark, why) =
        (parts.find(overlay::PLAY_OVERLAY), parts.find(overlay::MARK), parts.find(overlay::WHY));
    let at = why.find(why::TIME);
    button.on_click(move || player.play());
    let room = room.clone();
    room.bind_attr("data-prompt", move || {
        Some(match player.prompt.get()? {
            Prompt::Tap => "tap".into(),
            Prompt::Outside => "outside".into(),
        })
    });
    effect(move || {
        let article = feed.active_media().and_then(|media| {
            // Ids hold no quotes and no backslashes, so they can stand in a selector.
            room.query(&format!("article[data-channel=\"{}\"]", media.id.as_str()))
        });
        let prompted = player.prompt.get().is_some();
        let Some(article) = article.filter(|_| prompted) else {
            // Who was on it is on the reel.
            if button.has_focus()
                && let Some(article) = room.query("article[aria-current]")
            {
                article.focus();
            }
            for part in [&button, &mark, &why] {
                part.element().remove();
            }
            return;
        };
        at.set_text(&clock(player.time_s.get_untracked()));
        let slate = article.find(article::SLATE);
        for (part, into) in [(&button, &article), (&why, &slate), (&mark, &slate.find(slate::EDGE))]
        {
            let _ = into.element().append_child(part.element());
        }
    });
}
