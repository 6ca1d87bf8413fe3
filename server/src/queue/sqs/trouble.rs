//! Whether SQS takes messages, as far as is known; told to people once, not at every request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tracing::{error, info};

use super::CallError;

/// Why nothing is taken at present, if so.
#[derive(Default)]
pub struct Trouble {
    state: Mutex<State>,
    begins: Notify,
}

#[derive(Default)]
struct State {
    words: Option<String>,
    /// Told, and no message was taken since.
    is_told: bool,
}

impl Trouble {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call failed.
    pub fn note(&self, error: &CallError) {
        let mut state = self.state();
        if !state.is_told {
            let until = if error.is_for_good { "somebody puts that right" } else { "it works again" };
            error!("{error}; requests are answered with 503 until {until}");
        }
        *state = State { words: Some(error.to_string()), is_told: true };
        self.begins.notify_one();
    }

    /// A message was taken.
    pub fn is_over(&self) {
        if std::mem::take(&mut *self.state()).is_told {
            info!("SQS takes messages again");
        }
    }

    /// SQS answers again. Whether it takes messages, the next request will show; if not, that is no news.
    pub fn may_be_over(&self) {
        self.state().words = None;
    }

    /// Why nothing is taken at present.
    pub fn current(&self) -> Option<String> {
        self.state().words.clone()
    }

    /// Waits until there is trouble.
    pub async fn begins(&self) {
        while self.current().is_none() {
            self.begins.notified().await;
        }
    }
}
