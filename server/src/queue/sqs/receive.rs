//! The end of an SQS queue that batches come out at.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use logdig_store::{SealedBatch, aws::SdkConfig};
use tokio::{sync::Mutex, task::JoinSet, time::Instant};
use tracing::{info, warn};

use super::{
    client::{CallError, CallTimes, Received, SqsClient},
    message::{Envelope, MESSAGE_BYTES_MAX, Unreadable, unpack},
};
use crate::{
    clock::Clock,
    queue::{Batches, QueueError, SealRule},
};

mod hand_over;
mod pile;
mod shelf;

use hand_over::{delete_all, give_back_all};
use shelf::{MessageKey, Shelf};

/// A receive waits a second for messages, and then brings up to 1 MiB.
const CALL_TIMES: CallTimes =
    CallTimes { attempt: Duration::from_secs(10), call: Duration::from_secs(25), n_attempts: 3 };
/// Receiving at a time while there is more: four bring some 40 messages, 4 MiB, a round.
const RECEIVES_MAX: usize = 4;
/// A pass ends when so many rounds, one after another, brought nothing that was there when it began.
const QUIET_ROUNDS_MAX: u32 = 3;
/// Room that what is told beside a dead letter takes.
const REASON_BYTES_MAX: usize = 4096;

/// What a receiver is made with.
#[derive(Clone)]
pub struct ReceiverOptions {
    /// The queue's address.
    pub queue_url: String,
    /// Where messages go that can't be read; by default the one in the queue's redrive policy.
    pub dead_letter_queue_url: Option<String>,
    /// When files are sealed.
    pub rule: SealRule,
    /// The time of day.
    pub clock: Clock,
    /// How long nobody else gets a message that was received. A pass receives for a third of it, storing has until the
    /// end of the second third, and deleting the last one; so a message can't come to others before it is deleted.
    /// A batcher that is killed leaves its messages hidden for this long. From 3 s to 12 h.
    pub hold: Duration,
    /// A folder for files that are being filled; it is there. Best on the store's file system: then storing is a
    /// rename.
    pub scratch: PathBuf,
}

/// Takes messages out of one queue.
pub struct Receiver {
    client: SqsClient,
    dead_letters: Option<SqsClient>,
    options: ReceiverOptions,
    n_logs_received: AtomicU64,
}

/// What a pass did. All but `n_files` and `n_messages_…` are logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PassCounts {
    /// Files stored.
    pub n_files: u64,
    /// Logs in them.
    pub n_logs: u64,
    /// Logs too few and too new for a file.
    pub n_logs_given_back: u64,
    /// Messages that can't be read and were moved to the dead-letter queue.
    pub n_messages_dead: u64,
    /// Messages that can't be read and are in the queue still: there is no dead-letter queue, or it takes nothing.
    pub n_messages_kept: u64,
    /// Messages that were delivered again in the same pass, and counted once.
    pub n_messages_again: u64,
}

impl Receiver {
    /// Gets ready to receive.
    ///
    /// # Errors
    /// When there is no such queue, or we may not use it.
    pub async fn open(config: &SdkConfig, options: ReceiverOptions) -> Result<Receiver, CallError> {
        pile::sweep(&options.scratch);
        let client = SqsClient::new(config, &options.queue_url, CALL_TIMES);
        let dead_letter_queue_url = match &options.dead_letter_queue_url {
            Some(url) => {
                client.check().await?;
                Some(url.clone())
            }
            None => client.dead_letter_queue().await?,
        };
        let dead_letters = dead_letter_queue_url.map(|url| client.for_queue(&url));
        Ok(Receiver { client, dead_letters, options, n_logs_received: AtomicU64::new(0) })
    }

    /// How many logs were received so far, in all passes.
    pub fn n_logs_received(&self) -> u64 {
        self.n_logs_received.load(Relaxed)
    }

