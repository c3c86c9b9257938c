//! The vertical feed: articles near the active one, the controller that moves them, and the controls of
//! the reel on screen.

mod actions;
pub mod controls_visibility;
mod dock;
pub mod feed;
mod feed_controller;
mod gesture;
mod hint;
mod keys;
mod marks;
mod motion;
mod pan;
mod reel;
mod strip_list;
mod wheel;

use std::rc::Rc;

use leptos::prelude::*;
use web_sys::HtmlElement;

use self::{
    actions::{Actions, full_screen_button},
    controls_visibility::ControlsVisibility,
    dock::dock,
    feed::{Feed, articles_around},
    feed_controller::FeedController,
    hint::hint,
    marks::{
        Announcer, ChannelNumber, ChannelNumberEntry, LiveBadge, UpNext, channel_number, marks,
    },
    reel::{Reel, ReelContent, ReelPosition},
    strip_list::{Frame, StripList, strip_list},
};
use crate::{
    banners::{Banners, banners},
    catalog::{Anchor, FeedSlice, Kind, Media},
    chat::{self, Chat, ChatButton, ChatOverlay, ChatOverlayLine, ChatPanel, Line, Viewers},
    guide::{GuideDialog, guide},
    help::{Help, HelpButton, Keyboard, help},
    icon::{Icon, Logo},
    overlay_history,
    part::{List, Part, effect, parts},
    player::{
        BufferingIndicator, Caption, CaptionsButton, Failure, FullScreen, Level, Menu, MenuButton,
        MiniProgress, PlayOverlay, Player, Prompt, SeekBar, Sound, SoundTrack, UnmutePrompt,
        controls, failure, media_session,
    },
    reaction::{self, Burst, BurstLayer, LikeButton, Reactions},
    share::{ShareButton, ShareSheet, share},
    text::{texts, words},
    thumb,
};

parts! {
    mod parts in "main" {
        GUIDE_LINK: ".guide-link",
        STRIP: ".strip",
        REEL_TEMPLATE: ".reel-template",
        FEED: ".feed",
        FILM_EDGES: ".film-edges",
        ROOM_LIGHT: ".room-light img",
    }
}

/// How a picture fills its frame.
pub(crate) fn shape(media: &Media) -> &'static str {
    match (media.kind, media.width, media.height) {
        (Kind::Audio, ..) => "music",
        (Kind::Video, Some(width), Some(height)) if width * 10 >= height * 12 => "wide",
        (Kind::Video, Some(width), Some(height)) if width * 10 > height * 7 => "square",
        (Kind::Video, ..) => "tall",
    }
}

/// Width by height, as a stylesheet reads it.
pub(crate) fn ratio(media: &Media) -> Option<String> {
    let (width, height) = media.width.zip(media.height)?;
    // Whole numbers only: writing floats weighs in the page.
    (height > 0).then(|| format!("calc({width}/{height})"))
}

