//! Moves sealed batches into the store: next batch, put it, only then forget it.

use std::{future::Future, time::Duration};

use logdig_store::{SealedBatch, Store};
use tracing::{error, info, warn};

use crate::queue::Queue;

/// The first wait after a failure; each further one is twice as long, up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(100);
/// A store that was away is noticed to be back within this time.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Stores every batch of `queue` until it has no more, which is after its `finish`.
///
/// What fails is tried again for as long as it takes: the batches are durable where they are. It can be dropped at any
/// point; what was not forgotten comes back with the next process.
pub async fn run(queue: &dyn Queue, store: &dyn Store) {
    let mut wait = WAIT_MIN;
    loop {
        match queue.next_batch().await {
            Ok(Some(batch)) => move_one(queue, store, &batch).await,
            Ok(None) => return,
            Err(error) => {
                warn!("no batch to be had: {error}");
                pause(&mut wait).await;
                continue;
            }
        }
        wait = WAIT_MIN;
    }
}

async fn move_one(queue: &dyn Queue, store: &dyn Store, batch: &SealedBatch) {
    let key = batch.key();
    let is_stored = keep_trying(|| async {
        match store.put(batch).await {
            Ok(()) => Some(true),
            Err(error) if error.can_retry() => {
                warn!(object.key = %key, "batch waits, will be tried again: {error}");
                None
            }
            Err(error) => {
                error!(object.key = %key, "batch can't be stored: {error}");
                Some(false)
            }
        }
    });
    if !is_stored.await {
        return;
    }
    info!(object.key = %key, "stored a batch");
    // A batch that is not forgotten is stored again, as the same object, by the next process: no harm, so no retry.
    if let Err(error) = queue.forget(batch).await {
        warn!(object.key = %key, "batch is stored but not forgotten: {error}");
    }
}

async fn keep_trying<T, F: Future<Output = Option<T>>>(attempt: impl Fn() -> F) -> T {
    let mut wait = WAIT_MIN;
    loop {
        match attempt().await {
            Some(done) => return done,
            None => pause(&mut wait).await,
        }
    }
}

async fn pause(wait: &mut Duration) {
    tokio::time::sleep(*wait).await;
    *wait = (*wait * 2).min(WAIT_MAX);
}
