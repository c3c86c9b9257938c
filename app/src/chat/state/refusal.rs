//! What could not be said: why, when it can be said again, and where the text is meanwhile.

use super::{Clock, Command, Note, State, TEXT_MAX, Topic, changed};
use crate::websocket::ErrorCode;

/// The name is taken again so often for one message; a server that knows it still not takes none.
const REJOINS_MAX: u32 = 3;
/// Where the server does not say when one may go on.
const SLOW_MS: u64 = 2000;
/// The longest that is counted, in seconds.
const SLOW_MAX_S: u32 = 60;

impl State {
    /// Whether the draft cannot be sent now; then it is said why.
    pub(super) fn must_wait(&mut self, out: &mut Vec<Command>) -> bool {
        if self.is_slow() {
            self.insists += 1;
            // What is typed next is another sentence.
            self.returned = self.draft.clone();
        } else if self.draft.trim().chars().count() > TEXT_MAX {
            self.note = Some(Note::TooLong);
        } else {
            return false;
        }
        changed(out, Topic::Composer);
        true
    }

    /// `text`, with a space between what came back and a word that is typed right behind it: two
    /// sentences do not run into one another.
    pub(super) fn apart(&mut self, text: String) -> String {
        let returned = std::mem::take(&mut self.returned);
        set_apart(&returned, &text).unwrap_or(text)
    }

    /// What was said was refused.
    pub(super) fn refused(
        &mut self,
        code: ErrorCode,
        nonce: Option<&str>,
        retry_after_ms: Option<u64>,
        out: &mut Vec<Command>,
    ) {
        match code {
            ErrorCode::NotJoined => self.rejoin(nonce, out),
            ErrorCode::SlowDown => {
                self.take_back(nonce, out);
                let seconds = retry_after_ms.unwrap_or(SLOW_MS).div_ceil(1000).max(1);
                let seconds = u32::try_from(seconds).unwrap_or(SLOW_MAX_S).min(SLOW_MAX_S);
                self.note = Some(Note::SlowDown(seconds, seconds));
                out.push(Command::Start(Clock::SlowDown));
            }
            ErrorCode::TooLong => {
                self.take_back(nonce, out);
                self.note = Some(Note::TooLong);
            }
            ErrorCode::BadRequest => self.take_back(nonce, out),
            ErrorCode::BadUsername => {
                self.name = None;
                (self.rejoins, self.rejoined) = (false, 0);
                let first = self.pending.first().map(|pending| pending.nonce.clone());
                self.take_back(first.as_deref(), out);
                self.asking = true;
                self.note = Some(Note::BadName);
            }
        }
        changed(out, Topic::Composer);
    }

    /// The server does not know who speaks here, as where another tab of this person has the name:
    /// it is taken again, and what waits is said again.
    fn rejoin(&mut self, nonce: Option<&str>, out: &mut Vec<Command>) {
        if self.rejoins {
            return;
        }
        if self.rejoined >= REJOINS_MAX || self.name.is_none() {
            self.take_back(nonce, out);
            self.note = Some(Note::NotTaken);
            return;
        }
        self.rejoins = true;
        self.rejoined += 1;
        self.join(out);
    }

    /// What could not be said goes back into the box, in the order in which it was written.
    fn take_back(&mut self, nonce: Option<&str>, out: &mut Vec<Command>) {
        let Some(n) = nonce.and_then(|nonce| self.pending_at(nonce)) else { return };
        let text = self.pending.remove(n).text;
        let before = &self.returned;
        let rest = self.draft.strip_prefix(&**before).unwrap_or(&self.draft).trim_start();
        let returned = if before.is_empty() { text } else { format!("{before} {text}") };
        if rest.is_empty() {
            self.draft.clone_from(&returned);
            self.returned = returned;
        } else {
            self.draft = format!("{returned} {rest}");
        }
        changed(out, Topic::Draft);
        changed(out, Topic::Log);
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
