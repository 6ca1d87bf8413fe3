//! `GET /logdig.js` and the parts beside it: the tracker, as pages load it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::{App, RequestError};

/// What the tracker is called where its owner gives it no other name.
pub const DEFAULT_NAME: &str = "logdig";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What a page may load of the tracker. The core finds the others beside itself, under its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The tracker itself: what the script tag names.
    Core,
    /// What it loads once the page is idle.
    More,
    /// What it loads where web vitals are asked for.
    Vitals,
    /// What it loads where WebAssembly is refused.
    NoWasm,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Core, Part::More, Part::Vitals, Part::NoWasm];

    /// How the part's file is called where the core is `NAME.js`.
    pub fn file_name(self, name: &str) -> String {
        match self {
            Self::Core => format!("{name}.js"),
            Self::More => format!("{name}.more.js"),
            Self::Vitals => format!("{name}.vitals.js"),
            Self::NoWasm => format!("{name}.nowasm.js"),
        }
    }
}

/// The parts of the tracker that there are; none where the program was built before the tracker was.
#[derive(Debug, Default)]
pub struct Tracker {
    parts: [Option<TrackerFile>; Part::ALL.len()],
}

/// The three forms of a part, as `build.rs` left them.
macro_rules! embedded {
    ($file:literal) => {
        TrackerFile::from_forms(
            include_bytes!(concat!(env!("OUT_DIR"), "/", $file)),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".br")),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".gz")),
        )
    };
}

impl Tracker {
    /// The tracker that was built into this program.
    pub fn embedded() -> Self {
        Self {
            parts: [
                embedded!("logdig.js"),
                embedded!("logdig.more.js"),
                embedded!("logdig.vitals.js"),
                embedded!("logdig.nowasm.js"),
            ],
        }
    }

    /// A tracker from a file and the parts beside it, for those who work on it: sent as they are.
    ///
    /// # Errors
    ///
    /// When the file can't be read, or a part that is there.
    pub fn from_file(core: &Path) -> io::Result<Self> {
        let name = core.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let beside = |part: Part| match fs::read(core.with_file_name(part.file_name(name))) {
            Ok(bytes) => Ok(Some(TrackerFile::from_bytes(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let core = TrackerFile::from_bytes(fs::read(core)?);
        Ok(Self { parts: [Some(core), beside(Part::More)?, beside(Part::Vitals)?, beside(Part::NoWasm)?] })
    }

    /// A part as it is, not compressed; `None` when the program was built without it.
    pub fn plain(&self, part: Part) -> Option<&[u8]> {
        let file = self.part(part)?;
        file.forms.last().map(|form| &*form.bytes)
    }

    fn part(&self, part: Part) -> Option<&TrackerFile> {
        self.parts[part as usize].as_ref()
    }
}

/// A part in the forms in which it is sent, smallest first, the plain one last.
#[derive(Debug)]
struct TrackerFile {
    forms: Vec<Form>,
}

#[derive(Debug)]
struct Form {
    /// Of `Content-Encoding`; none for the file as it is.
    encoding: Option<&'static str>,
    bytes: Bytes,
    etag: String,
}

impl Form {
    fn new(encoding: Option<&'static str>, bytes: Bytes) -> Self {
        let hash = Sha256::digest(&bytes);
        let etag = hash.iter().take(12).fold(String::from("\""), |etag, byte| format!("{etag}{byte:02x}")) + "\"";
        Self { encoding, bytes, etag }
    }
}

impl TrackerFile {
    fn from_forms(plain: &'static [u8], br: &'static [u8], gz: &'static [u8]) -> Option<Self> {
        let form = |encoding, bytes| Form::new(encoding, Bytes::from_static(bytes));
        (!plain.is_empty())
            .then(|| Self { forms: vec![form(Some("br"), br), form(Some("gzip"), gz), form(None, plain)] })
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { forms: vec![Form::new(None, Bytes::from(bytes))] }
    }

    fn best_for(&self, accepted: &str) -> &Form {
        let wanted = self.forms.iter().find(|form| form.encoding.is_none_or(|encoding| accepts(accepted, encoding)));
        wanted.expect("the last form is the plain file")
    }
}

/// Whether a list such as `gzip, br;q=0.8` names the encoding with a weight above nothing.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(1.0_f32);
        name.trim().eq_ignore_ascii_case(encoding) && weight > 0.0
    })
}

/// Whether the browser has this form of the file already.
fn is_known(known: &str, etag: &str) -> bool {
    known.split(',').map(|entry| entry.trim().trim_start_matches("W/")).any(|entry| entry == etag || entry == "*")
}

/// The addresses of all parts, under our name and under the one that the owner gave.
pub fn routes(script_name: Option<&str>) -> Router<Arc<App>> {
    let own = script_name.filter(|name| *name != DEFAULT_NAME);
    let names = [Some(DEFAULT_NAME), own].into_iter().flatten();
    let files = names.flat_map(|name| Part::ALL.map(|part| (format!("/{}", part.file_name(name)), part)));
    files.fold(Router::new(), |router, (path, part)| {
        let file = async move |State(app): State<Arc<App>>, headers: HeaderMap| send(app.tracker.part(part), &headers);
        router.route(&path, get(file))
    })
}

/// Sends a part, or says that the browser has it.
fn send(file: Option<&TrackerFile>, headers: &HeaderMap) -> Result<Response, RequestError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = file.ok_or(RequestError::NoTracker)?.best_for(text(ACCEPT_ENCODING));
    let mut response = if is_known(text(IF_NONE_MATCH), &form.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], form.bytes.clone()).into_response()
    };
    let own = [
        (ETAG, form.etag.as_str()),
        (CACHE_CONTROL, "public, max-age=3600"),
        (VARY, "Accept-Encoding"),
        // Pages that isolate themselves load only scripts that say so.
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (RESOURCE_POLICY, "cross-origin"),
    ];
    let encoding = form.encoding.filter(|_| response.status() == StatusCode::OK).map(|name| (CONTENT_ENCODING, name));
    for (name, value) in own.into_iter().chain(encoding) {
        response.headers_mut().insert(name, value.parse().expect("names, numbers and hex digits fit into a header"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_browser_accepts() {
        let cases = [
            ("gzip, deflate, br, zstd", true),
            ("br;q=0.1", true),
            ("BR", true),
            ("br;q=0", false),
            ("gzip", false),
            ("", false),
        ];
        for (accepted, expected) in cases {
            assert_eq!(accepts(accepted, "br"), expected, "{accepted:?}");
        }
    }

    #[test]
    fn knows_its_own_tags() {
        let etag = "\"abc\"";
        let cases = [("\"abc\"", true), ("\"x\", W/\"abc\"", true), ("*", true), ("\"abcd\"", false), ("", false)];
        for (known, expected) in cases {
            assert_eq!(is_known(known, etag), expected, "{known:?}");
        }
    }
}
