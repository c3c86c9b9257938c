//! WebVTT beside a channel: whether a file of it is captions, by its name and by what it says.
//! Chapters, thumbnails and data have the same form.

use serde::de::IgnoredAny;

/// What a file is that would be WebVTT if it were written otherwise.
pub(crate) const PACKED: &str = "packed with gzip";
pub(crate) const IN_UTF16: &str = "in UTF-16, and not in UTF-8";
pub(crate) const NOT_UTF8: &str = "not in UTF-8";
/// What is WebVTT but for its first line.
pub(crate) const NO_HEADER: &str = "WebVTT without WEBVTT as the first word";
/// What is no subtitles at all.
pub(crate) const PAGE: &str = "a web page";
/// Bytes of the beginning that are judged.
pub(crate) const JUDGED: u64 = 64 << 10;
/// Cues that are judged.
const CUES: usize = 24;

/// Words in names of files that nobody says.
const UNSAID: [&str; 22] = [
    "chapter", "chapters", "chap", "chaps", "thumb", "thumbs", "tmb", "sprite", "sprites",
    "preview", "previews", "seek", "scrub", "meta", "metadata", "data", "cue", "cues", "nav",
    "toc", "ads", "map",
];

/// Languages by the names that people give to files.
const NAMED: [(&str, &str); 24] = [
    ("english", "en"),
    ("spanish", "es"),
    ("espanol", "es"),
    ("español", "es"),
    ("french", "fr"),
    ("francais", "fr"),
    ("français", "fr"),
    ("german", "de"),
    ("deutsch", "de"),
    ("italian", "it"),
    ("italiano", "it"),
    ("polish", "pl"),
    ("dutch", "nl"),
    ("russian", "ru"),
    ("japanese", "ja"),
    ("chinese", "zh"),
    ("korean", "ko"),
    ("arabic", "ar"),
    ("turkish", "tr"),
    ("swedish", "sv"),
    ("catalan", "ca"),
    ("català", "ca"),
    ("euskara", "eu"),
    ("galego", "gl"),
];

/// What a file that is called `.vtt` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// What is said.
    Captions,
    /// Something else that is no concern of who reads captions.
    Other,
    /// No WebVTT, and what it is instead.
    NotVtt(&'static str),
}

/// The language that a file's name without its extension tells: a tag of BCP 47 (`es`, `pt-BR`,
/// `zh-Hant-TW`), or its name.
pub(crate) fn language(stem: &str) -> Option<String> {
    let small = stem.to_lowercase();
    if let Some((_, tag)) = NAMED.iter().find(|(name, _)| *name == small) {
        return Some((*tag).to_owned());
    }
    let mut parts = stem.split('-');
    let primary = parts.next().unwrap_or_default();
    let is_tag = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts
            .all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    let is_said = !small.split('-').any(|part| UNSAID.contains(&part));
    (is_tag && is_said).then(|| stem.to_owned())
}

/// What the beginning of a file says it is. `all`: it is not cut off.
pub(crate) fn content(head: &[u8], all: bool) -> Content {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if !all && head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) if head.starts_with(&[0x1F, 0x8B]) => return Content::NotVtt(PACKED),
        Err(_) if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) => {
            return Content::NotVtt(IN_UTF16);
        }
        Err(_) => return Content::NotVtt(NOT_UTF8),
    };
    let text = text.trim_start_matches('\u{FEFF}');
    let Some(body) = text
        .strip_prefix("WEBVTT")
        .filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    else {
        return Content::NotVtt(other_form(text));
    };
    let text = body.replace("\r\n", "\n").replace('\r', "\n");
    let mut blocks = text.split("\n\n").map(|block| block.trim_matches('\n'));
    let header = blocks.next().unwrap_or_default();
    let kind = header.lines().find_map(|line| line.trim().strip_prefix("Kind:"));
    match kind.map(|kind| kind.trim().to_ascii_lowercase()).as_deref() {
        None | Some("captions" | "subtitles") => {}
        Some(_) => return Content::Other,
    }
    let said = blocks.filter_map(said).filter(|said| !said.is_empty()).take(CUES);
    let (mut any, mut unsaid) = (false, true);
    for said in said {
        any = true;
        unsaid &= is_address(&said) || is_data(&said);
    }
    if any && unsaid { Content::Other } else { Content::Captions }
}

/// What a cue shows; nothing where the block is none.
fn said(block: &str) -> Option<String> {
    let mut lines = block.lines().skip_while(|line| !line.contains("-->"));
    lines.next()?;
    Some(lines.collect::<Vec<_>>().join("\n").trim().to_owned())
}

