//! What lies over the picture while it does not come: the film leader while one waits, and the panel
//! that says which reel cannot play, why, and what happens next.

use std::sync::Arc;

use leptos::prelude::*;

use super::{Cause, PATIENCE_S, Phase, Player};
use crate::{
    catalog::{ChannelId, Media},
    icon::Icon,
    part::{Part, effect, parts},
    reels::feed::Feed,
    text::{texts, words},
};

parts! {
    mod panel in ".failure" {
        NUMBER: ".number",
        LABEL: ".label",
        BEFORE: ".before",
        TITLE: "h2 bdi",
        AFTER: ".after",
        WHY: ".why",
        RETRY: ".retry",
        SKIP: ".skip",
        FOLLOWING: ".following",
        UNTIL: ".until",
    }
    mod until in ".failure .until" {
        SECONDS: "b",
    }
    mod following in ".failure .following" {
        NUMBER: "b",
        LEAD: ".lead",
        TITLE: "bdi",
        POSTER: "img",
    }
    mod parts in "main" {
        LEADER: ".leader",
        FAILURE: ".failure",
    }
    mod leader in ".leader" {
        SECONDS: "span",
    }
}

/// A reel that fails so often is passed by.
const FAILURES: u32 = 2;
/// The seconds that are shown as holes.
const HOLES: u32 = 8;

/// While one waits: nothing for 400 ms, then a film leader that counts the real seconds until the
/// reel is given up.
#[component]
pub(crate) fn BufferingIndicator() -> impl IntoView {
    view! {
        <div class="leader" aria-hidden="true">
            <div class="cross"></div>
            <div class="dial">
                <div class="sweep"></div>
                <span>{PATIENCE_S}</span>
            </div>
            <p>{texts().searching_picture}</p>
        </div>
    }
}

/// What is said where the picture does not come. Its clock is in no live region: there it would be
/// read at each second.
#[component]
pub(crate) fn Failure() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="failure" hidden>
            <div class="told" role="alert">
                <p class="edge-print">
                    <span class="mark"></span>
                    <span class="number"></span>
                    " · "
                    <span class="label"></span>
                </p>
                <h2>
                    <span class="before"></span>
                    <bdi></bdi>
                    <span class="after"></span>
                </h2>
                <p class="why"></p>
                <p class="actions">
                    <button class="primary retry" type="button">
                        <Icon name="retry" />
                        {texts.retry}
                    </button>
                    <button class="secondary skip" type="button">
                        {texts.next}
                    </button>
                    <a class="secondary elsewhere" href="/guide">
                        {texts.guide}
                    </a>
                </p>
                <button class="following" type="button">
                    <img alt="" />
                    <span>
                        <span class="edge-print">
                            <span class="mark"></span>
                            <b></b>
                        </span>
                        <span class="lead"></span>
                        " "
                        <bdi></bdi>
                    </span>
                    <Icon name="down" />
                </button>
            </div>
            <div class="until edge-print" aria-hidden="true">
                <div class="holes"></div>
                <b></b>
            </div>
        </div>
    }
}

/// What lies over the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Nothing: it plays, or a person has paused it.
    Nothing,
    /// The leader, with its numbers.
    BufferingIndicator,
    /// The leader without numbers and words: what is wrong is said elsewhere.
    Quiet,
    /// The panel.
    Panel(Cause),
    /// Nothing any more: the next reel follows.
    Passed,
}

/// What is around a reel that does not play.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    /// A person has paused it.
    paused: bool,
    /// The server of this page is away, and a bar says so.
    away: bool,
    /// Another reel follows.
    next: bool,
}

/// How often the reel on screen has failed, and what follows from that.
#[derive(Debug, Default)]
struct Failures {
    reel: Option<ChannelId>,
    count: u32,
    /// Why it failed last. It is said until the picture moves: each try is silent.
    cause: Option<Cause>,
    fails: bool,
}