    /// Begins a pass, which receives no longer than to `until`, and ends soon when `stop` turns true.
    pub fn pass(self: &Arc<Self>, until: Option<Instant>, stop: Arc<AtomicBool>) -> Pass {
        let started = Instant::now();
        let receive_until = started + self.options.hold / 3;
        Pass {
            receiver: self.clone(),
            began_at: (self.options.clock)(),
            receive_until: until.map_or(receive_until, |until| until.min(receive_until)),
            store_until: started + self.options.hold * 2 / 3,
            stop,
            is_enough: AtomicBool::new(false),
            state: Mutex::new(State::default()),
        }
    }
}

/// One go through the queue: takes out what there is, gives each batch that is worth a file, and in the end gives back
/// the rest.
///
/// It ends when nothing comes any more that was there when it began, or its time is over. What comes in meanwhile does
/// not prolong it, and no estimate of SQS of how much there is plays a part.
pub struct Pass {
    receiver: Arc<Receiver>,
    began_at: Timestamp,
    receive_until: Instant,
    store_until: Instant,
    stop: Arc<AtomicBool>,
    is_enough: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shelf: Shelf,
    counts: PassCounts,
    n_quiet_rounds: u32,
    /// The last round brought something that was there when the pass began.
    there_may_be_much: bool,
    has_ended: bool,
    is_cut_short: bool,
    failure: Option<QueueError>,
}

impl Pass {
    /// Until when storing a batch has to be done with: later its messages may come to others.
    pub fn store_until(&self) -> Instant {
        self.store_until
    }

    /// Nothing more is received: what is held is sealed, where the rule says so, or given back.
    pub fn end_now(&self) {
        self.is_enough.store(true, Relaxed);
    }

    /// What it did so far.
    pub async fn counts(&self) -> PassCounts {
        self.state.lock().await.counts
    }

    /// Whether it ended because its time was over: there may be more.
    pub async fn is_cut_short(&self) -> bool {
        self.state.lock().await.is_cut_short
    }

    /// Receives until a batch is full, or the pass ends.
    async fn go_on(&self, state: &mut State) {
        let is_quiet = state.n_quiet_rounds >= QUIET_ROUNDS_MAX;
        let is_late = Instant::now() >= self.receive_until;
        let is_told = self.stop.load(Relaxed) || self.is_enough.load(Relaxed);
        if is_quiet || is_late || is_told || state.failure.is_some() {
            state.is_cut_short = !is_quiet && is_late;
            return self.end(state).await;
        }
        match self.receive(state.there_may_be_much).await {
            Ok(messages) => {
                let is_old = |message: &Received| message.sent_at <= self.began_at;
                state.there_may_be_much = messages.iter().any(is_old);
                state.n_quiet_rounds = if state.there_may_be_much { 0 } else { state.n_quiet_rounds + 1 };
                self.take_in(state, messages).await;
            }
            Err(error) => state.failure = Some(self.failure("receiving from", error)),
        }
    }

    async fn receive(&self, there_may_be_much: bool) -> Result<Vec<Received>, CallError> {
        let mut calls = JoinSet::new();
        for _ in 0..if there_may_be_much { RECEIVES_MAX } else { 1 } {
            let (client, hold) = (self.receiver.client.clone(), self.receiver.options.hold);
            calls.spawn(async move { client.receive(hold).await });
        }
        let mut messages = Vec::new();
        let mut failure = None;
        for received in calls.join_all().await {
            match received {
                Ok(received) => messages.extend(received),
                Err(error) => failure = Some(error),
            }
        }
        // What was received is not left to wait because another call failed; if that goes on, the next round tells.
        match failure {
            Some(error) if messages.is_empty() => Err(error),
            _ => Ok(messages),
        }
    }

