//! What views follow: values that tell when they change, and things that the browser holds.
//!
//! Leptos' `RwSignal<T>` is compiled anew for every `T`. These keep all their values in one kind of
//! arena slot, so that a type costs no more than the reading of it; what tracks them is the reactive
//! graph of Leptos.

mod signal;

use std::{
    any::Any,
    cell::{Ref, RefCell, RefMut},
    marker::PhantomData,
    rc::Rc,
};

use leptos::prelude::*;
use send_wrapper::SendWrapper;

/// The slot of one value.
struct Slot {
    changed: ArcTrigger,
    value: RefCell<Box<dyn Any>>,
}

/// Where the slot lies; it goes with the owner that made it.
#[derive(Clone, Copy)]
struct Handle(StoredValue<SendWrapper<Rc<Slot>>>);

impl Handle {
    #[inline(never)]
    fn new(value: Box<dyn Any>) -> Self {
        let slot = Slot { changed: ArcTrigger::new(), value: RefCell::new(value) };
        Self(StoredValue::new(SendWrapper::new(Rc::new(slot))))
    }

    #[inline(never)]
    fn slot(self) -> Rc<Slot> {
        self.0.with_value(|slot| Rc::clone(slot))
    }

    /// The slot, unless its owner is gone.
    fn try_slot(self) -> Option<Rc<Slot>> {
        self.0.try_with_value(|slot| Rc::clone(slot))
    }

    #[inline(never)]
    fn tracked(self) -> Rc<Slot> {
        let slot = self.slot();
        slot.changed.track();
        slot
    }
}

impl Slot {
    fn read<T: 'static>(&self) -> Ref<'_, T> {
        Ref::map(self.value.borrow(), |value| {
            value.downcast_ref().unwrap_or_else(|| another_type())
        })
    }

    fn write<T: 'static>(&self) -> RefMut<'_, T> {
        RefMut::map(self.value.borrow_mut(), |value| {
            value.downcast_mut().unwrap_or_else(|| another_type())
        })
    }
}

// Once for all types: each of them would carry the words.
#[cold]
#[inline(never)]
fn another_type() -> ! {
    unreachable!("a slot keeps its type")
}

/// A value that tells when it changes; a cheap handle. Made in the browser only. A signal to Leptos
/// (`value/signal.rs`); its own methods come first, and cost less than those of the traits.
pub struct Value<T: 'static>(Handle, PhantomData<fn() -> T>);

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Value<T> {}

impl<T: 'static> Value<T> {
    /// Begins with `value`.
    pub fn new(value: T) -> Self {
        Self(Handle::new(Box::new(value)), PhantomData)
    }

    /// Reads it where it lies. Tracked. It may not be written meanwhile.
    pub fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.0.tracked().read())
    }

    /// The same, untracked.
    pub fn with_untracked<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.0.slot().read())
    }

    /// Follows it without reading it.
    pub fn track(&self) {
        drop(self.0.tracked());
    }

    /// Replaces it and tells.
    pub fn set(&self, value: T) {
        let slot = self.0.slot();
        *slot.write() = value;
        slot.changed.notify();
    }

    /// Changes it where it lies, and tells.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let slot = self.0.slot();
        let result = change(&mut slot.write());
        slot.changed.notify();
        result
    }

    /// Changes it where it lies, and tells nobody.
    pub fn update_untracked<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.slot().write())
    }
}

impl<T: PartialEq + 'static> Value<T> {
    /// Replaces it, and tells if that is another value.
    pub fn replace(&self, value: T) {
        if self.with_untracked(|now| *now != value) {
            self.set(value);
        }
    }
}

impl<T: Clone + 'static> Value<T> {
    /// A clone of it. Tracked.
    pub fn get(&self) -> T {
        self.with(Clone::clone)
    }

    /// The same, untracked.
    pub fn get_untracked(&self) -> T {
        self.with_untracked(Clone::clone)
    }
}

impl<T: Default + 'static> Default for Value<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// What views follow of a state that is more than one value: each topic tells by itself that it has
/// changed.
#[derive(Clone, Copy)]
pub(crate) struct Topics(Value<Vec<ArcTrigger>>);

impl Topics {
    /// So many topics, told apart by their number.
    pub(crate) fn new(count: usize) -> Self {
        Self(Value::new((0..count).map(|_| ArcTrigger::new()).collect()))
    }

    /// Whoever runs now runs again when this topic has changed.
    #[inline(never)]
    pub(crate) fn track(self, topic: usize) {
        self.trigger(topic).track();
    }

    /// This topic has changed.
    #[inline(never)]
    pub(crate) fn notify(self, topic: usize) {
        self.trigger(topic).notify();
    }

    fn trigger(self, topic: usize) -> ArcTrigger {
        self.0.with_untracked(|triggers| triggers[topic].clone())
    }
}

/// What the page owns in the browser: a timer, a socket. Dropped when something else is held, or with its owner.
pub(crate) struct Owned<T: 'static>(Value<Option<T>>);

impl<T> Clone for Owned<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Owned<T> {}

impl<T: Clone> Owned<T> {
    /// Holds nothing yet.
    pub(crate) fn new() -> Self {
        Self(Value::new(None))
    }

    /// Puts something in, dropping what was there.
    pub(crate) fn set(&self, value: T) {
        let before = self.0.update_untracked(|held| held.replace(value));
        drop(before);
    }

    /// Takes it out again.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.update_untracked(Option::take)
    }

    /// What is held now; a clone, so that nothing is borrowed while it is used.
    pub(crate) fn get(&self) -> Option<T> {
        self.0.get_untracked()
    }
}
