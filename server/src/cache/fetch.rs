//! Asking a store: one request after another until it gives what is wanted, with pauses that grow
//! and differ between those who wait, and none at all while it is known to be away.

use std::{future::Future, sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::{
    Inner,
    fill::{Fill, Writer},
    permit::Permit,
    watched::watched,
};
use crate::storage::{Content, StoreError, local::FileVersion, turns::Turn};

/// The first pause, and the longest.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often something is tried again that does not come on.
const AGAIN: usize = 3;
/// How often a chunk is asked for in all, also where each answer brings a little of it.
const REQUESTS: usize = 16;
/// Chunks that are written at once if they are there at once.
const BATCH: usize = 16;
/// So often one who fetches, or waits for his turn to, looks whether anybody still waits for him.
const WANTED: Duration = Duration::from_secs(2);
/// How long what is not kept stays for who had it asked for.
const LINGERS: Duration = Duration::from_secs(1);

/// A chunk that is to be fetched.
pub(super) struct Job {
    pub(super) key: String,
    pub(super) stamp: FileVersion,
    pub(super) fill: Arc<Fill>,
    /// An answer with its first bytes, where one is there already, and the turn that it came in.
    pub(super) begun: Option<(Content, Turn)>,
    /// Leave to be a task.
    pub(super) task: Turn,
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE)
        .with_max_delay(PAUSE_MAX)
        .with_max_times(AGAIN)
        .with_jitter()
        .build()
}

impl Inner {
    /// A chunk is not on its way any more; another fetch of the same may be.
    fn forget(&self, fill: &Arc<Fill>) {
        let mut fills = self.fills();
        if fills.get(&fill.chunk).is_some_and(|now| Arc::ptr_eq(now, fill)) {
            fills.remove(&fill.chunk);
        }
    }

    /// Asks, and asks again while that may help. Only for what changes nothing.
    pub(super) async fn patiently<T, F>(
        &self,
        key: &str,
        ask: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.by_leave(key, ask).await.map(|(answer, permit)| {
            permit.answered();
            answer
        })
    }

