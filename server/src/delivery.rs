//! Delivery: `/streams/…` with the whole of HTTP that players use. Only what the catalogue put on
//! offer is served; no address is ever turned into a path.

mod body;
pub mod conditional;
mod cors;
pub mod range;
mod redirect;
mod response;
pub mod sendfile;

use std::sync::Arc;

use app::catalog::ChannelId;
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, Method, header, request::Parts};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;

pub use self::cors::preflight;
use self::{conditional::Validators, cors::ANYONE, response::Plan};
use crate::{
    catalog::{ListedChannel, Snapshot, artifacts::ArtifactFile, record::ServedPlaylist},
    error::ApiError,
    hls::media_type,
    sources::{
        Sources, artifact,
        resource::{Caching, FileResource, Resource, SourceError},
    },
};

/// What stays what it is under its versioned address.
const CACHE_VERSIONED: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
/// What may change under its address: kept, but asked for each time.
const CACHE_PLAIN: HeaderValue = HeaderValue::from_static("no-cache");

const EXPOSED: HeaderValue =
    HeaderValue::from_static("Content-Range, Content-Length, Accept-Ranges");

/// As what nothing else is sent in place of a file, however often that fails.
const INSTEAD: usize = 2;

/// `GET|HEAD /streams/{*path}`: playlists from memory, files from wherever they lie.
pub async fn serve(State(sources): State<Sources>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let mut response = match target(&sources, &request.uri).await {
        Ok(Some(target)) => answer(&sources, target, &request).await,
        Ok(None) => ApiError::NotFound.into_response(),
        Err(starting) => starting.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if request.method == Method::HEAD { without_body(response) } else { response }
}

/// What an address leads to.
struct Target {
    entry: Arc<ListedChannel>,
    at: At,
}

enum At {
    /// Something that the channel's source has: its path inside the channel, and what stands behind the
    /// question mark.
    Source(String, Option<String>),
    /// Something that was made of the channel here.
    Artifacts(ArtifactFile),
}

/// What an address leads to now. Waits for what may come into the list in a moment.
async fn target(sources: &Sources, uri: &http::Uri) -> Result<Option<Target>, ApiError> {
    let catalog = sources.catalog();
    let snapshot = catalog.first().await?;
    let target = find(&snapshot, uri);
    if target.is_none() && snapshot.is_partial() {
        return Ok(find(&*catalog.whole().await?, uri));
    }
    Ok(target)
}

fn find(snapshot: &Snapshot, uri: &http::Uri) -> Option<Target> {
    let decoded: Vec<String> = uri
        .path()
        .strip_prefix("/streams/")?
        .split('/')
        .map(|part| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned()))
        .collect::<Option<_>>()?;
    // A decoded slash is no separator: such a name is on no list.
    if decoded.iter().any(|part| part.contains('/')) {
        return None;
    }
    let (first, rest) = decoded.split_first()?;
    let first = crate::catalog::nfc(first);
    if let [name] = rest
        && let Some(target) = find_below_id(snapshot, &first, name)
    {
        return Some(target);
    }
    let entry = snapshot.at_address(&first)?;
    let record = &entry.record;
    let path = match rest {
        [] if record.bare => record.main.clone(),
        // The poster has one address, whatever type it is of.
        [name] if name == "poster.webp" && !record.bare => record.poster.as_deref()?.to_owned(),
        [_, ..] if !record.bare => rest.join("/"),
        // A folder without a name in it is nothing, and a file has none.
        _ => return None,
    };
    let at = At::Source(path, uri.query().map(str::to_owned));
    Some(Target { entry: entry.clone(), at })
}

/// What was made of a channel, here or by its source, lies below its id, also where the channel is a
/// file of another name; so do poster and subtitles of a single file, which has no folder.
fn find_below_id(snapshot: &Snapshot, id: &str, name: &str) -> Option<Target> {
    let entry = snapshot.entry(&ChannelId::parse(id).ok()?)?;
    let (record, made) = (&entry.record, &entry.artifacts);
    let by_source = || -> Option<&str> {
        match name {
            _ if record.beside.contains_key(name) => Some(name),
            _ if !record.bare => None,
            "poster.webp" => record.poster.as_deref(),
            other => {
                let lang = other.strip_suffix(".vtt")?;
                let (_, file) = record.subtitles.iter().find(|(known, _)| known == lang)?;
                Some(file)
            }
        }
    };
    let made = match name {
        _ if record.beside.contains_key(name) => None,
        "poster.webp" => made.poster.clone(),
        "waveform.json" => made.waveform.clone(),
        _ => None,
    };
    let at = match made {
        Some(made) => At::Artifacts(made),
        None => At::Source(by_source()?.to_owned(), None),
    };
    Some(Target { entry: entry.clone(), at })
}

