//! Where accepted logs wait until they are in a stored file.
//!
//! [`Queue`] is the contract. [`Spool`](spool::Spool) keeps it on the local disk, [`MemoryQueue`](memory::MemoryQueue)
//! in memory, for tests.

use async_trait::async_trait;
use logdig_store::{Day, SealedBatch};

pub mod memory;
pub mod repeats;
pub mod seal;
pub mod spool;

#[cfg(any(test, feature = "test-support"))]
pub mod contract;

pub use repeats::RepeatKey;
pub use seal::SealRule;

/// One request's lines, all of one UTC day: they become durable together or not at all.
#[derive(Debug)]
pub struct Entry {
    day: Day,
    text: String,
    lines: Vec<EntryLine>,
}

#[derive(Clone, Copy, Debug)]
struct EntryLine {
    end: usize,
    key: Option<RepeatKey>,
}

impl Entry {
    /// No lines yet. `day` is the UTC day of the `received_at` of all the lines to come.
    pub fn new(day: Day) -> Entry {
        Entry { day, text: String::new(), lines: Vec::new() }
    }

    /// Adds a stored line. A line with a `key` that was stored before is not stored again.
    ///
    /// # Panics
    /// When `line` is not exactly one line with its `"\n"`: that would forge or merge logs.
    pub fn push(&mut self, line: &str, key: Option<RepeatKey>) {
        let is_one_line = line.find('\n').is_some_and(|at| at + 1 == line.len());
        assert!(is_one_line, "an entry takes one whole line at a time");
        self.text.push_str(line);
        self.lines.push(EntryLine { end: self.text.len(), key });
    }

    /// The UTC day on which the lines were received.
    pub fn day(&self) -> Day {
        self.day
    }

    /// How many lines there are.
    pub fn n_lines(&self) -> usize {
        self.lines.len()
    }

    /// The length of all lines together, in bytes.
    pub fn n_bytes(&self) -> usize {
        self.text.len()
    }

    /// Each line with its `"\n"`, and what its repeats are told by.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Option<RepeatKey>)> {
        let mut start = 0;
        self.lines.iter().map(move |line| {
            let text = &self.text[start..line.end];
            start = line.end;
            (text, line.key)
        })
    }
}

/// What became of the lines of an accepted entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Lines that were stored now.
    pub n_stored: usize,
    /// Lines that were stored before, by this request or an earlier one, and not again.
    pub n_repeats: usize,
}

/// Why an entry was not accepted. None of its lines is stored, and the same entry may be accepted later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// Too much waits already.
    #[error("{n_waiting_bytes} bytes wait to be written already, at most {n_waiting_bytes_max} may")]
    Busy {
        /// What waits.
        n_waiting_bytes: usize,
        /// The bound on it.
        n_waiting_bytes_max: usize,
    },
    /// The storage refuses.
    #[error("not durable: {0}")]
    Unavailable(String),
    /// The queue was told to finish.
    #[error("shutting down")]
    Closed,
}

/// The queue can't tell what it holds.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{name}` failed: {source}")]
pub struct QueueError {
    /// What was done, e.g. `forgetting batch`.
    pub what: &'static str,
    /// To what.
    pub name: String,
    /// Why it failed.
    pub source: std::io::Error,
}

/// Keeps accepted lines until they are stored.
///
/// - `accept` returns `Ok` when every line of the entry is durable, or was before (a repeat).
///   On `Err` none of the entry's lines counts as stored and the caller may offer the same again.
///   Dropping the future takes nothing back.
/// - `next_batch` gives each sealed batch once, in no promised order, and waits while there is none.
///   After `finish` it gives the rest, then `None`, for ever.
///   A batch that was not forgotten when the process ended is given again by the next one, cut the same.
/// - `forget` is called when the batch is durable elsewhere. Forgetting twice is fine.
///   A batch that is never forgotten comes back; so a crash can store a batch twice (as the same object), never lose it.
/// - `finish` refuses what comes later, seals what is there, and returns when that is done or has failed;
///   what could not be sealed is kept for the next process.
/// - Nobody inside retries for the caller: `accept` fails at once, and `batch::run` retries storing.
///
/// `contract` (feature `test-support`) holds each queue to this.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Makes the entry's lines durable.
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError>;
    /// Waits for the next sealed batch; `None` when there will be none.
    async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError>;
    /// Lets go of a batch that is stored.
    async fn forget(&self, batch: &SealedBatch) -> Result<(), QueueError>;
    /// Seals everything and accepts no more.
    async fn finish(&self);
    /// Whether an entry would be accepted now, as far as is known; else why not.
    fn ready(&self) -> Result<(), String>;
}
