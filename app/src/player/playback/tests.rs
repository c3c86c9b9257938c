use super::{By, Command, Event, Look, Playback, State, step};
use crate::player::{Cause, PATIENCE_S, Phase, Prompt};

const SHOWN: Event = Event::Shown { ready: true, audio: false, live: false };
const REFUSED: Event = Event::Refused { muted: true };
const BYTES: Event = Event::Bytes { segment: false };

fn hidden(hidden: bool, ms: f64) -> Event {
    Event::Hidden { hidden, ms }
}

/// A film that plays at `at_s`, at so many seconds of the page's clock, with plenty ahead.
fn look(ms: f64, at_s: f64) -> Look {
    Look { ms, at_s, paused: false, ended: false, ahead_s: 5.0, next_s: None, loading: false }
}

/// A player after these events, and everything that they led to.
fn after(events: impl IntoIterator<Item = Event>) -> (Playback, Vec<Command>) {
    let mut playback = Playback::new(false);
    let commands = events.into_iter().flat_map(|event| step(&mut playback, event)).collect();
    (playback, commands)
}

fn playing() -> Playback {
    after([SHOWN, Event::Moves]).0
}

/// So many seconds pass over an element that stands.
fn stand(playback: &mut Playback, seconds: u32, seen: Look) -> Vec<Command> {
    (0..=seconds)
        .flat_map(|n| {
            let ms = seen.ms + f64::from(n) * 1000.0;
            step(playback, Event::Second(Look { ms, ..seen }))
        })
        .collect()
}

fn plays(commands: &[Command]) -> usize {
    commands.iter().filter(|command| **command == Command::Play).count()
}

#[test]
fn a_preloaded_reel_plays_at_once_and_a_cold_one_is_asked_again_when_it_is_ready() {
    assert_eq!(plays(&after([SHOWN]).1), 1);
    let cold = Event::Shown { ready: false, audio: false, live: false };
    // Phones load nothing of a file before it is asked to play.
    assert_eq!(plays(&after([cold]).1), 1);
    let (playback, commands) = after([cold, Event::Ready]);
    assert_eq!(plays(&commands), 2);
    assert_eq!(playback.phase(), Phase::Waiting);
    let (playback, commands) = after([cold, Event::Ready, Event::Moves]);
    assert_eq!(playback.phase(), Phase::Playing);
    assert!(commands.contains(&Command::Move));
}

#[test]
fn sound_that_is_refused_is_switched_off_and_the_picture_plays() {
    let (playback, commands) = after([SHOWN, Event::Refused { muted: false }]);
    assert_eq!(commands.last_chunk(), Some(&[Command::Mute, Command::Play]));
    assert_eq!(playback.prompt(), None);
}

#[test]
fn refused_without_sound_it_needs_a_tap_and_nothing_asks_again() {
    let (mut playback, commands) =
        after([SHOWN, Event::Refused { muted: false }, REFUSED, REFUSED, Event::Moves]);
    assert_eq!(plays(&commands), 2);
    assert!(commands.contains(&Command::RestSpare));
    assert_eq!((playback.prompt(), playback.stands()), (Some(Prompt::Tap), true));
    assert!(!playback.needs_clock());
    // Neither seconds nor a page that is hidden and shown again ask for anything.
    let seen = Look { paused: true, ..look(0.0, 0.0) };
    assert_eq!(stand(&mut playback, 30, seen), []);
    for event in [hidden(true, 1e5), hidden(false, 2e5), BYTES] {
        assert_eq!(step(&mut playback, event), [], "{event:?}");
    }
    assert_eq!(playback.prompt(), Some(Prompt::Tap));
}

#[test]
fn a_tap_blesses_both_elements_and_plays() {
    let mut playback = after([SHOWN, REFUSED]).0;
    let commands = step(&mut playback, Event::Play);
    assert_eq!(commands[..2], [Command::Bless, Command::Play]);
    assert_eq!(playback.state, State::Waiting);
    step(&mut playback, Event::Moves);
    assert_eq!((playback.phase(), playback.prompt()), (Phase::Playing, None));
    // The same touch, told twice, pauses nothing.
    step(&mut playback, Event::Play);
    assert_eq!(playback.phase(), Phase::Playing);
}

