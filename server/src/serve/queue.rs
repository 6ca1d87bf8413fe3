//! The queue of a collector, and what moves logs on from it.

use std::sync::Arc;

use anyhow::Context;
use logdig_store::LocalStore;
use tokio::task::JoinHandle;

use crate::config::QueueConfig;
use crate::config::queue::QueueAddress;
use crate::data_dir::DataDir;
use crate::queue::repeats::RebuildBounds;
use crate::queue::spool::{Spool, SpoolOptions};
use crate::queue::{Queue, SealRule};
use crate::storage::Storage;
use crate::{batch, clock};

/// Where logs go in, and the task that takes them further, which ends some time after the queue's `finish`.
pub struct Opened {
    pub queue: Arc<dyn Queue>,
    pub moves_on: JoinHandle<()>,
}

/// Opens the queue that `config` names.
pub async fn open(config: &QueueConfig, dir: &DataDir, rule: SealRule, storage: &Storage) -> anyhow::Result<Opened> {
    match (&config.queue, config.spool_first) {
        (QueueAddress::Spool, false) => {
            let mut options = SpoolOptions::in_data_dir(dir, rule, clock::system_clock());
            options.rebuild_within = storage.is_shared.then(RebuildBounds::default);
            let spool = Arc::new(Spool::open(options, &*storage.store).await?);
            let moves_on = tokio::spawn({
                let (spool, store) = (spool.clone(), storage.store.clone());
                async move { batch::run(&*spool, &*store).await }
            });
            Ok(Opened { queue: spool, moves_on })
        }
        (QueueAddress::Spool, true) => {
            anyhow::bail!("--spool-first is for --queue sqs:URL; the spool is first as it is")
        }
        (QueueAddress::Sqs(url), is_spool_first) => sqs(&url.0, is_spool_first, dir).await,
    }
}

#[cfg(feature = "aws")]
async fn sqs(url: &str, is_spool_first: bool, dir: &DataDir) -> anyhow::Result<Opened> {
    use crate::queue::sqs::{self, SqsQueue};

    let opened = SqsQueue::open(&sqs::config(url).await, url).await;
    let sqs = opened.with_context(|| format!("opening the queue {url}"))?;
    if !is_spool_first {
        return Ok(Opened { queue: Arc::new(sqs), moves_on: tokio::spawn(async {}) });
    }
    // What goes to SQS leaves no object here that could tell of repeats; the spool still drops those it remembers.
    let options = SpoolOptions::in_data_dir(dir, sqs::forward::RULE, clock::system_clock());
    let spool = Arc::new(Spool::open(options, &LocalStore::new(dir.store())).await?);
    let moves_on = tokio::spawn({
        let spool = spool.clone();
        async move {
            sqs::forward::run(&*spool, &sqs).await;
            sqs.finish().await;
        }
    });
    Ok(Opened { queue: spool, moves_on })
}

#[cfg(not(feature = "aws"))]
async fn sqs(_url: &str, _is_spool_first: bool, _dir: &DataDir) -> anyhow::Result<Opened> {
    anyhow::bail!("this program was built without AWS")
}
