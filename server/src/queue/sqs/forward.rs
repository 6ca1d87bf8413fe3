//! From a spool on to SQS, for machines whose disk outlives them: `--spool-first`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    time::Duration,
};

use logdig_store::{Content, SealedBatch};
use tokio::time::sleep;
use tracing::{debug, error, warn};

use super::{SqsQueue, message::LINES_BYTES_MAX};
use crate::queue::{AcceptError, Batches, Entry, Queue, SealRule};

/// A second gathers what many requests bring, and is no time beside the batcher's. Nothing is worth waiting for longer:
/// what becomes a file is decided behind SQS.
pub const RULE: SealRule = SealRule {
    min_logs: 1,
    seal_after: Duration::from_secs(1),
    seal_at_latest: Duration::from_secs(1),
    file_bytes_max: 8 * 1024 * 1024,
};

const WAIT_MIN: Duration = Duration::from_millis(100);
/// SQS that was away is noticed to be back within this time.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Why a sealed batch did not get to SQS.
#[derive(Debug, thiserror::Error)]
enum ForwardError {
    #[error("reading it: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

/// Sends every batch of `spool` to SQS, and lets go of it when SQS has all of it, until the spool has ended.
///
/// What fails is tried again for as long as it takes, whole: a part of it may be in the queue twice then, told by `id`.
pub async fn run(spool: &dyn Batches, sqs: &SqsQueue) {
    loop {
        match spool.next_batch().await {
            Ok(Some(batch)) => move_one(spool, sqs, &batch).await,
            Ok(None) => return,
            Err(error) => {
                warn!("no batch to be had: {error}");
                sleep(WAIT_MAX).await;
            }
        }
    }
}

async fn move_one(spool: &dyn Batches, sqs: &SqsQueue, batch: &SealedBatch) {
    let mut wait = WAIT_MIN;
    while let Err(error) = send(sqs, batch).await {
        match error {
            ForwardError::Read(error) if error.kind() == io::ErrorKind::NotFound => {
                return error!(object.key = %batch.key(), "batch is gone from the spool: {error}");
            }
            // The queue itself tells people that it is in trouble, once.
            error => debug!(object.key = %batch.key(), "batch waits, will be sent again: {error}"),
        }
        sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
    if let Err(error) = spool.forget(batch).await {
        warn!(object.key = %batch.key(), "batch is sent but not forgotten, and will be sent again: {error}");
    }
}

async fn send(sqs: &SqsQueue, batch: &SealedBatch) -> Result<(), ForwardError> {
    let mut lines: Box<dyn BufRead + Send> = match &batch.content {
        Content::File(path) => Box::new(BufReader::new(File::open(path)?)),
        Content::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
    };
    let mut line = String::new();
    let mut entry = Entry::new(batch.day);
    while lines.read_line(&mut line)? > 0 {
        if entry.n_lines() > 0 && entry.n_bytes() + line.len() > LINES_BYTES_MAX {
            sqs.accept(std::mem::replace(&mut entry, Entry::new(batch.day))).await?;
        }
        entry.push(&line, None);
        line.clear();
    }
    sqs.accept(entry).await?;
    Ok(())
}
