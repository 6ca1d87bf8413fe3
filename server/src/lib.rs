//! The LogDig server: the collector, its command line, and the path of a log between the two ends of it.
//!
//! # The path of a log
//!
//! ```text
//! POST /  →  http    →  intake          →  queue              →  batch         →  store
//!            bounded    read, admit,       durable in the        next batch,      YYYY-MM-DD/<sha256>
//!            body       stamp, write       spool, then: 2xx      put, forget
//! ```
//!
//! 1. [`http::listen`] takes a connection, within bounds. [`http`] finds the handler and reads the body: its size, its
//!    time and the sum over all bodies are bounded.
//! 2. [`intake`] reads the logs one by one. One that is wrong, or whose token and origin [`services`] does not know,
//!    is refused with a reason, without harm to its neighbours. The others are stamped with `received_at`, get an `id`
//!    where they have none, and become lines.
//! 3. [`queue`] makes the lines durable, and drops repeats. Only then does the sender get its 2xx; the tracker in the
//!    page forgets a log after that, not before.
//! 4. The spool seals what is full or old, by one rule. [`batch`] puts each sealed batch into the store under the
//!    SHA-256 of its content, and only then lets the queue forget it.
//!    With SQS as the queue, many collectors fill it, and `logdig batch` or the Lambda function drains it by the same
//!    rule.
//! 5. [`check`] proves all of it afterwards, from the files alone.
//!
//! Each log that came in ended in exactly one [`outcome`], counted.
//!
//! # What is absent on purpose
//!
//! Only `http` knows status codes. Only `queue` and the store know files; only the store knows S3. `intake` does no I/O. Nothing but the command
//! line reads the environment, and nothing reads the clock that was not handed one.

pub mod access;
pub mod batch;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daily_key;
pub mod data_dir;
pub mod http;
pub mod intake;
pub mod outcome;
pub mod page_check;
pub mod queue;
mod random;
pub mod serve;
pub mod services;
pub mod storage;
pub mod stored_line;
pub mod tags;
