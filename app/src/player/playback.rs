//! What the reel on screen does, as a state machine without a browser: an event goes in, commands
//! come out, and the pool performs them. What a person asks for and what the element does are two
//! things here: an element that stands and that nobody asked to stand gets a play button.

mod event;
mod standstill;
#[cfg(test)]
mod tests;

use self::standstill::{Remedy, Standstill};
pub(crate) use self::{
    event::{By, Command, Event, State},
    standstill::Look,
};
use super::{Cause, PATIENCE_S, Phase, Prompt};

/// The first pause before a failed reel is tried again, in seconds; each further one is twice as long.
const RETRY_S: u32 = 8;
/// The longest.
const RETRY_MAX_S: u32 = 60;
/// A page that is hidden so soon after its element was paused has paused it by hiding, in
/// milliseconds: browsers tell of both in either order.
const HIDING_MS: f64 = 600.0;
/// Where a reel goes on whose media cannot be decoded, in seconds behind what was buffered: first at
/// the next segment, then well behind it.
const PAST_S: [f64; 2] = [0.3, 4.0];

/// The state of the reel on screen.
#[derive(Clone, Debug)]
pub(crate) struct Playback {
    state: State,
    /// Seconds until a reel from which nothing comes is given up.
    patience_s: u32,
    /// Seconds until it is tried again; 0 where it is not.
    retry_s: u32,
    hidden: bool,
    audio: bool,
    live: bool,
    ready: bool,
    /// It has moved since it is on screen.
    moved: bool,
    /// Tries since the picture moved last.
    retries: u32,
    /// Media errors since it moved well.
    errors: usize,
    /// Something broke while nobody looked.
    overdue: bool,
    stopped_ms: f64,
    standstill: Standstill,
}

/// What one event leads to.
pub(crate) fn step(playback: &mut Playback, event: Event) -> Vec<Command> {
    let mut commands = Vec::new();
    playback.take(event, &mut commands);
    commands
}

impl Playback {
    /// Nothing is on screen yet.
    pub(crate) fn new(hidden: bool) -> Self {
        Self {
            state: State::Waiting,
            patience_s: PATIENCE_S,
            retry_s: 0,
            hidden,
            audio: false,
            live: false,
            ready: false,
            moved: false,
            retries: 0,
            errors: 0,
            overdue: false,
            stopped_ms: f64::NEG_INFINITY,
            standstill: Standstill::default(),
        }
    }

    /// What views show: whether it waits, moves or was given up.
    pub(crate) fn phase(&self) -> Phase {
        match self.state {
            State::Failed(cause) => Phase::Failed(cause),
            State::Playing => Phase::Playing,
            State::Paused(_) if self.moved => Phase::Playing,
            _ => Phase::Waiting,
        }
    }