    async fn take_in(&self, state: &mut State, messages: Vec<Received>) {
        let mut to_delete = Vec::new();
        for message in messages {
            let key = MessageKey::of(&message.id);
            if state.shelf.is_known(key) {
                state.counts.n_messages_again += 1;
                to_delete.extend(state.shelf.renew(key, message.receipt));
                continue;
            }
            match unpack(&message.text, Envelope { message_id: &message.id, sent_at: message.sent_at }) {
                Ok(unpacked) => {
                    self.receiver.n_logs_received.fetch_add(unpacked.n_logs, Relaxed);
                    let put = state.shelf.put(key, message.receipt, &unpacked, &self.receiver.options);
                    if let Err(source) = put {
                        let name = self.receiver.options.scratch.display().to_string();
                        state.failure = Some(QueueError { what: "writing into", name, source });
                    }
                }
                Err(reason) => to_delete.extend(self.set_aside(state, key, message, &reason).await),
            }
        }
        if let Err(error) = delete_all(&self.receiver.client, to_delete).await {
            warn!("{error}");
        }
    }

    /// Moves a message that can't be read to the dead-letter queue, and gives its receipt when it is there.
    async fn set_aside(
        &self,
        state: &mut State,
        key: MessageKey,
        message: Received,
        reason: &Unreadable,
    ) -> Option<String> {
        state.shelf.ignore(key);
        let Some(dead_letters) = &self.receiver.dead_letters else {
            warn!(message.id, "kept a message that can't be read, as there is no dead-letter queue: {reason}");
            state.counts.n_messages_kept += 1;
            return None;
        };
        let (words, sent_at) = (reason.to_string(), message.sent_at.to_string());
        let attributes =
            [("reason", reason.tag()), ("message", &*words), ("message_id", &*message.id), ("sent_at", &*sent_at)];
        // They count as part of a message, and this one may be as long as any.
        let has_room = message.text.len() + REASON_BYTES_MAX <= MESSAGE_BYTES_MAX;
        let attributes = if has_room { &attributes[..] } else { &[] };
        match dead_letters.send_one(&message.text, attributes).await {
            Ok(()) => {
                warn!(message.id, reason = reason.tag(), "moved a message to the dead-letter queue: {reason}");
                state.counts.n_messages_dead += 1;
                Some(message.receipt)
            }
            Err(error) => {
                warn!(message.id, "kept a message that can't be read ({reason}): {error}");
                state.counts.n_messages_kept += 1;
                None
            }
        }
    }

    /// Seals what is due, and gives back the rest, once, now that nothing is received any more.
    async fn end(&self, state: &mut State) {
        state.has_ended = true;
        let now = (self.receiver.options.clock)();
        match state.shelf.seal_due(&self.receiver.options.rule, now) {
            Ok(left) => {
                state.counts.n_logs_given_back += left.n_logs;
                if let Err(error) = give_back_all(&self.receiver.client, left.receipts).await {
                    warn!("{error}; they come back by themselves");
                }
            }
            Err(source) => {
                let name = self.receiver.options.scratch.display().to_string();
                state.failure.get_or_insert(QueueError { what: "sealing a file in", name, source });
            }
        }
    }

    fn failure(&self, what: &'static str, error: CallError) -> QueueError {
        QueueError { what, name: self.receiver.client.url().to_owned(), source: io::Error::other(error) }
    }
}

#[async_trait]
impl Batches for Pass {
    async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError> {
        let mut state = self.state.lock().await;
        loop {
            if let Some(batch) = state.shelf.take_sealed() {
                return Ok(Some(batch));
            }
            if state.has_ended {
                return state.failure.take().map_or(Ok(None), Err);
            }
            self.go_on(&mut state).await;
        }
    }

    async fn forget(&self, batch: &SealedBatch) -> Result<(), QueueError> {
        let mut state = self.state.lock().await;
        let Some(stored) = state.shelf.forget(batch.key()) else { return Ok(()) };
        state.counts.n_files += 1;
        state.counts.n_logs += stored.n_logs;
        let n_messages = stored.receipts.len();
        info!(object.key = %batch.key(), batch.n_logs = stored.n_logs, batch.n_messages = n_messages, "stored a batch");
        delete_all(&self.receiver.client, stored.receipts).await.map_err(|error| self.failure("emptying", error))
    }
}
