//! Delivery: `/streams/…` with the whole of HTTP that players use. Only what the catalogue put on
//! offer is served; no address is ever turned into a path.

mod body;
pub mod conditional;
mod cors;
pub mod range;
mod redirect;
mod response;
pub mod sendfile;

use std::{sync::Arc, time::Duration};

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
use self::{
    body::{Held, Unsent},
    conditional::Validators,
    cors::{ANYONE, METHODS},
    response::Plan,
};
use crate::{
    cache::Purpose,
    catalog::{
        CatalogHandle, Entry, Snapshot,
        record::{FileOffer, Offer, Place, ServedPlaylist},
    },
    error::ApiError,
    hls::media_type,
    sources::remote::channel::{Distant, File, How, Named},
    storage::{Found, StoreError},
};

/// What stays what it is under its versioned address.
const CACHE_VERSIONED: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
/// What may change under its address: kept, but asked for each time.
const CACHE_PLAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// How long all may take that another server is asked for, until the first bytes are there.
const DISTANT: Duration = Duration::from_millis(1900);

const EXPOSED: HeaderValue =
    HeaderValue::from_static("Content-Range, Content-Length, Accept-Ranges");

/// `GET|HEAD|OPTIONS /streams/{*path}`: playlists from memory, files from disk.
pub async fn serve(State(catalog): State<CatalogHandle>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let mut response = match request.method {
        Method::GET | Method::HEAD => match target(&catalog, &request.uri).await {
            Ok(Some(target)) => send(&catalog, target, &request).await,
            Ok(None) => ApiError::NotFound.into_response(),
            Err(starting) => starting.into_response(),
        },
        Method::OPTIONS => return preflight(request.headers).await,
        _ => {
            let mut response = ApiError::MethodNotAllowed.into_response();
            response.headers_mut().insert(header::ALLOW, METHODS);
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if request.method == Method::HEAD { without_body(response) } else { response }
}

/// What an address leads to.
struct Target {
    entry: Arc<Entry>,
    at: At,
}

enum At {
    /// What a list tells of.
    Listed {
        place: Place,
        /// Inside that place.
        path: String,
        offer: Offer,
        version: Option<String>,
    },
    /// What a playlist of another server names.
    Distant(Wanted),
}

/// Something of a channel on another server.
struct Wanted {
    distant: Arc<Distant>,
    /// Inside the channel's folder; empty for a bare file.
    path: String,
    query: Option<String>,
    /// What the file is, where its name does not say it.
    media_type: Option<&'static str>,
}

/// What an address leads to now. Waits for what may come into the list in a moment.
async fn target(catalog: &CatalogHandle, uri: &http::Uri) -> Result<Option<Target>, ApiError> {
    let snapshot = catalog.first().await?;
    let mut target = find(&snapshot, uri);
    if target.is_none() && snapshot.is_partial() {
        target = find(&*catalog.whole().await?, uri);
    }
    if let Some(Target { entry, at: At::Listed { offer: Offer::Playlist(_), .. } }) = &target
        && let Some(snapshot) = catalog.follow(entry).await
    {
        target = find(&snapshot, uri);
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
        && let Some(target) =
            find_made(snapshot, &first, name).or_else(|| find_beside(snapshot, &first, name))
    {
        return Some(target);
    }
    let entry = snapshot.at_address(&first)?;
    let facts = &entry.facts;
    if let Some(distant) = facts.distant() {
        let main = rest.is_empty() && facts.bare;
        let wanted = Wanted {
            distant: distant.clone(),
            path: rest.join("/"),
            query: uri.query().map(str::to_owned),
            media_type: main.then(|| media_type::of_mime(&facts.mime, &facts.main)),
        };
        let at = At::Distant(wanted);
        // A folder without a name in it is nothing.
        return (main || !rest.is_empty()).then(|| Target { entry: entry.clone(), at });
    }
    let path = match rest {
        [] if facts.bare => facts.main.clone(),
        // The poster has one address, whatever type it is of.
        [name] if name == "poster.webp" && !facts.bare => facts.poster.as_deref()?.to_owned(),
        [_, ..] if !facts.bare => rest.join("/"),
        _ => return None,
    };
    let offer = facts.files.get(path.as_str())?.clone();
    let version = uri.query().and_then(|query| {
        query.split('&').rev().find_map(|pair| pair.strip_prefix("v=")).map(str::to_owned)
    });
    let at = At::Listed { place: facts.place.clone(), path, offer, version };
    Some(Target { entry: entry.clone(), at })
}

/// What was made of a channel, here or on its server, lies below its id, also where the channel is a
/// file of another name.
fn find_made(snapshot: &Snapshot, id: &str, name: &str) -> Option<Target> {
    let entry = snapshot.entry(&ChannelId::parse(id).ok()?)?;
    if let Some(distant) = entry.facts.distant().filter(|d| d.beside.contains_key(name)) {
        let (distant, path) = (distant.clone(), name.to_owned());
        let at = At::Distant(Wanted { distant, path, query: None, media_type: None });
        return Some(Target { entry: entry.clone(), at });
    }
    let file = match name {
        "poster.webp" => entry.made.poster.as_ref()?,
        "waveform.json" => entry.made.waveform.as_ref()?,
        _ => return None,
    };
    let (root, path) = (file.root.to_path_buf(), file.name.to_string());
    let place = Place::Disk { folder: root.clone(), root };
    let offer = Offer::File(file.offer());
    let at = At::Listed { place, path, offer, version: None };
    Some(Target { entry: entry.clone(), at })
}

/// Poster and subtitles beside a bare file of this host or of a bucket lie below its id: it has no folder.
fn find_beside(snapshot: &Snapshot, id: &str, name: &str) -> Option<Target> {
    let entry = snapshot.entry(&ChannelId::parse(id).ok()?)?;
    let facts = &entry.facts;
    if !facts.bare || facts.distant().is_some() {
        return None;
    }
    let path = match name {
        "poster.webp" => facts.poster.as_deref()?,
        other => {
            let lang = other.strip_suffix(".vtt")?;
            &facts.subtitles.iter().find(|(known, _)| known == lang)?.1
        }
    };
    let offer = facts.files.get(path)?.clone();
    let (place, path) = (facts.place.clone(), path.to_owned());
    Some(Target { entry: entry.clone(), at: At::Listed { place, path, offer, version: None } })
}

async fn send(catalog: &CatalogHandle, target: Target, request: &Parts) -> Response {
    let Target { entry, at } = target;
    let sent = match at {
        At::Distant(wanted) => {
            let sent = timeout(DISTANT, send_distant(&wanted, request)).await;
            sent.unwrap_or(Err(Unsent::Away))
        }
        At::Listed { place, path, offer, version } => {
            send_listed(catalog, &entry, (place, path), offer, version.as_deref(), request).await
        }
    };
    sent.unwrap_or_else(|unsent| {
        // Who plays it is told that its source is away as soon as that is known.
        let is_news = || entry.media.available && entry.facts.source_is_away();
        if unsent.is_doubtful() || (matches!(unsent, Unsent::Away) && is_news()) {
            catalog.doubt(&entry);
        }
        unsent.told().into_response()
    })
}

async fn send_listed(
    catalog: &CatalogHandle,
    entry: &Entry,
    (place, path): (Place, String),
    offer: Offer,
    version: Option<&str>,
    request: &Parts,
) -> Result<Response, Unsent> {
    let offer = match offer {
        Offer::Playlist(playlist) => return Ok(send_playlist(playlist, request)),
        Offer::File(offer) => offer,
    };
    match place {
        Place::Disk { root, folder } => {
            match Held::file(root, folder.join(path), offer.stamp).await {
                Ok(held) => {
                    if held.is_another {
                        catalog.doubt(entry);
                    }
                    send_file(held, &offer, version, request).await
                }
                Err(unsent) => Err(unsent),
            }
        }
        Place::Store { edge, prefix, .. } => {
            let key = format!("{prefix}{path}");
            let is_current = version.is_none_or(|asked| {
                asked == offer.stamp.version() || Some(asked) == offer.pinned.as_deref()
            });
            if is_current && entry.media.available {
                let file = (offer.media_type, offer.stamp);
                if let Some(elsewhere) = redirect::lead(&edge, &key, file, request).await {
                    return Ok(elsewhere);
                }
            }
            let strict = version.filter(|_| !offer.loose);
            let held = Held::object(edge.clone(), key.clone(), offer.stamp, strict);
            let sent = send_file(held, &offer, version, request).await;
            // What comes next waits for what is asked for, and for who gets it.
            let next = entry.facts.behind.get(&*path).filter(|_| sent.is_ok());
            let next = next.and_then(|next| Some((next, entry.facts.file(next)?)));
            if let Some((next, file)) = next.filter(|_| request.method == Method::GET) {
                edge.fetch_ahead(&format!("{prefix}{next}"), file.stamp);
            }
            match sent {
                // What it was is better than nothing.
                Err(Unsent::Away) if offer.loose => match Held::older(edge, key) {
                    Some(older) => send_file(older, &offer, version, request).await,
                    None => Err(Unsent::Away),
                },
                sent => sent,
            }
        }
        // No list tells of files there.
        Place::Distant(_) => Err(Unsent::Gone),
    }
}

async fn send_distant(wanted: &Wanted, request: &Parts) -> Result<Response, Unsent> {
    let Wanted { distant, path, query, media_type } = wanted;
    let found = distant.find(path, query.as_deref()).await?;
    match found.ok_or(Unsent::Unnamed)? {
        Named::Playlist(address) => {
            Ok(send_playlist(distant.playlist(path, &address).await?, request))
        }
        Named::File(file) => {
            let media_type = media_type.unwrap_or_else(|| media_type_of(path, &file));
            if file.how == How::Older {
                return send_older(distant, &file, media_type, request).await;
            }
            send_found(distant, &file, media_type, request).await
        }
    }
}

/// Another state of a file than its playlist names: that server knows whether it still has it. Where
/// it has not, nothing here is wrong.
async fn send_older(
    distant: &Distant,
    file: &File,
    media_type: &'static str,
    request: &Parts,
) -> Result<Response, Unsent> {
    let edge = &distant.edge;
    if !edge.knows(&file.address) && !edge.may_ask_for_older() {
        return Err(Unsent::Unnamed);
    }
    let found = edge.find(&file.address, file.turn).await.map_err(|error| match error {
        StoreError::Gone | StoreError::Changed => Unsent::Unnamed,
        error => error.into(),
    })?;
    let size = file.address.rsplit_once("?v=").and_then(|(_, version)| version.split_once('-'));
    let size = size.and_then(|(size, _)| u64::from_str_radix(size, 16).ok());
    if size != Some(found.stamp.size) {
        return Err(Unsent::Unnamed);
    }
    send_as(distant, file, (media_type, found), request).await
}

/// What was found, as it is now. A version by itself is an address that leads to the same bytes as
/// long as its server says.
async fn send_as(
    distant: &Distant,
    file: &File,
    (media_type, found): (&'static str, Found),
    request: &Parts,
) -> Result<Response, Unsent> {
    let (purpose, Found { stamp, fresh, .. }) = (Purpose::of(&found), found);
    // Without its version an address leads to whatever is there.
    let lasts = fresh.lasts.filter(|_| fresh.immutable && file.how != How::Plain);
    let cache = match lasts {
        // What is not for others there is not for others here.
        _ if fresh.passing => Ok(HeaderValue::from_static("no-store")),
        Some(lasts) => {
            HeaderValue::try_from(format!("public, max-age={}, immutable", lasts.as_secs()))
        }
        None => Ok(CACHE_PLAIN),
    };
    let key = file.address.to_string();
    let held = Held::found(distant.edge.clone(), key, stamp, purpose);
    send_held(held, (media_type, cache.unwrap_or(CACHE_PLAIN)), request).await
}

async fn send_found(
    distant: &Distant,
    file: &File,
    media_type: &'static str,
    request: &Parts,
) -> Result<Response, Unsent> {
    let edge = &distant.edge;
    let found = edge.find(&file.address, file.turn).await;
    let mut sent = match found.clone() {
        Ok(found) => send_as(distant, file, (media_type, found), request).await,
        Err(error) => Err(error.into()),
    };
    if found.is_ok() && matches!(sent, Err(Unsent::Gone)) {
        // It may be another since somebody found it.
        edge.doubt(&file.address, file.turn);
        let found = edge.find(&file.address, file.turn).await?;
        sent = send_as(distant, file, (media_type, found), request).await;
    }
    // What comes next waits for what is asked for; where that is for once, so is likely the next.
    let goes_on = found.is_ok_and(|found| !found.is_for_once());
    if let Some((next, turn)) = file.next.as_ref().filter(|_| request.method == Method::GET)
        && goes_on
        && sent.is_ok()
    {
        edge.find_ahead(next, *turn);
    }
    match sent {
        // What it was is better than nothing, where no other had its address.
        Err(Unsent::Away) if file.turn == 0 => match edge.kept_any(&file.address) {
            Some(stamp) => {
                let held =
                    Held::found(edge.clone(), file.address.to_string(), stamp, Purpose::Shelf);
                send_held(held, (media_type, CACHE_PLAIN), request).await
            }
            None => Err(Unsent::Away),
        },
        sent => sent,
    }
}

/// By our name for it, else by its own.
fn media_type_of(path: &str, file: &File) -> &'static str {
    let own = file.address.split(['?', '#']).next().unwrap_or_default();
    let by_own = media_type::of(own);
    let is_poster = media_type::of(path).starts_with("image/");
    if path.is_empty() || (is_poster && by_own.starts_with("image/")) {
        by_own
    } else {
        media_type::of(path)
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

async fn send_file(
    held: Held,
    offer: &FileOffer,
    version: Option<&str>,
    request: &Parts,
) -> Result<Response, Unsent> {
    let cache = match version.filter(|_| !offer.loose) {
        None => CACHE_PLAIN,
        Some(asked) if asked == held.stamp.version() || Some(asked) == offer.pinned.as_deref() => {
            CACHE_VERSIONED
        }
        // The bytes that this version named are gone, if there ever were any.
        Some(_) => return Err(Unsent::Unnamed),
    };
    send_held(held, (offer.media_type, cache), request).await
}

async fn send_held(
    held: Held,
    (media_type, cache): (&'static str, HeaderValue),
    request: &Parts,
) -> Result<Response, Unsent> {
    let stamp = held.stamp;
    let etag = format!("\"{}\"", stamp.version());
    let validators = Validators { etag, modified: stamp.modified() };
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
        held.body(first, length, request.extensions.get()).await?
    };
    Ok(plan.response(body, stamp.size, media_type, cache, &validators))
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
