//! Asking a store: one request after another until it gives what is wanted, with pauses that grow
//! and differ between those who wait, and none at all while it is known to be away.

use std::{future::Future, sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::sleep;

use super::{
    Inner,
    fill::{Fill, Writer},
};
use crate::storage::{Content, StoreError, breaker::Breaker, disk::Stamp};

/// The first pause, and the longest.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often something is tried again that does not come on.
const AGAIN: usize = 3;
/// How often a piece is asked for in all, also where each answer brings a little of it.
const REQUESTS: usize = 16;
/// Chunks that are written at once if they are there at once.
const BATCH: usize = 16;

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE)
        .with_max_delay(PAUSE_MAX)
        .with_max_times(AGAIN)
        .with_jitter()
        .build()
}

impl Inner {
    /// Asks, and asks again while that may help. Only for what changes nothing.
    pub(super) async fn patiently<T, F>(
        &self,
        key: &str,
        ask: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let breaker = self.breaker(key);
        let mut pauses = pauses();
        loop {
            let error = match once(&breaker, ask()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match pauses.next().filter(|_| error.is_away() && breaker.is_closed()) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// Fetches a piece and puts it on the shelf. `begun` is an answer with its first bytes, where one
    /// is there already.
    async fn whole(
        &self,
        key: &str,
        stamp: Stamp,
        fill: &Arc<Fill>,
        mut begun: Option<Content>,
    ) -> Result<(), StoreError> {
        let shelf = self.shelf.clone();
        let mut writer = Writer::begin(fill.clone(), shelf).await?;
        let Ok(_turn) = self.fetches.acquire().await else { return Ok(()) };
        let mut pauses = pauses();
        for _ in 0..REQUESTS {
            let before = writer.so_far();
            let error = match self.part(key, stamp, fill, &mut writer, begun.take()).await {
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

    /// One request for what is missing of a piece.
    async fn part(
        &self,
        key: &str,
        stamp: Stamp,
        fill: &Fill,
        writer: &mut Writer,
        begun: Option<Content>,
    ) -> Result<(), StoreError> {
        let bytes = fill.piece.bytes();
        let range = bytes.start + writer.so_far()..bytes.end;
        let content = match begun {
            Some(content) => content,
            None => once(&self.breaker(key), self.store.read(key, stamp, range)).await?,
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
            Err(StoreError::Away("its answer was cut off".into()))
        }
    }
}

/// Asks once, if one may.
async fn once<T>(
    breaker: &Breaker,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let away = |_| StoreError::Away("it did not answer a moment ago".into());
    let leave = breaker.ask().map_err(away)?;
    let answer = answer.await;
    match &answer {
        Err(error) if error.is_away() => leave.failed(),
        _ => leave.answered(),
    }
    answer
}

/// Runs until the piece is there, or given up.
pub(super) async fn fetch(
    inner: Arc<Inner>,
    key: String,
    stamp: Stamp,
    fill: Arc<Fill>,
    begun: Option<Content>,
) {
    let end = tokio::select! {
        () = inner.stop.cancelled() => Err(StoreError::Away("this server stops".into())),
        end = inner.whole(&key, stamp, &fill, begun) => end,
    };
    if let Err(error) = &end {
        tracing::debug!(store = inner.store.name(), %error, "An object cannot be fetched.");
    }
    // It is on the shelf by now: who comes next finds it there.
    inner.fills().remove(&fill.piece);
    fill.end(end);
}
