//! Promise: with SQS as the queue, a 2xx means that SQS has every good log of the request, and `logdig batch` writes
//! each of them to a file.

use std::collections::BTreeSet;
use std::thread;

use logdig_tests::sqs::{self, Queue, SqsFault, SqsFront, batch_once};
use logdig_tests::wait::{wait_for, wait_until};
use logdig_tests::{Server, event, sealed, server::logdig};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A collector that puts logs into this queue.
fn collector(queue_flag: &str, more: &[&str]) -> Server {
    let runner = sqs::runner();
    let runner: Vec<&str> = runner.iter().map(String::as_str).collect();
    Server::start_under(&runner, &[&["--queue", queue_flag], more].concat())
}

/// Empties the queue into files at once, and gives the ids of all logs in them.
fn drained_ids(queue: &Queue) -> BTreeSet<String> {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let data = folder.path().display().to_string();
    batch_once(&["--queue", &queue.flag(), "--data", &data, "--min-logs", "1", "--seal-after", "0s"]);
    let logs = sealed::sealed_logs(folder.path());
    let ids: BTreeSet<String> = logs.iter().map(|log| log.text("id").to_owned()).collect();
    assert_eq!(ids.len(), logs.len(), "nothing is there twice");
    ids
}

fn names(n: usize) -> BTreeSet<String> {
    (0..n).map(|n| format!("log.{n}")).collect()
}

#[test]
fn what_was_posted_is_in_files_once_the_batcher_has_run() {
    let queue = Queue::new();
    let mut server = collector(&queue.flag(), &[]);
    let ids = names(500);
    for some in ids.iter().collect::<Vec<_>>().chunks(50) {
        let answer = server.post_json(&event::envelope(&server.token(), some));
        assert_eq!((answer.status, answer.json()["stored"].as_u64()), (200, Some(50)), "{answer:?}");
    }
    let data = TempDir::new().expect("a temporary folder can be made");
    let data_text = data.path().display().to_string();
    let report = batch_once(&["--queue", &queue.flag(), "--data", &data_text, "--min-logs", "1", "--seal-after", "0s"]);
    assert_eq!((&report["n_logs"], &report["n_files"]), (&json!(500), &json!(1)), "{report}");
    let stored: BTreeSet<String> =
        sealed::sealed_logs(data.path()).iter().map(|log| log.text("id").to_owned()).collect();
    assert_eq!(stored, ids);
    assert_eq!((queue.n_messages(), queue.n_dead()), (0, 0));
    let check = logdig(&["check", &data_text]);
    assert!(check.status.success(), "{check:?}");
    server.stop();
}

