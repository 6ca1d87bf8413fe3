//! The tracker of one document: makes logs, keeps them, hands them over.

use crate::{
    click::Hit,
    dom::{self, Click},
    out_queue::{Entry, Origin, OutQueue, Outcome},
    page::{self, measure, write_sizes, write_text},
    storage::{COMMON, LEASE, Storage, log_id, name},
    visitor,
};
use alloc::{rc::Rc, string::String, vec::Vec};
use logdig_shared::{
    Field, envelope,
    json::{ObjectWriter, push_whole},
    limits::{QUEUE_AGE_MS_MAX, URL_BYTES_MAX, USER_AGENT_BYTES_MAX},
};
use web_sys::Element;

/// Logs of the same moment travel together.
const GATHER_MS: f64 = 500.0;
/// A lease outlives three ticks of half a minute: timers of background tabs are held back to one a minute.
const LEASE_MS: f64 = 100_000.0;
/// A click without a place so soon after another is one that the browser made of it: of a label for its input.
const ECHO_MS: f64 = 100.0;
/// Where a log's text has its timestamp: `{"timestamp":"2026-11-24T12:00:01.250Z",…`.
const TIMESTAMP_AT: core::ops::Range<usize> = 14..38;

/// What is logged.
struct Log<'a> {
    kind: &'static str,
    link: &'a str,
    x: f64,
    y: f64,
    /// When, in milliseconds since the document began.
    at_ms: f64,
}

/// The tracker of one document.
pub struct Tracker {
    token: String,
    server: String,
    storage: Storage,
    user_key: String,
    load_count: i64,
    queue: OutQueue,
    /// This document.
    own: Rc<Origin>,
    /// Those whose logs were adopted.
    adopted: Vec<Rc<Origin>>,
    seq: u32,
    view_seq: u32,
    started_ms: f64,
    page: String,
    last_click_ms: f64,
}

impl Tracker {
    /// Starts in a document; [`enter`](Self::enter) logs its view.
    pub fn new(token: String, server: String) -> Self {
        let storage = Storage::open();
        let user_key = visitor::user_key(&storage);
        Self {
            own: Rc::new(Origin::default()),
            token,
            server,
            user_key,
            load_count: -1,
            queue: OutQueue::default(),
            adopted: Vec::new(),
            seq: 0,
            view_seq: 0,
            started_ms: dom::uptime(),
            page: String::new(),
            last_click_ms: -ECHO_MS,
            storage,
        }
    }

    /// Begins a document's life, also that of one from the back/forward cache: others may have adopted what it left.
    pub fn enter(&mut self) {
        self.load_count = visitor::raise_load_count(&self.storage, self.load_count);
        self.own = Rc::new(Origin { document: visitor::document_id(), common: self.common() });
        self.seq = 0;
        self.adopted.clear();
        self.queue.forget_kept();
        dom::hold_locks();
        self.claim(&self.own.document);
        self.view(&dom::referrer());
        self.tick();
    }

    /// Logs a view when the address has changed.
    pub fn url_changed(&mut self) {
        if dom::address() != self.page {
            let before = core::mem::take(&mut self.page);
            self.view(&before);
        }
    }

    /// Logs a click on what is logged.
    pub fn click(&mut self, event: &Click, target: &Element) {
        self.url_changed();
        let at_ms = event.time_stamp();
        let since_last_ms = at_ms - self.last_click_ms;
        let is_echo = since_last_ms == 0.0 || event.detail() == 0.0 && since_last_ms < ECHO_MS;
        if is_echo && event.is_trusted() {
            return;
        }
        let Some(hit) = Hit::find(event, target) else { return };
        self.last_click_ms = at_ms;
        self.record(&Log { kind: "click", link: &hit.link, x: hit.x, y: hit.y, at_ms }, &|object| {
            write_sizes(object);
            hit.write(event, object);
        });
    }

    /// Sends what waits, unless the collector asked for patience; while the page is left, whatever it asked.
    pub fn flush(&mut self, is_leaving: bool) {
        let wait_ms = self.queue.wait_ms(dom::uptime());
        if wait_ms > 0.0 && !is_leaving {
            dom::flush_later(wait_ms);
        } else if is_leaving && !dom::outlives_page() {
            self.flush_by_beacon();
        } else {
            while let Some((flight, origin)) = self.queue.take_off() {
                dom::send(&self.server, &self.body(flight, &origin), flight);
            }
        }
    }

    /// As [`flush`](Self::flush), when the network is back.
    pub fn hurry(&mut self) {
        self.queue.hurry();
        self.flush(false);
    }

    /// Takes note of an answer; `status` 0 stands for none.
    pub fn landed(&mut self, flight: u32, status: u16, wait_ms: f64) {
        let outcome = Outcome::of_status(status);
        let gone = self.queue.land(flight, outcome, dom::uptime(), wait_ms, dom::chance());
        self.forget(&gone);
        let (queue, storage) = (&self.queue, &self.storage);
        self.adopted.retain(|origin| queue.has_of(origin) || storage.close(&origin.document));
        if self.queue.is_waiting() {
            dom::flush_later(0.0);
        }
    }

    /// The page is hidden or left: sends what waits. Left, it gives its logs free for adoption.
    pub fn hide(&mut self, is_leaving: bool) {
        self.url_changed();
        self.flush(true);
        if is_leaving {
            if !self.queue.has_of(&self.own) {
                self.storage.close(&self.own.document);
            }
            for origin in self.adopted.iter().chain([&self.own]) {
                self.storage.remove(&name(LEASE, &origin.document));
            }
            dom::release_locks();
        }
    }

