//! Logs that are made and not yet known to be durable. Knows no browser, so it is tested natively; holds no text, so it
//! needs no allocator.

use logdig_shared::limits::{QUEUE_CHARS_MAX, QUEUE_LOGS_MAX, SEND_BYTES_MAX};

/// How many requests may be under way at once: a slow one must not hold up the others, and a page's scripts share
/// 64 KiB for requests that outlive it.
const FLIGHTS_MAX: i32 = 3;
/// What an envelope says once, at most: a token, a browser's name and a key, each at its limit, and their names.
const ENVELOPE_BYTES_MAX: usize = 1_400;
/// The first wait after a failure; it doubles with each further one, up to [`WAIT_MS_MAX`].
const WAIT_MS: f64 = 3_000.0;
const WAIT_MS_MAX: f64 = 300_000.0;

/// Instead of a request's number: none carries the log.
const WAITING: i32 = 0;
/// Instead of a request's number: the log is durable or was given up.
const GONE: i32 = i32::MAX;

/// One log that waits. Its text is elsewhere, found by `origin` and `seq`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The document whose log it is: this one, or one that is gone and left some behind.
    pub origin: i32,
    /// Counts the logs of its document.
    pub seq: i32,
    /// Length of its text.
    pub chars: u32,
    /// Whether the browser's storage holds it too.
    pub is_kept: bool,
    /// The request that carries it, or [`WAITING`] or [`GONE`].
    flight: i32,
}

impl Entry {
    /// A log that waits.
    pub const fn new(origin: i32, seq: i32, chars: u32, is_kept: bool) -> Self {
        Self { origin, seq, chars, is_kept, flight: WAITING }
    }
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
    pub fn of_status(status: i32) -> Self {
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
    /// One more than may stay: a new log comes in before the oldest goes.
    entries: [Entry; QUEUE_LOGS_MAX + 1],
    n_entries: usize,
    body_bytes_max: usize,
    n_flights: i32,
    last_flight: i32,
    n_failures: u32,
    /// No request before this time, in milliseconds of whatever clock the caller has.
    wait_until_ms: f64,
    /// How many logs were given up.
    n_dropped: u32,
}

#[expect(clippy::new_without_default, reason = "it stands in a static, which `default` can't make")]
impl OutQueue {
    /// An empty queue.
    pub const fn new() -> Self {
        Self {
            entries: [Entry::new(0, 0, 0, false); QUEUE_LOGS_MAX + 1],
            n_entries: 0,
            body_bytes_max: SEND_BYTES_MAX - ENVELOPE_BYTES_MAX,
            n_flights: 0,
            last_flight: 0,
            n_failures: 0,
            wait_until_ms: 0.0,
            n_dropped: 0,
        }
    }

    /// Takes a log in. Where it makes more than 2,000 logs or 512 Ki characters, the oldest are given up; `forget` is told
    /// of each of them, as in [`sweep`](Self::sweep).
    pub fn push(&mut self, entry: Entry, forget: &mut dyn FnMut(Entry)) {
        if let Some(free) = self.entries.get_mut(self.n_entries) {
            *free = entry;
            self.n_entries += 1;
        }
        let mut n_entries = self.n_entries;
        let mut chars: u32 = self.entries().map(|entry| entry.chars).sum();
        // What is under way may be stored already, and its request must find it when it ends.
        for oldest in self.entries.iter_mut().take(self.n_entries).filter(|entry| entry.flight == WAITING) {
            if n_entries <= QUEUE_LOGS_MAX && chars <= QUEUE_CHARS_MAX as u32 {
                break;
            }
            oldest.flight = GONE;
            chars -= oldest.chars;
            n_entries -= 1;
            self.n_dropped += 1;
        }
        self.sweep(forget);
    }

