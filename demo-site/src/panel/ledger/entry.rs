//! One log: its stage, and what may happen to it.

use serde::{Deserialize, Serialize};

use crate::panel::wire::{Log, Place, Refusal};

/// A log that left the queue, or was called durable, and that a collector which answers has in no file for this long,
/// is called lost. The demo seals after 5 s.
pub const LOST_AFTER_MS: u32 = 60_000;

/// The five marks of a line, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Seen for the first time in a POST: it was never in localStorage.
    Made,
    /// A key of its own in localStorage.
    Queued,
    /// In a POST that is under way, or gone from the queue with no answer seen.
    Sent,
    /// In a request that the collector answered with 2xx.
    Durable,
    /// In a sealed file.
    InFile,
}

impl Stage {
    /// All five, first to last.
    pub const ALL: [Self; 5] = [Self::Made, Self::Queued, Self::Sent, Self::Durable, Self::InFile];
}

/// Which document made a log, seen from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// This document.
    Here,
    /// One that this tab showed before.
    Before,
    /// One in another tab.
    Elsewhere,
}

/// What went wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// Sent this many times without a 2xx; the tracker keeps it and tries again.
    Waits {
        /// From 1.
        n_attempts: u32,
    },
    /// The collector will never take it.
    Refused {
        /// Tag of the reason.
        reason: String,
    },
    /// See [`LOST_AFTER_MS`].
    Lost,
    /// Thrown away unsent, since the visitor said no.
    Withdrawn,
}

/// A log's place in a POST: refusals name it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) post: u64,
    pub(super) index: usize,
}

/// One log and what was seen of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it says.
    pub log: Log,
    /// How far it has come.
    pub stage: Stage,
    /// Who made it.
    pub origin: Origin,
    /// What went wrong, if anything did.
    pub trouble: Option<Trouble>,
    /// Where it stands, once it does.
    pub place: Option<Place>,
    /// Its key is in localStorage now.
    pub in_storage: bool,
    /// It never was in localStorage: the tracker keeps it in memory.
    pub in_memory: bool,
    /// For how long an answering collector has had it in no file.
    missed_ms: u32,
    /// The POST under way that carries it. Posts do not outlive the document.
    #[serde(skip)]
    pub(super) seat: Option<Seat>,
}

impl Entry {
    pub(super) fn new(log: Log, stage: Stage, origin: Origin) -> Self {
        Self {
            log,
            stage,
            origin,
            trouble: None,
            place: None,
            in_storage: false,
            in_memory: false,
            missed_ms: 0,
            seat: None,
        }
    }

    /// Nothing more will happen to it.
    pub(super) fn is_settled(&self) -> bool {
        self.stage == Stage::InFile || matches!(self.trouble, Some(Trouble::Refused { .. } | Trouble::Withdrawn))
    }

    /// A leave of a view that is still there: the tracker keeps it up to date, and sends it when the view is left or,
    /// should this page end unseen, from the next one.
    pub fn is_draft(&self) -> bool {
        self.log.r#type == "leave"
            && self.origin == Origin::Here
            && self.stage == Stage::Queued
            && self.trouble.is_none()
    }

    /// Settled, and no key of it could bring it up again.
    pub(super) fn can_go(&self) -> bool {
        self.is_settled() && !self.in_storage
    }

    /// It should be in a file, or soon: durable, or out of every queue.
    pub(super) fn is_due(&self) -> bool {
        self.stage >= Stage::Durable || !self.is_kept()
    }

    /// The tracker holds it: in localStorage, or in the memory of this page.
    fn is_kept(&self) -> bool {
        self.in_storage || (self.in_memory && self.origin == Origin::Here)
    }

    /// The visitor said no: the tracker throws away what waits. What is under way may still arrive.
    pub(super) fn withdraw(&mut self) {
        if self.is_kept() && self.seat.is_none() && self.stage < Stage::Durable {
            self.in_storage = false;
            self.trouble = Some(Trouble::Withdrawn);
        }
    }

    /// A POST takes it along.
    pub(super) fn leave(&mut self, seat: Seat) {
        self.in_memory |= self.stage == Stage::Made;
        self.seat = Some(seat);
        self.reach(Stage::Sent);
    }

    pub(super) fn sits_at(&self, index: usize) -> bool {
        self.seat.is_some_and(|seat| seat.index == index)
    }

    fn reach(&mut self, stage: Stage) {
        self.stage = self.stage.max(stage);
    }

    pub(super) fn return_to_storage(&mut self) {
        self.in_storage = true;
        self.in_memory = false;
        // Sent by a document that is gone, its answer unseen: it waits again.
        if self.stage <= Stage::Sent && self.seat.is_none() {
            self.stage = Stage::Queued;
        }
    }

    pub(super) fn leave_storage(&mut self) {
        if std::mem::take(&mut self.in_storage) {
            self.reach(Stage::Sent);
        }
    }

    /// The POST that carried it brought nothing; the tracker keeps it.
    pub(super) fn wait(&mut self) {
        self.seat = None;
        if self.stage >= Stage::Durable {
            return;
        }
        self.stage = if self.in_memory { Stage::Made } else { Stage::Queued };
        let before = match self.trouble {
            Some(Trouble::Waits { n_attempts }) => n_attempts,
            _ => 0,
        };
        self.trouble = Some(Trouble::Waits { n_attempts: before + 1 });
    }

    pub(super) fn hear(&mut self, status: u16, refusal: Option<&Refusal>) {
        match (status, refusal) {
            (200..=299 | 400 | 403, Some(refusal)) => self.refuse(&refusal.reason),
            (200..=299, None) => self.keep(),
            (400 | 403, None) => self.refuse(&status.to_string()),
            _ => self.wait(),
        }
    }

    fn keep(&mut self) {
        self.seat = None;
        self.trouble = None;
        self.reach(Stage::Durable);
    }

    fn refuse(&mut self, reason: &str) {
        self.seat = None;
        self.trouble = Some(Trouble::Refused { reason: reason.to_owned() });
    }

    pub(super) fn file(&mut self, place: Place) {
        self.place = Some(place);
        self.trouble = None;
        self.reach(Stage::InFile);
    }

    pub(super) fn miss(&mut self, waited_ms: u32) {
        if self.is_settled() || !self.is_due() {
            return;
        }
        self.missed_ms = self.missed_ms.saturating_add(waited_ms);
        if self.missed_ms > LOST_AFTER_MS {
            self.trouble = Some(Trouble::Lost);
        }
    }
}
