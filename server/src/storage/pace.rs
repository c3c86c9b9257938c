//! Bodies of other servers as they come: each wait has an end, a body that only drips is none, and
//! nobody reads more of one than was asked for.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout};

use super::{Content, StoreError};

/// How long the next bytes of an answer may take to come.
const NEXT_BYTES: Duration = Duration::from_secs(5);
/// So long is waited for a body before it is judged how much of it came: a moment's halt is none.
const WINDOW: Duration = Duration::from_secs(8);
/// What has to come in each of those, in bytes: 4 KiB a second, less than any stream needs.
const LEAST: u64 = 32 << 10;

/// A body, and how it has come lately.
struct Paced<S> {
    body: S,
    /// Time that was spent waiting for it, and what came in that time.
    waited: Duration,
    came: u64,
}

/// A body whose end is an error where nothing comes for a while, or next to nothing for longer.
pub(super) fn paced<S, E>(body: S) -> Content
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    E: Send + 'static,
{
    let paced = Paced { body, waited: Duration::ZERO, came: 0 };
    let next = |paced: Option<Paced<S>>| async move {
        let mut paced = paced?;
        match paced.next().await? {
            Ok(bytes) => Some((Ok(bytes), Some(paced))),
            Err(why) => Some((Err(StoreError::Broken(why.to_owned())), None)),
        }
    };
    stream::unfold(Some(paced), next).boxed()
}

impl<S, E> Paced<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    async fn next(&mut self) -> Option<Result<Bytes, &'static str>> {
        let began = Instant::now();
        let next = timeout(NEXT_BYTES, self.body.next()).await;
        self.waited += began.elapsed();
        let bytes = match next {
            Ok(None) => return None,
            Ok(Some(Ok(bytes))) => bytes,
            Ok(Some(Err(_))) => return Some(Err("its answer was cut off")),
            Err(_) => return Some(Err("its answer came to a halt")),
        };
        self.came = self.came.saturating_add(bytes.len() as u64);
        if self.waited >= WINDOW {
            if self.came < LEAST {
                return Some(Err("its answer comes too slowly"));
            }
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
        Some(Ok(bytes))
    }
}

/// `length` bytes of a body behind its first `skip`; what comes after them is not read.
pub(super) fn part(content: Content, skip: u64, length: u64) -> Content {
    let next = |(mut content, mut skip, mut left): (Content, u64, u64)| async move {
        while left > 0 {
            let mut bytes = match content.next().await? {
                Ok(bytes) => bytes,
                Err(error) => return Some((Err(error), (content, skip, 0))),
            };
            let passed = index(skip).min(bytes.len());
            skip -= passed as u64;
            bytes = bytes.slice(passed..);
            bytes.truncate(index(left));
            if !bytes.is_empty() {
                left -= bytes.len() as u64;
                return Some((Ok(bytes), (content, skip, left)));
            }
        }
        None
    };
    stream::unfold((content, skip, length), next).boxed()
}

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use bytes::Bytes;
    use futures_util::{StreamExt, TryStreamExt, stream};
    use tokio::time::{Instant, sleep};

    use super::{paced, part};
    use crate::storage::{Content, StoreError};

    /// A body without an end: so many bytes after each pause.
    fn endless(bytes: usize, pause: Duration) -> Content {
        let body = stream::repeat_with(move || Ok::<_, io::Error>(Bytes::from(vec![7; bytes])));
        let body = body.then(move |chunk| async move {
            sleep(pause).await;
            chunk
        });
        paced(body.boxed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_ends_and_a_slow_one_goes_on() {
        let ended = |bytes, pause_ms| async move {
            let began = Instant::now();
            let body = endless(bytes, Duration::from_millis(pause_ms));
            let last = body.take(1000).try_for_each(|_| async { Ok(()) }).await;
            (last, began.elapsed().as_secs())
        };
        // A byte in four seconds, two hundred a second, a kilobyte a second.
        for (bytes, pause_ms) in [(1, 4000), (200, 1000), (256, 250)] {
            let (last, seconds) = ended(bytes, pause_ms).await;
            let why = last.expect_err("it never ends").to_string();
            assert!(why.contains("too slowly"), "{why}");
            assert!(seconds <= 13, "{bytes} bytes each {pause_ms} ms: {seconds} s");
        }
        // Eight kilobytes a second, and a halt of four seconds again and again.
        for (bytes, pause_ms) in [(8192, 1000), (100_000, 4000)] {
            assert_eq!(ended(bytes, pause_ms).await.0, Ok(()));
        }
        let (last, _) = ended(100_000, 6000).await;
        assert_eq!(last, Err(StoreError::Broken("its answer came to a halt".into())));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_read_than_was_asked_for() {
        let read = |skip, length| async move {
            let body = part(endless(1000, Duration::from_millis(1)), skip, length);
            let all: Vec<Bytes> = body.try_collect().await.expect("bytes");
            all.concat().len() as u64
        };
        for (skip, length) in [(0, 1), (0, 2500), (999, 2), (4321, 10_000), (0, 0)] {
            assert_eq!(read(skip, length).await, length);
        }
    }
}