    /// Whether it stands, so that the button says Play.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.state, State::Paused(_) | State::NeedsTap)
    }

    /// Why the large play button shows, if it does: nobody asked for this standstill.
    pub(crate) fn prompt(&self) -> Option<Prompt> {
        match self.state {
            State::NeedsTap => Some(Prompt::Tap),
            State::Paused(By::Outside) => Some(Prompt::Outside),
            _ => None,
        }
    }

    /// Seconds until a silent reel is given up, and until a failed one is tried again.
    pub(crate) fn counts(&self) -> (u32, u32) {
        (self.patience_s, self.retry_s)
    }

    /// Whether seconds are to be counted.
    pub(crate) fn needs_clock(&self) -> bool {
        match self.state {
            State::Waiting | State::Playing => true,
            State::Failed(_) => self.retry_s > 0,
            State::Paused(_) | State::NeedsTap => false,
        }
    }

    fn runs(&self) -> bool {
        matches!(self.state, State::Waiting | State::Playing)
    }

    fn take(&mut self, event: Event, out: &mut Vec<Command>) {
        match event {
            Event::Shown { ready, audio, live } => {
                *self = Self { ready, audio, live, ..Self::new(self.hidden) };
                out.push(Command::Play);
                out.push(Command::StartClock);
            }
            Event::Left => {
                *self = Self::new(self.hidden);
                out.push(Command::StartClock);
            }
            Event::Ready => {
                self.ready = true;
                self.patience_s = PATIENCE_S;
                if self.runs() {
                    out.push(Command::Play);
                }
            }
            Event::Moves => self.moves(out),
            Event::Starves { seeking: true, buffered: true } => {}
            // Asked to play before anything has come, it can only say so.
            Event::Starves { .. } if !self.ready => {}
            Event::Starves { seeking, .. } => {
                out.push(Command::GiveWay);
                if self.state == State::Playing {
                    if !seeking {
                        out.push(Command::NoteStall);
                    }
                    self.wait(out);
                    if std::mem::take(&mut self.overdue) {
                        self.media_error(Command::Reload, out);
                    }
                }
            }
            Event::Began if self.stands() => self.go_on(out),
            Event::Began => {}
            Event::Stopped { ms } => {
                // A browser may pause a picture that nobody sees; it goes on when it is shown. Music
                // that a call or a cable has stopped stays silent.
                if self.runs() && self.ready && (self.audio || !self.hidden) {
                    self.state = State::Paused(By::Outside);
                    self.stopped_ms = ms;
                }
            }
            // A refusal in the dark says nothing about a page that is seen.
            Event::Refused { .. } if self.hidden || !self.runs() => {}
            Event::Refused { muted: false } => {
                out.push(Command::Mute);
                out.push(Command::Play);
            }
            // Refused without sound, it is refused for good: nothing asks again before a person does.
            Event::Refused { muted: true } => {
                self.state = State::NeedsTap;
                out.push(Command::RestSpare);
            }
            Event::Bytes { segment } => {
                self.patience_s = PATIENCE_S;
                self.standstill.fed += u32::from(segment);
                if self.state == State::Failed(Cause::Network) {
                    out.push(Command::TakeBack);
                    self.wait(out);
                    out.push(Command::Play);
                }
            }
            Event::Second(look) => self.second(look, out),
            Event::Hidden { hidden, ms } => self.seen(hidden, ms, out),
            Event::Play => self.play(out),
            Event::Pause(by) => {
                if !matches!(self.state, State::Failed(_)) {
                    self.state = State::Paused(by);
                    out.push(Command::Pause);
                }
            }
            Event::Retry => self.retry(out),
            Event::Online => {
                if self.state == State::Failed(Cause::Network) && !self.is_unseen() {
                    self.retry(out);
                }
            }
            Event::Reload => self.reload(Command::Reload, out),
            Event::Gone | Event::Restarted | Event::Threw if self.put_off() => {}
            Event::Gone => out.push(Command::ReloadSoon),
            Event::Grew => {
                if self.state == State::Failed(Cause::Resting) {
                    self.reload(Command::Reload, out);
                }
            }
            Event::Restarted => self.reload(Command::Reload, out),
            Event::Fatal { .. } | Event::Broken(Cause::Network) if self.put_off() => {}
            Event::Fatal { network: true } => self.fail(Cause::Network, out),
            Event::Fatal { network: false } => self.media_error(Command::Recover, out),
            // What it has in its buffer is played first.
            Event::Threw if self.state == State::Playing => self.overdue = true,
            Event::Threw => self.media_error(Command::Reload, out),
            Event::Broken(cause) => self.fail(cause, out),
        }
    }

    /// What breaks while nobody looks, or while it stands, is mended when somebody wants to see it.
    fn put_off(&mut self) -> bool {
        let later = self.is_unseen() || self.stands();
        self.overdue |= later;
        later
    }

    /// A person wants it to play. In one turn: the browser asks for a gesture.
    fn play(&mut self, out: &mut Vec<Command>) {
        if matches!(self.state, State::Failed(_)) {
            self.retry(out);
            return;
        }
        if self.state == State::NeedsTap {
            out.push(Command::Bless);
        }
        out.push(Command::Play);
        self.go_on(out);
        if std::mem::take(&mut self.overdue) {
            self.reload(Command::Reload, out);
        }
    }

    fn moves(&mut self, out: &mut Vec<Command>) {
        match self.state {
            State::Waiting | State::Playing => {
                self.state = State::Playing;
                self.moved = true;
                self.retries = 0;
                out.push(Command::Move);
            }
            State::Paused(_) => self.moved = true,
            State::NeedsTap | State::Failed(_) => {}
        }
    }

    /// It is to play, and does not yet: patience begins to run.
    fn wait(&mut self, out: &mut Vec<Command>) {
        self.state = State::Waiting;
        self.patience_s = PATIENCE_S;
        self.standstill.begin();
        out.push(Command::StartClock);
    }

    /// It stood, and plays on.
    fn go_on(&mut self, out: &mut Vec<Command>) {
        let moves = self.moved && self.ready && self.state != State::Waiting;
        self.wait(out);
        if moves {
            self.state = State::Playing;
        }
    }

    /// Nobody would notice it: music is heard on a page that is hidden.
    fn is_unseen(&self) -> bool {
        self.hidden && !self.audio
    }

    fn second(&mut self, look: Look, out: &mut Vec<Command>) {
        if self.is_unseen() {
            return;
        }
        if let State::Failed(cause) = self.state {
            self.retry_s = self.retry_s.saturating_sub(1);
            if self.retry_s == 0 && cause == Cause::Network {
                self.reload(Command::Reload, out);
            }
            return;
        }
        if !self.runs() {
            return;
        }
        if self.standstill.is_paused(look, self.ready) {
            self.state = State::Paused(By::Outside);
            return;
        }
        let remedy = self.standstill.look(look, self.live, self.ready);
        if self.standstill.is_over() {
            self.errors = 0;
        }
        if self.state == State::Waiting {
            self.patience_s = self.patience_s.saturating_sub(1);
        } else if self.standstill.shows() {
            self.state = State::Waiting;
            self.patience_s = PATIENCE_S;
        }
        match remedy {
            None if self.patience_s > 0 => {}
            // A live reel that has played and sends nothing new rests.
            None if self.live && self.moved => self.fail(Cause::Resting, out),
            None => self.fail(Cause::Network, out),
            Some(Remedy::Seek(to_s)) => out.push(Command::Seek(to_s)),
            Some(Remedy::EndBuffer) => out.push(Command::EndBuffer),
            Some(Remedy::End) => out.push(Command::End),
            Some(Remedy::Recover) => out.push(Command::Recover),
            Some(Remedy::Reload) => self.reload(Command::Reload, out),
            Some(Remedy::ReloadPast) => self.reload(Command::ReloadPast(PAST_S[0]), out),
            Some(Remedy::GiveUp) => self.fail(Cause::Media, out),
        }
    }

    fn seen(&mut self, hidden: bool, ms: f64, out: &mut Vec<Command>) {
        if hidden {
            self.hidden = true;
            let by_hiding = ms - self.stopped_ms < HIDING_MS && !self.audio;
            if self.state == State::Paused(By::Outside) && by_hiding {
                self.state = if self.moved { State::Playing } else { State::Waiting };
            }
            return;
        }
        if !std::mem::replace(&mut self.hidden, false) {
            // A page that the browser takes from its memory: it may have paused what was on it.
            if self.runs() && self.ready {
                out.push(Command::Play);
            }
            return;
        }
        let overdue = std::mem::take(&mut self.overdue);
        match self.state {
            State::Failed(Cause::Network) => self.retry(out),
            _ if overdue => self.reload(Command::Reload, out),
            State::Waiting | State::Playing => {
                self.patience_s = PATIENCE_S;
                self.standstill.begin();
                out.push(Command::Play);
                out.push(Command::StartClock);
            }
            _ => {}
        }
    }

    fn retry(&mut self, out: &mut Vec<Command>) {
        self.errors = 0;
        self.standstill = Standstill::default();
        self.reload(Command::Reload, out);
    }

    /// Loads anew. Who has paused it finds it paused.
    fn reload(&mut self, how: Command, out: &mut Vec<Command>) {
        self.ready = false;
        self.retry_s = 0;
        out.push(how);
        if self.runs() || matches!(self.state, State::Failed(_)) {
            self.wait(out);
            out.push(Command::Play);
        }
    }

    /// The decoder refuses what came: it is repaired, then what it refuses is left out, then it is
    /// said.
    fn media_error(&mut self, first: Command, out: &mut Vec<Command>) {
        self.errors += 1;
        if self.errors == 1 {
            self.reload(first, out);
            return;
        }
        match PAST_S.get(self.errors - 2) {
            Some(past_s) => self.reload(Command::ReloadPast(*past_s), out),
            None => self.fail(Cause::Media, out),
        }
    }

    /// Gives it up. What the network has done wrong is tried again, each time later.
    fn fail(&mut self, cause: Cause, out: &mut Vec<Command>) {
        self.state = State::Failed(cause);
        self.retry_s = 0;
        if cause == Cause::Network {
            self.retry_s = (RETRY_S << self.retries.min(3)).min(RETRY_MAX_S);
            self.retries += 1;
        }
        out.push(Command::GiveUp(cause));
        out.push(Command::StartClock);
    }
}
