//! Connections: bounded in number and in patience, let go in good order. Over real sockets.

use std::io::ErrorKind;

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::config::HttpConfig;
use crate::http::listen::listen;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    http: HttpConfig,
}

/// A listener on a free port; it ends when `stop` is dropped or used.
struct Listening {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    collector: TestCollector,
}

impl Listening {
    async fn start(flags: &[&str], collector: TestCollector) -> Self {
        let flags = Flags::parse_from([&["test"], flags].concat());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let inner = collector.collector.clone();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            listen(listener, inner, &flags.http, stopped).await;
        });
        Self { address, stop, task, collector }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }
}

fn post(body: &str, n_bytes: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {n_bytes}\r\n\r\n{body}")
}

/// Reads until the peer closes, or as far as `enough`.
async fn read_until(stream: &mut TcpStream, enough: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while enough.is_empty() || !text.contains(enough) {
        match stream.read(&mut buffer).await {
            Ok(0) => break,
            Ok(n) => text.push_str(&String::from_utf8_lossy(&buffer[..n])),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    text
}

#[tokio::test]
async fn a_head_that_does_not_come_whole_is_not_waited_for() {
    let listening = Listening::start(&["--idle-timeout", "50ms"], TestCollector::new()).await;
    for sent in ["", "POST / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = listening.connect().await;
        stream.write_all(sent.as_bytes()).await.expect("it reads");
        assert_eq!(read_until(&mut stream, "").await, "", "closed without an answer to {sent:?}");
    }
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let listening = Listening::start(&["--connections-max", "1"], TestCollector::new()).await;
    let mut first = listening.connect().await;
    first.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("it reads");
    assert!(read_until(&mut first, "true}").await.starts_with("HTTP/1.1 200"));
    let mut second = listening.connect().await;
    second.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("the system takes it");
    let waits = tokio::time::timeout(Duration::from_millis(50), read_until(&mut second, "true}")).await;
    assert!(waits.is_err(), "the first still has the only place: {waits:?}");
    drop(first);
    assert!(read_until(&mut second, "true}").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_carries_many_requests_and_a_closed_half() {
    let listening = Listening::start(&[], TestCollector::new()).await;
    let mut stream = listening.connect().await;
    let log = log("shop", "");
    for _ in 0..3 {
        stream.write_all(post(&log, log.len()).as_bytes()).await.expect("it reads");
        assert!(read_until(&mut stream, "refused\":[]}").await.contains("\"stored\":1"));
    }
    stream.write_all(post(&log, log.len()).as_bytes()).await.expect("it reads");
    stream.shutdown().await.expect("this half closes");
    assert!(read_until(&mut stream, "").await.contains("\"stored\":1"), "the other half brings the answer");
    assert_eq!(listening.collector.counted(Outcome::Stored), 4);
}

#[tokio::test]
async fn at_the_end_running_requests_are_answered_and_new_ones_refused() {
    let listening = Listening::start(&[], TestCollector::new()).await;
    let mut idle = listening.connect().await;
    let mut running = listening.connect().await;
    let log = log("shop", "");
    let (head, tail) = log.split_at(10);
    running.write_all(post(head, log.len()).as_bytes()).await.expect("it reads");
    // Its head has been read once its first bytes are held.
    while listening.collector.app.metrics.in_flight_bytes.load(std::sync::atomic::Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    listening.stop.send(()).expect("it runs");
    assert_eq!(read_until(&mut idle, "").await, "", "who asks nothing is let go");
    assert!(TcpStream::connect(listening.address).await.is_err(), "nobody new is taken");
    running.write_all(tail.as_bytes()).await.expect("it still reads");
    assert!(read_until(&mut running, "").await.contains("\"stored\":1"));
    listening.task.await.expect("it ends");
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let listening = Listening::start(&["--shutdown-timeout", "50ms"], TestCollector::new()).await;
    let mut stuck = listening.connect().await;
    stuck.write_all(post("{", 100).as_bytes()).await.expect("it reads");
    while listening.collector.app.metrics.in_flight_bytes.load(std::sync::atomic::Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    listening.stop.send(()).expect("it runs");
    listening.task.await.expect("it ends");
}