#[test]
fn a_file_that_is_refused_before_anything_of_it_came_needs_a_tap() {
    let cold = Event::Shown { ready: false, audio: false, live: false };
    let starves = Event::Starves { seeking: false, buffered: false };
    let (mut playback, commands) = after([cold, starves, REFUSED]);
    assert!(!commands.contains(&Command::GiveWay), "{commands:?}");
    assert_eq!(playback.prompt(), Some(Prompt::Tap));
    assert_eq!(plays(&step(&mut playback, Event::Play)), 1);
    // And so after each try.
    let (playback, commands) = after([cold, Event::Fatal { network: true }, Event::Retry]);
    assert_eq!((plays(&commands), playback.phase()), (2, Phase::Waiting));
}

#[test]
fn music_that_nobody_sees_is_mended_as_if_it_were_seen() {
    let music = Event::Shown { ready: true, audio: true, live: false };
    let fatal = Event::Fatal { network: true };
    let heard = [music, Event::Moves, hidden(true, 1e3), fatal];
    let (mut playback, _) = after(heard);
    assert_eq!(playback.phase(), Phase::Failed(Cause::Network));
    let commands = stand(&mut playback, 20, look(2e3, 1.0));
    assert!(commands.contains(&Command::Reload), "{commands:?}");
    let (_, commands) = after(heard.into_iter().chain([Event::Online]));
    assert!(commands.contains(&Command::Reload), "{commands:?}");
    // A film that nobody sees waits until somebody does.
    let (_, commands) = after([SHOWN, Event::Moves, hidden(true, 1e3), fatal, Event::Online]);
    assert!(!commands.contains(&Command::Reload), "{commands:?}");
}

#[test]
fn a_browser_that_plays_by_itself_after_a_refusal_is_believed() {
    let playback = after([SHOWN, REFUSED, Event::Began, Event::Moves]).0;
    assert_eq!((playback.phase(), playback.prompt()), (Phase::Playing, None));
}

#[test]
fn patience_stands_still_in_the_dark() {
    let cold = Event::Shown { ready: false, audio: false, live: false };
    let mut playback = after([hidden(true, 0.0), cold]).0;
    let seen = Look { paused: true, ahead_s: 0.0, ..look(0.0, 0.0) };
    assert_eq!(stand(&mut playback, 60, seen), []);
    assert_eq!(playback.counts().0, PATIENCE_S);
    let commands = step(&mut playback, hidden(false, 61e3));
    assert_eq!(commands, [Command::Play, Command::StartClock]);
    assert_eq!(plays(&step(&mut playback, Event::Ready)), 1);
}

#[test]
fn in_every_order_of_events_a_reel_reached_in_the_dark_plays_when_it_is_shown() {
    let cold = Event::Shown { ready: false, audio: false, live: false };
    let events =
        [hidden(true, 0.0), cold, Event::Ready, Event::Stopped { ms: 20.0 }, hidden(false, 9e4)];
    for order in orders(&events) {
        // What comes before the reel belongs to another one, and what is shown was hidden.
        let place = |event| order.iter().position(|each| *each == event);
        if place(cold) > place(Event::Ready)
            || place(Event::Ready) > place(Event::Stopped { ms: 20.0 })
            || place(hidden(true, 0.0)) > place(hidden(false, 9e4))
        {
            continue;
        }
        let (playback, commands) = after(order.clone());
        let plays = commands.last() == Some(&Command::Play)
            || commands.last_chunk() == Some(&[Command::Play, Command::StartClock]);
        assert!(
            playback.state == State::Waiting && plays || playback.prompt().is_some(),
            "{order:?}: {playback:?} {commands:?}"
        );
    }
}

fn orders(events: &[Event]) -> Vec<Vec<Event>> {
    let Some((first, rest)) = events.split_first() else { return vec![Vec::new()] };
    let insert = |order: Vec<Event>| {
        (0..=order.len()).map(move |n| {
            let mut order = order.clone();
            order.insert(n, *first);
            order
        })
    };
    orders(rest).into_iter().flat_map(insert).collect()
}

