//! What the disk alone takes to make a write durable.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

const PROBE_FOR: Duration = Duration::from_secs(2);
/// About what a group commit of a dozen logs appends.
const BLOCK: [u8; 4096] = [b'x'; 4096];

/// How long `fdatasync` took after a small append.
pub struct Latency {
    /// Half of them were done by then, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 were.
    pub p99_ms: f64,
}

/// Appends and syncs for two seconds in `folder`.
///
/// # Errors
/// When the folder cannot be written to.
pub fn fdatasync_latency(folder: &Path) -> Result<Latency> {
    let path = folder.join("fdatasync-probe");
    let probe = || format!("probing the disk with {}", path.display());
    let mut file = File::create(&path).with_context(probe)?;
    let mut took = Vec::new();
    let until = Instant::now() + PROBE_FOR;
    while Instant::now() < until {
        file.write_all(&BLOCK).with_context(probe)?;
        let before = Instant::now();
        file.sync_data().with_context(probe)?;
        took.push(before.elapsed());
    }
    fs::remove_file(&path).with_context(probe)?;
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    Ok(Latency { p50_ms: at(50), p99_ms: at(99) })
}
