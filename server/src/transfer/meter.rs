//! How far a push or a pull is: a bar, or lines of JSON.

use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    pin::pin,
    time::Duration,
};

use app::catalog::ChannelId;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::{PublishError, Published};
use crate::transcode::OutputFormat;

const JSON_EVERY: Duration = Duration::from_secs(1);

/// Counts bytes that have come to where they belong; a cheap clone. Shown on standard error where that
/// is a terminal and people are told.
#[derive(Clone, Debug)]
pub struct Meter(ProgressBar);

impl Default for Meter {
    /// One that nobody sees.
    fn default() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl Meter {
    /// Of this channel.
    pub fn new(channel: &ChannelId, told: OutputFormat) -> Self {
        let seen = told == OutputFormat::ToPeople && io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let form = "{prefix} {bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        let style =
            ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Self(bar.with_prefix(channel.to_string()))
    }

    /// So many bytes are to come.
    pub(super) fn expect(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    /// So many more have come.
    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// So many have to come once more.
    pub(super) fn take_back(&self, bytes: u64) {
        self.0.dec(bytes);
    }

    /// What has come, and what is expected in all, in bytes.
    pub fn read(&self) -> (u64, u64) {
        (self.0.position(), self.0.length().unwrap_or(0))
    }
}

/// Does the `work` and tells how it goes. In JSON, an object a line on standard output: `progress` once
/// a second, then `done` or `error`.
///
/// # Errors
/// As the work's own.
pub async fn tell(
    channel: &ChannelId,
    meter: &Meter,
    told: OutputFormat,
    work: impl Future<Output = Result<Published, PublishError>>,
) -> Result<Published, PublishError> {
    let mut work = pin!(work);
    let mut due = interval(JSON_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = due.tick() => {
                let (bytes, total) = meter.read();
                line(told, || json!({
                    "type": "progress", "channel": channel, "bytes": bytes, "total": total,
                }));
            }
        }
    };
    meter.0.finish_and_clear();
    line(told, || match &done {
        Ok(Published { files, bytes, there }) => json!({
            "type": "done", "channel": channel, "files": files, "bytes": bytes, "there": there,
        }),
        Err(error) => json!({ "type": "error", "channel": channel, "message": error.to_string() }),
    });
    done
}

fn line(told: OutputFormat, event: impl FnOnce() -> serde_json::Value) {
    if told == OutputFormat::AsJson {
        // A reader that has gone ends nothing.
        let _ = writeln!(io::stdout(), "{}", event());
    }
}
