//! A queue in memory, for tests: it keeps the contract as long as the process lives.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use logdig_store::{Content, ContentHash, Day, SealedBatch};
use tokio::sync::Notify;

use super::{
    AcceptError, Accepted, Batches, Entry, Queue, QueueError, SealRule, repeats::RepeatWindow, seal::OpenBatch,
};
use crate::clock::{Clock, RunningTime};

/// The clock may be set by a test at any moment, so it is looked at this often while a batch is waited for.
const CLOCK_LOOK: Duration = Duration::from_millis(100);

/// Holds lines and batches in memory.
pub struct MemoryQueue {
    rule: SealRule,
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    time: RunningTime,
    open: BTreeMap<Day, Open>,
    sealed: VecDeque<SealedBatch>,
    repeats: RepeatWindow,
    refusal: Option<String>,
    finished: bool,
}

struct Open {
    text: String,
    n_logs: u64,
    /// When the first line came, in running time.
    since: Duration,
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new(rule: SealRule, clock: Clock) -> MemoryQueue {
        let state = State {
            time: RunningTime::start(clock()),
            open: BTreeMap::new(),
            sealed: VecDeque::new(),
            repeats: RepeatWindow::default(),
            refusal: None,
            finished: false,
        };
        MemoryQueue { rule, clock, state: Mutex::new(state), changed: Notify::new() }
    }

    /// From now on refuses every entry with these words, as a full disk would; `None` ends it.
    pub fn refuse(&self, words: Option<&str>) {
        self.state().refusal = words.map(str::to_owned);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next sealed batch; `Err` says whether more can come.
    fn take_sealed(&self) -> Result<SealedBatch, bool> {
        let now = (self.clock)();
        let mut state = self.state();
        state.seal_due(&self.rule, now);
        let more_can_come = !state.finished;
        state.sealed.pop_front().ok_or(more_can_come)
    }
}

impl State {
    fn store(&mut self, entry: &Entry, rule: &SealRule, now: Timestamp) -> Accepted {
        let since = self.time.at(now);
        let is_full = |open: &Open| rule.is_full_for(open.text.len() as u64, entry.n_bytes() as u64);
        if self.open.get(&entry.day()).is_some_and(is_full) {
            self.seal(entry.day());
        }
        let mut accepted = Accepted::default();
        for (line, key) in entry.lines() {
            if key.is_some_and(|key| !self.repeats.insert(key)) {
                accepted.n_repeats += 1;
                continue;
            }
            accepted.n_stored += 1;
            let open = self.open.entry(entry.day()).or_insert(Open { text: String::new(), n_logs: 0, since });
            open.text.push_str(line);
            open.n_logs += 1;
        }
        self.repeats.commit(now);
        accepted
    }

    fn seal_due(&mut self, rule: &SealRule, now: Timestamp) {
        let elapsed = self.time.at(now);
        let is_due = |(day, open): (&Day, &Open)| {
            let age = elapsed.saturating_sub(open.since);
            let batch = OpenBatch { day: *day, n_logs: open.n_logs, n_bytes: open.text.len() as u64, age };
            rule.time_left(&batch, now, self.finished).is_zero().then_some(*day)
        };
        let due: Vec<Day> = self.open.iter().filter_map(is_due).collect();
        due.into_iter().for_each(|day| self.seal(day));
    }

    fn seal(&mut self, day: Day) {
        if let Some(open) = self.open.remove(&day) {
            let bytes = open.text.into_bytes();
            self.sealed.push_back(SealedBatch { day, sha256: ContentHash::of(&bytes), content: Content::Bytes(bytes) });
        }
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError> {
        let now = (self.clock)();
        let mut state = self.state();
        if state.finished {
            return Err(AcceptError::Closed);
        }
        if let Some(words) = &state.refusal {
            return Err(AcceptError::Unavailable(words.clone()));
        }
        let accepted = state.store(&entry, &self.rule, now);
        self.changed.notify_waiters();
        Ok(accepted)
    }

    async fn finish(&self) {
        let now = (self.clock)();
        let mut state = self.state();
        state.finished = true;
        state.seal_due(&self.rule, now);
        self.changed.notify_waiters();
    }

    fn ready(&self) -> Result<(), String> {
        let state = self.state();
        match &state.refusal {
            _ if state.finished => Err("shutting down".to_owned()),
            Some(words) => Err(words.clone()),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Batches for MemoryQueue {
    async fn next_batch(&self) -> Result<Option<SealedBatch>, QueueError> {
        loop {
            let changed = self.changed.notified();
            match self.take_sealed() {
                Ok(batch) => return Ok(Some(batch)),
                Err(false) => return Ok(None),
                Err(true) => drop(tokio::time::timeout(CLOCK_LOOK, changed).await),
            }
        }
    }

    async fn forget(&self, _batch: &SealedBatch) -> Result<(), QueueError> {
        Ok(())
    }
}
