//! Permit to ask for one object: of the breaker of its host, and of its own where it has come badly
//! before. An answer that does not come or breaks off, of a host that is there, says something of that
//! object first: whoever asks for one that never comes whole takes nothing else from anybody.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use super::breaker::{Breaker, HostPermit};
use crate::storage::StoreError;

/// Of so many objects is known that they come badly,
const OBJECTS: u64 = 10_000;
/// for so long after the last time.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Objects that came badly, each with a breaker of its own, by key.
#[derive(Debug)]
pub(super) struct Objects(Cache<blake3::Hash, Arc<Breaker>>);

impl Default for Objects {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(OBJECTS).time_to_idle(FORGOTTEN).build())
    }
}

impl Objects {
    fn get(&self, key: &str) -> Option<Arc<Breaker>> {
        self.0.get(&blake3::hash(key.as_bytes()))
    }

    /// How long nobody should ask for this object; `None` where one may.
    pub(super) fn wait(&self, key: &str) -> Option<Duration> {
        self.get(key)?.wait()
    }
}

/// Permit to ask for one object once. Dropped without a word it counts as nothing.
#[derive(Debug)]
pub(super) struct Permit {
    host: HostPermit,
    own: Option<HostPermit>,
    key: String,
    objects: Arc<Objects>,
}

impl Permit {
    /// Permit to ask, unless the host or the object is left alone.
    pub(super) fn ask(
        objects: &Arc<Objects>,
        host: &Arc<Breaker>,
        key: &str,
    ) -> Result<Self, StoreError> {
        let away = |_| StoreError::Away("it did not answer a moment ago".into());
        let own = objects.get(key).map(|own| own.ask()).transpose().map_err(away)?;
        let host = host.ask().map_err(away)?;
        Ok(Self { host, own, key: key.to_owned(), objects: objects.clone() })
    }

    /// It was answered, in full.
    pub(super) fn answered(self) {
        self.host.answered();
        if let Some(own) = self.own {
            own.answered();
        }
    }

    /// Its host is not there.
    pub(super) fn failed(self) {
        self.host.failed();
    }

    /// Its host is there, and its answer did not come, broke off or was none. The first time that this
    /// object comes so counts against its host too.
    pub(super) fn broke(self) {
        let known = self.objects.0.entry(blake3::hash(self.key.as_bytes()));
        let known = known.or_default();
        if let Some(own) = self.own.or_else(|| known.value().ask().ok()) {
            own.failed();
        }
        // Of parts of it that were asked for at once, one is the first.
        if known.is_fresh() {
            self.host.failed();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Objects, Permit};
    use crate::cache::breaker::Breaker;

    /// Whether the host is left alone once such objects came badly, one after the other.
    fn opens(keys: &[&str]) -> bool {
        let (objects, host) = <(Arc<Objects>, Arc<Breaker>)>::default();
        for key in keys {
            if let Ok(permit) = Permit::ask(&objects, &host, key) {
                permit.broke();
            }
        }
        !host.is_closed()
    }

    #[tokio::test]
    async fn one_that_comes_badly_takes_nothing_from_the_others() {
        assert!(opens(&["a", "b", "c", "d", "e"]));
        assert!(!opens(&["a"; 50]));
        assert!(!opens(&["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"]));
        let (objects, host) = <(Arc<Objects>, Arc<Breaker>)>::default();
        let ask = |key: &str| Permit::ask(&objects, &host, key);
        let at_once: Vec<_> = (0..8).map(|_| ask("c").expect("leave")).collect();
        at_once.into_iter().for_each(Permit::broke);
        assert!(host.is_closed(), "eight parts of one object are one");
        for _ in 0..5 {
            ask("a").expect("leave").broke();
        }
        assert!(ask("a").is_err() && objects.wait("a").is_some(), "it is asked for no more");
        ask("b").expect("leave for another").answered();
        assert!(objects.wait("b").is_none());
    }

    #[tokio::test]
    async fn who_gives_no_answer_is_left_alone_for_all() {
        let (objects, host) = <(Arc<Objects>, Arc<Breaker>)>::default();
        for _ in 0..5 {
            Permit::ask(&objects, &host, "a").expect("leave").failed();
        }
        assert!(Permit::ask(&objects, &host, "b").is_err());
    }
}
