//! Waiting for a condition, with a deadline: tests never sleep and hope.

use std::time::{Duration, Instant};

/// How long a condition may take before a test gives up.
///
/// Generous, since two cores may be shared by many browsers; a test that
/// passes does not wait for it.
pub const DEADLINE: Duration = Duration::from_secs(40);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Calls `condition` until it gives a value, and returns that.
///
/// # Panics
///
/// When [`DEADLINE`] has passed; the message names `what` was waited for.
pub fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    let value = poll(condition);
    value.unwrap_or_else(|| panic!("waited {} s in vain: {what}", DEADLINE.as_secs()))
}

/// Waits until `condition` holds; see [`wait_for`].
///
/// # Panics
///
/// As [`wait_for`] does.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Calls `condition` until it gives a value; gives `None` when [`DEADLINE`]
/// has passed, for those who can say better what is wrong.
pub fn poll<T>(mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let give_up = Instant::now() + DEADLINE;
    while Instant::now() < give_up {
        if let Some(value) = condition() {
            return Some(value);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    None
}
