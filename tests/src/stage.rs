//! A collector, a website that carries its tracker, and a browser.

use serde_json::Value;

use crate::sealed::SealedLog;
use crate::wait::poll;
use crate::{Browser, Server, Site};

/// What most browser tests play on.
pub struct Stage {
    // The order of these is the order in which they are dropped.
    /// The visitor's browser.
    pub browser: Browser,
    /// The owner's website.
    pub site: Site,
    /// The collector.
    pub server: Server,
}

impl Stage {
    /// Sets it up with a browser as it comes.
    pub fn new() -> Self {
        Self::with(Browser::start())
    }

    /// Sets it up with this browser.
    pub fn with(browser: Browser) -> Self {
        let server = Server::start();
        let site = Site::start(&server);
        Self { browser, site, server }
    }

    /// Opens a page of the site and waits until its tracker has started.
    pub fn open(&self, path: &str) {
        self.browser.open(&self.site.url(path));
        self.wait_started();
    }

    /// Waits until the tracker of the current page has started.
    pub fn wait_started(&self) {
        self.browser.wait_until("the tracker's start", "document.readyState == 'complete' && probe.isStarted()");
    }

    /// Waits until nothing waits in the site's storage any more: all that was
    /// made has been acknowledged.
    pub fn wait_delivered(&self) {
        self.browser.settle();
        self.browser.wait_until("all logs delivered", "probe.waiting().length == 0");
    }

    /// Logs on the collector's disk that count beside what is expected.
    fn n_stored(&self, expected: &[&str]) -> usize {
        self.server.logs_so_far().iter().filter(|log| counts(log, expected)).count()
    }

    /// Waits until `expected` are stored and nothing waits in the browser,
    /// stops the collector, and compares what is stored with what is expected,
    /// in any order, each written as [`told`] tells it. Besides views and
    /// clicks only types that are expected count: each page that was looked at
    /// makes a `leave`, when and if it ends.
    ///
    /// # Panics
    ///
    /// When they differ, or a page wrote to the console or let an error out.
    pub fn finish(mut self, expected: &[&str]) -> Vec<SealedLog> {
        // When they do not come, the comparison says which.
        poll(|| (self.n_stored(expected) >= expected.len()).then_some(()));
        self.wait_delivered();
        assert_eq!(self.browser.messages(), [], "a tracker is silent");
        let drafts = self.browser.eval("return self.probe?.drafts() ?? []");
        let logs = self.server.stop_and_read();
        let counted = logs.iter().filter(|log| counts(&log.json, expected));
        let mut stored: Vec<String> = counted.map(|log| told(log, &self.site)).collect();
        let mut expected: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected, "stored on the left, expected on the right");
        check_ids(&logs, &drafts);
        logs
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the page's messages: {:?}", self.browser.try_messages());
        }
    }
}

/// Whether a log is compared with what is expected.
fn counts(log: &Value, expected: &[&str]) -> bool {
    let kind = log["type"].as_str();
    matches!(kind, Some("view" | "click")) || expected.iter().any(|one| one.split(' ').next() == kind)
}

/// A log in short: type, page and, on a click, link; the site's own origin is left out.
///
/// `view /index.html`, `click /index.html button;big red;buy;order;`
pub fn told(log: &SealedLog, site: &Site) -> String {
    let origin = site.url("");
    let short = |field: &str| log.text(field).replace(&origin, "");
    match log.text("type") {
        "view" => format!("view {}", short("current_page")),
        other => format!("{other} {} {}", short("current_page"), short("link")),
    }
}

/// Every log has an id of its own, made of its document and `seq`; the logs
/// of a document, with those that an open page still drafts, are counted from
/// 0 without a gap: nothing of it was lost.
fn check_ids(logs: &[SealedLog], drafts: &Value) {
    let mut ids: Vec<(&str, u64)> = logs.iter().map(document_and_seq).collect();
    let drafts = drafts.as_array().into_iter().flatten().filter_map(Value::as_str).map(split_id);
    ids.extend(drafts.filter(|draft| !ids.contains(draft)).collect::<Vec<_>>());
    ids.sort_unstable();
    for (index, (document, seq)) in ids.iter().enumerate() {
        let expected = match index.checked_sub(1).map(|before| ids[before]) {
            Some((before, seq_before)) if before == *document => seq_before + 1,
            _ => 0,
        };
        assert_eq!(*seq, expected, "document {document} in {ids:?}");
    }
}

fn document_and_seq(log: &SealedLog) -> (&str, u64) {
    let (document, seq) = split_id(log.text("id"));
    assert_eq!(log.json["seq"].as_u64(), Some(seq), "{}", log.json);
    (document, seq)
}

fn split_id(id: &str) -> (&str, u64) {
    let (document, seq) = id.rsplit_once('.').expect("an id is document and seq");
    (document, seq.parse().expect("seq is a number"))
}

/// The document that made a log.
///
/// # Panics
///
/// When the id has no such part.
pub fn document(log: &SealedLog) -> &str {
    document_and_seq(log).0
}
