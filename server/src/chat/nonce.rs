//! A sender's own marks: what was said under a mark is not said twice within a minute.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::history::StoredMessage;

/// How long a repeat is recognised.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Marks remembered of one person; beyond, the oldest is forgotten before its minute is over. At
/// the default rate a person says 35 things in a minute.
const NONCES_MAX: usize = 64;

/// One person's marks of the last minute.
#[derive(Debug, Default)]
pub(super) struct RecentNonces(VecDeque<(Instant, Box<str>, Arc<StoredMessage>)>);

impl RecentNonces {
    /// The most characters of a mark.
    pub(super) const MAX_CHARS: usize = 36;

    /// What was said under this mark within the last minute.
    pub(super) fn said(&mut self, nonce: &str, now: Instant) -> Option<Arc<StoredMessage>> {
        while self.0.front().is_some_and(|(at, _, _)| now.duration_since(*at) >= REMEMBERED) {
            self.0.pop_front();
        }
        self.0.iter().find(|(_, mark, _)| **mark == *nonce).map(|(_, _, said)| said.clone())
    }

    /// Remembers a mark.
    pub(super) fn remember(&mut self, nonce: &str, said: Arc<StoredMessage>, now: Instant) {
        if self.0.len() == NONCES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((now, nonce.into(), said));
    }
}
