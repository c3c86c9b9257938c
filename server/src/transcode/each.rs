//! Several conversions one after the other, and how they are told: a bar or lines of JSON.

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal, Write},
    path::Path,
    time::{Duration, Instant},
};

use app::catalog::ChannelId;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use unicode_normalization::UnicodeNormalization;

use super::{ConvertJob, Converted, IngestError, Progress, convert};

/// How conversions are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// A bar on standard error if it is a terminal, and a sentence at the end.
    ToPeople,
    /// A JSON object a line on standard output: `progress` once a second, then `done` or `error`.
    AsJson,
}

const JSON_EVERY: Duration = Duration::from_secs(1);

/// The channel of a file's own name: the name without its extension, in NFC.
pub fn channel_of(input: &Path) -> Result<ChannelId, IngestError> {
    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
    ChannelId::parse(&stem.nfc().collect::<String>())
        .map_err(|why| IngestError::NoName { input: input.to_owned(), why })
}

/// Converts one after the other and tells how it goes. A failure is told and the rest goes on; a
/// stop ends it all. Says how many did not become channels.
pub async fn convert_each(
    jobs: &[ConvertJob],
    told: OutputFormat,
    stop: &CancellationToken,
) -> usize {
    let mut made = 0;
    for job in jobs {
        let report = Report::new(job, told);
        let done = convert(job, stop, |progress| report.progress(progress)).await;
        report.end(&done);
        made += usize::from(done.is_ok());
        if stop.is_cancelled() {
            break;
        }
    }
    jobs.len() - made
}

struct Report<'a> {
    job: &'a ConvertJob,
    told: OutputFormat,
    bar: Option<ProgressBar>,
    last_line: Cell<Option<Instant>>,
    out: RefCell<io::Stdout>,
}

impl<'a> Report<'a> {
    fn new(job: &'a ConvertJob, told: OutputFormat) -> Self {
        let bar = (told == OutputFormat::ToPeople && io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{prefix} {bar:40} {percent:>3} % {msg}");
            let bar = ProgressBar::new(1_000).with_prefix(job.channel.to_string());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { job, told, bar, last_line: Cell::new(None), out: RefCell::new(io::stdout()) }
    }

    fn progress(&self, progress: Progress) {
        let eta_s = progress.eta.map(|eta| eta.as_secs());
        if let Some(bar) = &self.bar {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 100"
            )]
            bar.set_position((progress.percent.unwrap_or(0.0) * 10.0) as u64);
            let speed = progress.speed.map(|speed| format!("{speed:.1}x")).unwrap_or_default();
            let left = eta_s.map(|seconds| format!(", {seconds} s left")).unwrap_or_default();
            bar.set_message(format!("{speed}{left}"));
        }
        let due = self.last_line.get().is_none_or(|last| last.elapsed() >= JSON_EVERY);
        if self.told == OutputFormat::AsJson && due {
            self.last_line.set(Some(Instant::now()));
            self.line(&json!({
                "type": "progress",
                "channel": self.job.channel,
                "percent": progress.percent.map(|percent| (percent * 10.0).round() / 10.0),
                "speed": progress.speed,
                "eta_s": eta_s,
            }));
        }
    }

    fn end(&self, done: &Result<Converted, IngestError>) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let channel = &self.job.channel;
        match (self.told, done) {
            (OutputFormat::AsJson, Ok(made)) => self.line(&json!({
                "type": "done",
                "channel": channel,
                "duration_s": made.duration_s,
                "notes": made.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })),
            (OutputFormat::AsJson, Err(error)) => self.line(
                &json!({ "type": "error", "channel": channel, "message": error.to_string() }),
            ),
            (OutputFormat::ToPeople, Ok(made)) => {
                for note in &made.notes {
                    self.say(&format!("{channel}: {note}"));
                }
                self.say(&format!("{channel}: in place, {:.1} seconds", made.duration_s));
            }
            (OutputFormat::ToPeople, Err(error)) => self.say(&format!("{channel}: {error}")),
        }
    }

    fn line(&self, event: &serde_json::Value) {
        // A reader that has gone does not end the conversion.
        let _ = writeln!(self.out.borrow_mut(), "{event}");
    }

    fn say(&self, sentence: &str) {
        let _ = writeln!(io::stderr(), "{sentence}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::channel_of;

    #[test]
    fn a_file_names_its_channel() {
        for (file, id) in
            [("a/La playa.mp4", "La playa"), ("e\u{301}va.x.mkv", "éva.x"), ("x", "x")]
        {
            let channel = channel_of(Path::new(file)).expect("an id");
            assert_eq!(channel.as_str(), id);
        }
        for file in [".mp4", "a:b.mp4", ""] {
            assert!(channel_of(Path::new(file)).is_err(), "{file}");
        }
    }
}
