//! What the collector promises to whoever talks to it, without a network in between.

mod answers;
mod bounds;
mod cors;
mod daily_key;
mod demo;
mod listen;
mod pages;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use logdig_store::{Content, LocalFile, MemoryStore, SealedBatch};
use serde_json::Value;
use tempfile::TempDir;

use super::{App, BodyBounds, ClientAddress, Collector, Demo, Peer, Tracker};
use crate::clock::Clock;
use crate::daily_key::{FileSalts, Salt, SaltError, Salts};
use crate::outcome::{Metrics, Outcome};
use crate::queue::memory::MemoryQueue;
use crate::queue::{AcceptError, Accepted, Batches, Entry, Queue, SealRule};
use crate::services::{Service, Services, ServicesFile};

const NOW: &str = "2026-11-25T12:00:00.123Z";
const SHOP: &str = "https://shop.example";
const BLOG: &str = "https://blog.example";
const TRACKER: &str = "\u{feff}console.log('tracker')";

const MORE: &str = "export default 'more'";

/// The original's form post, for the service `shop`.
const FORM: &str = "timestamp=2015-12-22T06%3A19%3A03.366Z&token=shop&user_key=tR2VQSYNNXJwbBQLijmR\
    &current_page=http%3A%2F%2Fsite.com%2F&link=a&x=110&y=400&spent_milli_sec=1120&user_agent=Mozilla&load_count=2";

/// A log as a program sends it; `fields` come after the ten, or before them where they replace one.
fn log(token: &str, fields: &str) -> String {
    format!(
        r#"{{"timestamp":"2026-11-25T11:00:00.000Z","token":"{token}","user_key":"u","current_page":"p","link":"l","x":1,"y":2,"spent_milli_sec":3,"user_agent":"a","load_count":4{fields}}}"#
    )
}

/// A collector over memory, with the services `shop` and `blog`, whose tokens are their names.
struct TestCollector {
    collector: Collector,
    app: Arc<App>,
    queue: Arc<MemoryQueue>,
    store: Arc<MemoryStore>,
    _dir: TempDir,
}

impl TestCollector {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut App)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock: Clock = Arc::new(|| NOW.parse().expect("an instant"));
        let queue = Arc::new(MemoryQueue::new(SealRule::default(), clock.clone()));
        let store = Arc::new(MemoryStore::new());
        let mut app = App {
            queue: queue.clone(),
            services: Arc::new(services()),
            metrics: Arc::new(Metrics::default()),
            clock,
            salts: Arc::new(FileSalts::new(Arc::new(LocalFile::secret(dir.path(), "daily-salt")))),
            client_address: ClientAddress::new(None, 1),
            body_bounds: BodyBounds { timeout: Duration::from_secs(10), in_flight_bytes_max: 8 << 20 },
            tracker: tracker(&dir),
            script_name: Some("app".to_owned()),
            demo: Some(Demo::new(store.clone())),
            is_shutting_down: AtomicBool::new(false),
        };
        change(&mut app);
        let app = Arc::new(app);
        Self { collector: Collector::new(app.clone()), app, queue, store, _dir: dir }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.collector.answer(request).await.into_parts();
        let bytes = body.collect().await.expect("answers are in memory").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("answers are texts");
        Answer { status: head.status, headers: head.headers, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, &[], "")).await
    }

    async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send(request(Method::POST, "/", headers, body)).await
    }

    /// Posts JSON from a page of this origin.
    async fn post_from(&self, origin: &str, body: impl Into<Body>) -> Answer {
        self.post(&[("content-type", "text/plain;charset=UTF-8"), ("origin", origin)], body).await
    }

    /// Ends the queue, and gives what it held.
    async fn sealed(&self) -> Vec<SealedBatch> {
        self.queue.finish().await;
        let mut batches = vec![];
        while let Some(batch) = self.queue.next_batch().await.expect("memory can be read") {
            batches.push(batch);
        }
        batches
    }

    /// The stored lines, as JSON.
    async fn stored(&self) -> Vec<Value> {
        let batches = self.sealed().await;
        let text: String = batches.iter().map(|batch| String::from_utf8_lossy(bytes(batch)).into_owned()).collect();
        text.lines().map(|line| serde_json::from_str(line).expect("a stored line is JSON")).collect()
    }

    fn counted(&self, outcome: Outcome) -> u64 {
        self.app.metrics.counted(outcome)
    }
}

fn bytes(batch: &SealedBatch) -> &[u8] {
    match &batch.content {
        Content::Bytes(bytes) => bytes,
        Content::File(path) => panic!("a queue in memory has no file {}", path.display()),
    }
}

fn services() -> ServicesFile {
    let service = |(name, origin): (&str, &str)| Service {
        id: name.to_owned(),
        name: name.to_owned(),
        tokens: vec![name.to_owned()],
        origins: vec![origin.parse().expect("an origin")],
        time_zone: "UTC".to_owned(),
        page_rules: vec![],
        goals: vec![],
    };
    let list = [("shop", SHOP), ("blog", BLOG)].map(service);
    ServicesFile::fixed(Services::new(list.into()).expect("valid"))
}

/// One whose core and further part are there, and whose part without wasm is not.
fn tracker(dir: &TempDir) -> Tracker {
    let path = dir.path().join("logdig.js");
    std::fs::write(&path, TRACKER).expect("written");
    std::fs::write(dir.path().join("logdig.more.js"), MORE).expect("written");
    Tracker::from_file(&path).expect("read")
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8300");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("a request")
}

/// An answer, whole.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text"))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status, and why: the request's reason, or that of each refused log.
    fn verdict(&self) -> (u16, String) {
        let json = self.json();
        let reasons = match &json["refused"] {
            Value::Array(refused) => refused.iter().map(|log| log["reason"].as_str().unwrap_or("?")).collect(),
            _ => vec![json["reason"].as_str().unwrap_or("")],
        };
        (self.status.as_u16(), reasons.join(" "))
    }
}

/// A queue that fails in its own way.
enum BadQueue {
    /// Never answers.
    Hangs,
    /// Has a bug.
    Panics,
}

#[async_trait]
impl Queue for BadQueue {
    async fn accept(&self, _: Entry) -> Result<Accepted, AcceptError> {
        match self {
            Self::Hangs => std::future::pending().await,
            Self::Panics => panic!("a bug, for a test"),
        }
    }

    async fn finish(&self) {}

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}
