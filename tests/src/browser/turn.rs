//! How many browsers may run at once.

use std::sync::{Condvar, Mutex, PoisonError};

/// One for each of the two cores that build machines have at least: more
/// would only make each of them slow enough to miss deadlines.
const BROWSERS_MAX: usize = 2;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// The right to run a browser, given back on drop.
pub struct Turn(());

impl Turn {
    /// Waits until fewer than [`BROWSERS_MAX`] run.
    pub fn take() -> Self {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running =
            ENDED.wait_while(running, |running| *running >= BROWSERS_MAX).unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
