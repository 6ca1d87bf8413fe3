//! The program `logdig`.

use std::process::ExitCode;

fn main() -> ExitCode {
    logdig::cli::run()
}
