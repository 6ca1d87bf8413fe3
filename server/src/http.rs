//! HTTP: every URL, its body limit and who may read it, on this page.
//!
//! | URL | method | body | pages that may read it |
//! | --- | --- | --- | --- |
//! | `/` | POST | 1 MiB | of any site; the status says what was refused |
//! | `/` | GET | | of any site |
//! | `/logdig.js`, `/logdig.more.js`, `/logdig.vitals.js`, `/logdig.nowasm.js`, and so with `--script-name` | GET | | of any site (`*`) |
//! | `/health/live`, `/health/ready` | GET | | of any site |
//! | `/metrics` | GET | | none |
//! | `/demo/…` (only with `--demo`) | GET, POST | | of this machine |
//!
//! HEAD goes where GET does, OPTIONS is answered at every URL, and whatever else is answered 404 or 405, readable by
//! any site. A body that no URL asked for is never read.

mod body;
mod client_address;
mod collect;
mod cors;
mod demo;
mod error;
mod health;
pub mod listen;
mod metrics;
mod tracker_file;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{BoxError, Router};
use tower::Service as _;

pub use body::BodyBounds;
pub use client_address::{ClientAddress, Peer};
pub use demo::Demo;
pub use error::RequestError;
pub use tracker_file::{DEFAULT_NAME, Part, Tracker};

use crate::clock::Clock;
use crate::daily_key::Salts;
use crate::outcome::Metrics;
use crate::queue::Queue;
use crate::services::ServicesFile;
use cors::Readers;

/// What the handlers work with.
pub struct App {
    /// Where logs are made durable.
    pub queue: Arc<dyn Queue>,
    /// Whose logs are taken.
    pub services: Arc<ServicesFile>,
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// Tells when a request came.
    pub clock: Clock,
    /// The secrets of daily keys.
    pub salts: Arc<dyn Salts>,
    /// Whose addresses those are made of.
    pub client_address: ClientAddress,
    /// Bounds of request bodies.
    pub body_bounds: BodyBounds,
    /// The tracker.
    pub tracker: Tracker,
    /// Another name for the tracker's files, beside our own.
    pub script_name: Option<String>,
    /// The demo's addresses, where they are switched on.
    pub demo: Option<Demo>,
    /// Whether the collector is about to end.
    pub is_shutting_down: AtomicBool,
}

impl App {
    /// Whether a log sent now would be taken.
    fn check_ready(&self) -> Result<(), RequestError> {
        if self.is_shutting_down.load(Relaxed) {
            return Err(RequestError::ShuttingDown);
        }
        self.queue.ready().map_err(|_| RequestError::Unavailable)
    }
}

fn routes(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route(
            "/",
            get(health::hello)
                .post(async |State(app): State<Arc<App>>, request| collect::collect::<Body>(&app, request).await),
        )
        .merge(tracker_file::routes(app.script_name.as_deref()))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics));
    if app.demo.is_some() {
        router = router.merge(demo::routes());
    }
    router
        .fallback(async || RequestError::NotFound)
        .method_not_allowed_fallback(async || RequestError::MethodNotAllowed)
        .with_state(app)
}

fn readers(path: &str) -> Readers {
    match path {
        "/metrics" => Readers::Nobody,
        _ if path.starts_with("/demo/") => Readers::Loopback,
        _ => Readers::Anyone,
    }
}

/// Answers requests. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Collector {
    app: Arc<App>,
    router: Router,
}

impl Collector {
    /// Puts the routes over what they work with.
    pub fn new(app: Arc<App>) -> Self {
        Self { router: routes(app.clone()), app }
    }

    /// What was counted.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.app.metrics.clone()
    }

    /// Answers one request, whatever it is and whatever becomes of it.
    pub async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let readers = readers(request.uri().path());
        let origin = cors::origin_of(request.headers());
        let mut response = match *request.method() {
            Method::OPTIONS => cors::preflight(request.headers()),
            // As routed, without the router's boxes: nearly all requests are this one.
            Method::POST if request.uri().path() == "/" => or_panic(collect::collect(&self.app, request)).await,
            _ => or_panic(self.route(request.map(Body::new))).await,
        };
        readers.apply(origin, response.headers_mut());
        self.app.metrics.count_response(response.status().as_u16());
        response
    }

    async fn route(&self, request: Request<Body>) -> Response {
        self.router.clone().call(request).await.unwrap_or_else(|never: Infallible| match never {})
    }
}

/// A fault at one request must not take down the others: the panic ends here, its message is on stderr.
async fn or_panic(answer: impl Future<Output = Response>) -> Response {
    let mut answer = pin!(answer);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
        Ok(poll) => poll,
        Err(_) => Poll::Ready(RequestError::Panic.into_response()),
    })
    .await
}

/// An answer in JSON.
fn json(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
