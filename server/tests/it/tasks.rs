//! What becomes of a part of the server that fails: it is told, and it begins again.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::catalog::Source;
use carrete::{
    cache::{CachedStore, DiskCache},
    clock::Clock,
    sources::{self, BucketConfig},
    storage::{Answer, Content, Object, Store, local::FileVersion, s3::Bucket},
    tasks::Tasks,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    bucket,
    fixtures::{Streams, playlist, segment},
    program::carrete_verb,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A bucket, and a fault of ours in what asks it for the second time.
#[derive(Debug)]
struct Fragile {
    bucket: Bucket,
    lists: AtomicUsize,
}

impl Store for Fragile {
    fn name(&self) -> &'static str {
        self.bucket.name()
    }

    fn label(&self) -> String {
        self.bucket.label()
    }

    fn identity(&self) -> String {
        self.bucket.identity()
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        assert!(self.lists.fetch_add(1, Ordering::SeqCst) != 1, "on purpose");
        self.bucket.list()
    }

    fn read(&self, key: &str, stamp: FileVersion, range: Range<u64>) -> Answer<'_, Content> {
        self.bucket.read(key, stamp, range)
    }
}

fn film(store: &bucket::Store, id: &str) {
    for n in 0..3 {
        store.write(&format!("{id}/playlist{n}.ts"), segment(n));
    }
    store.write(&format!("{id}/playlist.m3u8"), playlist(0..3, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_task_failed_is_told_and_goes_on() {
    let (streams, store, stop) =
        (Streams::new(), bucket::Store::new().await, CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    film(&store, "a");
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    let fragile = Arc::new(Fragile { bucket, lists: AtomicUsize::new(0) });
    let shelf = DiskCache::new(&streams.folders().data.join("cache"), 1 << 30);
    let edge = CachedStore::new(fragile.clone(), shelf, stop.clone());
    let refresh = Duration::from_millis(200);
    let source = BucketConfig { edge, source: Source::S3, refresh };
    let tasks = Tasks::new(stop.clone());
    let catalog =
        sources::start(&streams.folders(), vec![source.into()], Clock::SYSTEM, tasks.clone());
    let catalog = catalog.expect("a list").catalog().clone();
    let listed = |ids: &[&str]| {
        let snapshot = catalog.current().unwrap_or_default();
        snapshot.media().iter().map(|media| media.id.as_str()).eq(ids.iter().copied())
    };
    let began = Instant::now();
    while tasks.ended().is_empty() {
        assert!(began.elapsed() < PATIENCE, "nobody is told");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tasks.ended(), ["bucket_task_ended"]);
    // What was known of it stays, and what is new there comes.
    assert!(listed(&["a"]));
    film(&store, "b");
    while !listed(&["a", "b"]) {
        assert!(began.elapsed() < PATIENCE, "it does not go on");
        sleep(Duration::from_millis(10)).await;
    }
    while !tasks.ended().is_empty() {
        assert!(began.elapsed() < PATIENCE, "it is not well again");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(fragile.lists.load(Ordering::SeqCst) > 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_beyond_all_measure_stop_the_start_with_one_line() {
    let streams = Streams::new();
    for (name, value) in [
        ("SOURCE_REFRESH_S", "18446744073709551615"),
        ("SOURCE_REFRESH_S", "9223372036854775807"),
        ("SOURCE_REFRESH_S", "0"),
        ("SOURCE_REFRESH_S", "-1"),
        ("CACHE_MAX_BYTES", "18446744073709551615"),
        ("CACHE_MAX_BYTES", "17179869184G"),
        ("CHAT_RATE", "4294967295/4294967295"),
        ("CHAT_RATE", "5/0"),
        ("CHAT_RATE_ADDRESS", "99999999999/1"),
        ("PORT", "65536"),
    ] {
        let output = carrete_verb(&["serve"], &streams, &[(name, value)]).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}={value}: {said}");
        assert!(said.starts_with(&format!("carrete: {name} cannot be ")), "{name}={value}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
