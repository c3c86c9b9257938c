//! What time it is. Whoever needs to know is given a clock, so that a test can hold it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A clock on the wall; a cheap clone.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Mutex<SystemTime>>>);

impl Clock {
    /// The system's.
    pub const SYSTEM: Self = Self(None);

    /// One that stands at `time` until it is set.
    pub fn held_at(time: SystemTime) -> Self {
        Self(Some(Arc::new(Mutex::new(time))))
    }

    /// What it shows.
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(held) => *held.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The same in milliseconds of Unix time; 0 before 1970.
    pub fn now_ms(&self) -> u64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// How long ago `time` was; nothing if that is yet to come.
    pub fn since(&self, time: SystemTime) -> Duration {
        self.now().duration_since(time).unwrap_or_default()
    }

    /// Puts a held clock forward; the system's is nobody's to set.
    pub fn advance(&self, by: Duration) {
        if let Some(held) = &self.0 {
            *held.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Clock(held)" } else { "Clock(system)" })
    }
}
