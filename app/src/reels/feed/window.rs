//! The part of the list that the page holds: slices are joined to it, what is far is forgotten.

use std::sync::Arc;

use crate::catalog::{ChannelId, FeedSlice, Media};

/// Channels kept on each side of the active one; the rest is asked for again when it comes near.
pub(super) const KEEP: u32 = 150;

/// The held part of the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct FeedWindow {
    pub(crate) items: Vec<Arc<Media>>,
    pub(crate) offset: u32,
    pub(crate) total: u32,
    pub(crate) version: String,
}

impl FeedWindow {
    pub(super) fn of(slice: FeedSlice) -> Self {
        Self {
            items: slice.items.into_iter().map(Arc::new).collect(),
            offset: slice.offset,
            total: slice.total,
            version: slice.version,
        }
    }

    pub(super) fn end(&self) -> u32 {
        self.offset + u32::try_from(self.items.len()).unwrap_or(0)
    }

    pub(super) fn at(&self, place: u32) -> Option<&Arc<Media>> {
        self.items.get(usize::try_from(place.checked_sub(self.offset)?).ok()?)
    }

    pub(super) fn place(&self, id: &ChannelId) -> Option<u32> {
        let n = self.items.iter().position(|media| media.id == *id)?;
        Some(self.offset + u32::try_from(n).ok()?)
    }

    /// Joins a slice that touches or overlaps this one; one that does neither replaces it.
    pub(super) fn join(&mut self, slice: FeedSlice) {
        let new = Self::of(slice);
        let same_list = new.version == self.version && new.total == self.total;
        if !same_list || new.offset > self.end() || new.end() < self.offset {
            *self = new;
        } else if new.offset < self.offset {
            let missing = (self.offset - new.offset) as usize;
            self.items.splice(0..0, new.items.into_iter().take(missing));
            self.offset = new.offset;
        } else {
            let known = (self.end() - new.offset) as usize;
            self.items.extend(new.items.into_iter().skip(known));
        }
    }

    /// Forgets what is far from `place`.
    pub(super) fn trim(&mut self, place: u32) {
        let first = place.saturating_sub(KEEP).max(self.offset);
        let end = (place + KEEP).min(self.end());
        if first > self.offset || end < self.end() {
            self.items.truncate((end - self.offset) as usize);
            self.items.drain(..(first - self.offset) as usize);
            self.offset = first;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
