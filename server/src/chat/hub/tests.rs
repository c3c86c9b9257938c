//! When things leave the hub, with the clock in our hands.

use std::{net::IpAddr, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{COUNT_EVERY, ChatHub, ChatRates, TICK};
use crate::chat::{Batch, Member};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

async fn hub() -> (ChatHub, Member) {
    let rate = "100000/1".parse().expect("a rate");
    let hub = ChatHub::start(ChatRates { person: rate, address: rate }, CancellationToken::new());
    let mut speaker = hub.enter(ADDRESS);
    speaker.join("ana", None).expect("a name");
    // The count of the newcomer has left by then.
    sleep(Duration::from_secs(2)).await;
    (hub, speaker)
}

fn events(batch: &Batch, member: &Member) -> Vec<Value> {
    let frame = batch.frame_for(member.socket()).expect("something for everybody");
    match serde_json::from_str(&frame).expect("JSON") {
        Value::Array(events) => events,
        event => vec![event],
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_in_quiet_leaves_at_once_and_under_load_in_batches() {
    let (_hub, mut speaker) = hub().await;
    let mut feed = speaker.snapshot().everybody;
    let start = Instant::now();
    speaker.say("uno", None, None).expect("said");
    let batch = feed.next().await.expect("no lag");
    assert_eq!((events(&batch, &speaker).len(), start.elapsed()), (1, Duration::ZERO));
    for number in 0..50 {
        speaker.say(&number.to_string(), None, None).expect("said");
    }
    let batch = feed.next().await.expect("no lag");
    assert_eq!(events(&batch, &speaker).len(), 50);
    assert!(start.elapsed() <= TICK * 2, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_newcomers_is_counted_a_few_times_and_right() {
    let (hub, watcher) = hub().await;
    let mut feed = watcher.snapshot().everybody;
    let start = Instant::now();
    let mut members = Vec::new();
    for _ in 0..200 {
        members.push(hub.enter(ADDRESS));
        sleep(Duration::from_millis(5)).await;
    }
    members.truncate(150);
    let mut counts = Vec::new();
    while let Ok(batch) = timeout(Duration::from_secs(2), feed.next()).await {
        counts.extend(events(&batch.expect("no lag"), &watcher));
    }
    assert_eq!(counts.last().expect("a count")["count"], 151);
    let most = 2 + start.elapsed().as_millis() / COUNT_EVERY.as_millis();
    assert!(counts.len() as u128 <= most, "{} counts", counts.len());
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_bounded_and_told_to_slow_down() {
    let (_hub, mut speaker) = hub().await;
    // Nothing leaves while nobody awaits, so the next batch fills.
    let refused = (0..5_000).filter(|_| speaker.say("x", None, None).is_err()).count();
    assert_eq!(refused, 5_000 - 2_048);
}
