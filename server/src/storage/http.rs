//! Another server, asked over HTTP: what lies at an address, and its bytes. It has no list of
//! objects: what there is is said by pages (a list, a playlist), which others understand. One
//! request each, beside redirects: what tries again, and what gives up, lives in `cache`.

mod client;
mod decode;
mod ssrf;

use std::{io::Read as _, ops::Range, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use reqwest::Body;
use tokio::time::timeout;
use url::Url;

use self::client::{Web, refusal, refused};
use super::{
    Answer, Content, FoundObject, Object, Page, Store, StoreError, Tag,
    freshness::Freshness,
    local::FileVersion,
    pace::{paced, part},
    turns::{Limits, Share},
};
use crate::config::{OriginUrl, Site};

/// How long an answer may take to begin that says what there is,
const ANSWERS: Duration = Duration::from_secs(5);
/// and one with bytes, which may have to be brought from somewhere first.
const ANSWERS_BYTES: Duration = Duration::from_secs(10);
/// The longest page that is read,
const PAGE_MAX: usize = 32 << 20;
/// by when it has to look like one,
const TEXT_BEGINS: usize = 16 << 10;
/// and how long one may take in all.
const PAGE_IN_ALL: Duration = Duration::from_secs(30);
/// The longest object that is taken without being told its length,
const UNTOLD_MAX: usize = 32 << 20;
/// how long one may take in all,
const UNTOLD_IN_ALL: Duration = Duration::from_secs(10);
/// and how many are taken at once: they are in memory meanwhile.
const UNTOLD: Limits = Limits { all: 8, host: 3, spare: 2, least: 1, first: 0 };
/// What a server that answers no parts may send in front of the one that is wanted.
const SKIP_MAX: u64 = 64 << 20;

/// Another server, and those that its lists lead to.
#[derive(Debug)]
pub struct Origin {
    name: &'static str,
    base: OriginUrl,
    web: Web,
    untold: Arc<Share>,
}

impl Origin {
    /// The server at `base`, known by the word `name`. Its lists may lead to public addresses and to
    /// `allowed`. Asks nothing yet.
    pub fn new(name: &'static str, base: &OriginUrl, allowed: &[Site]) -> Self {
        let (web, untold) = (Web::new(base, allowed), Share::new(UNTOLD));
        Self { name, base: base.clone(), web, untold }
    }

    async fn ask(
        &self,
        method: Method,
        key: &str,
        headers: &HeaderMap,
        answers: Duration,
    ) -> Result<(Url, Response<Body>), StoreError> {
        let url = Url::parse(key)
            .map_err(|_| refused("a list names what is no address", "mend that list"))?;
        self.web.ask(method, &url, headers, answers).await
    }

    async fn part_of(
        &self,
        key: &str,
        stamp: FileVersion,
        range: Range<u64>,
    ) -> Result<Content, StoreError> {
        let mut headers = HeaderMap::new();
        if range != (0..stamp.size) {
            let wanted = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            set(&mut headers, header::RANGE, &wanted);
        }
        let (_, answer) = self.ask(Method::GET, key, &headers, ANSWERS_BYTES).await?;
        let told = answer.headers();
        let is_marked = text(told, &header::ETAG).is_some() || modified_ns(told) != 0;
        if is_marked && stamp_of(told, stamp.size).etag_hash != stamp.etag_hash {
            return Err(StoreError::Changed);
        }
        let wrong = |why: &str| Err(StoreError::Broken(why.to_owned()));
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let wanted =
                    format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), stamp.size);
                if text(told, &header::CONTENT_RANGE) != Some(&wanted) {
                    return wrong("it answers another part than was asked for");
                }
                Ok(part(content(answer.into_body()), 0, range.end - range.start))
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
                Ok(part(content(answer.into_body()), range.start, range.end - range.start))
            }
            status => Err(refusal(status, answer.headers())),
        }
    }

    async fn whole(&self, key: &str) -> Result<(FoundObject, Content), StoreError> {
        let (_, answer) = self.ask(Method::GET, key, &HeaderMap::new(), ANSWERS_BYTES).await?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(answer.status(), answer.headers()));
        }
        let (parts, body) = answer.into_parts();
        let content = content(body);
        let (size, content) = match length(&parts.headers) {
            Some(size) => (size, part(content, 0, size)),
            None if is_station(&parts.headers) => return Err(endless()),
            None => {
                let bytes = self.untold(&self.site(key), content).await?;
                (bytes.len() as u64, stream::iter([Ok(bytes)]).boxed())
            }
        };
        Ok((found(&parts.headers, size), content))
    }

    /// All of an object of which nobody says how long it is.
    async fn untold(&self, site: &str, content: Content) -> Result<Bytes, StoreError> {
        let turn = timeout(ANSWERS, self.untold.take(site)).await;
        let _turn = turn.map_err(|_| StoreError::Busy)?;
        match timeout(UNTOLD_IN_ALL, all(content, UNTOLD_MAX)).await {
            Ok(Ok(Some(bytes))) => Ok(bytes),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => Err(endless()),
        }
    }

    async fn head(&self, key: &str) -> Result<FoundObject, StoreError> {
        let (_, answer) = self.ask(Method::HEAD, key, &HeaderMap::new(), ANSWERS).await?;
        match (answer.status(), length(answer.headers())) {
            (StatusCode::OK, Some(size)) if size > 0 => Ok(found(answer.headers(), size)),
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
        let (address, answer) = self.ask(Method::GET, key, &headers, ANSWERS).await?;
        match answer.status() {
            StatusCode::NOT_MODIFIED if known.is_some() => return Ok(None),
            StatusCode::OK => {}
            status => return Err(refusal(status, answer.headers())),
        }
        let (parts, body) = answer.into_parts();
        let bytes = as_text(&parts.headers, content(body)).await?;
        let owned = |name| text(&parts.headers, &name).map(str::to_owned);
        Ok(Some(Page {
            address: address.into(),
            tag: Tag {
                etag: owned(header::ETAG),
                modified: owned(header::LAST_MODIFIED),
                passing: Freshness::of(&parts.headers).passing,
            },
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
        let mut identity = self.base.url().to_string();
        // Another person may be shown something else at the same address.
        if let Some((name, _)) = self.base.login() {
            identity.push('\n');
            identity.push_str(name);
        }
        identity
    }

    fn site(&self, key: &str) -> String {
        Url::parse(key).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    fn home(&self) -> String {
        self.base.url().origin().ascii_serialization()
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn read(&self, key: &str, stamp: FileVersion, range: Range<u64>) -> Answer<'_, Content> {
        let key = key.to_owned();
        async move { self.part_of(&key, stamp, range).await }.boxed()
    }

    fn look(&self, key: &str) -> Answer<'_, FoundObject> {
        let key = key.to_owned();
        async move { self.head(&key).await }.boxed()
    }

    fn find(&self, key: &str) -> Answer<'_, (FoundObject, Content)> {
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

fn stamp_of(headers: &HeaderMap, size: u64) -> FileVersion {
    FileVersion::tagged(size, modified_ns(headers), text(headers, &header::ETAG))
}

fn found(headers: &HeaderMap, size: u64) -> FoundObject {
    FoundObject { stamp: stamp_of(headers, size), fresh: Freshness::of(headers), is_marked: true }
}

fn content(body: Body) -> Content {
    paced(body.into_data_stream())
}

/// Whether an answer is a radio station's: those tell their names in headers of their own, and no
/// length.
fn is_station(headers: &HeaderMap) -> bool {
    length(headers).is_none() && headers.keys().any(|name| name.as_str().starts_with("icy-"))
}

/// Whether an answer says that it is sound or picture, and no list of them.
fn is_media(headers: &HeaderMap) -> bool {
    let told = text(headers, &header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    (told.starts_with("audio/") || told.starts_with("video/")) && !told.contains("mpegurl")
}

/// What another server sends that never comes to its end.
fn endless() -> StoreError {
    refused(
        "it sends without an end and tells no length, as a radio station does",
        "give the station's HLS address (.m3u8) if it has one, or take it off the list",
    )
}

/// A body that is a text; one that only sounds like it is not read to its end.
async fn as_text(headers: &HeaderMap, mut content: Content) -> Result<Bytes, StoreError> {
    if is_station(headers) {
        return Err(endless());
    }
    let read = async {
        let mut bytes = BytesMut::new();
        let (is_sound, mut is_judged) = (is_media(headers), false);
        while let Some(chunk) = content.try_next().await? {
            let room = PAGE_MAX.checked_sub(bytes.len()).filter(|room| *room >= chunk.len());
            room.ok_or_else(unending)?;
            bytes.extend_from_slice(&chunk);
            is_judged = is_judged || (is_sound || bytes.len() > TEXT_BEGINS) && is_text(&bytes)?;
        }
        plain(bytes.freeze())
    };
    timeout(PAGE_IN_ALL, read).await.unwrap_or_else(|_| Err(unending()))
}

/// Whether what says that it is media is a list all the same; nothing yet where that does not show.
fn is_text(begin: &[u8]) -> Result<bool, StoreError> {
    let begin = begin.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(begin);
    match begin.trim_ascii_start().first() {
        Some(b'#' | b'<' | b'[' | b'{') => Ok(true),
        Some(_) => Err(refused(
            "a media file or a radio station lies there, and no playlist",
            "give a file an address that ends in its type, like .mp3, or take it off the list",
        )),
        None => Ok(false),
    }
}

/// The text of a page that was stored packed with gzip, and is not told to be; fails where it is none.
fn plain(bytes: Bytes) -> Result<Bytes, StoreError> {
    let bytes = if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut plain = Vec::new();
        let read = MultiGzDecoder::new(&*bytes).take(PAGE_MAX as u64 + 1).read_to_end(&mut plain);
        let packed = || refused("its list is packed, and cannot be unpacked", "store it unpacked");
        read.ok().filter(|_| plain.len() <= PAGE_MAX).ok_or_else(packed)?;
        plain.into()
    } else {
        bytes
    };
    // Each letter of UTF-16 has a zero in it, and no other text has one.
    let is_wide = matches!(*bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [_, 0, ..] | [0, _, ..]);
    if !is_wide && bytes.iter().take(TEXT_BEGINS).any(|byte| *byte == 0) {
        return Err(refused("what lies there is no text", "check its address"));
    }
    Ok(bytes)
}

fn unending() -> StoreError {
    refused("it answers without an end", "check its address")
}

/// The whole of a body; nothing where it is longer than that.
async fn all(mut content: Content, max: usize) -> Result<Option<Bytes>, StoreError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = content.try_next().await? {
        if bytes.len() + chunk.len() > max {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes.freeze()))
}
