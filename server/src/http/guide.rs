//! The guide: what is on the contact sheet that was asked for.

use std::sync::Arc;

use app::{
    catalog::{Media, Order},
    guide::{
        self, Choice, Findings, Frame, GuideRequest, Instead, Narrow, ROLL, ROLLS_AT_ONCE, Roll,
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
    let choice = choice(&parts.uri);
    let snapshot = state.catalog.current().unwrap_or_default();
    let findings = findings(&snapshot, &choice, visitor.order);
    let guide = GuideRequest {
        choice,
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
    let choice = choice(&parts.uri);
    let snapshot = state.catalog.current().unwrap_or_default();
    let found = find(&snapshot, &choice, visitor.order);
    let roll = roll_of(&found, number).ok_or(ApiError::NotFound)?;
    let html = guide::roll(roll, count(found.len()), choice, visitor.lang);
    let mut response = Html(html).into_response();
    visitor.describe(response.headers_mut());
    Ok(response)
}

fn choice(uri: &Uri) -> Choice {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    Choice::read(pairs.iter().map(|(name, value)| (&**name, &**value)))
}

/// What a choice finds, with the rolls that are shown whole.
fn findings(snapshot: &Snapshot, choice: &Choice, order: Order) -> Findings {
    let found = find(snapshot, choice, order);
    let all = count(found.len()).div_ceil(ROLL);
    let first = choice.roll.clamp(1, all.max(1));
    let rolls = (first..first + ROLLS_AT_ONCE).filter_map(|number| roll_of(&found, number));
    let known = snapshot.tags();
    let mut tags: Vec<String> = known.by_use.iter().take(TAGS_MAX).cloned().collect();
    if let Narrow::Tag(tag) = &choice.narrow
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
            instead(snapshot, choice, order)
        } else {
            Instead::default()
        },
    }
}

/// What is offered where a choice finds nothing.
fn instead(snapshot: &Snapshot, choice: &Choice, order: Order) -> Instead {
    let total = snapshot.len();
    if total == 0 || choice.query.is_empty() {
        return Instead::default();
    }
    let number = choice.query.parse().ok().filter(|number| *number as usize > total);
    if number.is_some() && choice.narrow == Narrow::All {
        let last = find(snapshot, &Choice::default(), order).pop();
        return Instead { number, wider: Vec::new(), near: frames(last.as_slice()) };
    }
    let of = |query: &str, narrow: Narrow| Choice {
        query: query.to_owned(),
        narrow,
        here: choice.here.clone(),
        roll: 0,
    };
    // The same words in the whole list, each word alone, and tags that look like one.
    let mut words: Vec<&str> = Vec::new();
    for word in choice.query.split_whitespace() {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let mut asked: Vec<Choice> = Vec::new();
    if choice.narrow != Narrow::All {
        asked.push(of(&choice.query, Narrow::All));
    }
    if words.len() > 1 {
        asked.extend(words.iter().map(|word| of(word, choice.narrow.clone())));
    }
    let tags = snapshot.tags_like(&choice.query);
    asked.extend(tags.into_iter().map(|tag| of("", Narrow::Tag(tag.to_owned()))));
    let counted = asked.into_iter().take(ASKED_MAX).map(|wider| {
        let found = count(find(snapshot, &wider, order).len());
        (wider, found)
    });
    let wider = counted.filter(|(_, found)| *found > 0).take(WIDER_MAX).collect();
    let near = snapshot.near(order, &choice.query, NEAR_MAX);
    Instead { number: None, wider, near: frames(&near) }
}

/// Found channels with their places in the visitor's order.
type Found<'a> = Vec<(usize, &'a Arc<Media>)>;

fn find<'a>(snapshot: &'a Snapshot, choice: &Choice, order: Order) -> Found<'a> {
    let only = match &choice.narrow {
        Narrow::All => Only::All,
        Narrow::Music => Only::Music,
        Narrow::Live => Only::Live,
        Narrow::Tag(tag) => Only::Tag(tag),
    };
    snapshot.find(order, &choice.query, only)
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
