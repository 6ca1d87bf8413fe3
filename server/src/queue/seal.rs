//! When a batch is sealed: the one rule.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use logdig_store::Day;

use crate::clock::time_between;

/// How long yesterday's batch stays open after midnight (UTC), so that requests which were stamped just before it and
/// are still on their way to the disk need no file of their own.
pub const STRAGGLER_GRACE: SignedDuration = SignedDuration::from_secs(5);

/// The bounds of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealRule {
    /// So many logs are worth a file: with these, `seal_after` holds.
    pub min_logs: u64,
    /// How long after its first log a batch with `min_logs` is sealed.
    pub seal_after: Duration,
    /// How long after its first log any batch is sealed.
    pub seal_at_latest: Duration,
    /// A batch is full when the next request's lines would make it longer.
    pub file_bytes_max: u64,
}

impl Default for SealRule {
    fn default() -> SealRule {
        SealRule {
            min_logs: 100,
            seal_after: Duration::from_secs(5 * 60),
            seal_at_latest: Duration::from_secs(60 * 60),
            file_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// What the rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct OpenBatch {
    /// The UTC day of its lines.
    pub day: Day,
    /// How many logs it holds; at least one.
    pub n_logs: u64,
    /// Their length in bytes.
    pub n_bytes: u64,
    /// How long its first log has been here.
    pub age: Duration,
}

impl SealRule {
    /// How long `batch` has until it is sealed, if nothing is added to it; zero when it is to be sealed now.
    ///
    /// It is sealed when it is full, or holds `min_logs` and is older than `seal_after`, or is older than
    /// `seal_at_latest`, or its day has turned, or the process finishes.
    pub fn time_left(&self, batch: &OpenBatch, now: Timestamp, finishing: bool) -> Duration {
        if finishing || batch.n_bytes >= self.file_bytes_max {
            return Duration::ZERO;
        }
        let worth_a_file = batch.n_logs >= self.min_logs;
        let age_max = if worth_a_file { self.seal_after.min(self.seal_at_latest) } else { self.seal_at_latest };
        let day_turns = batch.day.end().saturating_add(STRAGGLER_GRACE).unwrap_or(Timestamp::MAX);
        age_max.saturating_sub(batch.age).min(time_between(now, day_turns))
    }

    /// Whether `n_bytes` more have no place in a batch of `n_bytes_now`.
    /// A request is never split, so one that is longer than a whole file gets a file of its own.
    pub fn is_full_for(&self, n_bytes_now: u64, n_bytes: u64) -> bool {
        n_bytes_now > 0 && n_bytes_now.saturating_add(n_bytes) > self.file_bytes_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule() {
        let rule = SealRule::default();
        let noon = "2026-11-25T12:00:00Z";
        let minutes = |n: u64| n * 60;
        let never_alone = minutes(60);
        #[rustfmt::skip]
        let cases = [
            // n_logs, n_bytes, age in s, now, finishing -> seconds left
            (1, 300, 0, noon, false, never_alone),
            (99, 300, minutes(5), noon, false, minutes(55)),
            (99, 300, minutes(60) - 1, noon, false, 1),
            (99, 300, minutes(60), noon, false, 0),
            (99, 300, minutes(90), noon, false, 0),
            (100, 300, 0, noon, false, minutes(5)),
            (100, 300, minutes(5) - 1, noon, false, 1),
            (100, 300, minutes(5), noon, false, 0),
            (1, rule.file_bytes_max - 1, 0, noon, false, never_alone),
            (1, rule.file_bytes_max, 0, noon, false, 0),
            (1, 300, 0, noon, true, 0),
            (1, 300, 0, "2026-11-25T23:59:59Z", false, 6),
            (1, 300, 0, "2026-11-26T00:00:04Z", false, 1),
            (1, 300, 0, "2026-11-26T00:00:05Z", false, 0),
            (1, 300, 0, "2026-12-01T00:00:00Z", false, 0),
            (100, 300, 0, "2026-11-25T23:58:00Z", false, minutes(2) + 5),
            // a clock that was set back by a day: nothing is sealed for it
            (1, 300, 0, "2026-11-24T12:00:00Z", false, never_alone),
        ];
        for (n_logs, n_bytes, age_s, now, finishing, expect_s) in cases {
            let batch =
                OpenBatch { day: "2026-11-25".parse().unwrap(), n_logs, n_bytes, age: Duration::from_secs(age_s) };
            let left = rule.time_left(&batch, now.parse().unwrap(), finishing);
            assert_eq!(left, Duration::from_secs(expect_s), "{batch:?} at {now}, finishing: {finishing}");
        }
    }

    #[test]
    fn seal_at_latest_holds_when_it_is_the_shorter_one() {
        let rule = SealRule { seal_at_latest: Duration::from_secs(2), ..SealRule::default() };
        let day: Day = "2026-11-25".parse().unwrap();
        let batch = OpenBatch { day, n_logs: 100, n_bytes: 300, age: Duration::from_secs(2) };
        assert_eq!(rule.time_left(&batch, "2026-11-25T12:00:00Z".parse().unwrap(), false), Duration::ZERO);
    }

    #[test]
    fn a_request_is_never_split() {
        let rule = SealRule { file_bytes_max: 1000, ..SealRule::default() };
        for (now, more, is_full) in
            [(0, 1000, false), (0, 5000, false), (1, 999, false), (1, 1000, true), (1000, 1, true)]
        {
            assert_eq!(rule.is_full_for(now, more), is_full, "{now} + {more}");
        }
    }
}
