//! What became of every log and every request, counted.
//!
//! A log that reaches the collector ends in exactly one [`Outcome`]: the sum over them is what was received. Labels are
//! few and fixed; nothing that a visitor sends becomes one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How a log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is durable, and was not here before.
    Stored,
    /// A log with this token and id is durable already; this one was dropped.
    Repeat,
    /// It will never be taken as it is; the tag says why.
    Refused(&'static str),
    /// It could not be made durable now; the sender was told to try again. The tag says why.
    Unavailable(&'static str),
    /// The sender hung up before the answer: it may be durable, and will come again.
    Unanswered,
}

impl Outcome {
    fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Stored => ("stored", ""),
            Self::Repeat => ("repeat", ""),
            Self::Refused(reason) => ("refused", reason),
            Self::Unavailable(reason) => ("unavailable", reason),
            Self::Unanswered => ("unanswered", ""),
        }
    }
}

/// Upper bounds of the histogram of answer times, in seconds: a commit takes 0.5 ms on a fast disk, 20 ms on a slow one.
const ANSWER_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// HTTP status codes are below this.
const STATUS_END: usize = 600;

/// All counters of a collector, since its start.
#[derive(Debug)]
pub struct Metrics {
    stored: AtomicU64,
    // Other outcomes are rare, or cost more than a lock.
    others: Mutex<BTreeMap<Outcome, u64>>,
    responses: Box<[AtomicU64; STATUS_END]>,
    answers: Histogram,
    /// Open connections.
    pub connections: AtomicI64,
    /// Bytes of request bodies that are held now.
    pub in_flight_bytes: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            stored: AtomicU64::new(0),
            others: Mutex::default(),
            responses: Box::new([const { AtomicU64::new(0) }; STATUS_END]),
            answers: Histogram::default(),
            connections: AtomicI64::new(0),
            in_flight_bytes: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    /// Counts `n` logs that ended alike.
    pub fn count(&self, outcome: Outcome, n: u64) {
        match outcome {
            _ if n == 0 => (),
            Outcome::Stored => _ = self.stored.fetch_add(n, Relaxed),
            other => *self.others.lock().unwrap_or_else(PoisonError::into_inner).entry(other).or_default() += n,
        }
    }

    /// How many logs ended so.
    pub fn counted(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Stored => self.stored.load(Relaxed),
            other => self.others.lock().unwrap_or_else(PoisonError::into_inner).get(&other).copied().unwrap_or(0),
        }
    }

    /// Counts a response.
    pub fn count_response(&self, status: u16) {
        if let Some(counter) = self.responses.get(usize::from(status)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts the time from a request's head to its logs being durable.
    pub fn count_answer(&self, took: Duration) {
        self.answers.count(took);
    }

    /// All of it in the text form that Prometheus reads.
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(4096);
        self.write_outcomes(&mut out);
        self.write_responses(&mut out);
        self.answers.write(&mut out, "logdig_answer_seconds", "Time from a request's head to its logs being durable.");
        let connections = self.connections.load(Relaxed).max(0).unsigned_abs();
        write_gauge(&mut out, "logdig_connections", "Open connections.", connections);
        let in_flight = self.in_flight_bytes.load(Relaxed);
        write_gauge(&mut out, "logdig_in_flight_bytes", "Bytes of request bodies that are held now.", in_flight);
        out
    }

    fn write_outcomes(&self, out: &mut String) {
        write_head(out, "logdig_logs_total", "counter", "Logs by how they ended; each is counted once.");
        let mut outcomes = self.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
        outcomes.insert(Outcome::Stored, self.counted(Outcome::Stored));
        for (outcome, n) in outcomes {
            let (name, reason) = outcome.labels();
            push(out, format_args!("logdig_logs_total{{outcome=\"{name}\",reason=\"{reason}\"}} {n}\n"));
        }
    }

    fn write_responses(&self, out: &mut String) {
        write_head(out, "logdig_http_responses_total", "counter", "HTTP responses by status.");
        for (status, n) in self.responses.iter().map(|n| n.load(Relaxed)).enumerate().filter(|(_, n)| *n > 0) {
            push(out, format_args!("logdig_http_responses_total{{status=\"{status}\"}} {n}\n"));
        }
    }
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; ANSWER_SECONDS.len()],
    /// Those past the last bound.
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    fn count(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = ANSWER_SECONDS.iter().position(|bound| seconds <= *bound);
        bucket.map_or(&self.beyond, |index| &self.buckets[index]).fetch_add(1, Relaxed);
        self.sum_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    fn write(&self, out: &mut String, name: &str, help: &str) {
        write_head(out, name, "histogram", help);
        let mut n = 0;
        for (bound, bucket) in ANSWER_SECONDS.iter().zip(&self.buckets) {
            n += bucket.load(Relaxed);
            push(out, format_args!("{name}_bucket{{le=\"{bound}\"}} {n}\n"));
        }
        n += self.beyond.load(Relaxed);
        let sum = Duration::from_micros(self.sum_us.load(Relaxed)).as_secs_f64();
        push(out, format_args!("{name}_bucket{{le=\"+Inf\"}} {n}\n{name}_sum {sum}\n{name}_count {n}\n"));
    }
}

/// Writes one gauge.
pub fn write_gauge(out: &mut String, name: &str, help: &str, value: u64) {
    write_head(out, name, "gauge", help);
    push(out, format_args!("{name} {value}\n"));
}

fn write_head(out: &mut String, name: &str, kind: &str, help: &str) {
    push(out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_was_counted() {
        let metrics = Metrics::default();
        metrics.count(Outcome::Stored, 5);
        metrics.count(Outcome::Refused("missing"), 2);
        metrics.count(Outcome::Refused("too_long"), 0);
        metrics.count_response(200);
        metrics.count_response(404);
        metrics.count_response(404);
        metrics.count_answer(Duration::from_millis(1));
        metrics.count_answer(Duration::from_secs(60));
        let text = metrics.to_text();
        for line in [
            "logdig_logs_total{outcome=\"stored\",reason=\"\"} 5",
            "logdig_logs_total{outcome=\"refused\",reason=\"missing\"} 2",
            "logdig_http_responses_total{status=\"200\"} 1",
            "logdig_http_responses_total{status=\"404\"} 2",
            "logdig_answer_seconds_bucket{le=\"0.0005\"} 0",
            "logdig_answer_seconds_bucket{le=\"0.001\"} 1",
            "logdig_answer_seconds_bucket{le=\"5\"} 1",
            "logdig_answer_seconds_bucket{le=\"+Inf\"} 2",
            "logdig_answer_seconds_sum 60.001",
            "logdig_answer_seconds_count 2",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("too_long"), "nothing ended so");
    }
}
