//! What the listener grants to whoever connects.

use std::path::PathBuf;
use std::time::Duration;

use super::units;

/// The listener and its bounds.
#[derive(clap::Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "LOGDIG_LISTEN", default_value = "127.0.0.1:8300")]
    pub listen: String,

    /// Serve this tracker file instead of the one inside this program
    #[arg(long, value_name = "FILE", env = "LOGDIG_TRACKER")]
    pub tracker: Option<PathBuf>,

    /// Serve what the demo site shows: where a log went, sealed files, a delay.
    /// Anyone who reaches the port can read every log then: loopback only
    #[arg(long, env = "LOGDIG_DEMO", value_parser = clap::builder::BoolishValueParser::new())]
    pub demo: bool,

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