impl Failures {
    /// What lies over the reel on screen now.
    fn over(&mut self, reel: Option<&ChannelId>, phase: Phase, around: Around) -> Over {
        if self.reel.as_ref() != reel {
            *self = Self { reel: reel.cloned(), ..Self::default() };
        }
        let failed = match phase {
            Phase::Failed(cause) => Some(cause),
            _ => None,
        };
        let before = std::mem::replace(&mut self.fails, failed.is_some());
        match failed {
            // The fault of nobody but the server's: it does not count.
            Some(Cause::Network) if around.away => Over::Quiet,
            Some(cause) => {
                self.count += u32::from(!before);
                self.cause = Some(cause);
                if cause == Cause::Network && self.count >= FAILURES && around.next {
                    Over::Passed
                } else {
                    Over::Panel(cause)
                }
            }
            None if phase != Phase::Waiting => {
                (self.count, self.cause) = (0, None);
                Over::Nothing
            }
            None if around.paused => Over::Nothing,
            None if around.away => Over::Quiet,
            None => self.cause.map_or(Over::BufferingIndicator, Over::Panel),
        }
    }
}

/// Both follow the player. `away` tells whether the server is away, tracked; `next` goes to the next
/// reel.
pub(crate) fn failure(
    room: &Part,
    player: Player,
    feed: Feed,
    away: impl Fn() -> bool + 'static,
    next: impl Fn() + Clone + 'static,
) {
    let leader = room.find(parts::LEADER);
    leader
        .find(leader::SECONDS)
        .bind_text(move || player.patience_s.get().clamp(2, PATIENCE_S).to_string());
    let panel = Panel::new(room.find(parts::FAILURE));
    panel.part.element().remove();
    panel.retry.on_click(move || player.retry());
    for button in [&panel.skip, &panel.following] {
        button.on_click(next.clone());
    }
    panel.counts(player);
    let (mut failures, mut before) = (Failures::default(), Over::Nothing);
    let (mut was_away, mut was_gone) = (false, false);
    let room = room.clone();
    effect(move || {
        let (phase, media) = (player.phase.get(), feed.active_media());
        let here = feed.active();
        let following = feed.held(here + 1..here + 2).pop().map(|(_, media)| media);
        let around =
            Around { paused: player.paused.get(), away: away(), next: following.is_some() };
        // The store that keeps it, as the list tells.
        let gone = media.as_ref().is_some_and(|media| !media.available);
        let back = (was_away && !around.away) || (was_gone && !gone);
        (was_away, was_gone) = (around.away, gone);
        if back && matches!(phase, Phase::Failed(_)) {
            player.retry();
            return;
        }
        let over = failures.over(media.as_ref().map(|media| &media.id), phase, around);
        let waits = matches!(over, Over::BufferingIndicator | Over::Quiet);
        leader.toggle_attr("data-waits", waits);
        room.toggle_attr("data-waits", waits);
        let news = std::mem::replace(&mut before, over) != over;
        match (over, media) {
            (Over::Panel(cause), Some(media)) => {
                room.toggle_attr("data-failed", true);
                let following = following.map(|next| (here + 2, next));
                panel.fill(here + 1, &media, cause, gone, following.as_ref());
                panel.shows(&room);
            }
            _ => {
                room.toggle_attr("data-failed", false);
                panel.leaves();
            }
        }
        if over == Over::Passed && news {
            next();
        }
    });
}

/// The panel, which stands in the article of the reel that it speaks of.
struct Panel {
    part: Part,
    number: Part,
    label: Part,
    /// Before the title, the title, and what is said of it.
    sentence: [Part; 3],
    why: Part,
    retry: Part,
    skip: Part,
    following: Part,
    until: Part,
}

impl Panel {
    fn new(part: Part) -> Self {
        let find = |selector| part.find(selector);
        Self {
            number: find(panel::NUMBER),
            label: find(panel::LABEL),
            sentence: [find(panel::BEFORE), find(panel::TITLE), find(panel::AFTER)],
            why: find(panel::WHY),
            retry: find(panel::RETRY),
            skip: find(panel::SKIP),
            following: find(panel::FOLLOWING),
            until: find(panel::UNTIL),
            part,
        }
    }

