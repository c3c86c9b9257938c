//! The hint of a first visit: the feed peeks at the next reel and shows the frame line between them.

use std::rc::Rc;

use super::{controls_visibility::ControlsVisibility, feed::Feed, feed_controller::FeedController};
use crate::{
    dom::{Timer, recall, reduced_motion, remember, swipes},
    part::effect,
    player::{Phase, Player},
    value::Owned,
};

/// After so much picture.
const AFTER_MS: i32 = 1200;
/// It is over after so long: when the strip is back, and not before.
const SHOWN_MS: i32 = 2300;
/// Shown at most so often, over all visits.
const TIMES: u32 = 2;
/// Once somebody has swiped it is known.
const KEY: &str = "carrete.swiped";
const KNOWN: &str = "yes";

/// Peeks once the first picture has moved for a moment, unless swiping is known already.
pub(crate) fn hint(
    feed: Feed,
    player: Player,
    visibility: ControlsVisibility,
    controller: &Rc<FeedController>,
) {
    let remembered = recall(KEY).unwrap_or_default();
    let shown: u32 = remembered.parse().unwrap_or(0);
    if remembered == KNOWN || shown >= TIMES || reduced_motion() || !swipes() {
        return;
    }
    let timer = Owned::new();
    let here = move || feed.media_at(feed.active()).map(|media| media.id.clone());
    let first = feed.media_at(feed.active_now()).map(|media| media.id.clone());
    let mut swiped = false;
    let controller = Rc::clone(controller);
    effect(move || {
        // Whatever took its place before its time: the strip does not stay lifted below that.
        if !visibility.hint.get() {
            controller.peek_no_more();
        }
        if here() != first && !swiped {
            swiped = true;
            remember(KEY, KNOWN);
            visibility.hint_is_over();
            drop(timer.take());
        } else if !swiped && player.phase.get() == Phase::Playing && timer.get().is_none() {
            let controller = Rc::clone(&controller);
            timer.set(Rc::new(Timer::once(AFTER_MS, move || {
                if controller.peek() {
                    visibility.hint_for(SHOWN_MS);
                    remember(KEY, &(shown + 1).to_string());
                }
            })));
        }
    });
}
