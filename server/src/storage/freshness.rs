//! How long the answers of another server may be kept and believed, in its own words (RFC 9111 §5.2,
//! RFC 8246): this server is a cache that many share.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, Request, Response, header};
use http_cache_semantics::{CacheOptions, CachePolicy};

/// Nothing is believed for longer, whatever is said: a year, as RFC 9111 §1.2.2 has it for long.
const LONGEST: Duration = Duration::from_secs(31_536_000);

/// What a server says of how long its answer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// It is for who asked and is not kept for others: `no-store`, `private`.
    pub passing: bool,
    /// So long nobody has to ask whether it still is the same; `None` where nothing is said of that.
    pub lasts: Option<Duration>,
    /// In that time it stays what it is: not even a reload asks.
    pub immutable: bool,
    /// After that time it is not used before the server has said that it still is the same.
    pub strict: bool,
}

impl Freshness {
    /// As the headers of an answer say.
    pub fn of(headers: &HeaderMap) -> Self {
        let passing = says(headers, "no-store") || says(headers, "private");
        let lasts = is_said(headers).then(|| lasts(headers));
        Self {
            passing,
            lasts,
            immutable: says(headers, "immutable") && lasts.is_some_and(|lasts| !lasts.is_zero()),
            strict: ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage"]
                .iter()
                .any(|word| says(headers, word)),
        }
    }
}

/// Whether anything is said of how long it holds.
fn is_said(headers: &HeaderMap) -> bool {
    let words = ["max-age", "s-maxage", "no-cache", "no-store", "private"];
    let varies = headers.get(header::VARY).is_some_and(|vary| vary.as_bytes() == b"*");
    varies
        || words.iter().any(|word| says(headers, word))
        || headers.contains_key(header::EXPIRES)
        || (headers.contains_key(header::PRAGMA) && !headers.contains_key(header::CACHE_CONTROL))
}

fn lasts(headers: &HeaderMap) -> Duration {
    const READ: [HeaderName; 5] =
        [header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA, header::DATE, header::VARY];
    let mut answer = Response::new(());
    for name in READ {
        for value in headers.get_all(&name) {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    // An age beyond all lifetimes counts as that: sums are made of it.
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    let age = age.map(|age: u64| age.min(LONGEST.as_secs()));
    if let Some(age) = age {
        answer.headers_mut().insert(header::AGE, age.into());
    }
    // What nobody says is not guessed here.
    let options = CacheOptions {
        cache_heuristic: 0.0,
        immutable_min_time_to_live: Duration::ZERO,
        ..CacheOptions::default()
    };
    let now = SystemTime::now();
    let policy = CachePolicy::new_options(&Request::new(()), &answer, now, options);
    policy.time_to_live(now).min(LONGEST)
}

/// Whether `Cache-Control` holds a directive, with or without a value.
fn says(headers: &HeaderMap, directive: &str) -> bool {
    let texts = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|text| text.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|one| {
        let name = one.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(directive)
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Freshness, LONGEST};

    fn of(headers: &[(&str, &str)]) -> Freshness {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        Freshness::of(&map)
    }

    fn cache(words: &str) -> Freshness {
        of(&[("cache-control", words)])
    }

    #[test]
    fn what_is_not_for_others_is_not_kept() {
        for words in ["no-store", "private, max-age=600", "max-age=9, No-Store", "private=\"x\""] {
            assert!(cache(words).passing, "{words}");
        }
        for words in ["public, max-age=600", "no-cache", "max-age=0", "x-private, y=no-store"] {
            assert!(!cache(words).passing, "{words}");
        }
        assert_eq!(of(&[]), Freshness::default());
    }

    #[test]
    fn it_lasts_as_long_as_is_said_and_no_longer() {
        let seconds = |freshness: Freshness| freshness.lasts.map(|lasts| lasts.as_secs());
        for (words, lasts) in [
            ("max-age=60", Some(60)),
            ("max-age=60, s-maxage=5", Some(5)),
            ("max-age=1, immutable", Some(1)),
            ("no-cache", Some(0)),
            ("no-cache, max-age=60", Some(0)),
            ("max-age=0, must-revalidate", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age=99999999999999999999", Some(0)),
            ("max-age=18446744073709551615", Some(LONGEST.as_secs())),
            // On its own it says nothing of how long.
            ("immutable", None),
            ("public", None),
        ] {
            assert_eq!(seconds(cache(words)), lasts, "{words}");
        }
        assert_eq!(seconds(of(&[("cache-control", "max-age=60"), ("age", "50")])), Some(10));
        let huge = "18446744073709551615";
        assert_eq!(seconds(of(&[("cache-control", "max-age=60"), ("age", huge)])), Some(0));
        assert_eq!(seconds(of(&[("expires", "0")])), Some(0));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        let lasts = of(&[("expires", &later)]).lasts.expect("a time");
        assert!((97..=100).contains(&lasts.as_secs()), "{lasts:?}");
        assert_eq!(seconds(of(&[("pragma", "no-cache")])), Some(0));
        assert_eq!(seconds(of(&[("vary", "*")])), Some(0));
    }

    #[test]
    fn immutable_holds_while_it_lasts() {
        assert!(cache("max-age=31536000, immutable").immutable);
        for words in ["immutable", "max-age=0, immutable", "not-immutable, max-age=5", "max-age=5"]
        {
            assert!(!cache(words).immutable, "{words}");
        }
        assert!(cache("max-age=5, must-revalidate").strict);
        assert!(!cache("max-age=5").strict);
    }
}
