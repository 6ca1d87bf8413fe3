//! The demo site on its own origin, and the switch that its panel has for the collector.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, ResponseBox, Server};

use super::collector::Collector;

/// Where in index.html the script tag goes.
const PLACEHOLDER: &str = "<!--logdig-tag-->";
/// Starting a collector takes one of them for a moment; a page loads its files beside that.
const THREADS: usize = 4;

/// A running website; it ends with the program.
pub struct SiteServer {
    address: SocketAddr,
}

struct Site {
    dist: PathBuf,
    collector: Arc<Collector>,
}

impl SiteServer {
    /// Serves the folder `dist`.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn start(address: SocketAddr, dist: PathBuf, collector: Arc<Collector>) -> Result<Self> {
        let server =
            Server::http(address).map_err(|error| anyhow!("the demo site cannot listen on {address}: {error}"))?;
        let address = server.server_addr().to_ip().context("a TCP server has an address")?;
        let (server, site) = (Arc::new(server), Arc::new(Site { dist, collector }));
        for _ in 0..THREADS {
            let (server, site) = (Arc::clone(&server), Arc::clone(&site));
            thread::spawn(move || server.incoming_requests().for_each(|request| site.answer(request)));
        }
        Ok(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Site {
    fn answer(&self, request: Request) {
        let path = request.url().split(['?', '#']).next().unwrap_or_default().to_owned();
        let response = match (request.method(), path.as_str()) {
            (Method::Post, _) if !is_same_origin(&request) => plain(403, "only for the demo site itself"),
            (Method::Get, "/control/server") => self.state(),
            (Method::Post, "/control/server/down") => self.state_after(self.collector.crash()),
            (Method::Post, "/control/server/up") => self.state_after(self.collector.revive()),
            (Method::Get | Method::Head, path) => self.file(path),
            _ => plain(405, "GET a page, or POST to /control/server/up or down"),
        };
        // A browser that went away needs no answer.
        request.respond(response).ok();
    }

    fn state(&self) -> ResponseBox {
        let pid = self.collector.pid();
        as_json(200, &json!({"up": pid.is_some(), "pid": pid}))
    }

    fn state_after(&self, outcome: Result<()>) -> ResponseBox {
        match outcome {
            Ok(()) => self.state(),
            Err(error) => as_json(500, &json!({"message": format!("{error:#}")})),
        }
    }

    /// A path without a file extension is a route of the single-page application.
    fn file(&self, path: &str) -> ResponseBox {
        let name = Path::new(path.trim_start_matches('/'));
        let Some(extension) = name.extension().and_then(|extension| extension.to_str()) else { return self.index() };
        let is_below = name.components().all(|part| matches!(part, Component::Normal(_)));
        match File::open(self.dist.join(name)) {
            Ok(_) if name == Path::new("index.html") => self.index(),
            Ok(file) if is_below => with_type(Response::from_file(file).boxed(), media_type(extension)),
            _ => plain(404, "no such file"),
        }
    }

    fn index(&self) -> ResponseBox {
        let page = fs::read_to_string(self.dist.join("index.html")).context("reading index.html");
        match page.and_then(|page| Ok(page.replace(PLACEHOLDER, &self.collector.script_tag()?))) {
            Ok(page) => with_type(Response::from_string(page).boxed(), "text/html; charset=utf-8"),
            Err(error) => plain(500, &format!("{error:#}")),
        }
    }
}

/// Some other page in the visitor's browser must not work the switch.
fn is_same_origin(request: &Request) -> bool {
    let header = |name: &'static str| request.headers().iter().find(|header| header.field.equiv(name));
    let own = header("Host").map(|host| format!("http://{}", host.value));
    header("Origin").is_none_or(|origin| own.as_deref() == Some(origin.value.as_str()))
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn as_json(status: u16, body: &Value) -> ResponseBox {
    with_type(Response::from_string(body.to_string()).with_status_code(status).boxed(), "application/json")
}

fn plain(status: u16, text: &str) -> ResponseBox {
    with_type(Response::from_string(text).with_status_code(status).boxed(), "text/plain; charset=utf-8")
}

fn with_type(response: ResponseBox, media_type: &str) -> ResponseBox {
    // Asked for again each time: the next build has the same names.
    let headers = [("Content-Type", media_type), ("Cache-Control", "no-cache")];
    headers.into_iter().fold(response, |response, (name, value)| {
        response.with_header(Header::from_bytes(name, value).expect("names and values are plain ASCII"))
    })
}
