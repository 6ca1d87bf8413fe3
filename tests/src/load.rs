//! Load that misses nothing: every log is posted until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::random::Random;
use crate::wait::wait_until;
use crate::{event, http};

const CLIENTS: usize = 4;
const LOGS_PER_REQUEST_MAX: u64 = 20;

/// Clients that post envelopes one after another and repeat each until it is
/// acknowledged, as trackers do.
pub struct Load {
    clients: Vec<JoinHandle<Vec<String>>>,
    n_acknowledged: Arc<AtomicUsize>,
    ending: Arc<AtomicBool>,
}

impl Load {
    /// Starts them against a collector's address, which may go away and come back, with a token that it takes.
    pub fn start(url: &str, token: &str) -> Self {
        let n_acknowledged = Arc::new(AtomicUsize::new(0));
        let ending = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (url, token) = (url.to_owned(), token.to_owned());
            let (count, ending) = (Arc::clone(&n_acknowledged), Arc::clone(&ending));
            thread::spawn(move || run_client(number, &url, &token, &count, &ending))
        };
        Self { clients: (0..CLIENTS).map(client).collect(), n_acknowledged, ending }
    }

    /// Waits until so many more logs are acknowledged.
    pub fn wait_for_more(&self, n: usize) {
        let goal = self.n_acknowledged.load(Ordering::Relaxed) + n;
        wait_until("more acknowledged logs", || self.n_acknowledged.load(Ordering::Relaxed) >= goal);
    }

    /// Lets every client finish its request, and returns the ids of all acknowledged logs.
    ///
    /// # Panics
    ///
    /// When a good request was refused.
    pub fn stop(self) -> Vec<String> {
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
