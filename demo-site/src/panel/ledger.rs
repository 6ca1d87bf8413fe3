//! How far each log has come: sights go in, stages come out.
//!
//! The panel is no part of the tracker, so it must work with what can be seen from outside: keys that come and go,
//! POSTs, answers, sealed files. The ledger never claims more than it saw. A key that is gone without an answer seen
//! (another tab may have sent it) is durable only once the log stands in a file; until then it is on its way.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use self::entry::Seat;
pub use self::entry::{Entry, LOST_AFTER_MS, Origin, Stage, Trouble};
use super::wire::{Found, Log, Place, Refusal, document_of, seq_of};

mod entry;

/// Settled logs that are kept to be shown; older ones live on in the counts.
pub const SETTLED_MAX: usize = 200;
/// All logs that are followed. The tracker itself queues no more than 2,000.
pub const FOLLOWED_MAX: usize = 2_000 + SETTLED_MAX;

/// Something the panel saw.
#[derive(Clone, Debug)]
pub enum Sight {
    /// All logs in localStorage, now.
    Queue(Vec<Log>),
    /// Another document wrote a log under this document id.
    WrittenElsewhere(String),
    /// A POST went out.
    PostLeft {
        /// Number of the POST, unique in this document.
        post: u64,
        /// What it carries, in its order.
        logs: Vec<Log>,
        /// The tracker's queue had keys in localStorage at that moment.
        stored: bool,
    },
    /// The collector answered it.
    PostAnswered(u64, u16, Vec<Refusal>),
    /// No answer: the network failed.
    PostFailed(u64),
    /// The visitor said no.
    Withdrawn,
    /// Asked for these ids, the collector found those; the last such round was so many milliseconds ago.
    Files {
        /// The ids of [`Ledger::sought`].
        asked: Vec<String>,
        /// Those in sealed files.
        found: Vec<Found>,
        /// Time since the last answer, 0 when the collector was away in between.
        waited_ms: u32,
    },
}

/// The numbers in the panel's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Seen at all, but for the leave of a view that is still there.
    pub made: usize,
    /// Not yet known to be durable, refused or lost.
    pub waiting: usize,
    /// Durable, whether in a file yet or not.
    pub durable: usize,
    /// In sealed files.
    pub in_files: usize,
    /// Refused for good.
    pub refused: usize,
    /// Left the queue and reached no file.
    pub lost: usize,
}

/// All logs that are followed, in the order they were first seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// Documents whose origin was settled by a sight; others are taken for this one.
    origins: BTreeMap<String, Origin>,
    /// What left `entries` to keep it within bounds.
    past: Counts,
}

