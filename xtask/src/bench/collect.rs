//! `bench collect`: what a durable form post costs.
//!
//! CPU time a request is the figure that can be compared between machines and
//! days: requests a second and latency follow the disk, so the disk is measured
//! beside them.

mod disk;
mod load;
mod process;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::Format;
use crate::bench::collect::load::Load;
use crate::bench::collect::process::{Memory, Usage};
use crate::demo::collector::listening_address;
use crate::progress::step;
use crate::setup::{Need, setup};
use crate::tools::{Workspace, find_program, run};
use crate::{server, tracker};

/// What `cargo xtask bench collect` can be told.
#[derive(Args)]
pub struct Options {
    /// Connections that post at the same time, one run each
    #[arg(long, value_delimiter = ',', default_values_t = [16, 64, 256])]
    connections: Vec<u32>,
    /// Seconds of a run
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Where the collector writes; decides which disk is measured [default: in the target folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

struct Report {
    ready: Duration,
    rss_idle_kib: u64,
    rss_peak_kib: u64,
    runs: Vec<Run>,
    /// nginx answering the same posts without doing anything: the floor.
    nginx: Option<Run>,
}

struct Run {
    load: Load,
    cpu_us_per_request: f64,
    fdatasync: disk::Latency,
}

/// A server that takes posts, and how to post to it.
struct Course<'a> {
    pid: u32,
    address: SocketAddr,
    script: &'a Path,
    folder: &'a Path,
    seconds: u32,
}

/// Builds a release, puts load on it and prints what it took.
///
/// # Errors
/// When something does not build or start, or when what was stored does not pass `logdig check`.
pub fn collect(workspace: &Workspace, options: &Options) -> Result<()> {
    setup(workspace, &[Need::Build, Need::Bench])?;
    tracker::build(workspace)?;
    let logdig = server::build(workspace, true)?;
    let folder = options.data.clone().unwrap_or_else(|| workspace.target.join("xtask")).join("bench-collect");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let report = measure(&logdig, &folder, options)?;
    match options.format {
        Format::Json => println!("{}", report.to_json()),
        Format::Text => report.print(options.seconds),
    }
    fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))
}

fn measure(logdig: &Path, folder: &Path, options: &Options) -> Result<Report> {
    let data = folder.join("data");
    let script = load::write_script(folder)?;
    let mut add = Command::new(logdig);
    add.args(["service", "add", "bench", "--origin=https://shop.example", "--token", load::TOKEN]);
    run(add.arg("--data").arg(&data).stdout(Stdio::null()))?;
    let started = Instant::now();
    let (mut collector, address) = start(logdig, &data)?;
    let ready = started.elapsed();
    let course = Course { pid: collector.id(), address, script: &script, folder, seconds: options.seconds };
    let measured = measure_collector(&course, &options.connections);
    stop(&mut collector)?;
    let (idle, runs, after) = measured?;
    step("bench: check what was stored");
    run(Command::new(logdig).arg("check").arg(&data).stdout(Stdio::null()))?;
    let nginx = measure_nginx(folder, &script, options)?;
    Ok(Report { ready, rss_idle_kib: idle.now_kib, rss_peak_kib: after.peak_kib, runs, nginx })
}

fn measure_collector(course: &Course<'_>, connections: &[u32]) -> Result<(Memory, Vec<Run>, Memory)> {
    let idle = process::memory(course.pid)?;
    let mut runs = Vec::new();
    for &connections in connections {
        step(&format!("bench: {connections} connections"));
        runs.push(course.run(connections)?);
    }
    Ok((idle, runs, process::memory(course.pid)?))
}

fn start(logdig: &Path, data: &Path) -> Result<(Child, SocketAddr)> {
    let mut command = Command::new(logdig);
    command.args(["serve", "--listen=127.0.0.1:0", "--log=warn", "--data"]).arg(data).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {}", logdig.display()))?;
    let Some(address) = child.stdout.take().and_then(listening_address) else {
        child.kill().ok(); // It may have ended already.
        bail!("the collector did not start ({})", child.wait()?);
    };
    Ok((child, address))
}

