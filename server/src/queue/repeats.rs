//! Logs that were sent twice are stored once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet, VecDeque},
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    io::BufRead,
    sync::LazyLock,
};

use jiff::Timestamp;
use logdig_store::{Day, Store, StoreError};

use crate::stored_line::StoredLine;

/// How long an id is remembered.
///
/// Almost all repeats come within seconds: a click that leaves the page is sent while the page goes, and again by the
/// next page. A day covers the browser that is closed in the evening and opened in the morning.
pub const WINDOW_HOURS: i64 = 24;

/// How many ids are remembered at most: about 110 MB at worst, and nothing while there are few.
/// At a steady load of 46 logs a second it is the 24 hours.
pub const WINDOW_IDS_MAX: usize = 4_000_000;

/// What a repeat is told by: the service's token and the log's id, as one number.
///
/// 64 bits of a hash that is keyed at random in each process, so nobody can choose ids that collide.
/// With a full window the chance that a new log is taken for a repeat is 1 in 4 * 10^12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RepeatKey(u64);

static HASH_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl RepeatKey {
    /// The key of the log `id` of the service that `token` names.
    pub fn of(token: &str, id: &str) -> RepeatKey {
        RepeatKey(HASH_KEY.hash_one((token, id)))
    }
}

/// The keys of the logs that were stored lately.
///
/// Keys of a write in progress are remembered at once but can be taken back: [`commit`](Self::commit) or
/// [`roll_back`](Self::roll_back) ends it.
#[derive(Debug)]
pub struct RepeatWindow {
    keys: HashSet<RepeatKey, BuildHasherDefault<AsItIs>>,
    /// The same keys by the hour they were received in, since 1970; within it in order of arrival.
    by_hour: BTreeMap<i64, VecDeque<RepeatKey>>,
    in_progress: Vec<RepeatKey>,
    n_ids_max: usize,
}

impl Default for RepeatWindow {
    fn default() -> RepeatWindow {
        RepeatWindow::new(WINDOW_IDS_MAX)
    }
}

impl RepeatWindow {
    /// An empty window that holds at most `n_ids_max` keys.
    pub fn new(n_ids_max: usize) -> RepeatWindow {
        RepeatWindow { keys: HashSet::default(), by_hour: BTreeMap::new(), in_progress: Vec::new(), n_ids_max }
    }

    /// How many keys are remembered.
    pub fn n_ids(&self) -> usize {
        self.keys.len()
    }

    /// Whether as many keys are remembered as may be.
    pub fn is_full(&self) -> bool {
        self.keys.len() >= self.n_ids_max
    }

    /// Remembers a key as part of the write in progress; `false` when it is known, which makes its log a repeat.
    pub fn insert(&mut self, key: RepeatKey) -> bool {
        let is_new = self.keys.insert(key);
        if is_new {
            self.in_progress.push(key);
        }
        is_new
    }

    /// The write succeeded: its keys stay, received at `now`; what is too old or too much goes.
    pub fn commit(&mut self, now: Timestamp) {
        if !self.in_progress.is_empty() {
            self.by_hour.entry(hour_of(now)).or_default().extend(self.in_progress.drain(..));
        }
        self.expire(now);
    }

    /// The write failed: its keys were never seen.
    pub fn roll_back(&mut self) {
        for key in self.in_progress.drain(..) {
            self.keys.remove(&key);
        }
    }

    /// Remembers the key of a log that was stored before this process began; `false` when it is known.
    pub fn remember(&mut self, key: RepeatKey, received_at: Timestamp) -> bool {
        let is_new = self.keys.insert(key);
        if is_new {
            self.by_hour.entry(hour_of(received_at)).or_default().push_back(key);
            self.drop_excess();
        }
        is_new
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(hour) = self.by_hour.first_entry() {
            if *hour.key() >= hour_of(now) - WINDOW_HOURS {
                break;
            }
            for key in hour.remove() {
                self.keys.remove(&key);
            }
        }
        self.drop_excess();
    }

    fn drop_excess(&mut self) {
        while self.keys.len() > self.n_ids_max {
            let Some(mut hour) = self.by_hour.first_entry() else { break };
            match hour.get_mut().pop_front() {
                Some(key) => drop(self.keys.remove(&key)),
                None => drop(hour.remove()),
            }
        }
    }
}

/// Fills a window with the ids of the logs that were stored lately.
///
/// Reads the objects of today and yesterday, the newest first, one at a time, until there is nothing of the last
/// [`WINDOW_HOURS`] in them or the window is full.
///
/// # Errors
/// When the store can't be read.
pub async fn rebuild(store: &dyn Store, now: Timestamp) -> Result<RepeatWindow, StoreError> {
    let mut window = RepeatWindow::default();
    let today = Day::of(now);
    let mut objects = store.list(today).await?;
    objects.extend(store.list(today.before()).await?);
    objects.sort_by_key(|object| Reverse(object.changed_at));
    for object in objects {
        let n_recent = remember_object(&mut window, &store.get(&object.key).await?, now);
        if n_recent == 0 || window.is_full() {
            break;
        }
    }
    Ok(window)
}

