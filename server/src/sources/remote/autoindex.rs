//! A folder as a web server shows it: the links of a page of Apache, nginx, Caddy and their like, or
//! the JSON of nginx and Caddy.

use std::{collections::HashSet, ffi::OsStr};

use app::catalog::Kind;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

use super::record::Raw;
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
    },
    hls::media_type,
    storage::Page,
};

/// Entries of one folder that are read.
const ENTRIES_MAX: usize = 100_000;

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) folder: bool,
    /// What else is said of it: time and size, in whatever words.
    pub(super) mark: String,
}

/// The entries of a folder; `None` where the page shows none.
pub(super) fn read(page: &Page) -> Option<Vec<Entry>> {
    let base = Url::parse(&page.address).ok()?;
    match page.text.trim_start().chars().next()? {
        '[' => of_json(&base, &page.text),
        '<' => of_html(&base, &page.text),
        _ => None,
    }
}

/// The folders and media files among them, and what only looks like media to us.
pub(super) fn raws(entries: Vec<Entry>, kind: Kind) -> Vec<(String, Raw)> {
    // Streams beside a playlist are its segments.
    let has_playlist = entries.iter().any(|entry| entry.name.ends_with(".m3u8"));
    let raw = |entry: Entry| {
        let Entry { name, address, folder, mark } = entry;
        if folder {
            return Some((name, Raw::Folder { address, mark }));
        }
        if name::form(&name) == NameForm::OtherMedia {
            let is_segment = has_playlist && media_type::of(&name) == "video/mp2t";
            let reason = Problem::OtherType;
            return (!is_segment).then_some((name, Raw::LeftOut { address, reason }));
        }
        let other = match media_type::of(&name) {
            by_name if by_name.starts_with("audio/") => kind != Kind::Audio,
            // Some containers hold music too: that shows inside.
            "video/mp4" | "video/webm" => false,
            _ => kind != Kind::Video,
        };
        let wanted = name::form(&name) == NameForm::Bare && !other;
        wanted.then_some((name, Raw::File { address, mark }))
    };
    entries.into_iter().filter_map(raw).collect()
}

#[derive(Deserialize)]
struct Line {
    name: String,
    #[serde(rename = "type")]
    form: Option<String>,
    is_dir: Option<bool>,
    #[serde(alias = "mod_time")]
    mtime: Option<String>,
    size: Option<serde_json::Number>,
}

fn of_json(base: &Url, text: &str) -> Option<Vec<Entry>> {
    let lines: Vec<Line> = serde_json::from_str(text).ok()?;
    let entry = |line: Line| {
        let folder = line.is_dir == Some(true) || line.form.as_deref() == Some("directory");
        let name = line.name.trim_end_matches('/').to_owned();
        let mut address = base.clone();
        let mut parts = address.path_segments_mut().ok()?;
        parts.pop_if_empty().push(&name);
        if folder {
            parts.push("");
        }
        drop(parts);
        address.set_query(None);
        let size = line.size.map(|size| size.to_string()).unwrap_or_default();
        let mark = format!("{} {size}", line.mtime.unwrap_or_default());
        is_shown(&name).then(|| Entry { name, address: address.into(), folder, mark })
    };
    Some(lines.into_iter().take(ENTRIES_MAX).filter_map(entry).collect())
}

