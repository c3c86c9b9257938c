//! The guide: orders, searches, and the sheet that comes of them.

use std::collections::BTreeSet;

use app::{
    catalog::{Anchor, Catalog, ChannelId, Kind, Media, Order, Source},
    guide::{Choice, Findings, Frame, GuideRequest, Roll, document},
    text::Lang,
    theme::Theme,
};
use carrete::catalog::{CatalogHandle, Only, Snapshot};
use leptos::prelude::*;

fn media(id: &str, title: &str, tags: &[&str], updated_at: u64) -> Media {
    Media {
        id: ChannelId::parse(id).expect("an id"),
        title: title.into(),
        description: None,
        kind: if tags.contains(&"song") { Kind::Audio } else { Kind::Video },
        source: Source::Local,
        url: format!("/streams/{id}/playlist.m3u8"),
        mime: "application/vnd.apple.mpegurl".into(),
        duration_s: Some(96.0),
        width: None,
        height: None,
        poster: None,
        thumbhash: None,
        waveform: None,
        subtitles: vec![],
        storyboard: None,
        live: tags.contains(&"now"),
        available: true,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        updated_at,
        order: None,
    }
}

fn few() -> Snapshot {
    Snapshot::of_media(vec![
        media("playa", "La cala, última hora", &["mar", "Nieve"], 10),
        media("nieve", "La cara norte", &["nieve"], 30),
        media("misa", "Misa de doce", &["now"], 20),
        media("cumbia", "Ñandú de la azotea", &["song", "NIEVE"], 20),
        media("mar-2", "Última piscina", &[], 30),
    ])
}

fn many(n: usize) -> Snapshot {
    Snapshot::of_media((0..n).map(|n| media(&format!("c{n}"), "A reel", &[], 0)).collect())
}

fn ids(found: &[(usize, &std::sync::Arc<Media>)]) -> Vec<String> {
    found.iter().map(|(_, media)| media.id.to_string()).collect()
}

#[test]
fn searches_find_by_title_tag_id_and_number() {
    let list = few();
    let check = |query: &str, only: Only<'_>, expected: &[&str]| {
        assert_eq!(ids(&list.find(Order::Feed, query, only)), expected, "{query:?} {only:?}");
    };
    check("", Only::All, &["playa", "nieve", "misa", "cumbia", "mar-2"]);
    check("NANDU", Only::All, &["cumbia"]);
    check("ultima", Only::All, &["mar-2", "playa"]);
    check("la cala", Only::All, &["playa"]);
    check("cala la", Only::All, &["playa"]);
    check("mar", Only::All, &["playa", "mar-2"]);
    check("#mar", Only::All, &["playa"]);
    check("#mar cala", Only::All, &["playa"]);
    check("2", Only::All, &["nieve", "mar-2"]);
    check("niéve", Only::All, &["playa", "nieve", "cumbia"]);
    check("no such thing", Only::All, &[]);
    check("", Only::Tag("nieve"), &["playa", "nieve", "cumbia"]);
    check("norte", Only::Tag("Nieve"), &["nieve"]);
    check("", Only::Tag("nie"), &[]);
    check("", Only::Music, &["cumbia"]);
    check("", Only::Live, &["misa"]);
    check("0", Only::Live, &[]);
}

#[test]
fn tags_are_told_by_use() {
    let list = few();
    let tags = list.tags();
    assert_eq!(tags.by_use.len(), 4);
    assert!(["nieve", "Nieve", "NIEVE"].contains(&&*tags.by_use[0]), "{tags:?}");
    assert!(tags.music && tags.live);
}

