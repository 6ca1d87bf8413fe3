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
        ELEMENT_BYTES_MAX, ID_BYTES_MAX, LOCALE_BYTES_MAX, NAME_BYTES_MAX, POINTS_BYTES_MAX, TIMESTAMP_BYTES_MAX,
        TITLE_BYTES_MAX, TOKEN_BYTES_MAX, URL_BYTES_MAX, USER_AGENT_BYTES_MAX, USER_ID_BYTES_MAX, USER_KEY_BYTES_MAX,
    },
};

/// `2026-11-24T12:00:01.250Z`
const NOW_BYTES: usize = 24;
/// Logs of the same moment travel together.
const GATHER_MS: f64 = 500.0;
/// What JavaScript shows of a thing that happened: names, in the order of its values. Before them come, for every kind,
/// the numbers [`X_Y`] and the texts [`HEAD`].
struct Kind {
    name: &'static str,
    numbers: &'static [&'static str],
    /// With each text, how many bytes it may have; [`JSON`] stands for JSON. An empty one is left out.
    texts: &'static [(&'static str, usize)],
}

/// What is JSON already: JavaScript keeps it short, since it must not be cut.
const JSON: usize = URL_BYTES_MAX + 1;

const PLACE: &[&str] = &[
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
];
const TARGET: &[(&str, usize)] = &[
    (Field::element.as_str(), ELEMENT_BYTES_MAX),
    (Field::pointer.as_str(), NAME_BYTES_MAX),
    (Field::fixed.as_str(), JSON),
    (Field::trusted.as_str(), JSON),
];

/// By the numbers that JavaScript knows them by: `core.mjs`, `parts/more.mjs`.
static KINDS: [Kind; 8] = [
    Kind {
        name: "view",
        numbers: &[
            Field::viewport_w.as_str(),
            Field::viewport_h.as_str(),
            Field::document_w.as_str(),
            Field::document_h.as_str(),
            Field::screen_w.as_str(),
            Field::screen_h.as_str(),
            Field::pixel_ratio.as_str(),
        ],
        texts: &[
            (Field::referrer.as_str(), URL_BYTES_MAX),
            (Field::language.as_str(), LOCALE_BYTES_MAX),
            (Field::time_zone.as_str(), LOCALE_BYTES_MAX),
            (Field::webdriver.as_str(), JSON),
            (Field::title.as_str(), TITLE_BYTES_MAX),
        ],
    },
    Kind { name: "click", numbers: PLACE, texts: TARGET },
    Kind {
        name: "leave",
        numbers: &[
            Field::engaged_ms.as_str(),
            Field::scroll_max.as_str(),
            Field::lcp_ms.as_str(),
            Field::inp_ms.as_str(),
            Field::cls.as_str(),
            Field::fcp_ms.as_str(),
            Field::ttfb_ms.as_str(),
        ],
        texts: &[],
    },
    Kind { name: "rage", numbers: PLACE, texts: TARGET },
    Kind { name: "dead", numbers: PLACE, texts: TARGET },
    // Of the numbers it has the first four.
    Kind { name: "move", numbers: PLACE, texts: &[(Field::points.as_str(), POINTS_BYTES_MAX)] },
    Kind {
        name: "custom",
        numbers: &[Field::value.as_str()],
        texts: &[
            (Field::name.as_str(), NAME_BYTES_MAX),
            (Field::props.as_str(), JSON),
            (Field::currency.as_str(), NAME_BYTES_MAX),
        ],
    },
    Kind {
        name: "exposure",
        numbers: &[],
        texts: &[(Field::experiment.as_str(), NAME_BYTES_MAX), (Field::variation.as_str(), NAME_BYTES_MAX)],
    },
];
/// What all logs of a document share.
const COMMON: &[(&str, usize)] = &[
    (Field::token.as_str(), TOKEN_BYTES_MAX),
    (Field::user_agent.as_str(), USER_AGENT_BYTES_MAX),
    (Field::user_key.as_str(), USER_KEY_BYTES_MAX),
    (Field::key_kind.as_str(), NAME_BYTES_MAX),
];
/// What every log has first.
const HEAD: &[(&str, usize)] = &[
    (Field::timestamp.as_str(), TIMESTAMP_BYTES_MAX),
    (Field::current_page.as_str(), URL_BYTES_MAX),
    (Field::link.as_str(), URL_BYTES_MAX),
    (Field::user_id.as_str(), USER_ID_BYTES_MAX),
];
const X_Y: &[&str] = &[Field::x.as_str(), Field::y.as_str()];

const VIEW: i32 = 0;
const LEAVE: i32 = 2;

/// The tracker of one document.
pub struct Tracker {
    queue: OutQueue,
    /// A body, or a log in the making.
    out: Buffer,
    /// A text of the page's, on its way into the other.
    scratch: Buffer,
    /// Under which this document's logs are found.
    own: i32,
    seq: i32,
    view_seq: i32,
    /// The next `leave`, where a draft of it is kept: its number, and its count of loads and logs.
    draft: Option<(i32, f64)>,
    /// When the first view began, since the document did.
    started_ms: f64,
}

impl Tracker {
    /// One that waits for a document.
    pub const fn new() -> Self {
        Self {
            queue: OutQueue::new(),
            out: Buffer::new(),
            scratch: Buffer::new(),
            own: 0,
            seq: 0,
            view_seq: 0,
            draft: None,
            started_ms: -1.0,
        }
    }

    /// Begins a document's life; shown is what its logs share. One from the back/forward cache begins anew: others may
    /// have adopted what it left.
    pub fn enter(&mut self) {
        page::raise_load_count();
        self.seq = 0;
        self.draft = None;
        self.queue.forget_kept();
        self.out.clear();
        let mut object = ObjectWriter::new(&mut self.out);
        write_texts(&mut object, &mut self.scratch, 0, COMMON);
        object.text(const { Field::tracker.as_str() }, env!("CARGO_PKG_VERSION"));
        object.end();
        self.own = page::open(self.out.text().unwrap_or_default());
    }

