//! Objects that no list tells of: what each is now is asked once, whoever else wants to know, and
//! the answer's bytes are the first of the chunk that everybody waits for. How long that is believed
//! is for the server to say.

use std::{
    collections::hash_map::Entry,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{sync::watch, time::timeout};

use super::{
    CachedStore, Inner, PATIENCE,
    fetch::{self, Job},
    fill::{Fill, Purpose},
    watched::watched,
};
use crate::storage::{FoundObject, StoreError, turns::Turn};

/// What was found is believed for so long where its server does not say how long it may be,
const BELIEVED: Duration = Duration::from_secs(60);
/// and that there is nothing for so long: it may just be on its way.
const GONE: Duration = Duration::from_secs(1);

/// What was found of an object, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownObject {
    /// Nothing where there is none.
    found: Option<FoundObject>,
    at: Instant,
}

impl KnownObject {
    fn is_fresh(self) -> bool {
        let lasts = self.found.map_or(GONE, |found| found.fresh.lasts.unwrap_or(BELIEVED));
        self.at.elapsed() < lasts
    }

    fn told(self) -> Result<FoundObject, StoreError> {
        self.found.ok_or(StoreError::Gone)
    }
}

/// A question on its way.
pub(super) type Search = watch::Sender<Option<Result<FoundObject, StoreError>>>;

/// How it is told.
type Told = watch::Receiver<Option<Result<FoundObject, StoreError>>>;

/// Somebody asks; ends when dropped, with or without a word.
struct Asking {
    inner: Arc<Inner>,
    wanted: ObjectName,
    tell: Arc<Search>,
    _task: Turn,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.inner.searches().remove(&self.wanted);
    }
}

/// An object, and which of those that had its address one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectName {
    key: String,
    turn: u64,
}

/// What is asked of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It, with its bytes.
    Bytes,
    /// Whether it still is what it was.
    Head,
}

impl CachedStore {
    /// What an object is that no list tells of. `turn` tells those apart that have one address after
    /// the other. Fails within two seconds where it is not known and the store does not say.
    pub async fn find(&self, key: &str, turn: u64) -> Result<FoundObject, StoreError> {
        let wanted = ObjectName { key: key.to_owned(), turn };
        let known = self.0.known.get(&wanted);
        if let Some(known) = known.filter(|known| known.is_fresh()) {
            return known.told();
        }
        let kept = known.and_then(|known| known.found).filter(|found| self.holds(key, *found));
        let Some(kept) = kept else { return self.wait_for(wanted, What::Bytes).await };
        if kept.fresh.lasts.is_none() {
            // Where nothing is said of it, what is kept need not wait for word that it is the same.
            if self.0.left_alone(key).is_ok() {
                drop(self.search(wanted, What::Head));
            }
            return Ok(kept);
        }
        // A server that tells no state of it has to send it again.
        let what = if kept.is_marked { What::Head } else { What::Bytes };
        match self.wait_for(wanted, what).await {
            // What it was is better than nothing, where that is not forbidden.
            Err(error) if error.may_pass() && !kept.fresh.strict => Ok(kept),
            told => told,
        }
    }

    /// Whether there is anything known of it that is still believed.
    pub fn knows(&self, key: &str) -> bool {
        let wanted = ObjectName { key: key.to_owned(), turn: 0 };
        self.0.known.get(&wanted).is_some_and(KnownObject::is_fresh)
    }

    /// What was found of an object turned out to be wrong: who wants it asks anew.
    pub fn request_refresh(&self, key: &str, turn: u64) {
        self.0.known.invalidate(&ObjectName { key: key.to_owned(), turn });
    }

    /// What an object is now, asked anew; its bytes are not fetched.
    pub async fn look(&self, key: &str) -> Result<FoundObject, StoreError> {
        let wanted = ObjectName { key: key.to_owned(), turn: 0 };
        let turn = self.0.turns.take(&self.0.store.site(key)).await;
        let found = self.ask(&wanted, What::Head, turn).await;
        self.0.note(&wanted, &found);
        found
    }

    /// Fetches the beginning of an object that somebody will likely ask for next, if little else is
    /// going on.
    pub fn find_ahead(&self, key: &str, turn: u64) {
        let wanted = ObjectName { key: key.to_owned(), turn };
        if self.0.known.get(&wanted).is_some_and(KnownObject::is_fresh) {
            return;
        }
        let Some(turn) = self.0.ahead.try_take(&self.0.store.site(key)) else { return };
        if self.0.left_alone(key).is_err() {
            return;
        }
        let Ok(mut search) = self.search(wanted, What::Bytes) else { return };
        tokio::spawn(async move {
            // The turn stands for the question; the bytes are one fetch among others.
            let _ = search.wait_for(Option::is_some).await;
            drop(turn);
        });
    }

