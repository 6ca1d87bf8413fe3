//! What every queue must do: one suite, run against each of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use logdig_store::{Content, ContentHash, Day, SealedBatch};

use super::{AcceptError, Accepted, Entry, Queue, RepeatKey, SealRule};
use crate::clock::{Clock, TestClock};

/// Holds the queues that `make` makes, each empty, to the contract of [`Queue`].
///
/// # Panics
/// When they don't keep it.
pub async fn check(make: impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    gives_back_what_it_accepted(&make).await;
    stores_repeats_once(&make).await;
    keeps_lines_without_key(&make).await;
    keeps_days_apart(&make).await;
    seals_by_age(&make).await;
    seals_when_enough(&make).await;
    never_splits_an_entry(&make).await;
    many_at_once(&make).await;
    ends_after_finish(&make).await;
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
    format!("{{\"token\":\"token\",\"id\":\"{id}\",\"received_at\":\"{NOON}\"}}\n")
}

fn lines(ids: &[&str]) -> String {
    ids.iter().map(|id| line(id)).collect()
}

fn text_of(batch: &SealedBatch) -> String {
    let bytes = match &batch.content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::File(path) => std::fs::read(path).expect("a sealed batch is there"),
    };
    assert_eq!(ContentHash::of(&bytes), batch.sha256, "the name of a batch is the hash of its content");
    String::from_utf8(bytes).expect("lines are UTF-8")
}

async fn next_text(queue: &dyn Queue) -> String {
    text_of(&queue.next_batch().await.expect("a batch").expect("it has not finished"))
}

/// Finishes the queue and gives all that is left, by day.
async fn drain(queue: &dyn Queue) -> BTreeMap<Day, String> {
    queue.finish().await;
    let mut texts = BTreeMap::<Day, String>::new();
    while let Some(batch) = queue.next_batch().await.expect("a batch") {
        texts.entry(batch.day).or_default().push_str(&text_of(&batch));
        queue.forget(&batch).await.expect("forget");
    }
    texts
}

async fn drained(queue: &dyn Queue) -> String {
    drain(queue).await.into_values().collect()
}

async fn gives_back_what_it_accepted(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let queue = make(SealRule::default(), TestClock::at(NOON).clock()).await;
    assert_eq!(queue.ready(), Ok(()));
    assert_eq!(queue.accept(entry(&["a", "b"])).await, Ok(Accepted { n_stored: 2, n_repeats: 0 }));
    assert_eq!(queue.accept(entry(&["c"])).await, Ok(Accepted { n_stored: 1, n_repeats: 0 }));
    assert_eq!(queue.accept(entry(&[])).await, Ok(NO_LOGS));
    assert_eq!(drained(&*queue).await, lines(&["a", "b", "c"]));
}

async fn stores_repeats_once(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let queue = make(SealRule::default(), TestClock::at(NOON).clock()).await;
    assert_eq!(queue.accept(entry(&["a", "b", "a"])).await, Ok(Accepted { n_stored: 2, n_repeats: 1 }));
    let (one, other) = tokio::join!(queue.accept(entry(&["b", "c"])), queue.accept(entry(&["c", "a"])));
    let (one, other) = (one.expect("accept"), other.expect("accept"));
    assert_eq!((one.n_stored + other.n_stored, one.n_repeats + other.n_repeats), (1, 3));
    let same_id_elsewhere = {
        let mut entry = Entry::new(day("2026-11-25"));
        entry.push("{\"token\":\"other\",\"id\":\"a\"}\n", Some(RepeatKey::of("other", "a")));
        entry
    };
    assert_eq!(queue.accept(same_id_elsewhere).await.expect("accept").n_stored, 1);
    assert_eq!(drained(&*queue).await, lines(&["a", "b", "c"]) + "{\"token\":\"other\",\"id\":\"a\"}\n");
}

async fn keeps_lines_without_key(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let queue = make(SealRule::default(), TestClock::at(NOON).clock()).await;
    let mut entry = Entry::new(day("2026-11-25"));
    (0..3).for_each(|_| entry.push("{}\n", None));
    assert_eq!(queue.accept(entry).await, Ok(Accepted { n_stored: 3, n_repeats: 0 }));
    assert_eq!(drained(&*queue).await, "{}\n{}\n{}\n");
}

