//! Which part of the list the page holds and where in it somebody is, as a state machine without a
//! browser: an event goes in, commands come out, and the feed's views perform them. The reel on screen
//! keeps playing whatever happens to the list: its place follows it.

mod event;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use self::event::{Command, Event, Topic};
use super::{
    articles_around,
    window::{FeedWindow, KEEP},
};
use crate::catalog::{Anchor, ChannelId, FeedSlice, Media, Order};

/// Channels asked for at once.
const STEP: u32 = 40;
/// More are asked for when the active channel is this near to the end of what is held.
const NEAR_END: u32 = 12;
/// The strip is laid out anew when the active channel is so many places from its origin.
const FAR: i32 = 500;
/// Reels passed faster than this are not loaded: ten quick swipes load the tenth.
const PASSING_MS: f64 = 300.0;

/// See the module.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) window: FeedWindow,
    /// Place of the active channel in the whole list, from 0.
    pub(crate) active: u32,
    /// The middle of the articles in the document; follows `active` when the strip has come to rest.
    pub(crate) middle: u32,
    /// The place that the strip is laid out from; lengths stay small in a long list.
    pub(crate) origin: i32,
    /// 1 where people go on, -1 where they go back.
    pub(crate) travel: i32,
    /// The newer list does not hold the reel on screen: it is the last time that it plays.
    pub(crate) last_time: bool,
    /// Counts channels that were gone when somebody went to them.
    pub(crate) missed: u32,
    /// How many channels came since one began to look, and the first of them where it is known.
    pub(crate) fresh: Option<(u32, Option<ChannelId>)>,
    /// The visitor's order, kept for the life of the page.
    pub(crate) order: Order,
    /// The question under way.
    asking: Option<Question>,
    /// Where somebody wants to go while another question is under way.
    next: Option<(Anchor, u32)>,
    /// A newer list that does not hold the reel on screen: taken when that is left.
    newer: Option<(Vec<Media>, u32, String)>,
    /// A place that is gone to as soon as it is known.
    wanted: Option<u32>,
    /// Counts where people wanted to go: an answer to an older question moves nobody.
    requests: u32,
    moved_ms: f64,
}

/// What the server was asked for.
#[derive(Clone, Debug, PartialEq)]
enum Question {
    /// Channels beside the held ones.
    More,
    /// The part around the reel on screen.
    Around,
    /// A part that is not held, to go there; for the n-th request.
    To(Anchor, u32),
}

/// What one event leads to.
pub(crate) fn step(state: &mut State, event: Event) -> Vec<Command> {
    let mut commands = Vec::new();
    state.take(event, &mut commands);
    commands
}

fn changed(out: &mut Vec<Command>, topic: Topic) {
    out.push(Command::Changed(topic));
}

impl State {
    /// Starts from what the server found.
    pub(crate) fn new(slice: FeedSlice, active: u32) -> Self {
        Self {
            order: slice.order,
            window: FeedWindow::of(slice),
            active,
            middle: active,
            origin: active.cast_signed(),
            travel: 1,
            last_time: false,
            missed: 0,
            fresh: None,
            asking: None,
            next: None,
            newer: None,
            wanted: None,
            requests: 0,
            moved_ms: f64::NEG_INFINITY,
        }
    }

    /// Places of the active channel from the strip's origin.
    pub(crate) fn steps(&self) -> i32 {
        self.active.cast_signed() - self.origin
    }

    /// Whether a part of the list is on its way.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// The channels that have an article in the document, each with its place.
    pub(crate) fn articles(&self) -> Vec<(u32, Arc<Media>)> {
        self.held(articles_around(self.middle))
    }

    /// Channels at these places, as far as they are held, each with its place.
    pub(crate) fn held(&self, places: std::ops::Range<u32>) -> Vec<(u32, Arc<Media>)> {
        places.filter_map(|place| Some((place, Arc::clone(self.window.at(place)?)))).collect()
    }

    fn take(&mut self, event: Event, out: &mut Vec<Command>) {
        match event {
            Event::Scrolled(place) => self.activate(place, out),
            Event::Step { by, ms } => self.step(by, ms, out),
            Event::GoTo { anchor, ms } => self.go_to(anchor, ms, out),
            Event::Settled => self.settle(out),
            Event::Answered { slice, ms } => self.answered(slice, ms, out),
            Event::Listed { videos, total, version } => self.listed(videos, total, version, out),
            Event::Refresh => self.ask_around(self.active, Question::Around, STEP, STEP, out),
            Event::FreshSeen => {
                if self.fresh.take().is_some() {
                    changed(out, Topic::Fresh);
                }
            }
        }
    }

    // Moving