/// Remembers the logs of an object; gives how many of them are recent.
fn remember_object(window: &mut RepeatWindow, mut content: &[u8], now: Timestamp) -> usize {
    let (mut n_recent, mut line) = (0, Vec::new());
    while content.read_until(b'\n', &mut line).is_ok_and(|n_bytes| n_bytes > 0) {
        let is_recent = StoredLine::read(&line).is_some_and(|stored| remember_recent(window, stored, now));
        n_recent += usize::from(is_recent);
        line.clear();
    }
    n_recent
}

/// Remembers a stored log if it is of the last [`WINDOW_HOURS`]; whether it is.
pub fn remember_recent(window: &mut RepeatWindow, line: StoredLine, now: Timestamp) -> bool {
    let is_recent = |at: &Timestamp| hour_of(*at) >= hour_of(now) - WINDOW_HOURS;
    let Some(received_at) = line.received_at.filter(is_recent) else { return false };
    if let Some(key) = line.key {
        window.remember(key, received_at);
    }
    true
}

fn hour_of(instant: Timestamp) -> i64 {
    instant.as_second().div_euclid(3600)
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("a RepeatKey hashes as one u64");
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use logdig_store::{Content, ContentHash, MemoryStore, SealedBatch};

    use super::*;

    fn start() -> Timestamp {
        "2026-11-25T12:00:00Z".parse().unwrap()
    }

    fn id(n: usize) -> RepeatKey {
        RepeatKey::of("token", &n.to_string())
    }

    #[test]
    fn a_key_is_token_and_id() {
        assert_eq!(RepeatKey::of("a", "b"), RepeatKey::of("a", "b"));
        assert_ne!(RepeatKey::of("a", "b"), RepeatKey::of("ab", ""));
        assert_ne!(RepeatKey::of("a", "b"), RepeatKey::of("b", "a"));
    }

    #[test]
    fn a_failed_write_is_not_remembered() {
        let mut window = RepeatWindow::new(10);
        assert!(window.insert(id(1)));
        assert!(!window.insert(id(1)), "a repeat within one write");
        window.roll_back();
        assert!(window.insert(id(1)));
        window.commit(start());
        assert!(!window.insert(id(1)));
        window.roll_back();
        assert!(!window.insert(id(1)), "rolling back takes only the write's own keys");
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut window = RepeatWindow::new(3);
        window.remember(id(0), start() - SignedDuration::from_hours(2));
        for n in 1..=4 {
            assert!(window.insert(id(n)));
            window.commit(start());
        }
        assert_eq!(window.n_ids(), 3);
        assert!([2, 3, 4].iter().all(|n| !window.insert(id(*n))));
        assert!(window.insert(id(0)) && window.insert(id(1)));
    }

    #[test]
    fn ids_are_remembered_for_a_day() {
        let mut window = RepeatWindow::new(10);
        window.remember(id(1), start());
        window.commit(start() + SignedDuration::from_hours(24));
        assert!(!window.insert(id(1)));
        window.commit(start() + SignedDuration::from_hours(25));
        assert!(window.insert(id(1)));
    }

    #[tokio::test]
    async fn is_filled_from_what_was_stored_lately() {
        let store = MemoryStore::new();
        let line = |id: &str, at: &str| format!("{{\"token\":\"token\",\"id\":\"{id}\",\"received_at\":\"{at}\"}}\n");
        let old = line("1", "2026-11-24T11:59:59Z") + &line("2", "2026-11-24T12:00:00Z");
        let new = "2015-12-22|of the original\n".to_owned() + &line("3", "2026-11-25T00:00:00Z") + "{}\n";
        for (day, text) in [("2026-11-24", old), ("2026-11-25", new), ("2026-11-23", line("4", "2026-11-25T00:00:00Z"))]
        {
            let content = text.into_bytes();
            let (day, sha256) = (day.parse().unwrap(), ContentHash::of(&content));
            store.put(&SealedBatch { day, sha256, content: Content::Bytes(content) }).await.unwrap();
        }
        let mut window = rebuild(&store, start()).await.unwrap();
        assert_eq!(window.n_ids(), 2);
        assert!(!window.insert(id(2)) && !window.insert(id(3)));
    }

    #[test]
    fn a_failed_write_costs_no_older_id() {
        let mut window = RepeatWindow::new(2);
        window.remember(id(1), start());
        window.remember(id(2), start());
        window.insert(id(3));
        window.roll_back();
        assert!(!window.insert(id(1)) && !window.insert(id(2)));
    }
}