async fn keeps_days_apart(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let clock = TestClock::at("2026-11-26T00:00:02Z");
    let queue = make(SealRule::default(), clock.clock()).await;
    for (day_text, text) in
        [("2026-11-26", "{\"n\":2}\n"), ("2026-11-25", "{\"n\":1}\n"), ("2026-11-26", "{\"n\":3}\n")]
    {
        let mut entry = Entry::new(day(day_text));
        entry.push(text, None);
        queue.accept(entry).await.expect("accept");
    }
    clock.step(SignedDuration::from_secs(3));
    let yesterday = queue.next_batch().await.expect("a batch").expect("its day has turned");
    assert_eq!((yesterday.day, text_of(&yesterday).as_str()), (day("2026-11-25"), "{\"n\":1}\n"));
    let rest = drain(&*queue).await;
    assert_eq!(rest.into_iter().collect::<Vec<_>>(), [(day("2026-11-26"), "{\"n\":2}\n{\"n\":3}\n".to_owned())]);
}

async fn seals_by_age(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let clock = TestClock::at(NOON);
    let queue = make(SealRule::default(), clock.clock()).await;
    queue.accept(entry(&["a"])).await.expect("accept");
    clock.step(SignedDuration::from_mins(59));
    // Were it sealed too early, the second line would be missing in it.
    queue.accept(entry(&["b"])).await.expect("accept");
    clock.step(SignedDuration::from_mins(1));
    assert_eq!(next_text(&*queue).await, lines(&["a", "b"]));
    assert_eq!(drained(&*queue).await, "");
}

async fn seals_when_enough(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let clock = TestClock::at(NOON);
    let rule = SealRule { min_logs: 2, seal_after: Duration::from_secs(10), ..SealRule::default() };
    let queue = make(rule, clock.clock()).await;
    queue.accept(entry(&["a"])).await.expect("accept");
    clock.step(SignedDuration::from_secs(10));
    queue.accept(entry(&["b"])).await.expect("accept");
    assert_eq!(next_text(&*queue).await, lines(&["a", "b"]));
    // A repeat is no log: it begins no batch.
    queue.accept(entry(&["a", "b"])).await.expect("accept");
    assert_eq!(drained(&*queue).await, "");
}

async fn never_splits_an_entry(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let n_bytes = line("a").len() as u64;
    let rule = SealRule { file_bytes_max: 3 * n_bytes, ..SealRule::default() };
    let queue = make(rule, TestClock::at(NOON).clock()).await;
    queue.accept(entry(&["a", "b"])).await.expect("accept");
    queue.accept(entry(&["c", "d"])).await.expect("accept");
    assert_eq!(next_text(&*queue).await, lines(&["a", "b"]));
    queue.accept(entry(&["e"])).await.expect("accept");
    assert_eq!(next_text(&*queue).await, lines(&["c", "d", "e"]), "exactly full");
    queue.accept(entry(&["f", "g", "h", "i"])).await.expect("longer than a file may be");
    assert_eq!(next_text(&*queue).await, lines(&["f", "g", "h", "i"]));
    assert_eq!(drained(&*queue).await, "");
}

async fn many_at_once(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let queue = make(SealRule::default(), TestClock::at(NOON).clock()).await;
    let ids: Vec<String> = (0..200).map(|n| format!("{n:03}")).collect();
    let mut tasks = tokio::task::JoinSet::new();
    // Each id is sent twice, and each pair of neighbours in one entry.
    for n in 0..ids.len() {
        let (queue, entry) = (queue.clone(), entry(&[&ids[n], &ids[(n + 1) % ids.len()]]));
        tasks.spawn(async move { queue.accept(entry).await.expect("accept") });
    }
    let accepted = tasks.join_all().await;
    assert_eq!(accepted.iter().map(|accepted| accepted.n_stored).sum::<usize>(), ids.len());
    assert_eq!(accepted.iter().map(|accepted| accepted.n_repeats).sum::<usize>(), ids.len());
    let text = drained(&*queue).await;
    let mut stored: Vec<&str> = text.split_inclusive('\n').collect();
    stored.sort_unstable();
    assert_eq!(stored, ids.iter().map(|id| line(id)).collect::<Vec<_>>());
}

async fn ends_after_finish(make: &impl AsyncFn(SealRule, Clock) -> Arc<dyn Queue>) {
    let queue = make(SealRule::default(), TestClock::at(NOON).clock()).await;
    queue.accept(entry(&["a"])).await.expect("accept");
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.next_batch().await }
    });
    queue.finish().await;
    queue.finish().await;
    assert_eq!(queue.accept(entry(&["b"])).await, Err(AcceptError::Closed));
    assert!(queue.ready().is_err());
    let batch = waiting.await.expect("no panic").expect("a batch").expect("what was open is sealed");
    assert_eq!(text_of(&batch), lines(&["a"]));
    for _again in 0..2 {
        queue.forget(&batch).await.expect("forget");
        assert!(queue.next_batch().await.expect("an end").is_none());
    }
}
