//! A store that is made of nothing: objects as long as it claims, whose bytes tell their place, and
//! which come when it is told to let them.

use std::{ops::Range, sync::Mutex, time::Duration};

use bytes::Bytes;
use carrete::storage::{Answer, Content, Object, Store, StoreError, local::FileVersion};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::{Instant, sleep};

/// Bytes that come at once.
const CHUNK: u64 = 64 << 10;

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// The bytes come after so long.
    After(Duration),
    /// Half of them come, and the others after so long.
    HalfAfter(Duration),
    /// The store says that it is unwell.
    Fail,
}

type Acts = dyn Fn(&str, u64, Duration) -> Act + Send + Sync;

/// The store.
pub(crate) struct Films {
    began: Instant,
    /// By key, the first byte that is wanted, and the time since the beginning.
    acts: Box<Acts>,
    reads: Mutex<Vec<(String, Range<u64>)>>,
}

impl std::fmt::Debug for Films {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("films")
    }
}

impl Films {
    pub(crate) fn new(acts: impl Fn(&str, u64, Duration) -> Act + Send + Sync + 'static) -> Self {
        Self { began: Instant::now(), acts: Box::new(acts), reads: Mutex::default() }
    }

    /// From where on a film was asked for, again and again.
    pub(crate) fn reads_of(&self, key: &str) -> Vec<u64> {
        let reads = self.reads.lock().expect("no test panicked here");
        reads.iter().filter(|(read, _)| read == key).map(|(_, range)| range.start).collect()
    }
}

/// The byte at this place of any film.
pub(crate) fn byte_at(at: u64) -> u8 {
    u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xFF).expect("a byte")
}

/// A film of so many bytes.
pub(crate) fn stamp(size: u64) -> FileVersion {
    FileVersion::tagged(size, 0, Some("a film"))
}

fn bytes(range: Range<u64>) -> Content {
    let next = move |at: u64| async move {
        let end = range.end.min(at.saturating_add(CHUNK));
        (at < end).then(|| (Ok((at..end).map(byte_at).collect::<Bytes>()), end))
    };
    stream::unfold(range.start, next).boxed()
}

impl Store for Films {
    fn name(&self) -> &'static str {
        "films"
    }

    fn label(&self) -> String {
        "films of nothing".into()
    }

    fn identity(&self) -> String {
        "films".into()
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn read(&self, key: &str, _: FileVersion, range: Range<u64>) -> Answer<'_, Content> {
        self.reads.lock().expect("no test panicked here").push((key.to_owned(), range.clone()));
        let act = (self.acts)(key, range.start, self.began.elapsed());
        async move {
            match act {
                Act::Fail => Err(StoreError::Away("it is unwell".into())),
                Act::After(pause) => {
                    sleep(pause).await;
                    Ok(bytes(range))
                }
                Act::HalfAfter(pause) => {
                    let half = range.start + (range.end - range.start) / 2;
                    let later = stream::once(sleep(pause));
                    let later = later.flat_map(move |()| bytes(half..range.end));
                    Ok(bytes(range.start..half).chain(later).boxed())
                }
            }
        }
        .boxed()
    }
}