impl Ledger {
    /// The ledger of the document that this tab showed before.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        for entry in self.entries.iter_mut().filter(|entry| entry.origin == Origin::Here) {
            entry.origin = Origin::Before;
        }
        // Made anew from what is left: documents whose logs are all gone are forgotten.
        self.origins = self.entries.iter().map(|e| (document_of(&e.log.id).to_owned(), e.origin)).collect();
        self
    }

    /// Takes in one sight.
    pub fn see(&mut self, sight: Sight) {
        match sight {
            Sight::Queue(logs) => self.see_queue(logs),
            Sight::WrittenElsewhere(document) => self.see_other_document(document),
            Sight::PostLeft { post, logs, stored } => self.see_post(post, logs, stored),
            Sight::PostAnswered(post, status, refusals) => self.see_answer(post, status, &refusals),
            Sight::PostFailed(post) => self.carried_by(post).for_each(Entry::wait),
            Sight::Withdrawn => self.entries.iter_mut().for_each(Entry::withdraw),
            Sight::Files { asked, found, waited_ms } => self.see_files(&asked, found, waited_ms),
        }
        self.prune();
    }

    /// The newest `n` logs, newest first.
    pub fn newest(&self, n: usize) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.iter().rev().collect();
        // Several documents come together here; timestamps of one form sort as text.
        entries.sort_by(|a, b| b.log.timestamp.cmp(&a.log.timestamp).then(seq_of(&b.log.id).cmp(&seq_of(&a.log.id))));
        entries.truncate(n);
        entries
    }

    /// Ids to ask the collector for, at most `n`: first those that should be in a file by now.
    pub fn sought(&self, n: usize) -> Vec<String> {
        let unsettled = self.entries.iter().filter(|entry| !entry.is_settled());
        let (due, early): (Vec<_>, Vec<_>) = unsettled.partition(|entry| entry.is_due());
        due.into_iter().chain(early).take(n).map(|entry| entry.log.id.clone()).collect()
    }

    /// Counts of everything ever seen.
    pub fn counts(&self) -> Counts {
        let mut counts = self.past;
        self.entries.iter().for_each(|entry| counts.add(entry));
        counts
    }

    fn see_queue(&mut self, logs: Vec<Log>) {
        let present: HashSet<String> = logs.iter().map(|log| log.id.clone()).collect();
        let known: HashSet<String> = self.entries.iter().map(|entry| entry.log.id.clone()).collect();
        for log in logs.into_iter().filter(|log| !known.contains(&log.id)) {
            self.add(log, Stage::Queued);
        }
        for entry in &mut self.entries {
            match present.contains(&entry.log.id) {
                true => entry.return_to_storage(),
                false => entry.leave_storage(),
            }
        }
    }

    fn see_other_document(&mut self, document: String) {
        // A page from the back/forward cache is told late what its successors in this tab wrote.
        if self.origins.get(&document) == Some(&Origin::Before) {
            return;
        }
        for entry in self.entries.iter_mut().filter(|entry| document_of(&entry.log.id) == document) {
            entry.origin = Origin::Elsewhere;
        }
        self.origins.insert(document, Origin::Elsewhere);
    }

    fn see_post(&mut self, post: u64, logs: Vec<Log>, stored: bool) {
        for (index, log) in logs.into_iter().enumerate() {
            let entry = self.entry(log.clone(), if stored { Stage::Queued } else { Stage::Made });
            // A leave says more than its draft did.
            entry.log = log;
            entry.leave(Seat { post, index });
        }
    }

    fn see_answer(&mut self, post: u64, status: u16, refusals: &[Refusal]) {
        for entry in self.carried_by(post) {
            let refusal = refusals.iter().find(|refusal| entry.sits_at(refusal.index));
            entry.hear(status, refusal);
        }
    }

    fn see_files(&mut self, asked: &[String], found: Vec<Found>, waited_ms: u32) {
        let mut places: HashMap<String, Place> = found.into_iter().map(|found| (found.id, found.place)).collect();
        let asked: HashSet<&str> = asked.iter().map(String::as_str).collect();
        for entry in self.entries.iter_mut().filter(|entry| asked.contains(entry.log.id.as_str())) {
            match places.remove(&entry.log.id) {
                Some(place) => entry.file(place),
                None => entry.miss(waited_ms),
            }
        }
    }

    fn carried_by(&mut self, post: u64) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().filter(move |entry| entry.seat.is_some_and(|seat| seat.post == post))
    }

    /// The entry of this log, made at `stage` when it was never seen.
    fn entry(&mut self, log: Log, stage: Stage) -> &mut Entry {
        let at = self.entries.iter().position(|entry| entry.log.id == log.id).unwrap_or_else(|| self.add(log, stage));
        &mut self.entries[at]
    }

    fn add(&mut self, log: Log, stage: Stage) -> usize {
        let origin = self.origins.get(document_of(&log.id)).copied().unwrap_or(Origin::Here);
        self.entries.push(Entry::new(log, stage, origin));
        self.entries.len() - 1
    }

    fn prune(&mut self) {
        let n_settled = self.entries.iter().filter(|entry| entry.can_go()).count();
        self.drop_oldest(n_settled.saturating_sub(SETTLED_MAX), Entry::can_go);
        self.drop_oldest(self.entries.len().saturating_sub(FOLLOWED_MAX), |_| true);
    }

    fn drop_oldest(&mut self, mut n: usize, droppable: impl Fn(&Entry) -> bool) {
        if n == 0 {
            return;
        }
        let past = &mut self.past;
        self.entries.retain(|entry| {
            let drop = n > 0 && droppable(entry);
            if drop {
                n -= 1;
                past.add(entry);
            }
            !drop
        });
    }
}

impl Counts {
    fn add(&mut self, entry: &Entry) {
        if entry.is_draft() {
            return;
        }
        self.made += 1;
        self.durable += usize::from(entry.stage >= Stage::Durable);
        self.in_files += usize::from(entry.stage == Stage::InFile);
        match entry.trouble {
            Some(Trouble::Refused { .. }) => self.refused += 1,
            Some(Trouble::Lost) => self.lost += 1,
            Some(Trouble::Withdrawn) => {}
            _ => self.waiting += usize::from(entry.stage < Stage::Durable),
        }
    }
}

#[cfg(test)]
#[path = "ledger/tests.rs"]
mod tests;