/// The room as the server writes it: the feed and everything that belongs to the reel on screen.
#[component]
pub fn Reels(
    /// The part of the list that the page starts with.
    slice: FeedSlice,
    /// Place of the active channel in the whole list, from 0.
    active: u32,
) -> impl IntoView {
    let texts = texts();
    let held = |place: u32| slice.items.get(place.checked_sub(slice.offset)? as usize);
    let articles: Vec<_> = articles_around(active)
        .filter_map(|place| {
            let position = ReelPosition {
                place,
                total: slice.total,
                steps: place.cast_signed() - active.cast_signed(),
                active: place == active,
            };
            Some(view! { <Reel content=ReelContent::of(held(place)?, words()) position /> })
        })
        .collect();
    let room_shape = held(active).map_or("tall", shape);
    let room_ratio = held(active).and_then(ratio).map(|ratio| format!("--ratio:{ratio}"));
    let light = held(active).and_then(|media| media.poster.clone());
    view! {
        <main class="room" data-shape=room_shape style=room_ratio data-slate="">
            <h1 class="sr-only">"Carrete"</h1>
            <div class="room-light" aria-hidden="true">
                <img src=light alt="" />
            </div>
            <div class="feed" role="feed" aria-label=texts.feed aria-busy="false">
                <div class="strip">{articles}</div>
            </div>
            <div class="film-edges" data-number=active + 1 aria-hidden="true"></div>
            <SoundTrack />
            <BufferingIndicator />
            <Failure />
            <MiniProgress />
            <div class="top">
                <a class="hole guide-link" href="/guide" aria-label=texts.guide>
                    <Icon name="guide" />
                </a>
                <LiveBadge />
                <Viewers />
            </div>
            <StripList slice=slice.clone() active />
            <nav class="tools" aria-label=texts.guide>
                <a class="hole" href="/guide">
                    <Icon name="guide" />
                    {texts.guide}
                </a>
                <a class="hole" href="/guide#q" aria-label=texts.search>
                    <Icon name="search" />
                </a>
                <HelpButton />
            </nav>
            <UnmutePrompt />
            <ChatOverlay />
            <p class="fast edge-print" aria-hidden="true">
                {texts.faster}
            </p>
            <ChannelNumber />
            <div class="controls">
                <UpNext />
                <Menu />
                <SeekBar />
                <div class="dock">
                    <Sound />
                    <CaptionsButton />
                    <MenuButton />
                    <ShareButton />
                    <FullScreen />
                    <ChatButton />
                    <LikeButton />
                </div>
            </div>
            <Caption />
            <ChatPanel />
            <Banners />
            <BurstLayer />
            <Announcer />
            <ShareSheet />
            <GuideDialog />
            <Help />
            <div class="brand">
                <Logo />
            </div>
            <template class="reel-template">
                <Reel content=ReelContent::default() position=ReelPosition::default() />
            </template>
            <template class="frame-template">
                <Frame media=None place=0 current=false />
            </template>
            <template class="line-template">
                <Line />
            </template>
            <template class="play-template">
                <PlayOverlay />
            </template>
            <template class="level-template">
                <Level label="" />
            </template>
            <template class="burst-template">
                <Burst />
            </template>
            <template class="talk-template">
                <ChatOverlayLine />
            </template>
        </main>
    }
}

/// The WASM bundle takes the room over.
pub(crate) fn take_over(room: Part, slice: FeedSlice, active: u32) {
    let feed = Feed::new(slice, active);
    let player = Player::new();
    let visibility = ControlsVisibility::new();
    let chat = Chat::new(feed);
    let reactions = Reactions::new(feed, player, chat);
    let keyboard = Keyboard::new();
    let number_entry = ChannelNumberEntry::new();

    articles(&room, feed);
    let controller = FeedController::new(feed, player, visibility, keyboard, &room);
    Actions { feed, player, visibility, chat, reactions, keyboard, number_entry }
        .bind(&room, &controller);
    strip_list(&room, feed, {
        let controller = Rc::clone(&controller);
        move |id| controller.go_to(Anchor::Id(id))
    });
    room_follows(&room, feed, visibility, player, chat);
    controls(&room, player, feed);
    failure(&room, player, feed, move || chat.is_away(), {
        let controller = Rc::clone(&controller);
        move || controller.step(1)
    });
    dock(&room);
    full_screen_button(&room);
    chat::take_over(&room, chat, feed);
    reaction::reactions(&room, reactions);
    share(&room, feed);
    help(&room, keyboard);
    overlay_history::listen(&room, {
        let controller = Rc::clone(&controller);
        move || controller.tell_address()
    });
    guide(&room, feed, reactions, {
        let controller = Rc::clone(&controller);
        move |id| controller.go_to(Anchor::Id(id))
    });
    marks(&room, feed, player, &controller);
    channel_number(&room, number_entry);
    banners(&room, chat, feed, {
        let (controller, room) = (Rc::clone(&controller), room.clone());
        move |first| match first {
            Some(id) => controller.go_to(Anchor::Id(id)),
            None => room.find(parts::GUIDE_LINK).click(),
        }
    });

    media_session(player, feed, {
        let controller = Rc::clone(&controller);
        move |by| controller.step(by)
    });

    player.start();
    controller.begin();
    visibility.first();
    chat.start();
    effect(move || {
        feed.active();
        chat.watch_soon();
    });
    // What holds the controls on screen.
    effect(move || {
        let asked = [player.paused, player.menu, player.scrubbing];
        let held = chat.is_open() || asked.iter().any(|value| value.get());
        visibility.held.set(held);
    });
    // What something outside has paused shows everything that there is to go on with.
    effect(move || {
        if player.prompt.get() == Some(Prompt::Outside) {
            visibility.touched();
        }
    });
    hint(feed, player, visibility, &controller);
    effect(move || player.set_last_time(feed.last_time()));
    // What came to its end goes on to the next.
    let mut before = player.ended.get_untracked();
    effect(move || {
        let ended = player.ended.get();
        if std::mem::replace(&mut before, ended) != ended {
            let is_last = feed.active_now() + 1 >= feed.total_now();
            match (is_last, untrack(|| feed.last_time())) {
                (false, _) => controller.step(1),
                // Behind a last reel that has been taken away there is nothing.
                (true, true) => controller.step(-1),
                // It stands at its end, and Play begins it again.
                (true, false) => {
                    player.pause(true);
                    visibility.touched();
                }
            }
        }
    });
    on_cleanup(move || {
        player.stop();
        chat.stop();
    });
}

