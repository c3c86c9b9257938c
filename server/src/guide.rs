//! The guide: what is on the contact sheet that was asked for.

use std::sync::Arc;

use app::{
    catalog::{Media, Order},
    guide::{self, Choice, Findings, Frame, GuideRequest, Narrow, ROLL, ROLLS_AT_ONCE, Roll},
};
use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::PathRejection},
    response::{Html, IntoResponse, Response},
};
use http::{Request, Uri};

use crate::{
    catalog::{Only, Snapshot},
    error::ApiError,
    pages,
    state::AppState,
    visitor::{self, Visitor},
};

/// Tags that are offered, the most used ones.
const TAGS_MAX: usize = 12;
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
        stylesheet: state.site.stylesheet().to_owned(),
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
    }
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
