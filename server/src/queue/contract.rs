//! What every queue must do: one suite, run against each of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use logdig_store::{Content, ContentHash, Day, SealedBatch};

use super::{AcceptError, Accepted, Batches, Entry, Queue, RepeatKey, SealRule};
use crate::clock::TestClock;

/// Both ends of a queue.
pub struct Ends {
    /// Where lines go in.
    pub queue: Arc<dyn Queue>,
    /// Where batches come out.
    pub batches: Arc<dyn Batches>,
}

/// In what queues differ, by design.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// A log that is sent twice is stored once. Else it is stored twice, told by its id.
    pub stores_once: bool,
    /// It is one process's own: lines keep their order, and `finish` seals what is there. Else it goes on without the
    /// process, lines of different requests come in any order, and batches are sealed by age alone.
    pub seals_itself: bool,
}

/// Holds the queues that `make` makes, each empty, to the contract of [`Queue`] and [`Batches`].
///
/// # Panics
/// When they don't keep it.
pub async fn check(ways: Ways, make: impl AsyncFn(SealRule, TestClock) -> Ends) {
    let suite = Suite { ways, make };
    suite.gives_back_what_it_accepted().await;
    suite.tells_repeats().await;
    suite.keeps_lines_without_key().await;
    suite.keeps_days_apart().await;
    suite.seals_by_age().await;
    suite.seals_when_enough().await;
    suite.never_splits_an_entry().await;
    suite.many_at_once().await;
    suite.ends_after_finish().await;
}

const NOON: &str = "2026-11-25T12:00:00Z";
const NO_LOGS: Accepted = Accepted { n_stored: 0, n_repeats: 0 };

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// An entry of lines with ids; the line tells its id.
fn entry(ids: &[&str]) -> Entry {
    let mut entry = Entry::new(day("2026-11-25"));
    ids.iter().for_each(|id| entry.push(&line(id), Some(RepeatKey::of("token", id))));
    entry
}

fn line(id: &str) -> String {
    line_of("token", id, NOON)
}

fn line_of(token: &str, id: &str, received_at: &str) -> String {
    format!("{{\"token\":\"{token}\",\"id\":\"{id}\",\"received_at\":\"{received_at}\"}}\n")
}

fn lines(ids: &[&str]) -> String {
    ids.iter().map(|id| line(id)).collect()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.sort_unstable();
    lines
}

fn text_of(batch: &SealedBatch) -> String {
    let bytes = match &batch.content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::File(path) => std::fs::read(path).expect("a sealed batch is there"),
    };
    assert_eq!(ContentHash::of(&bytes), batch.sha256, "the name of a batch is the hash of its content");
    String::from_utf8(bytes).expect("lines are UTF-8")
}

/// A queue under test.
struct Tested {
    ends: Ends,
    clock: TestClock,
    ways: Ways,
}

impl Tested {
    async fn accept(&self, entry: Entry) -> Result<Accepted, AcceptError> {
        self.ends.queue.accept(entry).await
    }

    async fn next(&self) -> Option<SealedBatch> {
        self.ends.batches.next_batch().await.expect("a batch or an end")
    }

    async fn next_text(&self) -> String {
        let batch = self.next().await.expect("it has not finished");
        let text = text_of(&batch);
        self.forget(&batch).await;
        text
    }

    async fn forget(&self, batch: &SealedBatch) {
        self.ends.batches.forget(batch).await.expect("forget");
    }

    /// From here on nothing comes in, and all that is there is to come out.
    async fn end(&self) {
        self.ends.queue.finish().await;
        if !self.ways.seals_itself {
            self.clock.step(SignedDuration::from_hours(48));
        }
    }

    /// Ends it and gives all that is left, batch by batch.
    async fn drain(&self) -> Vec<(Day, String)> {
        self.end().await;
        let mut texts = Vec::new();
        while let Some(batch) = self.next().await {
            texts.push((batch.day, text_of(&batch)));
            self.forget(&batch).await;
        }
        texts
    }

    async fn drained(&self) -> String {
        self.drain().await.into_iter().map(|(_, text)| text).collect()
    }

    fn assert_same(&self, found: &str, expected: &str) {
        if self.ways.seals_itself {
            assert_eq!(found, expected);
        } else {
            assert_eq!(sorted(found), sorted(expected));
        }
    }
}

