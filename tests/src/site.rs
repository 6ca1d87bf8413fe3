//! A customer's website: the pages in `tests/pages` on a port of their own.
//!
//! Another port is another origin, so a browser treats the collector as what
//! it is in real life: somebody else's server.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use tokio::runtime::Runtime;

use crate::Server;
use crate::http;
use crate::server::logdig;

/// Where in a page the tracker's script tag goes.
const PLACEHOLDER: &str = "<!--logdig-tag-->";

/// The page's own script before it: what a page can see of the tracker.
const PROBE: &str = include_str!("../pages/probe.js");

/// A running website. It ends with its test.
pub struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    tag: Mutex<String>,
    collector: String,
    recorded: Mutex<Vec<Recorded>>,
}

/// A request that came through the site's own `/collect`.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// `POST`, or what else came.
    pub method: String,
    /// The headers as the browser sent them.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Site {
    /// Starts a website whose pages carry the tag of this collector's first service.
    ///
    /// # Panics
    ///
    /// When no port of the loopback can be had.
    pub fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            tag: Mutex::new(tag(&server.url(), &server.token(), "")),
            collector: server.url(),
            recorded: Mutex::default(),
        });
        let runtime = Runtime::new().expect("a runtime can be made");
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, _runtime: runtime }
    }

    /// From now on the tag has these attributes as well.
    pub fn set_attributes(&self, server: &Server, attributes: &str) {
        *lock(&self.shared.tag) = tag(&server.url(), &server.token(), attributes);
    }

    /// From now on the tag has this token.
    pub fn set_token(&self, server: &Server, token: &str) {
        *lock(&self.shared.tag) = tag(&server.url(), token, "");
    }

    /// From now on pages have the early snippet, as the program prints it, instead of the tag.
    pub fn set_snippet(&self, server: &Server) {
        let data = server.data_text();
        let flags = ["service", "tag", "local", "--for", "snippet", "--server", &server.url(), "--data", &data];
        let printed = logdig(&flags);
        assert!(printed.status.success(), "{printed:?}");
        *lock(&self.shared.tag) = String::from_utf8(printed.stdout).expect("a snippet is text");
    }

    /// The address of this path on the site.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that came through `/collect` so far; each was handed on
    /// to the collector.
    pub fn recorded(&self) -> Vec<Recorded> {
        lock(&self.shared.recorded).clone()
    }
}

fn tag(server: &str, token: &str, attributes: &str) -> String {
    format!(r#"<script async src="{server}/logdig.js" data-token="{token}" {attributes}></script>"#)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over");
    let collect = post(collect).options(collect_options);
    let routes = Router::new().route("/collect", collect.clone()).route("/collect/", collect).fallback(get(page));
    axum::serve(listener, routes.with_state(shared)).await.expect("the site serves until the test ends");
}

/// `/name.html` is a file in `tests/pages`; any other path without a dot is a
/// route of the single-page application in `spa.html`. With `?bare` a page
/// comes without the tracker, to be compared with.
async fn page(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let name = uri.path().trim_start_matches('/');
    let name = if name.contains('.') { name } else { "spa.html" };
    let is_bare = uri.query().is_some_and(|query| query.split('&').any(|part| part == "bare"));
    let tag = if is_bare { String::new() } else { lock(&shared.tag).clone() };
    match std::fs::read_to_string(pages().join(name)) {
        Ok(text) => Html(with_tracker(&text, &tag)).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The first tag comes after the probe; a page may have it more than once.
fn with_tracker(page: &str, tag: &str) -> String {
    let first = format!("<script>{PROBE}</script>{tag}");
    page.replacen(PLACEHOLDER, &first, 1).replace(PLACEHOLDER, tag)
}

/// The site's own path to the collector, as an owner would set up in a proxy.
async fn collect(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let content_type = header_text(&headers, header::CONTENT_TYPE);
    let origin = header_text(&headers, header::ORIGIN);
    lock(&shared.recorded).push(Recorded { method: "POST".to_owned(), headers, body: text });
    let url = format!("{}/", shared.collector);
    let hand_on = move || http::request("POST", &url, &[("content-type", &content_type), ("origin", &origin)], &body);
    match tokio::task::spawn_blocking(hand_on).await {
        Ok(Ok(answer)) => (StatusCode::from_u16(answer.status).unwrap_or_default(), answer.body).into_response(),
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// A preflight: what the tracker sends must never need one.
async fn collect_options(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> StatusCode {
    lock(&shared.recorded).push(Recorded { method: "OPTIONS".to_owned(), headers, body: String::new() });
    StatusCode::NO_CONTENT
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pages")
}
