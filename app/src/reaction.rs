//! Likes, and what else is felt at a moment of a reel: told to everybody, shown as it happens, and
//! kept along the film edge.

mod burst;
mod heat;

use std::{collections::VecDeque, rc::Rc};

use leptos::prelude::*;

use self::{burst::Bursts, heat::heat};
use crate::{
    catalog::ChannelId,
    chat::{Chat, Link},
    dom::{recall, remember},
    icon::Icon,
    part::{Part, effect, parts},
    player::Player,
    reels::feed::Feed,
    text::texts,
    value::{Owned, Value},
    websocket::{ClientEvent, Moment, ServerEvent},
};

parts! {
    mod parts in "main" {
        LIKE: ".like",
    }
    mod like in ".like" {
        COUNT: "span",
    }
}

/// What is felt by a double tap, by L and by the button.
const LIKE: &str = "like";
/// Where one's own likes are kept: ids, one a line. Ids hold no line ends.
const LIKED_KEY: &str = "carrete.liked";
/// Own likes kept in this browser.
const LIKED_MAX: usize = 500;
/// Moments of one reel that the page holds.
const MOMENTS_MAX: usize = 300;

/// One's own likes and the moments of the reel on screen; a cheap handle.
#[derive(Clone, Copy)]
pub(crate) struct Reactions {
    feed: Feed,
    player: Player,
    chat: Chat,
    liked: Value<VecDeque<String>>,
    /// How many like the reel on screen.
    likes: Value<u32>,
    /// Moments of the reel on screen; the flag says whether it is one's own.
    moments: Value<Vec<(Moment, bool)>>,
    /// What was told and has not come back: the moment and whether the like was to stand.
    told: Value<Vec<(Moment, bool)>>,
    /// What could not be said yet.
    unsaid: Value<Vec<(ChannelId, Moment, bool)>>,
    bursts: Owned<Rc<Bursts>>,
}

impl Reactions {
    /// What this browser remembers, and nothing of the reel on screen yet.
    pub(crate) fn new(feed: Feed, player: Player, chat: Chat) -> Self {
        let kept = recall(LIKED_KEY).unwrap_or_default();
        Self {
            feed,
            player,
            chat,
            liked: Value::new(kept.lines().map(str::to_owned).collect()),
            likes: Value::new(0),
            moments: Value::default(),
            told: Value::default(),
            unsaid: Value::default(),
            bursts: Owned::new(),
        }
    }

    fn here(&self) -> Option<ChannelId> {
        self.feed.media_at(self.feed.active_now()).map(|media| media.id.clone())
    }

    fn stands(&self, id: &ChannelId) -> bool {
        self.liked.with(|liked| liked.iter().any(|each| each == id.as_str()))
    }

    /// Likes the reel on screen, or takes it back.
    pub(crate) fn toggle(&self) {
        if let Some(id) = self.here() {
            self.like(&id, !untrack(|| self.stands(&id)));
        }
    }

    /// Each reel that one likes.
    pub(crate) fn each_liked(&self, mut of: impl FnMut(&str)) {
        self.liked.with_untracked(|liked| liked.iter().for_each(|id| of(id)));
    }

    /// A double tap at a point of the window: it only ever likes.
    pub(crate) fn tapped(&self, x: f64, y: f64) {
        let Some(id) = self.here() else { return };
        if let Some(bursts) = self.bursts.get() {
            bursts.at(x, y);
        }
        if !untrack(|| self.stands(&id)) {
            self.like(&id, true);
        }
    }

    fn like(&self, id: &ChannelId, on: bool) {
        self.liked.update(|liked| {
            liked.retain(|each| each != id.as_str());
            if on {
                liked.push_back(id.to_string());
            }
            while liked.len() > LIKED_MAX {
                liked.pop_front();
            }
        });
        let kept: Vec<_> = self.liked.with_untracked(|liked| liked.iter().cloned().collect());
        remember(LIKED_KEY, &kept.join("\n"));
        self.likes.update(|n| *n = if on { *n + 1 } else { n.saturating_sub(1) });
        let tenths = (self.player.time_s.get_untracked() * 10.0) as u32;
        let moment = Moment { kind: LIKE.into(), at_s: f64::from(tenths) / 10.0 };
        self.keep(moment.clone(), true, on);
        self.tell(id, moment, on);
    }