struct Suite<M> {
    ways: Ways,
    make: M,
}

impl<M: AsyncFn(SealRule, TestClock) -> Ends> Suite<M> {
    async fn queue(&self, rule: SealRule, now: &str) -> Tested {
        let clock = TestClock::at(now);
        Tested { ends: (self.make)(rule, clock.clone()).await, clock, ways: self.ways }
    }

    async fn gives_back_what_it_accepted(&self) {
        let queue = self.queue(SealRule::default(), NOON).await;
        assert_eq!(queue.ends.queue.ready(), Ok(()));
        assert_eq!(queue.accept(entry(&["a", "b"])).await, Ok(Accepted { n_stored: 2, n_repeats: 0 }));
        assert_eq!(queue.accept(entry(&["c"])).await, Ok(Accepted { n_stored: 1, n_repeats: 0 }));
        assert_eq!(queue.accept(entry(&[])).await, Ok(NO_LOGS));
        queue.assert_same(&queue.drained().await, &lines(&["a", "b", "c"]));
    }

    async fn tells_repeats(&self) {
        let queue = self.queue(SealRule::default(), NOON).await;
        let first = queue.accept(entry(&["a", "b", "a"])).await.expect("accept");
        let (one, other) = tokio::join!(queue.accept(entry(&["b", "c"])), queue.accept(entry(&["c", "a"])));
        let (one, other) = (one.expect("accept"), other.expect("accept"));
        let second = (one.n_stored + other.n_stored, one.n_repeats + other.n_repeats);
        let elsewhere = {
            let mut entry = Entry::new(day("2026-11-25"));
            entry.push(&line_of("other", "a", NOON), Some(RepeatKey::of("other", "a")));
            entry
        };
        assert_eq!(queue.accept(elsewhere).await.expect("accept").n_stored, 1, "the same id of another service");
        let expected = if self.ways.stores_once {
            assert_eq!((first, second), (Accepted { n_stored: 2, n_repeats: 1 }, (1, 3)));
            lines(&["a", "b", "c"])
        } else {
            assert_eq!((first, second), (Accepted { n_stored: 3, n_repeats: 0 }, (4, 0)));
            lines(&["a", "b", "a", "b", "c", "c", "a"])
        };
        queue.assert_same(&queue.drained().await, &(expected + &line_of("other", "a", NOON)));
    }

    async fn keeps_lines_without_key(&self) {
        let queue = self.queue(SealRule::default(), NOON).await;
        let mut entry = Entry::new(day("2026-11-25"));
        (0..3).for_each(|_| entry.push(&line("a"), None));
        assert_eq!(queue.accept(entry).await, Ok(Accepted { n_stored: 3, n_repeats: 0 }));
        assert_eq!(queue.drained().await, lines(&["a", "a", "a"]));
    }

    async fn keeps_days_apart(&self) {
        let queue = self.queue(SealRule::default(), "2026-11-26T00:00:02Z").await;
        let (before, after) = ("2026-11-25T23:59:59Z", "2026-11-26T00:00:01Z");
        for (id, received_at) in [("2", after), ("1", before), ("3", after)] {
            let mut entry = Entry::new(day(&received_at[..10]));
            entry.push(&line_of("token", id, received_at), None);
            queue.accept(entry).await.expect("accept");
        }
        queue.clock.step(SignedDuration::from_secs(3));
        let yesterday = queue.next().await.expect("its day has turned");
        assert_eq!((yesterday.day, text_of(&yesterday)), (day("2026-11-25"), line_of("token", "1", before)));
        queue.forget(&yesterday).await;
        let rest = queue.drain().await;
        assert_eq!(rest.iter().map(|(day, _)| *day).collect::<Vec<_>>(), [day("2026-11-26")]);
        queue.assert_same(&rest[0].1, &(line_of("token", "2", after) + &line_of("token", "3", after)));
    }

    async fn seals_by_age(&self) {
        let queue = self.queue(SealRule::default(), NOON).await;
        queue.accept(entry(&["a"])).await.expect("accept");
        queue.clock.step(SignedDuration::from_mins(59));
        // Were it sealed too early, the second line would be missing in it.
        queue.accept(entry(&["b"])).await.expect("accept");
        queue.clock.step(SignedDuration::from_mins(1));
        queue.assert_same(&queue.next_text().await, &lines(&["a", "b"]));
        assert_eq!(queue.drained().await, "");
    }

