//! Conditional requests (RFC 9110 §13): whether the other side has what we would send.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use headers::{ETag, HeaderMapExt, IfMatch, IfModifiedSince, IfNoneMatch, IfUnmodifiedSince};
use http::{HeaderMap, header};

use crate::storage::local::FileVersion;

/// What tells one state of a body from another.
#[derive(Clone, Debug)]
pub struct Validators {
    /// Strong entity tag with its quotes.
    pub etag: String,
    /// Last change.
    pub modified: SystemTime,
}

impl Validators {
    /// Of a file in this version.
    pub(crate) fn of(stamp: FileVersion) -> Self {
        Self { etag: format!("\"{}\"", stamp.version()), modified: stamp.modified() }
    }

    fn tag(&self) -> Option<ETag> {
        self.etag.parse().ok()
    }
}

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it.
    Send,
    /// 304: the other side has it.
    NotModified,
    /// 412: it is not what the other side wanted.
    Failed,
}

/// Evaluates the preconditions in the order of §13.2.2, for GET and HEAD.
pub fn evaluate(headers: &HeaderMap, validators: &Validators) -> Verdict {
    if headers.contains_key(header::IF_MATCH) {
        // Strong comparison: a weak tag matches nothing, nor does what is no tag.
        let matches = headers.typed_get::<IfMatch>().zip(validators.tag());
        if !matches.is_some_and(|(wanted, tag)| wanted.precondition_passes(&tag)) {
            return Verdict::Failed;
        }
    } else if let Some(since) = headers.typed_get::<IfUnmodifiedSince>()
        && !since.precondition_passes(validators.modified)
    {
        return Verdict::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if is_known(headers, &validators.etag) {
            return Verdict::NotModified;
        }
    } else if let Some(since) = headers.typed_get::<IfModifiedSince>()
        && !since.is_modified(validators.modified)
    {
        return Verdict::NotModified;
    }
    Verdict::Send
}

/// Whether a `Range` may be honoured: there is no `If-Range`, or it names this very state (§13.1.5). A
/// later date is another state, which the library's `IfRange` takes for this one.
pub fn range_is_current(headers: &HeaderMap, validators: &Validators) -> bool {
    let Some(condition) = headers.get(header::IF_RANGE) else { return true };
    let Ok(condition) = condition.to_str().map(str::trim) else { return false };
    condition == validators.etag
        || httpdate::parse_http_date(condition)
            .is_ok_and(|date| date == whole_seconds(validators.modified))
}

/// Whether an `If-None-Match` names `etag`, by weak comparison.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.typed_get::<IfNoneMatch>().zip(etag.parse::<ETag>().ok());
    known.is_some_and(|(known, etag)| !known.precondition_passes(&etag))
}

/// Dates in headers have no fractions.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::HeaderMap;

    use super::{Validators, Verdict, evaluate, range_is_current};

    const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const NEW: &str = "Sun, 06 Nov 1994 08:49:39 GMT";

    fn validators() -> Validators {
        let modified = UNIX_EPOCH + Duration::from_millis(784_111_778_500);
        Validators { etag: "\"a\"".into(), modified }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), value.parse().expect("a value"))
            })
            .collect()
    }

    fn check(pairs: &[(&'static str, &str)], expected: Verdict) {
        assert_eq!(evaluate(&headers(pairs), &validators()), expected, "{pairs:?}");
    }

    #[test]
    fn conditions() {
        check(&[], Verdict::Send);
        check(&[("if-none-match", "\"a\"")], Verdict::NotModified);
        check(&[("if-none-match", "\"b\", W/\"a\"")], Verdict::NotModified);
        check(&[("if-none-match", "*")], Verdict::NotModified);
        check(&[("if-none-match", "\"b\"")], Verdict::Send);
        check(&[("if-none-match", "\"b\""), ("if-modified-since", NEW)], Verdict::Send);
        check(&[("if-modified-since", OLD)], Verdict::Send);
        check(&[("if-modified-since", SAME)], Verdict::NotModified);
        check(&[("if-modified-since", NEW)], Verdict::NotModified);
        check(&[("if-modified-since", "yesterday")], Verdict::Send);
        check(&[("if-match", "\"a\"")], Verdict::Send);
        check(&[("if-match", "W/\"a\"")], Verdict::Failed);
        check(&[("if-match", "\"b\"")], Verdict::Failed);
        check(&[("if-unmodified-since", OLD)], Verdict::Failed);
        check(&[("if-unmodified-since", SAME)], Verdict::Send);
    }

    #[test]
    fn a_range_of_another_state_is_not_honoured() {
        for (value, current) in
            [("\"a\"", true), ("W/\"a\"", false), ("\"b\"", false), (SAME, true), (NEW, false)]
        {
            let headers = headers(&[("if-range", value)]);
            assert_eq!(range_is_current(&headers, &validators()), current, "{value}");
        }
        assert!(range_is_current(&HeaderMap::new(), &validators()));
    }
}
