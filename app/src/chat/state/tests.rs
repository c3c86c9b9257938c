//! What becomes of a message, of a name and of the socket.

use super::{Clock, Command, Event, Link, Note, State, Topic, step};
use crate::{
    catalog::ChannelId,
    websocket::{ErrorCode, Message, Rooms, ServerEvent},
};

fn beach() -> ChannelId {
    ChannelId::parse("beach").expect("an id")
}

fn message(id: &str, username: &str, text: &str, ts: u64) -> Message {
    Message {
        id: id.into(),
        username: username.into(),
        text: text.into(),
        channel: None,
        ts,
        nonce: None,
    }
}

/// The server sends one's own message back.
fn own(id: &str, text: &str, nonce: &str) -> Event {
    let message = Message { nonce: Some(nonce.into()), ..message(id, "Ana", text, 5) };
    Event::Received(ServerEvent::ChatMessage(message))
}

fn said(id: &str, text: &str) -> Event {
    Event::Received(ServerEvent::ChatMessage(message(id, "Bea", text, 5)))
}

fn history(messages: Vec<Message>) -> Event {
    Event::Received(ServerEvent::History {
        channel: None,
        messages,
        likes: None,
        moments: Vec::new(),
    })
}

fn refused(code: ErrorCode, nonce: Option<&str>, retry_after_ms: Option<u64>) -> Event {
    Event::Received(ServerEvent::Error {
        code,
        message: String::new(),
        nonce: nonce.map(Into::into),
        retry_after_ms,
    })
}

fn joined(name: &str) -> Event {
    Event::Received(ServerEvent::Joined { username: name.into(), token: "t".into() })
}

fn send(nonce: &str) -> Event {
    Event::Send { nonce: nonce.into(), here: Some(beach()), remembered: None }
}

fn typed(text: &str) -> Event {
    Event::Typed(text.into())
}

/// The chat of Ana, whose socket is open, after these events.
fn after(events: impl IntoIterator<Item = Event>) -> (State, Vec<Command>) {
    let mut chat = State::new(Some("Ana".into()));
    step(&mut chat, Event::Opened);
    step(&mut chat, history(Vec::new()));
    let commands = events.into_iter().flat_map(|event| step(&mut chat, event)).collect();
    (chat, commands)
}

/// She has said this.
fn sent(texts: &[(&str, &str)]) -> State {
    after(
        texts
            .iter()
            .flat_map(|(nonce, text)| [typed(text), send(nonce), Event::Sent((*nonce).into())]),
    )
    .0
}

/// The nonces that are said over the socket.
fn says(commands: &[Command]) -> Vec<&str> {
    commands
        .iter()
        .filter_map(|command| match command {
            Command::Say(pending) => Some(&*pending.nonce),
            _ => None,
        })
        .collect()
}

fn texts(chat: &State) -> Vec<&str> {
    chat.messages.iter().map(|message| &*message.text).collect()
}

#[test]
fn a_message_is_pending_until_it_has_come_back() {
    let (mut chat, commands) = after([typed(" hola "), send("1")]);
    assert_eq!((says(&commands), &*chat.draft, chat.pending.len()), (vec!["1"], "", 1));
    assert_eq!(chat.pending[0].text, "hola");
    step(&mut chat, own("a", "hola", "1"));
    assert_eq!((chat.pending.len(), texts(&chat)), (0, vec!["hola"]));
    // The same once more is passed over.
    step(&mut chat, own("a", "hola", "1"));
    assert_eq!(texts(&chat), ["hola"]);
}

#[test]
fn nothing_but_spaces_is_not_sent_and_too_much_is_said() {
    let (chat, commands) = after([typed("  "), send("1")]);
    assert!(says(&commands).is_empty() && chat.note.is_none());
    let (chat, commands) = after([typed(&"ñ".repeat(501)), send("1")]);
    assert_eq!((says(&commands).len(), chat.note), (0, Some(Note::TooLong)));
    let (chat, commands) = after([typed(&"ñ".repeat(500)), send("1")]);
    assert_eq!((says(&commands).len(), chat.note), (1, None));
}

