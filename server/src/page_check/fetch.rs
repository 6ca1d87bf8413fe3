//! Getting what is behind an address, within bounds: whoever answers may be slow, huge, or never end.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{HeaderMap, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, ResponseExt};
use url::Url;

/// A page's tags stand near its beginning; few pages have a tenth of this.
const BYTES_MAX: usize = 4 << 20;
/// As many as a browser follows before anybody notices, and then some.
const REDIRECTS_MAX: u32 = 8;

/// Fetches by GET, over http and https. Nothing is executed, no cookie is kept.
pub struct Fetcher {
    agent: Agent,
}

/// What was behind an address.
#[derive(Debug)]
pub struct Fetched {
    /// Where it was in the end, after redirects.
    pub url: Url,
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, or as much of it as came in time and within the limit.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub is_cut: bool,
}

impl Fetcher {
    /// One that waits for this long, at most, for each answer with all of its body.
    pub fn new(timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(REDIRECTS_MAX)
            .http_status_as_error(false)
            .user_agent(concat!("logdig/", env!("CARGO_PKG_VERSION"), " (service check)"))
            .tls_config(TlsConfig::builder().root_certs(roots()).build())
            .build();
        Self { agent: config.into() }
    }

    /// Fetches; any status is an answer.
    ///
    /// # Errors
    ///
    /// Why no answer came, as part of a sentence.
    pub fn get(&self, url: &Url) -> Result<Fetched, String> {
        let mut response = self.agent.get(url.as_str()).call().map_err(|error| error.to_string())?;
        let url = final_url(response.get_uri()).unwrap_or_else(|| url.clone());
        let mut body = vec![];
        let read = response.body_mut().as_reader().take(BYTES_MAX as u64 + 1).read_to_end(&mut body);
        let is_cut = read.is_err() || body.len() > BYTES_MAX;
        body.truncate(BYTES_MAX);
        let (head, _) = response.into_parts();
        Ok(Fetched { url, status: head.status.as_u16(), headers: head.headers, body, is_cut })
    }
}

fn final_url(uri: &Uri) -> Option<Url> {
    uri.to_string().parse().ok()
}

/// The machine's own list, which knows an owner's private authority too; Mozilla's where the machine has none.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return RootCerts::WebPki;
    }
    RootCerts::Specific(Arc::new(
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect(),
    ))
}

impl Fetched {
    /// A header's value; several lines of one name are one list.
    pub fn header(&self, name: &str) -> Option<String> {
        let lines: Vec<_> =
            self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// What the header `Content-Type` says, in lower case and without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}
