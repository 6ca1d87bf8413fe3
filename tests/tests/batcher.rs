//! Promise: the batcher loses nothing, wherever it is killed and whatever lies in the queue; and it ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use logdig::queue::sqs::message::pack;
use logdig_store::Day;
use logdig_tests::process::Process;
use logdig_tests::sealed::{self, SealedLog};
use logdig_tests::sqs::{Queue, SqsFault, SqsFront, batch_command, batch_once, batch_once_output, report};
use logdig_tests::wait::wait_until;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: [&str; 4] = ["--min-logs", "1", "--seal-after", "0s"];
/// The same, and what a batcher that is killed holds comes back soon.
const SHORT_HOLD: [&str; 6] = ["--min-logs", "1", "--seal-after", "0s", "--hold", "9s"];
/// As the first LogDig wrote its logs.
const ORIGINAL: &str = "2015-12-22T06:19:03.366Z|VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ|tR2VQSYNNXJwbBQLijmR|http://site.com/index.html|http://site.com/page.html|110|400|1120|Mozilla/5.0 (Macintosh)|2";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn logs(&self) -> Vec<SealedLog> {
        sealed::sealed_logs(self.path())
    }

    /// How often each id is stored.
    fn ids(&self) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for log in self.logs() {
            *ids.entry(log.text("id").to_owned()).or_default() += 1;
        }
        ids
    }
}

/// From this queue into this folder.
fn arguments(queue_flag: &str, folder: &Folder, more: &[&str]) -> Vec<String> {
    let data = folder.path().display().to_string();
    ["--queue", queue_flag, "--data", &data].iter().chain(more).map(|text| (*text).to_owned()).collect()
}