    /// Lets go of what is durable or was given up. `forget` is told of each log.
    pub fn sweep(&mut self, forget: &mut dyn FnMut(Entry)) {
        let (mut n_kept, n_entries) = (0, self.n_entries);
        for at in 0..n_entries {
            let Some(entry) = self.entries.get(at).copied() else { break };
            if entry.flight != GONE {
                if let Some(free) = self.entries.get_mut(n_kept) {
                    *free = entry;
                    n_kept += 1;
                }
                continue;
            }
            forget(entry);
        }
        self.n_entries = n_kept;
    }

    /// Whether a log waits that no request carries.
    pub fn is_waiting(&self) -> bool {
        self.entries().any(|entry| entry.flight == WAITING)
    }

    /// Begins a document's life. What the browser's storage holds too is forgotten: somebody else may have taken it over.
    /// What is here alone waits.
    pub fn forget_kept(&mut self) {
        for entry in self.entries_mut() {
            entry.flight = if entry.is_kept { GONE } else { WAITING };
        }
        self.n_flights = 0;
        self.n_dropped = 0;
        self.sweep(&mut |_| {});
    }

    /// Forgets everything; what is under way carries nothing any more.
    pub fn clear(&mut self) {
        self.n_entries = 0;
        self.n_flights = 0;
    }

    /// How many logs were given up in the document's life so far.
    pub fn n_dropped(&self) -> u32 {
        self.n_dropped
    }

    /// Counts a log that was given up before it came here.
    pub fn count_dropped(&mut self) {
        self.n_dropped += 1;
    }

    /// Picks logs for the next request: of one document, oldest first, as many as fit. Gives its number and the document;
    /// `None` when nothing waits or enough is under way. [`logs_of`](Self::logs_of) has the logs.
    pub fn take_off(&mut self) -> Option<(i32, i32)> {
        let origin = self.entries().find(|entry| entry.flight == WAITING)?.origin;
        if self.n_flights >= FLIGHTS_MAX {
            return None;
        }
        let flight = self.last_flight + 1;
        let (mut bytes, bytes_max) = (0, self.body_bytes_max);
        for entry in self.entries_mut().filter(|entry| entry.flight == WAITING && entry.origin == origin) {
            let before = bytes;
            bytes += entry.chars as usize + 1;
            // One log always goes, however large: else it would wait for ever.
            if bytes > bytes_max && before > 0 {
                break;
            }
            entry.flight = flight;
        }
        self.last_flight = flight;
        self.n_flights += 1;
        Some((flight, origin))
    }

    /// The logs that a request carries.
    pub fn logs_of(&self, flight: i32) -> impl Iterator<Item = &Entry> {
        self.entries().filter(move |entry| entry.flight == flight)
    }

    /// Takes note of how a request ended; [`sweep`](Self::sweep) lets go of what need not be kept any longer.
    ///
    /// `now_ms`: the time; `asked_ms`: how long the collector asked to wait, 0 where it did not; `chance`: 0 to 1, spreads
    /// the tries of many browsers over a quarter of the wait to either side.
    pub fn land(&mut self, flight: i32, outcome: Outcome, now_ms: f64, asked_ms: f64, chance: f64) {
        match outcome {
            Outcome::Done => {
                self.n_failures = 0;
                self.wait_until_ms = 0.0;
                self.end(flight, GONE);
            }
            Outcome::TooLarge if self.halve(flight) => {}
            Outcome::Refused | Outcome::TooLarge => self.n_dropped += self.end(flight, GONE),
            Outcome::Later => {
                self.put_back(flight);
                self.wait(now_ms, asked_ms, chance);
            }
        }
    }

    /// Puts the logs of a request back, as if it had never been made.
    pub fn put_back(&mut self, flight: i32) {
        self.end(flight, WAITING);
    }

    /// Puts the logs of a request back, fewer to come at a time; `false` when it was a single one.
    pub fn halve(&mut self, flight: i32) -> bool {
        let can_halve = self.logs_of(flight).count() > 1;
        if can_halve {
            self.body_bytes_max /= 2;
            self.put_back(flight);
        }
        can_halve
    }

