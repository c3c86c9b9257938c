//! When things leave the hub, with the clock in our hands.

use std::{net::IpAddr, time::Duration};

use app::catalog::ChannelId;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{COUNT_EVERY, ChatHub, ChatRates, TICK};
use crate::chat::{Batch, Member, ReactionKind, Refusal};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn canal() -> ChannelId {
    ChannelId::parse("canal").expect("an id")
}

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

/// Fills everybody's next batch, which does not leave while nobody awaits.
fn fill(speaker: &mut Member) {
    while speaker.say("x", None, None).is_ok() {}
}

#[tokio::test(start_paused = true)]
async fn a_refused_like_is_not_given_and_not_taken_back_by_the_next() {
    let (hub, mut speaker) = hub().await;
    let mut named = hub.enter(ADDRESS);
    named.join("eva", None).expect("a name");
    let mut nameless = hub.enter(ADDRESS);
    sleep(Duration::from_secs(2)).await;
    for member in [&mut named, &mut nameless] {
        fill(&mut speaker);
        let before = hub.totals();
        // More often than a person may, which is not counted either.
        for _ in 0..50 {
            let refused = member.react(ReactionKind::Like, canal(), 3.0);
            assert!(matches!(refused, Err(Refusal::SlowDown(_))), "{refused:?}");
        }
        assert_eq!(hub.totals(), before);
        sleep(TICK * 2).await;
        let mut feed = member.snapshot().everybody;
        member.react(ReactionKind::Like, canal(), 3.0).expect("there is room");
        let batch = feed.next().await.expect("no lag");
        let like = events(&batch, member).pop().expect("a like");
        assert_eq!(like["on"], true, "{like}");
        assert_eq!(hub.totals().reactions, before.reactions + 1);
        sleep(TICK * 2).await;
    }
    let (history, _) = named.watch(&canal());
    assert!(history.contains("\"likes\":2"), "{history}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_not_counted_and_takes_no_id() {
    let (hub, mut speaker) = hub().await;
    let rate = "10/1".parse().expect("a rate");
    hub.lock().rates.person = rate;
    for room in [None, Some(canal())] {
        let mut filler = hub.enter(ADDRESS);
        filler.join("eva", None).expect("a name");
        hub.lock().rates.person = "100000/1".parse().expect("a rate");
        while filler.say("x", room.clone(), None).is_ok() {}
        hub.lock().rates.person = rate;
        let (before, id) = (hub.totals(), hub.lock().last_id);
        for _ in 0..50 {
            let refused = speaker.say("y", room.clone(), Some("mark"));
            assert!(matches!(refused, Err(Refusal::SlowDown(_))), "{refused:?}");
        }
        assert_eq!((hub.totals(), hub.lock().last_id), (before, id), "{room:?}");
        drop(filler);
        sleep(Duration::from_secs(2)).await;
        // Nothing of the person's rate was spent, and the mark was not remembered.
        let said = hub.totals().messages;
        for mark in ["mark", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            speaker.say("y", room.clone(), Some(mark)).expect("there is room");
        }
        assert_eq!(hub.totals().messages, said + 10);
        // Longer than a mark is remembered.
        sleep(Duration::from_secs(120)).await;
    }
}
