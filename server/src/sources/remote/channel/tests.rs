use std::{future::pending, ops::Range, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, RemoteChannel};
use crate::{
    cache::{CachedStore, DiskCache},
    storage::{Answer, Content, Object, Page, Store, StoreError, Tag, local::FileVersion},
};

/// A server that takes every question and answers none.
#[derive(Debug)]
struct Silent;

impl Store for Silent {
    fn name(&self) -> &'static str {
        "video"
    }

    fn label(&self) -> String {
        "a silent server".into()
    }

    fn identity(&self) -> String {
        "silent".into()
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        pending().boxed()
    }

    fn read(&self, _: &str, _: FileVersion, _: Range<u64>) -> Answer<'_, Content> {
        pending().boxed()
    }

    fn page(&self, _: &str, _: Option<&Tag>) -> Answer<'_, Option<Page>> {
        pending().boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_ends_with_this_server() {
    let stop = CancellationToken::new();
    let edge = CachedStore::new(Arc::new(Silent), DiskCache::nowhere(), stop.clone());
    let address = "http://tv.example/f/playlist.m3u8";
    let distant = RemoteChannel::new(edge.clone(), address.to_owned(), false, None);
    let waits = tokio::spawn(async move {
        let began = Instant::now();
        (distant.playlist("playlist.m3u8", address).await.map(drop), began.elapsed())
    });
    sleep(Duration::from_millis(100)).await;
    assert_eq!(edge.underway(), 1);
    stop.cancel();
    let (told, took) = waits.await.expect("no panic");
    assert!(matches!(told, Err(StoreError::Away(_))), "{told:?}");
    assert!(took < PATIENCE / 2, "{took:?}");
    assert_eq!(edge.underway(), 0, "the question goes on");
}
