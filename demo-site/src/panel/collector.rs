//! Asks the collector: whether it runs, and which logs stand in files.

use std::time::Duration;

use gloo_net::http::Request;
use leptos::prelude::*;
use serde::Deserialize;
use wasm_bindgen::JsValue;

use super::ledger::Sight;
use super::sources::Sources;
use super::wire::FoundLogs;

const COLLECTOR_EVERY: Duration = Duration::from_secs(1);
/// Ids in one question: 20 characters each keep the address well below 8 KiB.
const SOUGHT_MAX: usize = 150;
/// Longer gaps are the browser's (a tab in the background): they say nothing about the collector.
const GAP_MS_MAX: f64 = 5_000.0;

/// Whether the collector answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collector {
    /// Not asked yet.
    Unknown,
    /// It runs.
    Up {
        /// Process id, where the demo's own server tells it.
        pid: Option<u32>,
    },
    /// It does not.
    Down,
}

#[derive(Deserialize)]
struct ServerState {
    up: bool,
    pid: Option<u32>,
}

impl Sources {
    /// Asks anew whether the collector runs.
    pub async fn ask_collector(self) {
        let state = match Request::get("/control/server").send().await {
            Ok(answer) if answer.ok() => answer.json::<ServerState>().await.ok(),
            _ => None,
        };
        let state = match state {
            Some(ServerState { up: true, pid }) => Collector::Up { pid },
            Some(ServerState { up: false, .. }) => Collector::Down,
            None => self.ask_collector_itself().await,
        };
        if self.collector.get_untracked() != state {
            self.collector.set(state);
        }
    }

    /// Where the page is not served by the demo, only the collector can tell.
    async fn ask_collector_itself(self) -> Collector {
        let Some(address) = self.at_server("/health/live") else { return Collector::Down };
        match Request::get(&address).send().await {
            Ok(answer) if answer.ok() => Collector::Up { pid: None },
            _ => Collector::Down,
        }
    }

    /// Looks after the collector for as long as the page lives.
    pub async fn watch_collector(self) {
        let mut answered_at = None;
        loop {
            self.ask_collector().await;
            answered_at = match self.collector.get_untracked() {
                Collector::Up { .. } => self.ask_files(answered_at).await,
                _ => None,
            };
            self.save();
            sleep(COLLECTOR_EVERY).await;
        }
    }

    /// Asks which logs stand in files; the time of the answer, in ms since the page began.
    async fn ask_files(self, answered_at: Option<f64>) -> Option<f64> {
        let asked = self.ledger.read_untracked().sought(SOUGHT_MAX);
        let address = self.at_server(&format!("/demo/logs?ids={}", asked.join(",")))?;
        if asked.is_empty() {
            return None;
        }
        let found = Request::get(&address).send().await.ok()?.json::<FoundLogs>().await.ok()?.logs;
        let now = window().performance()?.now();
        let waited_ms = answered_at.map_or(0.0, |before| (now - before).min(GAP_MS_MAX));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 5,000")]
        self.see(Sight::Files { asked, found, waited_ms: waited_ms as u32 });
        Some(now)
    }
}

async fn sleep(time: Duration) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        set_timeout(move || drop(resolve.call0(&JsValue::NULL)), time);
    });
    // The promise is only ever resolved.
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}
