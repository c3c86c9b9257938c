use proptest::prelude::*;

use super::{How, Loaded, Named, Page, StoreError, Tag};
use crate::hls::uri::resolve;

const BASE: &str = "http://tv.example/live/ch/index.m3u8";

fn load(text: &str, before: Option<&Loaded>) -> Result<Loaded, StoreError> {
    let page = Page { address: BASE.into(), tag: Tag::default(), text: text.to_owned() };
    Loaded::new("playlist.m3u8", page, before, None)
}

fn list(first: u64, segments: &[&str]) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for segment in segments {
        text.push_str(&format!("#EXTINF:2,\n{segment}\n"));
    }
    text
}

fn served(loaded: &Loaded) -> Vec<String> {
    let text = std::str::from_utf8(&loaded.served.text).expect("text");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Where a served address leads.
fn leads(loaded: &Loaded, served: &str) -> Option<String> {
    let (path, query) = served.split_once('?').map_or((served, None), |(p, q)| (p, Some(q)));
    let path = resolve("playlist.m3u8", path).ok()?.path;
    match loaded.named(&path, query, true)? {
        Named::File(file) => Some(file.address.to_string()),
        Named::Playlist(address) => Some(address),
    }
}

/// An address as it is written there, and whether it stays as it came.
fn check(written: &str, address: &str, stays: bool) {
    let loaded = load(&list(0, &[written]), None).expect("a playlist");
    let served = served(&loaded);
    assert_eq!(served[0] == written, stays, "{written} is served as {}", served[0]);
    if !stays {
        assert!(served[0].starts_with("~/"), "{written} is served as {}", served[0]);
    }
    assert_eq!(leads(&loaded, &served[0]).as_deref(), Some(address), "{written}");
}

#[test]
fn addresses_below_the_folder_stay_as_they_came() {
    check("s0.ts", "http://tv.example/live/ch/s0.ts", true);
    check("a%20b/s%C3%B1.ts", "http://tv.example/live/ch/a%20b/s%C3%B1.ts", true);
    check("s0.ts?v=1f-e00aa", "http://tv.example/live/ch/s0.ts?v=1f-e00aa", true);
    check("x/../s0.ts", "http://tv.example/live/ch/s0.ts", true);
}

#[test]
fn variables_are_replaced() {
    let with = |define: &str| {
        let text = list(0, &["{$at}s0.ts"]);
        text.replacen("#EXTM3U\n", &format!("#EXTM3U\n#EXT-X-DEFINE:{define}\n"), 1)
    };
    let page = Page {
        address: format!("{BASE}?from=b%2F"),
        tag: Tag::default(),
        text: with("QUERYPARAM=\"from\"").replace("{$at}", "{$from}"),
    };
    let asked = Loaded::new("playlist.m3u8", page, None, None);
    for (loaded, folder) in [(load(&with("NAME=\"at\",VALUE=\"a/\""), None), "a"), (asked, "b")] {
        let loaded = loaded.expect("a playlist");
        let served = served(&loaded);
        assert_eq!(served, [format!("{folder}/s0.ts")]);
        let address = format!("http://tv.example/live/ch/{folder}/s0.ts");
        assert_eq!(leads(&loaded, &served[0]), Some(address));
    }
    let why = load(&with("IMPORT=\"at\""), None).expect_err("nothing is above it");
    assert!(why.to_string().contains("EXT-X-DEFINE imports \"at\""), "{why}");
}

#[test]
fn others_get_names_of_their_own() {
    check("/s0.ts", "http://tv.example/s0.ts", false);
    check("../s0.ts", "http://tv.example/live/s0.ts", false);
    check("//cdn.example/s0.ts", "http://cdn.example/s0.ts", false);
    check("https://cdn.example/s0.ts", "https://cdn.example/s0.ts", false);
    check("s0.ts?token=hush", "http://tv.example/live/ch/s0.ts?token=hush", false);
    check("s0.ts?v=<>", "http://tv.example/live/ch/s0.ts?v=%3C%3E", false);
    check("..\\s0.ts", "http://tv.example/live/s0.ts", false);
    // What is ours, and what is nobody's.
    check("poster.webp", "http://tv.example/live/ch/poster.webp", false);
    check("~/s0.ts", "http://tv.example/live/ch/~/s0.ts", false);
    check(".hidden/s0.ts", "http://tv.example/live/ch/.hidden/s0.ts", false);
    for bad in ["file:///etc/passwd", "javascript:x", "ftp://h/s.ts", "http://"] {
        assert!(load(&list(0, &[bad]), None).is_err(), "{bad}");
    }
}

#[test]
fn a_child_of_our_own_name_is_another_playlist() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nplaylist.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhi/playlist.m3u8\n";
    let loaded = load(text, None).expect("a playlist");
    let names = served(&loaded);
    assert!(names[0].starts_with("~/") && names[0].ends_with(".m3u8"), "{names:?}");
    assert_eq!(names[1], "hi/playlist.m3u8");
    let children: Vec<_> = loaded.children().map(|(_, address)| address).collect();
    assert_eq!(
        children,
        ["http://tv.example/live/ch/playlist.m3u8", "http://tv.example/live/ch/hi/playlist.m3u8"]
    );
}

