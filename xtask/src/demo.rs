//! The whole of LogDig on this machine, to click around in.
//!
//! Two origins, as in real life: the collector, a child process, and beside it
//! the demo site, served from here like a customer's website.

pub mod collector;
mod site_server;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::demo::collector::Collector;
use crate::demo::site_server::SiteServer;
use crate::progress::step;
use crate::setup::{Need, setup};
use crate::tools::Workspace;
use crate::{server, site, tracker};

const COLLECTOR_PORT: u16 = 8300;
const SITE_PORT: u16 = 8301;
/// How long it may take until we notice a signal or that the collector died.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What `cargo xtask demo` can be told.
#[derive(Args)]
pub struct Options {
    /// Folder of the collector [default: logdig-data/demo in the workspace]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Port of the collector [default: 8300, or a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Port of the demo site [default: 8301, or a free one]
    #[arg(long)]
    site_port: Option<u16>,
    /// Optimise the server and the demo site: a longer build
    #[arg(long)]
    release: bool,
}

/// Builds everything, starts it, and waits for Ctrl-C.
///
/// # Errors
/// When something does not build or start, or when the collector dies by itself.
pub fn demo(workspace: &Workspace, options: Options) -> Result<()> {
    setup(workspace, &[Need::Build])?;
    tracker::build(workspace)?;
    let program = server::build(workspace, options.release)?;
    site::build(workspace, options.release)?;
    step("start");
    let stop = stop_on_signals()?;
    let data = options.data.unwrap_or_else(|| workspace.root.join("logdig-data/demo"));
    let address = loopback(options.port.unwrap_or_else(|| free_or_any(COLLECTOR_PORT)));
    let collector = Arc::new(Collector::start(program.clone(), data.clone(), address)?);
    let site_address = loopback(options.site_port.unwrap_or_else(|| free_or_any(SITE_PORT)));
    let outcome = SiteServer::start(site_address, site::dist(workspace), Arc::clone(&collector)).and_then(|site| {
        print_welcome(&site, &collector, &program, &data);
        wait(&stop, &collector)
    });
    if collector.pid().is_some() {
        eprintln!("\nstopping: the collector seals what it has");
    }
    collector.stop(&stop)?;
    outcome
}

/// Becomes true at Ctrl-C and at SIGTERM.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop)).context("listening for Ctrl-C")?;
    }
    Ok(stop)
}

fn wait(stop: &AtomicBool, collector: &Collector) -> Result<()> {
    while !stop.swap(false, Ordering::Relaxed) {
        if let Some(death) = collector.death()? {
            bail!("the collector ended by itself: {death}");
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The port where nobody listens on it, else 0: any.
fn free_or_any(port: u16) -> u16 {
    TcpListener::bind(loopback(port)).map_or(0, |_| port)
}

fn print_welcome(site: &SiteServer, collector: &Collector, program: &Path, data: &Path) {
    let site = site.address();
    let collector = collector.address();
    let (program, data) = (program.display(), data.display());
    println!(
        "
  LogDig demo

    shop        http://{site}/    open this and click around
    collector   http://{collector}/    where the tracker sends its logs
    files       {data}/store

  The panel beside the shop follows every click until it is a line in a file YYYY-MM-DD/<sha256>.
  Here files are sealed after 5 seconds, however few logs there are; else after 5 minutes and 100 logs.
  Try: switch the server off in the panel, click on, switch it on again. Nothing is lost, nothing doubled.
  Check the files: {program} check {data}

  Ctrl-C ends it.
"
    );
}
