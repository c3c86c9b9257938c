//! M3U lists as IPTV has them: a line of attributes and a title, and an address. They are read as
//! other players read them, and one entry that cannot be read costs nothing but itself.

mod entry;

use std::collections::HashMap;

use app::catalog::{ChannelId, Kind};
use percent_encoding::percent_decode_str;
use url::Url;

use self::entry::Entry;
use super::told::{Raw, Told};
use crate::{
    catalog::name::{self, NameForm},
    hls::media_type,
    storage::Page,
};

/// Entries of one list; what follows is not read.
const ENTRIES_MAX: usize = 100_000;

/// The longest address. Tokens of two thousand characters are usual.
const ADDRESS_MAX: usize = 16 * 1024;

/// Lines in which a list says that it is one.
const BEGINNING: usize = 20;

/// Whether a page is an M3U list, or a playlist of segments. Many lists lack their first line.
pub(super) fn is_m3u(page: &Page) -> bool {
    let mut beginning = lines(&page.text).filter(|line| !line.is_empty()).take(BEGINNING);
    let named = || {
        let path = Url::parse(&page.address).map(|url| url.path().to_ascii_lowercase());
        path.is_ok_and(|path| path.ends_with(".m3u") || path.ends_with(".m3u8"))
    };
    match beginning.next() {
        Some(first) if first.starts_with(['<', '{', '[']) => false,
        Some(first) if first.starts_with('#') => {
            let says =
                |line: &str| ["#EXTM3U", "#EXTINF"].iter().any(|word| behind(line, word).is_some());
            says(first) || beginning.any(says) || named()
        }
        Some(_) => named(),
        None => false,
    }
}

/// Lines as every system ends them, without the blanks around them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
        .map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}'))
}

/// What follows a word at the beginning of a line, in whatever case it is written.
fn behind<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let begin = line.get(..word.len())?;
    begin.eq_ignore_ascii_case(word).then(|| &line[word.len()..])
}