#[test]
fn what_breaks_in_the_dark_is_mended_when_it_is_shown() {
    for event in [
        Event::Fatal { network: true },
        Event::Fatal { network: false },
        Event::Broken(Cause::Network),
        Event::Gone,
        Event::Restarted,
    ] {
        let mut playback = playing();
        step(&mut playback, hidden(true, 5e3));
        assert_eq!(step(&mut playback, event), [], "{event:?}");
        assert_eq!(step(&mut playback, hidden(false, 5e4))[0], Command::Reload, "{event:?}");
    }
}

#[test]
fn a_failed_reel_is_not_tried_again_in_the_dark_but_at_once_when_it_is_shown() {
    let mut playback = after([SHOWN, Event::Fatal { network: true }, hidden(true, 0.0)]).0;
    assert_eq!(stand(&mut playback, 90, look(0.0, 0.0)), []);
    assert_eq!(step(&mut playback, Event::Online), []);
    assert_eq!(step(&mut playback, hidden(false, 9e4))[0], Command::Reload);
}

#[test]
fn a_pause_from_outside_is_told_and_nothing_resumes_by_itself() {
    let mut playback = playing();
    assert_eq!(step(&mut playback, Event::Stopped { ms: 5e3 }), []);
    assert_eq!((playback.prompt(), playback.stands()), (Some(Prompt::Outside), true));
    assert_eq!(playback.phase(), Phase::Playing);
    for event in [Event::Ready, BYTES, hidden(true, 9e3), hidden(false, 2e4), Event::Online] {
        assert_eq!(plays(&step(&mut playback, event)), 0, "{event:?}");
    }
    assert_eq!(playback.prompt(), Some(Prompt::Outside));
    assert_eq!(plays(&step(&mut playback, Event::Play)), 1);
    assert!(!playback.stands());
}

#[test]
fn a_picture_paused_by_hiding_goes_on_and_music_stays_silent() {
    for pauses_first in [true, false] {
        for audio in [false, true] {
            let shown = Event::Shown { ready: true, audio, live: false };
            let mut order = [hidden(true, 5010.0), Event::Stopped { ms: 5000.0 }];
            if pauses_first {
                order.reverse();
            }
            let mut playback = after([shown, Event::Moves, order[0], order[1]]).0;
            let commands = step(&mut playback, hidden(false, 9e4));
            assert_eq!(plays(&commands), usize::from(!audio), "{order:?}");
            assert_eq!(playback.prompt().is_some(), audio, "{order:?}");
        }
    }
}

#[test]
fn a_pause_that_a_person_asked_for_needs_no_large_button() {
    let (mut playback, commands) = after([SHOWN, Event::Moves, Event::Pause(By::Person)]);
    assert_eq!(commands.last(), Some(&Command::Pause));
    assert_eq!(step(&mut playback, Event::Stopped { ms: 1.0 }), []);
    assert_eq!((playback.prompt(), playback.stands()), (None, true));
    // The small window, or a key of the device, plays it.
    step(&mut playback, Event::Began);
    assert_eq!((playback.phase(), playback.stands()), (Phase::Playing, false));
}

#[test]
fn a_reel_paused_before_it_is_ready_does_not_begin() {
    let cold = Event::Shown { ready: false, audio: false, live: false };
    let (mut playback, _) = after([cold, Event::Pause(By::Person)]);
    assert_eq!(plays(&step(&mut playback, Event::Ready)), 0);
    assert!(playback.stands());
}

#[test]
fn an_element_that_stands_without_a_word_gets_the_button() {
    let mut playback = playing();
    stand(&mut playback, 3, Look { paused: true, ..look(0.0, 2.0) });
    assert_eq!(playback.prompt(), Some(Prompt::Outside));
}

#[test]
fn patience_is_for_silence_and_bytes_renew_it() {
    let cold = Event::Shown { ready: false, audio: false, live: false };
    let seen = Look { ahead_s: 0.0, loading: true, ..look(0.0, 0.0) };
    let mut playback = after([cold]).0;
    for _ in 0..10 {
        assert_eq!(stand(&mut playback, PATIENCE_S - 2, seen), []);
        step(&mut playback, BYTES);
    }
    assert_eq!(playback.phase(), Phase::Waiting);
    let commands = stand(&mut playback, PATIENCE_S - 1, seen);
    assert!(commands.contains(&Command::GiveUp(Cause::Network)), "{commands:?}");
    assert_eq!(playback.phase(), Phase::Failed(Cause::Network));
}

