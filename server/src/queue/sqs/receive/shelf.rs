//! Everything that a pass holds: piles that grow, batches that are sealed, and which message is where.

use std::{
    collections::{BTreeMap, HashMap, VecDeque, btree_map::Entry},
    io, mem,
};

use jiff::Timestamp;
use logdig_store::{Content, ContentHash, Day, ObjectKey, SealedBatch};
use tempfile::NamedTempFile;

use super::{ReceiverOptions, pile::Pile};
use crate::queue::{SealRule, sqs::message::Unpacked};

/// SQS lets 120,000 messages be out at a time, to all who receive. So two batchers can fill a file each.
const MESSAGES_PER_BATCH_MAX: usize = 50_000;
/// Messages that were deleted and are still known; when there are more all of them are forgotten. 32 MB.
const GONE_MAX: usize = 500_000;

/// Tells messages apart: 128 bits of the SHA-256 of SQS's id of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageKey(u128);

impl MessageKey {
    pub fn of(id: &str) -> MessageKey {
        let text = ContentHash::of(id.as_bytes()).to_string();
        MessageKey(u128::from_str_radix(&text[..32], 16).expect("a hash is written in hex digits"))
    }
}

#[derive(Clone, Copy)]
enum Place {
    Pile(Day),
    Sealed(ObjectKey),
    /// It was deleted.
    Gone,
    /// It can't be read, and was dealt with.
    Ignored,
}

struct Sealed {
    n_logs: u64,
    receipts: HashMap<MessageKey, String>,
    // Removed with this, unless the store took it.
    _file: NamedTempFile,
}

/// Messages and what to do with them.
#[derive(Default)]
pub struct Messages {
    /// How many logs they hold.
    pub n_logs: u64,
    /// What they are deleted or given back by.
    pub receipts: Vec<String>,
}

#[derive(Default)]
pub struct Shelf {
    piles: BTreeMap<Day, Pile>,
    ready: VecDeque<SealedBatch>,
    sealed: HashMap<ObjectKey, Sealed>,
    places: HashMap<MessageKey, Place>,
    n_gone: usize,
}

impl Shelf {
    /// Whether this pass has met the message before.
    pub fn is_known(&self, key: MessageKey) -> bool {
        self.places.contains_key(&key)
    }

    /// A message that is known was handed out again: only its newest receipt is sure to work. Gives it back when the
    /// message should be gone, and so is to be deleted again.
    pub fn renew(&mut self, key: MessageKey, receipt: String) -> Option<String> {
        let receipts = match self.places.get(&key)? {
            Place::Pile(day) => self.piles.get_mut(day).map(|pile| &mut pile.receipts),
            Place::Sealed(object) => self.sealed.get_mut(object).map(|sealed| &mut sealed.receipts),
            Place::Gone => return Some(receipt),
            Place::Ignored => None,
        };
        receipts?.insert(key, receipt);
        None
    }

    /// From now on the message is known, and nothing is done with it.
    pub fn ignore(&mut self, key: MessageKey) {
        self.places.insert(key, Place::Ignored);
    }

    /// Puts a message's lines on the pile of their day; seals that first when there is no room, and after when it is
    /// full.
    ///
    /// # Errors
    /// When the pile's file fails. Its messages come back by themselves.
    pub fn put(
        &mut self,
        key: MessageKey,
        receipt: String,
        unpacked: &Unpacked,
        options: &ReceiverOptions,
    ) -> io::Result<()> {
        let day = unpacked.day;
        let n_bytes = unpacked.lines.len() as u64;
        let has_no_room = |pile: &Pile| {
            options.rule.is_full_for(pile.n_bytes(), n_bytes) || pile.receipts.len() >= MESSAGES_PER_BATCH_MAX
        };
        if self.piles.get(&day).is_some_and(has_no_room) {
            self.seal(day)?;
        }
        let pile = match self.piles.entry(day) {
            Entry::Occupied(pile) => pile.into_mut(),
            Entry::Vacant(place) => place.insert(Pile::new(day, &options.scratch)?),
        };
        if let Err(error) = pile.add(key, receipt, unpacked) {
            self.piles.remove(&day);
            return Err(error);
        }
        let is_full = pile.n_bytes() >= options.rule.file_bytes_max;
        self.places.insert(key, Place::Pile(day));
        if is_full { self.seal(day) } else { Ok(()) }
    }

    /// Seals every pile that the rule says is due, and gives the messages of the others.
    ///
    /// # Errors
    /// When a file fails. Its messages come back by themselves.
    pub fn seal_due(&mut self, rule: &SealRule, now: Timestamp) -> io::Result<Messages> {
        let mut result = Ok(());
        let days: Vec<Day> = self.piles.keys().copied().collect();
        for day in days {
            if rule.time_left(&self.piles[&day].as_open_batch(now), now, false).is_zero() {
                result = result.and(self.seal(day));
            }
        }
        let mut left = Messages::default();
        for pile in mem::take(&mut self.piles).into_values() {
            left.n_logs += pile.n_logs();
            left.receipts.extend(pile.receipts.into_values());
        }
        result.map(|()| left)
    }

    fn seal(&mut self, day: Day) -> io::Result<()> {
        let Some(pile) = self.piles.remove(&day) else { return Ok(()) };
        let n_logs = pile.n_logs();
        let (file, sha256, receipts) = pile.seal()?;
        let key = ObjectKey { day, sha256 };
        for message in receipts.keys() {
            self.places.insert(*message, Place::Sealed(key));
        }
        match self.sealed.get_mut(&key) {
            // The same lines, in other messages: one object, and all of the messages are to be deleted.
            Some(same) => same.receipts.extend(receipts),
            None => {
                let content = Content::File(file.path().to_owned());
                self.ready.push_back(SealedBatch { day, sha256, content });
                self.sealed.insert(key, Sealed { n_logs, receipts, _file: file });
            }
        }
        Ok(())
    }

    /// The next sealed batch, each once.
    pub fn take_sealed(&mut self) -> Option<SealedBatch> {
        self.ready.pop_front()
    }

    /// The messages of a stored batch, to be deleted; `None` when it was forgotten before.
    pub fn forget(&mut self, key: ObjectKey) -> Option<Messages> {
        let sealed = self.sealed.remove(&key)?;
        self.n_gone += sealed.receipts.len();
        if self.n_gone > GONE_MAX {
            self.places.retain(|_, place| !matches!(place, Place::Gone));
            self.n_gone = sealed.receipts.len();
        }
        for message in sealed.receipts.keys() {
            self.places.insert(*message, Place::Gone);
        }
        Some(Messages { n_logs: sealed.n_logs, receipts: sealed.receipts.into_values().collect() })
    }
}
