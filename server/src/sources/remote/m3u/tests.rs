use app::catalog::Kind;

use super::{Names, Raw, RemoteRecord, id_of, is_m3u, read};
use crate::storage::{Page, Tag};

fn page(address: &str, text: &str) -> Page {
    Page { address: address.into(), tag: Tag::default(), text: text.to_owned() }
}

fn list(text: &str, kind: Kind) -> Vec<RemoteRecord> {
    let page = page("http://tv.example/lists/all.m3u", text);
    let raws = read(&page, kind).into_iter();
    raws.filter_map(|(_, raw)| match raw {
        Raw::Named(told) => Some(told),
        _ => None,
    })
    .collect()
}

#[test]
fn a_list_of_all_sorts() {
    let text = "#EXTM3U x-tvg-url=\"\"\r\n\
        #EXTINF:-1 tvg-logo=\"http://l.example/a.png\" group-title=\"News\",Uno\r\n\
        http://a.example/uno/index.m3u8?token=5|User-Agent=x\r\n\
        #EXTINF:-1,Uno\n../dos.m3u8\n\
        #EXTGRP:Films\n#EXTINF:90,A/B: film?\nfilm.mp4\n\
        #EXTINF:-1 radio=\"true\",Radio\nhttp://r.example/r.m3u8\n\
        #EXTINF:-1,Song\nhttp://r.example/song.mp3\n\
        #EXTINF:-1,Multicast\nudp://@239.0.0.1:1234\n\
        #EXTINF:-1,Raw\nhttp://a.example/raw.ts\n\
        http://a.example/plain.m3u8\n";
    let videos = list(text, Kind::Video);
    let names: Vec<_> = videos.iter().map(|told| told.name.as_str()).collect();
    // What comes behind an address that cannot be played is another address of the same entry.
    assert_eq!(names, ["Uno", "Uno (2)", "A B film.mp4", "Raw"]);
    assert_eq!(videos[0].address, "http://a.example/uno/index.m3u8?token=5");
    assert_eq!(videos[0].tags, ["News"]);
    assert_eq!(videos[0].beside[0].1, "http://l.example/a.png");
    assert!(videos[0].live && !videos[2].live && videos[2].bare);
    assert_eq!(videos[1].address, "http://tv.example/dos.m3u8");
    assert_eq!(videos[2].title.as_deref(), Some("A/B: film?"));
    assert_eq!(videos[2].tags, ["Films"]);
    let music: Vec<_> = list(text, Kind::Audio).into_iter().map(|told| told.name).collect();
    assert!(music.contains(&"Radio".to_owned()) && music.contains(&"Song.mp3".to_owned()));
    let own = list("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n", Kind::Video);
    assert_eq!((own.len(), own[0].name.as_str()), (1, "all"));
}

/// The names, with their groups behind a bar.
fn told(text: &str) -> Vec<String> {
    let told = list(text, Kind::Video).into_iter();
    told.map(|told| format!("{}|{}", told.name, told.tags.join(";"))).collect()
}

#[test]
fn an_entry_has_one_channel_however_many_addresses() {
    let two = "#EXTM3U\n#EXTINF:-1 group-title=\"Two\",Two\nhttp://a.example/i.m3u8?n=1\n\
        http://b.example/i.m3u8?n=2\n\n#EXTVLCOPT:network-caching=1000\nhttp://c.example/3\n\
        #EXTINF:-1,Next\nhttp://a.example/next.m3u8\n";
    assert_eq!(told(two), ["Two|Two", "Next|"]);
    let mirrors = "#EXTM3U\n#EXTINF:9,Film\nhttp://a.example/f.mp4\nhttp://b.example/f.mp4\n";
    assert_eq!(told(mirrors), ["Film.mp4|"]);
    let second = "#EXTM3U\n#EXTINF:-1,Both\nudp://@239.0.0.1:1\nhttp://b.example/i.m3u8\n";
    assert_eq!(told(second), ["Both|"]);
    let plain = "http://a.example/one.m3u8\nhttp://a.example/two.m3u8\n";
    assert_eq!(told(plain), ["one|", "two|"]);
    let films = "#EXTM3U\n#EXTINF:9,One\none.mp4\ntwo.mp4\nthree.mp4\n";
    assert_eq!(told(films), ["One.mp4|", "two.mp4|", "three.mp4|"]);
}

#[test]
fn what_is_not_played_is_named_unless_another_address_of_it_is() {
    let text = "#EXTM3U\n#EXTINF:9,Film\nhttp://a.example/f.mkv\n\
        #EXTINF:9,Both\nhttp://a.example/g.avi\nhttp://b.example/g.mp4\n\
        #EXTINF:-1,Dash\nhttp://a.example/d.mpd\n#EXTINF:-1,Stream\nhttp://a.example/s.ts\n\
        #EXTINF:-1 radio=\"true\",Station\nhttp://a.example/r.pls\n\
        #EXTINF:9,Film\nhttp://a.example/h.mp4\n#EXTINF:9,Apple\na.mov\nhttp://a.example/i.m4b\n";
    let raws = read(&page("http://tv.example/l.m3u", text), Kind::Video);
    let shown: Vec<String> = raws
        .iter()
        .map(|(name, raw)| match raw {
            Raw::LeftOut { reason, .. } => format!("{name}: {reason}"),
            Raw::Named(told) => format!("{name}: {}", told.mime),
            _ => name.clone(),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "Film.mkv: browsers do not play files of this type",
            "Both.mp4: video/mp4",
            "Dash.mpd: lists of this type are not read",
            "Film.mp4: video/mp4",
            "Apple.mov: video/mp4",
        ]
    );
}