#[test]
fn names_stay_while_tokens_change() {
    let old = load(&list(5, &["/a.ts?t=1", "/b.ts?t=1"]), None).expect("a playlist");
    let new = load(&list(6, &["/b.ts?t=2", "/c.ts?t=2"]), Some(&old)).expect("a playlist");
    let path = |served: &str| served.split('?').next().map(str::to_owned);
    let (before, after) = (served(&old), served(&new));
    assert_eq!(path(&before[1]), path(&after[0]));
    assert_ne!(before[1], after[0]);
    assert!(!before[1].contains("t=1"));
    // Who read the list before the last can still ask for what it named.
    assert_eq!(leads(&new, &before[0]).as_deref(), Some("http://tv.example/a.ts?t=1"));
    assert_eq!(leads(&new, &before[1]).as_deref(), Some("http://tv.example/b.ts?t=1"));
    assert_eq!(leads(&new, &after[0]).as_deref(), Some("http://tv.example/b.ts?t=2"));
    let mut last = new;
    for n in 7..20 {
        last = load(&list(n, &["/x.ts"]), Some(&last)).expect("a playlist");
    }
    assert_eq!(leads(&last, &before[0]), None);
}

#[test]
fn segments_know_their_turn_and_what_comes_next() {
    let file = |loaded: &Loaded, name: &str| match loaded.named(name, None, false) {
        Some(Named::File(file)) => {
            (file.turn, file.next.map(|(next, turn)| (next.to_string(), turn)))
        }
        _ => panic!("{name} is no file"),
    };
    let live = load(&list(5, &["a.ts", "b.ts"]), None).expect("a playlist");
    let next = ("http://tv.example/live/ch/b.ts".to_owned(), 7);
    assert_eq!(file(&live, "a.ts"), (6, Some(next)));
    assert_eq!(file(&live, "b.ts"), (7, None));
    let ended = load(&(list(5, &["a.ts", "b.ts"]) + "#EXT-X-ENDLIST\n"), None).expect("a playlist");
    assert_eq!(file(&ended, "b.ts"), (0, None));
}

#[test]
fn an_older_version_is_asked_for_at_its_own_address() {
    let loaded = load(&list(0, &["s.ts?v=2"]), None).expect("a playlist");
    assert_eq!(leads(&loaded, "s.ts?v=1").as_deref(), Some("http://tv.example/live/ch/s.ts?v=1"));
    assert_eq!(leads(&loaded, "s.ts").as_deref(), Some("http://tv.example/live/ch/s.ts?v=2"));
    assert_eq!(leads(&loaded, "other.ts?v=1"), None);
    let how = |query, keeps_older| match loaded.named("s.ts", query, keeps_older) {
        Some(Named::File(file)) => Some(file.how),
        _ => None,
    };
    assert_eq!(how(Some("v=1f-e00aa"), true), Some(How::Older));
    assert_eq!(how(Some("v=2"), true), Some(How::Exact));
    assert_eq!(how(None, true), Some(How::Plain));
    assert_eq!(how(Some("x=1"), true), Some(How::Plain));
    // Nobody else's server is asked for what none of its playlists names.
    for query in ["v=1", "v=1f-e00aa", "v=", "v=<>", "x=1&v=1", "v=1&x=1"] {
        assert_eq!(how(Some(query), false), None, "{query}");
    }
    assert_eq!(how(Some("v=2"), false), Some(How::Exact));
    assert_eq!(how(Some("v=1&x=1"), true), None);
}

#[test]
fn numbers_that_are_claimed_are_counted_on_from() {
    for number in ["18446744073709551615", "1e300", "-1", "999999999999999999999999"] {
        let text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:{number}\n#EXT-X-MEDIA-SEQUENCE:{number}\n#EXTINF:{number},\na.ts\n#EXTINF:2,\nb.ts\n"
        );
        let loaded = load(&text, None).expect("a playlist");
        assert!(leads(&loaded, "b.ts").is_some(), "{number}");
        assert!(loaded.fresh() <= super::FINISHED, "{number}");
    }
}

#[test]
fn what_a_playlist_may_cost_is_bounded() {
    // Of all these playlists the first are looked into, and each is named.
    let children: String =
        (0..20_000).map(|n| format!("#EXT-X-STREAM-INF:BANDWIDTH=1\n{n}.m3u8\n")).collect();
    let loaded = load(&format!("#EXTM3U\n{children}"), None).expect("a playlist");
    assert_eq!(loaded.children().count(), super::MAX_CHILDREN);
    assert_eq!(loaded.children.len(), super::MAX_CHILDREN, "no more are compared");
    assert!(matches!(loaded.named("19999.m3u8", None, false), Some(Named::Playlist(_))));
    // As long as a playlist may be, and nothing but the shortest names.
    let shortest = format!("#EXTM3U\n{}", "a\n".repeat((16 << 20) / 2 - 8));
    let why = load(&shortest, None).expect_err("it names too much").to_string();
    assert!(why.contains("more than 200000 files"), "{why}");
    // A short name below a long address is long.
    let page = Page {
        address: format!("http://tv.example/{}/index.m3u8", "x".repeat(8_000)),
        tag: Tag::default(),
        text: list(0, &["s.ts"; 9_000]),
    };
    let why = Loaded::new("playlist.m3u8", page, None, None).expect_err("each is 8 KB").to_string();
    assert!(why.contains("addresses are too long"), "{why}");
}

proptest! {
    #[test]
    fn every_address_is_served_below_the_channel(written in "([a-z./:%~?=\\\\]|%2e|\\.\\./|http://|v=){1,30}") {
        if let Ok(loaded) = load(&list(0, &[&written]), None) {
            for served in served(&loaded) {
                let path = served.split('?').next().unwrap_or_default();
                prop_assert!(resolve("playlist.m3u8", path).is_ok(), "{} as {}", written, served);
                let address = leads(&loaded, &served);
                prop_assert!(address.is_some_and(|address| address.starts_with("http")), "{}", served);
            }
        }
    }
}
