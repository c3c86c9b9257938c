//! When a live channel of a bucket was looked at last, and since when somebody follows it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// When a channel of a store was looked at last, and since when somebody follows it.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    at: watch::Receiver<Instant>,
    followed: Arc<Mutex<Option<Followed>>>,
}

/// Somebody asks again and again.
#[derive(Clone, Copy, Debug)]
struct Followed {
    since: Instant,
    last: Instant,
}

impl Looked {
    /// As `at` tells; nobody follows it yet.
    pub(crate) fn new(at: watch::Receiver<Instant>) -> Self {
        Self { at, followed: Arc::default() }
    }

    /// How long ago that was.
    pub(crate) fn age(&self) -> Duration {
        self.at.borrow().elapsed()
    }

    /// Somebody asks now; answers for how long that has been going on, with no longer `pause`.
    pub(crate) fn follow(&self, pause: Duration) -> Duration {
        let now = Instant::now();
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = followed.filter(|followed| now.duration_since(followed.last) < pause);
        let since = before.map_or(now, |before| before.since);
        *followed = Some(Followed { since, last: now });
        now.duration_since(since)
    }

    /// Waits for the next look.
    pub(crate) async fn next(&self) -> Option<()> {
        let mut at = self.at.clone();
        at.mark_unchanged();
        at.changed().await.ok()
    }
}