#[test]
fn orders_hold_every_channel_once() {
    let list = few();
    assert_eq!(
        ids(&list.find(Order::Newest, "", Only::All)),
        ["nieve", "mar-2", "misa", "cumbia", "playa"]
    );
    let found = list.find(Order::Newest, "ultima", Only::All);
    assert_eq!(found.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 4]);

    let list = many(500);
    let shuffled = ids(&list.find(Order::Shuffle(7), "", Only::All));
    assert_eq!(shuffled, ids(&list.find(Order::Shuffle(7), "", Only::All)));
    assert_ne!(shuffled, ids(&list.find(Order::Shuffle(8), "", Only::All)));
    assert_eq!(shuffled.iter().collect::<BTreeSet<_>>().len(), 500);
    // More seeds than are kept.
    for seed in 0..20 {
        assert_eq!(list.find(Order::Shuffle(seed), "", Only::All).len(), 500);
    }
    assert_eq!(shuffled, ids(&list.find(Order::Shuffle(7), "", Only::All)));
    // A changed list keeps the rest in place.
    let fewer = many(400);
    let stayed: Vec<_> =
        shuffled.iter().filter(|id| id[1..].parse::<u32>().is_ok_and(|n| n < 400)).collect();
    let fewer = ids(&fewer.find(Order::Shuffle(7), "", Only::All));
    assert_eq!(stayed, fewer.iter().collect::<Vec<_>>());
}

#[test]
fn windows_are_cut_from_the_order() {
    let catalog = CatalogHandle::fixed(few());
    let id = |text: &str| Anchor::Id(ChannelId::parse(text).expect("an id"));
    let check = |order, anchor: Anchor, before, after, offset, expected: &[&str]| {
        let window = catalog.window(order, &anchor, before, after).expect("a window");
        let ids: Vec<_> = window.items.iter().map(|media| media.id.as_str()).collect();
        assert_eq!((window.offset, &*ids, window.total), (offset, expected, 5), "{anchor:?}");
        assert_eq!(window.order, order);
    };
    check(Order::Feed, Anchor::First, 0, 1, 0, &["playa", "nieve"]);
    check(Order::Newest, Anchor::First, 0, 1, 0, &["nieve", "mar-2"]);
    check(Order::Newest, id("misa"), 1, 1, 1, &["mar-2", "misa", "cumbia"]);
    check(Order::Newest, Anchor::Last, 1, 0, 3, &["cumbia", "playa"]);
    assert!(catalog.window(Order::Newest, &id("gone"), 1, 1).is_none());
}

fn html(choice: Choice, findings: Findings) -> String {
    let request = GuideRequest {
        choice,
        order: Order::Feed,
        seed: 5,
        lang: Lang::En,
        theme: Theme::Dark,
        stylesheet: "/pkg/carrete.css".into(),
    };
    Owner::new().with(|| document(request, findings).into_view().to_html())
}

#[test]
fn ten_thousand_channels_cost_as_much_as_two_rolls() {
    let frames = |first: u32| {
        let frame = |number: u32| Frame {
            number,
            media: media(&format!("c{number}"), "A reel", &[], 0).into(),
        };
        (first..first + 36).map(frame).collect::<Vec<_>>()
    };
    let rolls: Vec<_> =
        (1..=2).map(|number| Roll { number, frames: frames(number * 36 - 35) }).collect();
    let findings = Findings { rolls, found: 10_000, total: 10_000, ..Findings::default() };
    let html = html(Choice::default(), findings);
    assert_eq!(html.matches("class=\"film-frame\"").count(), 72);
    assert_eq!(html.matches("data-src=").count(), 276);
    assert!(html.contains("data-src=\"/guide/rolls/3?order=feed\""));
    assert!(html.contains("1–36 of 10\u{A0}000"), "{}", &html[..2000]);
    assert!(html.contains("9973–10\u{A0}000 of 10\u{A0}000") && html.contains("--frames:28"));
    assert!(html.contains("data-theme=\"dark\"") && !html.contains("<script"));
    assert!(html.contains("href=\"/guide?roll=3#roll-3\""), "the next rolls");
}

#[test]
fn what_people_write_is_text() {
    let query = "\"><script>alert(1)</script>";
    let choice = Choice::read([("q", query), ("tag", query), ("here", "gone")]);
    let html = html(choice, Findings { tags: vec![query.into()], ..Findings::default() });
    assert!(!html.contains("<script"), "{html}");
    assert!(html.contains("Show all") && html.contains("href=\"/guide?here=gone\""));
}
