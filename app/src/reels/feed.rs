//! The feed as the page holds it: a contiguous part of the list, the active channel, and how both
//! follow when the list changes. No DOM here.

mod window;

use std::{ops::Range, sync::Arc};

use leptos::{prelude::*, task::spawn_local};

use self::window::{FeedWindow, KEEP};
use crate::{
    catalog::{self, Anchor, ChannelId, FeedSlice, Media, Order},
    value::Value,
};

/// Channels asked for at once.
const STEP: u32 = 40;
/// More are asked for when the active channel is this near to the end of what is held.
const NEAR_END: u32 = 12;
/// The strip is laid out anew when the active channel is so many places from its origin.
const FAR: i32 = 500;
/// Articles on each side of the one in the middle.
const ARTICLES: u32 = 2;

/// Places that have an article in the document, around the one in the middle.
pub(crate) fn articles_around(middle: u32) -> Range<u32> {
    middle.saturating_sub(ARTICLES)..middle.saturating_add(ARTICLES + 1)
}

/// Goes somewhere.
type Jump = Box<dyn FnOnce()>;

/// The list and the active channel; a cheap handle.
#[derive(Clone, Copy)]
pub struct Feed {
    strip: Value<FeedWindow>,
    active: Value<u32>,
    /// The middle of the articles in the document; follows `active` when the strip has come to rest.
    middle: Value<u32>,
    /// The place that the strip is laid out from; lengths stay small in a long list.
    origin: Value<i32>,
    asking: Value<bool>,
    /// Where somebody wants to go while another question is under way.
    jump: Value<Option<Jump>>,
    /// The newer list does not hold the reel on screen: it is the last time that it plays.
    last_time: Value<bool>,
    /// Counts channels that were gone when somebody went to them.
    missed: Value<u32>,
    /// How many channels came since one began to look, and the first of them where it is known.
    fresh: Value<Option<(u32, Option<ChannelId>)>>,
    /// The visitor's choice, kept for the life of the page.
    order: Value<Order>,
    /// A newer list that does not hold the reel on screen: taken when that is left.
    newer: Value<Option<(Vec<Media>, u32, String)>>,
}

impl Feed {
    /// Starts from what the server found.
    pub fn new(slice: FeedSlice, active: u32) -> Self {
        Self {
            order: Value::new(slice.order),
            strip: Value::new(FeedWindow::of(slice)),
            active: Value::new(active),
            middle: Value::new(active),
            origin: Value::new(active.cast_signed()),
            asking: Value::new(false),
            jump: Value::new(None),
            last_time: Value::new(false),
            missed: Value::new(0),
            fresh: Value::new(None),
            newer: Value::new(None),
        }
    }

    /// Place of the active channel in the whole list, from 0. Tracked.
    pub fn active(&self) -> u32 {
        self.active.get()
    }

    /// The same, untracked.
    pub fn active_now(&self) -> u32 {
        self.active.get_untracked()
    }

    /// The active channel. Tracked.
    pub fn active_media(&self) -> Option<Arc<Media>> {
        let active = self.active.get();
        self.strip.with(|strip| strip.at(active).cloned())
    }

    /// The channel where the strip came to rest last. Tracked.
    pub fn rested_media(&self) -> Option<Arc<Media>> {
        let middle = self.middle.get();
        self.strip.with(|strip| strip.at(middle).cloned())
    }

    /// The channel at a place, if it is held. Untracked.
    pub fn media_at(&self, place: u32) -> Option<Arc<Media>> {
        self.strip.with_untracked(|strip| strip.at(place).cloned())
    }

    /// How many channels the whole list has. Tracked.
    pub fn total(&self) -> u32 {
        self.strip.with(|strip| strip.total)
    }

    /// The same, untracked.
    pub fn total_now(&self) -> u32 {
        self.strip.with_untracked(|strip| strip.total)
    }

    /// The state of the list that is held.
    pub fn version(&self) -> String {
        self.strip.with_untracked(|strip| strip.version.clone())
    }

    /// Place of a channel. Tracked.
    pub fn place(&self, id: &ChannelId) -> Option<u32> {
        self.strip.with(|strip| strip.place(id))
    }

    /// Place of a channel given by its name. Untracked.
    pub fn place_of(&self, id: &str) -> Option<u32> {
        let id = ChannelId::parse(id).ok()?;
        self.strip.with_untracked(|strip| strip.place(&id))
    }

    /// Places of a place from the strip's origin. Tracked.
    pub fn steps_to(&self, place: u32) -> i32 {
        place.cast_signed() - self.origin.get()
    }

