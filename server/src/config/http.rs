//! What the listener grants to whoever connects.

use std::path::PathBuf;
use std::time::Duration;

use hyper::header::HeaderName;

use super::units;

/// The listener and its bounds.
#[derive(clap::Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "LOGDIG_LISTEN", default_value = "127.0.0.1:8300")]
    pub listen: String,

    /// Serve this tracker file, and the parts beside it, instead of those inside this program
    #[arg(long, value_name = "FILE", env = "LOGDIG_TRACKER")]
    pub tracker: Option<PathBuf>,

    // Block lists know what trackers are usually called.
    /// Serve the tracker as NAME.js, and its parts as NAME.more.js and so on, beside logdig.js
    #[arg(long, value_name = "NAME", env = "LOGDIG_SCRIPT_NAME", value_parser = script_name)]
    pub script_name: Option<String>,

    /// Serve what the demo site shows: where a log went, sealed files, a delay.
    /// Anyone who reaches the port can read every log then: loopback only
    #[arg(long, env = "LOGDIG_DEMO", value_parser = clap::builder::BoolishValueParser::new())]
    pub demo: bool,

    // Off by default: without a proxy that sets it, anyone can write it.
    /// Header in which a proxy of yours tells the client's address, such as X-Forwarded-For; for daily keys
    #[arg(long, value_name = "NAME", env = "LOGDIG_CLIENT_ADDRESS_HEADER", value_parser = address_header)]
    pub client_address_header: Option<HeaderName>,

    /// How many proxies of yours add to that header: the client's address is that entry from its end
    #[arg(long, value_name = "N", env = "LOGDIG_PROXIES", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=100))]
    pub proxies: u64,

    // A connection costs about 10 KiB while idle, so the default stays below 100 MiB.
    /// Connections at a time; more wait until one ends
    #[arg(long, value_name = "N", env = "LOGDIG_CONNECTIONS_MAX", default_value_t = 8192,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub connections_max: u64,

    /// Bytes of request bodies held at a time; more are answered 503
    #[arg(long, value_name = "SIZE", env = "LOGDIG_IN_FLIGHT_BYTES_MAX", default_value = "64MiB",
          value_parser = units::bytes)]
    pub in_flight_bytes_max: u64,

    // Load balancers keep connections for 60 s and must be the first to close them.
    /// Close a connection that brings no whole request head for this long
    #[arg(long, value_name = "TIME", env = "LOGDIG_IDLE_TIMEOUT", default_value = "75s", value_parser = units::duration)]
    pub idle_timeout: Duration,

    // A slow uplink carries the largest body that we take, 1 MiB, in about this time.
    /// Answer 408 when a request body takes longer than this to arrive
    #[arg(long, value_name = "TIME", env = "LOGDIG_BODY_TIMEOUT", default_value = "30s", value_parser = units::duration)]
    pub body_timeout: Duration,

    // Most supervisors kill after 30 s: what is sealed by then need not be recovered at the next start.
    /// On shutdown, let running requests finish for at most this long
    #[arg(long, value_name = "TIME", env = "LOGDIG_SHUTDOWN_TIMEOUT", default_value = "20s",
          value_parser = units::duration)]
    pub shutdown_timeout: Duration,
}

/// The longest name that anyone gives a file that all pages load.
const SCRIPT_NAME_BYTES_MAX: usize = 64;

/// Reads a name for the tracker's files: letters, digits, `-` and `_`, which no address need escape.
///
/// # Errors
///
/// A sentence for the person who wrote it.
pub fn script_name(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match text.len() {
        1..=SCRIPT_NAME_BYTES_MAX if is_plain => Ok(text.to_owned()),
        _ => Err(format!("write 1 to {SCRIPT_NAME_BYTES_MAX} letters, digits, - and _, without .js")),
    }
}

fn address_header(text: &str) -> Result<HeaderName, String> {
    match text.parse() {
        Ok(name) if name == "forwarded" => Err("`Forwarded` is not read; let the proxy set X-Forwarded-For".to_owned()),
        Ok(name) => Ok(name),
        Err(_) => Err("write the name of a header, such as X-Forwarded-For".to_owned()),
    }
}
