//! Delivery: `/streams/…` with the whole of HTTP that players use. Only what the catalogue put on
//! offer is served; no address is ever turned into a path.

pub mod address;
pub mod conditions;
pub mod media_type;
mod plan;
pub mod playlist;
pub mod range;
pub mod render;

mod body;

use std::sync::Arc;

use app::catalog::ChannelId;
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use percent_encoding::percent_decode_str;

use self::{
    body::{Held, Unsent},
    conditions::Validators,
    plan::Plan,
};
use crate::{
    catalog::{
        CatalogHandle, Entry, Snapshot,
        facts::{FileOffer, Offer, Place, ServedPlaylist},
    },
    error::ApiError,
};

/// What stays what it is under its versioned address.
const CACHE_VERSIONED: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
/// What may change under its address: kept, but asked for each time.
const CACHE_PLAIN: HeaderValue = HeaderValue::from_static("no-cache");

const ANYONE: HeaderValue = HeaderValue::from_static("*");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Content-Range, Content-Length, Accept-Ranges");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// How long a browser may remember the answer to a preflight, in seconds.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");

/// `GET|HEAD|OPTIONS /streams/{*path}`: playlists from memory, files from disk.
pub async fn serve(State(catalog): State<CatalogHandle>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let mut response = match request.method {
        Method::GET | Method::HEAD => match find(&catalog, &request.uri) {
            Some(target) => send(&catalog, target, &request).await,
            None => ApiError::NotFound.into_response(),
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

/// `OPTIONS /streams/{*path}`: the answer that a browser wants before it lets another site's page
/// ask for a range.
pub async fn preflight(asked: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(header::ALLOW, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE);
    // Streams are open to all, so whatever a page wants to send is welcome.
    let mut allowed = String::from("Range");
    let names = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|n| n.to_str().ok());
    for name in names.unwrap_or_default().split(',').map(str::trim) {
        if !name.eq_ignore_ascii_case("range") && http::HeaderName::try_from(name).is_ok() {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    response
}

/// What an address leads to.
struct Target {
    entry: Arc<Entry>,
    place: Place,
    /// Inside that place.
    path: String,
    offer: Offer,
    version: Option<String>,
}

fn find(catalog: &CatalogHandle, uri: &http::Uri) -> Option<Target> {
    let snapshot = catalog.current()?;
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
        && let Some(target) = find_made(&snapshot, &first, name)
    {
        return Some(target);
    }
    let entry = snapshot.at_address(&first)?;
    let facts = &entry.facts;
    let path = match rest {
        [] if facts.bare => facts.main.clone(),
        // The poster has one address, whatever type it is of.
        [name] if name == "poster.webp" && !facts.bare => facts.poster?.to_owned(),
        [_, ..] if !facts.bare => rest.join("/"),
        _ => return None,
    };
    let offer = facts.files.get(path.as_str())?.clone();
    let version = uri.query().and_then(|query| {
        query.split('&').rev().find_map(|pair| pair.strip_prefix("v=")).map(str::to_owned)
    });
    Some(Target { entry: entry.clone(), place: facts.place.clone(), path, offer, version })
}

/// What was made of a channel lies below its id, also where the channel is a file of another name.
fn find_made(snapshot: &Snapshot, id: &str, name: &str) -> Option<Target> {
    let entry = snapshot.entry(&ChannelId::parse(id).ok()?)?;
    let file = match name {
        "poster.webp" => entry.made.poster.as_ref()?,
        "waveform.json" => entry.made.waveform.as_ref()?,
        _ => return None,
    };
    let (root, path) = (file.root.to_path_buf(), file.name.to_string());
    let place = Place::Disk { folder: root.clone(), root };
    let offer = Offer::File(file.offer());
    Some(Target { entry: entry.clone(), place, path, offer, version: None })
}

async fn send(catalog: &CatalogHandle, target: Target, request: &Parts) -> Response {
    let Target { entry, place, path, offer, version } = target;
    let offer = match offer {
        Offer::Playlist(playlist) => return send_playlist(playlist, request),
        Offer::File(offer) => offer,
    };
    let version = version.as_deref();
    let sent = match place {
        Place::Disk { root, folder } => {
            match Held::file(root, folder.join(path), offer.stamp).await {
                Ok(held) => {
                    if held.is_another {
                        catalog.doubt(&entry);
                    }
                    send_file(held, &offer, version, request).await
                }
                Err(unsent) => Err(unsent),
            }
        }
        Place::Store { edge, prefix, .. } => {
            let key = format!("{prefix}{path}");
            let strict = version.filter(|_| !offer.loose);
            let held = Held::object(edge.clone(), key.clone(), offer.stamp, strict);
            let sent = send_file(held, &offer, version, request).await;
            // What comes next waits for what is asked for.
            let next = entry.facts.behind.get(&*path);
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
    };
    sent.unwrap_or_else(|unsent| {
        if unsent.is_doubtful() {
            catalog.doubt(&entry);
        }
        unsent.told().into_response()
    })
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
    let stamp = held.stamp;
    let current = stamp.version();
    let cache = match version.filter(|_| !offer.loose) {
        None => CACHE_PLAIN,
        Some(asked) if asked == current || Some(asked) == offer.pinned.as_deref() => {
            CACHE_VERSIONED
        }
        // The bytes that this version named are gone.
        Some(_) => return Err(Unsent::Gone),
    };
    let validators = Validators { etag: format!("\"{current}\""), modified: stamp.modified() };
    let plan = Plan::new(request, &validators, stamp.size);
    let (first, length) = match plan {
        _ if request.method == Method::HEAD => (0, 0),
        Plan::Whole => (0, stamp.size),
        Plan::Part(range) => (range.first(), range.length()),
        _ => (0, 0),
    };
    let body = if length == 0 { Body::empty() } else { held.body(first, length).await? };
    Ok(plan.response(body, stamp.size, offer.media_type, cache, &validators))
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
