//! The guide: orders, searches, and the sheet that comes of them.

use std::collections::BTreeSet;

use app::{
    catalog::{Anchor, Catalog, ChannelId, Kind, Media, Order, Source},
    guide::{Findings, Frame, GuideQuery, GuideRequest, Instead, Roll, document},
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
        format: None,
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

fn html(query: GuideQuery, findings: Findings) -> String {
    let request = GuideRequest {
        query,
        order: Order::Feed,
        seed: 5,
        lang: Lang::En,
        theme: Theme::Dark,
        stylesheet: "/pkg/carrete.css".into(),
        is_open: true,
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
    let html = html(GuideQuery::default(), findings);
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
    let text = "\"><script>alert(1)</script>";
    let query = GuideQuery::read([("q", text), ("tag", text), ("here", "gone")]);
    let findings = Findings { tags: vec![text.into()], total: 40, ..Findings::default() };
    let html = html(query, findings);
    assert!(!html.contains("<script"), "{html}");
    assert!(html.contains("Show all") && html.contains("href=\"/guide?here=gone\""));
}

#[test]
fn what_is_near_goes_by_letters_then_tags_then_time() {
    let list = few();
    let check = |query: &str, expected: &[&str]| {
        assert_eq!(ids(&list.near(Order::Feed, query, 3)), expected, "{query:?}");
    };
    // One letter is wrong; those that share a tag with it follow, and the newest of the rest.
    check("nande", &["cumbia", "nieve", "playa"]);
    check("pisina", &["mar-2", "nieve", "misa"]);
    // Half of it is right.
    check("misa 2018", &["misa", "nieve", "mar-2"]);
    // Nothing is like it: the newest.
    check("zzzz", &["nieve", "mar-2", "misa"]);
    assert_eq!(list.near(Order::Newest, "misa 2018", 1)[0].0, 2, "its place in that order");
    assert!(list.near(Order::Feed, "x", 0).is_empty());
    assert!(Snapshot::of_media(vec![]).near(Order::Feed, "x", 3).is_empty());
    assert!(list.tags_like("nievo").iter().all(|tag| tag.eq_ignore_ascii_case("nieve")));
    assert_eq!(list.tags_like("#mat").len(), 1);
    assert!(list.tags_like("zzzz").is_empty());
}

#[test]
fn a_long_question_in_a_long_list_is_answered_at_once() {
    let list = many(20_000);
    let query = "abc ".repeat(25);
    let began = std::time::Instant::now();
    assert_eq!(list.near(Order::Feed, &query, 6).len(), 6);
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_small_house_is_one_sheet_without_rolls_and_tags() {
    let frames = |count: u32| {
        let frame = |number: u32| Frame {
            number,
            media: media(&format!("c{number}"), "A reel", &["x"], 0).into(),
        };
        (1..=count).map(frame).collect::<Vec<_>>()
    };
    let of = |count: u32| Findings {
        rolls: vec![Roll { number: 1, frames: frames(count) }],
        found: count,
        total: count,
        tags: vec!["x".into()],
        ..Findings::default()
    };
    let small = html(GuideQuery::default(), of(9));
    assert!(small.contains("All there is") && small.contains("1–9 of 9"), "{small}");
    assert!(!small.contains("class=\"tags\"") && !small.contains("class=\"ruler\""));
    assert!(small.contains("--rows-3:3;--rows-4:3;--rows-5:2;"));
    assert!(small.contains("Not filmed yet") && small.contains("/qr.svg"));
    let full = html(GuideQuery::default(), of(12));
    assert!(full.contains("All there is") && !full.contains("Not filmed yet"));
    let large = html(GuideQuery::default(), of(13));
    assert!(large.contains("Roll 1") && large.contains("class=\"tags\""));
    assert!(!large.contains("/qr.svg"), "who has so many needs no code");
}

#[test]
fn what_was_not_found_is_named_with_what_is_near() {
    let list = few();
    let frames = |found: Vec<(usize, &std::sync::Arc<Media>)>| {
        let number = |place: usize| u32::try_from(place).unwrap() + 1;
        let frame = |(place, media): (usize, &std::sync::Arc<Media>)| Frame {
            number: number(place),
            media: media.clone(),
        };
        found.into_iter().map(frame).collect::<Vec<_>>()
    };
    let query = GuideQuery::read([("q", "misa <b> 2018")]);
    let wider =
        vec![(GuideQuery::read([("q", "misa")]), 1), (GuideQuery::read([("tag", "now")]), 4)];
    let near = frames(list.near(Order::Feed, "misa 2018", 3));
    let instead = Instead { number: None, wider, near };
    let findings = Findings { total: 248, instead, ..Findings::default() };
    let nothing = html(query, findings);
    assert!(nothing.contains("Nothing with «misa &lt;b&gt; 2018»"), "{nothing}");
    assert!(nothing.contains("titles, tags and numbers") && nothing.contains("3 of 248"));
    assert!(nothing.contains("href=\"/guide?q=misa\"") && nothing.contains("#now"));
    assert!(nothing.contains("data-channel=\"misa\"") && nothing.contains("Show all 248"));

    let last = frames(list.find(Order::Feed, "", Only::All)).pop();
    let instead = Instead { number: Some(99), wider: vec![], near: last.into_iter().collect() };
    let findings = Findings { total: 5, instead, ..Findings::default() };
    let number = html(GuideQuery::read([("q", "99")]), findings);
    assert!(number.contains("There is no") && number.contains("The strip ends at 5."), "{number}");
    assert!(number.contains("Not developed") && number.contains("Go to the last"));
}
