//! Logs that are made and not yet known to be durable. Knows no browser, so it is tested natively.

use alloc::{collections::VecDeque, rc::Rc, string::String, vec::Vec};
use logdig_shared::limits::{QUEUE_CHARS_MAX, QUEUE_LOGS_MAX, SEND_BYTES_MAX};

/// How many requests may be under way at once: a slow one must not hold up the others, and a page's scripts share
/// 64 KiB for requests that outlive it.
const FLIGHTS_MAX: usize = 3;
/// The first wait after a failure; it doubles with each further one, up to [`WAIT_MS_MAX`].
const WAIT_MS: f64 = 3_000.0;
const WAIT_MS_MAX: f64 = 300_000.0;

/// A document whose logs wait here: this one, or one that is gone and left some behind.
#[derive(Debug, Default)]
pub struct Origin {
    /// 16 random characters; the first part of each of its logs' ids.
    pub document: String,
    /// The JSON object of what holds for all its logs.
    pub common: String,
}

/// One log that waits.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose log it is.
    pub origin: Rc<Origin>,
    /// Counts the logs of its document.
    pub seq: u32,
    /// The JSON object of what is its own.
    pub text: String,
    /// Whether the browser's storage holds it too.
    is_kept: bool,
    /// The request that carries it; 0 while none does.
    flight: u32,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every log in it is durable, or was refused with a reason that will not change.
    Done,
    /// The collector refused all of it, for good.
    Refused,
    /// The collector, or something before it, takes no request of that size.
    TooLarge,
    /// It may succeed later.
    Later,
}

impl Outcome {
    /// Reads an HTTP status; 0 stands for no answer.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            413 => Self::TooLarge,
            // A time-out, too early, too many: told apart from the rest of 4xx, which would be refused again for ever.
            408 | 425 | 429 => Self::Later,
            400..=499 => Self::Refused,
            _ => Self::Later,
        }
    }
}

/// A bounded queue of logs, oldest first.
#[derive(Debug)]
pub struct OutQueue {
    entries: VecDeque<Entry>,
    chars: usize,
    body_bytes_max: usize,
    next_flight: u32,
    n_failures: i32,
    /// No request before this time, in milliseconds of whatever clock the caller has.
    wait_until_ms: f64,
    /// How many logs were given up since the last time somebody asked.
    n_dropped: u32,
}

impl Default for OutQueue {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            chars: 0,
            body_bytes_max: SEND_BYTES_MAX,
            next_flight: 1,
            n_failures: 0,
            wait_until_ms: 0.0,
            n_dropped: 0,
        }
    }
}

impl OutQueue {
    /// Takes a log in. Gives back what had to go for it: the oldest, beyond 2,000 logs or 512 Ki characters.
    pub fn push(&mut self, origin: &Rc<Origin>, seq: u32, text: String, is_kept: bool) -> Vec<Entry> {
        self.chars += text.len();
        self.entries.push_back(Entry { origin: origin.clone(), seq, text, is_kept, flight: 0 });
        let mut dropped = Vec::new();
        while self.entries.len() > QUEUE_LOGS_MAX || self.chars > QUEUE_CHARS_MAX {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.chars -= oldest.text.len();
            dropped.push(oldest);
        }
        self.n_dropped += dropped.len() as u32;
        dropped
    }

    /// Whether a log waits that no request carries.
    pub fn is_waiting(&self) -> bool {
        self.entries.iter().any(|entry| entry.flight == 0)
    }

    /// Whether any log of this document is here still.
    pub fn has_of(&self, origin: &Rc<Origin>) -> bool {
        self.entries.iter().any(|entry| Rc::ptr_eq(&entry.origin, origin))
    }

    /// Forgets what the browser's storage holds too: somebody else may have taken it over. What is here alone waits.
    pub fn forget_kept(&mut self) {
        self.entries.retain(|entry| !entry.is_kept);
        self.entries.iter_mut().for_each(|entry| entry.flight = 0);
        self.chars = self.entries.iter().map(|entry| entry.text.len()).sum();
    }