    async fn seals_when_enough(&self) {
        let rule = SealRule { min_logs: 2, seal_after: Duration::from_secs(10), ..SealRule::default() };
        let queue = self.queue(rule, NOON).await;
        queue.accept(entry(&["a"])).await.expect("accept");
        queue.clock.step(SignedDuration::from_secs(10));
        queue.accept(entry(&["b"])).await.expect("accept");
        queue.assert_same(&queue.next_text().await, &lines(&["a", "b"]));
        if self.ways.stores_once {
            // A repeat is no log: it begins no batch.
            queue.accept(entry(&["a", "b"])).await.expect("accept");
        }
        assert_eq!(queue.drained().await, "");
    }

    async fn never_splits_an_entry(&self) {
        let n_bytes = line("a").len() as u64;
        let rule = SealRule { file_bytes_max: 3 * n_bytes, ..SealRule::default() };
        let queue = self.queue(rule, NOON).await;
        let entries: [&[&str]; 4] = [&["a", "b"], &["c", "d"], &["e"], &["f", "g", "h", "i"]];
        for ids in entries {
            queue.accept(entry(ids)).await.expect("accept, also what is longer than a file may be");
        }
        let texts: Vec<String> = queue.drain().await.into_iter().map(|(_, text)| text).collect();
        if self.ways.seals_itself {
            assert_eq!(texts, [lines(&["a", "b"]), lines(&["c", "d", "e"]), lines(&["f", "g", "h", "i"])]);
        }
        for ids in entries {
            assert_eq!(texts.iter().filter(|text| text.contains(&lines(ids))).count(), 1, "{ids:?} in {texts:?}");
        }
        let n_lines = |text: &String| text.matches('\n').count();
        assert_eq!(texts.iter().map(n_lines).sum::<usize>(), 9);
        assert!(texts.iter().all(|text| n_lines(text) <= 3 || *text == lines(entries[3])), "{texts:?}");
    }

    async fn many_at_once(&self) {
        let queue = Arc::new(self.queue(SealRule::default(), NOON).await);
        let ids: Vec<String> = (0..200).map(|n| format!("{n:03}")).collect();
        let mut tasks = tokio::task::JoinSet::new();
        // Each id is sent twice, and each pair of neighbours in one entry.
        for n in 0..ids.len() {
            let (queue, entry) = (queue.clone(), entry(&[&ids[n], &ids[(n + 1) % ids.len()]]));
            tasks.spawn(async move { queue.accept(entry).await.expect("accept") });
        }
        let accepted = tasks.join_all().await;
        let n_each = if self.ways.stores_once { 1 } else { 2 };
        let n_stored = n_each * ids.len();
        assert_eq!(accepted.iter().map(|accepted| accepted.n_stored).sum::<usize>(), n_stored);
        assert_eq!(accepted.iter().map(|accepted| accepted.n_repeats).sum::<usize>(), 2 * ids.len() - n_stored);
        let mut n_lines = BTreeMap::<String, usize>::new();
        let text = queue.drained().await;
        text.split_inclusive('\n').for_each(|line| *n_lines.entry(line.to_owned()).or_default() += 1);
        assert_eq!(n_lines, ids.iter().map(|id| (line(id), n_each)).collect());
    }

    async fn ends_after_finish(&self) {
        let queue = self.queue(SealRule::default(), NOON).await;
        queue.accept(entry(&["a"])).await.expect("accept");
        let waiting = tokio::spawn({
            let batches = queue.ends.batches.clone();
            async move { batches.next_batch().await }
        });
        queue.end().await;
        queue.ends.queue.finish().await;
        assert_eq!(queue.accept(entry(&["b"])).await, Err(AcceptError::Closed));
        assert!(queue.ends.queue.ready().is_err());
        let batch = waiting.await.expect("no panic").expect("a batch").expect("what was open is sealed");
        assert_eq!(text_of(&batch), lines(&["a"]));
        for _again in 0..2 {
            queue.forget(&batch).await;
            assert!(queue.next().await.is_none());
        }
    }
}