    /// Logs what is shown. `at_ms`: when it happened, since the document began; `is_draft`: only for the case that this
    /// document ends unseen.
    pub fn record(&mut self, kind: i32, at_ms: f64, is_draft: bool) {
        let (seq, load_count) = match self.draft {
            Some(draft) if kind == LEAVE => draft,
            _ => (self.seq, page::raise_load_count()),
        };
        if kind == VIEW {
            self.view_seq = seq;
        }
        if self.started_ms < 0.0 {
            self.started_ms = at_ms;
        }
        self.seq = self.seq.max(seq + 1);
        if kind == LEAVE {
            self.draft = is_draft.then_some((seq, load_count));
        }
        let Some(kind) = KINDS.get(kind as usize) else { return };
        self.write_log(kind, at_ms, seq, load_count);
        // A log that no line can hold is not worth keeping: no page makes one.
        let Some(text) = self.out.text() else { return };
        let is_kept = page::keep(self.own, seq, text);
        if !is_draft {
            self.queue.push(Entry::new(self.own, seq, text.len() as u32, is_kept), &mut forget);
            page::flush_later(GATHER_MS);
        }
    }

    /// Forgets all logs that wait: the visitor does not want to be logged.
    pub fn stop(&mut self) {
        self.queue.clear();
    }

    /// Takes over a log of a document that is gone, or counts it as given up: see [`adopted`](crate::exports::adopted).
    pub fn adopt(&mut self, origin: i32, seq: i32, chars: u32) {
        if chars == 0 {
            self.queue.count_dropped();
        } else {
            self.queue.push(Entry::new(origin, seq, chars, true), &mut forget);
            page::flush_later(0.0);
        }
    }

    /// Sends what waits, unless the collector asked for patience; when it is urgent, whatever it asked.
    pub fn flush(&mut self, is_urgent: bool) {
        let wait_ms = self.queue.wait_ms(page::uptime());
        if wait_ms > 0.0 && !is_urgent {
            page::flush_later(wait_ms);
        } else {
            while let Some((flight, origin)) = self.queue.take_off() {
                page::send(self.body(flight, origin), flight);
            }
        }
    }

    /// Takes note of how a request ended: see [`landed`](crate::exports::landed).
    pub fn land(&mut self, flight: i32, status: i32, asked_ms: f64, chance: f64) {
        self.queue.land(flight, Outcome::of_status(status), page::uptime(), asked_ms, chance);
        self.queue.sweep(&mut forget);
        if self.queue.is_waiting() {
            page::flush_later(0.0);
        }
    }

    fn write_log(&mut self, kind: &Kind, at_ms: f64, seq: i32, load_count: f64) {
        self.out.clear();
        let mut object = ObjectWriter::new(&mut self.out);
        // The timestamp first: `care.mjs` finds it there.
        write_texts(&mut object, &mut self.scratch, 0, HEAD);
        write_texts(&mut object, &mut self.scratch, HEAD.len() as i32, kind.texts);
        for (nth, (name, number)) in X_Y.iter().chain(kind.numbers).zip(page::numbers()).enumerate() {
            // What happened nowhere says so; every other number may be absent.
            if nth < X_Y.len() || !number.is_nan() {
                object.measure(name, number);
            }
        }
        // A click that waited for the tracker came before its start.
        object.whole(const { Field::spent_milli_sec.as_str() }, (at_ms - self.started_ms).max(0.0) as i64);
        object.whole(const { Field::load_count.as_str() }, load_count as i64);
        object.text(const { Field::r#type.as_str() }, kind.name);
        object.whole(const { Field::seq.as_str() }, seq.into());
        object.whole(const { Field::view_seq.as_str() }, self.view_seq.into());
        self.scratch.clear();
        page::push_seen(&mut self.scratch, page::DOCUMENT, ID_BYTES_MAX);
        self.scratch.push_ascii(b'.');
        push_decimal(&mut self.scratch, seq.into(), 0);
        object.text(const { Field::id.as_str() }, self.scratch.text().unwrap_or_default());
        // In every log from then on, since the next may be given up as well.
        if self.queue.n_dropped() > 0 {
            object.whole("dropped", self.queue.n_dropped().into());
        }
        object.end();
    }

    fn body(&mut self, flight: i32, origin: i32) -> &str {
        self.scratch.clear();
        page::push_now_and_common(&mut self.scratch, origin);
        let text = self.scratch.text().unwrap_or_default();
        let (sent_at, common) = text.split_at_checked(NOW_BYTES).unwrap_or_default();
        self.out.clear();
        let mut envelope = EnvelopeWriter::begin(&mut self.out, sent_at, common);
        for entry in self.queue.logs_of(flight) {
            page::push_log(envelope.next_log(), entry.origin, entry.seq);
        }
        envelope.end();
        self.out.text().unwrap_or_default()
    }
}

/// Writes texts of what is shown, from the nth on.
fn write_texts(object: &mut ObjectWriter<'_, Buffer>, scratch: &mut Buffer, nth: i32, texts: &[(&str, usize)]) {
    for (nth, (name, bytes_max)) in (nth..).zip(texts) {
        scratch.clear();
        page::push_seen(scratch, nth, *bytes_max);
        match scratch.text().unwrap_or_default() {
            "" => {}
            json if *bytes_max == JSON => object.json(name, json),
            text => object.text(name, text),
        }
    }
}

fn forget(entry: Entry) {
    page::forget(entry.origin, entry.seq);
}