/// A picture, or a part of one.
fn is_address(said: &str) -> bool {
    const PICTURES: [&str; 7] = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".bmp"];
    let is_one = |line: &str| {
        let line = line.trim().to_ascii_lowercase();
        let path = line.split(['#', '?']).next().unwrap_or_default();
        let has_part = line.contains("#xywh=");
        has_part
            || PICTURES.iter().any(|end| path.ends_with(end)) && !line.contains(char::is_whitespace)
    };
    said.lines().all(is_one)
}

/// JSON, or markup that no cue may have.
fn is_data(said: &str) -> bool {
    let is_json = said.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(said).is_ok();
    is_json || said.starts_with("<?xml")
}

fn other_form(text: &str) -> &'static str {
    let start = text.trim_start();
    let small = start.get(..start.len().min(64)).unwrap_or_default().to_ascii_lowercase();
    if small.starts_with("webvtt") {
        NO_HEADER
    } else if ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| small.starts_with(tag))
    {
        PAGE
    } else if start.starts_with("[Script Info]") {
        "ASS"
    } else if start.to_ascii_lowercase().starts_with("<tt") || start.starts_with("<?xml") {
        "TTML"
    } else if start.lines().take(4).any(|line| line.contains("-->")) {
        "SRT"
    } else if start.is_empty() {
        "empty"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, NO_HEADER, PAGE, content, language};

    #[test]
    fn names_of_languages() {
        for tag in ["es", "pt-BR", "zh-Hant-TW", "es-419", "ast", "EN"] {
            assert_eq!(language(tag).as_deref(), Some(tag));
        }
        assert_eq!(language("Spanish").as_deref(), Some("es"));
        for none in [
            "chapters",
            "thumbs",
            "metadata",
            "es-chapters",
            "chapters-es",
            "thumbnails",
            "toc",
            "nav",
            "playlist",
            "e",
            "",
            "es_ES",
            "seg1",
            "a.b",
        ] {
            assert_eq!(language(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_said_and_what_is_not() {
        let vtt = |cues: &[&str]| {
            let mut text = String::from("WEBVTT\n");
            for cue in cues {
                text.push_str(&format!("\n1\n00:00.000 --> 00:03.000 align:start\n{cue}\n"));
            }
            text
        };
        for (text, expected) in [
            ("WEBVTT\n".to_owned(), Content::Captions),
            (vtt(&["Hola a todos"]), Content::Captions),
            (vtt(&["[Music]", "{quietly} no"]), Content::Captions),
            (vtt(&["sprite.jpg#xywh=0,0,160,90", "sprite.jpg#xywh=160,0,160,90"]), Content::Other),
            (vtt(&["https://h/a%20b.webp?x=1"]), Content::Other),
            (vtt(&["{\"lat\":40.4,\n\"lon\":-3.7}"]), Content::Other),
            (vtt(&["[1, 2]", "{}"]), Content::Other),
            (vtt(&["see photo.jpg", "there"]), Content::Captions),
            (vtt(&["photo.jpg", "what is that?"]), Content::Captions),
            (vtt(&["Hola"]).replace('\n', "\r\n"), Content::Captions),
            (format!("\u{FEFF}{}", vtt(&["Hola"])), Content::Captions),
            ("WEBVTT\nKind: chapters\n\n00:00.000 --> 00:01.000\nOne\n".into(), Content::Other),
            (
                "WEBVTT\nKind: captions\nLanguage: es\n\n00:00.000 --> 00:01.000\n{}\n".into(),
                Content::Other,
            ),
            ("1\n00:00:00,000 --> 00:00:02,000\nHola\n".into(), Content::NotVtt("SRT")),
            ("[Script Info]\nTitle: x\n".into(), Content::NotVtt("ASS")),
            ("WEBVTTX\n".into(), Content::NotVtt(NO_HEADER)),
            (format!("\n{}", vtt(&["Hola"])), Content::NotVtt(NO_HEADER)),
            (vtt(&["Hola"]).replace("WEBVTT", "webvtt"), Content::NotVtt(NO_HEADER)),
            ("<!DOCTYPE html><title>Sign in</title>".into(), Content::NotVtt(PAGE)),
            ("nothing of that kind".into(), Content::NotVtt("something else")),
            (String::new(), Content::NotVtt("empty")),
        ] {
            assert_eq!(content(text.as_bytes(), true), expected, "{text}");
        }
        assert!(matches!(content(b"\xFF\xFEW\0", true), Content::NotVtt(_)));
        assert!(matches!(content(b"WEBVTT\n\n\xE9t\xE9", true), Content::NotVtt("not in UTF-8")));
        // A letter may be cut where the reading ended.
        assert_eq!(
            content("WEBVTT\n\nñ".as_bytes().split_last().expect("long").1, false),
            Content::Captions
        );
    }
}
