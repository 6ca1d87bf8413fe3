//! Promise: a 2xx means that the log is on disk. After `kill -9` at any
//! moment and a restart, every acknowledged log is in exactly one line of one
//! sealed file.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use logdig_tests::Server;
use logdig_tests::load::Load;
use logdig_tests::random::Random;

const ROUNDS: usize = 100;

/// Seals often, by age as well as by size, so that kills hit seals too.
const FLAGS: [&str; 8] =
    ["--min-logs", "20", "--seal-after", "150ms", "--seal-at-latest", "1s", "--file-bytes-max", "128KiB"];

#[test]
fn kill_9_loses_and_doubles_nothing() {
    let seed = Random::seed();
    let mut random = Random::new(seed);
    let mut server = Server::start_with(&FLAGS);
    let load = Load::start(&server.url(), &server.token());
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
