//! Where steps, jumps, answers and changed lists lead.

use super::{Command, Event, State, Topic, step};
use crate::{
    catalog::{Anchor, ChannelId, FeedSlice, Media},
    reels::feed::window::tests::{media, slice},
};

/// Time enough between two steps that none of them passes a reel.
const SLOWLY_MS: f64 = 1000.0;

/// The feed of a list of a thousand, held from one place to before another.
fn feed(from: u32, to: u32, active: u32) -> State {
    State::new(slice(from, to, "a"), active)
}

fn by(by: i32, ms: f64) -> Event {
    Event::Step { by, ms }
}

fn to(anchor: Anchor) -> Event {
    Event::GoTo { anchor, ms: 0.0 }
}

fn id(n: u32) -> ChannelId {
    media(n).expect("an id").id
}

fn answer(slice: FeedSlice) -> Event {
    Event::Answered { slice: Some(slice), ms: 0.0 }
}

/// The whole list, changed: these channels in this order.
fn listed(channels: &[u32], version: &str) -> Event {
    let videos: Vec<Media> = channels.iter().filter_map(|n| media(*n)).collect();
    let total = videos.len() as u32;
    Event::Listed { videos, total, version: version.into() }
}

/// A feed that holds its whole list of ten.
fn whole(active: u32) -> State {
    State::new(FeedSlice { total: 10, ..slice(0, 10, "a") }, active)
}

/// What the commands ask the server for, if they do.
fn asked(commands: &[Command]) -> Option<&Anchor> {
    commands.iter().find_map(|command| match command {
        Command::Ask { anchor, .. } => Some(anchor),
        _ => None,
    })
}

/// Whether they show another reel; and then, whether that is passed.
fn shown(commands: &[Command]) -> Option<bool> {
    commands.iter().find_map(|command| match command {
        Command::Show { passing } => Some(*passing),
        _ => None,
    })
}

fn active_id(feed: &State) -> Option<String> {
    feed.window.at(feed.active).map(|media| media.id.to_string())
}

#[test]
fn a_step_shows_the_neighbour_and_slides_there() {
    let mut feed = feed(0, 40, 5);
    let commands = step(&mut feed, by(1, 0.0));
    assert_eq!((feed.active, feed.travel, feed.steps()), (6, 1, 1));
    assert_eq!(shown(&commands), Some(false));
    assert_eq!(commands.last(), Some(&Command::Slide));
    step(&mut feed, by(-1, SLOWLY_MS));
    assert_eq!((feed.active, feed.travel, feed.steps()), (5, -1, 0));
}

#[test]
fn reels_that_follow_one_another_quickly_are_passed() {
    let mut feed = feed(0, 40, 5);
    assert_eq!(shown(&step(&mut feed, by(1, 1000.0))), Some(false));
    assert_eq!(shown(&step(&mut feed, by(1, 1299.0))), Some(true));
    assert_eq!(shown(&step(&mut feed, by(1, 1598.0))), Some(true));
    assert_eq!(shown(&step(&mut feed, by(1, 1898.0))), Some(false));
}

#[test]
fn at_an_end_the_strip_only_springs_back() {
    let mut feed = whole(9);
    for (by_reels, active) in [(1, 9), (-9, 0), (-1, 0)] {
        let commands = step(&mut feed, by(by_reels, SLOWLY_MS));
        assert_eq!(feed.active, active);
        assert_eq!(commands.last(), Some(&Command::Slide));
    }
    assert_eq!(step(&mut feed, by(-1, SLOWLY_MS)), [Command::Slide]);
}

#[test]
fn articles_gather_where_the_strip_rests_and_at_once_where_there_is_none() {
    let mut feed = feed(0, 40, 5);
    step(&mut feed, by(1, 0.0));
    assert_eq!(feed.middle, 5);
    let commands = step(&mut feed, Event::Settled);
    assert_eq!(feed.middle, 6);
    assert_eq!(commands.last(), Some(&Command::Rest));
    step(&mut feed, to(Anchor::Place(20)));
    assert_eq!(feed.middle, 20);
    let places: Vec<u32> = feed.articles().iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [18, 19, 20, 21, 22]);
}

