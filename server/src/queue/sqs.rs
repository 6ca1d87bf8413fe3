//! The queue on SQS: many collectors put packed lines in, a batcher takes them out. `sqs/design.md` tells how and why.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use logdig_store::aws::SdkConfig;
use tokio::{
    sync::{Notify, Semaphore, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{AcceptError, Accepted, Entry, Queue};

pub mod client;
pub mod forward;
pub mod message;
mod parts;
mod receive;
mod trouble;

#[cfg(feature = "test-support")]
pub use client::config_of_stand_in;
pub use client::{CallError, SqsClient, config};
pub use receive::{Pass, PassCounts, Receiver, ReceiverOptions};

use client::{BATCH_MAX, CallTimes};
use message::{LINES_BYTES_MAX, MESSAGE_BYTES_MAX};
use parts::Parts;
use trouble::Trouble;

/// Longer than SQS ever takes when it is well (some 10 ms), and shorter than a browser's patience. Then it is 503.
const ACCEPT_TIME_MAX: Duration = Duration::from_secs(10);
/// A second attempt mends a connection that was lost; both together end before [`ACCEPT_TIME_MAX`].
const SEND_TIMES: CallTimes =
    CallTimes { attempt: Duration::from_secs(4), call: Duration::from_millis(8500), n_attempts: 2 };
/// Calls at a time: 8 MiB on their way, more than a collector's network takes in.
const CALLS_MAX: usize = 8;
/// From one call's start to the next one's, while less waits than a call is worth. The first request after a rest goes
/// at once, so nobody waits longer than this. It bounds the bill: 20 calls a second are $0.70 a day.
const CALL_PACE: Duration = Duration::from_millis(50);
/// Lines that are worth a call of their own: packed they have about the 64 KiB that SQS bills as one.
const CALL_BYTES_ENOUGH: usize = 512 * 1024;
/// Lines in one call at most. Packed they stay below the 1 MiB that SQS takes in a call, nearly always; when not, the
/// rest goes in a second call.
const CALL_BYTES_MAX: usize = 2 * LINES_BYTES_MAX;
/// Lines that wait or are on their way; more are refused as busy.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// While SQS does not take messages it is asked this often whether it is back.
const PROBE_PAUSE: Duration = Duration::from_secs(2);

/// The end of an SQS queue that lines go in at.
pub struct SqsQueue {
    shared: Arc<Shared>,
    /// Turns true when all that was accepted has been answered, after `finish`.
    ended: watch::Receiver<bool>,
    tasks: [JoinHandle<()>; 2],
}

struct Shared {
    client: SqsClient,
    inbox: Mutex<Inbox>,
    /// Something came in, or the end did.
    changed: Notify,
    trouble: Trouble,
}

#[derive(Default)]
struct Inbox {
    waiting: Vec<Pending>,
    /// Of what waits.
    n_bytes: usize,
    /// Of that and of what is on its way.
    n_bytes_unanswered: usize,
    is_closed: bool,
}

/// An entry and who waits for its end.
struct Pending {
    entry: Entry,
    answer: oneshot::Sender<Result<Accepted, AcceptError>>,
    since: Instant,
}

impl SqsQueue {
    /// Begins to take lines for the queue at `url`.
    ///
    /// # Errors
    /// When there is no such queue, or it may not be written to. A queue that can't be reached now is one that may be
    /// reached later: then it is not ready, and says so.
    pub async fn open(config: &SdkConfig, url: &str) -> Result<SqsQueue, CallError> {
        let client = SqsClient::new(config, url, SEND_TIMES);
        let trouble = Trouble::default();
        match client.check().await {
            Err(error) if error.is_for_good => return Err(error),
            Err(error) => trouble.note(&error),
            Ok(()) => (),
        }
        let shared = Arc::new(Shared { client, inbox: Mutex::default(), changed: Notify::new(), trouble });
        let (has_ended, ended) = watch::channel(false);
        let work = {
            let shared = shared.clone();
            async move {
                dispatch(&shared).await;
                has_ended.send_replace(true);
            }
        };
        let tasks = [tokio::spawn(work), tokio::spawn(probe(shared.clone()))];
        Ok(SqsQueue { shared, ended, tasks })
    }

    /// How many bytes of lines wait or are on their way.
    pub fn n_waiting_bytes(&self) -> usize {
        self.shared.inbox().n_bytes_unanswered
    }

    fn offer(&self, entry: Entry) -> Result<oneshot::Receiver<Result<Accepted, AcceptError>>, AcceptError> {
        let (answer, answered) = oneshot::channel();
        let mut inbox = self.shared.inbox();
        if inbox.is_closed {
            return Err(AcceptError::Closed);
        }
        let (n_bytes, n_waiting_bytes) = (entry.n_bytes(), inbox.n_bytes_unanswered);
        // One that is too large for itself alone is let in when nothing else is there.
        if n_waiting_bytes > 0 && n_waiting_bytes + n_bytes > WAITING_BYTES_MAX {
            return Err(AcceptError::Busy { n_waiting_bytes, n_waiting_bytes_max: WAITING_BYTES_MAX });
        }
        inbox.n_bytes += n_bytes;
        inbox.n_bytes_unanswered += n_bytes;
        inbox.waiting.push(Pending { entry, answer, since: Instant::now() });
        drop(inbox);
        self.shared.changed.notify_one();
        Ok(answered)
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError> {
        if entry.n_lines() == 0 {
            return Ok(Accepted::default());
        }
        let answered = self.offer(entry)?;
        match timeout(ACCEPT_TIME_MAX, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(AcceptError::Unavailable("the sender is gone".to_owned()))),
            Err(_) => {
                let words = format!("SQS did not take it within {} s", ACCEPT_TIME_MAX.as_secs());
                Err(AcceptError::Unavailable(words))
            }
        }
    }

    async fn finish(&self) {
        self.shared.inbox().is_closed = true;
        self.shared.changed.notify_one();
        // Fails when the sender is gone, which is an end too.
        drop(self.ended.clone().wait_for(|ended| *ended).await);
    }

    fn ready(&self) -> Result<(), String> {
        if self.shared.inbox().is_closed {
            return Err("shutting down".to_owned());
        }
        self.shared.trouble.current().map_or(Ok(()), Err)
    }
}

impl Drop for SqsQueue {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something waits to be sent; `false` when nothing will any more.
    async fn has_work(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            let (is_empty, is_closed) = {
                let inbox = self.inbox();
                (inbox.waiting.is_empty(), inbox.is_closed)
            };
            match (is_empty, is_closed) {
                (false, _) => return true,
                (true, true) => return false,
                (true, false) => changed.await,
            }
        }
    }

    /// Waits until `then`, or until enough waits for a call of its own.
    async fn gather(&self, then: Instant) {
        let pause = sleep_until(then);
        tokio::pin!(pause);
        loop {
            let changed = self.changed.notified();
            if self.is_enough() {
                return;
            }
            tokio::select! {
                () = &mut pause => return,
                () = changed => (),
            }
        }
    }

    fn is_enough(&self) -> bool {
        let inbox = self.inbox();
        inbox.is_closed || inbox.n_bytes >= CALL_BYTES_ENOUGH
    }

    /// Takes what goes into one call: the longest waiting first.
    fn take_group(&self) -> Vec<Pending> {
        let mut inbox = self.inbox();
        let mut n_bytes = 0;
        let fits = inbox.waiting.iter().take_while(|pending| {
            n_bytes += pending.entry.n_bytes();
            n_bytes <= CALL_BYTES_MAX
        });
        let n = fits.count().max(1).min(inbox.waiting.len());
        let rest = inbox.waiting.split_off(n);
        let group = mem::replace(&mut inbox.waiting, rest);
        inbox.n_bytes -= group.iter().map(|pending| pending.entry.n_bytes()).sum::<usize>();
        group
    }
}

/// Starts calls, one after another, at most [`CALLS_MAX`] at a time. What comes in while all are busy gathers.
async fn dispatch(shared: &Arc<Shared>) {
    let calls = Arc::new(Semaphore::new(CALLS_MAX));
    let mut last_start = None;
    while shared.has_work().await {
        let Ok(call) = calls.clone().acquire_owned().await else { return };
        if let Some(last_start) = last_start {
            shared.gather(last_start + CALL_PACE).await;
        }
        last_start = Some(Instant::now());
        let (shared, group) = (shared.clone(), shared.take_group());
        tokio::spawn(async move {
            send(&shared, group).await;
            drop(call);
        });
    }
    // All of them: then none is under way.
    drop(calls.acquire_many(CALLS_MAX as u32).await);
}

/// Sends what waits in as few calls as hold it, and answers each request by what became of its own lines.
async fn send(shared: &Shared, group: Vec<Pending>) {
    let n_bytes: usize = group.iter().map(|pending| pending.entry.n_bytes()).sum();
    // Whoever waited too long was told so.
    let (group, _late): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|pending| pending.since.elapsed() < ACCEPT_TIME_MAX);
    let mut parts = Parts::of(group.iter().map(|pending| &pending.entry));
    let messages = parts.pack();
    for call in calls(&messages) {
        let texts: Vec<&str> = call.iter().map(|message| message.text.as_str()).collect();
        match shared.client.send(&texts).await {
            Ok(failed) if failed.is_empty() => shared.trouble.is_over(),
            Ok(failed) => {
                for (place, error) in failed {
                    shared.trouble.note(&error);
                    parts.fail(call[place].part, &error);
                }
            }
            Err(error) => {
                shared.trouble.note(&error);
                call.iter().for_each(|message| parts.fail(message.part, &error));
            }
        }
    }
    for (place, pending) in group.into_iter().enumerate() {
        let stored = Accepted { n_stored: pending.entry.n_lines(), n_repeats: 0 };
        let answer =
            parts.failure_of(place).map_or(Ok(stored), |words| Err(AcceptError::Unavailable(words.to_owned())));
        // Who does not wait any more has gone away: its lines are in the queue all the same.
        drop(pending.answer.send(answer));
    }
    shared.inbox().n_bytes_unanswered -= n_bytes;
}

/// Cuts messages into calls: at most 10 and 1 MiB each.
fn calls(messages: &[parts::PackedMessage]) -> impl Iterator<Item = &[parts::PackedMessage]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let mut n_bytes = 0;
        let fits = rest.iter().take(BATCH_MAX).take_while(|message| {
            n_bytes += message.text.len();
            n_bytes <= MESSAGE_BYTES_MAX
        });
        let (call, later) = rest.split_at(fits.count());
        rest = later;
        (!call.is_empty()).then_some(call)
    })
}

/// A collector that says that it is not ready gets no requests that could show that SQS is back; so we ask.
async fn probe(shared: Arc<Shared>) {
    loop {
        shared.trouble.begins().await;
        sleep(PROBE_PAUSE).await;
        match shared.client.check().await {
            Ok(()) => shared.trouble.may_be_over(),
            Err(error) => shared.trouble.note(&error),
        }
    }
}
