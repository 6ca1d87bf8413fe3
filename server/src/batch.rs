//! Moves sealed batches into the store: next batch, put it, only then forget it.

use std::{future::Future, time::Duration};

use logdig_store::{SealedBatch, Store};
use tracing::{error, info, warn};

use crate::queue::Batches;

#[cfg(feature = "aws")]
mod drain;
#[cfg(feature = "aws")]
pub use drain::{DrainError, DrainLimits, Drained, drain};

/// The first wait after a failure; each further one is twice as long, up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(100);
/// A store that was away is noticed to be back within this time.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Stores every batch of a queue of this process until it has no more, which is after its `finish`.
///
/// What fails is tried again for as long as it takes: the batches are durable where they are. It can be dropped at any
/// point; what was not forgotten comes back with the next process.
pub async fn run(queue: &dyn Batches, store: &dyn Store) {
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

async fn move_one(queue: &dyn Batches, store: &dyn Store, batch: &SealedBatch) {
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

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use async_trait::async_trait;
    use logdig_store::{Day, MemoryStore, ObjectInfo, ObjectKey, StoreError};

    use super::*;
    use crate::{
        clock::system_clock,
        queue::{Entry, Queue, QueueError, SealRule, memory::MemoryQueue},
    };

    /// Fails the first two attempts to put.
    #[derive(Default)]
    struct AwayAtFirst {
        store: MemoryStore,
        n_puts: AtomicUsize,
    }

    #[async_trait]
    impl Store for AwayAtFirst {
        async fn put(&self, batch: &SealedBatch) -> Result<(), StoreError> {
            if self.n_puts.fetch_add(1, Ordering::Relaxed) < 2 {
                let name = batch.key().to_string();
                return Err(StoreError::Io { what: "writing object", name, source: io::ErrorKind::StorageFull.into() });
            }
            self.store.put(batch).await
        }

        async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError> {
            self.store.get(key).await
        }

        async fn list(&self, day: Day) -> Result<Vec<ObjectInfo>, StoreError> {
            self.store.list(day).await
        }

        async fn days(&self) -> Result<Vec<Day>, StoreError> {
            self.store.days().await
        }
    }

    /// Looks into the store when a batch is to be forgotten.
    struct Watched<'a> {
        queue: MemoryQueue,
        store: &'a AwayAtFirst,
        n_forgotten: AtomicUsize,
    }

    #[async_trait]
    impl Batches for Watched<'_> {
        async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError> {
            self.queue.next_batch().await
        }

        async fn forget(&self, batch: &SealedBatch) -> Result<(), QueueError> {
            self.store.get(&batch.key()).await.expect("forgotten only when it is stored");
            self.n_forgotten.fetch_add(1, Ordering::Relaxed);
            self.queue.forget(batch).await
        }
    }

    #[tokio::test]
    async fn keeps_batches_while_the_store_is_away() {
        let store = AwayAtFirst::default();
        let queue = MemoryQueue::new(SealRule::default(), system_clock());
        let queue = Watched { queue, store: &store, n_forgotten: AtomicUsize::new(0) };
        for (day, line) in [("2026-11-25", "{}\n"), ("2026-11-26", "[]\n")] {
            let mut entry = Entry::new(day.parse().unwrap());
            entry.push(line, None);
            queue.queue.accept(entry).await.unwrap();
        }
        queue.queue.finish().await;
        run(&queue, &store).await;
        assert_eq!(store.n_puts.load(Ordering::Relaxed), 4, "two that failed, two that did not");
        assert_eq!(queue.n_forgotten.load(Ordering::Relaxed), 2);
        assert_eq!(store.days().await.unwrap().len(), 2);
    }
}
