//! Slices join, and what is far is forgotten.

use std::sync::Arc;

use super::FeedWindow;
use crate::catalog::{ChannelId, FeedSlice, Kind, Media, Order, Source};

/// The channel `c` and its number.
pub(crate) fn media(n: u32) -> Option<Media> {
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

/// The channels from one to before another, of a list of a thousand.
pub(crate) fn slice(from: u32, to: u32, version: &str) -> FeedSlice {
    FeedSlice {
        items: (from..to).filter_map(media).collect(),
        offset: from,
        total: 1000,
        version: version.into(),
        order: Order::Feed,
    }
}

fn check(window: &FeedWindow, from: u32, to: u32) {
    assert_eq!((window.offset, window.end()), (from, to));
    for place in from..to {
        let id = window.at(place).map(|media: &Arc<Media>| media.id.to_string());
        assert_eq!(id, Some(format!("c{place}")));
    }
}

#[test]
fn windows_join_where_they_touch() {
    let mut window = FeedWindow::of(slice(10, 20, "a"));
    window.join(slice(19, 30, "a"));
    check(&window, 10, 30);
    window.join(slice(5, 11, "a"));
    check(&window, 5, 30);
    window.join(slice(12, 14, "a"));
    check(&window, 5, 30);
    window.join(slice(100, 110, "a"));
    check(&window, 100, 110);
    window.join(slice(90, 101, "b"));
    check(&window, 90, 101);
}

#[test]
fn what_is_far_is_forgotten() {
    let mut window = FeedWindow::of(slice(0, 800, "a"));
    window.trim(400);
    check(&window, 250, 550);
    window.trim(260);
    check(&window, 250, 410);
}