    /// One reel on or back: from where the last step leads, which may not be held yet.
    fn step(&mut self, by: i32, ms: f64, out: &mut Vec<Command>) {
        let from = self.wanted.unwrap_or(self.active);
        let place = from.saturating_add_signed(by).min(self.window.total.saturating_sub(1));
        if self.wanted == Some(place) {
            // An end that is on its way.
            return;
        }
        if place == from || self.window.at(place).is_some() {
            self.request();
            self.go(place, ms, out);
            return;
        }
        // More steps only move the place that the question under way leads to.
        if self.wanted.is_none() {
            self.request();
            self.ask_to(Anchor::Place(place), self.requests, out);
        }
        self.wanted = Some(place);
    }

    /// To a place of the whole list, which may not be held yet.
    fn go_to(&mut self, anchor: Anchor, ms: f64, out: &mut Vec<Command>) {
        self.request();
        let place = match &anchor {
            Anchor::First => Some(0),
            Anchor::Last => Some(self.window.total.saturating_sub(1)),
            Anchor::Place(place) => Some(*place),
            Anchor::Id(id) | Anchor::Near(id, _) => self.window.place(id),
        };
        if let Some(place) = place.filter(|place| self.window.at(*place).is_some()) {
            self.go(place, ms, out);
            return;
        }
        let anchor = match anchor {
            // It may be gone: then that is said, and nobody is moved.
            Anchor::Id(id) => Anchor::Near(id, self.active),
            anchor => anchor,
        };
        self.ask_to(anchor, self.requests, out);
    }

    /// Somebody wants to go elsewhere: what was wanted before is wanted no longer.
    fn request(&mut self) {
        self.wanted = None;
        self.requests = self.requests.wrapping_add(1);
    }

    /// Goes to a place that is held; elsewhere, as beyond an end, the strip only springs back.
    fn go(&mut self, place: u32, ms: f64, out: &mut Vec<Command>) {
        if place != self.active && self.window.at(place).is_some() {
            self.travel = if place > self.active { 1 } else { -1 };
            let passing = ms - std::mem::replace(&mut self.moved_ms, ms) < PASSING_MS;
            self.activate(place, out);
            out.push(Command::Show { passing });
        }
        out.push(Command::Slide);
    }

    /// Makes a held channel the active one. Articles follow at once where it has none yet.
    fn activate(&mut self, place: u32, out: &mut Vec<Command>) {
        if self.active != place {
            self.active = place;
            changed(out, Topic::Active);
        }
        if self.middle.abs_diff(place) > 1 {
            self.middle = place;
            changed(out, Topic::Middle);
        }
    }

    /// The strip has come to rest: articles gather around the active channel, far channels are
    /// forgotten, near ends are asked for.
    fn settle(&mut self, out: &mut Vec<Command>) {
        if let Some((videos, total, version)) = self.newer.take() {
            self.listed(videos, total, version, out);
        }
        let active = self.active;
        if self.middle != active {
            self.middle = active;
            changed(out, Topic::Middle);
        }
        if self.newer.is_none() {
            self.set_last_time(false, out);
        }
        let (offset, end) = (self.window.offset, self.window.end());
        let (before, after) = (active.saturating_sub(offset), end.saturating_sub(active));
        if before.max(after) > KEEP + STEP {
            self.window.trim(active);
            changed(out, Topic::Window);
        }
        if end < self.window.total && after <= NEAR_END {
            self.ask_around(end.saturating_sub(1), Question::More, 0, STEP, out);
        } else if offset > 0 && before <= NEAR_END {
            self.ask_around(offset, Question::More, STEP, 0, out);
        }
        if self.steps().abs() > FAR {
            self.origin = active.cast_signed();
            changed(out, Topic::Origin);
            out.push(Command::Place);
        }
        out.push(Command::Rest);
    }

    // Asking

    /// Asks around a held channel, which may be gone by then. One question at a time: a second one is
    /// dropped, because the next settling asks again.
    fn ask_around(
        &mut self,
        place: u32,
        question: Question,
        before: u32,
        after: u32,
        out: &mut Vec<Command>,
    ) {
        if let Some(media) = self.window.at(place)
            && self.asking.is_none()
        {
            let anchor = Anchor::Near(media.id.clone(), place);
            self.ask(question, anchor, before, after, out);
        }
    }

    /// Asks for a part of the list that is not held, to go there: at once, or when the question under
    /// way has its answer, because somebody waits for it.
    fn ask_to(&mut self, anchor: Anchor, request: u32, out: &mut Vec<Command>) {
        if self.asking.is_some() {
            self.next = Some((anchor, request));
        } else if request == self.requests {
            self.ask(Question::To(anchor.clone(), request), anchor, STEP, STEP, out);
        }
    }

    fn ask(
        &mut self,
        question: Question,
        anchor: Anchor,
        before: u32,
        after: u32,
        out: &mut Vec<Command>,
    ) {
        self.asking = Some(question);
        changed(out, Topic::Asking);
        out.push(Command::Ask { anchor, before, after });
    }

