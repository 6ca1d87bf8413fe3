//! Plain requests and answers, and raw bytes for requests no client would make.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName, Request};

const TIMEOUT: Duration = Duration::from_secs(20);

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Name (lower case) and value of each header; several of one name are joined by commas.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The value of the header of this (lower case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// Whether the status says that all went well.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends one request and reads the whole answer; any status is an answer.
///
/// # Errors
///
/// When no answer came: refused, reset, or nothing within 20 s.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // A GET with an empty body is not the same as one without a body.
    let mut response =
        if body.is_empty() { agent().run(request.body(())?)? } else { agent().run(request.body(body)?)? };
    let headers = joined(response.headers());
    let status = response.status().as_u16();
    let body = String::from_utf8_lossy(&response.body_mut().read_to_vec()?).into_owned();
    Ok(Answer { status, headers, body })
}

/// Each name once; what comes in several lines means the same as one list.
fn joined(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = |name: &HeaderName| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        values.collect::<Vec<_>>().join(", ")
    };
    headers.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}

/// Writes `bytes` to the address and returns everything that comes back
/// until the other side closes or is silent for a second.
///
/// # Errors
///
/// When the connection cannot be made or written to.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    // A time-out or reset after (part of) an answer is an end like any other.
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        // A connection is not kept: the server under test may be killed any
        // moment, and a stale one would look like its fault.
        Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections(0)
            .allow_non_standard_methods(true)
            .proxy(None)
            .build()
            .into()
    })
}
