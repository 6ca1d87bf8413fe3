//! The queue on the local disk: segments that are the files to be. `spool/design.md` tells how and why.

use std::{
    io::ErrorKind,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use async_trait::async_trait;
use logdig_store::{
    SealedBatch, Store, StoreError,
    disk::{Disk, RealDisk},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{AcceptError, Accepted, Batches, Entry, Queue, QueueError, SealRule, repeats::RebuildBounds};
use crate::{clock::Clock, data_dir::DataDir};

#[cfg(test)]
mod model;
mod names;
mod recover;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

use names::SpoolName;
pub use recover::RecoveryReport;
use writer::{Pending, Trouble, Writer};

/// What a spool is made with.
#[derive(Clone)]
pub struct SpoolOptions {
    /// The spool's own folder; it is there.
    pub dir: PathBuf,
    /// Where it puts what it can't read; it is there.
    pub aside: PathBuf,
    /// When files are sealed.
    pub rule: SealRule,
    /// The time of day.
    pub clock: Clock,
    /// The file system that both folders are on.
    pub disk: Arc<dyn Disk>,
    /// How many bytes of lines may wait for the disk; more are refused as busy.
    pub n_waiting_bytes_max: usize,
    /// What reading the store at the start may cost, when it is elsewhere; `None`: all of it is read, or there is no
    /// start.
    pub rebuild_within: Option<RebuildBounds>,
}

impl SpoolOptions {
    /// The spool of a data folder, on the machine's disk, with 32 MiB of lines waiting at most: an eighth of a second
    /// of a quick disk, and little beside what connections take.
    pub fn in_data_dir(dir: &DataDir, rule: SealRule, clock: Clock) -> SpoolOptions {
        let n_waiting_bytes_max = 32 * 1024 * 1024;
        SpoolOptions {
            dir: dir.spool(),
            aside: dir.aside(),
            rule,
            clock,
            disk: Arc::new(RealDisk),
            n_waiting_bytes_max,
            rebuild_within: None,
        }
    }
}

/// Why a spool can't begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The spool's files can't be read or put in order.
    #[error("spool file `{name}`: {source}")]
    Io {
        /// Which file or folder.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The store can't be asked what it holds, so repeats could not be told.
    #[error("reading the newest stored logs: {0}")]
    Store(#[from] StoreError),
}

/// Keeps lines on the local disk: what was accepted is there after any crash.
pub struct Spool {
    options: SpoolOptions,
    shared: Arc<Shared>,
    sealed: tokio::sync::Mutex<mpsc::UnboundedReceiver<SealedBatch>>,
    trouble: Trouble,
    report: RecoveryReport,
    /// Turns true when the writer has ended.
    ended: watch::Receiver<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What requests and the writer's thread share.
#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    wake: Condvar,
}

#[derive(Default)]
struct Inbox {
    pending: Vec<Pending>,
    /// Of what is pending, and of what the writer works on.
    n_waiting_bytes: usize,
    /// Whether anybody has to wake the writer: it saves a system call for each request that comes while it works.
    writer_rests: bool,
    /// The writer shall look at the clock.
    look: bool,
    end: Option<End>,
}

/// How the writer ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// All is sealed first.
    Finish,
    /// Files stay open for the next start, as after a crash.
    Leave,
}

impl Spool {
    /// Puts the files of an earlier process in order, and begins.
    ///
    /// `store` is where the batches of this spool go: its newest objects tell which logs were stored lately.
    ///
    /// # Errors
    /// When the files can't be read or put in order: then none of them is lost, and nothing is accepted.
    pub async fn open(options: SpoolOptions, store: &dyn Store) -> Result<Spool, OpenError> {
        let found = recover::recover(&options, store).await?;
        let report = found.report.clone();
        let (sealed, receiver) = mpsc::unbounded_channel();
        for batch in &found.sealed {
            drop(sealed.send(batch.clone()));
        }
        let trouble = Trouble::default();
        let writer = Writer::new(&options, found, sealed, trouble.clone());
        let shared = Arc::new(Shared::default());
        let (has_ended, ended) = watch::channel(false);
        let work = {
            let shared = shared.clone();
            move || {
                run(&shared, writer);
                has_ended.send_replace(true);
            }
        };
        let thread = std::thread::Builder::new().name("spool".to_owned()).spawn(work);
        let thread = thread.map_err(|source| OpenError::Io { name: "writer thread".to_owned(), source })?;
        let sealed = tokio::sync::Mutex::new(receiver);
        Ok(Spool { options, shared, sealed, trouble, report, ended, thread: Some(thread) })
    }

    /// What was found at the start.
    pub fn report(&self) -> &RecoveryReport {
        &self.report
    }

    /// How many bytes of lines wait for the disk.
    pub fn n_waiting_bytes(&self) -> usize {
        self.shared.inbox().n_waiting_bytes
    }

    fn offer(&self, entry: Entry) -> Result<oneshot::Receiver<Result<Accepted, AcceptError>>, AcceptError> {
        let n_bytes = entry.n_bytes();
        let n_waiting_bytes_max = self.options.n_waiting_bytes_max;
        let (answer, answered) = oneshot::channel();
        let mut inbox = self.shared.inbox();
        if inbox.end.is_some() {
            return Err(AcceptError::Closed);
        }
        let n_waiting_bytes = inbox.n_waiting_bytes;
        if n_waiting_bytes + n_bytes > n_waiting_bytes_max {
            return Err(AcceptError::Busy { n_waiting_bytes, n_waiting_bytes_max });
        }
        inbox.n_waiting_bytes += n_bytes;
        inbox.pending.push(Pending { entry, answer });
        self.shared.wake(inbox);
        Ok(answered)
    }

    /// Makes the writer look at the clock now.
    fn look(&self) {
        let mut inbox = self.shared.inbox();
        inbox.look = true;
        self.shared.wake(inbox);
    }

    fn end(&self, end: End) {
        let mut inbox = self.shared.inbox();
        inbox.end.get_or_insert(end);
        self.shared.wake(inbox);
    }
}

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut inbox: MutexGuard<'_, Inbox>) {
        if std::mem::take(&mut inbox.writer_rests) {
            drop(inbox);
            self.wake.notify_one();
        }
    }

    /// Waits until there is something to do, at most `rest`, and takes all that is pending into `group`.
    fn next_group(&self, group: &mut Vec<Pending>, rest: Option<Duration>) -> Option<End> {
        let mut inbox = self.inbox();
        if inbox.pending.is_empty() && inbox.end.is_none() && !inbox.look {
            inbox.writer_rests = true;
            inbox = match rest {
                Some(rest) => self.wake.wait_timeout(inbox, rest).unwrap_or_else(PoisonError::into_inner).0,
                None => self.wake.wait(inbox).unwrap_or_else(PoisonError::into_inner),
            };
            inbox.writer_rests = false;
        }
        inbox.look = false;
        std::mem::swap(&mut inbox.pending, group);
        inbox.end
    }
}

