//! Where accepted logs wait until they are in a stored file.
//!
//! [`Queue`] is the contract of the end that lines go in at, [`Batches`] of the end that sealed batches come out at.
//! [`Spool`](spool::Spool) keeps both on the local disk, [`MemoryQueue`](memory::MemoryQueue) in memory, for tests.
//! Of SQS a collector has one end, [`SqsQueue`](sqs::SqsQueue), and a batcher the other, [`Receiver`](sqs::Receiver).

use async_trait::async_trait;
use logdig_store::{Day, SealedBatch};

pub mod memory;
pub mod repeats;
pub mod seal;
pub mod spool;
#[cfg(feature = "aws")]
pub mod sqs;

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

/// The end of a queue that lines go in at: all that a collector knows of it.
///
/// - `accept` returns `Ok` when every line of the entry is durable, or was before (a repeat).
///   On `Err` the sender is told that none of the entry's lines counts as stored, and may offer the same again.
///   A queue that others drain too ([`sqs`]) may hold a part of it, or all: what is stored twice is told by `id`.
///   It ends within a bounded time. Dropping the future takes nothing back.
/// - `finish` refuses what comes later, and returns when what came before is durable or has failed.
///   A queue that seals batches itself seals what is there; what could not be sealed is kept for the next process.
/// - Nobody inside retries for the caller for long: whoever sent the lines still has them.
///
/// `contract` (feature `test-support`) holds each queue to this.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Makes the entry's lines durable.
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError>;
    /// Accepts no more.
    async fn finish(&self);
    /// Whether an entry would be accepted now, as far as is known; else why not.
    fn ready(&self) -> Result<(), String>;
}

/// The end of a queue that sealed batches come out at.
///
/// - `next_batch` gives each sealed batch once, in no promised order, and waits while there may be more.
///   After the end it gives `None`, for ever. A queue of this process ends after its [`Queue::finish`]; one that others
///   fill as well ends when nothing is left that is worth a file.
///   What was not forgotten when the process ended is given again by another one. A spool gives it cut the same; SQS
///   hands out single messages, in other company.
/// - `forget` is called when the batch is durable elsewhere. Forgetting twice is fine.
///   What is never forgotten comes back; so a crash can store lines twice, never lose them.
/// - Nobody inside retries storing: that is up to [`batch`](crate::batch).
#[async_trait]
pub trait Batches: Send + Sync {
    /// Waits for the next sealed batch; `None` when there will be none.
    async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError>;
    /// Lets go of a batch that is stored.
    async fn forget(&self, batch: &SealedBatch) -> Result<(), QueueError>;
}
