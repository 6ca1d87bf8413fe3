//! Every queue keeps the same contract.

use std::{path::Path, sync::Arc};

use logdig::{
    clock::Clock,
    data_dir::DataDir,
    queue::{
        Queue, SealRule, contract,
        memory::MemoryQueue,
        spool::{Spool, SpoolOptions},
    },
};
use logdig_store::LocalStore;

#[tokio::test]
async fn memory_queue() {
    contract::check(async |rule: SealRule, clock: Clock| Arc::new(MemoryQueue::new(rule, clock)) as Arc<dyn Queue>)
        .await;
}

#[tokio::test]
async fn spool() {
    let parent = tempfile::tempdir().unwrap();
    contract::check(async |rule: SealRule, clock: Clock| new_spool(parent.path(), rule, clock).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spool_with_many_threads() {
    let parent = tempfile::tempdir().unwrap();
    contract::check(async |rule: SealRule, clock: Clock| new_spool(parent.path(), rule, clock).await).await;
}

async fn new_spool(parent: &Path, rule: SealRule, clock: Clock) -> Arc<dyn Queue> {
    let root = tempfile::tempdir_in(parent).expect("a folder").keep();
    let dir = DataDir::open(&root).expect("a new data folder");
    let options = SpoolOptions::in_data_dir(&dir, rule, clock);
    Arc::new(Spool::open(options, &LocalStore::new(dir.store())).await.expect("an empty spool"))
}