    fn tell(&self, channel: &ChannelId, moment: Moment, on: bool) {
        let Moment { kind, at_s } = moment.clone();
        let said =
            self.chat.send_event(&ClientEvent::Reaction { kind, channel: channel.clone(), at_s });
        if said {
            self.told.update_untracked(|told| told.push((moment, on)));
            return;
        }
        // Said when the socket is back. Taken back before, it was never said at all.
        self.unsaid.update_untracked(|unsaid| {
            let before = unsaid.len();
            unsaid.retain(|(each, ..)| each != channel);
            if unsaid.len() == before {
                unsaid.push((channel.clone(), moment, on));
            }
        });
    }

    /// Keeps a moment of the reel on screen, or takes it back.
    fn keep(&self, moment: Moment, own: bool, on: bool) {
        self.moments.update(|all| {
            if on {
                all.push((moment, own));
            } else if let Some(n) =
                all.iter().rposition(|(m, o)| *o == own && m.kind == moment.kind)
            {
                all.remove(n);
            }
            if all.len() > MOMENTS_MAX {
                all.remove(0);
            }
        });
    }

    /// Somebody felt something; perhaps one's own comes back.
    fn heard(&self, channel: &ChannelId, moment: Moment, on: bool, likes: Option<u32>) {
        let here = self.here().as_ref() == Some(channel);
        if let Some(likes) = likes.filter(|_| here) {
            self.likes.set(likes);
        }
        let own = self.told.update_untracked(|told| {
            let n = told.iter().position(|(each, _)| *each == moment)?;
            Some(told.remove(n).1)
        });
        if let Some(wanted) = own {
            // The server had it the other way round: say it once more.
            if wanted != on {
                self.tell(channel, moment, wanted);
            }
            return;
        }
        if !here {
            return;
        }
        if on && let Some(bursts) = self.bursts.get() {
            bursts.rise(&moment.kind);
        }
        self.keep(moment, false, on);
    }

    /// What was felt at the reel on screen before one came.
    fn remember(&self, channel: &ChannelId, likes: u32, moments: Vec<Moment>) {
        if self.here().as_ref() == Some(channel) {
            self.likes.set(likes.max(u32::from(untrack(|| self.stands(channel)))));
            self.moments.set(moments.into_iter().map(|moment| (moment, false)).collect());
        }
    }
}

/// Likes the reel on screen; says how many do.
#[component]
pub(crate) fn LikeButton() -> impl IntoView {
    view! {
        <button class="hole like" type="button" aria-label=texts().like aria-pressed="false">
            <Icon name="heart" />
            <span></span>
        </button>
    }
}

/// Where what is felt rises.
#[component]
pub(crate) fn BurstLayer() -> impl IntoView {
    view! { <div class="bursts" aria-hidden="true"></div> }
}

/// What rises.
#[component]
pub(crate) fn Burst() -> impl IntoView {
    view! {
        <span class="burst">
            <Icon name="liked" />
        </span>
    }
}

/// Binds the button, the bursts and the film edge.
pub(crate) fn reactions(room: &Part, reactions: Reactions) {
    reactions.chat.on_reaction.set(Rc::new(move |event| match event {
        ServerEvent::Reaction { kind, channel, at_s, on, likes, .. } => {
            let moment = Moment { kind: kind.clone(), at_s: *at_s };
            reactions.heard(channel, moment, *on, *likes);
        }
        ServerEvent::History { channel: Some(channel), likes: Some(likes), moments, .. } => {
            reactions.remember(channel, *likes, moments.clone());
        }
        _ => {}
    }));
    let Reactions { feed, player, likes, moments, bursts, .. } = reactions;
    bursts.set(Rc::new(Bursts::new(room)));
    effect(move || {
        if reactions.chat.link() == Link::Open {
            for (channel, moment, on) in reactions.unsaid.update_untracked(std::mem::take) {
                reactions.tell(&channel, moment, on);
            }
        }
    });
    let button = room.find(parts::LIKE);
    let stands = move || feed.active_media().is_some_and(|media| reactions.stands(&media.id));
    button.on_click(move || reactions.toggle());
    button.bind_aria("aria-pressed", stands);
    button.bind_icon(move || if stands() { "liked" } else { "heart" });
    button.find(like::COUNT).bind_text(move || match likes.get() {
        0 => String::new(),
        n => n.to_string(),
    });
    // Another reel: nothing is known of it yet but one's own like.
    effect(move || {
        let liked =
            feed.active_media().is_some_and(|media| untrack(|| reactions.stands(&media.id)));
        likes.set(liked.into());
        moments.set(Vec::new());
    });
    heat(room, player, moments);
}