fn stop(child: &mut Child) -> Result<()> {
    kill_process(Pid::from_child(child), Signal::TERM).context("stopping the server")?;
    let status = child.wait()?;
    if !status.success() {
        bail!("the server did not end well ({status})");
    }
    Ok(())
}

fn measure_nginx(folder: &Path, script: &Path, options: &Options) -> Result<Option<Run>> {
    let (Some(nginx), Some(&connections)) = (find_program(&["nginx"]), options.connections.last()) else {
        return Ok(None);
    };
    step(&format!("bench: nginx, {connections} connections"));
    let (mut nginx, address) = load::start_nginx(&nginx, folder)?;
    let run = Course { pid: nginx.id(), address, script, folder, seconds: options.seconds }.run(connections);
    stop(&mut nginx)?;
    run.map(Some)
}

impl Course<'_> {
    fn run(&self, connections: u32) -> Result<Run> {
        let fdatasync = disk::fdatasync_latency(self.folder)?;
        let before = Usage::of(self.pid)?;
        let load = load::run(self.address, self.script, connections, self.seconds)?;
        let cpu = Usage::of(self.pid)?.since(&before);
        Ok(Run { cpu_us_per_request: cpu.as_secs_f64() * 1e6 / load.requests as f64, load, fdatasync })
    }
}

impl Report {
    fn print(&self, seconds: u32) {
        println!("\ndurable form posts: a release build under wrk, {seconds} s each\n");
        println!(
            "{:>11}{:>12}{:>9}{:>10}{:>10}{:>9}   fdatasync p50, p99 ms",
            "connections", "requests/s", "CPU µs", "p50 ms", "p99 ms", "not 2xx"
        );
        self.runs.iter().for_each(Run::print);
        if let Some(nginx) = &self.nginx {
            println!("\nnginx, `return 204`, nothing stored:");
            nginx.print();
        }
        let mib = |kib: u64| kib as f64 / 1024.0;
        let ready_ms = self.ready.as_secs_f64() * 1e3;
        println!(
            "\nready after {ready_ms:.0} ms; memory {:.1} MiB idle, {:.1} MiB at most",
            mib(self.rss_idle_kib),
            mib(self.rss_peak_kib)
        );
    }

    fn to_json(&self) -> Value {
        json!({
            "runs": self.runs.iter().map(Run::to_json).collect::<Vec<_>>(),
            "nginx": self.nginx.as_ref().map(Run::to_json),
            "ready_ms": self.ready.as_secs_f64() * 1e3,
            "rss_idle_kib": self.rss_idle_kib,
            "rss_peak_kib": self.rss_peak_kib,
        })
    }
}

impl Run {
    fn print(&self) {
        let Load { connections, requests_per_s, p50_ms, p99_ms, not_2xx, .. } = self.load;
        println!(
            "{connections:>11}{requests_per_s:>12.0}{:>9.1}{p50_ms:>10.2}{p99_ms:>10.2}{not_2xx:>9}   {:.2}, {:.2}",
            self.cpu_us_per_request, self.fdatasync.p50_ms, self.fdatasync.p99_ms
        );
    }

    fn to_json(&self) -> Value {
        let Load { connections, requests, requests_per_s, p50_ms, p99_ms, not_2xx } = self.load;
        json!({
            "connections": connections, "requests": requests, "requests_per_s": requests_per_s,
            "cpu_us_per_request": self.cpu_us_per_request, "p50_ms": p50_ms, "p99_ms": p99_ms, "not_2xx": not_2xx,
            "fdatasync_p50_ms": self.fdatasync.p50_ms, "fdatasync_p99_ms": self.fdatasync.p99_ms,
        })
    }
}
