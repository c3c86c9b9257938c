//! Who may have how much at once: each host its share, and all together no more than there is. One
//! host that is slow, or asked for much, never takes what others need.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For all hosts together,
    pub all: usize,
    /// and for one.
    pub host: usize,
    /// So many of all are for hosts that have next to nothing,
    pub spare: usize,
    /// which is less than this.
    pub least: usize,
    /// So many more are there for hosts that have none at all, one for each: a few slow ones that have
    /// next to nothing take all that is spare.
    pub first: usize,
}

/// What is handed out, and to whom.
#[derive(Debug)]
pub struct Share {
    limits: Limits,
    out: Mutex<Out>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Out {
    all: usize,
    hosts: HashMap<String, usize>,
    /// How many wait for one, by host.
    waiting: HashMap<String, usize>,
}

/// Somebody who waits for one; gone when dropped.
struct Waiting<'a> {
    share: &'a Share,
    host: &'a str,
}

/// One of them; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    share: Arc<Share>,
    host: String,
}

impl Share {
    /// Nothing of it is handed out yet.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, out: Mutex::default(), freed: Notify::new() })
    }

    /// One for `host`; `None` where it has its share, or nothing is left for it.
    pub fn try_take(self: &Arc<Self>, host: &str) -> Option<Turn> {
        let Limits { all, host: most, spare, least, first } = self.limits;
        let mut out = self.out();
        let held = out.hosts.get(host).copied().unwrap_or(0);
        let left = all.saturating_sub(out.all);
        let is_first = held == 0 && out.all < all + first;
        if !is_first && (held >= most || left == 0 || (held >= least && left <= spare)) {
            return None;
        }
        out.all += 1;
        *out.hosts.entry(host.to_owned()).or_default() += 1;
        Some(Turn { share: self.clone(), host: host.to_owned() })
    }

    /// One for `host`; waits until there is one. Who waits bounds that himself.
    pub async fn take(self: &Arc<Self>, host: &str) -> Turn {
        if let Some(turn) = self.try_take(host) {
            return turn;
        }
        let _waits = Waiting::new(self, host);
        loop {
            // Whoever gives back from here on wakes this wait.
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if let Some(turn) = self.try_take(host) {
                return turn;
            }
            freed.await;
        }
    }

    /// Whether others wait for what `host` has: of the same host, or of any where nothing is left for
    /// who has next to nothing.
    pub fn is_short_of(&self, host: &str) -> bool {
        let out = self.out();
        let is_scarce = out.all.saturating_add(self.limits.spare) >= self.limits.all;
        out.waiting.contains_key(host) || (is_scarce && !out.waiting.is_empty())
    }

    /// How many are handed out.
    pub fn taken(&self) -> usize {
        self.out().all
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut out = self.share.out();
        out.all = out.all.saturating_sub(1);
        one_less(&mut out.hosts, &self.host);
        drop(out);
        self.share.freed.notify_waiters();
    }
}

impl<'a> Waiting<'a> {
    fn new(share: &'a Share, host: &'a str) -> Self {
        *share.out().waiting.entry(host.to_owned()).or_default() += 1;
        Self { share, host }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        one_less(&mut self.share.out().waiting, self.host);
    }
}

fn one_less(counts: &mut HashMap<String, usize>, host: &str) {
    if let Some(count) = counts.get_mut(host) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Limits, Share};

    const LIMITS: Limits = Limits { all: 10, host: 6, spare: 3, least: 2, first: 2 };

    #[test]
    fn a_greedy_host_leaves_enough_for_others() {
        let share = Share::new(LIMITS);
        let greedy: Vec<_> = (0..20).filter_map(|_| share.try_take("greedy")).collect();
        assert_eq!(greedy.len(), 6);
        let second: Vec<_> = (0..20).filter_map(|_| share.try_take("second")).collect();
        assert_eq!(second.len(), 2, "what is spare is for who has next to nothing");
        assert!(share.try_take("third").is_some());
        assert_eq!(share.taken(), 8, "what was dropped at once is there again");
        drop((greedy, second));
        assert_eq!(share.taken(), 0);
        assert!(share.out().hosts.is_empty(), "no host is remembered that has nothing");
    }

    #[test]
    fn who_has_none_gets_one_up_to_a_bound() {
        let share = Share::new(LIMITS);
        let slow: Vec<_> = ["a", "b", "c", "d"]
            .iter()
            .flat_map(|host| (0..20).filter_map(|_| share.try_take(host)).collect::<Vec<_>>())
            .collect();
        assert_eq!(slow.len(), 11, "each has some, and together all that there are");
        let fast = share.try_take("fast").expect("it has none");
        assert!(share.try_take("fast").is_none(), "it has one");
        assert!(share.try_take("one more").is_none(), "there is an end");
        assert_eq!(share.taken(), LIMITS.all + LIMITS.first);
        drop((slow, fast));
        assert_eq!(share.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_makes_it_short() {
        let share = Share::new(LIMITS);
        let taken: Vec<_> = (0..6).filter_map(|_| share.try_take("a")).collect();
        assert!(!share.is_short_of("a"), "nobody waits");
        let waits = tokio::spawn({
            let share = share.clone();
            async move { share.take("a").await }
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(share.is_short_of("a"));
        assert!(!share.is_short_of("b"), "there are more for others");
        let others: Vec<_> = (0..2).filter_map(|_| share.try_take("b")).collect();
        assert!(share.is_short_of("b"), "what is left is for who has next to nothing");
        waits.abort();
        let _ = waits.await;
        assert!(!share.is_short_of("a") && share.out().waiting.is_empty());
        drop((taken, others));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken_by_who_gives_back() {
        let share = Share::new(LIMITS);
        let mut taken: Vec<_> = (0..6).filter_map(|_| share.try_take("a")).collect();
        let long = Duration::from_secs(60);
        assert!(timeout(long, share.take("a")).await.is_err());
        assert!(timeout(long, share.take("b")).await.is_ok(), "another host has to wait");
        let waits = tokio::spawn({
            let share = share.clone();
            async move { share.take("a").await }
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        taken.pop();
        assert!(timeout(long, waits).await.is_ok());
    }
}
