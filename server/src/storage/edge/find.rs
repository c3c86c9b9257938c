//! Objects that no list tells of: what each is now is asked once, whoever else wants to know, and
//! the answer's bytes are the first of the piece that everybody waits for.

use std::{
    collections::hash_map::Entry,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout};

use super::{Edge, Inner, PATIENCE, fetch, fill::Fill, piece::Cut};
use crate::storage::{Found, StoreError};

/// What was found is believed for so long without asking again.
const BELIEVED: Duration = Duration::from_secs(60);

/// What was found of an object, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    found: Found,
    at: Instant,
}

impl Known {
    fn is_fresh(self) -> bool {
        self.found.lasting || self.at.elapsed() < BELIEVED
    }
}

/// A question on its way.
pub(super) type Search = watch::Receiver<Option<Result<Found, StoreError>>>;

/// An object, and which of those that had its address one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    key: String,
    turn: u64,
}

impl Edge {
    /// What an object is that no list tells of. `turn` tells those apart that have one address after
    /// the other. Fails within two seconds where it is not known and the store does not say.
    pub async fn find(&self, key: &str, turn: u64) -> Result<Found, StoreError> {
        let wanted = Wanted { key: key.to_owned(), turn };
        let known = self.0.known.get(&wanted);
        if let Some(known) = known {
            if known.is_fresh() {
                return Ok(known.found);
            }
            // What is kept need not wait for word that it is still the same.
            if self.holds(key, known.found) {
                self.look_again(wanted);
                return Ok(known.found);
            }
        }
        if let Some(wait) = self.0.breaker(key).wait() {
            let seconds = wait.as_secs_f32().ceil();
            return Err(StoreError::Away(format!("it is left alone for another {seconds} s")));
        }
        let mut search = self.search(wanted, false);
        let ended = timeout(PATIENCE, search.wait_for(Option::is_some)).await;
        let away = |why: &str| Err(StoreError::Away(why.to_owned()));
        match ended {
            Ok(Ok(found)) => found.clone().unwrap_or_else(|| away("nobody asks any more")),
            Ok(Err(_)) => away("nobody asks any more"),
            Err(_) => away("it does not answer in time"),
        }
    }

    /// What was found of an object turned out to be wrong: who wants it asks anew.
    pub fn doubt(&self, key: &str, turn: u64) {
        self.0.known.invalidate(&Wanted { key: key.to_owned(), turn });
    }

    /// What an object is now, asked anew; its bytes are not fetched.
    pub async fn look(&self, key: &str) -> Result<Found, StoreError> {
        let wanted = Wanted { key: key.to_owned(), turn: 0 };
        let found = self.ask(&wanted, true).await;
        self.0.note(&wanted, &found);
        found
    }

    /// Fetches the beginning of an object that somebody will likely ask for next, if little else is
    /// going on.
    pub fn find_ahead(&self, key: &str, turn: u64) {
        let wanted = Wanted { key: key.to_owned(), turn };
        if self.0.known.get(&wanted).is_some_and(Known::is_fresh) {
            return;
        }
        let Ok(permit) = self.0.ahead.clone().try_acquire_owned() else { return };
        if self.0.breaker(key).wait().is_some() {
            return;
        }
        let mut search = self.search(wanted, false);
        tokio::spawn(async move {
            // The permit stands for the question; the bytes are one fetch among others.
            let _ = search.wait_for(Option::is_some).await;
            drop(permit);
        });
    }

    /// Whether all of an object is kept.
    fn holds(&self, key: &str, found: Found) -> bool {
        Cut::of(self.name(), key, found.stamp).all().all(|piece| self.0.shelf.holds(piece))
    }

    fn look_again(&self, wanted: Wanted) {
        if self.0.breaker(&wanted.key).wait().is_none() {
            drop(self.search(wanted, true));
        }
    }

    /// The question on its way; if nobody asks yet, somebody does now. `heads` alone are asked for
    /// where the bytes are kept.
    fn search(&self, wanted: Wanted, heads: bool) -> Search {
        let mut searches = self.0.searches();
        // One that ended without a word is none.
        if let Some(search) = searches.get(&wanted).filter(|search| search.has_changed().is_ok()) {
            return search.clone();
        }
        let (tell, search) = watch::channel(None);
        searches.insert(wanted.clone(), search.clone());
        drop(searches);
        let edge = self.clone();
        tokio::spawn(async move {
            let inner = &edge.0;
            let stopped = || Err(StoreError::Away("this server stops".into()));
            let found = tokio::select! {
                () = inner.stop.cancelled() => stopped(),
                found = edge.ask(&wanted, heads) => found,
            };
            inner.note(&wanted, &found);
            inner.searches().remove(&wanted);
            tell.send_replace(Some(found));
        });
        search
    }

    async fn ask(&self, wanted: &Wanted, heads: bool) -> Result<Found, StoreError> {
        let (inner, key) = (&self.0, &wanted.key);
        if heads {
            return inner
                .patiently(key, || inner.store.look(key))
                .await
                .map(|found| wanted.told(found));
        }
        let (found, content) = inner.patiently(key, || inner.store.find(key)).await?;
        let found = wanted.told(found);
        let first = Cut::of(self.name(), key, found.stamp).all().next();
        if let Some(piece) = first.filter(|piece| !inner.shelf.holds(*piece)) {
            let begun = match inner.fills().entry(piece) {
                Entry::Occupied(_) => None,
                Entry::Vacant(place) => Some(place.insert(Fill::new(piece)).clone()),
            };
            if let Some(fill) = begun {
                let (inner, key) = (inner.clone(), key.clone());
                tokio::spawn(fetch::fetch(inner, key, found.stamp, fill, Some(content)));
            }
        }
        Ok(found)
    }
}

impl Wanted {
    /// What a server that tells nothing of the state of its objects says, with what is known of it.
    fn told(&self, mut found: Found) -> Found {
        if found.stamp.is_unmarked() {
            found.stamp = found.stamp.marked(self.turn);
        }
        found
    }
}

impl Inner {
    fn note(self: &Arc<Self>, wanted: &Wanted, found: &Result<Found, StoreError>) {
        match found {
            Ok(found) => {
                self.known.insert(wanted.clone(), Known { found: *found, at: Instant::now() });
            }
            Err(StoreError::Gone | StoreError::Changed) => self.known.invalidate(wanted),
            Err(_) => {}
        }
    }
}
