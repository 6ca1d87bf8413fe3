//! A proxy before the collector that fails as it is told to, and keeps a record of all that came.
//!
//! What a [`Site`](crate::Site) posts goes to it with `data-server`. It is another origin, as the collector itself is, so
//! its answers carry the same headers for pages.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    ORIGIN, RETRY_AFTER, USER_AGENT,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::Server;
use crate::http;

/// What happens to requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// They are handed on to the collector.
    None,
    /// They are answered with this status.
    Status(u16),
    /// They are answered with this status and have to wait for so many seconds.
    RetryAfter(u16, u64),
    /// They are answered with 413 where the body has more bytes than this, and handed on where it has not.
    LargerThan(usize),
    /// They are handed on so much later.
    Slow(Duration),
    /// They are handed on, but the answer is lost: 504, as from a proxy that lost its patience.
    AnswerLost,
    /// They are taken and never answered.
    Hang,
}

/// A running proxy. It ends with its test.
pub struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    collector: String,
    fault: Mutex<Fault>,
    requests: Mutex<Vec<Request>>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// When its body was there.
    pub at: Instant,
    /// `POST`; anything else a tracker must not send.
    pub method: Method,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
    /// With what it was answered, and when; `None` until then.
    pub answered: Option<(u16, Instant)>,
}

impl Request {
    /// The ids of the logs in it.
    ///
    /// # Panics
    ///
    /// When it is no envelope.
    pub fn ids(&self) -> Vec<String> {
        let envelope: Value = serde_json::from_str(&self.body).expect("a tracker sends JSON");
        let logs = envelope["logs"].as_array().expect("a tracker sends an envelope");
        logs.iter().map(|log| log["id"].as_str().expect("a log has an id").to_owned()).collect()
    }

    /// Whether it was answered with this status.
    pub fn is_answered(&self, status: u16) -> bool {
        self.answered.is_some_and(|(answered, _)| answered == status)
    }
}

impl Front {
    /// Starts one that hands everything on to this collector, also after a restart.
    ///
    /// # Panics
    ///
    /// When no port of the loopback can be had.
    pub fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let collector = format!("{}/", server.url());
        let shared = Arc::new(Shared { collector, fault: Mutex::new(Fault::None), requests: Mutex::default() });
        let runtime = Runtime::new().expect("a runtime can be made");
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, _runtime: runtime }
    }

    /// The attribute that sends a tracker's logs here.
    pub fn attribute(&self) -> String {
        format!(r#"data-server="http://{}/""#, self.address)
    }

    /// What happens to requests from now on; those under way keep their fate.
    pub fn set(&self, fault: Fault) {
        *lock(&self.shared.fault) = fault;
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// How many requests were answered with this status.
    pub fn n_answered(&self, status: u16) -> usize {
        self.requests().iter().filter(|request| request.is_answered(status)).count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over");
    let routes = Router::new().fallback(take);
    axum::serve(listener, routes.with_state(shared)).await.expect("the front serves until the test ends");
}

async fn take(State(shared): State<Arc<Shared>>, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let nth = {
        let mut requests = lock(&shared.requests);
        requests.push(Request { at: Instant::now(), method, headers: headers.clone(), body: text, answered: None });
        requests.len() - 1
    };
    let fault = *lock(&shared.fault);
    let (status, retry_after) = answer(fault, &shared, &headers, body).await;
    lock(&shared.requests)[nth].answered = Some((status.as_u16(), Instant::now()));
    let for_pages = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After")),
    ];
    let retry_after = retry_after.map(|seconds| [(RETRY_AFTER, HeaderValue::from(seconds))]);
    match retry_after {
        Some(retry_after) => (status, for_pages, retry_after).into_response(),
        None => (status, for_pages).into_response(),
    }
}

async fn answer(fault: Fault, shared: &Shared, headers: &HeaderMap, body: Bytes) -> (StatusCode, Option<u64>) {
    match fault {
        Fault::Status(status) => (code(status), None),
        Fault::RetryAfter(status, seconds) => (code(status), Some(seconds)),
        Fault::LargerThan(bytes) if body.len() > bytes => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Fault::Slow(wait) => {
            tokio::time::sleep(wait).await;
            hand_on(shared, headers, body).await
        }
        Fault::AnswerLost => {
            hand_on(shared, headers, body).await;
            (StatusCode::GATEWAY_TIMEOUT, None)
        }
        Fault::Hang => std::future::pending().await,
        Fault::None | Fault::LargerThan(_) => hand_on(shared, headers, body).await,
    }
}

/// The collector's answer; 502 where there is none.
async fn hand_on(shared: &Shared, headers: &HeaderMap, body: Bytes) -> (StatusCode, Option<u64>) {
    let url = shared.collector.clone();
    let headers = [CONTENT_TYPE, ORIGIN, USER_AGENT].map(|name| (name.clone(), text(headers, &name)));
    let post = move || {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        http::request("POST", &url, &headers, &body)
    };
    match tokio::task::spawn_blocking(post).await {
        Ok(Ok(answer)) => {
            let retry_after = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
            (code(answer.status), retry_after)
        }
        _ => (StatusCode::BAD_GATEWAY, None),
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status has three digits")
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
