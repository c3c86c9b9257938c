//! From names on disk to ids, and the order of ids that people expect.

use std::{cmp::Ordering, ffi::OsStr};

use app::catalog::ChannelId;
use unicode_normalization::UnicodeNormalization;

use super::problem::Problem;

/// The extensions of bare media files that are channels.
const BARE: [&str; 11] =
    ["mp4", "m4v", "webm", "mov", "mp3", "m4a", "aac", "ogg", "opus", "flac", "wav"];

/// Extensions of media that browsers do not play from a file; `carrete convert` mends them.
const OTHER_MEDIA: &[&str] = &[
    "mkv", "mk3d", "mka", "avi", "divx", "wmv", "wma", "asf", "dvr-ms", "flv", "f4v", "mpg",
    "mpeg", "mpe", "m1v", "m2v", "m2p", "mp2", "mpa", "m2ts", "m2t", "mts", "ts", "tp", "trp",
    "vob", "mod", "tod", "3gp", "3gpp", "3g2", "ogv", "oga", "ogm", "ogx", "spx", "rm", "ra",
    "rmvb", "aiff", "aif", "aifc", "m4b", "m4r", "m4p", "qt", "weba", "mxf", "dv", "wtv", "caf",
    "au", "snd", "amr", "awb", "ape", "wv", "tta", "mpc", "ac3", "eac3", "ec3", "dts", "dsf",
    "w64", "wave", "mjpeg", "mjpg", "mj2", "h264", "264", "avc", "h265", "265", "hevc", "ivf",
    "nut", "aax", "aa", "f4a", "f4b", "3ga", "tak", "dff", "mp1", "voc",
];

/// Extensions of subtitles that no browser reads, and whether ffmpeg does.
const OTHER_SUBTITLES: [(&str, bool); 13] = [
    ("srt", true),
    ("ass", true),
    ("ssa", true),
    ("smi", true),
    ("sami", true),
    ("scc", true),
    ("lrc", true),
    ("sub", false),
    ("idx", false),
    ("sbv", false),
    ("ttml", false),
    ("dfxp", false),
    ("stl", false),
];

/// What systems leave in a folder that is shared, in small letters.
const LEFT_BEHIND: [&str; 31] = [
    // Synology, QNAP and other network disks.
    "@eadir",
    "@tmp",
    "@recycle",
    "@recently-snapshot",
    "@__thumb",
    "@sharesnap",
    "@transcode",
    "@sharebin",
    "#recycle",
    "#snapshot",
    "#trash",
    "~snapshot",
    "network trash folder",
    // Windows.
    "$recycle.bin",
    "recycler",
    "recycled",
    "system volume information",
    "msocache",
    "config.msi",
    "found.000",
    "thumbs.db",
    "thumbs.db:encryptable",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    // Apple.
    "icon\r",
    "temporary items",
    "thevolumesettingsfolder",
    "__macosx",
    // File systems.
    "lost+found",
    "aquota.user",
];

/// What a name at the top of the streams folder may be, before looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameForm {
    /// Ends like a media file that browsers play.
    Bare,
    /// Ends like a media file that they do not.
    OtherMedia,
    /// Ends like subtitles that they do not read.
    OtherSubtitles,
    /// Anything else: of interest only as a folder.
    Plain,
}

/// Hidden and half-written names (a leading dot; `.tmp-*` is one of them), and what systems leave
/// behind: nobody's channel.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
        || name
            .to_str()
            .is_some_and(|name| LEFT_BEHIND.iter().any(|left| name.eq_ignore_ascii_case(left)))
}

/// Sorts a name by its extension.
pub(crate) fn form(name: &str) -> NameForm {
    let Some(extension) = crate::hls::media_type::extension(name) else { return NameForm::Plain };
    let is = |known: &&str| extension.eq_ignore_ascii_case(known);
    if BARE.iter().any(is) {
        NameForm::Bare
    } else if OTHER_MEDIA.iter().any(is) {
        NameForm::OtherMedia
    } else if OTHER_SUBTITLES.iter().any(|(known, _)| is(known)) {
        NameForm::OtherSubtitles
    } else {
        NameForm::Plain
    }
}

/// Whether ffmpeg reads subtitles of this name.
pub(crate) fn is_read_by_ffmpeg(name: &str) -> bool {
    let extension = crate::hls::media_type::extension(name).unwrap_or_default();
    OTHER_SUBTITLES.iter().any(|(known, reads)| *reads && extension.eq_ignore_ascii_case(known))
}

