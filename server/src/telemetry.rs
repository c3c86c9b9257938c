//! The log: one line an event on standard error, chosen by `RUST_LOG`.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// What is logged where `RUST_LOG` is not set.
const DEFAULT: &str = "info,notify=warn,lofty=error";

/// Begins to log. Called once, by `main`.
///
/// # Errors
/// `RUST_LOG` cannot be read.
pub fn start() -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text).map_err(|_| {
            format!("RUST_LOG: {text:?} is no filter; write one like info or carrete=debug")
        })?,
        _ => EnvFilter::new(DEFAULT),
    };
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_filter(filter.and(filter_fn(is_fit)));
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    Ok(())
}

/// The libraries that ask a store write what they sign with, whole requests, into their finer lines:
/// these are never logged, whatever `RUST_LOG` says.
fn is_fit(event: &Metadata<'_>) -> bool {
    let theirs = ["aws_", "hyper"].iter().any(|crates| event.target().starts_with(crates));
    !theirs || *event.level() <= Level::WARN
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{Layer, filter::filter_fn, fmt, layer::SubscriberExt};

    use super::is_fit;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_signs_requests_logs_nothing_of_it() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer().with_writer(move || writer.clone()).with_filter(filter_fn(is_fit));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::debug!(target: "aws_sigv4::http_request", "hush");
            tracing::info!(target: "aws_smithy_runtime::client", "hush");
            tracing::warn!(target: "aws_smithy_runtime::client", "said");
            tracing::debug!("said");
        });
        let text = String::from_utf8(written.0.lock().expect("no panic").clone()).expect("text");
        assert_eq!((text.matches("hush").count(), text.matches("said").count()), (0, 2), "{text}");
    }
}
