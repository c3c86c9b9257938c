use std::{net::SocketAddr, time::Duration};

use tokio::time::advance;

use super::{Bounds, Connections, Held, Place};
use crate::config::List;

fn peer(address: &str) -> SocketAddr {
    format!("{address}:4000").parse().expect("an address")
}

fn connections(open: usize, of_one: usize) -> Connections {
    let trusted = vec!["10.0.0.0/8".parse().expect("a network")];
    let bounds = Bounds { open, of_one, answers: 4, answers_of_one: 2 };
    Connections::new(bounds, List(trusted))
}

#[test]
fn a_lan_behind_one_address_has_room_where_the_system_has() {
    let of = Bounds::of_descriptors;
    assert!(of(20_000).of_one >= 10_000 && of(20_000).open < 16_000);
    assert!(of(1 << 40).open <= 32_768 && of(1 << 40).of_one > 20_000);
    for limit in [64, 256, 1_024, 4_096, 20_000, 1_048_576] {
        let Bounds { open, of_one, answers, answers_of_one } = of(limit);
        assert!(answers_of_one >= 4 && answers_of_one < answers, "{limit}: {answers_of_one}");
        let [open, answers] = [open, answers].map(|count| u64::try_from(count).expect("few"));
        assert!(open + answers <= limit, "{limit}: {open} sockets and {answers} files");
        assert!(limit < 1_024 || open + answers <= limit - super::OWN, "{limit}: none for itself");
        assert!(open * 2 <= limit * 3 / 2 && limit - open >= limit / 4, "{limit}: {open}");
        assert!(of_one >= 4 && (of_one as u64) < open, "{limit}: {of_one} of {open}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_address_never_has_all_places_and_a_proxy_may() {
    let all = connections(10, 6);
    let own: Vec<Place> = (0..6).filter_map(|_| all.enter(peer("192.168.1.5"))).collect();
    assert_eq!(own.len(), 6);
    let busy: Vec<_> = own.iter().map(|place| place.sitter().busy()).collect();
    advance(Duration::from_secs(5)).await;
    assert!(all.enter(peer("192.168.1.5")).is_none(), "its share is full");
    assert!(all.enter(peer("[::ffff:192.168.1.5]")).is_none(), "however it writes its address");
    let others: Vec<_> = (0..4).filter_map(|_| all.enter(peer("10.1.2.3"))).collect();
    assert_eq!(others.len(), 4);
    drop((busy, own));
    let proxied: Vec<_> = (0..9).filter_map(|_| all.enter(peer("10.1.2.3"))).collect();
    assert_eq!(proxied.len(), 6, "a proxy has as many as there are");
}

/// An answer that is being sent.
fn send(place: &Place) -> bool {
    let busy = place.sitter().busy();
    let may = busy.may_send();
    drop(busy);
    may
}

#[tokio::test(start_paused = true)]
async fn one_address_never_has_all_answers() {
    let all = connections(20, 10);
    let enter = |address| all.enter(peer(address)).expect("a place");
    let own: Vec<Place> = (0..4).map(|_| enter("192.168.1.5")).collect();
    assert_eq!([&own[0], &own[1], &own[2]].map(send), [true, true, false]);
    assert!(send(&own[0]), "the next over the same connection holds no more");
    let other = [enter("192.168.1.6"), enter("192.168.1.7"), enter("192.168.1.8")];
    assert_eq!([&other[0], &other[1], &other[2]].map(send), [true, true, false], "in all");
    // What is refused is over at once; what is sent is when it has left.
    own[2].all_is_written();
    assert!(!send(&own[2]));
    own[0].all_is_written();
    assert!(send(&own[2]));
    drop(other);
    assert!(send(&enter("192.168.1.9")));
    // A proxy has as many as there are.
    drop(own);
    let proxied: Vec<Place> = (0..6).map(|_| enter("10.1.2.3")).collect();
    assert_eq!(proxied.iter().filter(|place| send(place)).count(), 4);
    drop(proxied);
    assert!(all.taken().answers == 0 && all.taken().answers_of.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_takes_an_answer_slowly_gives_no_way() {
    let all = connections(1, 1);
    let slow = all.enter(peer("192.0.2.1")).expect("a place");
    assert!(send(&slow), "all of it is handed to HTTP");
    advance(Duration::from_secs(60)).await;
    assert!(all.enter(peer("192.0.2.2")).is_none(), "it is still being sent");
    slow.all_is_written();
    assert!(all.enter(peer("192.0.2.2")).is_none(), "it has left only now");
    advance(Duration::from_millis(400)).await;
    // A request that comes byte by byte is none yet.
    slow.all_is_written();
    advance(Duration::from_millis(200)).await;
    assert!(all.enter(peer("192.0.2.2")).is_some());
}

#[tokio::test(start_paused = true)]
async fn without_descriptors_anybody_idle_gives_way() {
    let all = connections(10, 9);
    let greedy: Vec<Place> = (0..3).filter_map(|_| all.enter(peer("192.0.2.1"))).collect();
    let _asked: Vec<_> = greedy.iter().map(|place| place.sitter().busy()).collect();
    let idle = all.enter(peer("192.0.2.2")).expect("a place");
    advance(Duration::from_secs(1)).await;
    all.make_room();
    assert!(idle.sitter().seat.gives_way.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn networks_count_as_one_host() {
    let all = connections(10, 2);
    let held = [all.enter(peer("[2001:db8::1]")), all.enter(peer("[2001:db8::2]"))];
    assert!(held.iter().all(Option::is_some));
    assert!(all.enter(peer("[2001:db8::3]")).is_none());
    assert!(all.enter(peer("[2001:db8:0:1::3]")).is_some());
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_nothing_gives_way() {
    let all = connections(4, 3);
    let idle = all.enter(peer("192.0.2.1")).expect("a place");
    advance(Duration::from_secs(1)).await;
    let later = all.enter(peer("192.0.2.1")).expect("a place");
    let asks = all.enter(peer("192.0.2.1")).expect("a place");
    let asked = asks.sitter().busy();
    let fourth = all.enter(peer("192.0.2.1")).expect("the oldest gives way");
    assert!(idle.sitter().seat.gives_way.is_cancelled());
    assert!(!later.sitter().seat.gives_way.is_cancelled());
    assert!(all.enter(peer("192.0.2.1")).is_none(), "the others are young, or asked for something");
    // From another address there is one place; then one of the first has to give way.
    let other = all.enter(peer("192.0.2.2")).expect("a place");
    advance(Duration::from_secs(1)).await;
    let third = all.enter(peer("192.0.2.3")).expect("who has most gives one up");
    let gave = [&later, &fourth].map(|place| place.sitter().seat.gives_way.is_cancelled());
    assert!(gave[0] != gave[1], "one of them: {gave:?}");
    // A socket is no request that ends.
    asked.for_ever();
    advance(Duration::from_secs(3_600)).await;
    for _ in 0..9 {
        all.make_room();
    }
    assert!(!asks.sitter().seat.gives_way.is_cancelled());
    drop((idle, later, asks, fourth, other, third));
    assert!(all.taken().of.is_empty() && all.taken().by_number.is_empty());
}
