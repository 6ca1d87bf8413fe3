//! Promise: a 2xx means that the log is on disk. After `kill -9` at any
//! moment and a restart, every acknowledged log is in exactly one line of one
//! sealed file.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use logdig_tests::random::Random;
use logdig_tests::{Server, event, http, wait::wait_until};

const ROUNDS: usize = 100;
const CLIENTS: usize = 4;
const LOGS_PER_REQUEST_MAX: u64 = 20;

/// Seals often, by age as well as by size, so that kills hit seals too.
const FLAGS: [&str; 8] =
    ["--min-logs", "20", "--seal-after", "150ms", "--seal-at-latest", "1s", "--file-bytes-max", "128KiB"];

#[test]
fn kill_9_loses_and_doubles_nothing() {
    let seed = Random::seed();
    let mut random = Random::new(seed);
    let mut server = Server::start_with(&FLAGS);
    let load = Load::start(&server);
    for round in 0..ROUNDS {
        load.wait_for_more(random.below(30) as usize);
        thread::sleep(Duration::from_micros(random.below(3_000)));
        crash(&mut server, round, &mut random);
        server.restart_on_same_port();
    }
    let acknowledged = load.stop();
    let stored = server.stop_and_read();

    let mut n_lines: HashMap<&str, usize> = HashMap::new();
    for log in &stored {
        *n_lines.entry(log.text("id")).or_default() += 1;
    }
    let lost = acknowledged.iter().filter(|id| !n_lines.contains_key(id.as_str())).count();
    let doubled = n_lines.values().filter(|n| **n > 1).count();
    println!("{ROUNDS} kills, {} logs acknowledged, {lost} lost, {doubled} doubled (seed {seed})", acknowledged.len());
    assert!(acknowledged.len() > ROUNDS, "there was hardly any load");
    assert_eq!((lost, doubled), (0, 0), "seed {seed}");
    // Every client tries until it succeeds, so there is nothing else to store.
    assert_eq!(n_lines.len(), acknowledged.len(), "lines that nobody sent (seed {seed})");
}

/// Mostly amid requests; sometimes amid a shutdown's last seal, sometimes
/// amid a start's recovery.
fn crash(server: &mut Server, round: usize, random: &mut Random) {
    let moment = Duration::from_micros(random.below(20_000));
    match round % 10 {
        3 => server.kill9_while_stopping(moment),
        7 => {
            server.kill9();
            server.kill9_while_starting(moment);
        }
        _ => server.kill9(),
    }
}

/// Clients that post envelopes one after another and repeat each until it is
/// acknowledged, as trackers do.
struct Load {
    clients: Vec<JoinHandle<Vec<String>>>,
    n_acknowledged: Arc<AtomicUsize>,
    ending: Arc<AtomicBool>,
}

impl Load {
    fn start(server: &Server) -> Self {
        let n_acknowledged = Arc::new(AtomicUsize::new(0));
        let ending = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (url, token) = (server.url(), server.token());
            let (count, ending) = (Arc::clone(&n_acknowledged), Arc::clone(&ending));
            thread::spawn(move || run_client(number, &url, &token, &count, &ending))
        };
        Self { clients: (0..CLIENTS).map(client).collect(), n_acknowledged, ending }
    }

    fn wait_for_more(&self, n: usize) {
        let goal = self.n_acknowledged.load(Ordering::Relaxed) + n;
        wait_until("more acknowledged logs", || self.n_acknowledged.load(Ordering::Relaxed) >= goal);
    }

    /// Lets every client finish its request, and returns the ids of all acknowledged logs.
    fn stop(self) -> Vec<String> {
        self.ending.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().expect("a client ends well")).collect()
    }
}

fn run_client(number: usize, url: &str, token: &str, count: &AtomicUsize, ending: &AtomicBool) -> Vec<String> {
    let mut random = Random::new(number as u64 + 1);
    let mut acknowledged = Vec::new();
    for request in 0.. {
        if ending.load(Ordering::Relaxed) {
            break;
        }
        let n_logs = 1 + random.below(LOGS_PER_REQUEST_MAX);
        let ids: Vec<String> = (0..n_logs).map(|log| format!("client{number}-{request}.{log}")).collect();
        post_until_acknowledged(url, &event::envelope(token, &ids).to_string());
        count.fetch_add(ids.len(), Ordering::Relaxed);
        acknowledged.extend(ids);
    }
    acknowledged
}

fn post_until_acknowledged(url: &str, body: &str) {
    wait_until("a 2xx", || match http::request("POST", url, &[("content-type", "text/plain")], body.as_bytes()) {
        Ok(answer) if answer.is_success() => {
            assert_eq!(answer.json()["refused"].as_array().map_or(0, Vec::len), 0, "refused: {}", answer.body);
            true
        }
        // Anything but "later" would be a wrong answer to a good request.
        Ok(answer) => {
            assert_eq!(answer.status, 503, "{answer:?}");
            false
        }
        Err(_) => false,
    });
}