    /// Looks for logs that nobody takes care of.
    pub fn tick(&mut self) {
        if !dom::has_locks() {
            for origin in self.adopted.iter().chain([&self.own]) {
                self.claim(&origin.document);
            }
        }
        for document in self.storage.documents() {
            if dom::has_locks() {
                self.claim(&document);
            } else if self.storage.number(&name(LEASE, &document)).is_none_or(|until_ms| until_ms < dom::now()) {
                self.claim(&document);
                self.adopt(document);
            }
        }
    }

    /// Takes over the logs of a document that is gone.
    pub fn adopt(&mut self, document: String) {
        let is_ours = self.adopted.iter().chain([&self.own]).any(|origin| origin.document == document);
        let Some(common) = self.storage.get(&name(COMMON, &document)).filter(|_| !is_ours) else { return };
        let origin = Rc::new(Origin { document, common });
        let oldest = dom::iso(dom::now() - QUEUE_AGE_MS_MAX);
        for (seq, text) in self.storage.logs_of(&origin.document) {
            // Instants of ISO 8601 sort as texts.
            if text.get(TIMESTAMP_AT).is_some_and(|timestamp| *timestamp < *oldest) {
                self.queue.add_dropped(1);
                self.storage.forget(&origin.document, seq);
            } else {
                let dropped = self.queue.push(&origin, seq, text, true);
                self.forget(&dropped);
            }
        }
        if self.queue.has_of(&origin) {
            self.adopted.push(origin);
            dom::flush_later(0.0);
        } else {
            self.storage.close(&origin.document);
        }
    }

    /// Makes it known that somebody takes care of a document's logs. With locks, whoever gets one adopts.
    fn claim(&self, document: &str) {
        if dom::has_locks() {
            dom::try_lock(document);
        } else {
            let mut until = String::new();
            push_whole(&mut until, (dom::now() + LEASE_MS) as i64);
            self.storage.set(&name(LEASE, document), &until);
        }
    }

    /// What holds for all logs of this document.
    fn common(&self) -> String {
        let mut text = String::new();
        let mut object = ObjectWriter::new(&mut text);
        object.text(const { Field::token.as_str() }, &self.token);
        object.text(const { Field::user_key.as_str() }, &self.user_key);
        object.text(const { Field::user_agent.as_str() }, &dom::cut(dom::user_agent(), USER_AGENT_BYTES_MAX));
        object.text(const { Field::tracker.as_str() }, env!("CARGO_PKG_VERSION"));
        object.end();
        text
    }

    fn view(&mut self, referrer: &str) {
        self.page = dom::address();
        self.view_seq = self.seq;
        let log = Log { kind: "view", link: &self.page.clone(), x: 0.0, y: 0.0, at_ms: dom::uptime() };
        self.record(&log, &|object| {
            write_text(object, const { Field::referrer.as_str() }, referrer, URL_BYTES_MAX);
            page::write(object);
        });
    }

    fn record(&mut self, log: &Log<'_>, more: &dyn Fn(&mut ObjectWriter<'_>)) {
        self.load_count = visitor::raise_load_count(&self.storage, self.load_count);
        let text = self.text_of(log, more);
        let is_kept = self.storage.keep(&self.own, self.seq, &text);
        let dropped = self.queue.push(&self.own, self.seq, text, is_kept);
        self.forget(&dropped);
        self.seq += 1;
        dom::flush_later(GATHER_MS);
    }

    fn text_of(&mut self, log: &Log<'_>, more: &dyn Fn(&mut ObjectWriter<'_>)) -> String {
        let ago_ms = dom::uptime() - log.at_ms;
        let spent_ms = log.at_ms - self.started_ms;
        let mut text = String::new();
        let mut object = ObjectWriter::new(&mut text);
        object.text(const { Field::timestamp.as_str() }, &dom::iso(dom::now() - ago_ms));
        object.text(const { Field::current_page.as_str() }, &self.page);
        object.text(const { Field::link.as_str() }, log.link);
        measure(&mut object, const { Field::x.as_str() }, log.x);
        measure(&mut object, const { Field::y.as_str() }, log.y);
        // A click that waited for the tracker came before its start.
        object.whole(const { Field::spent_milli_sec.as_str() }, spent_ms.max(0.0) as i64);
        object.whole(const { Field::load_count.as_str() }, self.load_count);
        object.text(const { Field::id.as_str() }, &log_id(&self.own.document, self.seq));
        object.whole(const { Field::seq.as_str() }, self.seq.into());
        object.whole(const { Field::view_seq.as_str() }, self.view_seq.into());
        object.text(const { Field::r#type.as_str() }, log.kind);
        more(&mut object);
        let n_dropped = self.queue.take_dropped();
        if n_dropped > 0 {
            object.whole("dropped", n_dropped.into());
        }
        object.end();
        text
    }

    fn body(&self, flight: u32, origin: &Origin) -> String {
        let logs = self.queue.logs_of(flight).map(|entry| &*entry.text);
        envelope::write(&dom::iso(dom::now()), &origin.common, logs)
    }

    /// Hands logs to beacons. They give no answer, so the logs stay: the next page sends them again, and the collector
    /// drops the repeats. A beacon that is refused is halved.
    fn flush_by_beacon(&mut self) {
        let mut sent = Vec::new();
        while let Some((flight, origin)) = self.queue.take_off() {
            if dom::beacon(&self.server, &self.body(flight, &origin)) {
                sent.push(flight);
            } else if !self.queue.halve(flight) {
                break;
            }
        }
        sent.into_iter().for_each(|flight| self.queue.put_back(flight));
    }

    fn forget(&self, entries: &[Entry]) {
        for entry in entries {
            self.storage.forget(&entry.origin.document, entry.seq);
        }
    }
}