/// The writer's thread.
fn run(shared: &Shared, mut writer: Writer) {
    let _on_exit = LastOneOut(shared);
    let mut group = Vec::new();
    loop {
        let end = shared.next_group(&mut group, writer.rest());
        let n_bytes: usize = group.iter().map(|pending| pending.entry.n_bytes()).sum();
        writer.commit(&mut group);
        shared.inbox().n_waiting_bytes -= n_bytes;
        match end {
            None => writer.tend(false),
            Some(End::Finish) => return writer.finish(),
            Some(End::Leave) => return,
        }
    }
}

/// When the writer ends, be it by a bug of ours, nobody is left waiting for it.
struct LastOneOut<'a>(&'a Shared);

impl Drop for LastOneOut<'_> {
    fn drop(&mut self) {
        let mut inbox = self.0.inbox();
        inbox.end.get_or_insert(End::Leave);
        inbox.pending.clear();
    }
}

#[async_trait]
impl Queue for Spool {
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError> {
        let answered = self.offer(entry)?;
        // The writer answers everything it takes; it can only go away without by a bug of ours.
        answered.await.unwrap_or_else(|_| Err(AcceptError::Unavailable("the spool's writer is gone".to_owned())))
    }

    async fn finish(&self) {
        self.end(End::Finish);
        // Fails when the writer is gone, which is an end too.
        drop(self.ended.clone().wait_for(|ended| *ended).await);
    }

    fn ready(&self) -> Result<(), String> {
        if self.shared.inbox().end.is_some() {
            return Err("shutting down".to_owned());
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Batches for Spool {
    async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError> {
        self.look();
        Ok(self.sealed.lock().await.recv().await)
    }

    async fn forget(&self, batch: &SealedBatch) -> Result<(), QueueError> {
        let (disk, dir) = (self.options.disk.clone(), self.options.dir.clone());
        let path = dir.join(SpoolName::Sealed(batch.key()).to_string());
        let remove = move || match disk.remove(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            // Synced in either case: a store on the same disk may have taken the file itself.
            _ => disk.sync_dir(&dir),
        };
        let removed =
            tokio::task::spawn_blocking(remove).await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        removed.map_err(|source| QueueError { what: "forgetting batch", name: batch.key().to_string(), source })
    }
}

impl Drop for Spool {
    /// Without a `finish` before, leaves files open for the next start. What waits is written and answered.
    fn drop(&mut self) {
        self.end(End::Leave);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