#[test]
fn a_reel_that_was_given_up_and_sends_bytes_is_taken_back_and_not_begun_anew() {
    let mut playback = after([SHOWN, Event::Fatal { network: true }]).0;
    let commands = step(&mut playback, BYTES);
    assert_eq!(commands, [Command::TakeBack, Command::StartClock, Command::Play]);
    assert_eq!(playback.phase(), Phase::Waiting);
}

#[test]
fn what_the_network_has_done_is_tried_again_each_time_later() {
    let mut playback = after([SHOWN]).0;
    for wait_s in [8, 16, 32, 60, 60] {
        step(&mut playback, Event::Fatal { network: true });
        assert_eq!(playback.counts().1, wait_s);
        assert_eq!(stand(&mut playback, wait_s - 2, look(0.0, 0.0)), []);
        let again = step(&mut playback, Event::Second(look(0.0, 0.0)));
        assert_eq!(again[0], Command::Reload);
    }
    step(&mut playback, Event::Moves);
    step(&mut playback, Event::Fatal { network: true });
    assert_eq!(playback.counts().1, 8);
}

#[test]
fn what_cannot_be_played_is_said_once_and_not_tried_again() {
    for cause in [Cause::Media, Cause::Unsupported] {
        let mut playback = after([SHOWN, Event::Broken(cause)]).0;
        assert_eq!((playback.phase(), playback.counts().1), (Phase::Failed(cause), 0));
        assert_eq!(stand(&mut playback, 90, look(0.0, 0.0)), []);
    }
}

#[test]
fn a_media_error_is_repaired_then_passed_then_said() {
    let broken = Event::Fatal { network: false };
    let (playback, commands) = after([SHOWN, broken, broken, broken, broken]);
    let mended: Vec<_> = commands
        .into_iter()
        .filter(|c| !matches!(c, Command::StartClock | Command::Play))
        .collect();
    assert!(
        matches!(
            mended[..],
            [
                Command::Recover,
                Command::ReloadPast(near_s),
                Command::ReloadPast(far_s),
                Command::GiveUp(Cause::Media)
            ] if near_s < far_s
        ),
        "{mended:?}"
    );
    assert_eq!(playback.phase(), Phase::Failed(Cause::Media));
}

#[test]
fn a_seek_into_what_is_not_loaded_shows_waiting_and_a_loop_does_not() {
    let mut playback = playing();
    assert_eq!(step(&mut playback, Event::Starves { seeking: true, buffered: true }), []);
    assert_eq!(playback.phase(), Phase::Playing);
    let commands = step(&mut playback, Event::Starves { seeking: true, buffered: false });
    assert_eq!(playback.phase(), Phase::Waiting);
    assert!(!commands.contains(&Command::NoteStall));
    step(&mut playback, Event::Moves);
    let commands = step(&mut playback, Event::Starves { seeking: false, buffered: false });
    assert!(commands.contains(&Command::NoteStall) && commands.contains(&Command::GiveWay));
}

#[test]
fn a_hole_in_the_buffer_is_jumped() {
    let mut playback = playing();
    let seen = Look { ahead_s: 0.05, next_s: Some(6.5), ..look(0.0, 4.0) };
    let commands = stand(&mut playback, 2, seen);
    assert!(
        matches!(commands[..], [Command::Seek(to_s)] if to_s > 6.5 && to_s < 6.7),
        "{commands:?}"
    );
    // While what is missing is under way, it is waited for.
    let mut playback = playing();
    assert_eq!(stand(&mut playback, 4, Look { loading: true, ..seen }), []);
    assert_eq!(playback.phase(), Phase::Waiting);
}

#[test]
fn at_the_end_of_the_shorter_track_the_longer_one_goes_on_and_else_it_is_the_end() {
    let mut playback = playing();
    let seen = Look { ahead_s: 0.02, ..look(0.0, 4.98) };
    assert_eq!(stand(&mut playback, 2, seen), [Command::EndBuffer]);
    assert_eq!(stand(&mut playback, 2, Look { ms: 3e3, ..seen }), [Command::End]);
}

