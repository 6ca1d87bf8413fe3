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
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use tokio::runtime::Runtime;

use crate::Server;
use crate::http;
use crate::server::logdig;

/// Where in a page the tracker's script tag goes.
const PLACEHOLDER: &str = "<!--logdig-tag-->";

/// The same in pages whose policy allows no script of their own.
const BARE_PLACEHOLDER: &str = "<!--logdig-tag-alone-->";

/// The path of the site that is the collector's.
const PROXY: &str = "/stats/";

/// The page's own script before it: what a page can see of the tracker.
pub const PROBE: &str = include_str!("../pages/probe.js");

/// A running website. It ends with its test.
pub struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    tag: Mutex<String>,
    policy: Mutex<String>,
    folder: Mutex<Option<PathBuf>>,
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
            policy: Mutex::default(),
            folder: Mutex::default(),
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
        let flags = ["service", "tag", "local", "--for", "snippet", "--url", &server.url(), "--data", &data];
        let printed = logdig(&flags);
        assert!(printed.status.success(), "{printed:?}");
        *lock(&self.shared.tag) = String::from_utf8(printed.stdout).expect("a snippet is text");
    }

    /// From now on pages have this instead of the tag.
    pub fn set_tag(&self, html: &str) {
        html.clone_into(&mut lock(&self.shared.tag));
    }

    /// From now on pages come with this `Content-Security-Policy`.
    pub fn set_policy(&self, policy: &str) {
        policy.clone_into(&mut lock(&self.shared.policy));
    }

    /// From now on the site is this folder, as any static host would serve it.
    pub fn set_folder(&self, folder: &Path) {
        *lock(&self.shared.folder) = Some(folder.to_owned());
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
    let routes = Router::new()
        .route("/collect", collect.clone())
        .route("/collect/", collect)
        .route(PROXY, any(proxy))
        .route(&format!("{PROXY}{{*path}}"), any(proxy))
        .fallback(get(page));
    axum::serve(listener, routes.with_state(shared)).await.expect("the site serves until the test ends");
}

/// `/name.html` is a file in `tests/pages`; any other path without a dot is a
/// route of the single-page application in `spa.html`. With `?bare` a page
/// comes without the tracker, to be compared with.
async fn page(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let folder = lock(&shared.folder).clone();
    if let Some(folder) = folder {
        return file(&folder, uri.path());
    }
    let name = uri.path().trim_start_matches('/');
    let name = if name.contains('.') { name } else { "spa.html" };
    let is_bare = uri.query().is_some_and(|query| query.split('&').any(|part| part == "bare"));
    let tag = if is_bare { String::new() } else { lock(&shared.tag).clone() };
    match std::fs::read_to_string(pages().join(name)) {
        Ok(text) => {
            let policy = lock(&shared.policy).clone();
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(with_tracker(&text, &tag))).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file of a folder. Nothing names a charset, as many hosts do not.
fn file(folder: &Path, path: &str) -> Response {
    let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let content_type = match path.rsplit_once('.') {
        Some((_, "html")) => "text/html",
        Some((_, "js" | "mjs")) => "text/javascript",
        Some((_, "css")) => "text/css",
        Some((_, "wasm")) => "application/wasm",
        _ => "application/octet-stream",
    };
    match std::fs::read(folder.join(path.trim_start_matches('/'))) {
        Ok(bytes) => ([(header::CONTENT_TYPE, content_type)], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The first tag comes after the probe; a page may have it more than once.
fn with_tracker(page: &str, tag: &str) -> String {
    let first = format!("<script>{PROBE}</script>{tag}");
    page.replacen(PLACEHOLDER, &first, 1).replace(PLACEHOLDER, tag).replace(BARE_PLACEHOLDER, tag)
}

/// What lies at the collector, under the site's own domain.
async fn proxy(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let url = format!("{}/{}", shared.collector, uri.path().trim_start_matches(PROXY));
    let [content_type, origin] = [header::CONTENT_TYPE, header::ORIGIN].map(|name| header_text(&headers, name));
    let hand_on =
        move || http::request(method.as_str(), &url, &[("content-type", &content_type), ("origin", &origin)], &body);
    match tokio::task::spawn_blocking(hand_on).await {
        Ok(Ok(answer)) => {
            let content_type = answer.header("content-type").unwrap_or_default().to_owned();
            let status = StatusCode::from_u16(answer.status).unwrap_or_default();
            (status, [(header::CONTENT_TYPE, content_type)], answer.body).into_response()
        }
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
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
