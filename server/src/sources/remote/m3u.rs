//! M3U lists as IPTV has them: a line of attributes and a title, and an address. They are read as
//! other players read them, and one entry that cannot be read costs nothing but itself.

mod entry;

use std::collections::HashMap;

use app::catalog::{ChannelId, Kind};
use percent_encoding::percent_decode_str;
use url::Url;

use self::entry::Entry;
use super::record::{Raw, RemoteRecord};
use crate::{
    catalog::{
        name::{self, NameForm},
        problem::Problem,
    },
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
        let told = RemoteRecord { live: true, ..RemoteRecord::new(&name, base.as_str(), kind) };
        return vec![(name, Raw::Named(told))];
    }
    let mut names = Names::default();
    let mut found = Vec::new();
    // A group that is told before the entry, and an entry that has no address yet.
    let (mut group, mut next) = (None, None::<Entry>);
    // The entry of the last address, and where that leads, if it leads somewhere; where it leads to
    // nothing that is played, that is told unless another address of the entry does better.
    let mut last = None::<(Entry, Option<Url>)>;
    let mut left_out = None::<LeftOut>;
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
            if next.is_some() || !matches!(last, Some((_, None))) {
                found.extend(left_out.take().map(|left| left.raw(&mut names)));
            }
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
            if told.is_some() {
                left_out = None;
            } else if let Some(url) = &address {
                left_out = left_out.or_else(|| LeftOut::of(&entry, url, kind));
            }
            let led = address.filter(|_| told.is_some());
            if let Some(told) = told {
                found.push((told.name.clone(), Raw::Named(told)));
            }
            last = has_words.then_some((entry, led));
        }
    }
    found.extend(left_out.map(|left| left.raw(&mut names)));
    found
}

/// An entry that leads to nothing that is played.
struct LeftOut {
    wish: String,
    suffix: String,
    address: String,
    reason: Problem,
}

impl LeftOut {
    /// `None` where nobody can say what it leads to, or where it is of the other kind.
    fn of(entry: &Entry, url: &Url, wanted: Kind) -> Option<Self> {
        let last = file_name(url);
        let reason = reason_of(&last).filter(|_| !entry.radio || wanted == Kind::Audio)?;
        let suffix = format!(".{}", media_type::extension(&last)?.to_ascii_lowercase());
        Some(Self { wish: wish(entry, &last), suffix, address: url.as_str().to_owned(), reason })
    }

    fn raw(self, names: &mut Names) -> (String, Raw) {
        let Self { wish, suffix, address, reason } = self;
        (names.take(&id(&wish), &suffix), Raw::LeftOut { address, reason })
    }
}

/// Why a file of this name is nothing that is played. Streams of television have the name of a file
/// that has an end, and are passed over as everywhere.
fn reason_of(name: &str) -> Option<Problem> {
    let extension = media_type::extension(name)?.to_ascii_lowercase();
    match &*extension {
        "ts" => None,
        "mpd" | "m3u" | "pls" | "asx" | "xspf" => Some(Problem::OtherList),
        _ => (name::form(name) == NameForm::OtherMedia).then_some(Problem::OtherType),
    }
}

/// What an entry wants to be called, and that as an id.
fn wish(entry: &Entry, last: &str) -> String {
    if entry.title.is_empty() { stem(last).to_owned() } else { entry.title.clone() }
}

fn id(wish: &str) -> String {
    id_of(wish, ChannelId::MAX_CHARS - 12).unwrap_or_else(|| "channel".into())
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
fn told(
    entry: &Entry,
    base: &Url,
    url: &Url,
    wanted: Kind,
    names: &mut Names,
) -> Option<RemoteRecord> {
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
    if kind != wanted || extension.as_deref() == Some("ts") || reason_of(&last).is_some() {
        return None;
    }
    let suffix = extension.filter(|_| bare).map(|e| format!(".{e}")).unwrap_or_default();
    let id = id(&wish(entry, &last));
    let name = names.take(&id, &suffix);
    let logo = entry.logo.as_deref().and_then(|logo| base.join(logo).ok());
    let logo = logo.filter(|logo| {
        matches!(logo.scheme(), "http" | "https")
            && media_type::of(&logo.path().to_ascii_lowercase()).starts_with("image/")
    });
    Some(RemoteRecord {
        bare,
        live: !bare && entry.duration_s.is_none(),
        title: Some(entry.title.clone()).filter(|title| *title != id && !title.is_empty()),
        tags: entry.groups.clone(),
        mime: match by_name {
            _ if !bare => media_type::PLAYLIST,
            // Browsers know QuickTime by the name of its successor.
            "video/quicktime" => "video/mp4",
            by_name => by_name,
        }
        .to_owned(),
        duration_s: entry.duration_s,
        beside: logo.map(|logo| ("poster.webp".to_owned(), logo.into())).into_iter().collect(),
        ..RemoteRecord::new(&name, url.as_str(), kind)
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
mod tests;
