//! The list over HTTP: `GET /api/channels`, `/api/channels/{id}` and `/api/videos`. They wait for
//! the first look: an empty list would be believed.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::task::spawn_blocking;

use crate::{
    catalog::{CatalogHandle, name, snapshot::Snapshot, tagged::Tagged},
    delivery::conditional::is_known,
    error::ApiError,
};

/// The list is asked for again each time; the entity tag makes that cheap.
const CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// A list of so many channels takes a while to be told.
const LONG: usize = 500;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `GET /api/channels`: the ids in feed order.
pub async fn list_ids(
    State(catalog): State<CatalogHandle>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let snapshot = told(catalog.whole().await?).await?;
    Ok(answer(snapshot.ids_json(), &headers))
}

/// `GET /api/videos`: media objects in feed order, all of them or `limit` from `offset` on.
pub async fn list_videos(
    State(catalog): State<CatalogHandle>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let snapshot = told(catalog.whole().await?).await?;
    Ok(match part(query.as_deref().unwrap_or_default())? {
        None => answer(snapshot.videos_json(), &headers),
        Some((offset, limit)) => {
            answer(&snapshot.part_json(offset, limit.unwrap_or(usize::MAX)), &headers)
        }
    })
}

/// `GET /api/channels/{id}`: one media object.
pub async fn one_media(
    State(catalog): State<CatalogHandle>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::UnknownChannel)?;
    let snapshot = catalog.whole().await?;
    let json = json_of(&snapshot, &id).ok_or(ApiError::UnknownChannel)?;
    Ok(([(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, CACHE)], json).into_response())
}

/// The list with its texts made: of a long one on a thread that may take its time, once.
async fn told(snapshot: Arc<Snapshot>) -> Result<Arc<Snapshot>, ApiError> {
    if snapshot.len() < LONG || snapshot.is_told() {
        return Ok(snapshot);
    }
    let tell = move || {
        snapshot.ids_json();
        snapshot.videos_json();
        snapshot
    };
    spawn_blocking(tell).await.map_err(|_| ApiError::Internal)
}

fn json_of(snapshot: &Snapshot, id: &str) -> Option<Bytes> {
    snapshot.json(&name::id(id).ok()?)
}

/// `offset` and `limit` of a query; other keys are passed over.
fn part(query: &str) -> Result<Option<(usize, Option<usize>)>, ApiError> {
    let (mut offset, mut limit) = (None, None);
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = match key {
            "offset" => &mut offset,
            "limit" => &mut limit,
            _ => continue,
        };
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        *slot = Some(value.parse().ok().filter(|_| digits).ok_or(ApiError::BadQuery)?);
    }
    Ok((offset.is_some() || limit.is_some()).then_some((offset.unwrap_or(0), limit)))
}

fn answer(tagged: &Tagged, headers: &HeaderMap) -> Response {
    let mut response = if is_known(headers, &tagged.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = tagged.sent().into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response.headers_mut().insert(header::CONTENT_LENGTH, tagged.length().into());
        response
    };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    if let Ok(etag) = HeaderValue::from_str(&tagged.etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn offset_and_limit_are_whole_numbers() {
        assert_eq!(part(""), Ok(None));
        assert_eq!(part("x=1"), Ok(None));
        assert_eq!(part("offset=5"), Ok(Some((5, None))));
        assert_eq!(part("limit=2&offset=1"), Ok(Some((1, Some(2)))));
        for bad in ["offset=-1", "limit=", "limit=a", "offset=+1", "limit=99999999999999999999"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }
}