#[test]
fn near_an_end_of_what_is_held_more_is_asked_for_once() {
    let mut feed = feed(100, 140, 127);
    assert_eq!(asked(&step(&mut feed, Event::Settled)), None);
    step(&mut feed, by(1, 0.0));
    let commands = step(&mut feed, Event::Settled);
    assert_eq!(asked(&commands), Some(&Anchor::Near(id(139), 139)));
    assert!(feed.is_asking());
    assert_eq!(asked(&step(&mut feed, Event::Settled)), None);
    step(&mut feed, answer(slice(139, 180, "a")));
    assert_eq!((feed.window.offset, feed.window.end(), feed.is_asking()), (100, 180, false));
    // And at the other end.
    step(&mut feed, to(Anchor::Place(105)));
    assert_eq!(asked(&step(&mut feed, Event::Settled)), Some(&Anchor::Near(id(100), 100)));
}

#[test]
fn what_is_far_is_forgotten_and_the_strip_laid_out_anew() {
    let mut feed = feed(0, 900, 0);
    step(&mut feed, to(Anchor::Place(600)));
    assert_eq!(feed.steps(), 600);
    let commands = step(&mut feed, Event::Settled);
    assert_eq!((feed.window.offset, feed.window.end(), feed.steps()), (450, 750, 0));
    assert!(commands.contains(&Command::Place));
}

#[test]
fn a_place_that_is_not_held_is_gone_to_when_it_has_come() {
    let mut feed = feed(0, 20, 5);
    let commands = step(&mut feed, to(Anchor::Last));
    assert_eq!((asked(&commands), shown(&commands)), (Some(&Anchor::Last), None));
    let commands = step(&mut feed, answer(slice(960, 1000, "a")));
    assert_eq!((feed.active, shown(&commands)), (999, Some(false)));
    // The new reel lies below the one that is seen.
    assert_eq!(feed.steps(), 1);
}

#[test]
fn steps_beyond_what_is_held_lead_as_far_as_they_were() {
    let mut feed = feed(0, 6, 5);
    assert_eq!(asked(&step(&mut feed, by(1, 0.0))), Some(&Anchor::Place(6)));
    // More steps only move where it leads.
    assert!(step(&mut feed, by(1, 10.0)).is_empty());
    assert!(step(&mut feed, by(1, 20.0)).is_empty());
    step(&mut feed, answer(slice(0, 46, "a")));
    assert_eq!(feed.active, 8);
}

#[test]
fn who_goes_elsewhere_meanwhile_is_moved_by_no_older_answer() {
    let mut feed = feed(0, 20, 5);
    step(&mut feed, to(Anchor::Last));
    step(&mut feed, by(1, SLOWLY_MS));
    let commands = step(&mut feed, answer(slice(960, 1000, "a")));
    assert_eq!((feed.active, shown(&commands), feed.window.end()), (6, None, 20));
}

#[test]
fn one_question_is_under_way_and_a_jump_waits_for_it() {
    let mut feed = feed(100, 140, 130);
    step(&mut feed, Event::Settled);
    assert!(feed.is_asking());
    assert_eq!(asked(&step(&mut feed, to(Anchor::First))), None);
    let commands = step(&mut feed, answer(slice(139, 180, "a")));
    assert_eq!(asked(&commands), Some(&Anchor::First));
    step(&mut feed, answer(slice(0, 40, "a")));
    assert_eq!((feed.active, feed.travel), (0, -1));
}

#[test]
fn no_answer_moves_nobody_and_the_next_step_asks_again() {
    let mut feed = feed(0, 6, 5);
    step(&mut feed, by(1, 0.0));
    step(&mut feed, Event::Answered { slice: None, ms: 0.0 });
    assert_eq!(feed.active, 5);
    assert_eq!(asked(&step(&mut feed, by(1, 0.0))), Some(&Anchor::Place(6)));
}