#[test]
fn a_decoder_that_hangs_is_pushed_repaired_and_passed_and_then_it_is_said() {
    let mut playback = playing();
    let commands = stand(&mut playback, 60, look(0.0, 3.0));
    let tried: Vec<_> = commands.iter().filter(|c| **c != Command::StartClock).collect();
    assert!(
        matches!(tried[..3], [Command::Seek(_), Command::Recover, Command::ReloadPast(_)]),
        "{tried:?}"
    );
    assert_eq!(tried.last(), Some(&&Command::GiveUp(Cause::Media)));
    assert!(tried.len() < 12, "{tried:?}");
}

#[test]
fn a_machine_that_is_late_is_not_taken_for_a_standstill() {
    let mut playback = playing();
    for n in 0..20 {
        let seen = look(f64::from(n) * 2500.0, 3.0);
        assert_eq!(step(&mut playback, Event::Second(seen)), []);
    }
    assert_eq!(playback.phase(), Phase::Playing);
}

#[test]
fn a_live_encoder_that_starts_anew_is_followed_and_one_that_stops_is_told() {
    let live = Event::Shown { ready: true, audio: false, live: true };
    let mut playback = after([live, Event::Moves]).0;
    let commands = step(&mut playback, Event::Restarted);
    assert_eq!(commands[0], Command::Reload);
    step(&mut playback, Event::Ready);
    step(&mut playback, Event::Moves);
    // Its playlist is asked for on and on, and has nothing new.
    let seen = Look { ahead_s: 0.0, ..look(0.0, 30.0) };
    let commands = stand(&mut playback, PATIENCE_S + 4, seen);
    assert!(commands.contains(&Command::GiveUp(Cause::Resting)), "{commands:?}");
    assert_eq!(playback.counts().1, 0);
    assert_eq!(step(&mut playback, Event::Grew)[0], Command::Reload);
    assert_eq!(playback.phase(), Phase::Waiting);
}

#[test]
fn a_live_reel_whose_new_segments_cannot_be_reached_is_loaded_anew() {
    let live = Event::Shown { ready: true, audio: false, live: true };
    let mut playback = after([live, Event::Moves]).0;
    let seen = Look { ahead_s: 0.0, loading: true, ..look(0.0, 30.0) };
    stand(&mut playback, 2, seen);
    step(&mut playback, Event::Bytes { segment: true });
    let commands = stand(&mut playback, 3, Look { ms: 3e3, ..seen });
    assert!(commands.contains(&Command::Reload), "{commands:?}");
}

#[test]
fn who_paused_a_reel_finds_it_paused_after_its_playlist_has_changed() {
    let mut playback = after([SHOWN, Event::Moves, Event::Pause(By::Person)]).0;
    assert_eq!(step(&mut playback, Event::Fatal { network: true }), []);
    assert_eq!(plays(&step(&mut playback, Event::Ready)), 0);
    let commands = step(&mut playback, Event::Play);
    assert!(commands.contains(&Command::Reload), "{commands:?}");
    assert_eq!(playback.phase(), Phase::Waiting);
}

#[test]
fn what_the_library_throws_is_mended_at_once_or_when_nothing_is_left_to_play() {
    let cold = Event::Shown { ready: false, audio: false, live: false };
    let (_, commands) = after([cold, Event::Threw]);
    assert!(commands.contains(&Command::Reload), "{commands:?}");
    let mut playback = playing();
    assert_eq!(step(&mut playback, Event::Threw), []);
    assert_eq!(playback.phase(), Phase::Playing);
    let commands = step(&mut playback, Event::Starves { seeking: false, buffered: false });
    assert!(commands.contains(&Command::Reload), "{commands:?}");
    // A library that always throws is given up.
    let commands = after([cold, Event::Threw, Event::Threw, Event::Threw, Event::Threw]).1;
    assert!(commands.contains(&Command::GiveUp(Cause::Media)), "{commands:?}");
}

#[test]
fn a_page_taken_from_memory_plays_on_unless_somebody_has_paused_it() {
    let mut playback = playing();
    assert_eq!(step(&mut playback, hidden(false, 1e4)), [Command::Play]);
    for by in [By::Person, By::Outside] {
        let mut playback = after([SHOWN, Event::Moves, Event::Pause(by)]).0;
        assert_eq!(step(&mut playback, hidden(false, 1e4)), []);
    }
    let mut refused = after([SHOWN, REFUSED]).0;
    assert_eq!(step(&mut refused, hidden(false, 1e4)), []);
}