fn of_html(base: &Url, text: &str) -> Option<Vec<Entry>> {
    let mut folder = base.clone();
    folder.set_query(None);
    let mut entries: Vec<Entry> = Vec::new();
    let mut names: HashSet<String> = HashSet::new();
    let mut links = 0;
    for part in links_of(text).take(ENTRIES_MAX) {
        let Link { href, behind } = part;
        links += 1;
        let Ok(url) = base.join(&unescaped(href)) else { continue };
        // Links that sort, lead up or lead away are no entries.
        if url.origin() != folder.origin() || url.query().is_some() || url.fragment().is_some() {
            continue;
        }
        let prefix = &folder.path()[..=folder.path().rfind('/').unwrap_or(0)];
        let Some(below) = url.path().strip_prefix(prefix) else { continue };
        let is_folder = below.ends_with('/');
        let below = below.trim_end_matches('/');
        let Ok(name) = percent_decode_str(below).decode_utf8() else { continue };
        if below.contains('/') || !is_shown(&name) || !names.insert(name.clone().into_owned()) {
            continue;
        }
        let mark = mark_of(behind);
        entries.push(Entry {
            name: name.into_owned(),
            address: url.into(),
            folder: is_folder,
            mark,
        });
    }
    // A page without a single link is no folder, not even an empty one.
    (links > 0).then_some(entries)
}

/// A name that can be one of ours.
fn is_shown(name: &str) -> bool {
    !name.is_empty() && !name::is_hidden(OsStr::new(name)) && !name.contains(['/', '\\'])
}

struct Link<'a> {
    href: &'a str,
    /// The text up to the next link.
    behind: &'a str,
}

fn links_of(text: &str) -> impl Iterator<Item = Link<'_>> {
    let lower = text.to_ascii_lowercase();
    let begins: Vec<usize> = lower.match_indices("<a ").map(|(at, _)| at).collect();
    let ends: Vec<usize> = begins.iter().copied().skip(1).chain([text.len()]).collect();
    begins.into_iter().zip(ends).filter_map(move |(begin, end)| {
        let (lower, text) = (&lower[begin..end], &text[begin..end]);
        let tag_end = lower.find('>')?;
        let at = lower[..tag_end].find("href")? + "href".len();
        let value = text[at..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let href = match quote {
            Some(quote) => value[1..].split(quote).next()?,
            None => value.split([' ', '>']).next()?,
        };
        let behind = lower.find("</a>").map_or("", |at| &text[at + "</a>".len()..]);
        Some(Link { href, behind })
    })
}

/// What is said behind a link, without tags, up to the end of its line or row.
fn mark_of(behind: &str) -> String {
    let row = behind.split("</tr>").next().unwrap_or_default();
    let mut mark = String::new();
    let mut in_tag = false;
    for c in row.chars().take(2000) {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            '\n' if !mark.trim().is_empty() && !row.contains("<td") => break,
            c if !in_tag => {
                let c = if c.is_whitespace() { ' ' } else { c };
                if c != ' ' || !mark.ends_with(' ') {
                    mark.push(c);
                }
            }
            _ => {}
        }
    }
    mark.trim().to_owned()
}

fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&#39;", "'").replace("&#x27;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use app::catalog::Kind;

    use super::{Entry, Problem, Raw, raws, read};
    use crate::storage::{Page, Tag};

    fn check(text: &str, expected: &[(&str, bool, &str)]) {
        let page = Page {
            address: "http://nas.example/media/".into(),
            tag: Tag::default(),
            text: text.to_owned(),
        };
        let entries = read(&page).expect("a folder");
        let found: Vec<_> =
            entries.iter().map(|e: &Entry| (e.name.as_str(), e.folder, e.mark.as_str())).collect();
        assert_eq!(found, expected);
        assert!(entries.iter().all(|e| e.address.starts_with("http://nas.example/media/")));
    }

    #[test]
    fn pages_of_web_servers() {
        // nginx
        check(
            "<html>\r\n<head><title>Index of /media/</title></head>\r\n<body>\r\n<h1>Index of /media/</h1><hr><pre><a href=\"../\">../</a>\r\n\
             <a href=\"a%C3%B1o/\">año/</a>        22-Nov-2026 11:00       -\r\n\
             <a href=\"film.mp4\">film.mp4</a>   22-Nov-2026 11:48     12345\r\n</pre><hr></body>",
            &[("año", true, "22-Nov-2026 11:00 -"), ("film.mp4", false, "22-Nov-2026 11:48 12345")],
        );
        // Apache
        check(
            "<!DOCTYPE HTML><table><tr><th><a href=\"?C=N;O=D\">Name</a></th></tr>\n\
             <tr><td><a href=\"/\">Parent Directory</a></td><td>&nbsp;</td></tr>\n\
             <tr><td><a href=\"tom%20&amp;%20ana.mp3\">tom &amp; ana</a></td><td align=\"right\">2026-11-22 11:48  </td><td>1.2M</td></tr>\n\
             <tr><td><A HREF='/media/x/'>x</A></td></tr></table>",
            &[("tom & ana.mp3", false, "2026-11-22 11:48 1.2M"), ("x", true, "")],
        );
        // What systems leave in a folder is asked for as little as it is listed here.
        check(
            "<a href=\"lost+found/\">l</a><a href=\"System%20Volume%20Information/\">s</a>\
             <a href=\"@eaDir/\">e</a><a href=\"$RECYCLE.BIN/\">r</a><a href=\"a/\">a</a>",
            &[("a", true, "")],
        );
        // Caddy
        check(
            "<a href=\"./b/\"><span>b</span></a><time datetime=\"2026\">t</time><a href=\"./b/\">b</a> <a href=./c.webm>c</a><a href=\"https://caddyserver.com\">Caddy</a>",
            &[("b", true, "t"), ("c.webm", false, "")],
        );
    }

    #[test]
    fn json_of_web_servers() {
        check(
            r#"[{"name":"a","type":"directory","mtime":"Sun, 22 Nov 2026 11:00:00 GMT"},
                {"name":"f #1.mp4","type":"file","mtime":"Sun","size":12},{"name":".x","type":"file"},
                {"name":"lost+found","type":"directory"}]"#,
            &[("a", true, "Sun, 22 Nov 2026 11:00:00 GMT "), ("f #1.mp4", false, "Sun 12")],
        );
        check(
            r#"[{"name":"a/","size":4096,"url":"./a/","mod_time":"2026","mode":1,"is_dir":true,"is_symlink":false}]"#,
            &[("a", true, "2026 4096")],
        );
    }

    #[test]
    fn media_of_other_types_are_named_and_segments_are_not() {
        let of = |names: &[&str]| {
            let entry = |name: &&str| Entry {
                name: (*name).to_owned(),
                address: format!("http://nas.example/{name}"),
                folder: false,
                mark: String::new(),
            };
            let raws = raws(names.iter().map(entry).collect(), Kind::Video);
            let left_out = |(name, raw): (String, Raw)| match raw {
                Raw::LeftOut { reason: Problem::OtherType, .. } => format!("{name}!"),
                _ => name,
            };
            raws.into_iter().map(left_out).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&["a.mkv", "b.ts", "c.mp4", "d.txt"]),
            ["a.mkv!", "b.ts!", "c.mp4"].map(str::to_owned)
        );
        assert_eq!(of(&["a.mkv", "b.ts", "index.m3u8"]), ["a.mkv!"]);
    }

    #[test]
    fn a_long_folder_is_read_once() {
        // Each link is the text up to the next, and each name is looked for among all others.
        let text: String = (0..100_000).map(|n| format!("<a href=\"{n}.mp4\">x</a>\n")).collect();
        let page = Page { address: "http://h/".into(), tag: Tag::default(), text };
        let began = std::time::Instant::now();
        assert_eq!(read(&page).map(|entries| entries.len()), Some(100_000));
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }

    #[test]
    fn what_is_no_folder() {
        for text in ["", "hello", "<html>hello</html>", "[1]", "{}", "<a", "<a >", "<a href"] {
            let page =
                Page { address: "http://h/".into(), tag: Tag::default(), text: text.to_owned() };
            assert!(read(&page).is_none_or(|entries| entries.is_empty()), "{text}");
        }
    }
}