#[test]
fn only_in_a_room_is_a_message_for_that_room() {
    let (chat, _) = after([typed("hola"), send("1")]);
    assert_eq!(chat.pending[0].channel, None);
    let (chat, _) = after([Event::Scope { only_here: true }, typed("hola"), send("1")]);
    assert_eq!(chat.pending[0].channel, Some(beach()));
}

#[test]
fn without_a_name_it_is_asked_and_the_message_waits_in_its_box() {
    let mut chat = State::new(None);
    assert!(!step(&mut chat, Event::Opened).iter().any(|c| matches!(c, Command::Join(_))));
    step(&mut chat, typed("hola"));
    let commands = step(&mut chat, send("1"));
    assert_eq!((chat.asking, &*chat.draft, says(&commands).len()), (true, "hola", 0));
    step(&mut chat, Event::NotNamed);
    assert_eq!((chat.asking, &*chat.draft), (false, "hola"));
    step(&mut chat, send("1"));
    for bad in ["  ", &"a".repeat(25)] {
        step(&mut chat, Event::Named(bad.into()));
        assert_eq!((chat.asking, chat.note), (true, Some(Note::BadName)));
    }
    let commands = step(&mut chat, Event::Named(" Ana ".into()));
    assert!(commands.contains(&Command::Join("Ana".into())));
    assert_eq!(commands.last(), Some(&Command::SendDraft));
    assert_eq!(says(&step(&mut chat, send("1"))), ["1"]);
}

#[test]
fn a_name_that_another_tab_was_given_is_taken() {
    let mut chat = State::new(None);
    step(&mut chat, typed("hola"));
    let remembered = Some("Ana".to_owned());
    let commands = step(&mut chat, Event::Send { nonce: "1".into(), here: None, remembered });
    assert!(commands.contains(&Command::Join("Ana".into())) && !chat.asking);
    assert_eq!(says(&commands), ["1"]);
}

#[test]
fn a_name_that_is_refused_is_asked_again_and_the_first_message_comes_back() {
    let mut chat = sent(&[("1", "one"), ("2", "two")]);
    step(&mut chat, refused(ErrorCode::BadUsername, None, None));
    assert_eq!((&chat.name, chat.asking, chat.note), (&None, true, Some(Note::BadName)));
    assert_eq!((&*chat.draft, chat.pending.len()), ("one", 1));
}

#[test]
fn the_name_that_the_server_gives_is_kept() {
    let (chat, commands) = after([joined("Ana 2")]);
    assert_eq!(chat.name.as_deref(), Some("Ana 2"));
    let kept = Command::Remember { name: "Ana 2".into(), token: "t".into() };
    assert!(commands.contains(&kept));
}

#[test]
fn who_is_not_known_joins_again_and_says_it_again_three_times_at_most() {
    let mut chat = sent(&[("1", "hola")]);
    for _ in 0..3 {
        let commands = step(&mut chat, refused(ErrorCode::NotJoined, Some("1"), None));
        assert!(commands.contains(&Command::Join("Ana".into())));
        // Others that are refused meanwhile ask no second time.
        let commands = step(&mut chat, refused(ErrorCode::NotJoined, Some("1"), None));
        assert!(!commands.contains(&Command::Join("Ana".into())));
        assert_eq!(says(&step(&mut chat, joined("Ana"))), ["1"]);
    }
    step(&mut chat, refused(ErrorCode::NotJoined, Some("1"), None));
    assert_eq!((chat.note, &*chat.draft), (Some(Note::NotTaken), "hola"));
}

