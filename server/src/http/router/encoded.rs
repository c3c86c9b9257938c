//! Lists in the encoding that was asked for: each encoding is a representation of its own and has an
//! entity tag of its own (RFC 9110 §8.8.3.3), and is made once for all who ask for the same list.

use std::{io::Write, sync::Arc};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use moka::sync::Cache;
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::error::ApiError;

/// Bytes of encoded lists that are kept: some hundred of ten thousand channels.
const KEPT_BYTES: u64 = 64 << 20;
/// How many lists are encoded at once; who wants another waits.
const TURNS: usize = 2;
/// How much work is done to make a list small: it is done once.
const BROTLI_QUALITY: i32 = 5;
const BROTLI_WINDOW: i32 = 20;

/// What a list can be sent as, beside what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Encoding {
    Brotli,
    Gzip,
}

/// The lists that were encoded last; a cheap clone.
#[derive(Clone, Debug)]
pub(super) struct Encodings {
    kept: Cache<(String, Encoding), Bytes>,
    turns: Arc<Semaphore>,
}

impl Default for Encodings {
    fn default() -> Self {
        let weigh = |(etag, _): &(String, Encoding), list: &Bytes| {
            u32::try_from(etag.len() + list.len()).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(KEPT_BYTES).weigher(weigh).build();
        Self { kept, turns: Arc::new(Semaphore::new(TURNS)) }
    }
}

impl Encoding {
    /// As in headers.
    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The tag of what a tag stands for, in this encoding.
    fn tagged(self, etag: &str) -> Option<HeaderValue> {
        let opaque = etag.strip_prefix('"')?.strip_suffix('"')?;
        HeaderValue::from_str(&format!("\"{opaque}-{}\"", self.name())).ok()
    }

    fn encode(self, list: &[u8]) -> std::io::Result<Bytes> {
        let mut encoded = Vec::with_capacity(list.len() / 4);
        match self {
            Self::Gzip => {
                let mut gzip = GzEncoder::new(&mut encoded, Compression::default());
                gzip.write_all(list)?;
                gzip.finish()?;
            }
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: list.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*list, &mut encoded, &params)?;
            }
        }
        Ok(encoded.into())
    }
}

impl Encodings {
    /// What a tag stands for, in an encoding.
    async fn of(&self, etag: &str, encoding: Encoding, list: Bytes) -> Result<Bytes, ApiError> {
        let key = (etag.to_owned(), encoding);
        if let Some(kept) = self.kept.get(&key) {
            return Ok(kept);
        }
        let Ok(_turn) = self.turns.acquire().await else { return Err(ApiError::Internal) };
        let kept = self.kept.clone();
        let encoded = spawn_blocking(move || kept.try_get_with(key, || encoding.encode(&list)));
        encoded.await.ok().and_then(Result::ok).ok_or(ApiError::Internal)
    }
}

/// Encodes what has a strong entity tag and is no part; everything else passes as it is.
pub(super) async fn encoded(
    State(encodings): State<Encodings>,
    mut request: Request,
    next: Next,
) -> Response {
    let wanted = wanted(request.headers());
    let known = known(request.headers(), wanted);
    let is_head = request.method() == Method::HEAD;
    // Whoever makes a list knows it by one tag.
    match known {
        Some(known) => drop(request.headers_mut().insert(header::IF_NONE_MATCH, known)),
        None => drop(request.headers_mut().remove(header::IF_NONE_MATCH)),
    }
    let mut response = next.run(request).await;
    let answers = matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED);
    let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
    let Some(etag) = etag.filter(|etag| answers && etag.starts_with('"')).map(str::to_owned) else {
        return response;
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some((encoding, tag)) = wanted.and_then(|wanted| Some((wanted, wanted.tagged(&etag)?)))
    else {
        return response;
    };
    headers.insert(header::ETAG, tag);
    if response.status() == StatusCode::NOT_MODIFIED {
        return response;
    }
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    if is_head {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(list) = to_bytes(body, usize::MAX).await else {
        return ApiError::Internal.into_response();
    };
    match encodings.of(&etag, encoding, list).await {
        Ok(encoded) => Response::from_parts(parts, Body::from(encoded)),
        Err(error) => error.into_response(),
    }
}

/// The encoding that the client likes best of ours; `None` where it likes none of them (RFC 9110
/// §12.5.3).
fn wanted(headers: &HeaderMap) -> Option<Encoding> {
    let (mut brotli, mut gzip, mut rest, mut identity) = (None, None, 0.0, 0.0);
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    for item in lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')) {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok());
        let weight = weight.unwrap_or(0.0);
        match name.trim().to_ascii_lowercase().as_str() {
            "br" => brotli = Some(weight),
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = weight,
            "*" => rest = weight,
            _ => {}
        }
    }
    let (brotli, gzip) = (brotli.unwrap_or(rest), gzip.unwrap_or(rest));
    let (best, weight) =
        if brotli >= gzip { (Encoding::Brotli, brotli) } else { (Encoding::Gzip, gzip) };
    (weight > 0.0 && weight >= identity).then_some(best)
}

/// The `If-None-Match` of a request in the tags of who makes the list: those of what would be sent.
fn known(headers: &HeaderMap, wanted: Option<Encoding>) -> Option<HeaderValue> {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter();
    let tags = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let ours: Vec<String> = tags.filter_map(|tag| own(tag.trim(), wanted)).collect();
    if ours.is_empty() { None } else { HeaderValue::from_str(&ours.join(", ")).ok() }
}