    /// Holes and number follow the seconds until the next try.
    fn counts(&self, player: Player) {
        let (until, number) = (self.until.clone(), self.until.find(until::SECONDS));
        effect(move || {
            let left = player.retry_s.get();
            until.toggle_attr("data-still", left == 0);
            let holes = left.min(HOLES);
            until.set_attr("style", Some(&format!("--left:calc({holes}/{HOLES})")));
            number.set_text(&format!("{left}\u{a0}s"));
        });
    }

    /// Says that this reel cannot play, why, and what follows; `next` is the reel behind it and its
    /// number.
    fn fill(
        &self,
        number: u32,
        media: &Media,
        cause: Cause,
        gone: bool,
        next: Option<&(u32, Arc<Media>)>,
    ) {
        let words = words();
        // A browser takes a file that is refused for one that it cannot play.
        let rests = cause == Cause::Resting && !gone;
        let comes_back = gone || matches!(cause, Cause::Network | Cause::Resting);
        let (label, before, after, why) = match cause {
            _ if comes_back => (
                words.no_picture,
                words.network_before,
                words.network_after,
                match cause {
                    _ if gone => words.cause_away,
                    Cause::Resting => words.cause_resting,
                    _ => words.cause_network,
                },
            ),
            Cause::Media => {
                (words.damaged, words.damaged_before, words.damaged_after, words.cause_damaged)
            }
            Cause::Unsupported | Cause::Network | Cause::Resting => {
                (words.no_picture, words.unknown_before, words.unknown_after, words.cause_unknown)
            }
        };
        self.number.set_text(&number.to_string());
        self.label.set_text(&match &media.format {
            Some(format) if cause == Cause::Unsupported => format!("{label} · {format}"),
            _ => label.to_owned(),
        });
        for (part, text) in self.sentence.iter().zip([before, &media.title, after]) {
            part.set_text(text);
        }
        self.why.set_text(&match (comes_back, next) {
            // A live stream goes on by itself.
            _ if rests => why.to_owned(),
            (false, _) => why.to_owned(),
            (true, None) => format!("{why} {}", words.tried_again),
            (true, Some(_)) => format!("{why} {}", words.tried_then_next),
        });
        self.retry.toggle_attr("hidden", !comes_back);
        self.until.toggle_attr("hidden", !comes_back || rests);
        self.skip.toggle_attr("hidden", !comes_back || next.is_none());
        self.follow(next, comes_back);
    }

    /// The frame of the next reel: beside "Next" it is only its picture, alone it is the button.
    fn follow(&self, next: Option<&(u32, Arc<Media>)>, beside: bool) {
        let words = words();
        let part = &self.following;
        part.toggle_attr("hidden", next.is_none());
        part.toggle_attr("data-alone", !beside);
        part.set_attr("aria-hidden", beside.then_some("true"));
        part.set_attr("tabindex", beside.then_some("-1"));
        let Some((number, media)) = next else { return };
        part.find(following::NUMBER).set_text(&number.to_string());
        part.find(following::LEAD).set_text(if beside { words.then } else { words.next_is });
        part.find(following::TITLE).set_text(&media.title);
        part.find(following::POSTER).set_attr("src", media.poster.as_deref());
    }

    /// Into the article on screen. Where waiting helps nothing the way on has the focus, unless a
    /// person writes or has something open; and so where what had it is hidden now.
    fn shows(&self, room: &Part) {
        let Some(reel) = room.query("article[aria-current]") else { return };
        if reel.contains(&self.part) {
            return;
        }
        self.part.toggle_attr("hidden", false);
        let _ = reel.element().append_child(self.part.element());
        let focused = Part::focused();
        let is_in = |selector: &str| {
            focused
                .as_ref()
                .is_some_and(|part| part.element().closest(selector).is_ok_and(|e| e.is_some()))
        };
        let alone = self.following.get_attr("data-alone").is_some();
        let way_on = if alone { &self.following } else { &self.retry };
        let lost = is_in(".controls, .hear") || (alone && !is_in(".chat, dialog, .bars"));
        if lost && !way_on.takes_focus() {
            reel.focus();
        }
    }

