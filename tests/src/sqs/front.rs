//! A proxy before SQS that fails as it is told to, and counts what AWS would bill.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Queue;
use crate::http;

/// AWS bills a call as one request for each 64 KiB, or part of it, that goes either way.
const BILLED_BYTES: usize = 64 * 1024;

/// What happens to calls.
#[derive(Debug, Clone, PartialEq)]
pub enum SqsFault {
    /// They are handed on.
    None,
    /// They are answered with this status and this error code, as SQS does.
    Error(u16, &'static str),
    /// Of the entries of a `SendMessageBatch` or `DeleteMessageBatch` whose text holds this, none is handed on: the
    /// answer tells that they failed.
    FailEntries(&'static str),
    /// They are handed on, and then answered with 500: nobody knows that they were done.
    AnswerLost,
    /// They are handed on so much later.
    Slow(Duration),
    /// They are taken and never answered.
    Hang,
}

/// A call that came.
#[derive(Debug, Clone)]
pub struct Call {
    /// `SendMessageBatch` and so on.
    pub action: String,
    /// How many requests AWS bills for it.
    pub n_billed: usize,
    /// How many entries it had, or messages it brought.
    pub n_entries: usize,
}

/// A running proxy. It ends with its test.
pub struct SqsFront {
    address: SocketAddr,
    queue_name: String,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    sqs: String,
    fault: Mutex<(SqsFault, &'static str)>,
    calls: Mutex<Vec<Call>>,
}

impl SqsFront {
    /// Starts one before this queue.
    ///
    /// # Panics
    ///
    /// When no port of the loopback can be had.
    pub fn start(queue: &Queue) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let sqs = format!("http://127.0.0.1:{}/", queue.server.port);
        let shared = Arc::new(Shared { sqs, fault: Mutex::new((SqsFault::None, "")), calls: Mutex::default() });
        let runtime = Runtime::new().expect("a runtime can be made");
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, queue_name: queue.name.clone(), shared, _runtime: runtime }
    }

    /// The value of `--queue` that goes through here.
    pub fn flag(&self) -> String {
        format!("sqs:http://{}/000000000000/{}", self.address, self.queue_name)
    }

    /// What happens to calls from now on; those under way keep their fate.
    pub fn set(&self, fault: SqsFault) {
        self.set_for("", fault);
    }

    /// The same for calls whose action begins so; the others are handed on.
    pub fn set_for(&self, action: &'static str, fault: SqsFault) {
        *lock(&self.shared.fault) = (fault, action);
    }

    /// All calls so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// The calls of this action.
    pub fn calls_of(&self, action: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.action == action).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over");
    let routes = Router::new().fallback(take).layer(axum::extract::DefaultBodyLimit::disable());
    axum::serve(listener, routes.with_state(shared)).await.expect("the front serves until the test ends");
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let action = target.trim_start_matches("AmazonSQS.").to_owned();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let nth = {
        let mut calls = lock(&shared.calls);
        let n_entries = request["Entries"].as_array().map_or(0, Vec::len);
        calls.push(Call { action: action.clone(), n_billed: n_billed(body.len()), n_entries });
        calls.len() - 1
    };
    let (fault, of_action) = lock(&shared.fault).clone();
    let fault = if action.starts_with(of_action) { fault } else { SqsFault::None };
    let (status, answer) = answer(&shared, fault, &target, request).await;
    let call = &mut lock(&shared.calls)[nth];
    call.n_billed = call.n_billed.max(n_billed(answer.to_string().len()));
    call.n_entries += answer["Messages"].as_array().map_or(0, Vec::len);
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

fn n_billed(n_bytes: usize) -> usize {
    n_bytes.div_ceil(BILLED_BYTES).max(1)
}

async fn answer(shared: &Shared, fault: SqsFault, target: &str, request: Value) -> (StatusCode, Value) {
    match fault {
        SqsFault::None => hand_on(shared, target, request).await,
        SqsFault::Error(status, code) => error(status, code),
        SqsFault::FailEntries(text) => fail_entries(shared, target, request, text).await,
        SqsFault::AnswerLost => {
            hand_on(shared, target, request).await;
            error(500, "InternalError")
        }
        SqsFault::Slow(wait) => {
            tokio::time::sleep(wait).await;
            hand_on(shared, target, request).await
        }
        SqsFault::Hang => std::future::pending().await,
    }
}

fn error(status: u16, code: &str) -> (StatusCode, Value) {
    let status = StatusCode::from_u16(status).expect("a status has three digits");
    (status, json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "as the test wants it"}))
}

async fn fail_entries(shared: &Shared, target: &str, mut request: Value, text: &str) -> (StatusCode, Value) {
    let entries = request["Entries"].as_array().cloned().unwrap_or_default();
    let is_hit = |entry: &Value| entry.to_string().contains(text);
    let (hit, good): (Vec<Value>, Vec<Value>) = entries.into_iter().partition(is_hit);
    let (status, mut answer) = match good.is_empty() {
        true => (StatusCode::OK, json!({"Successful": [], "Failed": []})),
        false => {
            request["Entries"] = good.into();
            hand_on(shared, target, request).await
        }
    };
    let failed = |entry: &Value| json!({"Id": entry["Id"], "SenderFault": false, "Code": "InternalError"});
    let told = answer["Failed"].as_array().cloned().unwrap_or_default();
    answer["Failed"] = told.into_iter().chain(hit.iter().map(failed)).collect::<Vec<Value>>().into();
    (status, answer)
}

async fn hand_on(shared: &Shared, target: &str, request: Value) -> (StatusCode, Value) {
    let (url, target) = (shared.sqs.clone(), target.to_owned());
    let post = move || {
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &*target)];
        http::request("POST", &url, &headers, request.to_string().as_bytes())
    };
    match tokio::task::spawn_blocking(post).await {
        Ok(Ok(answer)) => {
            let status = StatusCode::from_u16(answer.status).expect("a status has three digits");
            (status, serde_json::from_str(&answer.body).unwrap_or_else(|_| json!({})))
        }
        _ => error(502, "BadGateway"),
    }
}
