//! The guide: what is on the contact sheet that was asked for.

use std::sync::Arc;

use app::{
    catalog::{Media, Order},
    guide::{
        self, Filter, Findings, Frame, GuideQuery, GuideRequest, Instead, ROLL, ROLLS_AT_ONCE, Roll,
    },
};
use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::PathRejection},
    response::{Html, IntoResponse, Response},
};
use http::{Request, Uri};

use super::{
    pages,
    state::AppState,
    visitor::{self, Visitor},
};
use crate::{
    catalog::{Only, Snapshot},
    error::ApiError,
};

/// Tags that are offered, the most used ones.
const TAGS_MAX: usize = 12;
/// Questions that are offered where one found nothing.
const WIDER_MAX: usize = 3;
/// And questions that are tried for that.
const ASKED_MAX: usize = 8;
/// Channels near to it: a row on a desktop, two on a phone.
const NEAR_MAX: usize = 6;
/// Live channels that are told apart.
const ON_AIR_MAX: usize = 8;

/// `GET /guide`: the contact sheet, from the asked roll on.
pub(crate) async fn page(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let visitor = Visitor::of(&parts);
    let query = query(&parts.uri);
    let snapshot = state.catalog.current().unwrap_or_default();
    let findings = findings(&snapshot, &query, visitor.order);
    let guide = GuideRequest {
        query,
        order: visitor.order,
        seed: visitor::seed(),
        lang: visitor.lang,
        theme: visitor.theme,
        stylesheet: state.site.stylesheet().address.to_string(),
        is_open: state.is_open_to_others(&parts),
    };
    let document = move || guide::document(guide.clone(), findings.clone());
    pages::respond(&state, &visitor, document, Request::from_parts(parts, body)).await
}

/// `GET /guide/rolls/{number}`: one roll of it, alone.
pub(crate) async fn roll(
    State(state): State<AppState>,
    number: Result<Path<u32>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let Path(number) = number.map_err(|_| ApiError::NotFound)?;
    let (parts, _) = request.into_parts();
    let visitor = Visitor::of(&parts);
    let query = query(&parts.uri);
    let snapshot = state.catalog.current().unwrap_or_default();
    let found = find(&snapshot, &query, visitor.order);
    let roll = roll_of(&found, number).ok_or(ApiError::NotFound)?;
    let html = guide::roll(roll, count(found.len()), query, visitor.lang);
    let mut response = Html(html).into_response();
    visitor.describe(response.headers_mut());
    Ok(response)
}

fn query(uri: &Uri) -> GuideQuery {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    GuideQuery::read(pairs.iter().map(|(name, value)| (&**name, &**value)))
}

/// What a query finds, with the rolls that are shown whole.
fn findings(snapshot: &Snapshot, query: &GuideQuery, order: Order) -> Findings {
    let found = find(snapshot, query, order);
    let all = count(found.len()).div_ceil(ROLL);
    let first = query.roll.clamp(1, all.max(1));
    let rolls = (first..first + ROLLS_AT_ONCE).filter_map(|number| roll_of(&found, number));
    let known = snapshot.tags();
    let mut tags: Vec<String> = known.by_use.iter().take(TAGS_MAX).cloned().collect();
    if let Filter::Tag(tag) = &query.filter
        && !tags.contains(tag)
        && known.by_use.contains(tag)
    {
        tags.push(tag.clone());
    }
    let on_air = if known.live { snapshot.find(order, "", Only::Live) } else { Vec::new() };
    Findings {
        rolls: rolls.collect(),
        found: count(found.len()),
        total: count(snapshot.len()),
        tags,
        music: known.music,
        live: known.live,
        on_air: frames(&on_air[..on_air.len().min(ON_AIR_MAX)]),
        instead: if found.is_empty() {
            instead(snapshot, query, order)
        } else {
            Instead::default()
        },
    }
}

/// What is offered where a query finds nothing.
fn instead(snapshot: &Snapshot, query: &GuideQuery, order: Order) -> Instead {
    let total = snapshot.len();
    if total == 0 || query.text.is_empty() {
        return Instead::default();
    }
    let number = query.text.parse().ok().filter(|number| *number as usize > total);
    if number.is_some() && query.filter == Filter::All {
        let last = find(snapshot, &GuideQuery::default(), order).pop();
        return Instead { number, wider: Vec::new(), near: frames(last.as_slice()) };
    }
    let of = |text: &str, filter: Filter| GuideQuery {
        text: text.to_owned(),
        filter,
        here: query.here.clone(),
        roll: 0,
    };
    // The same words in the whole list, each word alone, and tags that look like one.
    let mut words: Vec<&str> = Vec::new();
    for word in query.text.split_whitespace() {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let mut asked: Vec<GuideQuery> = Vec::new();
    if query.filter != Filter::All {
        asked.push(of(&query.text, Filter::All));
    }
    if words.len() > 1 {
        asked.extend(words.iter().map(|word| of(word, query.filter.clone())));
    }
    let tags = snapshot.tags_like(&query.text);
    asked.extend(tags.into_iter().map(|tag| of("", Filter::Tag(tag.to_owned()))));
    let counted = asked.into_iter().take(ASKED_MAX).map(|wider| {
        let found = count(find(snapshot, &wider, order).len());
        (wider, found)
    });
    let wider = counted.filter(|(_, found)| *found > 0).take(WIDER_MAX).collect();
    let near = snapshot.near(order, &query.text, NEAR_MAX);
    Instead { number: None, wider, near: frames(&near) }
}

/// Found channels with their places in the visitor's order.
type Found<'a> = Vec<(usize, &'a Arc<Media>)>;

fn find<'a>(snapshot: &'a Snapshot, query: &GuideQuery, order: Order) -> Found<'a> {
    let only = match &query.filter {
        Filter::All => Only::All,
        Filter::Music => Only::Music,
        Filter::Live => Only::Live,
        Filter::Tag(tag) => Only::Tag(tag),
    };
    snapshot.find(order, &query.text, only)
}

/// One roll of the found, counted from 1.
fn roll_of(found: &Found<'_>, number: u32) -> Option<Roll> {
    let first = number.checked_sub(1)?.checked_mul(ROLL)? as usize;
    let rest = found.get(first..).filter(|rest| !rest.is_empty())?;
    Some(Roll { number, frames: frames(&rest[..rest.len().min(ROLL as usize)]) })
}

fn frames(found: &[(usize, &Arc<Media>)]) -> Vec<Frame> {
    let frame = |(place, media): &(usize, &Arc<Media>)| Frame {
        number: count(*place).saturating_add(1),
        media: (*media).clone(),
    };
    found.iter().map(frame).collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
