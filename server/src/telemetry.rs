//! The log: one line an event on standard error, chosen by `RUST_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// What is logged where `RUST_LOG` is not set.
const DEFAULT: &str = "info,notify=warn";

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
    // A second start in one process keeps the first log.
    let _ = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    Ok(())
}