    async fn wait_for(&self, wanted: ObjectName, what: What) -> Result<FoundObject, StoreError> {
        self.0.left_alone(&wanted.key)?;
        let mut search = self.search(wanted, what)?;
        let ended = timeout(PATIENCE, search.wait_for(Option::is_some)).await;
        let away = |why: &str| Err(StoreError::Away(why.to_owned()));
        match ended {
            Ok(Ok(found)) => found.clone().unwrap_or_else(|| away("nobody asks any more")),
            Ok(Err(_)) => away("nobody asks any more"),
            Err(_) => away("it does not answer in time"),
        }
    }

    /// Whether all of an object is kept.
    fn holds(&self, key: &str, found: FoundObject) -> bool {
        self.object(key, found.stamp).all().all(|chunk| self.0.shelf.holds(chunk))
    }

    /// The question on its way; if nobody asks yet, somebody does now.
    fn search(&self, wanted: ObjectName, what: What) -> Result<Told, StoreError> {
        let mut searches = self.0.searches();
        if let Some(search) = searches.get(&wanted) {
            return Ok(search.subscribe());
        }
        // It may have been answered since the caller looked: what is found is noted before its question
        // leaves this table.
        if let Some(known) = self.0.known.get(&wanted).filter(|known| known.is_fresh()) {
            return Ok(Search::new(Some(known.told())).subscribe());
        }
        let task = self.0.task(&wanted.key)?;
        let tell = Arc::new(Search::new(None));
        let told = tell.subscribe();
        searches.insert(wanted.clone(), tell.clone());
        drop(searches);
        let (edge, inner) = (self.clone(), self.0.clone());
        let asking = Asking { inner, wanted, tell, _task: task };
        tokio::spawn(async move {
            let found = tokio::select! {
                () = edge.stopped() => Err(StoreError::Away("this server stops".into())),
                found = edge.ask_in_turn(&asking, what) => found,
            };
            asking.inner.note(&asking.wanted, &found);
            let tell = asking.tell.clone();
            drop(asking);
            tell.send_replace(Some(found));
        });
        Ok(told)
    }

    async fn ask_in_turn(&self, asking: &Asking, what: What) -> Result<FoundObject, StoreError> {
        let Asking { inner, wanted, tell, .. } = asking;
        let host = inner.store.site(&wanted.key);
        let turn = tokio::select! {
            biased;
            turn = inner.turns.take(&host) => turn,
            // Nobody waits for it any more.
            () = tell.closed() => return Err(StoreError::Busy),
        };
        self.ask(wanted, what, turn).await
    }

    async fn ask(
        &self,
        wanted: &ObjectName,
        what: What,
        turn: Turn,
    ) -> Result<FoundObject, StoreError> {
        let (inner, key) = (&self.0, &wanted.key);
        if what == What::Head {
            let found = inner.patiently(key, || inner.store.look(key)).await?;
            return Ok(wanted.told(found));
        }
        let ((found, content), permit) = inner.by_leave(key, || inner.store.find(key)).await?;
        let found = wanted.told(found);
        let first = self.object(key, found.stamp).all().next();
        let Some(chunk) = first.filter(|chunk| !inner.shelf.holds(*chunk)) else {
            permit.answered();
            return Ok(found);
        };
        // Where no more may be fetched, who comes for the bytes is told so.
        let task = inner.task(key).ok();
        let fill = match inner.fills().entry(chunk) {
            Entry::Vacant(place) if task.is_some() => {
                Some(place.insert(Fill::new(chunk, Purpose::of(&found))).clone())
            }
            _ => None,
        };
        match task.zip(fill) {
            Some((task, fill)) => {
                let content = watched(content, chunk.length(), permit);
                let (key, stamp, begun) = (key.clone(), found.stamp, Some((content, turn)));
                let job = Job { key, stamp, fill, begun, task };
                tokio::spawn(fetch::fetch(inner.clone(), job));
            }
            None => permit.answered(),
        }
        Ok(found)
    }
}

impl ObjectName {
    /// What a server that tells nothing of the state of its objects says, with what is known of it.
    fn told(&self, mut found: FoundObject) -> FoundObject {
        if found.stamp.has_no_hash() {
            found.is_marked = false;
            // How long it holds is all that it says: each time that is over it is another.
            let began = match found.fresh.lasts {
                Some(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
                None => Duration::ZERO,
            };
            let began = u64::try_from(began.as_nanos()).unwrap_or(u64::MAX);
            found.stamp = found.stamp.with_sequence(self.turn.wrapping_add(began));
        }
        found
    }
}

impl Inner {
    fn note(self: &Arc<Self>, wanted: &ObjectName, found: &Result<FoundObject, StoreError>) {
        let at = Instant::now();
        let known = match found {
            Ok(found) if !found.fresh.passing => KnownObject { found: Some(*found), at },
            Err(StoreError::Gone) => KnownObject { found: None, at },
            Ok(_) | Err(StoreError::Changed) => return self.known.invalidate(wanted),
            Err(_) => return,
        };
        self.known.insert(wanted.clone(), known);
    }
}
