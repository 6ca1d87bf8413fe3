//! The tracker of one document: makes logs, keeps them, hands them over.

use crate::{
    buffer::Buffer,
    out_queue::{Entry, OutQueue, Outcome},
    page,
};
use logdig_shared::{
    Field,
    envelope::EnvelopeWriter,
    json::{ObjectWriter, Push, push_decimal},
    limits::{
        ELEMENT_BYTES_MAX, LOCALE_BYTES_MAX, NAME_BYTES_MAX, TOKEN_BYTES_MAX, URL_BYTES_MAX, USER_AGENT_BYTES_MAX,
    },
};

/// Logs of the same moment travel together.
const GATHER_MS: f64 = 500.0;
/// Letters and digits first: a user key is made of these 62, a document's id of all 64.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What `page.mjs` tells of a thing that happened: names, in the order of its values.
struct Kind {
    name: &'static str,
    numbers: &'static [&'static str],
    /// With each text, how many bytes it may have; [`FLAG`] stands for `true` or `false`. An empty one is left out.
    texts: &'static [(&'static str, usize)],
}

const FLAG: usize = 8;

static CLICK: Kind = Kind {
    name: "click",
    numbers: &[
        Field::x.as_str(),
        Field::y.as_str(),
        Field::viewport_w.as_str(),
        Field::viewport_h.as_str(),
        Field::document_w.as_str(),
        Field::document_h.as_str(),
        Field::scroll_x.as_str(),
        Field::scroll_y.as_str(),
        Field::element_x.as_str(),
        Field::element_y.as_str(),
        Field::element_w.as_str(),
        Field::element_h.as_str(),
    ],
    texts: &[
        (Field::current_page.as_str(), URL_BYTES_MAX),
        (Field::link.as_str(), URL_BYTES_MAX),
        (Field::element.as_str(), ELEMENT_BYTES_MAX),
        (Field::pointer.as_str(), NAME_BYTES_MAX),
        (Field::fixed.as_str(), FLAG),
        (Field::trusted.as_str(), FLAG),
    ],
};

static VIEW: Kind = Kind {
    name: "view",
    numbers: &[
        Field::x.as_str(),
        Field::y.as_str(),
        Field::viewport_w.as_str(),
        Field::viewport_h.as_str(),
        Field::document_w.as_str(),
        Field::document_h.as_str(),
        Field::screen_w.as_str(),
        Field::screen_h.as_str(),
        Field::pixel_ratio.as_str(),
    ],
    texts: &[
        (Field::current_page.as_str(), URL_BYTES_MAX),
        (Field::link.as_str(), URL_BYTES_MAX),
        (Field::referrer.as_str(), URL_BYTES_MAX),
        (Field::language.as_str(), LOCALE_BYTES_MAX),
        (Field::time_zone.as_str(), LOCALE_BYTES_MAX),
        (Field::webdriver.as_str(), FLAG),
    ],
};

/// The tracker of one document.
pub struct Tracker {
    queue: OutQueue,
    /// A body, or a log in the making.
    out: Buffer,
    /// A text of the page's, on its way into the other.
    scratch: Buffer,
    /// This document's id: 96 random bits.
    document: [u8; 16],
    /// Under which its logs are found.
    own: u32,
    seq: u32,
    view_seq: u32,
    started_ms: f64,
    /// When the document began, by the visitor's clock. Its logs take the time from here on from a clock that nobody can set.
    epoch_ms: f64,
}

impl Tracker {
    /// One that waits for a document.
    pub const fn new() -> Self {
        Self {
            queue: OutQueue::new(),
            out: Buffer::new(),
            scratch: Buffer::new(),
            document: [0; 16],
            own: 0,
            seq: 0,
            view_seq: 0,
            started_ms: -1.0,
            epoch_ms: 0.0,
        }
    }

    /// Begins a document's life, also that of one from the back/forward cache: others may have adopted what it left.
    pub fn enter(&mut self) {
        if self.started_ms < 0.0 {
            self.started_ms = page::uptime();
        }
        self.epoch_ms = page::now() - page::uptime();
        page::raise_load_count();
        fill_random(&mut self.document, 64);
        self.seq = 0;
        self.queue.forget_kept();
        self.write_common();
        self.own = page::open(as_str(&self.document), self.out.text().unwrap_or_default());
    }

    /// Logs the view of the page that was surveyed.
    pub fn view(&mut self) {
        self.view_seq = self.seq;
        self.record(&VIEW, page::uptime());
    }

    /// Logs the click that was looked at; `at_ms`: when, since the document began.
    pub fn click(&mut self, at_ms: f64) {
        self.record(&CLICK, at_ms);
    }

    /// Takes over a log of a document that is gone.
    pub fn adopt(&mut self, origin: u32, seq: u32, chars: u32) {
        self.queue.push(Entry::new(origin, seq, chars, true), &mut forget);
        page::flush_later(0.0);
    }

    /// Counts a log that was too old to be adopted.
    pub fn count_dropped(&mut self) {
        self.queue.count_dropped();
    }

    /// Sends what waits, unless the collector asked for patience; while the page is left, whatever it asked.
    pub fn flush(&mut self, is_leaving: bool) {
        let wait_ms = self.queue.wait_ms(page::uptime());
        if wait_ms > 0.0 && !is_leaving {
            page::flush_later(wait_ms);
        } else if is_leaving && !page::outlives_page() {
            self.flush_by_beacon();
        } else {
            while let Some((flight, origin)) = self.queue.take_off() {
                page::send(self.body(flight, origin), flight);
            }
        }
    }

    /// As [`flush`](Self::flush), when the network is back.
    pub fn hurry(&mut self) {
        self.queue.hurry();
        self.flush(false);
    }

