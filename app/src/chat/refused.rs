//! What could not be said: why, when it can be said again, and where the text is meanwhile.

use std::rc::Rc;

use super::{Chat, TEXT_MAX};
use crate::{dom::Timer, websocket::ErrorCode};

/// The name is taken again so often for one message; a server that knows it still not takes none.
const REJOINS_MAX: u32 = 3;
/// Where the server does not say when one may go on.
const SLOW_MS: u64 = 2000;
/// The longest that is counted, in seconds.
const SLOW_MAX_S: u32 = 60;

/// What a person must know about what they wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Too fast; so many seconds of so many are left.
    SlowDown(u32, u32),
    /// Over 500 characters.
    TooLong,
    /// No name of 1–24 visible characters.
    BadName,
    /// The server did not take it.
    NotTaken,
}

impl Chat {
    /// Whether the draft cannot be sent now; then it is said why.
    pub(super) fn must_wait(&self) -> bool {
        if matches!(self.note.get_untracked(), Some(Note::SlowDown(..))) {
            self.insists.update(|times| *times += 1);
            // What is typed next is another sentence.
            self.returned.set(self.draft.get_untracked());
            return true;
        }
        let long = self.draft.with_untracked(|draft| draft.trim().chars().count() > TEXT_MAX);
        if long {
            self.note.set(Some(Note::TooLong));
        }
        long
    }

    /// `text`, with a space between what came back and a word that is typed right behind it: two
    /// sentences do not run into one another.
    pub(super) fn apart(&self, text: String) -> String {
        let returned = self.returned.update_untracked(std::mem::take);
        set_apart(&returned, &text).unwrap_or(text)
    }

    /// What was said was refused.
    pub(super) fn refused(
        &self,
        code: ErrorCode,
        nonce: Option<&str>,
        retry_after_ms: Option<u64>,
    ) {
        match code {
            ErrorCode::NotJoined => self.rejoin(nonce),
            ErrorCode::SlowDown => {
                self.take_back(nonce);
                let seconds = retry_after_ms.unwrap_or(SLOW_MS).div_ceil(1000).max(1);
                self.slow_down(u32::try_from(seconds).unwrap_or(SLOW_MAX_S).min(SLOW_MAX_S));
            }
            ErrorCode::TooLong => {
                self.take_back(nonce);
                self.note.set(Some(Note::TooLong));
            }
            ErrorCode::BadRequest => self.take_back(nonce),
            ErrorCode::BadUsername => {
                self.name.set(None);
                self.rejoins.set((false, 0));
                let first = self.pending.with_untracked(|all| all.first().map(|p| p.nonce.clone()));
                self.take_back(first.as_deref());
                self.asking.set(true);
                self.note.set(Some(Note::BadName));
            }
        }
    }

    /// The server does not know who speaks here, as where another tab of this person has the name:
    /// it is taken again, and what waits is said again.
    fn rejoin(&self, nonce: Option<&str>) {
        let (joins, times) = self.rejoins.get_untracked();
        if joins {
            return;
        }
        if times >= REJOINS_MAX || self.name.with_untracked(Option::is_none) {
            self.take_back(nonce);
            self.note.set(Some(Note::NotTaken));
            return;
        }
        self.rejoins.set((true, times + 1));
        self.join();
    }

    /// The server knows who speaks here.
    pub(super) fn joined(&self) {
        let (joins, times) = self.rejoins.get_untracked();
        if joins {
            self.rejoins.set((false, times));
            self.say_pending();
        }
    }

    /// What could not be said goes back into the box, in the order in which it was written.
    fn take_back(&self, nonce: Option<&str>) {
        let Some(nonce) = nonce else { return };
        let text = self.pending.update(|all| {
            let n = all.iter().position(|pending| pending.nonce == nonce)?;
            Some(all.remove(n).text)
        });
        let Some(text) = text else { return };
        let before = self.returned.get_untracked();
        let draft = self.draft.get_untracked();
        let returned = if before.is_empty() { text } else { format!("{before} {text}") };
        let rest = draft.strip_prefix(&before).unwrap_or(&draft).trim_start();
        if rest.is_empty() {
            self.draft.set(returned.clone());
            self.returned.set(returned);
        } else {
            self.draft.set(format!("{returned} {rest}"));
        }
    }

    fn slow_down(&self, seconds: u32) {
        let chat = *self;
        self.note.set(Some(Note::SlowDown(seconds, seconds)));
        self.slowing.set(Rc::new(Timer::every(1000, move || {
            let Some(Note::SlowDown(left, all)) = chat.note.get_untracked() else { return };
            chat.note.set((left > 1).then(|| Note::SlowDown(left - 1, all)));
            if left == 1 {
                // A name that was asked for too fast is asked for now, and what waits for it said.
                chat.rejoins.update_untracked(|(joins, _)| *joins = false);
                chat.say_pending();
            }
        })));
    }
}

/// `text` with a space where a word begins right behind `returned`; `None` where none does.
fn set_apart(returned: &str, text: &str) -> Option<String> {
    let typed = text.strip_prefix(returned).filter(|_| !returned.is_empty())?;
    // Every letter beyond ASCII: the tables of Unicode weigh in the page.
    let begins = |first: char| first.is_ascii_alphabetic() || !first.is_ascii();
    typed.starts_with(begins).then(|| format!("{returned} {typed}"))
}

#[cfg(test)]
mod tests {
    use super::set_apart;

    #[test]
    fn a_word_behind_what_came_back_begins_anew() {
        for (returned, text, apart) in [
            ("message 6", "message 6m", Some("message 6 m")),
            ("message 6", "message 6message 7", Some("message 6 message 7")),
            ("¿vienes?", "¿vienes?ñu", Some("¿vienes? ñu")),
            // What is mended or ended is not a new sentence.
            ("message 6", "message 6!", None),
            ("message 6", "message 60", None),
            ("message 6", "message", None),
            ("message 6", "another", None),
            ("message 6", "message 6", None),
            ("", "message", None),
        ] {
            assert_eq!(set_apart(returned, text).as_deref(), apart, "{returned}|{text}");
        }
    }
}