#[test]
fn requests_that_wait_share_calls() {
    const REQUESTS: usize = 300;
    let queue = Queue::new();
    let front = SqsFront::start(&queue);
    let server = collector(&front.flag(), &[]);
    let token = server.token();
    thread::scope(|scope| {
        for client in 0..30 {
            let (server, token) = (&server, &token);
            scope.spawn(move || {
                for n in 0..REQUESTS / 30 {
                    let answer = server.post_json(&event::log(token, &format!("log.{}", client * 10 + n)));
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
    });
    let calls = front.calls_of("SendMessageBatch");
    assert!(calls.len() < REQUESTS / 5, "{} calls for {REQUESTS} requests", calls.len());
    assert_eq!(drained_ids(&queue), names(REQUESTS));
}

#[test]
fn when_sqs_fails_the_answer_is_503_until_it_is_back() {
    let queue = Queue::new();
    let front = SqsFront::start(&queue);
    let server = collector(&front.flag(), &[]);
    let token = server.token();
    let faults = [
        SqsFault::Error(500, "InternalError"),
        SqsFault::Error(400, "RequestThrottled"),
        SqsFault::Error(403, "AccessDenied"),
        SqsFault::FailEntries("logdig"),
        SqsFault::Hang,
    ];
    for (nth, fault) in faults.into_iter().enumerate() {
        let id = format!("log.{nth}");
        front.set_for("SendMessageBatch", fault.clone());
        let answer = server.post_json(&event::log(&token, &id));
        assert_eq!((answer.status, answer.json()["reason"].as_str()), (503, Some("storage_unavailable")), "{fault:?}");
        assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()), "{answer:?}");
        front.set(SqsFault::None);
        wait_until("a collector that is ready again", || server.get("/health/ready").status == 200);
        wait_until("a 200 for the same log", || server.post_json(&event::log(&token, &id)).status == 200);
    }
    assert_eq!(drained_ids(&queue), names(5));
    let told = server.stderr().matches("requests are answered with 503").count();
    assert_eq!(told, 5, "each trouble is told once: {}", server.stderr());
}

#[test]
fn a_collector_is_not_ready_while_sqs_is_away() {
    let queue = Queue::new();
    let front = SqsFront::start(&queue);
    let server = collector(&front.flag(), &[]);
    assert_eq!(server.get("/health/ready").status, 200);
    front.set(SqsFault::Error(500, "InternalError"));
    assert_eq!(server.post_json(&event::log(&server.token(), "log.0")).status, 503);
    assert_eq!(server.get("/health/ready").status, 503);
    front.set(SqsFault::None);
    wait_until("a collector that is ready again", || server.get("/health/ready").status == 200);
}

#[test]
fn a_queue_that_is_not_there_is_told_at_the_start() {
    let queue = Queue::new();
    let flag = format!("{}-nowhere", queue.flag());
    let data = TempDir::new().expect("a temporary folder can be made");
    let data_text = data.path().display().to_string();
    for command in ["serve", "batch"] {
        let mut arguments = vec![command, "--queue", &flag, "--data", &data_text];
        arguments.extend(if command == "batch" { ["--once"].as_slice() } else { &["--listen", "127.0.0.1:0"] });
        let mut program = std::process::Command::new(logdig_tests::server::binary());
        let output = program.args(&arguments).envs(sqs::VARIABLES).output().expect("logdig can be started");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && words.contains("QueueDoesNotExist"), "{command}: {words}");
        assert!(words.contains(&flag["sqs:".len()..]), "it names the queue: {words}");
    }
}

#[test]
fn no_character_of_a_log_keeps_it_or_its_neighbours_out() {
    let queue = Queue::new();
    let server = collector(&queue.flag(), &[]);
    let token = server.token();
    let texts =
        ["\u{0}\u{1}\u{8}\u{b}\u{1f}", "\u{7f}\u{80}\u{fffe}\u{ffff}", "a\nb\r\tc", "\u{1f600}\u{10ffff}", "plain"];
    for (nth, text) in texts.iter().enumerate() {
        let mut log = event::log(&token, &format!("log.{nth}"));
        log["link"] = json!(text);
        let answer = server.post_json(&log);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let folder = TempDir::new().expect("a temporary folder can be made");
    let data = folder.path().display().to_string();
    batch_once(&["--queue", &queue.flag(), "--data", &data, "--min-logs", "1", "--seal-after", "0s"]);
    let mut logs = sealed::sealed_logs(folder.path());
    logs.sort_by_key(|log| log.text("id").to_owned());
    let links: Vec<&str> = logs.iter().map(|log| log.text("link")).collect();
    assert_eq!(links, texts);
}

#[test]
fn with_the_spool_first_nothing_is_refused_while_sqs_is_away() {
    let queue = Queue::new();
    let front = SqsFront::start(&queue);
    let mut server = collector(&front.flag(), &["--spool-first"]);
    let ids = names(20);
    front.set_for("SendMessageBatch", SqsFault::Error(500, "InternalError"));
    let answer = server.post_json(&event::envelope(&server.token(), ids.iter().take(10)));
    assert_eq!(answer.status, 200, "{answer:?}");
    wait_until("a call that failed", || !front.calls_of("SendMessageBatch").is_empty());
    server.kill9();
    server.restart_on_same_port();
    let answer = server.post_json(&event::envelope(&server.token(), ids.iter().skip(10)));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(queue.n_messages(), 0);
    front.set(SqsFault::None);
    let spool = server.data().join("spool");
    wait_until("an empty spool", || sealed::names(&spool).is_empty());
    assert_eq!(drained_ids(&queue), ids);
    server.stop();
}

#[test]
fn a_stop_waits_for_what_is_on_its_way() {
    let queue = Queue::new();
    let front = SqsFront::start(&queue);
    let mut server = collector(&front.flag(), &[]);
    let (url, token) = (server.url(), server.token());
    front.set_for("SendMessageBatch", SqsFault::Slow(std::time::Duration::from_secs(1)));
    let client = thread::spawn(move || {
        let body = event::log(&token, "log.0").to_string();
        logdig_tests::http::request("POST", &url, &[("content-type", "text/plain")], body.as_bytes())
    });
    wait_until("a call under way", || !front.calls_of("SendMessageBatch").is_empty());
    server.stop();
    let answer = client.join().expect("no panic").expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(drained_ids(&queue), names(1));
}

#[test]
fn what_waits_for_sqs_is_bounded() {
    let queue = Queue::new();
    let front = SqsFront::start(&queue);
    // A body of 1 MiB becomes lines of some 9 MiB: what an envelope says once stands in each.
    let server = collector(&front.flag(), &["--in-flight-bytes-max", "1GiB"]);
    let token = server.token();
    front.set_for("SendMessageBatch", SqsFault::Hang);
    let statuses = thread::scope(|scope| {
        let clients: Vec<_> = (0..24)
            .map(|client| {
                let (server, token) = (&server, &token);
                scope.spawn(move || {
                    let mut body = event::envelope(token, (0..4000).map(|n| format!("log.{client}.{n}")));
                    body["user_agent"] = Value::from("M".repeat(1000));
                    server.post_json(&body)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).collect::<Vec<_>>()
    });
    let n_busy = statuses.iter().filter(|answer| answer.json()["reason"] == "busy").count();
    assert!(statuses.iter().all(|answer| answer.status == 503), "{:?}", statuses[0]);
    assert!(n_busy > 0, "some were told that too much waits");
    front.set(SqsFault::None);
    let answer = wait_for("a 200", || {
        let answer = server.post_json(&event::log(&token, "log.0"));
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(answer.json()["stored"], 1);
}
