//! Every queue keeps the same contract.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use logdig::{
    clock::TestClock,
    data_dir::DataDir,
    queue::{
        AcceptError, Accepted, Batches, Entry, Queue, QueueError, SealRule,
        contract::{self, Ends, Ways},
        memory::MemoryQueue,
        spool::{Spool, SpoolOptions},
        sqs::{Pass, Receiver, ReceiverOptions, SqsQueue, config_of_stand_in},
    },
};
use logdig_store::{LocalStore, SealedBatch};
use logdig_tests::sqs;

const OF_ONE_PROCESS: Ways = Ways { stores_once: true, seals_itself: true };
const SHARED: Ways = Ways { stores_once: false, seals_itself: false };

fn both_ends<Q: Queue + Batches + 'static>(queue: Q) -> Ends {
    let queue = Arc::new(queue);
    Ends { queue: queue.clone(), batches: queue }
}

#[tokio::test]
async fn memory_queue() {
    contract::check(OF_ONE_PROCESS, async |rule: SealRule, clock: TestClock| {
        both_ends(MemoryQueue::new(rule, clock.clock()))
    })
    .await;
}

#[tokio::test]
async fn spool() {
    let parent = tempfile::tempdir().unwrap();
    contract::check(OF_ONE_PROCESS, async |rule, clock| new_spool(parent.path(), rule, clock).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spool_with_many_threads() {
    let parent = tempfile::tempdir().unwrap();
    contract::check(OF_ONE_PROCESS, async |rule, clock| new_spool(parent.path(), rule, clock).await).await;
}

async fn new_spool(parent: &Path, rule: SealRule, clock: TestClock) -> Ends {
    let root = tempfile::tempdir_in(parent).expect("a folder").keep();
    let dir = DataDir::open(&root).expect("a new data folder");
    let options = SpoolOptions::in_data_dir(&dir, rule, clock.clock());
    both_ends(Spool::open(options, &LocalStore::new(dir.store())).await.expect("an empty spool"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sqs() {
    let parent = tempfile::tempdir().unwrap();
    contract::check(SHARED, async |rule, clock| new_sqs(parent.path(), rule, clock).await).await;
}

/// Both ends of SQS in one process: the collector's, and the batcher's, which goes through the queue again and again
/// as its schedule makes it do.
struct Sqs {
    queue: SqsQueue,
    receiver: Arc<Receiver>,
    passes: tokio::sync::Mutex<Vec<Arc<Pass>>>,
    is_finished: AtomicBool,
    _sqs: Mutex<sqs::Queue>,
}

async fn new_sqs(parent: &Path, rule: SealRule, clock: TestClock) -> Ends {
    let sqs = tokio::task::spawn_blocking(sqs::Queue::new).await.expect("no panic");
    let options = ReceiverOptions {
        queue_url: sqs.url(),
        dead_letter_queue_url: None,
        rule,
        clock: clock.clock(),
        hold: Duration::from_secs(60),
        scratch: parent.to_owned(),
    };
    let config = config_of_stand_in(&sqs.url()).await;
    let receiver = Arc::new(Receiver::open(&config, options).await.expect("a queue that is there"));
    let queue = SqsQueue::open(&config, &sqs.url()).await.expect("a queue that is there");
    let (passes, is_finished) = (tokio::sync::Mutex::default(), AtomicBool::new(false));
    both_ends(Sqs { queue, receiver, passes, is_finished, _sqs: Mutex::new(sqs) })
}

#[async_trait]
impl Queue for Sqs {
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError> {
        self.queue.accept(entry).await
    }

    async fn finish(&self) {
        self.queue.finish().await;
        self.is_finished.store(true, Relaxed);
    }

    fn ready(&self) -> Result<(), String> {
        self.queue.ready()
    }
}

#[async_trait]
impl Batches for Sqs {
    async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError> {
        let mut passes = self.passes.lock().await;
        loop {
            let is_last = self.is_finished.load(Relaxed);
            if passes.is_empty() || !is_last {
                passes.push(Arc::new(self.receiver.pass(None, Arc::default())));
            }
            let pass = passes.last().expect("one was pushed");
            if let Some(batch) = pass.next_batch().await? {
                return Ok(Some(batch));
            }
            // What was given back before the clock went on comes out of one more pass.
            let is_empty = pass.counts().await.n_logs_given_back == 0;
            if is_last && is_empty {
                return Ok(None);
            }
            passes.push(Arc::new(self.receiver.pass(None, Arc::default())));
        }
    }

    async fn forget(&self, batch: &SealedBatch) -> Result<(), QueueError> {
        for pass in self.passes.lock().await.iter() {
            pass.forget(batch).await?;
        }
        Ok(())
    }
}
