//! Logs that were sent twice are stored once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet, VecDeque},
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    io::BufRead,
    sync::LazyLock,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use logdig_store::{Day, ObjectInfo, Store, StoreError};
use tracing::{info, warn};

use crate::stored_line::StoredLine;

/// How long an id is remembered.
///
/// Almost all repeats come within seconds: a click that leaves the page is sent while the page goes, and again by the
/// next page. A day covers the browser that is closed in the evening and opened in the morning.
pub const WINDOW_HOURS: i64 = 24;

/// How many ids are remembered at most: about 150 MB at worst, and nothing while there are few.
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

/// What reading stored objects at a start may cost, when the store is elsewhere.
///
/// The newest objects come first, and almost all repeats come within seconds: what is left out are ids of hours ago.
#[derive(Clone, Copy, Debug)]
pub struct RebuildBounds {
    /// The time in all.
    pub time: Duration,
    /// The bytes read in all. The objects that go beyond it are the last.
    pub n_bytes: u64,
}

impl Default for RebuildBounds {
    /// Half a minute and 1 GiB, which is some 2 million logs.
    fn default() -> RebuildBounds {
        RebuildBounds { time: Duration::from_secs(30), n_bytes: 1 << 30 }
    }
}

/// Objects are read several at a time as long as they are small, since each takes a store far away some 50 ms.
const N_AT_A_TIME: usize = 16;
/// Together they hold no more than this, or are one.
const BYTES_AT_A_TIME: u64 = 16 << 20;

/// Fills a window with the ids of the logs that were stored lately.
///
/// Reads the objects of today and yesterday, the newest first, until the window is full.
///
/// # Errors
/// When the store can't be read.
pub async fn rebuild(store: &dyn Store, now: Timestamp) -> Result<RepeatWindow, StoreError> {
    let mut window = RepeatWindow::default();
    read_newest(&mut window, store, now, u64::MAX).await?;
    Ok(window)
}

/// The same with what can be had within bounds, be it nothing.
///
/// Repeats that are not told are a smaller harm than logs that are not taken. What was left out is told in the program's
/// log.
pub async fn rebuild_within(bounds: RebuildBounds, store: &dyn Store, now: Timestamp) -> RepeatWindow {
    let mut window = RepeatWindow::default();
    let read = read_newest(&mut window, store, now, bounds.n_bytes);
    match tokio::time::timeout(bounds.time, read).await {
        Ok(Ok(0)) => (),
        Ok(Ok(n_left)) => info!("{n_left} older files are not read: repeats of their logs would be stored"),
        Ok(Err(error)) => warn!("not all logs stored before are known, so repeats of them would be stored: {error}"),
        Err(_) => warn!("not all logs stored before are known, so repeats of them would be stored: it took too long"),
    }
    window
}

/// Gives the number of objects that were left out.
async fn read_newest(
    window: &mut RepeatWindow,
    store: &dyn Store,
    now: Timestamp,
    n_bytes_max: u64,
) -> Result<usize, StoreError> {
    let today = Day::of(now);
    let mut objects = store.list(today).await?;
    objects.extend(store.list(today.before()).await?);
    objects.sort_by_key(|object| Reverse(object.changed_at));
    let (mut rest, mut n_bytes) = (&objects[..], 0);
    while !rest.is_empty() && !window.is_full() && n_bytes < n_bytes_max {
        let (group, after) = rest.split_at(n_together(rest));
        for content in join_all(group.iter().map(|object| store.get(&object.key))).await {
            // One that is damaged is for `logdig check` to tell; the others are good all the same.
            match content {
                Err(error @ StoreError::Damaged { .. }) => warn!("{error}"),
                content => remember_object(window, &content?, now),
            }
        }
        n_bytes += group.iter().map(|object| object.n_bytes).sum::<u64>();
        rest = after;
    }
    Ok(if window.is_full() { 0 } else { rest.len() })
}

/// How many of these objects are read at a time: at least one.
fn n_together(objects: &[ObjectInfo]) -> usize {
    let mut n_bytes = 0;
    let fits = |object: &&ObjectInfo| {
        n_bytes += object.n_bytes;
        n_bytes <= BYTES_AT_A_TIME
    };
    objects.iter().take(N_AT_A_TIME).take_while(fits).count().max(1)
}

