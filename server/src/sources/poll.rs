//! When a source is looked at: again and again, and before its time where somebody doubts what is
//! known of it.

use std::{collections::HashSet, ffi::OsString, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::bucket::{SHOWN_EVERY, Stock};

/// What is doubted is looked at again so soon at most, or as soon as the source is read anyway: where a
/// store contradicts itself, who asks again and again has it listed no oftener.
const DOUBTED: Duration = Duration::from_secs(30);
/// Live channels that are looked at once; more are looked at when somebody asks the next time.
const FOLLOWED: usize = 8;

/// Why a source is looked at before its time.
#[derive(Debug)]
pub(crate) enum Doubt {
    /// Something of it was not as it was listed.
    All,
    /// Somebody watches this live channel.
    Live(OsString),
}

/// Looks at one live channel.
pub(crate) type Follower = Arc<dyn Fn(OsString) -> BoxFuture<'static, ()> + Send + Sync>;

/// Keeps what is known of one source up to date.
pub(crate) trait Looking: Send + 'static {
    /// Looks at it; answers when to do so again.
    fn look(&mut self) -> impl Future<Output = Duration> + Send;

    /// What looks at one live channel beside all that, if its playlist may have grown; nothing where a
    /// playlist is read when it is asked for.
    fn follower(&self) -> Option<Follower> {
        None
    }

    /// What it has, as far as it is known.
    fn into_stock(self) -> Stock;
}

/// Looks at one source until `shutdown`, and before its time when somebody doubts what is known of it.
/// Live channels move on meanwhile, however long a look takes.
pub(crate) async fn run(
    keeper: impl Looking,
    doubts: &mut mpsc::Receiver<Doubt>,
    shutdown: CancellationToken,
) {
    let (doubted, follower) = (Notify::new(), keeper.follower());
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = looks(keeper, &doubted) => {}
        () = follow(follower, doubts, &doubted) => {}
    }
}

async fn looks(mut keeper: impl Looking, doubted: &Notify) {
    let mut not_before = Instant::now();
    loop {
        let pause = keeper.look().await;
        let ended = Instant::now();
        let due = ended.checked_add(pause);
        let due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let doubt = async {
            doubted.notified().await;
            // Whatever else is doubted meanwhile is answered by the same look.
            sleep_until((Instant::now() + SHOWN_EVERY).max(not_before)).await;
        };
        let is_doubted = tokio::select! {
            () = due => false,
            () = doubt => true,
        };
        if is_doubted {
            not_before = Instant::now() + DOUBTED.min(pause);
        }
    }
}

/// Sorts the doubts, and looks at live channels.
async fn follow(follower: Option<Follower>, doubts: &mut mpsc::Receiver<Doubt>, doubted: &Notify) {
    let (mut looking, mut names) = (FuturesUnordered::new(), HashSet::new());
    loop {
        tokio::select! {
            doubt = doubts.recv() => match (doubt, &follower) {
                // Nobody is left to doubt anything.
                (None, _) => std::future::pending().await,
                (Some(Doubt::All), _) => doubted.notify_one(),
                (Some(Doubt::Live(name)), Some(follower)) => {
                    if looking.len() < FOLLOWED && names.insert(name.clone()) {
                        looking.push(follower(name.clone()).map(|()| name));
                    }
                }
                (Some(Doubt::Live(_)), None) => {}
            },
            Some(name) = looking.next(), if !looking.is_empty() => drop(names.remove(&name)),
        }
    }
}

/// One look at a source, for who asks once.
pub(crate) async fn look_once(mut keeper: impl Looking) -> Stock {
    keeper.look().await;
    keeper.into_stock()
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::OsString,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use futures_util::FutureExt;
    use tokio::{sync::mpsc, time::sleep};
    use tokio_util::sync::CancellationToken;

    use super::{Doubt, Follower, Looking, Stock, run};

    /// Looks that take their time, and live channels that take less.
    #[derive(Clone, Default)]
    struct Slow {
        takes: Duration,
        refresh: Duration,
        looks: Arc<AtomicUsize>,
        followed: Arc<AtomicUsize>,
    }

    impl Looking for Slow {
        async fn look(&mut self) -> Duration {
            self.looks.fetch_add(1, Ordering::Relaxed);
            sleep(self.takes).await;
            self.refresh
        }

        fn follower(&self) -> Option<Follower> {
            let followed = self.followed.clone();
            Some(Arc::new(move |_| {
                let followed = followed.clone();
                async move {
                    sleep(Duration::from_millis(50)).await;
                    followed.fetch_add(1, Ordering::Relaxed);
                }
                .boxed()
            }))
        }

        fn into_stock(self) -> Stock {
            Stock::default()
        }
    }

    fn start(slow: &Slow) -> (mpsc::Sender<Doubt>, tokio_util::sync::DropGuard) {
        let (doubts, doubted) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let (slow, ends) = (slow.clone(), stop.clone());
        tokio::spawn(async move {
            let mut doubted = doubted;
            run(slow, &mut doubted, ends).await;
        });
        (doubts, stop.drop_guard())
    }

    #[tokio::test(start_paused = true)]
    async fn live_channels_move_on_while_all_is_listed() {
        let (takes, refresh) = (Duration::from_secs(60), Duration::from_secs(30));
        let slow = Slow { takes, refresh, ..Slow::default() };
        let (doubts, _stop) = start(&slow);
        for n in 1..=20 {
            // Another channel, and one that is looked at already.
            for name in ["a", "b", "a"] {
                let _ = doubts.try_send(Doubt::Live(OsString::from(name)));
            }
            sleep(Duration::from_secs(1)).await;
            assert_eq!(slow.followed.load(Ordering::Relaxed), 2 * n);
        }
        assert_eq!(slow.looks.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn doubts_list_a_source_no_oftener_than_it_is_listed_anyway() {
        for (refresh_s, seconds, most) in [(600, 590, 22), (30, 300, 22), (1, 10, 13)] {
            let refresh = Duration::from_secs(refresh_s);
            let slow = Slow { refresh, ..Slow::default() };
            let (doubts, _stop) = start(&slow);
            sleep(Duration::from_millis(10)).await;
            let _ = doubts.try_send(Doubt::All);
            sleep(Duration::from_millis(1100)).await;
            assert_eq!(slow.looks.load(Ordering::Relaxed), 2, "the first is answered at once");
            for _ in 0..seconds * 10 {
                let _ = doubts.try_send(Doubt::All);
                sleep(Duration::from_millis(100)).await;
            }
            let looks = slow.looks.load(Ordering::Relaxed);
            assert!(looks <= most, "{looks} looks in {seconds} s, refresh {refresh_s} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn any_pause_may_be_set() {
        let slow = Slow { refresh: Duration::MAX, ..Slow::default() };
        let (doubts, _stop) = start(&slow);
        sleep(Duration::from_secs(1)).await;
        let _ = doubts.try_send(Doubt::All);
        sleep(Duration::from_secs(100)).await;
        assert_eq!(slow.looks.load(Ordering::Relaxed), 2);
    }
}