#[test]
fn groups_belong_to_their_own_entry() {
    let text = "#EXTM3U\n#EXTGRP:Before\n#EXTINF:-1,A\na.m3u8\n#EXTINF:-1,B\n#EXTGRP:Behind\n\
        b.m3u8\n#EXTINF:-1 group-title=\"Lost\",No address\n#EXTINF:-1,C\nc.m3u8\n\
        #EXTINF:-1 group-title=\"Own\",D\n#EXTVLCOPT:http-user-agent=X\n#KODIPROP:a=b\nd.m3u8\n";
    assert_eq!(told(text), ["A|Before", "B|Behind", "C|", "D|Own"]);
}

#[test]
fn lists_are_known_without_their_first_line_and_in_every_form() {
    let list = "#EXTINF:-1,A\na.m3u8\n#EXTINF:-1,B\nb.m3u8\n";
    let odd = [
        list.to_owned(),
        list.replace('\n', "\r\n"),
        list.replace('\n', "\r"),
        format!("\u{FEFF}#EXTM3U\n{list}"),
        format!("\n\n  #extm3u\n{}", list.replace("#EXTINF:", "#extinf: ")),
        format!("# my list\n#PLAYLIST:mine\n{list}"),
        format!(
            "#EXTM3U\n#EXT-X-SESSION-DATA:x\n{}",
            list.replace("#EXTINF:-1,B", "#EXT-X-B\n#EXTINF:-1,B")
        ),
    ];
    for text in odd {
        assert!(is_m3u(&page("http://tv.example/get.php?type=m3u", &text)), "{text:?}");
        assert_eq!(told(&text), ["A|", "B|"], "{text:?}");
    }
    assert!(is_m3u(&page("http://tv.example/a.m3u", "http://a.example/one.m3u8\n")));
    for (address, text) in [
        ("http://tv.example/", "http://a.example/one.m3u8"),
        ("http://tv.example/a.m3u", "<html>#EXTM3U</html>"),
        ("http://tv.example/a.m3u", "{\"a\":\"#EXTM3U\"}"),
        ("http://tv.example/a.m3u", " \n"),
    ] {
        assert!(!is_m3u(&page(address, text)), "{text}");
    }
}

#[test]
fn one_bad_entry_never_costs_the_list_and_names_are_given_quickly() {
    let long = "x".repeat(20_000);
    let text = format!(
        "#EXTM3U\n#EXTINF:-1,A\nhttp://[bad\n#EXTINF\n#EXTINF:{long}\nhttp://a.example/{long}\n\
         #EXTINF:-1,\u{0}\n#EXTINF:-1,B\nhttp://a.example/b.m3u8?jwt={}\n",
        "eyJhbGciOi".repeat(230)
    );
    assert_eq!(told(&text), ["B|"]);
    let same = format!("#EXTM3U\n{}", "#EXTINF:-1,Same\nsame.m3u8\n".repeat(20_000));
    let names = told(&same);
    assert_eq!((names.len(), names[19_999].as_str()), (20_000, "Same (20000)|"));
}

#[test]
fn a_name_is_given_once() {
    let mut names = Names::default();
    let given: Vec<_> =
        ["a", "A", "a (2)", "a", "b"].iter().map(|id| names.take(id, ".mp4")).collect();
    assert_eq!(given, ["a.mp4", "A (2).mp4", "a (2) (2).mp4", "a (3).mp4", "b.mp4"]);
}

#[test]
fn many_may_have_one_title() {
    let text: String =
        (0..60_000).map(|n| format!("#EXTINF:-1,Uno\nhttp://a/{n}.m3u8\n")).collect();
    let began = std::time::Instant::now();
    let all = list(&format!("#EXTM3U\n{text}"), Kind::Video);
    assert_eq!((all.len(), all[59_999].name.as_str()), (60_000, "Uno (60000)"));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    let clash =
        "#EXTM3U\n#EXTINF:-1,A (2)\n/1.m3u8\n#EXTINF:-1,A\n/2.m3u8\n#EXTINF:-1,A\n/3.m3u8\n";
    let names: Vec<_> = list(clash, Kind::Video).into_iter().map(|told| told.name).collect();
    assert_eq!(names, ["A (2)", "A", "A (3)"]);
}

#[test]
fn titles_become_ids() {
    for (title, id) in [
        ("Canal 1", Some("Canal 1")),
        (" ..a/b\\c. ", Some("a b c")),
        ("año\u{202E}x", Some("año x")),
        ("???", None),
        ("", None),
    ] {
        assert_eq!(id_of(title, 100).as_deref(), id, "{title:?}");
    }
    assert!(id_of(&"日".repeat(300), 88).is_some_and(|id| id.len() <= 180));
}
