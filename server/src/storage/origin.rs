//! Another server, asked over HTTP: what lies at an address, and its bytes. It has no list of
//! objects: what there is is said by pages (a list, a playlist), which others understand. One
//! request each, beside redirects: what tries again, and what gives up, lives in `edge`.

mod decode;
mod guard;
mod web;

use std::{ops::Range, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;
use url::Url;

use self::web::{Web, refusal, refused};
use super::{Answer, Content, Found, Object, Page, Store, StoreError, Tag, disk::Stamp};
use crate::config::{OriginUrl, Site};

/// How long the next bytes of an answer may take to come.
const NEXT_BYTES: Duration = Duration::from_secs(5);
/// The longest page that is read.
const PAGE_MAX: usize = 32 << 20;
/// The longest object that is taken without being told its length.
const UNTOLD_MAX: usize = 64 << 20;
/// What a server that answers no parts may send in front of the one that is wanted.
const SKIP_MAX: u64 = 64 << 20;

/// Another server, and those that its lists lead to.
#[derive(Debug)]
pub struct Origin {
    name: &'static str,
    base: OriginUrl,
    web: Web,
}

impl Origin {
    /// The server at `base`, known by the word `name`. Its lists may lead to public addresses and to
    /// `allowed`. Asks nothing yet.
    pub fn new(name: &'static str, base: &OriginUrl, allowed: &[Site]) -> Self {
        Self { name, base: base.clone(), web: Web::new(base, allowed) }
    }

    async fn ask(
        &self,
        method: Method,
        key: &str,
        headers: &HeaderMap,
    ) -> Result<(Url, Response<Incoming>), StoreError> {
        let url = Url::parse(key)
            .map_err(|_| refused("a list names what is no address", "mend that list"))?;
        self.web.ask(method, &url, headers).await
    }

    async fn part(
        &self,
        key: &str,
        stamp: Stamp,
        range: Range<u64>,
    ) -> Result<Content, StoreError> {
        let mut headers = HeaderMap::new();
        if range != (0..stamp.size) {
            let part = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            set(&mut headers, header::RANGE, &part);
        }
        let (_, answer) = self.ask(Method::GET, key, &headers).await?;
        let told = answer.headers();
        let is_marked = text(told, &header::ETAG).is_some() || modified_ns(told) != 0;
        if is_marked && stamp_of(told, stamp.size).mark != stamp.mark {
            return Err(StoreError::Changed);
        }
        let wrong = |why: &str| Err(StoreError::Away(why.to_owned()));
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let part =
                    format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), stamp.size);
                if text(told, &header::CONTENT_RANGE) != Some(&part) {
                    return wrong("it answers another part than was asked for");
                }
                Ok(content(answer.into_body()))
            }
            StatusCode::OK => {
                if length(told).is_some_and(|length| length != stamp.size) {
                    return Err(StoreError::Changed);
                }
                if range.start > SKIP_MAX {
                    return Err(refused(
                        "it answers no parts of a long file",
                        "use another server",
                    ));
                }
                Ok(cut(content(answer.into_body()), range))
            }
            status => Err(refusal(status, answer.headers())),
        }
    }

    async fn whole(&self, key: &str) -> Result<(Found, Content), StoreError> {
        let (_, answer) = self.ask(Method::GET, key, &HeaderMap::new()).await?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(answer.status(), answer.headers()));
        }
        let (parts, body) = answer.into_parts();
        let content = content(body);
        let (size, content) = match length(&parts.headers) {
            Some(size) => (size, content),
            None => {
                let bytes = all(content, UNTOLD_MAX).await?;
                (bytes.len() as u64, stream::iter([Ok(bytes)]).boxed())
            }
        };
        Ok((found(&parts.headers, size), content))
    }

    async fn head(&self, key: &str) -> Result<Found, StoreError> {
        let (_, answer) = self.ask(Method::HEAD, key, &HeaderMap::new()).await?;
        match (answer.status(), length(answer.headers())) {
            (StatusCode::OK, Some(size)) => Ok(found(answer.headers(), size)),
            (StatusCode::NOT_FOUND | StatusCode::GONE, _) => Err(StoreError::Gone),
            // Some answer this method badly or not at all.
            _ => self.whole(key).await.map(|(found, _)| found),
        }
    }

    async fn text(&self, key: &str, known: Option<&Tag>) -> Result<Option<Page>, StoreError> {
        let mut headers = HeaderMap::new();
        // A web server that can tell its folders in JSON does so.
        let accept = "application/vnd.apple.mpegurl, application/json, text/html;q=0.9, */*;q=0.5";
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        match known {
            // Not with the time too: a server that minds both takes what changed within the same
            // second for the same.
            Some(Tag { etag: Some(etag), .. }) => set(&mut headers, header::IF_NONE_MATCH, etag),
            Some(Tag { modified: Some(modified), .. }) => {
                set(&mut headers, header::IF_MODIFIED_SINCE, modified);
            }
            _ => {}
        }
        let (address, answer) = self.ask(Method::GET, key, &headers).await?;
        match answer.status() {
            StatusCode::NOT_MODIFIED if known.is_some() => return Ok(None),
            StatusCode::OK => {}
            status => return Err(refusal(status, answer.headers())),
        }
        let (parts, body) = answer.into_parts();
        let bytes = all(content(body), PAGE_MAX).await?;
        let owned = |name| text(&parts.headers, &name).map(str::to_owned);
        Ok(Some(Page {
            address: address.into(),
            tag: Tag { etag: owned(header::ETAG), modified: owned(header::LAST_MODIFIED) },
            text: decode::decoded(&bytes, text(&parts.headers, &header::CONTENT_TYPE)),
        }))
    }
}

