//! Feeds the ledger with what the page and the collector show.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use gloo_net::http::Request;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::ledger::{Ledger, Sight};
use super::wire::{self, FoundLogs, Log, QUEUE_PREFIX, Watched};
use crate::keep::Shelf;

const LEDGER_KEY: &str = "quillmoor.ledger";
/// Often enough that a queue entry is seen before it is sent.
const QUEUE_EVERY: Duration = Duration::from_millis(200);
const COLLECTOR_EVERY: Duration = Duration::from_secs(1);
/// Ids in one question: 20 characters each keep the address well below 8 KiB.
const SOUGHT_MAX: usize = 150;
/// Longer gaps are the browser's (a tab in the background): they say nothing about the collector.
const GAP_MS_MAX: f64 = 5_000.0;

#[wasm_bindgen]
extern "C" {
    /// What the script in `index.html` saw since the last call, as JSON.
    #[wasm_bindgen(js_namespace = quillmoorWatch, catch)]
    fn take() -> Result<String, JsValue>;
}

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

/// What became of the script tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracker {
    /// Under way.
    Loading,
    /// It runs.
    Loaded,
    /// The collector did not deliver it.
    Failed,
    /// The page has no such tag.
    Absent,
    /// The visitor asked not to be followed: Global Privacy Control.
    Forbidden,
}

/// All that the panel knows, from the context of its parts.
#[derive(Clone, Copy)]
pub struct Sources {
    /// How far each log has come.
    pub ledger: RwSignal<Ledger>,
    /// Whether the collector answers.
    pub collector: RwSignal<Collector>,
    /// What became of the script tag.
    pub tracker: RwSignal<Tracker>,
    /// Origin of the script, hence of the collector, e.g. `http://127.0.0.1:8300`.
    pub server: StoredValue<Option<String>>,
    n_unsaved: StoredValue<u32>,
}

#[derive(Deserialize)]
struct ServerState {
    up: bool,
    pid: Option<u32>,
}

impl Sources {
    /// Starts to look; call once.
    pub fn start() -> Self {
        let ledger = Shelf::Session.get::<Ledger>(LEDGER_KEY).unwrap_or_default().resumed();
        let server = script_server();
        let sources = Self {
            ledger: RwSignal::new(ledger),
            collector: RwSignal::new(Collector::Unknown),
            tracker: RwSignal::new(first_state(server.is_some())),
            server: StoredValue::new(server),
            n_unsaved: StoredValue::new(0),
        };
        sources.watch_page();
        sources.watch_queue();
        spawn_local(sources.watch_collector());
        sources
    }

    /// An address of the collector; `None` when the page does not name one.
    pub fn at_server(self, path: &str) -> Option<String> {
        self.server.with_value(|server| server.as_ref().map(|server| format!("{server}{path}")))
    }

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

    fn see(self, sight: Sight) {
        self.ledger.update(|ledger| ledger.see(sight));
        self.n_unsaved.update_value(|n| *n += 1);
    }

    fn save(self) {
        if self.n_unsaved.get_value() > 0 {
            self.n_unsaved.set_value(0);
            Shelf::Session.put(LEDGER_KEY, &*self.ledger.read_untracked());
        }
    }

    fn watch_page(self) {
        let read = move || {
            for watched in wire::watched(&take().unwrap_or_default()) {
                self.see_watched(watched);
            }
        };
        read();
        on_window("quillmoor:sight", move |_| read());
        on_window("pagehide", move |_| self.save());
        window_event_listener(ev::storage, move |event| {
            // Storage events come only from other documents, which is how those are told.
            let written = event.new_value().and(event.key());
            if let Some(id) = written.as_deref().and_then(|key| key.strip_prefix(QUEUE_PREFIX)) {
                self.see(Sight::WrittenElsewhere(wire::document_of(id).to_owned()));
            }
        });
    }

    fn see_watched(self, watched: Watched) {
        match watched {
            Watched::Left { post, body, stored } => {
                // First the queue: a log that was made and sent between two looks was in it all the same.
                self.see_queue();
                self.see(Sight::PostLeft { post, logs: wire::posted_logs(&body), stored });
            }
            Watched::Answered { post, status, body } => {
                self.see(Sight::PostAnswered(post, status, wire::refusals(&body)));
            }
            Watched::Failed { post } => {
                self.see(Sight::PostFailed(post));
                spawn_local(self.ask_collector());
            }
            Watched::Tracker { loaded } => {
                self.tracker.set(if loaded { Tracker::Loaded } else { Tracker::Failed });
            }
        }
    }

    fn watch_queue(self) {
        self.see_queue();
        set_interval(move || self.see_queue(), QUEUE_EVERY);
    }

    fn see_queue(self) {
        thread_local! {
            static BEFORE: Cell<Vec<String>> = Cell::default();
        }
        let queue = stored_queue();
        let keys: Vec<String> = queue.keys().cloned().collect();
        let is_same = BEFORE.with(|before| before.replace(keys.clone()) == keys);
        if !is_same {
            self.see(Sight::Queue(read_logs(&queue)));
        }
    }

    async fn watch_collector(self) {
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

/// Origin and folder of the tracker's own address, unless the tag names another server.
fn script_server() -> Option<String> {
    let script =
        document().query_selector("script[data-token]").ok()??.dyn_into::<web_sys::HtmlScriptElement>().ok()?;
    let server = script.get_attribute("data-server").or_else(|| {
        let (folder, _) = script.src().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        Some(folder)
    })?;
    Some(server.trim_end_matches('/').to_owned())
}

fn first_state(has_tag: bool) -> Tracker {
    let forbids = js_sys::Reflect::get(&window().navigator(), &"globalPrivacyControl".into());
    match forbids {
        Ok(forbids) if forbids.is_truthy() => Tracker::Forbidden,
        _ if has_tag => Tracker::Loading,
        _ => Tracker::Absent,
    }
}

/// The tracker's queue as it stands in localStorage: key and text. Empty where storage is denied.
fn stored_queue() -> BTreeMap<String, String> {
    let Ok(Some(storage)) = window().local_storage() else { return BTreeMap::new() };
    let n_keys = storage.length().unwrap_or(0);
    let keys = (0..n_keys).filter_map(|at| storage.key(at).ok().flatten());
    let entries = keys.filter(|key| key.starts_with(QUEUE_PREFIX)).filter_map(|key| {
        let value = storage.get_item(&key).ok().flatten()?;
        Some((key, value))
    });
    entries.collect()
}

fn read_logs(queue: &BTreeMap<String, String>) -> Vec<Log> {
    let mut logs: Vec<Log> = queue.iter().filter_map(|(key, value)| wire::queue_entry(key, value)).collect();
    logs.sort_by(|a, b| {
        (wire::document_of(&a.id), wire::seq_of(&a.id)).cmp(&(wire::document_of(&b.id), wire::seq_of(&b.id)))
    });
    logs
}

fn on_window(name: &'static str, act: impl Fn(web_sys::Event) + 'static) {
    window_event_listener_untyped(name, act);
}

async fn sleep(time: Duration) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        set_timeout(move || drop(resolve.call0(&JsValue::NULL)), time);
    });
    // The promise is only ever resolved.
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}
