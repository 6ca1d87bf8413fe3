//! Feeds the ledger with what the page and the collector show.

use std::collections::BTreeMap;
use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::collector::Collector;
use super::ledger::{Ledger, Sight};
use super::wire::{self, Log, QUEUE_PREFIX, Watched};
use crate::keep::Shelf;
use crate::owner;

const LEDGER_KEY: &str = "quillmoor.ledger";
/// Often enough that a queue entry is seen before it is sent.
const QUEUE_EVERY: Duration = Duration::from_millis(200);

#[wasm_bindgen]
extern "C" {
    /// What the script in `index.html` saw since the last call, as JSON.
    #[wasm_bindgen(js_namespace = quillmoorWatch, catch)]
    fn take() -> Result<String, JsValue>;
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
    /// The visitor opted out.
    pub is_out: RwSignal<bool>,
    /// Origin of the script, hence of the collector, e.g. `http://127.0.0.1:8300`.
    pub server: StoredValue<Option<String>>,
    /// Keys of the queue at the last look.
    seen_keys: StoredValue<Vec<String>>,
    is_unsaved: StoredValue<bool>,
}

impl Sources {
    /// Starts to look; call once.
    pub fn start() -> Self {
        let server = script_server();
        let sources = Self {
            ledger: RwSignal::new(saved_ledger()),
            collector: RwSignal::new(Collector::Unknown),
            tracker: RwSignal::new(first_state(server.is_some())),
            is_out: RwSignal::new(owner::is_out()),
            server: StoredValue::new(server),
            seen_keys: StoredValue::default(),
            is_unsaved: StoredValue::new(false),
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

    /// Takes in one sight.
    pub fn see(self, sight: Sight) {
        self.ledger.update(|ledger| ledger.see(sight));
        self.is_unsaved.set_value(true);
    }

    /// Keeps the ledger for the next page of this tab.
    pub fn save(self) {
        if self.is_unsaved.get_value() {
            self.is_unsaved.set_value(false);
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
        window_event_listener_untyped("quillmoor:sight", move |_| read());
        window_event_listener(ev::pagehide, move |_| self.save());
        window_event_listener(ev::pageshow, move |event| {
            // Back from the back/forward cache: pages that came after have written the ledger on.
            if event.persisted() {
                self.ledger.set(saved_ledger());
                self.seen_keys.set_value(Vec::new());
            }
        });
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
        let queue = stored_queue();
        let keys: Vec<String> = queue.keys().cloned().collect();
        if self.seen_keys.with_value(|seen| *seen != keys) {
            self.seen_keys.set_value(keys);
            self.see(Sight::Queue(read_logs(&queue)));
        }
    }
}

fn saved_ledger() -> Ledger {
    Shelf::Session.get::<Ledger>(LEDGER_KEY).unwrap_or_default().resumed()
}

/// Origin and folder of the tracker's own address, unless the tag names another server.
fn script_server() -> Option<String> {
    let script =
        document().query_selector("script[data-token]").ok()??.dyn_into::<web_sys::HtmlScriptElement>().ok()?;
    let server = script
        .get_attribute("data-server")
        .or_else(|| script.src().rsplit_once('/').map(|(folder, _)| folder.to_owned()))?;
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
