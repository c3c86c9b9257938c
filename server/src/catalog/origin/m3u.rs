//! M3U lists as IPTV has them: a line of attributes and a title, and an address.

use std::collections::{HashMap, HashSet};

use app::catalog::{ChannelId, Kind};
use percent_encoding::percent_decode_str;
use url::Url;

use super::told::{Raw, Told};
use crate::{
    catalog::name::{self, NameForm},
    hls::media_type,
    storage::Page,
};

/// Whether a page is an M3U list, or a playlist of segments.
pub(super) fn is_m3u(page: &Page) -> bool {
    page.text.trim_start().starts_with("#EXTM3U")
}

/// The channels of one kind; what says nothing of its kind is of the one that is asked for.
pub(super) fn read(page: &Page, kind: Kind) -> Vec<(String, Raw)> {
    let Ok(base) = Url::parse(&page.address) else { return Vec::new() };
    if page.text.lines().any(|line| line.starts_with("#EXT-X-")) {
        // A channel itself.
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
    let mut next = Entry::default();
    for line in page.text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#EXTINF:") {
            let group = next.group.take();
            next = Entry::of(rest);
            next.group = next.group.or(group);
        } else if let Some(group) = line.strip_prefix("#EXTGRP:") {
            next.group = Some(group.trim().to_owned());
        } else if !line.is_empty() && !line.starts_with('#') {
            let entry = std::mem::take(&mut next);
            if let Some(told) = entry.told(&base, line, kind, &mut names) {
                found.push((told.name.clone(), Raw::Named(told)));
            }
        }
    }
    found
}

/// What the lines before an address say of it.
#[derive(Default)]
struct Entry {
    title: String,
    duration_s: Option<f64>,
    group: Option<String>,
    logo: Option<String>,
    radio: bool,
}

impl Entry {
    fn of(text: &str) -> Self {
        let mut entry = Self::default();
        let mut rest = text;
        let end = rest.find([' ', ',', '\t']).unwrap_or(rest.len());
        let seconds = rest[..end].trim().parse::<f64>().ok();
        entry.duration_s = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
        rest = &rest[end..];
        // Attributes up to the comma that stands in no quotes.
        loop {
            rest = rest.trim_start();
            if let Some(title) = rest.strip_prefix(',') {
                entry.title = title.trim().to_owned();
                return entry;
            }
            let Some((key, after)) = rest.split_once('=') else { return entry };
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => after.split_at(after.find([' ', ',']).unwrap_or(after.len())),
            };
            let text = || Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match key.trim().to_ascii_lowercase().as_str() {
                "group-title" => entry.group = text(),
                "tvg-logo" | "logo" => entry.logo = text(),
                "radio" => entry.radio = value.eq_ignore_ascii_case("true") || value == "1",
                _ => {}
            }
            rest = after;
        }
    }

    fn told(self, base: &Url, address: &str, wanted: Kind, names: &mut Names) -> Option<Told> {
        // Some players put headers behind the address.
        let address = address.split('|').next().unwrap_or(address);
        let url = base.join(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let last = percent_decode_str(last).decode_utf8_lossy().into_owned();
        let extension = media_type::extension(&last).map(str::to_ascii_lowercase);
        let bare = name::form(&last) == NameForm::Bare;
        let by_name = media_type::of(&last);
        let kind = match by_name {
            _ if self.radio || (bare && by_name.starts_with("audio/")) => Kind::Audio,
            _ if bare => Kind::Video,
            _ => wanted,
        };
        // A bare transport stream has no end and no segments: browsers do not play it.
        if kind != wanted || matches!(extension.as_deref(), Some("ts" | "mpd" | "m3u" | "pls")) {
            return None;
        }
        let suffix = extension.filter(|_| bare).map(|e| format!(".{e}")).unwrap_or_default();
        let wish = if self.title.is_empty() { stem(&last) } else { &self.title };
        let id = id_of(wish, ChannelId::MAX_CHARS - 12).unwrap_or_else(|| "channel".into());
        let name = names.free(&id, &suffix);
        let logo = self.logo.and_then(|logo| base.join(&logo).ok());
        let logo = logo.filter(|logo| {
            matches!(logo.scheme(), "http" | "https")
                && media_type::of(&logo.path().to_ascii_lowercase()).starts_with("image/")
        });
        Some(Told {
            bare,
            live: !bare && self.duration_s.is_none(),
            title: (self.title != id && !self.title.is_empty()).then_some(self.title),
            tags: self.group.into_iter().flat_map(tags).collect(),
            mime: if bare { by_name } else { media_type::PLAYLIST }.to_owned(),
            duration_s: self.duration_s,
            beside: logo.map(|logo| ("poster.webp".to_owned(), logo.into())).into_iter().collect(),
            ..Told::new(&name, url.as_str(), kind)
        })
    }
}

/// The names of a list, of which no two are the same.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// The number that is tried next for a name that is taken.
    next: HashMap<String, u32>,
}

impl Names {
    /// This name, or where another has it the first with a number that is free.
    fn free(&mut self, id: &str, suffix: &str) -> String {
        let mut name = format!("{id}{suffix}");
        let next = self.next.entry(name.to_lowercase()).or_insert(2);
        while !self.taken.insert(name.to_lowercase()) {
            name = format!("{id} ({next}){suffix}");
            *next += 1;
        }
        name
    }
}

fn tags(group: String) -> Vec<String> {
    let parts = group.split(';').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
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

    use super::{Entry, Raw, Told, id_of, read};
    use crate::storage::{Page, Tag};

    fn list(text: &str, kind: Kind) -> Vec<Told> {
        let page = Page {
            address: "http://tv.example/lists/all.m3u".into(),
            tag: Tag::default(),
            text: text.to_owned(),
        };
        let raws = read(&page, kind).into_iter();
        raws.filter_map(|(_, raw)| match raw {
            Raw::Named(told) => Some(told),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn attributes_and_titles() {
        let entry =
            Entry::of("-1 tvg-id=\"a, b\" group-title=\"News;Local\" radio=true,La 1, en vivo");
        assert_eq!(
            (entry.title.as_str(), entry.duration_s, entry.radio),
            ("La 1, en vivo", None, true)
        );
        assert_eq!(entry.group.as_deref(), Some("News;Local"));
        for odd in ["", "-1", "5", "x,", "-1 a=\"b", "-1 =", ",,"] {
            let _ = Entry::of(odd);
        }
        assert_eq!(Entry::of("12.5, T").duration_s, Some(12.5));
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
        assert_eq!(names, ["Uno", "Uno (2)", "A B film.mp4", "plain"]);
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
}
