//! When a source is looked at: again and again, and before its time where somebody doubts what is
//! known of it.

use std::{collections::HashSet, ffi::OsString, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Mutex, Notify, mpsc},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{catalog::source_list::SourceList, storage::StoreError};

/// A source that is away is asked again so soon, unless it is listed more often anyway.
pub(super) const AWAY_AGAIN: Duration = Duration::from_secs(5);
/// Who has not told its list after so long counts as away until it does.
pub(super) const LATE: Duration = Duration::from_secs(3);
/// While a long list is read for the first time, what there is is shown so often.
pub(super) const SHOWN_EVERY: Duration = Duration::from_secs(1);
/// How many requests to look at something again may wait; when full, more are dropped: the periodic look
/// finds it.
const REQUESTS: usize = 64;
/// What is doubted is looked at again so soon at most, or as soon as the source is read anyway: where a
/// store contradicts itself, who asks again and again has it listed no oftener.
const DOUBTED: Duration = Duration::from_secs(30);
/// Live channels that are looked at once; more are looked at when somebody asks the next time.
const FOLLOWED: usize = 8;

/// Why a source is looked at before its time.
#[derive(Debug)]
pub(crate) enum RefreshRequest {
    /// Something of it was not as it was listed.
    All,
    /// Somebody watches this live channel.
    Live(OsString),
}

/// Asks for looks before their time, and hands them to whoever polls.
#[derive(Debug)]
pub(super) struct Requests {
    sender: mpsc::Sender<RefreshRequest>,
    receiver: Mutex<mpsc::Receiver<RefreshRequest>>,
}

impl Default for Requests {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(REQUESTS);
        Self { sender, receiver: Mutex::new(receiver) }
    }
}

impl Requests {
    /// Asks for a look; forgotten where too many wait.
    pub(super) fn send(&self, doubt: RefreshRequest) {
        let _ = self.sender.try_send(doubt);
    }
}

/// Why a source counts as away that has not told its list.
pub(super) fn no_word_yet() -> StoreError {
    StoreError::Away("it has not told its list yet".into())
}

/// Looks at one live channel.
pub(crate) type Follower = Arc<dyn Fn(OsString) -> BoxFuture<'static, ()> + Send + Sync>;

/// Keeps what is known of one source up to date.
pub(crate) trait Poll: Send + 'static {
    /// Looks at it; answers when to do so again.
    fn look(&mut self) -> impl Future<Output = Duration> + Send;

    /// What looks at one live channel beside all that, if its playlist may have grown; nothing where a
    /// playlist is read when it is asked for.
    fn follower(&self) -> Option<Follower> {
        None
    }

    /// What it has, as far as it is known.
    fn into_list(self) -> SourceList;
}

/// Looks at one source until `shutdown`, and before its time when somebody doubts what is known of it.
/// Live channels move on meanwhile, however long a look takes.
pub(super) async fn run(poller: impl Poll, requests: &Requests, shutdown: CancellationToken) {
    let mut doubts = requests.receiver.lock().await;
    let (doubted, follower) = (Notify::new(), poller.follower());
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = looks(poller, &doubted) => {}
        () = follow(follower, &mut doubts, &doubted) => {}
    }
}

async fn looks(mut poller: impl Poll, doubted: &Notify) {
    let mut not_before = Instant::now();
    loop {
        let pause = poller.look().await;
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
async fn follow(
    follower: Option<Follower>,
    doubts: &mut mpsc::Receiver<RefreshRequest>,
    doubted: &Notify,
) {
    let (mut looking, mut names) = (FuturesUnordered::new(), HashSet::new());
    loop {
        tokio::select! {
            doubt = doubts.recv() => match (doubt, &follower) {
                // Nobody is left to doubt anything.
                (None, _) => std::future::pending().await,
                (Some(RefreshRequest::All), _) => doubted.notify_one(),
                (Some(RefreshRequest::Live(name)), Some(follower)) => {
                    if looking.len() < FOLLOWED && names.insert(name.clone()) {
                        looking.push(follower(name.clone()).map(|()| name));
                    }
                }
                (Some(RefreshRequest::Live(_)), None) => {}
            },
            Some(name) = looking.next(), if !looking.is_empty() => drop(names.remove(&name)),
        }
    }
}

/// One look at a source, for who asks once.
pub(super) async fn poll_once(mut poller: impl Poll) -> SourceList {
    poller.look().await;
    poller.into_list()
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
    use tokio::time::sleep;
    use tokio_util::sync::CancellationToken;

    use super::{Follower, Poll, RefreshRequest, Requests, SourceList, run};
    use crate::catalog::record::SourceId;

    /// Looks that take their time, and live channels that take less.
    #[derive(Clone, Default)]
    struct Slow {
        takes: Duration,
        refresh: Duration,
        looks: Arc<AtomicUsize>,
        followed: Arc<AtomicUsize>,
    }

    impl Poll for Slow {
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

        fn into_list(self) -> SourceList {
            SourceList::new(SourceId::LOCAL)
        }
    }

    fn start(slow: &Slow) -> (Arc<Requests>, tokio_util::sync::DropGuard) {
        let (requests, stop) = (Arc::new(Requests::default()), CancellationToken::new());
        let (slow, own, ends) = (slow.clone(), requests.clone(), stop.clone());
        tokio::spawn(async move { run(slow, &own, ends).await });
        (requests, stop.drop_guard())
    }

    #[tokio::test(start_paused = true)]
    async fn live_channels_move_on_while_all_is_listed() {
        let (takes, refresh) = (Duration::from_secs(60), Duration::from_secs(30));
        let slow = Slow { takes, refresh, ..Slow::default() };
        let (doubts, _stop) = start(&slow);
        for n in 1..=20 {
            // Another channel, and one that is looked at already.
            for name in ["a", "b", "a"] {
                doubts.send(RefreshRequest::Live(OsString::from(name)));
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
            doubts.send(RefreshRequest::All);
            sleep(Duration::from_millis(1100)).await;
            assert_eq!(slow.looks.load(Ordering::Relaxed), 2, "the first is answered at once");
            for _ in 0..seconds * 10 {
                doubts.send(RefreshRequest::All);
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
        doubts.send(RefreshRequest::All);
        sleep(Duration::from_secs(100)).await;
        assert_eq!(slow.looks.load(Ordering::Relaxed), 2);
    }
}
