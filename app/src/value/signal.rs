//! [`Value`] is a signal to Leptos: whatever takes one by the traits of the reactive graph takes it too.
//! `Read` and `Write` are not among them: their guards would borrow from a slot that they hold.

use std::panic::Location;

use leptos::prelude::{
    DefinedAt, IsDisposed, Notify, Track, Update, UpdateUntracked, With, WithUntracked,
};

use super::Value;

impl<T: 'static> DefinedAt for Value<T> {
    fn defined_at(&self) -> Option<&'static Location<'static>> {
        None
    }
}

impl<T: 'static> IsDisposed for Value<T> {
    fn is_disposed(&self) -> bool {
        self.0.try_slot().is_none()
    }
}

impl<T: 'static> Track for Value<T> {
    fn track(&self) {
        if let Some(slot) = self.0.try_slot() {
            slot.changed.track();
        }
    }
}

impl<T: 'static> Notify for Value<T> {
    fn notify(&self) {
        if let Some(slot) = self.0.try_slot() {
            slot.changed.notify();
        }
    }
}

impl<T: 'static> WithUntracked for Value<T> {
    type Value = T;

    fn try_with_untracked<U>(&self, read: impl FnOnce(&T) -> U) -> Option<U> {
        let slot = self.0.try_slot()?;
        Some(read(&slot.read()))
    }
}

impl<T: 'static> With for Value<T> {
    type Value = T;

    fn try_with<U>(&self, read: impl FnOnce(&T) -> U) -> Option<U> {
        Track::track(self);
        self.try_with_untracked(read)
    }
}

impl<T: 'static> UpdateUntracked for Value<T> {
    type Value = T;

    fn try_update_untracked<U>(&self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        let slot = self.0.try_slot()?;
        Some(change(&mut slot.write()))
    }
}

impl<T: 'static> Update for Value<T> {
    type Value = T;

    fn try_maybe_update<U>(&self, change: impl FnOnce(&mut T) -> (bool, U)) -> Option<U> {
        let (changed, result) = self.try_update_untracked(change)?;
        if changed {
            self.notify();
        }
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use leptos::prelude::{Get, GetUntracked, IsDisposed, Memo, Owner, Set, Update};

    use super::Value;

    /// Only what every signal of Leptos can do.
    fn add<S>(signal: &S, more: u32) -> u32
    where
        S: GetUntracked<Value = u32> + Set<Value = u32> + Update<Value = u32>,
    {
        signal.set(signal.get_untracked() + more);
        signal.update(|number| *number += more);
        signal.get_untracked()
    }

    #[test]
    fn what_takes_a_signal_takes_a_value() {
        let owner = Owner::new();
        let value = owner.with(|| {
            let value = Value::new(1_u32);
            assert_eq!(add(&value, 2), 5);
            let doubled = Memo::new(move |_| Get::get(&value) * 2);
            assert_eq!(doubled.get_untracked(), 10);
            // Both ways of setting it tell those who follow.
            Set::set(&value, 7);
            assert_eq!(doubled.get_untracked(), 14);
            value.set(8);
            assert_eq!(doubled.get_untracked(), 16);
            value
        });
        assert!(!value.is_disposed());
        owner.cleanup();
        assert!(value.is_disposed());
        assert_eq!(Get::try_get(&value), None);
    }
}