/// The articles follow the feed.
fn articles(room: &Part, feed: Feed) {
    let words = words();
    let list = List::new(room.find(parts::STRIP), &room.find(parts::REEL_TEMPLATE), "data-channel");
    effect(move || {
        let articles = feed.articles();
        let keys = articles.iter().map(|(_, media)| media.id.to_string()).collect();
        for (article, (place, media)) in list.reconcile(keys).iter().zip(articles) {
            let content = ReelContent::of(&media, words);
            let position = ReelPosition {
                place,
                total: feed.total(),
                steps: feed.steps_to(place),
                active: place == feed.active(),
            };
            content.fill(article);
            position.fill(article, &content);
        }
    });
}

/// The room follows the reel on screen, and what goes on there.
fn room_follows(
    room: &Part,
    feed: Feed,
    visibility: ControlsVisibility,
    player: Player,
    chat: Chat,
) {
    room.bind_bool("data-moving", move || visibility.moving.get());
    let reels = room.find(parts::FEED);
    reels.bind_aria("aria-busy", move || visibility.moving.get() || feed.is_asking());
    room.bind_bool("data-controls", move || visibility.controls.get());
    room.bind_bool("data-slate", move || visibility.slate.get());
    room.bind_bool("data-live", move || feed.active_media().is_some_and(|media| media.live));
    room.bind_bool("data-paused", move || player.paused.get());
    room.bind_bool("data-menu", move || player.menu.get());
    room.bind_bool("data-hint", move || visibility.hint.get());
    room.bind_bool("data-fast", move || visibility.fast.get());
    room.bind_bool("data-chat-open", move || chat.is_open());
    room.bind_bool("data-away", move || chat.is_away());
    let edges = room.find(parts::FILM_EDGES);
    effect(move || edges.set_attr("data-number", Some(&(feed.active() + 1).to_string())));
    // The layout follows when the strip has come to rest.
    let (room, light) = (room.clone(), room.find(parts::ROOM_LIGHT));
    effect(move || {
        let Some(media) = feed.rested_media() else { return };
        room.set_attr("data-shape", Some(shape(&media)));
        let thumb = media.thumbhash.as_deref().and_then(thumb::picture);
        light.set_attr("src", thumb.as_deref().or(media.poster.as_deref()));
        let style = room.of::<HtmlElement>().style();
        let _ = match ratio(&media) {
            Some(ratio) => style.set_property("--ratio", &ratio),
            None => style.remove_property("--ratio").map(drop),
        };
    });
}
