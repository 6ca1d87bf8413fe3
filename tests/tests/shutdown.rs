//! Promise: SIGTERM ends the collector with everything acknowledged in sealed
//! files; a folder belongs to one collector, and to no older one.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use logdig_tests::server::{SEAL_LATE, Server, logdig};
use logdig_tests::wait::wait_until;
use logdig_tests::{event, http};
use rustix::process::Signal;

#[test]
fn sigterm_under_load_seals_what_was_acknowledged() {
    let mut server = Server::start_with(&SEAL_LATE);
    let clients: Vec<_> = (0..4).map(|number| spawn_client(&server, number)).collect();
    wait_until("load", || server.metric("logdig_logs_total", &["stored"]) >= 200.0);
    assert_eq!(server.sealed_logs().len(), 0, "nothing is sealed before the stop");
    server.stop();

    let mut acknowledged: Vec<String> =
        clients.into_iter().flat_map(|client| client.join().expect("it ends")).collect();
    let mut stored: Vec<String> = server.sealed_logs().iter().map(|log| log.text("id").to_owned()).collect();
    acknowledged.sort();
    stored.sort();
    assert!(acknowledged.len() >= 200);
    assert_eq!(stored, acknowledged);
}

/// Posts until no answer comes any more; returns what was acknowledged.
fn spawn_client(server: &Server, number: usize) -> thread::JoinHandle<Vec<String>> {
    let (url, token) = (server.url(), server.token());
    thread::spawn(move || {
        let mut acknowledged = Vec::new();
        for request in 0.. {
            let id = format!("client{number}.{request}");
            let body = event::envelope(&token, [&id]).to_string();
            match http::request("POST", &url, &[], body.as_bytes()) {
                Ok(answer) if answer.is_success() => acknowledged.push(id),
                // What comes during the stop is told to come later.
                Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                Err(_) => break,
            }
        }
        acknowledged
    })
}

#[test]
fn a_second_signal_exits_at_once() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    assert_eq!(server.post_json(&event::envelope(&token, ["kept"])).status, 200);
    let _unfinished = begin_request(&server);
    wait_until("the start of its body", || server.metric("logdig_in_flight_bytes", &[]) > 0.0);
    server.process().signal(Signal::TERM);
    wait_until("the listener is closed", || TcpStream::connect(server.address()).is_err());
    assert!(server.process().is_running(), "it waits for the unfinished request");

    let asked = Instant::now();
    server.process().signal(Signal::TERM);
    server.process().wait();
    assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());

    server.restart_on_same_port();
    let stored = server.stop_and_read();
    assert_eq!(stored.iter().map(|log| log.text("id")).collect::<Vec<_>>(), ["kept"]);
}

/// A request whose body does not come to its end.
fn begin_request(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("it listens");
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n{\"v\":1,";
    stream.write_all(head.as_bytes()).expect("it reads");
    stream
}

#[test]
fn a_second_collector_on_the_folder_is_refused() {
    let server = Server::start();
    let output = logdig(&["serve", "--listen", "127.0.0.1:0", "--data", &server.data_text()]);
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains(&server.data_text()), "it names the folder: {words}");
    assert!(output.stdout.is_empty(), "it never listened");
    assert_eq!(server.get("/health/ready").status, 200, "the first goes on");
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
    let mut server = Server::start();
    server.stop();
    let format = server.data().join("format");
    let known = fs::read_to_string(&format).expect("the folder says its format");
    fs::write(&format, "999\n").expect("the format can be changed");
    let output = logdig(&["serve", "--listen", "127.0.0.1:0", "--data", &server.data_text()]);
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("999") && words.contains("newer"), "it says why: {words}");
    assert_eq!(fs::read_to_string(&format).expect("it is still there"), "999\n");

    fs::write(&format, known).expect("the format can be changed back");
    server.restart_on_same_port();
}