fn remember_object(window: &mut RepeatWindow, mut content: &[u8], now: Timestamp) {
    // Lines stand in the order of their receipt: when the last is too old, all are.
    let last = content.split_inclusive(|byte| *byte == b'\n').next_back().and_then(StoredLine::read);
    if last.is_some_and(|last| !is_recent(last, now)) {
        return;
    }
    let mut line = Vec::new();
    while content.read_until(b'\n', &mut line).is_ok_and(|n_bytes| n_bytes > 0) {
        if let Some(stored) = StoredLine::read(&line) {
            remember_recent(window, stored, now);
        }
        line.clear();
    }
}

/// Remembers a stored log if it is of the last [`WINDOW_HOURS`] and has an id.
pub fn remember_recent(window: &mut RepeatWindow, line: StoredLine, now: Timestamp) {
    if let (Some(key), Some(received_at), true) = (line.key, line.received_at, is_recent(line, now)) {
        window.remember(key, received_at);
    }
}

fn is_recent(line: StoredLine, now: Timestamp) -> bool {
    line.received_at.is_some_and(|received_at| hour_of(received_at) >= hour_of(now) - WINDOW_HOURS)
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
    use logdig_store::{Content, ContentHash, MemoryStore, ObjectKey, SealedBatch};

    use super::*;

    const NOON: &str = "2026-11-25T12:00:00Z";

    fn start() -> Timestamp {
        NOON.parse().unwrap()
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
        let new = line("3", "2026-11-25T00:00:00Z") + "2015-12-22|of the original\n" + "{}\n" + &line("4", NOON);
        let too_old = line("5", "2026-11-24T11:59:59Z");
        let elsewhere = line("6", NOON);
        let objects = [("2026-11-24", old), ("2026-11-25", new), ("2026-11-24", too_old), ("2026-11-23", elsewhere)];
        for (day, text) in objects {
            let content = text.into_bytes();
            let (day, sha256) = (day.parse().unwrap(), ContentHash::of(&content));
            store.put(&SealedBatch { day, sha256, content: Content::Bytes(content) }).await.unwrap();
        }
        let mut window = rebuild(&store, start()).await.unwrap();
        assert_eq!(window.n_ids(), 3);
        assert!([2, 3, 4].iter().all(|n| !window.insert(id(*n))));
    }

    /// Puts a log a file, `n` of them; gives them by name.
    async fn store_of(n: usize) -> MemoryStore {
        let store = MemoryStore::new();
        for id in 0..n {
            let line = format!("{{\"token\":\"token\",\"id\":\"{id}\",\"received_at\":\"{NOON}\"}}\n");
            let content = line.into_bytes();
            let (day, sha256) = (Day::of(start()), ContentHash::of(&content));
            store.put(&SealedBatch { day, sha256, content: Content::Bytes(content) }).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn reads_no_more_than_it_may() {
        let store = store_of(40).await;
        for (n_bytes, n_ids) in [(0, 0), (1, N_AT_A_TIME), (u64::MAX, 40)] {
            let bounds = RebuildBounds { n_bytes, ..RebuildBounds::default() };
            assert_eq!(rebuild_within(bounds, &store, start()).await.n_ids(), n_ids);
        }
    }

    #[test]
    fn large_objects_are_read_one_by_one() {
        let object = |n_bytes| ObjectInfo {
            key: ObjectKey { day: Day::of(start()), sha256: ContentHash::of(b"") },
            n_bytes,
            changed_at: start(),
        };
        for (sizes, n) in
            [(vec![64 << 20, 1], 1), (vec![10 << 20, 10 << 20], 1), (vec![1; 40], 16), (vec![8 << 20; 3], 2)]
        {
            assert_eq!(n_together(&sizes.into_iter().map(object).collect::<Vec<_>>()), n);
        }
    }

    /// Lists, and then never answers, or refuses.
    struct Away {
        store: MemoryStore,
        hangs: bool,
    }

    #[async_trait::async_trait]
    impl Store for Away {
        async fn put(&self, batch: &SealedBatch) -> Result<(), StoreError> {
            self.store.put(batch).await
        }

        async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError> {
            match self.hangs {
                true => std::future::pending().await,
                false => Err(StoreError::Absent { key: *key }),
            }
        }

        async fn list(&self, day: Day) -> Result<Vec<ObjectInfo>, StoreError> {
            self.store.list(day).await
        }

        async fn days(&self) -> Result<Vec<Day>, StoreError> {
            self.store.days().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_does_not_hold_up_the_start() {
        for hangs in [true, false] {
            let away = Away { store: store_of(1).await, hangs };
            assert_eq!(rebuild_within(RebuildBounds::default(), &away, start()).await.n_ids(), 0);
        }
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
