//! From names on disk to ids, and the order of ids that people expect.

use std::{cmp::Ordering, ffi::OsStr};

use app::catalog::ChannelId;
use unicode_normalization::UnicodeNormalization;

use super::reason::Reason;

/// The extensions of bare media files that are channels.
const BARE: [&str; 11] =
    ["mp4", "m4v", "webm", "mov", "mp3", "m4a", "aac", "ogg", "opus", "flac", "wav"];

/// Extensions of media that browsers do not play from a file; `carrete convert` mends them.
const OTHER_MEDIA: [&str; 19] = [
    "mkv", "avi", "wmv", "flv", "mpg", "mpeg", "m2ts", "mts", "ts", "vob", "3gp", "ogv", "asf",
    "rm", "rmvb", "wma", "aiff", "aif", "mka",
];

/// What a name at the top of the streams folder may be, before looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameForm {
    /// Ends like a media file that browsers play.
    Bare,
    /// Ends like a media file that they do not.
    OtherMedia,
    /// Anything else: of interest only as a folder.
    Plain,
}

/// Hidden and half-written names (a leading dot; `.tmp-*` is one of them).
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// Sorts a name by its extension.
pub(crate) fn form(name: &str) -> NameForm {
    let Some(extension) = crate::hls::media_type::extension(name) else { return NameForm::Plain };
    let is = |known: &&str| extension.eq_ignore_ascii_case(known);
    if BARE.iter().any(is) {
        NameForm::Bare
    } else if OTHER_MEDIA.iter().any(is) {
        NameForm::OtherMedia
    } else {
        NameForm::Plain
    }
}

/// A name in NFC, as ids and addresses have it.
pub(crate) fn nfc(name: &str) -> String {
    name.nfc().collect()
}

/// The id that a name spells.
pub(crate) fn id(name: &str) -> Result<ChannelId, Reason> {
    ChannelId::parse(&nfc(name)).map_err(Reason::Name)
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
    use proptest::prelude::*;

    use super::{NameForm, form, id, natural};

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
        assert_eq!(form("notes.txt"), NameForm::Plain);
        assert_eq!(form(".mp4"), NameForm::Plain);
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
