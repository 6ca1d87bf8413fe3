//! `GET /logdig.js`: the tracker, as pages load it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::{App, RequestError};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The tracker in the forms in which it is sent, smallest first.
#[derive(Debug)]
pub struct TrackerFile {
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
    /// The tracker that was built into this program; `None` when it was built without one.
    pub fn embedded() -> Option<Self> {
        let plain = include_bytes!(concat!(env!("OUT_DIR"), "/logdig.js"));
        let br = include_bytes!(concat!(env!("OUT_DIR"), "/logdig.js.br"));
        let gz = include_bytes!(concat!(env!("OUT_DIR"), "/logdig.js.gz"));
        (!plain.is_empty()).then(|| Self {
            forms: vec![
                Form::new(Some("br"), Bytes::from_static(br)),
                Form::new(Some("gzip"), Bytes::from_static(gz)),
                Form::new(None, Bytes::from_static(plain)),
            ],
        })
    }

    /// A tracker from a file, for those who work on it: sent as it is.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        Ok(Self { forms: vec![Form::new(None, Bytes::from(fs::read(path)?))] })
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

/// Sends the tracker, or says that the browser has it.
pub async fn tracker_file(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, RequestError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = app.tracker.as_ref().ok_or(RequestError::NoTracker)?.best_for(text(ACCEPT_ENCODING));
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
