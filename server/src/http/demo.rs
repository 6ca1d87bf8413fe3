//! `/demo/…`: what the demo site shows of the way of a log. Only with `--demo`, and only for this machine.
//!
//! Anyone who may ask here can read every log, so requests under another name than a loopback one are refused: a page
//! elsewhere can point its own name at this machine, but can't make the browser call it `127.0.0.1`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use logdig_shared::read::read_stored;
use logdig_store::{ObjectKey, Store, StoreError};
use serde::Serialize;
use tokio::sync::Mutex;
use tracing::warn;

use super::{App, RequestError, json};
use crate::services::origin::is_loopback_origin;

/// The demo can be slow, not stuck.
const DELAY_MS_MAX: u64 = 10_000;
/// A log that is looked for was made just now; around midnight its file may be in yesterday's folder.
const N_DAYS: usize = 2;

/// The state of the demo's addresses.
pub struct Demo {
    store: Arc<dyn Store>,
    delay_ms: AtomicU64,
    index: Mutex<Index>,
}

/// Where each log stands. Sealed files never change, so each is read once.
#[derive(Default)]
struct Index {
    files: HashSet<ObjectKey>,
    places: HashMap<String, (ObjectKey, usize)>,
}

impl Demo {
    /// Looks for logs in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, delay_ms: AtomicU64::new(0), index: Mutex::default() }
    }

    /// Waits for as long as the demo's network is said to be slow.
    pub async fn delay(&self) {
        match self.delay_ms.load(Relaxed) {
            0 => (),
            ms => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }

    async fn find(&self, ids: &str) -> Result<Vec<Place>, StoreError> {
        let mut index = self.index.lock().await;
        index.read_new_files(&*self.store).await?;
        let place = |id: &str| {
            let (key, line) = index.places.get(id)?;
            Some(Place { id: id.to_owned(), file: key.to_string(), line: *line })
        };
        Ok(ids.split(',').filter_map(place).collect())
    }
}

impl Index {
    async fn read_new_files(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        for day in store.days().await?.into_iter().rev().take(N_DAYS) {
            for object in store.list(day).await? {
                if !self.files.contains(&object.key) {
                    self.read_file(object.key, &store.get(&object.key).await?);
                }
            }
        }
        Ok(())
    }

    fn read_file(&mut self, key: ObjectKey, content: &[u8]) {
        for (index, line) in String::from_utf8_lossy(content).lines().enumerate() {
            if let Some(id) = read_stored(line).ok().and_then(|log| log.event.id) {
                self.places.insert(id, (key, index + 1));
            }
        }
        self.files.insert(key);
    }
}

/// Where a log stands, as the demo site reads it.
#[derive(Serialize)]
struct Place {
    id: String,
    file: String,
    /// From 1.
    line: usize,
}

/// The demo's addresses.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/demo/logs", get(logs))
        .route("/demo/files/{day}/{sha256}", get(file))
        .route("/demo/delay", get(delay).post(set_delay))
        .layer(from_fn(only_local))
}

async fn only_local(request: Request, next: Next) -> Result<Response, RequestError> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_loopback_origin(&format!("http://{host}")) {
        return Err(RequestError::DemoNotLocal);
    }
    let mut response = next.run(request).await;
    let no_store = "no-store".parse().expect("it is a header's value");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    Ok(response)
}

fn demo(app: &App) -> Result<&Demo, RequestError> {
    app.demo.as_ref().ok_or(RequestError::NotFound)
}

fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// `GET /demo/logs?ids=ID,ID,…`: where those of the logs stand that are in sealed files.
async fn logs(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, RequestError> {
    #[derive(Serialize)]
    struct Answer {
        logs: Vec<Place>,
    }
    let ids = query_value(&uri, "ids").ok_or(RequestError::Demo("name the logs: /demo/logs?ids=ID,ID"))?;
    let logs = demo(&app)?.find(&ids).await.map_err(unreadable)?;
    Ok(json(StatusCode::OK, serde_json::to_string(&Answer { logs }).expect("numbers and texts are JSON")))
}

/// `GET /demo/files/2026-11-25/<sha256>`: a sealed file.
async fn file(
    State(app): State<Arc<App>>,
    Path((day, sha256)): Path<(String, String)>,
) -> Result<Response, RequestError> {
    let key: ObjectKey = format!("{day}/{sha256}").parse().map_err(|_| RequestError::NotFound)?;
    let content = demo(&app)?.store.get(&key).await.map_err(unreadable)?;
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, content).into_response())
}

fn unreadable(error: StoreError) -> RequestError {
    match error {
        StoreError::Absent { .. } => RequestError::NotFound,
        other => {
            warn!(error = %other, "the demo could not read the store");
            RequestError::Unavailable
        }
    }
}

/// `GET /demo/delay`: by how much answers of `POST /` are held back.
async fn delay(State(app): State<Arc<App>>) -> Result<Response, RequestError> {
    Ok(json(StatusCode::OK, format!(r#"{{"ms":{}}}"#, demo(&app)?.delay_ms.load(Relaxed))))
}

/// `POST /demo/delay?ms=N`: holds them back from here on.
async fn set_delay(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, RequestError> {
    let ms = query_value(&uri, "ms").and_then(|ms| ms.parse().ok()).filter(|ms| *ms <= DELAY_MS_MAX);
    let ms = ms.ok_or(RequestError::Demo("say how long: /demo/delay?ms=N, with N from 0 to 10000"))?;
    demo(&app)?.delay_ms.store(ms, Relaxed);
    delay(State(app)).await
}