/// Whether a page is one stream itself: before its first address it says what only a playlist of
/// segments or of variants says.
fn is_stream(text: &str) -> bool {
    let mut before = lines(text).take_while(|line| line.is_empty() || line.starts_with('#'));
    let words = ["#EXT-X-TARGETDURATION", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA-SEQUENCE"];
    before.any(|line| words.iter().any(|word| line.starts_with(word)))
}

/// The channels of one kind; what says nothing of its kind is of the one that is asked for.
pub(super) fn read(page: &Page, kind: Kind) -> Vec<(String, Raw)> {
    let Ok(base) = Url::parse(&page.address) else { return Vec::new() };
    if is_stream(&page.text) {
        let folders: Vec<&str> = base.path().trim_end_matches('/').split('/').collect();
        let last = folders.last().map_or("", |last| stem(last));
        let above =
            folders.iter().rev().nth(1).filter(|_| matches!(last, "playlist" | "index" | "master"));
        let decoded = percent_decode_str(above.filter(|above| !above.is_empty()).unwrap_or(&last));
        let name = id_of(&decoded.decode_utf8_lossy(), 100).unwrap_or_else(|| "channel".into());
        let told = Told { live: true, ..Told::new(&name, base.as_str(), kind) };
        return vec![(name, Raw::Named(told))];
    }
    let mut names = Names::default();
    let mut found = Vec::new();
    // A group that is told before the entry, and an entry that has no address yet.
    let (mut group, mut next) = (None, None::<Entry>);
    // The entry of the last address, and where that leads, if it leads somewhere.
    let mut last = None::<(Entry, Option<Url>)>;
    for line in lines(&page.text).filter(|line| !line.is_empty()) {
        if found.len() >= ENTRIES_MAX {
            break;
        }
        if let Some(rest) = behind(line, "#EXTINF") {
            let mut entry = Entry::of(rest.strip_prefix(':').unwrap_or(rest));
            if let Some(group) = group.take().filter(|_| entry.groups.is_empty()) {
                entry.group(group);
            }
            next = Some(entry);
        } else if let Some(rest) = behind(line, "#EXTGRP:") {
            match &mut next {
                Some(entry) => entry.group(rest),
                None => group = Some(rest),
            }
        } else if !line.starts_with('#') {
            let address = address(&base, line);
            let (entry, has_words) = match (next.take(), last.take()) {
                (Some(entry), _) => (entry, true),
                // Another address of an entry stands for it where the first one does not.
                (None, Some((entry, None))) => (entry, true),
                (None, Some((entry, Some(first)))) => match &address {
                    Some(second) if is_another(&first, second) => (bare(&mut group), false),
                    _ => {
                        last = Some((entry, Some(first)));
                        continue;
                    }
                },
                (None, None) => (bare(&mut group), false),
            };
            let told = address.as_ref().and_then(|url| told(&entry, &base, url, kind, &mut names));
            let led = address.filter(|_| told.is_some());
            if let Some(told) = told {
                found.push((told.name.clone(), Raw::Named(told)));
            }
            last = has_words.then_some((entry, led));
        }
    }
    found
}

/// An address of which no line says anything.
fn bare(group: &mut Option<&str>) -> Entry {
    let mut entry = Entry::default();
    if let Some(group) = group.take() {
        entry.group(group);
    }
    entry
}

/// Where an address leads; `None` where nothing of ours can go.
fn address(base: &Url, line: &str) -> Option<Url> {
    // Some players put headers behind the address.
    let address = line.split('|').next().unwrap_or(line).trim();
    let url = (address.len() <= ADDRESS_MAX).then(|| base.join(address).ok()).flatten()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// The last part of an address, as a file's name.
fn file_name(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    percent_decode_str(last).decode_utf8_lossy().into_owned()
}

/// Whether a second address that no line stands before is an entry of its own, not the same stream
/// at another place: one media file after another, as in lists of songs.
fn is_another(first: &Url, second: &Url) -> bool {
    let (first, second) = (file_name(first), file_name(second));
    first != second && name::form(&second) == NameForm::Bare
}

/// Names that are given already, in small letters, and the number that the next one of this name gets.
#[derive(Default)]
struct Names(HashMap<String, u32>);

impl Names {
    fn take(&mut self, id: &str, suffix: &str) -> String {
        let plain = format!("{id}{suffix}");
        let key = plain.to_lowercase();
        let Some(mut number) = self.0.get(&key).copied() else {
            self.0.insert(key, 2);
            return plain;
        };
        let name = loop {
            let name = format!("{id} ({number}){suffix}");
            number += 1;
            if !self.0.contains_key(&name.to_lowercase()) {
                break name;
            }
        };
        self.0.insert(name.to_lowercase(), 2);
        self.0.insert(key, number);
        name
    }
}

/// The channel that an entry is, if it is of the kind that is wanted.
fn told(entry: &Entry, base: &Url, url: &Url, wanted: Kind, names: &mut Names) -> Option<Told> {
    let last = file_name(url);
    let extension = media_type::extension(&last).map(str::to_ascii_lowercase);
    let bare = name::form(&last) == NameForm::Bare;
    let by_name = media_type::of(&last);
    let kind = match by_name {
        _ if entry.radio || (bare && by_name.starts_with("audio/")) => Kind::Audio,
        _ if bare => Kind::Video,
        _ => wanted,
    };
    // A bare transport stream has no end and no segments: browsers do not play it.
    if kind != wanted || matches!(extension.as_deref(), Some("ts" | "mpd" | "m3u" | "pls")) {
        return None;
    }
    let suffix = extension.filter(|_| bare).map(|e| format!(".{e}")).unwrap_or_default();
    let wish = if entry.title.is_empty() { stem(&last) } else { &entry.title };
    let id = id_of(wish, ChannelId::MAX_CHARS - 12).unwrap_or_else(|| "channel".into());
    let name = names.take(&id, &suffix);
    let logo = entry.logo.as_deref().and_then(|logo| base.join(logo).ok());
    let logo = logo.filter(|logo| {
        matches!(logo.scheme(), "http" | "https")
            && media_type::of(&logo.path().to_ascii_lowercase()).starts_with("image/")
    });
    Some(Told {
        bare,
        live: !bare && entry.duration_s.is_none(),
        title: Some(entry.title.clone()).filter(|title| *title != id && !title.is_empty()),
        tags: entry.groups.clone(),
        mime: if bare { by_name } else { media_type::PLAYLIST }.to_owned(),
        duration_s: entry.duration_s,
        beside: logo.map(|logo| ("poster.webp".to_owned(), logo.into())).into_iter().collect(),
        ..Told::new(&name, url.as_str(), kind)
    })
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A title as an id: what an id cannot hold is left out.
fn id_of(title: &str, max_chars: usize) -> Option<String> {
    let title = name::nfc(title);
    let mut id = String::new();
    for c in title.chars() {
        let fits = ChannelId::parse(&format!("x{c}x")).is_ok();
        let c = if fits { c } else { ' ' };
        if id.len() + c.len_utf8() > ChannelId::MAX_BYTES - 24 || id.chars().count() >= max_chars {
            break;
        }
        if c != ' ' || !id.ends_with(' ') {
            id.push(c);
        }
    }
    let id = id.trim_matches(|c: char| c == '.' || c.is_whitespace());
    ChannelId::parse(id).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use app::catalog::Kind;

    use super::{Names, Raw, Told, id_of, is_m3u, read};
    use crate::storage::{Page, Tag};

    fn page(address: &str, text: &str) -> Page {
        Page { address: address.into(), tag: Tag::default(), text: text.to_owned() }
    }

    fn list(text: &str, kind: Kind) -> Vec<Told> {
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
}