    /// As [`Self::patiently`]; how the answer ends is told by the one who reads it.
    pub(super) async fn by_leave<T, F>(
        &self,
        key: &str,
        ask: impl Fn() -> F,
    ) -> Result<(T, Permit), StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut pauses = pauses();
        loop {
            let error = match once(self, key, ask()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match pauses.next().filter(|_| error.is_away() && self.left_alone(key).is_ok()) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// A turn to ask for this object; `None` where nobody wants it any more when it would come.
    async fn turn(&self, key: &str, fill: &Fill) -> Option<Turn> {
        let host = self.store.site(key);
        let mut turn = std::pin::pin!(self.turns.take(&host));
        loop {
            match timeout(WANTED, &mut turn).await {
                Ok(turn) => return Some(turn),
                Err(_) if fill.is_unwanted() => return None,
                Err(_) => {}
            }
        }
    }

    /// Waits until nobody has read this chunk for a while, and others wait for what fetching it takes:
    /// what is read no more comes to an end where there is room for it.
    async fn is_in_the_way(&self, key: &str, fill: &Fill) {
        let host = self.store.site(key);
        let mut was_unwanted = false;
        loop {
            sleep(WANTED).await;
            let is_unwanted = fill.is_unwanted();
            if is_unwanted && was_unwanted && self.turns.is_short_of(&host) {
                return;
            }
            was_unwanted = is_unwanted;
        }
    }

    /// Fetches a chunk and puts it on the shelf.
    async fn whole(
        &self,
        (key, stamp): (&str, FileVersion),
        fill: &Arc<Fill>,
        begun: Option<(Content, Turn)>,
    ) -> Result<(), StoreError> {
        // The turn comes first: who waits for one holds no file.
        let (mut begun, _turn) = match begun {
            Some((content, turn)) => (Some(content), turn),
            None => (None, self.turn(key, fill).await.ok_or(StoreError::Busy)?),
        };
        let mut writer = Writer::begin(fill.clone(), self.shelf.clone()).await?;
        let mut pauses = pauses();
        for _ in 0..REQUESTS {
            let before = writer.so_far();
            let error = match self.part((key, stamp), fill, &mut writer, begun.take()).await {
                Ok(()) => return writer.keep().await,
                Err(error) if error.is_away() => error,
                Err(error) => return Err(error),
            };
            if writer.so_far() > before {
                pauses = self::pauses();
            }
            match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
        Err(StoreError::Away("its answers are cut off again and again".into()))
    }

    /// One request for what is missing of a chunk.
    async fn part(
        &self,
        (key, stamp): (&str, FileVersion),
        fill: &Fill,
        writer: &mut Writer,
        begun: Option<Content>,
    ) -> Result<(), StoreError> {
        let bytes = fill.chunk.bytes();
        let range = bytes.start + writer.so_far()..bytes.end;
        let content = match begun {
            Some(content) => content,
            None => {
                let expected = range.end - range.start;
                let read = self.store.read(key, stamp, range);
                let (content, permit) = once(self, key, read).await?;
                watched(content, expected, permit)
            }
        };
        let mut content = content.ready_chunks(BATCH);
        while !writer.is_full()
            && let Some(batch) = content.next().await
        {
            let mut error = None;
            let mut chunks: Vec<Bytes> = Vec::with_capacity(batch.len());
            for chunk in batch {
                match chunk {
                    Ok(chunk) => chunks.push(chunk),
                    Err(why) => error = Some(why),
                }
            }
            writer.add(chunks).await?;
            if let Some(error) = error {
                return Err(error);
            }
        }
        if writer.is_full() {
            Ok(())
        } else {
            Err(StoreError::Broken("its answer was cut off".into()))
        }
    }
}

/// Asks once, if one may. Who has the answer says how it ended.
async fn once<T>(
    inner: &Inner,
    key: &str,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<(T, Permit), StoreError> {
    let permit = Permit::ask(&inner.objects, &inner.breaker(key), key)?;
    match answer.await {
        Ok(answer) => Ok((answer, permit)),
        Err(error) => {
            match &error {
                StoreError::Away(_) => permit.failed(),
                StoreError::Broken(_) => permit.broke(),
                // It was not asked.
                StoreError::Busy => drop(permit),
                _ => permit.answered(),
            }
            Err(error)
        }
    }
}

/// A chunk that somebody fetches; whoever waits for it is told also where that ends in the middle.
struct Underway {
    inner: Arc<Inner>,
    fill: Arc<Fill>,
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.inner.forget(&self.fill);
        self.fill.end(Err(StoreError::Away("this host failed to fetch it".into())));
    }
}

/// Runs until the chunk is there, or given up.
pub(super) async fn fetch(inner: Arc<Inner>, job: Job) {
    let Job { key, stamp, fill, begun, task } = job;
    let underway = Underway { inner: inner.clone(), fill: fill.clone() };
    let end = tokio::select! {
        () = inner.stop.cancelled() => Err(StoreError::Away("this server stops".into())),
        end = inner.whole((&key, stamp), &fill, begun) => end,
        () = inner.is_in_the_way(&key, &fill) => Err(StoreError::Busy),
        () = fill.is_left() => Err(StoreError::Busy),
    };
    if let Err(error) = &end {
        tracing::debug!(store = inner.store.name(), %error, "An object cannot be fetched.");
    }
    let lingers = end.is_ok() && fill.lingers();
    if !lingers {
        // It is on the shelf by now: who comes next finds it there.
        inner.forget(&fill);
    }
    fill.end(end);
    if lingers {
        let taken = async {
            while fill.lingers() {
                sleep(LINGERS / 50).await;
            }
        };
        let _ = timeout(LINGERS, taken).await;
    }
    drop((underway, task));
}
