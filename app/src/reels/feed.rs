//! The feed as views see it: a contiguous part of the list, the active channel, and how both follow
//! when the list changes. What happens is decided in `feed/state.rs`.

pub(crate) mod state;
pub(crate) mod window;

use std::{ops::Range, rc::Rc, sync::Arc};

use leptos::{prelude::*, task::spawn_local};

use self::state::{Command, Event, State, Topic, step};
use crate::{
    catalog::{self, Anchor, ChannelId, FeedSlice, Media},
    dom::now_ms,
    value::{Owned, Topics, Value},
};

/// Articles on each side of the one in the middle.
const ARTICLES: u32 = 2;

/// Places that have an article in the document, around the one in the middle.
pub(crate) fn articles_around(middle: u32) -> Range<u32> {
    middle.saturating_sub(ARTICLES)..middle.saturating_add(ARTICLES + 1)
}

/// Moves the strip and the player.
type Performer = dyn Fn(Command);

/// The list and the active channel; a cheap handle.
#[derive(Clone, Copy)]
pub struct Feed {
    state: Value<State>,
    topics: Topics,
    performer: Owned<Rc<Performer>>,
}

impl Feed {
    /// Starts from what the server found.
    pub fn new(slice: FeedSlice, active: u32) -> Self {
        Self {
            state: Value::new(State::new(slice, active)),
            topics: Topics::new(Topic::Fresh as usize + 1),
            performer: Owned::new(),
        }
    }

    /// Whoever moves strip and player performs what is decided here.
    pub(crate) fn on_command(&self, perform: impl Fn(Command) + 'static) {
        self.performer.set(Rc::new(perform));
    }

    /// Something has happened.
    pub(crate) fn dispatch(&self, event: Event) {
        for command in self.state.update_untracked(|state| step(state, event)) {
            match command {
                Command::Changed(topic) => self.topics.notify(topic as usize),
                Command::Ask { anchor, before, after } => self.ask(anchor, before, after),
                Command::Leave => drop(window().location().set_href("/")),
                command => {
                    if let Some(perform) = self.performer.get() {
                        perform(command);
                    }
                }
            }
        }
    }

    fn ask(&self, anchor: Anchor, before: u32, after: u32) {
        let feed = *self;
        let order = self.now(|state| state.order);
        spawn_local(async move {
            let slice = catalog::ask(order, &anchor, before, after).await;
            feed.dispatch(Event::Answered { slice, ms: now_ms() });
        });
    }

    /// Reads the state. Untracked.
    pub(crate) fn now<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        self.state.with_untracked(read)
    }

    /// Reads the state, and follows these topics of it.
    fn follow<R>(&self, topics: &[Topic], read: impl FnOnce(&State) -> R) -> R {
        self.track(topics);
        self.state.with_untracked(read)
    }

    #[inline(never)]
    fn track(&self, topics: &[Topic]) {
        for topic in topics {
            self.topics.track(*topic as usize);
        }
    }

    /// Place of the active channel in the whole list, from 0. Tracked.
    pub fn active(&self) -> u32 {
        self.follow(&[Topic::Active], |state| state.active)
    }

    /// The same, untracked.
    pub fn active_now(&self) -> u32 {
        self.now(|state| state.active)
    }

    /// The active channel. Tracked.
    pub fn active_media(&self) -> Option<Arc<Media>> {
        self.follow(&[Topic::Active, Topic::Window], |state| state.window.at(state.active).cloned())
    }

    /// The channel where the strip came to rest last. Tracked.
    pub fn rested_media(&self) -> Option<Arc<Media>> {
        self.follow(&[Topic::Middle, Topic::Window], |state| state.window.at(state.middle).cloned())
    }

    /// The channel at a place, if it is held. Untracked.
    pub fn media_at(&self, place: u32) -> Option<Arc<Media>> {
        self.now(|state| state.window.at(place).cloned())
    }

    /// How many channels the whole list has. Tracked.
    pub fn total(&self) -> u32 {
        self.follow(&[Topic::Window], |state| state.window.total)
    }

    /// The same, untracked.
    pub fn total_now(&self) -> u32 {
        self.now(|state| state.window.total)
    }

    /// The state of the list that is held.
    pub fn version(&self) -> String {
        self.now(|state| state.window.version.clone())
    }

    /// Place of a channel. Tracked.
    pub fn place(&self, id: &ChannelId) -> Option<u32> {
        self.follow(&[Topic::Window], |state| state.window.place(id))
    }

    /// Place of a channel given by its name. Untracked.
    pub fn place_of(&self, id: &str) -> Option<u32> {
        let id = ChannelId::parse(id).ok()?;
        self.now(|state| state.window.place(&id))
    }

    /// Places of a place from the strip's origin. Tracked.
    pub fn steps_to(&self, place: u32) -> i32 {
        place.cast_signed() - self.follow(&[Topic::Origin], |state| state.origin)
    }

    /// Places of the active channel from the strip's origin. Untracked.
    pub fn steps(&self) -> i32 {
        self.now(State::steps)
    }

    /// The channels that have an article in the document, each with its place. Tracked.
    pub fn articles(&self) -> Vec<(u32, Arc<Media>)> {
        self.follow(&[Topic::Middle, Topic::Window], State::articles)
    }

    /// Channels at these places, as far as they are held, each with its place. Tracked.
    pub fn held(&self, places: Range<u32>) -> Vec<(u32, Arc<Media>)> {
        self.follow(&[Topic::Window], |state| state.held(places))
    }

    /// Whether a part of the list is on its way. Tracked.
    pub(crate) fn is_asking(&self) -> bool {
        self.follow(&[Topic::Asking], State::is_asking)
    }

    /// How often somebody went to a channel that was gone. Tracked.
    pub(crate) fn missed(&self) -> u32 {
        self.follow(&[Topic::Missed], |state| state.missed)
    }

    /// Whether the reel on screen has been taken out of the list. Tracked.
    pub(crate) fn last_time(&self) -> bool {
        self.follow(&[Topic::LastTime], |state| state.last_time)
    }

    /// What came since one last looked. Tracked.
    pub(crate) fn fresh(&self) -> Option<(u32, Option<ChannelId>)> {
        self.follow(&[Topic::Fresh], |state| state.fresh.clone())
    }
}
