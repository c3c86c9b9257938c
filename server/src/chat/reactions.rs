//! The reactions at each reel: how many likes stand, and the last moments, for whoever comes later.

use std::collections::{HashMap, VecDeque};

use app::{catalog::ChannelId, websocket::Moment};

use super::reaction::ReactionKind;

/// Moments kept of each reel.
const MOMENTS_MAX: usize = 200;

/// Reels remembered; beyond, a tenth of them go, those longest without a feeling first.
const REELS_MAX: usize = 10_000;

/// A moment of a reel in tenths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tenths(u32);

impl Tenths {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    pub(super) fn of(seconds: f64) -> Self {
        Self((seconds * 10.0).round() as u32)
    }

    fn seconds(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

/// The reactions at one reel.
#[derive(Debug, Default)]
pub(super) struct ReelReactions {
    pub(super) likes: u32,
    moments: VecDeque<(ReactionKind, Tenths)>,
    /// Larger where somebody reacted later.
    touched: u64,
}

impl ReelReactions {
    /// As they are told, the oldest first.
    pub(super) fn moments(&self) -> Vec<Moment> {
        let moment = |(kind, at): &(ReactionKind, Tenths)| Moment {
            kind: kind.as_str().to_owned(),
            at_s: at.seconds(),
        };
        self.moments.iter().map(moment).collect()
    }
}

/// The reactions at all reels.
#[derive(Debug, Default)]
pub(super) struct ReactionStore {
    reels: HashMap<ChannelId, ReelReactions>,
    touches: u64,
}

impl ReactionStore {
    pub(super) fn of(&self, channel: &ChannelId) -> Option<&ReelReactions> {
        self.reels.get(channel)
    }

    /// Somebody reacts; answers the likes that stand now.
    pub(super) fn add(&mut self, kind: ReactionKind, channel: &ChannelId, at: Tenths) -> u32 {
        if self.reels.len() >= REELS_MAX && !self.reels.contains_key(channel) {
            self.forget_some();
        }
        self.touches += 1;
        let reactions = self.reels.entry(channel.clone()).or_default();
        reactions.touched = self.touches;
        if reactions.moments.len() == MOMENTS_MAX {
            reactions.moments.pop_front();
        }
        reactions.moments.push_back((kind, at));
        if kind == ReactionKind::Like {
            reactions.likes = reactions.likes.saturating_add(1);
        }
        reactions.likes
    }

    /// A like is taken back, and its moment with it. Who gave it is not remembered: of equal
    /// moments the newest goes.
    pub(super) fn take_back(&mut self, channel: &ChannelId, at: Tenths) -> u32 {
        let Some(reactions) = self.reels.get_mut(channel) else { return 0 };
        reactions.likes = reactions.likes.saturating_sub(1);
        if let Some(n) =
            reactions.moments.iter().rposition(|reactions| *reactions == (ReactionKind::Like, at))
        {
            reactions.moments.remove(n);
        }
        reactions.likes
    }

    fn forget_some(&mut self) {
        let mut touched: Vec<u64> =
            self.reels.values().map(|reactions| reactions.touched).collect();
        touched.sort_unstable();
        let oldest = touched.get(REELS_MAX / 10).copied().unwrap_or_default();
        self.reels.retain(|_, reactions| reactions.touched >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use app::catalog::ChannelId;

    use super::{MOMENTS_MAX, REELS_MAX, ReactionKind, ReactionStore, Tenths};

    fn id(number: usize) -> ChannelId {
        ChannelId::parse(&format!("canal{number}")).expect("an id")
    }

    #[test]
    fn a_like_taken_back_takes_its_moment() {
        let mut store = ReactionStore::default();
        for (kind, at_s) in
            [(ReactionKind::Like, 1.04), (ReactionKind::Fire, 1.0), (ReactionKind::Like, 2.0)]
        {
            store.add(kind, &id(1), Tenths::of(at_s));
        }
        assert_eq!(store.take_back(&id(1), Tenths::of(0.96)), 1);
        let reactions = store.of(&id(1)).expect("reactions");
        let told: Vec<_> = reactions.moments().into_iter().map(|m| (m.kind, m.at_s)).collect();
        assert_eq!(told, [("fire".to_owned(), 1.0), ("like".to_owned(), 2.0)]);
        assert_eq!(store.take_back(&id(2), Tenths::of(0.0)), 0);
    }

    #[test]
    fn moments_and_reels_are_bounded() {
        let mut store = ReactionStore::default();
        for n in 0..MOMENTS_MAX + 50 {
            store.add(ReactionKind::Clap, &id(0), Tenths::of(n as f64));
        }
        let moments = store.of(&id(0)).expect("reactions").moments();
        assert_eq!((moments.len(), moments[0].at_s), (MOMENTS_MAX, 50.0));
        for n in 0..REELS_MAX + 50 {
            store.add(ReactionKind::Like, &id(n), Tenths::of(f64::MAX));
        }
        assert!(store.reels.len() <= REELS_MAX, "{}", store.reels.len());
        assert!(store.of(&id(REELS_MAX + 49)).is_some());
        assert!(store.of(&id(0)).is_none());
    }
}