    /// Out of the page.
    fn leaves(&self) {
        self.part.toggle_attr("hidden", true);
        self.part.element().remove();
    }
}

#[cfg(test)]
mod tests {
    use super::{Around, Cause, Failures, Over, Phase};
    use crate::catalog::ChannelId;

    const HERE: Around = Around { paused: false, away: false, next: true };

    /// What lies over one reel through its phases.
    fn check(steps: &[(Phase, Around, Over)]) {
        let (mut failures, reel) = (Failures::default(), ChannelId::parse("reel").ok());
        for (n, (phase, around, over)) in steps.iter().enumerate() {
            let seen = failures.over(reel.as_ref(), *phase, *around);
            assert_eq!(seen, *over, "step {n}: {phase:?} {around:?}");
        }
    }

    #[test]
    fn a_try_is_silent_and_the_second_failure_moves_on() {
        let (waiting, failed) = (Phase::Waiting, Phase::Failed(Cause::Network));
        let panel = Over::Panel(Cause::Network);
        check(&[
            (waiting, HERE, Over::BufferingIndicator),
            (failed, HERE, panel),
            // The same failure, looked at again.
            (failed, HERE, panel),
            (waiting, HERE, panel),
            (failed, HERE, Over::Passed),
        ]);
        check(&[
            (failed, HERE, panel),
            (waiting, HERE, panel),
            (Phase::Playing, HERE, Over::Nothing),
            (waiting, HERE, Over::BufferingIndicator),
            (failed, HERE, panel),
        ]);
    }

    #[test]
    fn the_last_reel_is_tried_on() {
        let last = Around { next: false, ..HERE };
        let failed = Phase::Failed(Cause::Network);
        let panel = Over::Panel(Cause::Network);
        check(&[(failed, last, panel), (Phase::Waiting, last, panel), (failed, last, panel)]);
    }

    #[test]
    fn a_damaged_reel_stays() {
        for cause in [Cause::Media, Cause::Unsupported] {
            let failed = Phase::Failed(cause);
            let panel = Over::Panel(cause);
            check(&[(failed, HERE, panel), (Phase::Waiting, HERE, panel), (failed, HERE, panel)]);
        }
    }

    #[test]
    fn while_the_server_is_away_nothing_is_said_twice_and_nothing_counts() {
        let away = Around { away: true, ..HERE };
        let failed = Phase::Failed(Cause::Network);
        check(&[
            (Phase::Playing, away, Over::Nothing),
            (Phase::Waiting, away, Over::Quiet),
            (failed, away, Over::Quiet),
            (Phase::Waiting, away, Over::Quiet),
            (failed, away, Over::Quiet),
            (failed, HERE, Over::Panel(Cause::Network)),
        ]);
        let damaged = Phase::Failed(Cause::Media);
        check(&[(damaged, away, Over::Panel(Cause::Media))]);
    }

    #[test]
    fn what_a_person_has_paused_waits_for_nothing() {
        let paused = Around { paused: true, ..HERE };
        check(&[
            (Phase::Waiting, paused, Over::Nothing),
            (Phase::Waiting, HERE, Over::BufferingIndicator),
        ]);
    }

    #[test]
    fn another_reel_begins_anew() {
        let mut failures = Failures::default();
        let reels = ["one", "two"].map(|id| ChannelId::parse(id).ok());
        let failed = Phase::Failed(Cause::Network);
        for reel in [&reels[0], &reels[1], &reels[0]] {
            assert_eq!(failures.over(reel.as_ref(), failed, HERE), Over::Panel(Cause::Network));
        }
    }
}