fn line(id: &str, received_at: Timestamp) -> String {
    let head = r#"{"timestamp":"2026-11-25T12:00:00.000Z","token":"t","user_key":"tR2VQSYNNXJwbBQLijmR","current_page":"http://site.com/","link":"http://site.com/","x":1,"y":2,"spent_milli_sec":3,"user_agent":"M","load_count":4"#;
    format!("{head},\"id\":\"{id}\",\"received_at\":\"{received_at:.3}\"}}\n")
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// Puts each of these logs into a message of its own.
fn send_one_by_one(queue: &Queue, ids: impl Iterator<Item = String>) {
    for id in ids {
        let at = now();
        pack(Day::of(at), &line(&id, at)).iter().for_each(|message| queue.send(message));
    }
}

fn all_once(ids: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    ids.map(|id| (id, 1)).collect()
}

fn name(n: usize) -> String {
    format!("log.{n}")
}

#[test]
fn few_new_logs_are_given_back_twenty_times_and_are_no_file() {
    let (queue, folder) = (Queue::new(), Folder::new());
    send_one_by_one(&queue, (0..30).map(name));
    for run in 0..20 {
        let report = batch_once(&arguments(&queue.flag(), &folder, &[]));
        assert_eq!((&report["n_files"], &report["n_logs_given_back"]), (&json!(0), &json!(30)), "run {run}: {report}");
        assert_eq!(queue.n_visible(), 30, "given back at once");
    }
    assert_eq!((folder.logs().len(), queue.n_dead()), (0, 0));
    let n_received: Vec<usize> = queue.peek().iter().map(|message| message.n_received - 1).collect();
    assert!(n_received.iter().all(|n| *n == 20), "received once a run: {n_received:?}");
    batch_once(&arguments(&queue.flag(), &folder, &SOON));
    assert_eq!(folder.ids(), all_once((0..30).map(name)));
}

#[test]
fn an_old_log_is_a_file_though_it_is_alone() {
    let (queue, folder) = (Queue::new(), Folder::new());
    let at = now() - SignedDuration::from_mins(61);
    pack(Day::of(at), &line("old", at)).iter().for_each(|message| queue.send(message));
    let report = batch_once(&arguments(&queue.flag(), &folder, &[]));
    assert_eq!((&report["n_files"], &report["n_logs"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(queue.n_messages(), 0);
}

#[test]
fn logs_of_two_days_are_two_files() {
    let (queue, folder) = (Queue::new(), Folder::new());
    let (today, yesterday) = (now(), now() - SignedDuration::from_hours(24));
    for (nth, at) in [today, yesterday, today, yesterday].into_iter().enumerate() {
        pack(Day::of(at), &line(&name(nth), at)).iter().for_each(|message| queue.send(message));
    }
    batch_once(&arguments(&queue.flag(), &folder, &SOON));
    // The reader checks each line's day against its folder.
    assert_eq!(folder.ids(), all_once((0..4).map(name)));
    let files: std::collections::BTreeSet<String> = folder.logs().into_iter().map(|log| log.file).collect();
    assert_eq!(files.len(), 2);
}

#[test]
fn messages_of_the_original_become_lines() {
    let (queue, folder) = (Queue::new(), Folder::new());
    queue.send(ORIGINAL);
    queue.send(
        &json!({
            "timestamp": "2015-12-22T06:19:03.366Z", "token": "t", "user_key": "tR2VQSYNNXJwbBQLijmR",
            "current_page": "http://site.com/a|b", "link": "span;b;c;;", "x": "110", "y": "400",
            "spent_milli_sec": "1120", "user_agent": "M", "load_count": "2",
        })
        .to_string(),
    );
    batch_once(&arguments(&queue.flag(), &folder, &SOON));
    let mut logs = folder.logs();
    logs.sort_by_key(|log| log.text("link").to_owned());
    let links: Vec<&str> = logs.iter().map(|log| log.text("link")).collect();
    assert_eq!(links, ["http://site.com/page.html", "span;b;c;;"]);
    for log in &logs {
        assert_eq!((log.text("id_by"), log.json["x"].as_f64()), ("server", Some(110.0)));
        assert_eq!(log.text("id").len(), 36, "SQS's id of a message is a UUID");
    }
}

#[test]
fn what_cannot_be_read_goes_to_the_dead_letter_queue_with_a_reason() {
    let (queue, folder) = (Queue::new(), Folder::new());
    send_one_by_one(&queue, (0..5).map(name));
    let at = now();
    let good = pack(Day::of(at), &line("x", at)).remove(0);
    let cases = [
        ("hello".to_owned(), "not_a_log"),
        ("{\"token\":\"t\"}".to_owned(), "missing"),
        (good.replace("logdig 1", "logdig 2"), "unsupported_version"),
        (good.replace("\"id\"", "\"id"), "wrong_length"),
        (good.replace("\"id\"", "\"id_"), "bad_line"),
        ("x".repeat(1024 * 1024), "not_a_log"),
    ];
    cases.iter().for_each(|(text, _)| queue.send(text));
    let report = batch_once(&arguments(&queue.flag(), &folder, &SOON));
    assert_eq!((&report["n_logs"], &report["n_messages_dead"]), (&json!(5), &json!(6)), "{report}");
    assert_eq!(folder.ids(), all_once((0..5).map(name)));
    assert_eq!((queue.n_messages(), queue.n_dead()), (0, cases.len()));
    for letter in queue.dead_letters() {
        let (_, reason) = cases.iter().find(|(text, _)| *text == letter.text).expect("it came as it was");
        if letter.text.len() < 1024 * 1024 {
            assert_eq!(letter.attribute("reason"), *reason, "{letter:?}");
            assert!(!letter.attribute("message").is_empty() && !letter.attribute("message_id").is_empty());
        }
    }
}

#[test]
fn without_a_dead_letter_queue_what_cannot_be_read_stays_and_is_told() {
    let (queue, folder) = (Queue::without_dead_letters(), Folder::new());
    queue.send("hello");
    send_one_by_one(&queue, (0..3).map(name));
    let output = batch_once_output(&arguments(&queue.flag(), &folder, &SOON));
    let report = report(&output);
    assert_eq!((&report["n_logs"], &report["n_messages_kept"]), (&json!(3), &json!(1)), "{report}");
    assert_eq!(queue.n_messages(), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no dead-letter queue"), "{output:?}");
}

#[test]
fn a_full_file_begins_another_one() {
    let (queue, folder) = (Queue::new(), Folder::new());
    send_one_by_one(&queue, (0..50).map(name));
    let size = (line(&name(10), now()).len() * 10).to_string();
    let more = ["--file-bytes-max", &size, "--min-logs", "1", "--seal-after", "0s"];
    batch_once(&arguments(&queue.flag(), &folder, &more));
    assert_eq!(folder.ids(), all_once((0..50).map(name)));
    let files: std::collections::BTreeSet<String> = folder.logs().into_iter().map(|log| log.file).collect();
    assert!((5..=7).contains(&files.len()), "{} files", files.len());
    assert_eq!(sealed::names(&folder.path().join("batch")), Vec::<String>::new(), "nothing is left behind");
}

#[test]
fn it_ends_while_logs_keep_coming() {
    let (queue, folder) = (Queue::new(), Folder::new());
    let ending = AtomicBool::new(false);
    let n_sent = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut n = 0;
            while !ending.load(Ordering::Relaxed) {
                send_one_by_one(&queue, std::iter::once(name(n)));
                n += 1;
            }
            n
        });
        wait_until("some logs", || queue.n_messages() > 20);
        batch_once(&arguments(&queue.flag(), &folder, &SOON));
        ending.store(true, Ordering::Relaxed);
        sender.join().expect("no panic")
    });
    assert!(folder.logs().len() >= 20, "what was there before is stored");
    batch_once(&arguments(&queue.flag(), &folder, &SOON));
    assert_eq!(folder.ids(), all_once((0..n_sent).map(name)));
}

/// Where a batcher is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// It has messages, and nothing is stored.
    BeforePut,
    /// All is stored, nothing deleted.
    AfterPut,
    /// Some are deleted.
    BetweenDeletes,
}