    /// Places of the active channel from the strip's origin. Untracked.
    pub fn steps(&self) -> i32 {
        self.active.get_untracked().cast_signed() - self.origin.get_untracked()
    }

    /// Lays the strip out from the active channel where that has come far from its origin.
    pub fn recenter(&self) -> bool {
        let far = self.steps().abs() > FAR;
        if far {
            self.origin.set(self.active.get_untracked().cast_signed());
        }
        far
    }

    /// The channels that have an article in the document, each with its place. Tracked.
    pub fn articles(&self) -> Vec<(u32, Arc<Media>)> {
        let middle = self.middle.get();
        self.held(articles_around(middle))
    }

    /// Channels at these places, as far as they are held, each with its place. Tracked.
    pub fn held(&self, places: Range<u32>) -> Vec<(u32, Arc<Media>)> {
        self.strip.with(|strip| {
            places.filter_map(|place| Some((place, Arc::clone(strip.at(place)?)))).collect()
        })
    }

    /// Makes a held channel the active one. Articles follow at once where the new one has none yet.
    pub fn activate(&self, place: u32) {
        if self.active.get_untracked() != place {
            self.active.set(place);
        }
        if self.middle.get_untracked().abs_diff(place) > 1 {
            self.middle.set(place);
        }
    }

    /// The strip has come to rest: articles gather around the active channel, far channels are
    /// forgotten, near ends are asked for.
    pub fn settle(&self) {
        if let Some((videos, total, version)) = self.newer.update_untracked(Option::take) {
            self.changed(videos, total, version);
        }
        let active = self.active.get_untracked();
        if self.middle.get_untracked() != active {
            self.middle.set(active);
        }
        if self.newer.with_untracked(Option::is_none) {
            self.set_last_time(false);
        }
        let (offset, end, total) =
            self.strip.with_untracked(|strip| (strip.offset, strip.end(), strip.total));
        if active.saturating_sub(offset) > KEEP + STEP || end.saturating_sub(active) > KEEP + STEP {
            self.strip.update(|strip| strip.trim(active));
        }
        if end < total && end.saturating_sub(active) <= NEAR_END {
            self.extend(end.saturating_sub(1), 0, STEP);
        } else if offset > 0 && active.saturating_sub(offset) <= NEAR_END {
            self.extend(offset, STEP, 0);
        }
    }

    /// Asks for channels beside a held one.
    fn extend(&self, beside: u32, before: u32, after: u32) {
        let Some(anchor) = self.near(beside) else { return };
        let feed = *self;
        self.ask(anchor, before, after, move |slice| match slice {
            Some(slice) if slice.version == feed.version() => {
                feed.strip.update(|strip| strip.join(slice));
            }
            Some(slice) => feed.adopt(slice, false),
            None => {}
        });
    }

    /// Asks for a part of the list that is not held and tells `then` which place of it was meant,
    /// `None` where there was no answer. Where it is not `wanted` any more, nothing happens.
    pub fn fetch_end(
        &self,
        anchor: Anchor,
        wanted: impl Fn() -> bool + 'static,
        then: impl FnOnce(Option<u32>) + 'static,
    ) {
        let feed = *self;
        if self.asking.get_untracked() {
            // Somebody waits for it: it is asked when the question under way has its answer.
            let jump: Jump = Box::new(move || feed.fetch_end(anchor, wanted, then));
            self.jump.update_untracked(|next| *next = Some(jump));
            return;
        }
        if !wanted() {
            return;
        }
        self.ask(anchor.clone(), STEP, STEP, move |slice| {
            if !wanted() {
                return;
            }
            let Some(slice) = slice else {
                then(None);
                return;
            };
            let strip = FeedWindow::of(slice);
            let place = match anchor {
                Anchor::Last => strip.end().saturating_sub(1),
                Anchor::First => strip.offset,
                Anchor::Id(id) | Anchor::Near(id, _) => match strip.place(&id) {
                    Some(place) => place,
                    None => {
                        feed.missed.update(|n| *n += 1);
                        return then(None);
                    }
                },
                Anchor::Place(place) => place.min(strip.end().saturating_sub(1)),
            };
            // The strip stays where it is seen; the new reel lies next to the old one.
            let beside = feed.steps() + if place > feed.active_now() { 1 } else { -1 };
            feed.strip.set(strip);
            feed.origin.set(place.cast_signed() - beside);
            then(Some(place));
        });
    }