    /// How many logs were given up since the last call.
    pub fn take_dropped(&mut self) -> u32 {
        core::mem::take(&mut self.n_dropped)
    }

    /// Counts logs that somebody else had to give up.
    pub fn add_dropped(&mut self, n: u32) {
        self.n_dropped += n;
    }

    /// Picks logs for the next request: of one document, oldest first, as many as fit. Gives its number and whose logs
    /// they are; `None` when nothing waits or enough is under way. [`logs_of`](Self::logs_of) has the logs.
    pub fn take_off(&mut self) -> Option<(u32, Rc<Origin>)> {
        if self.n_flights() >= FLIGHTS_MAX {
            return None;
        }
        let flight = self.next_flight;
        let origin = self.entries.iter().find(|entry| entry.flight == 0)?.origin.clone();
        let mut bytes = origin.common.len();
        let fitting = self.entries.iter_mut().filter(|entry| entry.flight == 0 && Rc::ptr_eq(&entry.origin, &origin));
        for (nth, entry) in fitting.enumerate() {
            bytes += entry.text.len() + 1;
            // One log always goes, however large: else it would wait for ever.
            if bytes > self.body_bytes_max && nth > 0 {
                break;
            }
            entry.flight = flight;
        }
        self.next_flight += 1;
        Some((flight, origin))
    }

