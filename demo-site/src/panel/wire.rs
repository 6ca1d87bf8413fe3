//! What the panel reads of the tracker's queue, its envelope and the collector's answers.
//!
//! Only what is shown; fields the panel does not know are passed over. Names as on the wire.

use serde::{Deserialize, Serialize};

/// Where the tracker keeps a log in localStorage: this, the document id, `.`, the log's `seq`.
pub const QUEUE_PREFIX: &str = "logdig.q.";

/// One log, as far as a line of the panel needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// `<document id>.<seq>`; empty in a queue entry that leaves it to its key.
    pub id: String,
    /// `view`, `click`, …
    pub r#type: String,
    /// When the log was made, by the visitor's clock: UTC, ISO 8601, e.g. `2026-11-24T12:00:01.250Z`.
    pub timestamp: String,
    /// Address of the page it was made on.
    pub current_page: String,
    /// Where a clicked link leads, or `tag;class;id;name;data-reactid` of what was clicked.
    pub link: String,
    /// On a leave: milliseconds that the view was looked at.
    pub engaged_ms: u64,
    /// On a leave: deepest point seen, percent of the document.
    pub scroll_max: f64,
    /// On a move: where the pointer rested, as `x,y;x,y`.
    pub points: String,
    /// Name of the shop's own event.
    pub name: String,
    /// What the event is worth.
    pub value: Option<f64>,
    /// Of `value`: ISO 4217.
    pub currency: String,
    /// Which experiment was met.
    pub experiment: String,
    /// Which variation of it was shown.
    pub variation: String,
}

/// The body of the tracker's POST.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    current_page: String,
    timestamp: String,
    logs: Vec<Log>,
}

/// A log that the collector will never take, by its place in the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// Counts from 0.
    pub index: usize,
    /// Tag of the reason, e.g. `not_a_number`.
    #[serde(default)]
    pub reason: String,
    /// The field at fault.
    #[serde(default)]
    pub field: Option<String>,
}

/// The body of the collector's answer to a POST.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    refused: Vec<Refusal>,
}

/// Where a log stands at rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// `YYYY-MM-DD/<sha256>`.
    pub file: String,
    /// Counts from 1.
    pub line: usize,
}

/// One row of `GET /demo/logs`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// The log's id.
    pub id: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

/// Answer of `GET /demo/logs`: of the ids asked for, those that stand in a sealed file.
#[derive(Deserialize)]
pub struct FoundLogs {
    /// In no particular order.
    pub logs: Vec<Found>,
}

/// What the script in `index.html` saw of the tracker.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Watched {
    /// A POST went out.
    Left {
        /// Its number, from 1.
        post: u64,
        /// Its body.
        body: String,
        /// Whether localStorage held any log at that moment.
        stored: bool,
    },
    /// It was answered.
    Answered {
        /// Its number.
        post: u64,
        /// HTTP status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// The network failed.
    Failed {
        /// Its number.
        post: u64,
    },
    /// The script tag has come to an end.
    Tracker {
        /// Or it failed to load.
        loaded: bool,
    },
}

/// Everything the script saw since it was last asked; empty when what it says can't be read.
pub fn watched(json: &str) -> Vec<Watched> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Reads one entry of the tracker's queue; `None` when key or value is something else.
pub fn queue_entry(key: &str, value: &str) -> Option<Log> {
    let id = key.strip_prefix(QUEUE_PREFIX)?;
    let mut log: Log = serde_json::from_str(value).ok()?;
    log.id = id.to_owned();
    Some(log)
}

/// The logs in the body of a POST, in order; empty when the body is not the tracker's envelope.
pub fn posted_logs(body: &str) -> Vec<Log> {
    let envelope: Envelope = serde_json::from_str(body).unwrap_or_default();
    let Envelope { current_page, timestamp, mut logs } = envelope;
    for log in &mut logs {
        fill(&mut log.current_page, &current_page);
        fill(&mut log.timestamp, &timestamp);
    }
    logs
}

/// The refusals in an answer; empty when there are none or the body is not JSON.
pub fn refusals(body: &str) -> Vec<Refusal> {
    serde_json::from_str::<Answer>(body).unwrap_or_default().refused
}

/// The document that made the log: its id up to the last dot.
pub fn document_of(id: &str) -> &str {
    id.rsplit_once('.').map_or(id, |(document, _)| document)
}

/// Its number within the document; 0 when the id has none.
pub fn seq_of(id: &str) -> u64 {
    id.rsplit_once('.').and_then(|(_, seq)| seq.parse().ok()).unwrap_or(0)
}

fn fill(own: &mut String, shared: &str) {
    if own.is_empty() {
        shared.clone_into(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_queue_takes_its_id_from_the_key() {
        let log = queue_entry("logdig.q.aB_-9.12", r#"{"type":"click","link":"/a","x":1.5,"seq":12}"#).unwrap();
        assert_eq!((log.id.as_str(), log.r#type.as_str(), log.link.as_str()), ("aB_-9.12", "click", "/a"));
        assert_eq!((document_of(&log.id), seq_of(&log.id)), ("aB_-9", 12));
    }

    #[test]
    fn other_keys_and_broken_values_are_no_logs() {
        for (key, value) in [("logdig.d.aB", "{}"), ("basket", "{}"), ("logdig.q.a.1", "{"), ("logdig.q.a.1", "7")] {
            assert_eq!(queue_entry(key, value), None, "{key} {value}");
        }
    }

    #[test]
    fn what_stands_in_the_envelope_holds_for_all_its_logs() {
        let logs = posted_logs(r#"{"v":1,"current_page":"/p","logs":[{"id":"d.0"},{"id":"d.1","current_page":"/q"}]}"#);
        let pages: Vec<_> = logs.iter().map(|log| log.current_page.as_str()).collect();
        assert_eq!(pages, ["/p", "/q"]);
    }

    #[test]
    fn a_body_of_someone_else_holds_no_logs() {
        for body in ["", "a=1&b=2", "[]", r#"{"query":"x"}"#] {
            assert!(posted_logs(body).is_empty(), "{body}");
        }
    }

    #[test]
    fn refusals_are_read_and_their_absence_is_none() {
        let body = r#"{"stored":1,"refused":[{"index":1,"field":"x","reason":"not_a_number","message":"…"}]}"#;
        let expected = Refusal { index: 1, reason: "not_a_number".into(), field: Some("x".into()) };
        assert_eq!(refusals(body), [expected]);
        assert!(refusals(r#"{"stored":1}"#).is_empty());
        assert!(refusals("<html>").is_empty());
    }
}