    /// One question at a time: a second one while the first is under way is dropped, because the
    /// next settling asks again.
    fn ask(
        &self,
        anchor: Anchor,
        before: u32,
        after: u32,
        then: impl FnOnce(Option<FeedSlice>) + 'static,
    ) {
        if self.asking.get_untracked() {
            return;
        }
        self.asking.set(true);
        let feed = *self;
        let order = self.order.get_untracked();
        spawn_local(async move {
            let answer = catalog::ask(order, &anchor, before, after).await;
            feed.asking.set(false);
            then(answer);
            if let Some(jump) = feed.jump.update_untracked(Option::take) {
                jump();
            }
        });
    }

    /// Asks for the part around the reel on screen: while the socket is away nothing else tells
    /// what has changed.
    pub fn refresh(&self) {
        if let Some(anchor) = self.near(self.active.get_untracked()) {
            let feed = *self;
            self.ask(anchor, STEP, STEP, move |slice| {
                if let Some(slice) = slice {
                    feed.adopt(slice, true);
                }
            });
        }
    }

    /// Whether a part of the list is on its way. Tracked.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.get()
    }

    /// The channel at a place, as what the server is asked around: it may be gone by then.
    fn near(&self, place: u32) -> Option<Anchor> {
        self.media_at(place).map(|media| Anchor::Near(media.id.clone(), place))
    }

    /// How often somebody went to a channel that was gone. Tracked.
    pub(crate) fn missed(&self) -> u32 {
        self.missed.get()
    }

    /// The list has changed and `slice` is a part of its new state, `around` the reel on screen or
    /// another one. The reel on screen keeps playing: its place follows it. Where the new state no
    /// longer holds it, the old state stays until the reel is left.
    pub fn adopt(&self, slice: FeedSlice, around: bool) {
        if slice.version == self.version() {
            return;
        }
        let new = FeedWindow::of(slice);
        let active = self.active.get_untracked();
        let current = self.media_at(active).map(|media| media.id.clone());
        if let Some(place) = current.and_then(|id| new.place(&id)) {
            self.newer.update_untracked(|newer| *newer = None);
            self.set_last_time(false);
            self.tell_fresh(&new);
            let moved = place.cast_signed() - active.cast_signed();
            self.strip.set(new);
            self.active.set(place);
            self.middle.set(place);
            self.origin.update(|origin| *origin += moved);
        } else if around || new.items.len() == new.total as usize {
            self.set_last_time(true);
        }
    }

    fn set_last_time(&self, last: bool) {
        if self.last_time.get_untracked() != last {
            self.last_time.set(last);
        }
    }

    /// Whether the reel on screen has been taken out of the list. Tracked.
    pub(crate) fn last_time(&self) -> bool {
        self.last_time.get()
    }

    /// Counts what is new in a list that is about to be taken.
    fn tell_fresh(&self, new: &FeedWindow) {
        let fresh = self.strip.with_untracked(|old| {
            let whole = old.items.len() == old.total as usize;
            let came = |media: &&Arc<Media>| whole && old.place(&media.id).is_none();
            let count = new.items.iter().filter(came).count();
            let first = new.items.iter().find(came).map(|media| media.id.clone());
            let more = new.total.saturating_sub(old.total);
            (if whole { u32::try_from(count).unwrap_or(u32::MAX) } else { more }, first)
        });
        if fresh.0 > 0 {
            self.fresh.update(|all| {
                let (count, first) = all.take().unwrap_or_default();
                *all = Some((count.saturating_add(fresh.0), first.or(fresh.1)));
            });
        }
    }

    /// What came since one last looked. Tracked.
    pub(crate) fn fresh(&self) -> Option<(u32, Option<ChannelId>)> {
        self.fresh.get()
    }

    /// It has been seen.
    pub(crate) fn seen_fresh(&self) {
        if self.fresh.with_untracked(Option::is_some) {
            self.fresh.set(None);
        }
    }

    /// Told that the list has another version, with its first channels in feed order: takes them
    /// where that is the order of this feed and they hold the reel on screen, and asks for the part
    /// around it otherwise.
    pub fn changed(&self, videos: Vec<Media>, total: u32, version: String) {
        if version == self.version() {
            return;
        }
        if total == 0 {
            // Nothing is left: the page says how to add something.
            let _ = window().location().set_href("/");
            return;
        }
        self.newer
            .update_untracked(|newer| *newer = Some((videos.clone(), total, version.clone())));
        let order = self.order.get_untracked();
        let whole = order == Order::Feed && u32::try_from(videos.len()).is_ok_and(|n| n == total);
        if whole {
            self.adopt(FeedSlice { items: videos, offset: 0, total, version, order }, true);
        } else {
            self.refresh();
        }
    }
}
