//! How fast something may be done: one moment of memory per person, address or socket.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Rate;

/// A token bucket that remembers only when it will be full again (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// How long until one more is allowed; zero if it is now.
    pub fn wait(&self, rate: Rate, now: Instant) -> Duration {
        let each = rate.per / rate.count.get();
        (self.filling(now) + each).saturating_sub(rate.per)
    }

    /// Counts one, allowed or not.
    pub fn spend(&mut self, rate: Rate, now: Instant) {
        self.full_at = Some(now + self.filling(now) + rate.per / rate.count.get());
    }

    /// Counts one if it is allowed now, else says how long to wait.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        match self.wait(rate, now) {
            Duration::ZERO => {
                self.spend(rate, now);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// Whether nothing of it is spent, so that it need not be kept.
    pub fn is_full(&self, now: Instant) -> bool {
        self.filling(now).is_zero()
    }

    fn filling(&self, now: Instant) -> Duration {
        self.full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Bucket;

    #[test]
    fn five_in_ten_seconds_are_five_and_then_one_in_two() {
        let rate = "5/10".parse().expect("a rate");
        let start = Instant::now();
        let mut bucket = Bucket::default();
        for _ in 0..5 {
            assert_eq!(bucket.take(rate, start), Ok(()));
        }
        assert_eq!(bucket.take(rate, start), Err(Duration::from_secs(2)));
        assert_eq!(bucket.take(rate, start + Duration::from_secs(2)), Ok(()));
        assert!(bucket.take(rate, start + Duration::from_secs(3)).is_err());
        assert!(bucket.is_full(start + Duration::from_secs(12)));
    }
}
