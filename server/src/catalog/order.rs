//! The list in another order than the feed's: computed once for each state of the list, shuffles
//! for the few seeds that were asked for last.

use std::{
    cmp::Reverse,
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use app::catalog::{Media, Order};

/// Shuffles that are kept; one more drops the one that was asked for longest ago.
const SHUFFLES_MAX: usize = 8;

/// The orders of one state of the list.
#[derive(Debug, Default)]
pub(super) struct Orders {
    feed: OnceLock<Arc<Places>>,
    newest: OnceLock<Arc<Places>>,
    shuffles: Mutex<VecDeque<(u32, Arc<Places>)>>,
}

/// One order: which channel of the feed has which place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// Feed indexes, by place.
    order: Vec<u32>,
    /// Places, by feed index.
    place: Vec<u32>,
}

impl Orders {
    /// The channels of `media`, which is in feed order, put into `order`.
    pub(super) fn places(&self, media: &[Arc<Media>], order: Order) -> Arc<Places> {
        match order {
            Order::Feed => self.feed.get_or_init(|| Places::by(media, |_| ())).clone(),
            Order::Newest => {
                let newest = || Places::by(media, |media| Reverse(media.updated_at));
                self.newest.get_or_init(newest).clone()
            }
            Order::Shuffle(seed) => self.shuffle(media, seed),
        }
    }

    fn shuffle(&self, media: &[Arc<Media>], seed: u32) -> Arc<Places> {
        let kept = || self.shuffles.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut kept = kept();
            if let Some(at) = kept.iter().position(|(known, _)| *known == seed)
                && let Some(found) = kept.remove(at)
            {
                let places = found.1.clone();
                kept.push_back(found);
                return places;
            }
        }
        let places = Places::by(media, |media| lot(seed, media.id.as_str()));
        let mut kept = kept();
        kept.push_back((seed, places.clone()));
        if kept.len() > SHUFFLES_MAX {
            kept.pop_front();
        }
        places
    }
}

impl Places {
    /// Sorted by a key, ties in feed order.
    fn by<K: Ord>(media: &[Arc<Media>], key: impl Fn(&Media) -> K) -> Arc<Self> {
        let mut keyed: Vec<(K, u32)> = (0..).zip(media).map(|(n, m)| (key(m), n)).collect();
        keyed.sort_unstable();
        let order: Vec<u32> = keyed.into_iter().map(|(_, n)| n).collect();
        let mut place = vec![0; order.len()];
        for (at, n) in (0..).zip(&order) {
            place[*n as usize] = at;
        }
        Arc::new(Self { order, place })
    }

    /// Feed indexes, by place.
    pub(crate) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Place of the channel with this feed index.
    pub(crate) fn place(&self, index: usize) -> Option<usize> {
        self.place.get(index).map(|place| *place as usize)
    }
}

/// The lot that an id draws: FNV-1a over seed and id, finished as in SplitMix64. A channel keeps its
/// lot when others come and go.
fn lot(seed: u32, id: &str) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for byte in seed.to_le_bytes().into_iter().chain(id.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::lot;

    #[test]
    fn lots_differ_by_seed_and_by_id() {
        assert_eq!(lot(1, "a"), lot(1, "a"));
        assert_ne!(lot(1, "a"), lot(2, "a"));
        assert_ne!(lot(1, "a"), lot(1, "b"));
    }
}