#[test]
fn a_channel_that_is_gone_is_missed_and_moves_nobody() {
    let mut feed = feed(0, 20, 5);
    let commands = step(&mut feed, to(Anchor::Id(id(700))));
    assert_eq!(asked(&commands), Some(&Anchor::Near(id(700), 5)));
    let commands = step(&mut feed, answer(slice(0, 40, "a")));
    assert_eq!((feed.active, feed.missed, feed.window.end()), (5, 1, 20));
    assert!(commands.contains(&Command::Changed(Topic::Missed)));
}

#[test]
fn the_reel_on_screen_plays_on_when_the_list_changes() {
    let mut feed = whole(4);
    step(&mut feed, by(1, 0.0));
    let steps = feed.steps();
    let commands = step(&mut feed, listed(&[90, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "b"));
    assert_eq!((active_id(&feed).as_deref(), feed.active), (Some("c5"), 6));
    assert_eq!((feed.steps(), feed.fresh.clone()), (steps, Some((1, Some(id(90))))));
    assert!(shown(&commands).is_none());
    // What is new adds up until somebody has looked.
    step(&mut feed, listed(&[90, 91, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "c"));
    assert_eq!(feed.fresh, Some((2, Some(id(90)))));
    assert_eq!(step(&mut feed, Event::FreshSeen), [Command::Changed(Topic::Fresh)]);
    assert!(step(&mut feed, Event::FreshSeen).is_empty());
}

#[test]
fn a_removed_reel_plays_for_the_last_time_and_the_list_waits_until_it_is_left() {
    let mut feed = whole(4);
    let commands = step(&mut feed, listed(&[0, 1, 2, 3, 5, 6, 7, 8, 9], "b"));
    assert_eq!(commands, [Command::Changed(Topic::LastTime)]);
    assert_eq!((active_id(&feed).as_deref(), feed.window.total), (Some("c4"), 10));
    // A strip that springs back to it changes nothing.
    step(&mut feed, Event::Settled);
    assert!(feed.last_time);
    step(&mut feed, by(1, 0.0));
    step(&mut feed, Event::Settled);
    assert_eq!((active_id(&feed).as_deref(), feed.active), (Some("c5"), 4));
    assert_eq!((feed.window.total, feed.last_time), (9, false));
}

#[test]
fn a_removed_reel_that_comes_back_is_no_longer_the_last_time() {
    let mut feed = whole(4);
    step(&mut feed, listed(&[0, 1, 2], "b"));
    assert!(feed.last_time);
    step(&mut feed, listed(&[4, 0, 1, 2], "c"));
    assert_eq!((feed.last_time, feed.active), (false, 0));
}

#[test]
fn of_a_long_list_the_part_around_the_reel_is_asked_for() {
    let mut feed = feed(100, 140, 120);
    let first: Vec<u32> = (0..30).collect();
    let Event::Listed { videos, version, .. } = listed(&first, "b") else { return };
    let commands = step(&mut feed, Event::Listed { videos, total: 1001, version });
    assert_eq!(asked(&commands), Some(&Anchor::Near(id(120), 120)));
    let mut new = slice(100, 140, "b");
    new.offset = 101;
    new.total = 1001;
    step(&mut feed, answer(new));
    assert_eq!((active_id(&feed).as_deref(), feed.active), (Some("c120"), 121));
    assert_eq!(feed.fresh, Some((1, None)));
}

#[test]
fn an_empty_list_leaves_the_page_and_the_same_list_does_nothing() {
    let mut feed = whole(4);
    assert!(step(&mut feed, listed(&[0], "a")).is_empty());
    assert_eq!(step(&mut feed, listed(&[], "b")), [Command::Leave]);
}

#[test]
fn while_the_socket_is_away_the_part_around_the_reel_is_asked_for() {
    let mut feed = feed(100, 140, 120);
    assert_eq!(asked(&step(&mut feed, Event::Refresh)), Some(&Anchor::Near(id(120), 120)));
    assert!(step(&mut feed, Event::Refresh).is_empty());
    // The list does not hold the reel any more.
    step(&mut feed, answer(FeedSlice { total: 20, ..slice(0, 20, "b") }));
    assert_eq!((feed.last_time, active_id(&feed).as_deref()), (true, Some("c120")));
}