/// A name without its extension.
pub(crate) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A name in quotes, for people: composed, so that letters look like letters, with nothing in it
/// that a terminal would obey.
pub(crate) fn shown(name: &OsStr) -> String {
    let mut shown = String::from('"');
    for c in name.to_string_lossy().nfc() {
        let is_unseen = matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
        if c.is_control() || is_unseen || c == '"' || c == '\\' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('"');
    shown
}

/// A name in NFC, as ids and addresses have it.
pub(crate) fn nfc(name: &str) -> String {
    name.nfc().collect()
}

/// The id that a name spells.
pub(crate) fn id(name: &str) -> Result<ChannelId, Problem> {
    ChannelId::parse(&nfc(name)).map_err(Problem::Name)
}

/// Compares as people do: runs of digits as numbers, all else by character.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let digits = (leading_digits(left), leading_digits(right));
        if !digits.0.is_empty() && !digits.1.is_empty() {
            let numbers = (digits.0.trim_start_matches('0'), digits.1.trim_start_matches('0'));
            let order =
                numbers.0.len().cmp(&numbers.1.len()).then_with(|| numbers.0.cmp(numbers.1));
            if order.is_ne() {
                return order;
            }
            left = &left[digits.0.len()..];
            right = &right[digits.1.len()..];
            continue;
        }
        let (mut lefts, mut rights) = (left.chars(), right.chars());
        match (lefts.next(), rights.next()) {
            (Some(x), Some(y)) if x == y => {
                left = lefts.as_str();
                right = rights.as_str();
            }
            // `a1` and `a01` are the same number: the spelling decides.
            (None, None) => return a.cmp(b),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn leading_digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::{NameForm, form, id, is_hidden, natural, shown};

    #[test]
    fn numbers_are_compared_as_numbers() {
        let mut ids = ["canal10", "canal2", "canal", "canal1b", "canal1", "a100x2", "a100x10", "ñ"];
        ids.sort_by(|a, b| natural(a, b));
        assert_eq!(
            ids,
            ["a100x2", "a100x10", "canal", "canal1", "canal1b", "canal2", "canal10", "ñ"]
        );
        assert!(natural("a007", "a7").is_lt());
        assert!(natural("99999999999999999999998", "99999999999999999999999").is_lt());
    }

    #[test]
    fn names_become_ids_in_nfc() {
        assert_eq!(id("an\u{303}o").map(|id| id.to_string()), Ok("año".to_owned()));
        assert!(id("a:b").is_err());
    }

    #[test]
    fn extensions_tell_the_form() {
        assert_eq!(form("Song.MP3"), NameForm::Bare);
        assert_eq!(form("film.mkv"), NameForm::OtherMedia);
        for name in [
            "story.m4b",
            "radio.OGA",
            "podcast.mka",
            "tv.ts",
            "a.3gp",
            "b.wma",
            "book.aax",
            "a.voc",
        ] {
            assert_eq!(form(name), NameForm::OtherMedia, "{name}");
        }
        assert_eq!(form("film.es.srt"), NameForm::OtherSubtitles);
        assert_eq!(form("notes.txt"), NameForm::Plain);
        assert_eq!(form(".mp4"), NameForm::Plain);
    }

    #[test]
    fn what_systems_leave_is_hidden() {
        for name in [
            "@eaDir",
            "#recycle",
            "$RECYCLE.BIN",
            "System Volume Information",
            "lost+found",
            ".DS_Store",
            "Thumbs.db",
            "._film.mp4",
            ".Trash-1000",
            ".stfolder",
            "@Recycle",
            "RECYCLER",
            ".tmp-film-1",
            "Icon\r",
            ".@__thumb",
            "__MACOSX",
        ] {
            assert!(is_hidden(OsStr::new(name)), "{name}");
        }
        for name in ["@home", "#1", "recycle", "lost", "tmp", "$100", "desktop"] {
            assert!(!is_hidden(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn names_are_shown_as_people_read_them() {
        for (name, text) in [
            ("Sen\u{303}al", "\"Señal\""),
            ("हिन्दी", "\"हिन्दी\""),
            ("a\u{1B}[2J", "\"a\\u{1b}[2J\""),
            ("a\u{202E}b", "\"a\\u{202e}b\""),
            ("it's \"so\"", "\"it's \\\"so\\\"\""),
        ] {
            assert_eq!(shown(OsStr::new(name)), text);
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[a-c0-2]{0,6}", b in "[a-c0-2]{0,6}", c in "[a-c0-2]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b).is_eq(), a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
