//! The talk over one socket: what it is told on connect, what it may say, and when it ends.

use std::{sync::Arc, time::Duration};

use app::{catalog::ChannelId, websocket::ClientEvent};
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{Utf8Bytes, protocol::frame::coding::CloseCode};
use tokio_util::sync::CancellationToken;
use unicode_normalization::UnicodeNormalization;

use super::{
    error::{self, BINARY, CHANNEL, KIND, MOMENT, NO_JSON, TOO_MANY, UNKNOWN},
    limits::{Allowance, Pace, Verdict},
    list::VideoList,
    socket::{Arrival, Gone, Socket, Stream},
};
use crate::chat::{Batch, Feed, Lagged, Member, ReactionKind, Refusal};

/// How often a quiet client is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long a client may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// How long a client may leave what was sent unread before it is closed with 1013.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Times a client may be too slow for what is said before it is closed with 1013.
const LAGS_MAX: u32 = 20;

/// Events in one array; the rest of a longer one is not heard.
const EVENTS_MAX: usize = 64;

/// The least time between two lists that one socket asks for.
const LIST_EVERY: Duration = Duration::from_secs(1);

/// The most characters of a mark that comes back in an error.
const NONCE_MAX_CHARS: usize = 36;

/// Why a session ends.
enum End {
    /// The client has gone or closed.
    Gone,
    Close(CloseCode, &'static str),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

struct Session {
    member: Member,
    list: watch::Receiver<Option<VideoList>>,
    everybody: Feed,
    room: Option<Feed>,
    pace: Pace,
    /// When the list may be told again to who asks for it, and whether somebody waits for that.
    list_from: Instant,
    list_asked: bool,
    /// What histories may cost, and the last room that was asked for meanwhile.
    allowance: Allowance,
    room_asked: Option<ChannelId>,
    heard: Instant,
    lags: u32,
    /// What waits to be sent, in its order.
    out: Vec<Utf8Bytes>,
}

/// Talks until one side ends it.
pub(super) async fn run<S: Stream>(
    mut socket: Socket<S>,
    member: Member,
    list: watch::Receiver<Option<VideoList>>,
    version: Option<String>,
    shutdown: CancellationToken,
) {
    let snapshot = member.snapshot();
    let mut session = Session {
        everybody: snapshot.everybody,
        room: None,
        pace: Pace::default(),
        list_from: Instant::now(),
        list_asked: false,
        allowance: Allowance::default(),
        room_asked: None,
        heard: Instant::now(),
        lags: 0,
        out: Vec::new(),
        member,
        list,
    };
    // Before the first scan there is no list; it is told as soon as there is.
    let videos = session.list.borrow_and_update().clone();
    let videos = videos.filter(|videos| version.as_deref() != Some(videos.version()));
    session.out.extend(videos.as_ref().map(VideoList::frame));
    session.out.extend([snapshot.history, snapshot.count]);

    let end = tokio::select! {
        biased;
        () = shutdown.cancelled() => End::Close(CloseCode::Away, "the server stops"),
        end = session.talk(&mut socket) => end,
    };
    // Whoever is told why it is closed is no longer counted.
    drop(session);
    match end {
        End::Gone => socket.finish().await,
        End::Close(code, reason) => socket.close(code, reason).await,
    }
}

impl Session {
    async fn talk<S: Stream>(&mut self, socket: &mut Socket<S>) -> End {
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Err(end) = self.send(socket).await {
                return end;
            }
            let room_from = self.room_asked.as_ref().map(|_| self.allowance.wait(Instant::now()));
            tokio::select! {
                () = sleep_until(self.list_from), if self.list_asked => self.tell_videos(),
                () = sleep_until(room_from.flatten().unwrap_or_else(Instant::now)),
                    if room_from.is_some() => self.go(),
                arrival = socket.next() => {
                    self.heard = Instant::now();
                    if let Err(end) = self.hear(arrival) {
                        return end;
                    }
                }
                batch = self.everybody.next() => match batch {
                    Ok(batch) => self.out.extend(batch.frame_for(self.member.socket())),
                    Err(_) => if let Err(end) = self.catch_up() { return end },
                },
                batch = next_of(&mut self.room) => match batch {
                    Ok(batch) => self.out.extend(batch.frame_for(self.member.socket())),
                    Err(_) => if let Err(end) = self.catch_up() { return end },
                },
                Ok(()) = self.list.changed() => {
                    let videos = self.list.borrow_and_update().as_ref().map(VideoList::frame);
                    self.out.extend(videos);
                    (self.list_from, self.list_asked) = (Instant::now() + LIST_EVERY, false);
                }
                _ = pings.tick() => {
                    if self.heard.elapsed() > SILENCE_MAX {
                        return End::Close(CloseCode::Policy, "no answer to a ping");
                    }
                    match timeout(SEND_TIMEOUT, socket.ping()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(Gone)) => return End::Gone,
                        Err(_) => return SLOW,
                    }
                }
            }
        }
    }

