//! One line a step, with the seconds since the command began.

use std::sync::OnceLock;
use std::time::Instant;

static START: OnceLock<Instant> = OnceLock::new();

/// Starts the clock that [`step`] shows.
pub fn start() {
    START.get_or_init(Instant::now);
}

/// Says what begins now. On stderr: stdout belongs to what a command answers.
pub fn step(what: &str) {
    let elapsed = START.get_or_init(Instant::now).elapsed();
    eprintln!("[{:6.1} s] {what}", elapsed.as_secs_f64());
}
