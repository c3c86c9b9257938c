//! The server functions, as a page asks them: each mistake has its status, and no answer tells how it was read.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    catalog::{Catalog, Order, discover},
    error::AppError,
};
use carrete::sources;
use carrete::{catalog::CatalogHandle, clock::Clock};
use leptos::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::{fixtures::Streams, program::carrete};

/// Longer than any first look takes.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn channels_answers_each_mistake_with_its_status() {
    let streams = Streams::new();
    streams.channel("dos");
    streams.channel("uno");
    let running = carrete(&streams).await;
    let client = crate::web::client();
    let ask = async |query: &str| {
        let answer = client.get(format!("{}/api/fn/channels{query}", running.base)).send().await;
        let answer = answer.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    };
    let began = Instant::now();
    while ask("?anchor=%3Duno&before=1&after=1").await.0 != 200 {
        assert!(began.elapsed() < PATIENCE, "the channel is not listed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (query, status, part) in [
        ("?anchor=first&before=1&after=1", 200, "\"total\":2"),
        ("?anchor=first&before=4294967295&after=4294967295", 200, "\"total\":2"),
        ("?anchor=%2F999&before=0&after=0", 200, "\"offset\":1"),
        ("?order=newest&anchor=last&before=0&after=0", 200, "\"order\":\"newest\""),
        ("?anchor=%3Dtres&before=1&after=1", 404, "NotFound"),
        ("?anchor=&before=1&after=1", 400, "BadRequest"),
        ("?anchor=%3D..%2Fx&before=1&after=1", 400, "BadRequest"),
        ("?anchor=%2Fx&before=1&after=1", 400, "a place is a number"),
        ("?order=wrong&anchor=first&before=1&after=1", 400, "an order is"),
        ("?anchor=first&before=-1&after=1", 400, "whole numbers"),
        ("?anchor=first&before=x&after=1", 400, "whole numbers"),
        ("?anchor=first&before=99999999999&after=1", 400, "whole numbers"),
        ("?anchor=first", 400, "whole numbers"),
        ("", 400, "whole numbers"),
    ] {
        let (answered, body) = ask(query).await;
        assert_eq!(answered, status, "{query}: {body}");
        assert!(body.contains(part), "{query}: {body}");
        assert!(!body.contains("deserial"), "{query}: {body}");
    }
    let nothing = client.get(format!("{}/api/fn/nothing", running.base)).send().await;
    assert_eq!(nothing.expect("an answer").status(), 404);
}

#[tokio::test]
async fn before_the_first_look_the_list_is_not_there() {
    let streams = Streams::new();
    streams.channel("uno");
    let shutdown = CancellationToken::new();
    let _stop = shutdown.clone().drop_guard();
    // The task that looks has its first turn at the first await below.
    let handle = sources::start(&streams.folders(), Vec::new(), Clock::SYSTEM, shutdown);
    let handle = handle.expect("a catalogue").catalog().clone();
    for anchor in ["first", "last", "/0", "=uno", "=dos"] {
        assert_eq!(ask(&handle, anchor), Err(AppError::Unavailable), "{anchor}");
    }
    let began = Instant::now();
    while handle.current().is_none() {
        assert!(began.elapsed() < PATIENCE, "nothing was looked at");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ask(&handle, "=uno"), Ok(1));
    assert_eq!(ask(&handle, "=dos"), Err(AppError::NotFound));
}

/// How many channels there are, where the function answers.
fn ask(handle: &CatalogHandle, anchor: &str) -> Result<u32, AppError> {
    let catalog: Arc<dyn Catalog> = Arc::new(handle.clone());
    Owner::new().with(|| {
        provide_context(catalog);
        discover(Order::Feed, anchor, 1, 1).map(|window| window.total)
    })
}