impl Store for Origin {
    fn name(&self) -> &'static str {
        self.name
    }

    fn label(&self) -> String {
        format!("{} server {}", self.name, self.base.url().origin().ascii_serialization())
    }

    fn identity(&self) -> String {
        self.base.url().to_string()
    }

    fn site(&self, key: &str) -> String {
        Url::parse(key).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn read(&self, key: &str, stamp: Stamp, range: Range<u64>) -> Answer<'_, Content> {
        let key = key.to_owned();
        async move { self.part(&key, stamp, range).await }.boxed()
    }

    fn look(&self, key: &str) -> Answer<'_, Found> {
        let key = key.to_owned();
        async move { self.head(&key).await }.boxed()
    }

    fn find(&self, key: &str) -> Answer<'_, (Found, Content)> {
        let key = key.to_owned();
        async move { self.whole(&key).await }.boxed()
    }

    fn page(&self, key: &str, known: Option<&Tag>) -> Answer<'_, Option<Page>> {
        let (key, known) = (key.to_owned(), known.cloned());
        async move { self.text(&key, known.as_ref()).await }.boxed()
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &header::CONTENT_LENGTH)?.parse().ok()
}

fn modified_ns(headers: &HeaderMap) -> i64 {
    let modified =
        text(headers, &header::LAST_MODIFIED).and_then(|t| httpdate::parse_http_date(t).ok());
    let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

fn stamp_of(headers: &HeaderMap, size: u64) -> Stamp {
    Stamp::tagged(size, modified_ns(headers), text(headers, &header::ETAG))
}

fn found(headers: &HeaderMap, size: u64) -> Found {
    let cache = text(headers, &header::CACHE_CONTROL).unwrap_or_default();
    Found { stamp: stamp_of(headers, size), lasting: cache.contains("immutable") }
}

fn content(body: Incoming) -> Content {
    stream::unfold(Some(body.into_data_stream()), |body| async move {
        let mut body = body?;
        let away = |why: &str| Err(StoreError::Away(why.to_owned()));
        match timeout(NEXT_BYTES, body.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(body))),
            Ok(Some(Err(_))) => Some((away("its answer was cut off"), None)),
            Err(_) => Some((away("its answer came to a halt"), None)),
        }
    })
    .boxed()
}

/// The part of a whole answer that was asked for.
fn cut(content: Content, range: Range<u64>) -> Content {
    content
        .try_filter_map({
            let mut at = 0_u64;
            move |mut bytes: Bytes| {
                let begins = at;
                at += bytes.len() as u64;
                let from = range.start.saturating_sub(begins).min(bytes.len() as u64);
                let to = range.end.saturating_sub(begins).min(bytes.len() as u64);
                let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                bytes = if from < to { bytes.slice(index(from)..index(to)) } else { Bytes::new() };
                async move { Ok((!bytes.is_empty()).then_some(bytes)) }
            }
        })
        .boxed()
}

async fn all(mut content: Content, max: usize) -> Result<Bytes, StoreError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = content.try_next().await? {
        if bytes.len() + chunk.len() > max {
            return Err(refused("it answers without an end", "check its address"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}