#[test]
fn a_batcher_killed_anywhere_loses_nothing() {
    const LOGS: usize = 200;
    for moment in [Moment::BeforePut, Moment::AfterPut, Moment::BetweenDeletes] {
        let (queue, folder) = (Queue::new(), Folder::new());
        let front = SqsFront::start(&queue);
        send_one_by_one(&queue, (0..LOGS).map(name));
        match moment {
            Moment::BeforePut => (),
            Moment::AfterPut => front.set_for("DeleteMessageBatch", SqsFault::Hang),
            Moment::BetweenDeletes => front.set_for("DeleteMessageBatch", SqsFault::Slow(Duration::from_millis(500))),
        }
        let flags = arguments(&front.flag(), &folder, &SHORT_HOLD);
        let mut batcher = Process::start(&mut batch_command(&[&["--once".to_owned()], &flags[..]].concat()));
        wait_until("the moment", || match moment {
            Moment::BeforePut => front.calls_of("ReceiveMessage").iter().any(|call| call.n_entries > 0),
            Moment::AfterPut => !front.calls_of("DeleteMessageBatch").is_empty(),
            Moment::BetweenDeletes => queue.n_messages() < LOGS,
        });
        batcher.kill_group();
        let n_left = queue.n_messages();
        let n_stored = folder.logs().len();
        match moment {
            Moment::BeforePut => assert_eq!((n_left, n_stored), (LOGS, 0)),
            Moment::AfterPut => assert_eq!((n_left, n_stored), (LOGS, LOGS)),
            Moment::BetweenDeletes => assert!(n_left > 0 && n_left < LOGS && n_stored == LOGS, "{n_left}, {n_stored}"),
        }
        while queue.n_messages() > 0 {
            batch_once(&arguments(&queue.flag(), &folder, &SOON));
        }
        let ids = folder.ids();
        assert_eq!(
            ids.keys().cloned().collect::<Vec<_>>(),
            all_once((0..LOGS).map(name)).into_keys().collect::<Vec<_>>()
        );
        let n_repeats: usize = ids.values().map(|n| n - 1).sum();
        println!("killed {moment:?}: 0 of {LOGS} lost, {n_repeats} stored again and told by id");
        assert!(n_repeats <= n_left);
    }
}

#[test]
fn deletes_that_failed_are_tried_again() {
    let (queue, folder) = (Queue::new(), Folder::new());
    let front = SqsFront::start(&queue);
    send_one_by_one(&queue, (0..40).map(name));
    front.set_for("DeleteMessageBatch", SqsFault::AnswerLost);
    let flags = arguments(&front.flag(), &folder, &SHORT_HOLD);
    let output = batch_once_output(&flags);
    assert!(!output.status.success(), "it says that not all was deleted: {output:?}");
    assert_eq!(folder.ids(), all_once((0..40).map(name)));
    assert_eq!(queue.n_messages(), 0, "they were gone all the same");
}

#[test]
fn two_batchers_at_once_store_each_log_once() {
    let (queue, folder) = (Queue::new(), Folder::new());
    send_one_by_one(&queue, (0..300).map(name));
    let flags = arguments(&queue.flag(), &folder, &SOON);
    let reports: Vec<Value> = thread::scope(|scope| {
        let batchers: Vec<_> = (0..2).map(|_| scope.spawn(|| batch_once(&flags))).collect();
        batchers.into_iter().map(|batcher| batcher.join().expect("no panic")).collect()
    });
    assert_eq!(folder.ids(), all_once((0..300).map(name)), "{reports:?}");
    assert_eq!(queue.n_messages(), 0);
}

#[test]
fn a_store_that_fails_keeps_the_messages() {
    let (queue, folder) = (Queue::new(), Folder::new());
    send_one_by_one(&queue, (0..10).map(name));
    std::fs::write(folder.path().join("store"), "a file where a folder should be").expect("a folder to write in");
    let flags = arguments(&queue.flag(), &folder, &SHORT_HOLD);
    let output = batch_once_output(&flags);
    assert!(!output.status.success() && report(&output)["error"].is_string(), "{output:?}");
    assert_eq!(queue.n_messages(), 10);
    std::fs::remove_file(folder.path().join("store")).expect("it is there");
    wait_until("messages that come back", || queue.n_visible() == 10);
    batch_once(&flags);
    assert_eq!(folder.ids(), all_once((0..10).map(name)));
}

#[test]
fn a_watcher_stores_what_comes_and_gives_back_what_it_holds_when_told_to_end() {
    let (queue, folder) = (Queue::new(), Folder::new());
    let more = ["--watch", "--every", "100ms", "--min-logs", "10", "--seal-after", "0s"];
    let flags = arguments(&queue.flag(), &folder, &more);
    let mut watcher = Process::start(&mut batch_command(&flags));
    for round in 0..2 {
        send_one_by_one(&queue, (round * 10..round * 10 + 10).map(name));
        wait_until("stored logs", || folder.logs().len() == (round + 1) * 10);
    }
    send_one_by_one(&queue, (20..25).map(name));
    wait_until("messages taken out", || queue.n_visible() < 5);
    watcher.signal(Signal::TERM);
    assert!(watcher.wait().success(), "{}", watcher.stderr());
    assert_eq!(queue.n_visible(), 5, "given back");
    assert_eq!(folder.ids(), all_once((0..20).map(name)));
}
