//! Tasks that live as long as the server: none of them ends in silence. One that ends or panics
//! before its time is logged, is a reason of `/api/health`, and begins again after a pause.

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The pause before a task begins again, which doubles each time up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A task that has run for so long since it began again is well.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// The owner of the tasks of one server; a cheap clone.
#[derive(Clone, Debug)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracker: TaskTracker,
    stop: CancellationToken,
    /// Those that ended, by the word for it.
    ended: Mutex<BTreeSet<String>>,
}

/// What becomes of one task.
#[derive(Debug)]
pub struct Life {
    tasks: Tasks,
    /// As `/api/health` tells that it ended.
    kind: String,
    pause: Duration,
}

impl Tasks {
    /// Tasks that end with `stop`.
    pub fn new(stop: CancellationToken) -> Self {
        Self(Arc::new(Inner { tracker: TaskTracker::new(), stop, ended: Mutex::default() }))
    }

    /// Cancelled when the server is to stop.
    pub fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// Starts a task. It ends with [`Self::stop`].
    ///
    /// Has to be called inside a tokio runtime.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tracker.spawn(task);
    }

    /// For a task whose end is told by this word.
    pub fn life(&self, kind: impl Into<String>) -> Life {
        Life { tasks: self.clone(), kind: kind.into(), pause: PAUSE }
    }

    /// The words of those that ended and are not well again, a word each.
    pub fn ended(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    /// Waits, once the server stops, until every task has ended, at most so long.
    pub async fn closed(&self, limit: Duration) {
        self.0.tracker.close();
        if timeout(limit, self.0.tracker.wait()).await.is_err() {
            tracing::info!(open = self.0.tracker.len(), "some tasks did not end in time");
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<CancellationToken> for Tasks {
    fn from(stop: CancellationToken) -> Self {
        Self::new(stop)
    }
}

impl Life {
    /// Runs the work. When that ends before the server stops, waits for a moment and answers that it
    /// is to begin again; `false` where the server stops.
    pub async fn run(&mut self, work: impl Future<Output = ()>) -> bool {
        let stop = self.tasks.stop().clone();
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let mut well = pin!(sleep(WELL_AFTER));
        let mut is_well = false;
        let ended = loop {
            tokio::select! {
                ended = work.as_mut() => break ended,
                () = well.as_mut(), if !is_well => {
                    is_well = true;
                    self.pause = PAUSE;
                    self.tasks.lock().remove(&self.kind);
                }
            }
        };
        if stop.is_cancelled() {
            return false;
        }
        let how = if ended.is_ok() { "ended" } else { "failed" };
        let (kind, again_s) = (&self.kind, self.pause.as_secs());
        tracing::error!(kind, again_s, "A task {how} before its time; it begins again.");
        self.tasks.lock().insert(self.kind.clone());
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        tokio::select! {
            () = stop.cancelled() => false,
            () = sleep(pause) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::time::{Instant, sleep};
    use tokio_util::sync::CancellationToken;

    use super::{PAUSE_MAX, Tasks, WELL_AFTER};

    async fn work(held: &mut Vec<usize>, begun: &AtomicUsize, stop: &CancellationToken) {
        let times = begun.fetch_add(1, Ordering::SeqCst);
        // What it owns is still there when it begins again.
        held.push(times);
        match times {
            0 => return,
            1 => panic!("on purpose"),
            _ => assert_eq!(held.len(), 4),
        }
        stop.cancelled().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_before_its_time_is_told_and_begins_again() {
        let (stop, begun) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let tasks = Tasks::new(stop.clone());
        let (owner, count) = (tasks.clone(), begun.clone());
        tasks.spawn(async move {
            let mut life = owner.life("example_ended");
            let mut held = vec![0];
            while life.run(work(&mut held, &count, owner.stop())).await {}
        });
        assert!(tasks.ended().is_empty());
        sleep(Duration::from_millis(10)).await;
        assert_eq!(tasks.ended(), ["example_ended"]);
        // The first pause, the second, and then it runs.
        sleep(Duration::from_secs(4)).await;
        assert_eq!(begun.load(Ordering::SeqCst), 3);
        assert_eq!(tasks.ended(), ["example_ended"], "it is not well at once");
        sleep(WELL_AFTER).await;
        assert!(tasks.ended().is_empty());
        stop.cancel();
        tasks.closed(Duration::from_secs(5)).await;
        assert!(tasks.ended().is_empty(), "who stops with the server has not failed");
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }

    async fn begins(begun: &AtomicUsize) {
        begun.fetch_add(1, Ordering::SeqCst);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_goes_well_is_tried_ever_more_seldom() {
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        let (owner, begun) = (tasks.clone(), Arc::new(AtomicUsize::new(0)));
        let count = begun.clone();
        tasks.spawn(async move {
            let mut life = owner.life("example_ended");
            while life.run(begins(&count)).await {}
        });
        sleep(Duration::from_secs(3_600)).await;
        let tried = begun.load(Ordering::SeqCst);
        assert!((60..70).contains(&tried), "{tried} times in an hour");
        let began = Instant::now();
        stop.cancel();
        tasks.closed(PAUSE_MAX).await;
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}