    /// Takes note of how a request ended; `status` 0 stands for no answer.
    pub fn land(&mut self, flight: u32, status: u32, asked_ms: f64) {
        self.queue.land(flight, Outcome::of_status(status), page::uptime(), asked_ms, page::chance());
        self.queue.sweep(&mut forget);
        if self.queue.is_waiting() {
            page::flush_later(0.0);
        }
    }

    fn record(&mut self, kind: &Kind, at_ms: f64) {
        self.write_log(kind, at_ms);
        // A log that no line can hold is not worth keeping: no page makes one.
        if let Some(text) = self.out.text() {
            let is_kept = page::keep(self.own, self.seq, text);
            self.queue.push(Entry::new(self.own, self.seq, text.len() as u32, is_kept), &mut forget);
        }
        self.seq += 1;
        page::flush_later(GATHER_MS);
    }

    /// Writes what holds for all logs of this document.
    fn write_common(&mut self) {
        self.out.clear();
        let mut object = ObjectWriter::new(&mut self.out);
        object.text(const { Field::token.as_str() }, page::seen(&mut self.scratch, 0, TOKEN_BYTES_MAX));
        object.text(const { Field::user_agent.as_str() }, page::seen(&mut self.scratch, 1, USER_AGENT_BYTES_MAX));
        let mut new_key = [0; 20];
        let mut user_key = page::kept_user_key(&mut self.scratch);
        if user_key.is_empty() {
            fill_random(&mut new_key, 62);
            user_key = as_str(&new_key);
            page::keep_user_key(user_key);
        }
        object.text(const { Field::user_key.as_str() }, user_key);
        object.text(const { Field::tracker.as_str() }, env!("CARGO_PKG_VERSION"));
        object.end();
    }

    fn write_log(&mut self, kind: &Kind, at_ms: f64) {
        self.out.clear();
        let mut object = ObjectWriter::new(&mut self.out);
        // `care.mjs` finds it there.
        object.text(const { Field::timestamp.as_str() }, page::instant(&mut self.scratch, self.epoch_ms + at_ms));
        for (nth, (name, bytes_max)) in kind.texts.iter().enumerate() {
            let text = page::seen(&mut self.scratch, nth, *bytes_max);
            if *bytes_max == FLAG && !text.is_empty() {
                object.json(name, text);
            } else if !text.is_empty() {
                object.text(name, text);
            }
        }
        let mut numbers = [0.0; 12];
        page::numbers(&mut numbers);
        for (name, number) in kind.numbers.iter().zip(numbers) {
            object.measure(name, number);
        }
        // A click that waited for the tracker came before its start.
        object.whole(const { Field::spent_milli_sec.as_str() }, (at_ms - self.started_ms).max(0.0) as i64);
        object.whole(const { Field::load_count.as_str() }, page::raise_load_count() as i64);
        object.text(const { Field::r#type.as_str() }, kind.name);
        object.whole(const { Field::seq.as_str() }, self.seq.into());
        object.whole(const { Field::view_seq.as_str() }, self.view_seq.into());
        self.scratch.clear();
        self.scratch.push_str(as_str(&self.document));
        self.scratch.push_ascii(b'.');
        push_decimal(&mut self.scratch, self.seq.into(), 0);
        object.text(const { Field::id.as_str() }, self.scratch.text().unwrap_or_default());
        let n_dropped = self.queue.take_dropped();
        if n_dropped > 0 {
            object.whole("dropped", n_dropped.into());
        }
        object.end();
    }

    fn body(&mut self, flight: u32, origin: u32) -> &str {
        self.out.clear();
        let mut sent_at = [0; 24];
        // By the clock of the logs' timestamps, as far as it is known.
        let now_ms = if origin == self.own { self.epoch_ms + page::uptime() } else { page::now() };
        let now = page::instant(&mut self.scratch, now_ms);
        sent_at.iter_mut().zip(now.bytes()).for_each(|(to, from)| *to = from);
        let common = page::common_of(&mut self.scratch, origin);
        let mut envelope = EnvelopeWriter::begin(&mut self.out, as_str(&sent_at), common);
        for entry in self.queue.logs_of(flight) {
            page::push_log(envelope.next_log(), entry.origin, entry.seq);
        }
        envelope.end();
        self.out.text().unwrap_or_default()
    }

    /// Hands logs to beacons. They give no answer, so the logs stay: the next page sends them again, and the collector
    /// drops the repeats. A beacon that is refused is halved.
    fn flush_by_beacon(&mut self) {
        let mut sent = [0; 3];
        for slot in &mut sent {
            while let Some((flight, origin)) = self.queue.take_off() {
                if page::beacon(self.body(flight, origin)) {
                    *slot = flight;
                    break;
                }
                if !self.queue.halve(flight) {
                    self.queue.put_back(flight);
                    break;
                }
            }
        }
        for flight in sent {
            self.queue.put_back(flight);
        }
    }
}

fn forget(entry: Entry, is_last: bool) {
    page::forget(entry.origin, entry.seq, is_last);
}

/// Fills in random letters of the alphabet's first `n_letters`, each as likely as every other: what lies beyond is drawn
/// again.
fn fill_random(letters: &mut [u8], n_letters: u8) {
    for letter in letters {
        let mut drawn = [u8::MAX];
        while drawn[0] & 63 >= n_letters || drawn[0] == u8::MAX {
            page::fill_random(&mut drawn);
        }
        *letter = ALPHABET[usize::from(drawn[0] & 63)];
    }
}

fn as_str(letters: &[u8]) -> &str {
    // SAFETY: called with what `fill_random` or `Date.toISOString` wrote, or zeros: ASCII.
    unsafe { core::str::from_utf8_unchecked(letters) }
}