    async fn send<S: Stream>(&mut self, socket: &mut Socket<S>) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let texts = self.out.drain(..);
        let sent = timeout(SEND_TIMEOUT, async {
            for text in texts {
                socket.feed(text).await?;
            }
            socket.flush().await
        })
        .await;
        match sent {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(SLOW),
        }
    }

    /// After missing something: where things stand now.
    fn catch_up(&mut self) -> Result<(), End> {
        self.lags += 1;
        if self.lags > LAGS_MAX {
            return Err(SLOW);
        }
        let snapshot = self.member.snapshot();
        self.everybody = snapshot.everybody;
        self.out.extend([snapshot.history, snapshot.count]);
        if let Some((history, feed)) = self.member.room() {
            self.room = Some(feed);
            self.out.push(history);
        }
        Ok(())
    }

    fn hear(&mut self, arrival: Arrival) -> Result<(), End> {
        match arrival {
            Arrival::Text(text) => self.hear_text(&text),
            Arrival::Binary => {
                self.pass()?.then(|| self.refuse(&BINARY, None));
                Ok(())
            }
            Arrival::Sign => Ok(()),
            Arrival::End => Err(End::Gone),
            Arrival::TooLarge => Err(End::Close(CloseCode::Size, "a frame has at most 16 KiB")),
            Arrival::Broken => Err(End::Close(CloseCode::Protocol, "not the WebSocket protocol")),
            Arrival::NoText => Err(End::Close(CloseCode::Invalid, "text is UTF-8")),
        }
    }

    fn hear_text(&mut self, text: &str) -> Result<(), End> {
        if text.trim() == "fetch_videos" {
            if self.pass()? {
                self.tell_videos();
            }
            return Ok(());
        }
        match serde_json::from_str(text) {
            Ok(Value::Array(events)) => {
                let rest = events.len() > EVENTS_MAX;
                for event in events.into_iter().take(EVENTS_MAX) {
                    self.hear_event(event)?;
                }
                if rest && self.pass()? {
                    self.refuse(&TOO_MANY, None);
                }
            }
            Ok(event) => self.hear_event(event)?,
            Err(_) => {
                if self.pass()? {
                    self.refuse(&NO_JSON, None);
                }
            }
        }
        Ok(())
    }

    fn hear_event(&mut self, mut event: Value) -> Result<(), End> {
        let nonce = event
            .get("nonce")
            .and_then(Value::as_str)
            .filter(|nonce| nonce.chars().count() <= NONCE_MAX_CHARS)
            .map(str::to_owned);
        match self.pace.judge(Instant::now()) {
            Verdict::Heard => {}
            Verdict::TooFast(wait) => {
                self.refuse(&Refusal::SlowDown(wait), nonce);
                return Ok(());
            }
            Verdict::Enough => return Err(FLOOD),
        }
        // Ids are in NFC; a client may write the same letters another way.
        if let Some(Value::String(channel)) = event.get_mut("channel") {
            *channel = channel.nfc().collect();
        }
        let done = match serde_json::from_value(event) {
            Ok(event) => self.act(event),
            Err(_) => Err(UNKNOWN),
        };
        if let Err(refusal) = done {
            self.refuse(&refusal, nonce);
        }
        Ok(())
    }

    fn act(&mut self, event: ClientEvent) -> Result<(), Refusal> {
        match event {
            ClientEvent::Join { username, token } => {
                let joined = self.member.join(&username, token.as_deref())?;
                self.out.push(joined);
            }
            ClientEvent::ChatMessage { text, channel, nonce } => {
                if let Some(channel) = &channel {
                    self.known(channel)?;
                }
                let answer = self.member.say(&text, channel, nonce.as_deref())?;
                self.out.extend(answer);
            }
            ClientEvent::Watch { channel } => {
                self.known(&channel)?;
                // Of several that were asked for too fast, the last is where it goes.
                self.room_asked = Some(channel);
                if self.allowance.wait(Instant::now()).is_none() {
                    self.go();
                }
            }
            ClientEvent::Reaction { kind, channel, at_s } => {
                self.known(&channel)?;
                let kind = ReactionKind::parse(&kind).ok_or(KIND)?;
                if !at_s.is_finite() || at_s < 0.0 {
                    return Err(MOMENT);
                }
                self.member.react(kind, channel, at_s)?;
            }
            ClientEvent::FetchVideos => self.tell_videos(),
        }
        Ok(())
    }

    fn known(&self, channel: &ChannelId) -> Result<(), Refusal> {
        let knows = self.list.borrow().as_ref().is_some_and(|list| list.knows(channel));
        if knows { Ok(()) } else { Err(CHANNEL) }
    }

    /// Tells the list to who asked, at most once a second: asked oftener, one list answers all.
    fn tell_videos(&mut self) {
        let now = Instant::now();
        self.list_asked = now < self.list_from;
        if !self.list_asked {
            let videos = self.list.borrow().as_ref().map(VideoList::frame);
            self.out.extend(videos);
            self.list_from = now + LIST_EVERY;
        }
    }

    /// Goes to the room that was asked for, and tells its history.
    fn go(&mut self) {
        let Some(channel) = self.room_asked.take() else { return };
        let (history, feed) = self.member.watch(&channel);
        self.room = Some(feed);
        self.allowance.spend(history.len(), Instant::now());
        self.out.push(history);
    }

    /// Counts something that is no event; whether it may be answered otherwise than by `slow_down`.
    fn pass(&mut self) -> Result<bool, End> {
        match self.pace.judge(Instant::now()) {
            Verdict::Heard => Ok(true),
            Verdict::TooFast(wait) => {
                self.refuse(&Refusal::SlowDown(wait), None);
                Ok(false)
            }
            Verdict::Enough => Err(FLOOD),
        }
    }

    fn refuse(&mut self, refusal: &Refusal, nonce: Option<String>) {
        self.out.push(error::error(refusal, nonce));
    }
}

async fn next_of(room: &mut Option<Feed>) -> Result<Arc<Batch>, Lagged> {
    match room {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}

const SLOW: End = End::Close(CloseCode::Again, "too slow for what is said; come again");
const FLOOD: End = End::Close(CloseCode::Policy, "too many events");
#[cfg(test)]
mod tests;
