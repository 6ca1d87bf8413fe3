//! What a file on the simulated disk holds: what programs see, and what is on the disk.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// Small, so that a sector holds a part of a line.
const SECTOR_BYTES: usize = 32;

pub struct File {
    /// What programs read.
    pub seen: Vec<u8>,
    /// What a power cut leaves, apart from what is dirty.
    on_disk: Vec<u8>,
    /// Sectors that were written since the last sync, by number.
    pub dirty: BTreeSet<usize>,
    is_length_dirty: bool,
    pub changed_at: Timestamp,
}

impl File {
    pub fn new(changed_at: Timestamp) -> File {
        File { seen: Vec::new(), on_disk: Vec::new(), dirty: BTreeSet::new(), is_length_dirty: false, changed_at }
    }

    /// Writes a sector of what is seen to the disk, which may make the file longer there.
    pub fn write_back(&mut self, number: usize) {
        let range = sector(number, self.seen.len());
        if self.on_disk.len() < range.end {
            self.on_disk.resize(range.end, 0);
        }
        self.on_disk[range.clone()].copy_from_slice(&self.seen[range]);
        self.dirty.remove(&number);
    }

    pub fn sync(&mut self) {
        for number in self.dirty.clone() {
            self.write_back(number);
        }
        if std::mem::take(&mut self.is_length_dirty) {
            self.on_disk.resize(self.seen.len(), 0);
        }
    }

    /// Any part of what is dirty is written; the rest is taken for clean, and may even be read back as it was before.
    pub fn sync_badly(&mut self, rng: &mut Rng) {
        for number in std::mem::take(&mut self.dirty) {
            if rng.one_in(2) {
                self.write_back(number);
            } else if rng.one_in(2) {
                let range = sector(number, self.seen.len());
                for at in range {
                    self.seen[at] = self.on_disk.get(at).copied().unwrap_or(0);
                }
            }
        }
        self.is_length_dirty &= rng.one_in(2);
    }

    pub fn append(&mut self, bytes: &[u8]) {
        let start = self.seen.len();
        self.seen.extend_from_slice(bytes);
        self.dirty.extend(start / SECTOR_BYTES..self.seen.len().div_ceil(SECTOR_BYTES));
        self.is_length_dirty = true;
    }

    pub fn truncate(&mut self, n_bytes: usize) {
        self.seen.truncate(n_bytes);
        self.dirty.retain(|number| number * SECTOR_BYTES < n_bytes);
        self.is_length_dirty = true;
    }

    pub fn lose_power(&mut self, rng: &mut Rng) {
        for number in self.dirty.clone() {
            if rng.one_in(2) {
                self.write_back(number);
            }
        }
        if self.is_length_dirty {
            let (short, long) = (self.on_disk.len().min(self.seen.len()), self.on_disk.len().max(self.seen.len()));
            self.on_disk.resize(short + rng.up_to(long - short), 0);
        }
        self.seen = self.on_disk.clone();
        self.dirty.clear();
        self.is_length_dirty = false;
    }
}

fn sector(number: usize, length: usize) -> std::ops::Range<usize> {
    let start = number * SECTOR_BYTES;
    start.min(length)..(start + SECTOR_BYTES).min(length)
}

/// The same numbers for the same seed (SplitMix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        n > 0 && self.next().is_multiple_of(n)
    }

    pub fn up_to(&mut self, max: usize) -> usize {
        (self.next() % (max as u64 + 1)) as usize
    }
}
