//! The cache before a bucket: how often the store is asked, what is served while it fails, and what
//! becomes of files that somebody spoils.

use std::{
    fs,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode};
use carrete::{
    cache::{CachedStore, DiskCache, Opened},
    storage::{Store as _, StoreError, local::FileVersion, s3::Bucket},
};
use futures_util::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::sync::CancellationToken;

use crate::{
    bucket::Store,
    fixtures::{Streams, playlist, rounds, segment},
};

const MANY: u64 = 1 << 30;

/// Bytes that are nowhere the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

async fn stamp(store: &Store, key: &str) -> FileVersion {
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    let list = bucket.list().await.expect("a list");
    list.into_iter().find(|object| object.key == key).expect("listed").stamp
}

async fn read(
    edge: &CachedStore,
    key: &str,
    stamp: FileVersion,
    first: u64,
    end: u64,
) -> Result<Vec<u8>, String> {
    match edge.open(key, stamp, first..end).await.map_err(|error| error.to_string())? {
        Opened::File(file) => {
            let mut file = tokio::fs::File::from_std(file);
            let mut bytes = Vec::new();
            file.seek(std::io::SeekFrom::Start(first)).await.map_err(|error| error.to_string())?;
            let read = file.take(end - first).read_to_end(&mut bytes).await;
            read.map(|_| bytes).map_err(|error| error.to_string())
        }
        Opened::Stream(mut stream) => {
            let mut bytes = Vec::new();
            while let Some(chunk) = stream.try_next().await.map_err(|error| error.to_string())? {
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        }
    }
}

async fn check(edge: &CachedStore, key: &str, stamp: FileVersion, expected: &[u8]) {
    let bytes = read(edge, key, stamp, 0, stamp.size).await.expect("bytes");
    assert!(bytes == expected, "other bytes than those in the store");
}

/// Waits until an object is on the shelf: who reads it has its last bytes a moment earlier.
async fn kept(edge: &CachedStore, key: &str, stamp: FileVersion) {
    let began = Instant::now();
    while edge.kept(key, &stamp.version()).is_none() {
        assert!(began.elapsed() < Duration::from_secs(10), "{key} is not kept");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_cold_readers_cause_one_request() {
    let store = Store::new().await;
    let bytes = noise(2 << 20);
    store.write("a/0.ts", &bytes);
    let stamp = stamp(&store, "a/0.ts").await;
    store.mood.latency_ms.store(100, Ordering::Relaxed);
    let edge = store.edge(MANY);
    let readers: Vec<_> = (0..500_usize)
        .map(|n| {
            let (edge, bytes) = (edge.clone(), bytes.clone());
            tokio::spawn(async move {
                let (first, end) = if n % 2 == 0 {
                    (0, stamp.size)
                } else {
                    (n as u64 * 1000, n as u64 * 1000 + 999)
                };
                let got = read(&edge, "a/0.ts", stamp, first, end).await.expect("bytes");
                let at = |n: u64| usize::try_from(n).expect("small");
                assert!(got == bytes[at(first)..at(end)], "reader {n}");
            })
        })
        .collect();
    for reader in readers {
        reader.await.expect("a reader");
    }
    assert_eq!(store.mood.reads_of("a/0.ts"), 1);
    check(&edge, "a/0.ts", stamp, &bytes).await;
    assert_eq!(store.mood.reads(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_answers_are_joined_and_wrong_lengths_refused() {
    let store = Store::new().await;
    let bytes = noise(1 << 20);
    store.write("a/0.ts", &bytes);
    store.write("a/1.ts", &bytes);
    let (first, second) = (stamp(&store, "a/0.ts").await, stamp(&store, "a/1.ts").await);
    let edge = store.edge(MANY);
    store.mood.cut_after.store(300_000, Ordering::Relaxed);
    store.mood.cuts.store(3, Ordering::Relaxed);
    check(&edge, "a/0.ts", first, &bytes).await;
    assert!(store.mood.reads() >= 3, "{} requests", store.mood.reads());
    store.mood.short_by.store(1, Ordering::Relaxed);
    assert!(read(&edge, "a/1.ts", second, 0, second.size).await.is_err());
    store.mood.short_by.store(0, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    check(&edge, "a/1.ts", second, &bytes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_state_than_the_listed_one_is_never_served() {
    let store = Store::new().await;
    store.write("a/0.ts", noise(5000));
    let listed = stamp(&store, "a/0.ts").await;
    store.write("a/0.ts", noise(4999));
    let edge = store.edge(MANY);
    let error = edge.open("a/0.ts", listed, 0..4999).await.err();
    assert_eq!(error, Some(StoreError::Changed));
    fs::remove_file(store.path("a/0.ts")).expect("removed");
    let error = edge.open("a/0.ts", listed, 0..4999).await.err();
    assert_eq!(error, Some(StoreError::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_outlives_a_restart_and_the_store() {
    let store = Store::new().await;
    let bytes = noise(300_000);
    store.write("a/0.ts", &bytes);
    let stamp = stamp(&store, "a/0.ts").await;
    let before = store.edge(MANY);
    check(&before, "a/0.ts", stamp, &bytes).await;
    kept(&before, "a/0.ts", stamp).await;
    store.mood.down.store(true, Ordering::Relaxed);
    let edge = store.edge(MANY);
    edge.shelf().rescan();
    check(&edge, "a/0.ts", stamp, &bytes).await;
    assert_eq!(edge.kept("a/0.ts", &stamp.version()).map(|kept| kept.size), Some(stamp.size));
    assert!(edge.kept_any("a/0.ts").is_some() && edge.kept_any("a/1.ts").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn spoilt_files_are_fetched_again() {
    let store = Store::new().await;
    let bytes = noise(300_000);
    store.write("a/0.ts", &bytes);
    let stamp = stamp(&store, "a/0.ts").await;
    let edge = store.edge(MANY);
    let file = || {
        let mut entries = fs::read_dir(store.cache()).expect("a cache").flatten();
        entries.next().expect("one file").path()
    };
    check(&edge, "a/0.ts", stamp, &bytes).await;
    let spoil: [&dyn Fn(); 5] = [
        &|| fs::write(file(), noise(1000)).expect("cut short"),
        &|| {
            let mut spoilt = fs::read(file()).expect("read");
            spoilt[150_000] ^= 1;
            fs::write(file(), spoilt).expect("written over");
        },
        &|| fs::remove_file(file()).expect("removed"),
        &|| fs::remove_dir_all(store.cache()).expect("removed"),
        &|| {
            fs::remove_dir_all(store.cache()).expect("removed");
            fs::write(store.cache(), "a file where the folder was").expect("written");
        },
    ];
    for (n, spoil) in spoil.into_iter().enumerate() {
        kept(&edge, "a/0.ts", stamp).await;
        // Another time of writing, also where the clock of files is coarse.
        tokio::time::sleep(Duration::from_millis(20)).await;
        spoil();
        check(&edge, "a/0.ts", stamp, &bytes).await;
        assert_eq!(store.mood.reads(), n + 2, "spoilt in way {n}");
    }
    // The same after a restart.
    fs::remove_file(store.cache()).expect("removed");
    let began = Instant::now();
    while edge.kept("a/0.ts", &stamp.version()).is_none() {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing is kept any more");
        check(&edge, "a/0.ts", stamp, &bytes).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut spoilt = fs::read(file()).expect("read");
    spoilt[7] ^= 1;
    fs::write(file(), spoilt).expect("written over");
    let next = store.edge(MANY);
    next.shelf().rescan();
    check(&next, "a/0.ts", stamp, &bytes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_keeps_within_its_bounds() {
    let store = Store::new().await;
    let edge = store.edge(1_000_000);
    for n in 0..20 {
        store.write(&format!("a/{n}.ts"), noise(200_000 + n));
    }
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    for object in bucket.list().await.expect("a list") {
        let length = usize::try_from(object.stamp.size).expect("small");
        check(&edge, &object.key, object.stamp, &noise(length)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(edge.shelf().bytes() <= 1_000_000, "{}", edge.shelf().bytes());
    let files = fs::read_dir(store.cache()).expect("a cache").flatten();
    let on_disk: u64 = files.map(|file| file.metadata().expect("a file").len()).sum();
    assert!(on_disk <= 1_100_000, "{on_disk} bytes on disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_last_is_kept() {
    let store = Store::new().await;
    let edge = store.edge(1_000_000);
    for n in 0..30 {
        store.write(&format!("a/{n}.ts"), noise(200_000 + n));
    }
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    for object in bucket.list().await.expect("a list") {
        // Those that were watched again and again go too, when nobody does any more.
        for _ in 0..5 {
            read(&edge, &object.key, object.stamp, 0, object.stamp.size).await.expect("bytes");
        }
        kept(&edge, &object.key, object.stamp).await;
    }
    assert!(edge.shelf().bytes() <= 1_000_000, "{}", edge.shelf().bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_in_a_film_fetches_its_part_alone() {
    let store = Store::new().await;
    let bytes = noise(20 << 20);
    store.write("film.mp4", &bytes);
    let stamp = stamp(&store, "film.mp4").await;
    let edge = store.edge(MANY);
    let seek = async |at: usize, length: usize| {
        let (first, end) = (at as u64, (at + length) as u64);
        let got = read(&edge, "film.mp4", stamp, first, end).await.expect("bytes");
        assert!(got == bytes[at..at + length]);
    };
    // Who wants a byte of the third part of five may want nothing else.
    seek(9 << 20, 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(store.mood.reads(), 1, "requests");
    // Near its end the next is fetched too.
    seek((12 << 20) - 5000, 5000).await;
    let began = Instant::now();
    while store.mood.reads() < 2 {
        assert!(began.elapsed() < Duration::from_secs(5), "nothing is fetched ahead");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    check(&edge, "film.mp4", stamp, &bytes).await;
    assert_eq!(store.mood.reads(), 5, "one for each part");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_is_left_alone_and_found_again() {
    let store = Store::new().await;
    for n in 0..40 {
        store.write(&format!("a/{n}.ts"), noise(1000 + n));
    }
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    let objects = bucket.list().await.expect("a list");
    let edge = store.edge(MANY);
    store.mood.down.store(true, Ordering::Relaxed);
    for object in &objects {
        let began = Instant::now();
        assert!(edge.open(&object.key, object.stamp, 0..10).await.is_err());
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    assert!(store.mood.reads() < 20, "{} requests for 40 readers", store.mood.reads());
    store.mood.down.store(false, Ordering::Relaxed);
    let began = Instant::now();
    while edge.open(&objects[0].key, objects[0].stamp, 0..10).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it is not found again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_wrong_is_served_while_the_store_comes_and_goes() {
    let store = Store::new().await;
    for n in 0..30 {
        store.write(&format!("a/{n}.ts"), noise(40_000 + n));
    }
    let bucket = Bucket::new(&store.settings).expect("a bucket");
    let objects = bucket.list().await.expect("a list");
    // Room for a few of them only: the rest is fetched again and again.
    let edge = store.edge(200_000);
    store.mood.cut_after.store(15_000, Ordering::Relaxed);
    let calm = CancellationToken::new();
    let mut readers = Vec::new();
    for n in 0..8_usize {
        let (edge, objects, calm) = (edge.clone(), objects.clone(), calm.clone());
        readers.push(tokio::spawn(async move {
            let (mut served, mut turn) = (0, 0);
            while !calm.is_cancelled() {
                turn += 1;
                let object = &objects[(n * 7 + turn * 11) % objects.len()];
                let length = usize::try_from(object.stamp.size).expect("small");
                if let Ok(bytes) =
                    read(&edge, &object.key, object.stamp, 0, object.stamp.size).await
                {
                    assert!(bytes == noise(length), "{}", object.key);
                    served += 1;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            served
        }));
    }
    for _ in 0..rounds(4) {
        store.mood.cuts.store(20, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(200)).await;
        store.mood.down.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(150)).await;
        store.mood.down.store(false, Ordering::Relaxed);
    }
    store.mood.cuts.store(0, Ordering::Relaxed);
    let began = Instant::now();
    for object in &objects {
        let (key, stamp) = (&object.key, object.stamp);
        while let Err(why) = read(&edge, key, stamp, 0, stamp.size).await {
            assert!(began.elapsed() < Duration::from_secs(40), "{key} is not found again: {why}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    calm.cancel();
    let mut served = 0;
    for reader in readers {
        served += reader.await.expect("a reader that saw nothing wrong");
    }
    assert!(served > 0, "nothing was served at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_next_is_there_before_it_is_asked_for() {
    let (streams, store) = (Streams::new(), Store::new().await);
    for n in 0..3 {
        store.write(&format!("b/playlist{n}.ts"), segment(n));
    }
    store.write("b/playlist.m3u8", playlist(0..3, true));
    let app = streams.app_with(vec![store.source()]).await;
    app.until_ids(&["b"]).await;
    let head = app.ask(Method::HEAD, "/streams/b/playlist0.ts", &[]).await;
    assert_eq!(head.status, StatusCode::OK);
    app.get("/streams/b/playlist0.ts").await;
    let began = Instant::now();
    while store.mood.reads_of("playlist1.ts") == 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "the second is not fetched");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    store.mood.down.store(true, Ordering::Relaxed);
    assert_eq!(app.get("/streams/b/playlist1.ts").await.body, segment(1));
    assert_eq!(store.mood.reads_of("playlist1.ts"), 1);
}

#[test]
fn a_shelf_leaves_the_files_of_others_alone() {
    let home = tempfile::tempdir().expect("a folder");
    for name in ["notes.txt", ".tmp-1-1", "00000000000000aa-5-00000000000000bb-0"] {
        fs::write(home.path().join(name), "x").expect("written");
    }
    DiskCache::new(home.path(), MANY).rescan();
    let names: Vec<_> = fs::read_dir(home.path()).expect("a folder").flatten().collect();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].file_name(), "notes.txt");
}
