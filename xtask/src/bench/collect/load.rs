//! Load from wrk, and nginx as something to compare with.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::tools::output;

/// The token in `post.lua`.
pub const TOKEN: &str = "VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ";

const POST: &str = include_str!("post.lua");
const NGINX_READY_MAX: Duration = Duration::from_secs(5);

/// What wrk saw.
pub struct Load {
    /// Connections that posted at the same time.
    pub connections: u32,
    /// Answers that came.
    pub requests: u64,
    /// Answers a second.
    pub requests_per_s: f64,
    /// Half of the answers came within this time, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 did.
    pub p99_ms: f64,
    /// Answers that were a refusal.
    pub not_2xx: u64,
}

/// Puts the script for [`run`] into `folder`.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_script(folder: &Path) -> Result<PathBuf> {
    let script = folder.join("post.lua");
    fs::write(&script, POST).with_context(|| format!("writing {}", script.display()))?;
    Ok(script)
}

/// Posts as fast as the other side answers.
///
/// # Errors
/// When wrk fails, connections break or nothing is answered.
pub fn run(address: SocketAddr, script: &Path, connections: u32, seconds: u32) -> Result<Load> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads=1", &format!("--connections={connections}"), &format!("--duration={seconds}s")]);
    let printed = output(wrk.arg("--script").arg(script).arg(format!("http://{address}/")))?;
    let last = printed.trim_end().lines().last().unwrap_or_default();
    let seen: Value = serde_json::from_str(last).with_context(|| format!("reading what wrk printed: {printed}"))?;
    let number = |of: &str| seen[of].as_u64().with_context(|| format!("wrk printed no {of}"));
    let (requests, broken) = (number("requests")?, number("broken")?);
    if requests == 0 || broken > 0 {
        bail!("{requests} answers, {broken} broken connections at {connections} connections");
    }
    Ok(Load {
        connections,
        requests,
        requests_per_s: requests as f64 * 1e6 / number("duration_us")? as f64,
        p50_ms: number("p50_us")? as f64 / 1e3,
        p99_ms: number("p99_us")? as f64 / 1e3,
        not_2xx: number("not_2xx")?,
    })
}

/// An nginx, one process, that answers 204 and stores nothing.
///
/// # Errors
/// When it does not come up.
pub fn start_nginx(nginx: &Path, folder: &Path) -> Result<(Child, SocketAddr)> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr())?;
    let config = folder.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
         events {{ worker_connections 2048; }}
         http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/nginx-body;
                 server {{ listen {address}; location / {{ return 204; }} }} }}",
        folder = folder.display()
    );
    fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
    let mut child =
        Command::new(nginx).arg("-p").arg(folder).arg("-c").arg(&config).spawn().context("starting nginx")?;
    let until = Instant::now() + NGINX_READY_MAX;
    while TcpStream::connect(address).is_err() {
        if Instant::now() > until || child.try_wait()?.is_some() {
            child.kill().ok(); // It may have ended already.
            bail!("nginx did not start ({})", child.wait()?);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok((child, address))
}