    /// The logs that a request carries.
    pub fn logs_of(&self, flight: u32) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.flight == flight)
    }

    /// Takes note of how a request ended. Gives back the logs that need not be kept any longer.
    ///
    /// `now_ms`: the time; `wait_ms`: how long the collector asked to wait, 0 where it did not; `chance`: 0 to 1, spreads
    /// the tries of many browsers over a quarter of the wait to either side.
    pub fn land(&mut self, flight: u32, outcome: Outcome, now_ms: f64, wait_ms: f64, chance: f64) -> Vec<Entry> {
        match outcome {
            Outcome::Done => {
                self.n_failures = 0;
                self.wait_until_ms = 0.0;
                self.remove(flight)
            }
            Outcome::TooLarge if self.logs_of(flight).count() > 1 => {
                self.halve(flight);
                Vec::new()
            }
            Outcome::Refused | Outcome::TooLarge => {
                let refused = self.remove(flight);
                self.n_dropped += refused.len() as u32;
                refused
            }
            Outcome::Later => {
                self.put_back(flight);
                self.wait(now_ms, wait_ms, chance);
                Vec::new()
            }
        }
    }

    /// Puts the logs of a request back, as if it had never been made.
    pub fn put_back(&mut self, flight: u32) {
        for entry in self.entries.iter_mut().filter(|entry| entry.flight == flight) {
            entry.flight = 0;
        }
    }

    /// Puts the logs of a request back, fewer to come at a time; `false` when it was a single one.
    pub fn halve(&mut self, flight: u32) -> bool {
        let can_halve = self.logs_of(flight).count() > 1;
        self.body_bytes_max /= 1 + usize::from(can_halve);
        self.put_back(flight);
        can_halve
    }

    /// Forgets that the collector could not be reached: the network is back.
    pub fn hurry(&mut self) {
        self.wait_until_ms = 0.0;
    }

    /// Milliseconds until the next request may go out; 0 when it may now.
    pub fn wait_ms(&self, now_ms: f64) -> f64 {
        let wait = self.wait_until_ms - now_ms;
        if wait > 0.0 { wait } else { 0.0 }
    }

    fn wait(&mut self, now_ms: f64, asked_ms: f64, chance: f64) {
        if self.wait_ms(now_ms) > 0.0 {
            return; // requests that fail together count once
        }
        let doubled = WAIT_MS * (1 << self.n_failures.min(10)) as f64;
        let own = if doubled > WAIT_MS_MAX { WAIT_MS_MAX } else { doubled } * (0.75 + chance / 2.0);
        self.wait_until_ms = now_ms + if asked_ms > own { asked_ms } else { own };
        self.n_failures += 1;
    }

    fn n_flights(&self) -> usize {
        let mut flights: Vec<u32> =
            self.entries.iter().map(|entry| entry.flight).filter(|flight| *flight > 0).collect();
        flights.sort_unstable();
        flights.dedup();
        flights.len()
    }

    fn remove(&mut self, flight: u32) -> Vec<Entry> {
        let (gone, kept): (Vec<Entry>, Vec<Entry>) = self.entries.drain(..).partition(|entry| entry.flight == flight);
        self.entries = kept.into();
        self.chars -= gone.iter().map(|entry| entry.text.len()).sum::<usize>();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};
    use proptest::prelude::*;

    fn origin(document: &str) -> Rc<Origin> {
        Rc::new(Origin { document: document.into(), common: "{}".into() })
    }

    fn queue_of(logs: &[(&Rc<Origin>, u32, usize)]) -> OutQueue {
        let mut queue = OutQueue::default();
        for (origin, seq, length) in logs {
            assert!(queue.push(origin, *seq, "x".repeat(*length), true).is_empty());
        }
        queue
    }

    fn seqs(queue: &OutQueue, flight: u32) -> Vec<u32> {
        queue.logs_of(flight).map(|entry| entry.seq).collect()
    }

    #[test]
    fn keeps_a_log_until_it_is_known_to_be_durable() {
        let here = origin("a");
        let mut queue = queue_of(&[(&here, 0, 10), (&here, 1, 10)]);
        let (flight, _) = queue.take_off().unwrap();
        assert_eq!(seqs(&queue, flight), [0, 1]);
        assert!(!queue.is_waiting() && queue.has_of(&here));
        assert!(queue.land(flight, Outcome::Later, 0.0, 0.0, 0.5).is_empty());
        assert!(queue.is_waiting());
        let (flight, _) = queue.take_off().unwrap();
        let gone: Vec<_> =
            queue.land(flight, Outcome::Done, 0.0, 0.0, 0.5).into_iter().map(|entry| entry.seq).collect();
        assert_eq!(gone, [0, 1]);
        assert!(!queue.has_of(&here) && queue.take_dropped() == 0);
    }

    #[test]
    fn a_request_holds_logs_of_one_document_that_fit() {
        let (here, gone) = (origin("a"), origin("b"));
        let mut queue = queue_of(&[(&gone, 4, 9_000), (&here, 0, 9_000), (&gone, 5, 9_000), (&gone, 6, 30_000)]);
        let flights: Vec<_> =
            core::iter::from_fn(|| queue.take_off().map(|(flight, _)| seqs(&queue, flight))).collect();
        assert_eq!(flights, vec![vec![4], vec![0], vec![5]], "and no more than three at once");
    }

    #[test]
    fn what_is_under_way_does_not_hold_up_the_rest() {
        let here = origin("a");
        let mut queue = queue_of(&[(&here, 0, 10)]);
        let (first, _) = queue.take_off().unwrap();
        queue.push(&here, 1, "x".into(), true);
        let (second, _) = queue.take_off().unwrap();
        assert_eq!((seqs(&queue, first), seqs(&queue, second)), (vec![0], vec![1]));
    }

    #[test]
    fn statuses_tell_what_to_do() {
        let table = [
            (200, Outcome::Done),
            (204, Outcome::Done),
            (400, Outcome::Refused),
            (403, Outcome::Refused),
            (404, Outcome::Refused),
            (408, Outcome::Later),
            (413, Outcome::TooLarge),
            (429, Outcome::Later),
            (500, Outcome::Later),
            (503, Outcome::Later),
            (0, Outcome::Later),
        ];
        for (status, outcome) in table {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
        }
    }

    #[test]
    fn a_request_that_is_too_large_is_halved_and_a_single_log_given_up() {
        let here = origin("a");
        let mut queue = queue_of(&[(&here, 0, 5_000), (&here, 1, 5_000)]);
        let (flight, _) = queue.take_off().unwrap();
        assert!(queue.land(flight, Outcome::TooLarge, 0.0, 0.0, 0.0).is_empty());
        let (flight, _) = queue.take_off().unwrap();
        assert_eq!(seqs(&queue, flight), [0]);
        assert_eq!(queue.land(flight, Outcome::TooLarge, 0.0, 0.0, 0.0).len(), 1);
        assert_eq!(queue.take_dropped(), 1);
    }

    #[test]
    fn waits_double_are_spread_and_obey_the_collector() {
        let here = origin("a");
        let mut queue = queue_of(&[(&here, 0, 10)]);
        let mut fail = |now: f64, asked: f64, chance: f64| {
            let (flight, _) = queue.take_off().unwrap();
            queue.land(flight, Outcome::Later, now, asked, chance);
            queue.wait_ms(now)
        };
        assert_eq!(fail(0.0, 0.0, 0.0), 2_250.0);
        assert_eq!(fail(10_000.0, 0.0, 1.0), 7_500.0);
        assert_eq!(fail(20_000.0, 0.0, 0.5), 12_000.0);
        assert_eq!(fail(40_000.0, 60_000.0, 0.5), 60_000.0);
        for nth in 1..20 {
            assert!(fail(1e6 * f64::from(nth), 0.0, 0.5) <= WAIT_MS_MAX);
        }
        queue.hurry();
        assert_eq!(queue.wait_ms(0.0), 0.0);
    }

    #[test]
    fn the_oldest_go_first_and_are_counted() {
        let here = origin("a");
        let mut queue = OutQueue::default();
        let dropped: Vec<_> =
            (0..2_005).flat_map(|seq| queue.push(&here, seq, "x".into(), true)).map(|entry| entry.seq).collect();
        assert_eq!(dropped, [0, 1, 2, 3, 4]);
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (5, 0));
        assert_eq!(queue.push(&here, 9_999, "x".repeat(QUEUE_CHARS_MAX), true).len(), 2_000);
    }

    #[test]
    fn what_storage_does_not_hold_outlives_the_cache() {
        let here = origin("a");
        let mut queue = queue_of(&[(&here, 0, 10)]);
        queue.push(&here, 1, "x".into(), false);
        queue.take_off();
        queue.forget_kept();
        let (flight, _) = queue.take_off().unwrap();
        assert_eq!(seqs(&queue, flight), [1]);
    }

    proptest! {
        /// Whatever happens, each log is in the queue, or was given back, exactly once.
        #[test]
        fn no_log_is_lost_or_doubled(steps in proptest::collection::vec((0u8..6, 0usize..9_000), 1..200)) {
            let origins = [origin("a"), origin("b")];
            let mut queue = OutQueue::default();
            let (mut made, mut gone, mut flights) = (0, vec![], vec![]);
            for (step, size) in steps {
                match step {
                    0..=2 => {
                        gone.extend(queue.push(&origins[size % 2], made, "x".repeat(size), true));
                        made += 1;
                    }
                    3 => flights.extend(queue.take_off().map(|(flight, _)| flight)),
                    _ => if let Some(flight) = flights.pop() {
                        let outcomes = [Outcome::Done, Outcome::Refused, Outcome::TooLarge, Outcome::Later];
                        gone.extend(queue.land(flight, outcomes[size % 4], 0.0, 0.0, 0.0));
                    }
                }
            }
            let mut seqs: Vec<_> = gone.iter().chain(&queue.entries).map(|entry| entry.seq).collect();
            seqs.sort_unstable();
            prop_assert_eq!(seqs, (0..made).collect::<Vec<_>>());
            let chars: usize = queue.entries.iter().map(|entry| entry.text.len()).sum();
            prop_assert_eq!(queue.chars, chars, "{}", format!("{queue:?}").len());
        }
    }
}
