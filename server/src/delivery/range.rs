//! The `Range` header (RFC 9110 §14.2) against a body of known length.

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: no range was asked for, one that cannot be read, or several at once.
    Whole,
    /// One part.
    Part(ByteRange),
    /// The range lies behind the end.
    Unsatisfiable,
}

/// A part of a body: never empty, never behind its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    first: u64,
    last: u64,
}

impl ByteRange {
    /// Offset of the first byte.
    pub fn first(self) -> u64 {
        self.first
    }

    /// Number of bytes.
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }

    /// The value of `Content-Range` in a body of `size` bytes.
    pub fn content_range(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}

/// Reads a `Range` header for a body of `size` bytes.
///
/// Several ranges at once are answered with the whole: RFC 9110 allows it, no player needs them,
/// and sets of overlapping ranges are a known way to make a server work.
pub fn select(header: &str, size: u64) -> Selection {
    let Some((unit, set)) = header.split_once('=') else { return Selection::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Selection::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Selection::Whole };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => {
            if last.is_some_and(|last| last < first) {
                Selection::Whole
            } else if first >= size {
                Selection::Unsatisfiable
            } else {
                let last = last.map_or(size - 1, |last| last.min(size - 1));
                Selection::Part(ByteRange { first, last })
            }
        }
        (Some(None), Some(Some(length))) => {
            if length == 0 || size == 0 {
                Selection::Unsatisfiable
            } else {
                Selection::Part(ByteRange { first: size.saturating_sub(length), last: size - 1 })
            }
        }
        _ => Selection::Whole,
    }
}

/// `Some(None)` for nothing written, `None` for what is no number; too large counts as the largest.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        Some(None)
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Some(Some(text.parse().unwrap_or(u64::MAX)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ByteRange, Selection, select};

    fn check(header: &str, size: u64, expected: Selection) {
        assert_eq!(select(header, size), expected, "{header} of {size}");
    }

    fn part(first: u64, last: u64) -> Selection {
        Selection::Part(ByteRange { first, last })
    }

    #[test]
    fn ranges_of_a_thousand_bytes() {
        check("bytes=188-375", 1000, part(188, 375));
        check("Bytes = 0-0", 1000, part(0, 0));
        check("bytes=990-", 1000, part(990, 999));
        check("bytes=-188", 1000, part(812, 999));
        check("bytes=-5000", 1000, part(0, 999));
        check("bytes=0-99999999999999999999999", 1000, part(0, 999));
        check("bytes=1000-", 1000, Selection::Unsatisfiable);
        check("bytes=99999999999999999999999-", 1000, Selection::Unsatisfiable);
        check("bytes=-0", 1000, Selection::Unsatisfiable);
        check("bytes=0-", 0, Selection::Unsatisfiable);
        for ignored in ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "lines=1-2"] {
            check(ignored, 1000, Selection::Whole);
        }
        check("bytes=0-9,20-29", 1000, Selection::Whole);
        check("bytes=5000-,6000-", 1000, Selection::Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_inside(header in "bytes=[0-9]{0,25}-[0-9]{0,25}", size in 0u64..5000) {
            if let Selection::Part(range) = select(&header, size) {
                prop_assert!(range.length() >= 1);
                prop_assert!(range.first() + range.length() <= size);
            }
        }

        #[test]
        fn any_text_is_answered(header in "\\PC{0,60}", size in 0u64..5000) {
            select(&header, size);
        }
    }
}
