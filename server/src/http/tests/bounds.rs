//! What no sender can take from the others: memory, time, the process.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use logdig_shared::limits::BODY_BYTES_MAX;

use super::*;

/// A body of blanks that comes in pieces; where it `hangs` its end never comes.
struct Pieces {
    /// The last one comes first.
    sizes: Vec<usize>,
    hangs: bool,
}

fn pieces(sizes: &[usize], hangs: bool) -> Body {
    Body::new(Pieces { sizes: sizes.iter().rev().copied().collect(), hangs })
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.sizes.pop() {
            Some(size) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b' '; size]))))),
            None if self.hangs => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

fn blanks_before(log: &str, n_bytes: usize) -> String {
    format!("{}{log}", " ".repeat(n_bytes - log.len()))
}

#[tokio::test]
async fn a_body_is_as_large_as_the_limit_and_no_larger() {
    let collector = TestCollector::new();
    let log = log("shop", "");
    let fits = collector.post(&[], blanks_before(&log, BODY_BYTES_MAX)).await;
    assert_eq!(fits.status, 200, "{}", fits.text);
    let announced = collector.post(&[], blanks_before(&log, BODY_BYTES_MAX + 1)).await;
    assert_eq!(announced.verdict(), (413, "body_too_large".to_owned()));
    let in_pieces = collector.post(&[], pieces(&[BODY_BYTES_MAX, 1], false)).await;
    assert_eq!(in_pieces.verdict(), (413, "body_too_large".to_owned()));
    let endless = collector.post(&[], pieces(&[BODY_BYTES_MAX; 20], true)).await;
    assert_eq!(endless.verdict(), (413, "body_too_large".to_owned()), "it is not read for ever");
    assert_eq!(collector.app.metrics.in_flight_bytes.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let collector = TestCollector::new();
    let answer = collector.post(&[], pieces(&[10, 10], true)).await;
    assert_eq!(answer.verdict(), (408, "body_too_slow".to_owned()));
    assert_eq!(answer.header("connection"), "close", "the rest of it is not the next request");
    assert_eq!(collector.app.metrics.in_flight_bytes.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn bodies_of_all_requests_share_one_bound() {
    let collector = TestCollector::with(|app| app.body_bounds.in_flight_bytes_max = 1000);
    let mut waiting = Box::pin(collector.post(&[], pieces(&[900], true)));
    let is_pending = std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending()));
    assert!(is_pending.await);
    assert_eq!(collector.app.metrics.in_flight_bytes.load(Relaxed), 900);
    let log = log("shop", "");
    let busy = collector.post(&[], log.clone()).await;
    assert_eq!(busy.verdict(), (503, "busy".to_owned()));
    assert_eq!(busy.header("retry-after"), "5");
    drop(waiting);
    assert_eq!(collector.app.metrics.in_flight_bytes.load(Relaxed), 0, "a sender that hangs up frees its share");
    assert_eq!(collector.post(&[], log).await.status, 200);
}

#[tokio::test]
async fn a_panic_ends_one_request() {
    let collector = TestCollector::with(|app| app.queue = Arc::new(BadQueue::Panics));
    let answer = collector.post_from(SHOP, log("shop", "")).await;
    assert_eq!(answer.verdict(), (500, "internal".to_owned()));
    assert_eq!(answer.header("access-control-allow-origin"), SHOP);
    assert_eq!(collector.counted(Outcome::Unanswered), 1);
    assert_eq!(collector.app.metrics.in_flight_bytes.load(Relaxed), 0);
    assert_eq!(collector.get("/health/live").await.status, 200);
}