#[test]
fn too_fast_counts_down_and_what_waits_is_said_then() {
    let mut chat = sent(&[("1", "one"), ("2", "two")]);
    let commands = step(&mut chat, refused(ErrorCode::SlowDown, Some("1"), Some(1500)));
    assert!(commands.contains(&Command::Start(Clock::SlowDown)));
    assert_eq!((chat.note, &*chat.draft), (Some(Note::SlowDown(2, 2)), "one"));
    // Who insists hears it again; nothing is sent.
    assert!(says(&step(&mut chat, send("3"))).is_empty());
    assert_eq!(chat.insists, 1);
    step(&mut chat, Event::Tick(Clock::SlowDown));
    assert_eq!(chat.note, Some(Note::SlowDown(1, 2)));
    let commands = step(&mut chat, Event::Tick(Clock::SlowDown));
    assert_eq!((chat.note, says(&commands)), (None, vec!["2"]));
    // The clock that goes on counts nothing.
    assert!(step(&mut chat, Event::Tick(Clock::SlowDown)).is_empty());
}

#[test]
fn what_is_refused_comes_back_in_the_order_in_which_it_was_written() {
    let mut chat = sent(&[("1", "one"), ("2", "two")]);
    step(&mut chat, refused(ErrorCode::BadRequest, Some("1"), None));
    step(&mut chat, refused(ErrorCode::TooLong, Some("2"), None));
    assert_eq!((&*chat.draft, chat.note), ("one two", Some(Note::TooLong)));
    // A word that is typed right behind it is another sentence.
    step(&mut chat, typed("one twothree"));
    assert_eq!(chat.draft, "one two three");
    // What stands in the box stays behind what comes back.
    let mut chat = sent(&[("1", "one")]);
    step(&mut chat, typed("next"));
    step(&mut chat, refused(ErrorCode::BadRequest, Some("1"), None));
    assert_eq!(chat.draft, "one next");
    // Nobody knows that nonce.
    step(&mut chat, refused(ErrorCode::BadRequest, Some("9"), None));
    assert_eq!(chat.draft, "one next");
}

#[test]
fn an_input_method_composes_undisturbed() {
    let mut chat = sent(&[("1", "one")]);
    step(&mut chat, refused(ErrorCode::BadRequest, Some("1"), None));
    step(&mut chat, Event::Composing("onet".into()));
    assert_eq!(chat.draft, "onet");
    step(&mut chat, typed("onet"));
    assert_eq!(chat.draft, "one t");
}

#[test]
fn after_a_break_what_the_history_does_not_hold_is_said_again() {
    let mut chat = sent(&[("1", "came"), ("2", "lost")]);
    step(&mut chat, Event::Closed { seconds: 1, stops: false });
    // Never sent: another of the same words is not it.
    step(&mut chat, typed("came"));
    step(&mut chat, send("3"));
    let commands = step(&mut chat, Event::Opened);
    assert!(says(&commands).is_empty() && commands.contains(&Command::Join("Ana".into())));
    let commands = step(&mut chat, history(vec![message("a", "Ana", "came", 3)]));
    assert_eq!((says(&commands), texts(&chat)), (vec!["2", "3"], vec!["came"]));
}

#[test]
fn histories_merge_by_time_and_the_oldest_of_three_hundred_goes() {
    let mut chat = after([said("b", "second")]).0;
    let before = vec![message("a", "Bea", "first", 1), message("b", "Bea", "second", 5)];
    step(&mut chat, history(before));
    assert_eq!(texts(&chat), ["first", "second"]);
    step(&mut chat, history(vec![message("c", "Bea", "third", 5)]));
    assert_eq!(texts(&chat), ["first", "second", "third"]);
    let many = (0..400).map(|n| message(&format!("m{n}"), "Bea", "x", 10 + n)).collect();
    step(&mut chat, history(many));
    assert_eq!((chat.messages.len(), &*chat.messages[0].id), (300, "m100"));
}

#[test]
fn who_reads_the_history_of_a_room_says_nothing_again() {
    let mut chat = sent(&[("1", "hola")]);
    let room = Event::Received(ServerEvent::History {
        channel: Some(beach()),
        messages: Vec::new(),
        likes: None,
        moments: Vec::new(),
    });
    assert!(says(&step(&mut chat, room)).is_empty());
}