/// One way for whatever has it.
async fn answer(sources: &Sources, target: Target, request: &Parts) -> Response {
    let Target { entry, at } = target;
    let sending = async {
        let resource = match &at {
            At::Artifacts(made) => artifact(made).await,
            At::Source(path, query) => sources.resolve(&entry, path, query.as_deref()).await,
        };
        match resource? {
            Resource::Playlist(playlist) => Ok(send_playlist(playlist, request)),
            Resource::File(file) => send_file(file, request).await,
        }
    };
    let deadline = match &at {
        At::Artifacts(_) => None,
        At::Source(..) => sources.deadline(&entry),
    };
    let sent = match deadline {
        Some(deadline) => timeout(deadline, sending).await.unwrap_or(Err(SourceError::Away)),
        None => sending.await,
    };
    sent.unwrap_or_else(|error| {
        sources.failed(&entry, error);
        told(error).into_response()
    })
}

/// What is answered where nothing can be sent.
fn told(error: SourceError) -> ApiError {
    match error {
        SourceError::Gone | SourceError::Unnamed => ApiError::NotFound,
        SourceError::Unreadable | SourceError::Later => ApiError::Unreadable,
        SourceError::Away => ApiError::SourceAway,
    }
}

fn send_playlist(playlist: ServedPlaylist, request: &Parts) -> Response {
    let validators = Validators { etag: playlist.etag, modified: playlist.modified };
    let size = playlist.text.len() as u64;
    let plan = Plan::new(request, &validators, size);
    let body = match plan {
        Plan::Whole => Body::from(playlist.text),
        Plan::Part(range) => {
            let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
            let (first, end) = (at(range.first()), at(range.first() + range.length()));
            Body::from(
                playlist.text.get(first..end).map(Bytes::copy_from_slice).unwrap_or_default(),
            )
        }
        _ => Body::empty(),
    };
    plan.response(body, size, media_type::PLAYLIST, CACHE_PLAIN, &validators)
}

async fn send_file(mut file: FileResource, request: &Parts) -> Result<Response, SourceError> {
    if let Some(elsewhere) = redirect::lead(&file, request).await {
        return Ok(elsewhere);
    }
    let mut sent = send_as_it_is(&mut file, request).await;
    for _ in 0..INSTEAD {
        let Err(error) = &sent else { break };
        let Some(other) = file.content.instead(*error).await? else { break };
        file = other;
        sent = send_as_it_is(&mut file, request).await;
    }
    if sent.is_ok() && request.method == Method::GET {
        file.content.prefetch_next();
    }
    sent
}

async fn send_as_it_is(file: &mut FileResource, request: &Parts) -> Result<Response, SourceError> {
    let stamp = file.stamp;
    let validators = Validators::of(stamp);
    let plan = Plan::new(request, &validators, stamp.size);
    let (first, length) = match plan {
        _ if request.method == Method::HEAD => (0, 0),
        Plan::Whole => (0, stamp.size),
        Plan::Part(range) => (range.first(), range.length()),
        _ => (0, 0),
    };
    let body = if length == 0 {
        Body::empty()
    } else {
        let opened = file.content.open(first..first.saturating_add(length)).await?;
        body::of(opened, first, length, request.extensions.get()).await?
    };
    let caching = cache_control(file.caching);
    Ok(plan.response(body, stamp.size, file.media_type, caching, &validators))
}

fn cache_control(caching: Caching) -> HeaderValue {
    match caching {
        Caching::Immutable => CACHE_VERSIONED,
        Caching::ImmutableFor(lasts) => {
            let words = format!("public, max-age={}, immutable", lasts.as_secs());
            HeaderValue::try_from(words).unwrap_or(CACHE_PLAIN)
        }
        Caching::Revalidate => CACHE_PLAIN,
        Caching::NoStore => HeaderValue::from_static("no-store"),
    }
}

/// A HEAD's answer tells the length that the body would have.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if !parts.headers.contains_key(header::CONTENT_LENGTH)
        && let Some(exact) =
            axum::body::HttpBody::size_hint(&body).exact().filter(|length| *length > 0)
    {
        parts.headers.insert(header::CONTENT_LENGTH, exact.into());
    }
    Response::from_parts(parts, Body::empty())
}