    /// Milliseconds until the next request may go out; 0 when it may now.
    pub fn wait_ms(&self, now_ms: f64) -> f64 {
        (self.wait_until_ms - now_ms).max(0.0)
    }

    fn wait(&mut self, now_ms: f64, asked_ms: f64, chance: f64) {
        if self.wait_ms(now_ms) > 0.0 {
            return; // requests that fail together count once
        }
        let doubled_ms = WAIT_MS * f64::from(1u32 << self.n_failures.min(10));
        let own_ms = doubled_ms.min(WAIT_MS_MAX) * (0.75 + chance / 2.0);
        self.wait_until_ms = now_ms + own_ms.max(asked_ms);
        self.n_failures += 1;
    }

    /// Ends a request that is under way; gives how many logs it carried.
    fn end(&mut self, flight: i32, state: i32) -> u32 {
        let mut n_logs = 0;
        for entry in self.entries_mut().filter(|entry| entry.flight == flight) {
            entry.flight = state;
            n_logs += 1;
        }
        // An answer to a request of the document's former life carries none.
        self.n_flights -= i32::from(n_logs > 0);
        n_logs
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().take(self.n_entries)
    }

    fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().take(self.n_entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{boxed::Box, vec, vec::Vec};
    use proptest::prelude::*;

    /// A queue of logs, each told by document, number and length.
    fn queue_of(logs: &[(i32, i32, u32)]) -> Box<OutQueue> {
        let mut queue = Box::new(OutQueue::new());
        for (origin, seq, chars) in logs {
            queue.push(Entry::new(*origin, *seq, *chars, true), &mut |_| panic!("nothing had to go"));
        }
        queue
    }

    fn seqs(queue: &OutQueue, flight: i32) -> Vec<i32> {
        queue.logs_of(flight).map(|entry| entry.seq).collect()
    }

    fn swept(queue: &mut OutQueue) -> Vec<i32> {
        let mut gone = vec![];
        queue.sweep(&mut |entry| gone.push(entry.seq));
        gone
    }

    #[test]
    fn keeps_a_log_until_it_is_known_to_be_durable() {
        let mut queue = queue_of(&[(1, 0, 10), (1, 1, 10)]);
        let (flight, _) = queue.take_off().unwrap();
        assert_eq!(seqs(&queue, flight), [0, 1]);
        assert!(!queue.is_waiting());
        queue.land(flight, Outcome::Later, 0.0, 0.0, 0.5);
        assert!(queue.is_waiting() && swept(&mut queue).is_empty());
        let (flight, _) = queue.take_off().unwrap();
        queue.land(flight, Outcome::Done, 0.0, 0.0, 0.5);
        assert_eq!(swept(&mut queue), [0, 1]);
        assert_eq!(queue.n_dropped(), 0);
    }

    #[test]
    fn a_request_holds_logs_of_one_document_that_fit() {
        let mut queue = queue_of(&[(2, 4, 9_000), (1, 0, 9_000), (2, 5, 9_000), (2, 6, 30_000)]);
        let flights: Vec<_> = core::iter::from_fn(|| queue.take_off()).map(|(flight, _)| flight).collect::<Vec<_>>();
        let carried: Vec<_> = flights.iter().map(|flight| seqs(&queue, *flight)).collect();
        assert_eq!(carried, [[4], [0], [5]], "and no more than three at once");
    }

    #[test]
    fn what_is_under_way_does_not_hold_up_the_rest() {
        let mut queue = queue_of(&[(1, 0, 10)]);
        let (first, _) = queue.take_off().unwrap();
        queue.push(Entry::new(1, 1, 10, true), &mut |_| {});
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
        let mut queue = queue_of(&[(1, 0, 5_000), (1, 1, 5_000)]);
        let (flight, _) = queue.take_off().unwrap();
        queue.land(flight, Outcome::TooLarge, 0.0, 0.0, 0.0);
        assert!(swept(&mut queue).is_empty());
        let (flight, _) = queue.take_off().unwrap();
        assert_eq!(seqs(&queue, flight), [0]);
        queue.land(flight, Outcome::TooLarge, 0.0, 0.0, 0.0);
        assert_eq!(swept(&mut queue), [0]);
        assert_eq!(queue.n_dropped(), 1);
    }

    #[test]
    fn waits_double_are_spread_and_obey_the_collector() {
        let mut queue = queue_of(&[(1, 0, 10)]);
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
    }

    #[test]
    fn the_oldest_go_first_and_are_counted() {
        let mut queue = Box::new(OutQueue::new());
        let mut push = |seq: i32, chars: u32| {
            let mut gone = vec![];
            queue.push(Entry::new(1, seq, chars, true), &mut |entry| gone.push(entry.seq));
            gone
        };
        let dropped: Vec<_> = (0..2_005).flat_map(|seq| push(seq, 1)).collect();
        assert_eq!(dropped, [0, 1, 2, 3, 4]);
        assert_eq!(push(9_999, QUEUE_CHARS_MAX as u32).len(), 2_000);
        assert_eq!(queue.n_dropped(), 2_005);
    }

    #[test]
    fn what_is_under_way_is_not_given_up() {
        let mut queue = queue_of(&[(1, 0, 10)]);
        let (flight, _) = queue.take_off().unwrap();
        let mut gone = vec![];
        for seq in 1..=QUEUE_LOGS_MAX as i32 {
            queue.push(Entry::new(1, seq, 1, true), &mut |entry| gone.push(entry.seq));
        }
        assert_eq!(gone, [1]);
        queue.land(flight, Outcome::Done, 0.0, 0.0, 0.0);
        assert_eq!((swept(&mut queue), queue.n_flights), (vec![0], 0));
    }

    #[test]
    fn what_storage_does_not_hold_outlives_the_cache() {
        let mut queue = queue_of(&[(1, 0, 10)]);
        queue.push(Entry::new(1, 1, 10, false), &mut |_| {});
        let (former, _) = queue.take_off().unwrap();
        queue.forget_kept();
        let (flight, _) = queue.take_off().unwrap();
        assert_eq!(seqs(&queue, flight), [1]);
        queue.land(former, Outcome::Later, 0.0, 0.0, 0.0);
        assert_eq!(seqs(&queue, flight), [1], "a late answer touches nothing");
    }

    proptest! {
        /// Whatever happens, each log is in the queue, or was let go, exactly once.
        #[test]
        fn no_log_is_lost_or_doubled(steps in proptest::collection::vec((0u8..6, 0u32..9_000), 1..200)) {
            let mut queue = Box::new(OutQueue::new());
            let (mut made, mut flights, mut gone) = (0, vec![], vec![]);
            for (step, size) in steps {
                match step {
                    0..=2 => {
                        queue.push(Entry::new(i32::from(size % 2 == 1), made, size, true), &mut |entry| gone.push(entry.seq));
                        made += 1;
                    }
                    3 => flights.extend(queue.take_off().map(|(flight, _)| flight)),
                    _ => if let Some(flight) = flights.pop() {
                        let outcomes = [Outcome::Done, Outcome::Refused, Outcome::TooLarge, Outcome::Later];
                        queue.land(flight, outcomes[size as usize % 4], 0.0, 0.0, 0.0);
                    }
                }
                gone.extend(swept(&mut queue));
                prop_assert_eq!(queue.n_flights as usize, flights.len());
            }
            let mut seqs: Vec<_> = queue.entries().map(|entry| entry.seq).chain(gone).collect();
            seqs.sort_unstable();
            prop_assert_eq!(seqs, (0..made).collect::<Vec<_>>());
        }
    }
}
