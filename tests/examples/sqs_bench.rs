//! Measures the queue on SQS: `cargo run --release -p logdig-tests --example sqs_bench [LOGS]`.
//!
//! A real SQS (ElasticMQ) on this machine. First the collector's end: tasks stand for connections, each offers an entry
//! of one click, waits until SQS has it, and offers the next. Then the batcher's end: it empties a queue with LOGS
//! clicks, a million by default, into a folder. CPU and memory are this process's own, without ElasticMQ's.
//! The bill is what a proxy before SQS counts: AWS bills a call as one request for each 64 KiB of it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use logdig::batch::{DrainLimits, Drained, drain};
use logdig::clock::system_clock;
use logdig::queue::sqs::{Receiver, ReceiverOptions, SqsQueue, config_of_stand_in};
use logdig::queue::{Entry, Queue as _, SealRule};
use logdig_store::{Day, LocalStore};
use logdig_tests::sqs::{Call, Queue, SqsFront};

/// A standard queue's price in eu-west-1 and us-east-1, after the first million requests of a month. Source: AWS's price
/// list, 2026-11.
const DOLLARS_PER_MILLION_REQUESTS: f64 = 0.40;

fn main() {
    let n_logs = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("LOGS is a whole number"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!("collector to SQS   tasks    logs/s  CPU us/log");
    for n_tasks in [16, 256, 1024] {
        let queue = Queue::new();
        runtime.block_on(measure_accept(&queue.url(), n_tasks, Duration::from_secs(5)));
    }
    let bill_all = async |queue: &Queue| {
        let front = SqsFront::start(queue);
        let url = front.flag().trim_start_matches("sqs:").to_owned();
        fill(&url, n_logs).await;
        let n_sent = front.calls().len();
        empty(&url).await;
        tell_bill(&front.calls(), n_sent, n_logs);
        front
    };
    let queue = Queue::new();
    // It ends outside of the runtime, as it has one of its own.
    drop(runtime.block_on(bill_all(&queue)));
    let queue = Queue::new();
    runtime.block_on(fill(&queue.url(), n_logs));
    // Linux forgets the peak of before.
    fs::write("/proc/self/clear_refs", "5").expect("this process may look at itself");
    runtime.block_on(measure_drain(&queue.url()));
}

async fn measure_accept(url: &str, n_tasks: u64, duration: Duration) {
    let queue = Arc::new(SqsQueue::open(&config_of_stand_in(url).await, url).await.expect("a queue that is there"));
    let (until, cpu, started) = (Instant::now() + duration, cpu_time(), Instant::now());
    let n = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..n_tasks {
        let (queue, n) = (queue.clone(), n.clone());
        tasks.spawn(async move {
            while Instant::now() < until {
                queue.accept(entry(n.fetch_add(1, Relaxed), 1)).await.expect("SQS is well");
            }
        });
    }
    tasks.join_all().await;
    let n = n.load(Relaxed) as f64;
    let cpu_us = (cpu_time() - cpu).as_secs_f64() * 1e6 / n;
    println!("                   {n_tasks:5}  {:8.0}  {cpu_us:10.2}", n / started.elapsed().as_secs_f64());
}

/// As a busy collector would: 256 connections with ten clicks a request.
async fn fill(url: &str, n_logs: u64) {
    let queue = Arc::new(SqsQueue::open(&config_of_stand_in(url).await, url).await.expect("a queue that is there"));
    let n = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..256 {
        let (queue, n) = (queue.clone(), n.clone());
        tasks.spawn(async move {
            loop {
                let at = n.fetch_add(10, Relaxed);
                if at >= n_logs {
                    return;
                }
                queue.accept(entry(at, 10)).await.expect("SQS is well");
            }
        });
    }
    tasks.join_all().await;
}

async fn measure_drain(url: &str) {
    let (cpu, started) = (cpu_time(), Instant::now());
    let drained = empty(url).await;
    // The last three seconds listen to an empty queue.
    let took = started.elapsed().saturating_sub(Duration::from_secs(3)).as_secs_f64();
    let n = drained.counts.n_logs as f64;
    let cpu_us = (cpu_time() - cpu).as_secs_f64() * 1e6 / n;
    println!(
        "batcher: {n} logs in {} files, {:.0} logs/s, CPU {cpu_us:.2} us/log, peak memory {}",
        drained.counts.n_files,
        n / took,
        status("VmHWM"),
    );
}

/// Writes all that is in the queue to files in a folder, and forgets them.
async fn empty(url: &str) -> Drained {
    let folder = tempfile::tempdir().expect("a folder");
    let options = ReceiverOptions {
        queue_url: url.to_owned(),
        dead_letter_queue_url: None,
        rule: SealRule { min_logs: 1, seal_after: Duration::ZERO, ..SealRule::default() },
        clock: system_clock(),
        hold: Duration::from_secs(900),
        scratch: folder.path().to_owned(),
    };
    let receiver = Receiver::open(&config_of_stand_in(url).await, options).await.expect("a queue that is there");
    let store = LocalStore::new(folder.path().join("store"));
    let mut drained = Drained::default();
    drain(&Arc::new(receiver), &store, &DrainLimits::default(), &mut drained).await.expect("all is well");
    drained
}

fn tell_bill(calls: &[Call], n_sent: usize, n_logs: u64) {
    let n_billed = |calls: &[Call]| calls.iter().map(|call| call.n_billed).sum::<usize>();
    let (sent, taken) = calls.split_at(n_sent);
    let dollars = n_billed(calls) as f64 / n_logs as f64 * DOLLARS_PER_MILLION_REQUESTS;
    println!(
        "bill: {} calls to send, {} to take out; {} + {} billed; ${dollars:.5} for a million logs",
        sent.len(),
        taken.len(),
        n_billed(sent),
        n_billed(taken),
    );
}

fn entry(first: u64, n_logs: u64) -> Entry {
    let mut entry = Entry::new(Day::of(Timestamp::now()));
    (first..first + n_logs).for_each(|n| entry.push(&click(n), None));
    entry
}

/// One click of one of 500 visitors on one of 200 pages, 420 bytes, as a tracker's would be stored.
fn click(n: u64) -> String {
    let (visitor, page, x, y) = (n * 7919 % 500, n * 104_729 % 200, n * 31 % 1200, n * 17 % 4000);
    let now = Timestamp::now();
    format!(
        r#"{{"timestamp":"{now:.3}","token":"VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ","user_key":"tR2VQSYNNXJwbBQ{visitor:05}","current_page":"http://site.com/goods/{page}.html","link":"http://site.com/goods/{y}.html","x":{x},"y":{y},"spent_milli_sec":{n},"user_agent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_{visitor}) AppleWebKit/537.36","load_count":{page},"id":"k3Vq0bX1sUq{visitor:05}.{n}","seq":{n},"view_seq":{page},"type":"click","received_at":"{now:.3}"}}"#
    ) + "\n"
}

/// CPU time of this process so far: user and system, in the kernel's ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("CPU time is read as Linux gives it");
    let fields = stat.rsplit_once(')').expect("the program's name ends so").1;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn status(name: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").expect("memory is read as Linux gives it");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches(':').trim().to_owned()
}
