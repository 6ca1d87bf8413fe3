//! The browser's storage; where it is denied or full, nothing takes its place. The only file that touches
//! `localStorage`.
//!
//! | name | holds |
//! | --- | --- |
//! | `logdig.user_key`, `logdig.load_count` | who, and how many loads and logs |
//! | `logdig.d.DOCUMENT` | what all waiting logs of a document share |
//! | `logdig.q.DOCUMENT.SEQ` | a waiting log: there is no append, so each has a name, and nothing is rewritten |
//! | `logdig.l.DOCUMENT` | without `navigator.locks`: until when (ms since 1970) somebody takes care of the logs |

use crate::dom::{WINDOW, Window};
use crate::out_queue::Origin;
use alloc::{string::String, vec::Vec};
use logdig_shared::json::push_whole;

/// The part of a name before the document's id.
pub const COMMON: &str = "logdig.d.";
pub const LOG: &str = "logdig.q.";
pub const LEASE: &str = "logdig.l.";

/// `localStorage`, if the page has one.
pub struct Storage(Option<web_sys::Storage>);

impl Storage {
    pub fn open() -> Self {
        Self(WINDOW.with(Window::local_storage).ok())
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.0.as_ref()?.get_item(name).ok()?
    }

    pub fn set(&self, name: &str, value: &str) -> bool {
        self.0.as_ref().is_some_and(|storage| storage.set_item(name, value).is_ok())
    }

    pub fn remove(&self, name: &str) {
        if let Some(storage) = &self.0 {
            let _ = storage.remove_item(name);
        }
    }

    /// A whole number that was kept.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.parse::<i64>().ok().map(|number| number as f64)
    }

    /// Keeps a log; whether it could. What its document's logs share is kept first: without it no log is of use.
    pub fn keep(&self, origin: &Origin, seq: u32, text: &str) -> bool {
        self.set(&name(COMMON, &origin.document), &origin.common)
            && self.set(&name(LOG, &log_id(&origin.document, seq)), text)
    }

    /// Forgets a log.
    pub fn forget(&self, document: &str, seq: u32) {
        self.remove(&name(LOG, &log_id(document, seq)));
    }

    /// Forgets a document of which no log waits. Gives `false`: it is not kept.
    pub fn close(&self, document: &str) -> bool {
        self.remove(&name(COMMON, document));
        self.remove(&name(LEASE, document));
        false
    }

    /// The documents that left something here.
    pub fn documents(&self) -> Vec<String> {
        self.names_after(COMMON)
    }

    /// The logs that a document left here, in order.
    pub fn logs_of(&self, document: &str) -> Vec<(u32, String)> {
        let prefix = name(LOG, document) + ".";
        let numbers = self.names_after(&prefix).into_iter().filter_map(|seq| seq.parse().ok());
        let mut logs: Vec<(u32, String)> =
            numbers.filter_map(|seq| Some((seq, self.get(&name(LOG, &log_id(document, seq)))?))).collect();
        logs.sort_unstable_by_key(|(seq, _)| *seq);
        logs
    }

    /// What follows a prefix in the names that begin with it.
    fn names_after(&self, prefix: &str) -> Vec<String> {
        let Some(storage) = &self.0 else { return Vec::new() };
        let names = (0..storage.length().unwrap_or(0)).filter_map(|nth| storage.key(nth).ok()?);
        names.filter_map(|name| Some(name.strip_prefix(prefix)?.into())).collect()
    }
}

/// The name under which something about a document, or a log, is kept.
pub fn name(prefix: &str, document: &str) -> String {
    let mut name = String::from(prefix);
    name.push_str(document);
    name
}

/// A log's id: its document's, a dot, its number there.
pub fn log_id(document: &str, seq: u32) -> String {
    let mut id = name(document, ".");
    push_whole(&mut id, seq.into());
    id
}