    fn answered(&mut self, slice: Option<FeedSlice>, ms: f64, out: &mut Vec<Command>) {
        let question = self.asking.take();
        changed(out, Topic::Asking);
        match (question, slice) {
            (Some(Question::More), Some(slice)) if slice.version == self.window.version => {
                self.window.join(slice);
                changed(out, Topic::Window);
            }
            (Some(Question::To(_, request)), _) if request != self.requests => {}
            (Some(Question::To(anchor, _)), slice) => self.arrive(anchor, slice, ms, out),
            (question, Some(slice)) => {
                self.replace(slice, question == Some(Question::Around), out);
            }
            _ => {}
        }
        if let Some((anchor, request)) = self.next.take() {
            self.ask_to(anchor, request, out);
        }
    }

    /// The part of the list that somebody wants to go to has come, or has not.
    fn arrive(
        &mut self,
        anchor: Anchor,
        slice: Option<FeedSlice>,
        ms: f64,
        out: &mut Vec<Command>,
    ) {
        // More steps may have been asked for meanwhile.
        let wanted = self.wanted.take();
        let Some(slice) = slice else { return };
        let window = FeedWindow::of(slice);
        let last = window.end().saturating_sub(1);
        let place = match anchor {
            Anchor::Last => Some(last),
            Anchor::First => Some(window.offset),
            Anchor::Id(id) | Anchor::Near(id, _) => window.place(&id),
            Anchor::Place(place) => Some(place.min(last)),
        };
        let Some(place) = place else {
            self.missed += 1;
            changed(out, Topic::Missed);
            return;
        };
        // The strip stays where it is seen; the new reel lies next to the old one.
        let beside = self.steps() + if place > self.active { 1 } else { -1 };
        self.window = window;
        self.origin = place.cast_signed() - beside;
        changed(out, Topic::Window);
        changed(out, Topic::Origin);
        self.go(place, ms, out);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != place) {
            self.go_to(Anchor::Place(wanted), ms, out);
        }
    }

    // The list changes

    /// The list has another version, and these are its first channels in feed order: they are taken
    /// where that is the order of this feed and they hold the reel on screen; else the part around it
    /// is asked for.
    fn listed(&mut self, videos: Vec<Media>, total: u32, version: String, out: &mut Vec<Command>) {
        if version == self.window.version {
            return;
        }
        if total == 0 {
            // Nothing is left: the page says how to add something.
            out.push(Command::Leave);
            return;
        }
        self.newer = Some((videos.clone(), total, version.clone()));
        let order = self.order;
        if order == Order::Feed && videos.len() == total as usize {
            let slice = FeedSlice { items: videos, offset: 0, total, version, order };
            self.replace(slice, true, out);
        } else {
            self.ask_around(self.active, Question::Around, STEP, STEP, out);
        }
    }

    /// `slice` is a part of the list's new state, `around` the reel on screen or another one. Where
    /// the new state no longer holds that reel, the old state stays until it is left.
    fn replace(&mut self, slice: FeedSlice, around: bool, out: &mut Vec<Command>) {
        if slice.version == self.window.version {
            return;
        }
        let new = FeedWindow::of(slice);
        let current = self.window.at(self.active);
        if let Some(place) = current.and_then(|media| new.place(&media.id)) {
            self.newer = None;
            self.set_last_time(false, out);
            self.count_fresh(&new, out);
            self.origin += place.cast_signed() - self.active.cast_signed();
            self.window = new;
            self.active = place;
            self.middle = place;
            for topic in [Topic::Window, Topic::Active, Topic::Middle, Topic::Origin] {
                changed(out, topic);
            }
        } else if around || new.items.len() == new.total as usize {
            self.set_last_time(true, out);
        }
    }

    fn set_last_time(&mut self, last: bool, out: &mut Vec<Command>) {
        if self.last_time != last {
            self.last_time = last;
            changed(out, Topic::LastTime);
        }
    }

    /// Counts what is new in a list that is about to be taken.
    fn count_fresh(&mut self, new: &FeedWindow, out: &mut Vec<Command>) {
        let old = &self.window;
        let whole = old.items.len() == old.total as usize;
        let came = |media: &&Arc<Media>| whole && old.place(&media.id).is_none();
        let first = new.items.iter().find(came).map(|media| media.id.clone());
        let count = if whole {
            u32::try_from(new.items.iter().filter(came).count()).unwrap_or(u32::MAX)
        } else {
            new.total.saturating_sub(old.total)
        };
        if count > 0 {
            let (before, before_first) = self.fresh.take().unwrap_or_default();
            self.fresh = Some((before.saturating_add(count), before_first.or(first)));
            changed(out, Topic::Fresh);
        }
    }
}
