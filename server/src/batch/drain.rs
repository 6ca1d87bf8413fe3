//! Drains a queue that others fill: the batcher of `logdig batch` and of the Lambda function.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use logdig_store::{SealedBatch, Store, StoreError};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::queue::{
    Batches, QueueError,
    sqs::{Pass, PassCounts, Receiver},
};

/// Shorter than this no pass is worth beginning: it takes three seconds to see that a queue is empty.
const PASS_TIME_MIN: Duration = Duration::from_secs(5);
const RETRY_WAIT: Duration = Duration::from_millis(500);

/// When a drain ends, if not by itself.
#[derive(Clone, Debug, Default)]
pub struct DrainLimits {
    /// Nothing runs any more at this instant. Receiving ends when half of the time is over, so that storing and
    /// deleting have the other half.
    pub deadline: Option<Instant>,
    /// Turns true when the process is to end: then nothing more is received, and what is held is sealed or given back.
    pub stop: Arc<AtomicBool>,
    /// So many files are enough; 0 for no limit.
    pub n_files_max: u64,
}

/// What a drain did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drained {
    /// What its passes did, together.
    #[serde(flatten)]
    pub counts: PassCounts,
    /// It ended with its time or its files, not with the queue: there may be more.
    pub is_more: bool,
}

/// Why a drain did not do all that it could.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A batch could not be stored. Its messages are in the queue still, and come back by themselves.
    #[error("batch not stored: {0}")]
    Store(#[from] StoreError),
}

/// Moves what is in the queue into the store: all that is worth a file by the sealing rule.
///
/// It ends by itself, also while logs keep coming. What is stored is deleted from the queue after, never before; so a
/// process that is killed anywhere loses nothing, and may store something twice, told by `id`. Any number may run at a
/// time.
///
/// `drained` is counted while it runs, so it holds what was done also after an error.
///
/// # Errors
/// When the queue or the store failed beyond what waiting within the time mends.
pub async fn drain(
    receiver: &Arc<Receiver>,
    store: &dyn Store,
    limits: &DrainLimits,
    drained: &mut Drained,
) -> Result<(), DrainError> {
    let started = Instant::now();
    let receive_until = limits.deadline.map(|deadline| started + deadline.duration_since(started) / 2);
    loop {
        let pass = receiver.pass(receive_until, limits.stop.clone());
        let before = drained.counts;
        let done = run_pass(&pass, store, limits, before.n_files).await;
        drained.counts = sum(before, pass.counts().await);
        // A pass that stored nothing gave all back: another one would only receive the same again.
        let has_stored = drained.counts.n_files > before.n_files;
        let has_files_left = limits.n_files_max == 0 || drained.counts.n_files < limits.n_files_max;
        drained.is_more = pass.is_cut_short().await || !has_files_left;
        done?;
        let has_time = receive_until.is_none_or(|until| until.duration_since(Instant::now()) > PASS_TIME_MIN);
        if !drained.is_more || !has_stored || !has_time || !has_files_left || limits.stop.load(Relaxed) {
            return Ok(());
        }
    }
}

async fn run_pass(pass: &Pass, store: &dyn Store, limits: &DrainLimits, n_before: u64) -> Result<(), DrainError> {
    let until = limits.deadline.map_or(pass.store_until(), |deadline| deadline.min(pass.store_until()));
    let mut result = Ok(());
    while let Some(batch) = pass.next_batch().await? {
        match put(store, &batch, until, &limits.stop).await {
            // What is not deleted comes again and is stored again: no loss, so the others go on.
            Ok(()) => result = result.and(pass.forget(&batch).await.map_err(DrainError::from)),
            Err(error) => result = Err(error.into()),
        }
        let n_files = n_before + pass.counts().await.n_files;
        if limits.n_files_max > 0 && n_files >= limits.n_files_max {
            pass.end_now();
        }
    }
    result
}

/// Tries until it is stored, or the messages may come to others, or the process is to end.
async fn put(store: &dyn Store, batch: &SealedBatch, until: Instant, stop: &AtomicBool) -> Result<(), StoreError> {
    let mut wait = RETRY_WAIT;
    loop {
        match store.put(batch).await {
            Err(error) if error.can_retry() && !stop.load(Relaxed) && Instant::now() + wait < until => {
                warn!(object.key = %batch.key(), "batch waits, will be tried again: {error}");
                sleep(wait).await;
                wait *= 2;
            }
            done => return done,
        }
    }
}

fn sum(a: PassCounts, b: PassCounts) -> PassCounts {
    PassCounts {
        n_files: a.n_files + b.n_files,
        n_logs: a.n_logs + b.n_logs,
        // What an earlier pass gave back may have been received and given back again.
        n_logs_given_back: b.n_logs_given_back,
        n_messages_dead: a.n_messages_dead + b.n_messages_dead,
        n_messages_kept: a.n_messages_kept + b.n_messages_kept,
        n_messages_again: a.n_messages_again + b.n_messages_again,
    }
}