fn own(tag: &str, wanted: Option<Encoding>) -> Option<String> {
    if tag == "*" {
        return Some(tag.to_owned());
    }
    let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let of = |encoding: Encoding| opaque.strip_suffix(encoding.name())?.strip_suffix('-');
    let plain = match wanted {
        Some(encoding) => of(encoding)?,
        None => opaque,
    };
    Some(format!("\"{plain}\""))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use axum::{
        Router,
        body::{Body, Bytes, to_bytes},
        http::{HeaderMap, Request, StatusCode, header},
        middleware,
        response::IntoResponse,
        routing::get,
    };
    use tower::ServiceExt;

    use super::{Encoding, Encodings, encoded, wanted};
    use crate::delivery::conditional::is_known;

    fn accepting(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().expect("a value"))])
    }

    #[test]
    fn who_asks_is_given_what_it_likes_best() {
        use Encoding::{Brotli, Gzip};
        assert_eq!(wanted(&HeaderMap::new()), None);
        for (value, encoding) in [
            ("gzip", Some(Gzip)),
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip;q=1.0, br;q=0.5", Some(Gzip)),
            ("br;q=0, gzip;q=0.1", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("*", Some(Brotli)),
            ("*;q=0", None),
            ("*;q=0, gzip", Some(Gzip)),
            ("identity", None),
            ("identity;q=1, gzip;q=0.5", None),
            ("deflate", None),
            ("gzip;q=x", None),
            ("", None),
        ] {
            assert_eq!(wanted(&accepting(value)), encoding, "{value:?}");
        }
    }

    #[test]
    fn what_is_encoded_is_what_was_there() {
        let list: Vec<u8> = (0..200_000_u32).flat_map(|n| (n % 251).to_le_bytes()).collect();
        let gzip = Encoding::Gzip.encode(&list).expect("encoded");
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&*gzip).read_to_end(&mut read).expect("gzip");
        assert!(read == list && gzip.len() < list.len() / 4);
        let brotli = Encoding::Brotli.encode(&list).expect("encoded");
        let mut read = Vec::new();
        brotli::Decompressor::new(&*brotli, 4096).read_to_end(&mut read).expect("brotli");
        assert!(read == list && brotli.len() < list.len() / 4);
    }

    #[tokio::test]
    async fn each_encoding_is_known_by_its_own_tag_and_made_once() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counts = asked.clone();
        let list = move |headers: HeaderMap| async move {
            counts.fetch_add(1, Ordering::Relaxed);
            if is_known(&headers, "\"abc\"") {
                return ([(header::ETAG, "\"abc\"")], StatusCode::NOT_MODIFIED).into_response();
            }
            ([(header::ETAG, "\"abc\"")], Bytes::from(vec![b'x'; 10_000])).into_response()
        };
        let encodings = Encodings::default();
        let layer = middleware::from_fn_with_state(encodings.clone(), encoded);
        let app = Router::new().route("/", get(list)).layer(layer);
        let ask = async |method: &str, encoding: &str, known: &str| {
            let request = Request::builder()
                .method(method)
                .uri("/")
                .header(header::ACCEPT_ENCODING, encoding)
                .header(header::IF_NONE_MATCH, known)
                .body(Body::empty())
                .expect("a request");
            let answer = app.clone().oneshot(request).await.expect("an answer");
            let (parts, body) = answer.into_parts();
            let text = |name| {
                parts.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
            };
            assert_eq!(text(header::VARY), "accept-encoding");
            let length = to_bytes(body, 1 << 20).await.expect("a body").len();
            let said = (text(header::ETAG).to_owned(), text(header::CONTENT_ENCODING).to_owned());
            (parts.status.as_u16(), said, length)
        };
        let tags = [
            ("identity", "\"abc\"", ""),
            ("gzip", "\"abc-gzip\"", "gzip"),
            ("br", "\"abc-br\"", "br"),
        ];
        for (encoding, tag, told) in tags {
            for _ in 0..3 {
                let (status, said, length) = ask("GET", encoding, "\"old\"").await;
                assert_eq!((status, said.0.as_str(), said.1.as_str()), (200, tag, told));
                assert_eq!(length == 10_000, told.is_empty(), "{encoding}: {length}");
            }
            let (status, said, length) = ask("HEAD", encoding, "\"old\"").await;
            assert_eq!((status, said.0.as_str(), said.1.as_str(), length), (200, tag, told, 0));
            for (known, status) in [
                (tag.to_owned(), 304),
                (format!("W/{tag}"), 304),
                (format!("\"old\", {tag}"), 304),
                ("*".to_owned(), 304),
                ("\"abc-zstd\"".to_owned(), 200),
            ] {
                let answer = ask("GET", encoding, &known).await;
                assert_eq!((answer.0, answer.1.0.as_str()), (status, tag), "{encoding} {known}");
            }
            for (_, other, _) in tags.iter().filter(|(other, ..)| *other != encoding) {
                assert_eq!(ask("GET", encoding, other).await.0, 200, "{encoding} is not {other}");
            }
        }
        encodings.kept.run_pending_tasks();
        assert_eq!(encodings.kept.entry_count(), 2);
    }
}
