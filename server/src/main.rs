//! The program: parses, begins to log, runs the asked verb, and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    carrete::cli::run()
}
