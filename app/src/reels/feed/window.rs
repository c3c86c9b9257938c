//! The part of the list that the page holds: windows are joined to it, what is far is forgotten.

use std::sync::Arc;

use crate::catalog::{ChannelId, FeedSlice, Media};

/// Channels kept on each side of the active one; the rest is asked for again when it comes near.
pub(super) const KEEP: u32 = 150;

/// The held part of the list.
#[derive(Clone, Debug, Default)]
pub(super) struct FeedWindow {
    pub(super) items: Vec<Arc<Media>>,
    pub(super) offset: u32,
    pub(super) total: u32,
    pub(super) version: String,
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
mod tests {
    use std::sync::Arc;

    use super::FeedWindow;
    use crate::catalog::{ChannelId, FeedSlice, Kind, Media, Order, Source};

    fn media(n: u32) -> Option<Media> {
        Some(Media {
            id: ChannelId::parse(&format!("c{n}")).ok()?,
            title: String::new(),
            description: None,
            kind: Kind::Video,
            source: Source::Local,
            url: String::new(),
            mime: String::new(),
            duration_s: None,
            width: None,
            height: None,
            poster: None,
            thumbhash: None,
            waveform: None,
            subtitles: vec![],
            storyboard: None,
            live: false,
            available: true,
            tags: vec![],
            updated_at: 0,
            order: None,
            format: None,
        })
    }

    fn window(from: u32, to: u32, version: &str) -> FeedSlice {
        FeedSlice {
            items: (from..to).filter_map(media).collect(),
            offset: from,
            total: 1000,
            version: version.into(),
            order: Order::Feed,
        }
    }

    fn check(strip: &FeedWindow, from: u32, to: u32) {
        assert_eq!((strip.offset, strip.end()), (from, to));
        for place in from..to {
            let id = strip.at(place).map(|media: &Arc<Media>| media.id.to_string());
            assert_eq!(id, Some(format!("c{place}")));
        }
    }

    #[test]
    fn windows_join_where_they_touch() {
        let mut strip = FeedWindow::of(window(10, 20, "a"));
        strip.join(window(19, 30, "a"));
        check(&strip, 10, 30);
        strip.join(window(5, 11, "a"));
        check(&strip, 5, 30);
        strip.join(window(12, 14, "a"));
        check(&strip, 5, 30);
        strip.join(window(100, 110, "a"));
        check(&strip, 100, 110);
        strip.join(window(90, 101, "b"));
        check(&strip, 90, 101);
    }

    #[test]
    fn what_is_far_is_forgotten() {
        let mut strip = FeedWindow::of(window(0, 800, "a"));
        strip.trim(400);
        check(&strip, 250, 550);
        strip.trim(260);
        check(&strip, 250, 410);
    }
}