#[test]
fn a_short_break_is_not_worth_a_word() {
    let mut chat = State::new(None);
    let closed = |stops| Event::Closed { seconds: 2, stops };
    assert!(!step(&mut chat, closed(false)).contains(&Command::RefreshFeed));
    assert_eq!((chat.link, chat.is_away()), (Link::Lost(2, 2), false));
    step(&mut chat, Event::Tick(Clock::Link));
    step(&mut chat, Event::Tick(Clock::Link));
    step(&mut chat, Event::Tick(Clock::Link));
    assert_eq!(chat.link, Link::Lost(0, 2));
    // From the second on nothing else tells what has changed in the list.
    assert!(step(&mut chat, closed(false)).contains(&Command::RefreshFeed));
    assert!(chat.is_away());
    let commands = step(&mut chat, Event::Opened);
    assert_eq!(
        commands[..],
        [Command::Stop(Clock::Link), Command::Watch, Command::Changed(Topic::Link)]
    );
    assert!(!chat.is_away());
    // At once where the server says that it stops.
    step(&mut chat, closed(true));
    assert!(chat.is_away());
}

#[test]
fn while_the_server_is_away_the_text_waits_in_its_box() {
    let mut chat = sent(&[]);
    step(&mut chat, Event::Closed { seconds: 1, stops: true });
    step(&mut chat, typed("hola"));
    assert!(says(&step(&mut chat, send("1"))).is_empty());
    assert_eq!((chat.waits, &*chat.draft), (true, "hola"));
    step(&mut chat, Event::Opened);
    let commands = step(&mut chat, history(Vec::new()));
    assert!(commands.contains(&Command::SendDraft) && !chat.waits);
    // Who types on wants to send it by hand.
    step(&mut chat, Event::Closed { seconds: 1, stops: true });
    step(&mut chat, send("1"));
    step(&mut chat, typed("hola, Bea"));
    assert!(!chat.waits);
}

#[test]
fn what_comes_while_the_sheet_is_closed_is_unread() {
    let mut chat = after([said("a", "one"), said("b", "two")]).0;
    assert_eq!(chat.unread, 2);
    step(&mut chat, Event::Toggle { narrow: true });
    assert_eq!((chat.open, chat.unread), (true, 0));
    step(&mut chat, said("c", "three"));
    assert_eq!(chat.unread, 0);
    step(&mut chat, Event::Toggle { narrow: true });
    assert!(!chat.open);
}

#[test]
fn a_column_stays_where_it_is_and_is_written_in() {
    let mut chat = sent(&[]);
    step(&mut chat, Event::Toggle { narrow: false });
    step(&mut chat, Event::Write { narrow: false });
    assert_eq!((chat.open, chat.writes), (false, 2));
    step(&mut chat, Event::Write { narrow: true });
    assert_eq!((chat.open, chat.writes), (true, 3));
}

#[test]
fn the_newest_three_lie_over_the_picture_and_go_one_by_one() {
    let events = ["a", "b", "c", "d"].map(|id| said(id, id));
    let (mut chat, commands) = after(events);
    assert!(commands.contains(&Command::Start(Clock::Overlay)));
    let shown = |chat: &State| chat.overlay.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
    assert_eq!(shown(&chat), ["b", "c", "d"]);
    step(&mut chat, Event::Tick(Clock::Overlay));
    assert_eq!(shown(&chat), ["c", "d"]);
    step(&mut chat, Event::Tick(Clock::Overlay));
    step(&mut chat, Event::Tick(Clock::Overlay));
    assert!(step(&mut chat, Event::Tick(Clock::Overlay)).is_empty());
}

#[test]
fn the_log_stays_where_its_reader_is() {
    let mut chat = sent(&[]);
    assert!(!chat.reads_back);
    step(&mut chat, Event::Scrolled { to_end: false });
    assert!(chat.reads_back);
    step(&mut chat, Event::Scrolled { to_end: true });
    assert!(!chat.reads_back);
}

#[test]
fn the_count_of_people_is_told_to_who_shows_it() {
    let channels = Rooms(vec![(beach(), 2)]);
    let count = Event::Received(ServerEvent::UserCount { count: 3, channels: channels.clone() });
    let (chat, commands) = after([count]);
    assert_eq!((chat.online, commands), ((3, channels), vec![Command::Changed(Topic::Online)]));
}
