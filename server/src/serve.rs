//! `logdig serve`: puts the parts together, runs them, and takes them apart again.
//!
//! The order matters at the end: no new connections, then no running requests, then no open batch, then no batch that
//! is not stored. Whatever is cut short is durable in the spool, and the next start goes on with it.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use logdig_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::clock;
use crate::config::{DataConfig, HttpConfig, QueueConfig, SealConfig, StoreConfig};
use crate::daily_key::{FileSalts, Salts, forget_in_time};
use crate::data_dir::DataDir;
use crate::http::{App, BodyBounds, ClientAddress, Collector, Demo, Tracker, listen};
use crate::outcome::Metrics;
use crate::queue::Queue;
use crate::services::ServicesFile;
use crate::storage::Storage;
use crate::tags::Tag;

mod queue;

use queue::Opened;

/// The system's number for "this file would grow past the limit"; the same on Linux, macOS and the BSDs.
const SIGXFSZ: i32 = 25;

/// A rename takes milliseconds, an upload of a full file seconds. What needs longer is in trouble.
const LAST_BATCHES_WAIT: Duration = Duration::from_secs(10);

/// Collects until it is told to end.
///
/// # Errors
///
/// When it can't begin: the folder is in use or not writable, the address is taken, a file is broken.
pub async fn serve(
    data: &DataConfig,
    queue: &QueueConfig,
    store: &StoreConfig,
    http: &HttpConfig,
    seal: &SealConfig,
) -> anyhow::Result<()> {
    survive_file_size_limit().context("listening for signals")?;
    let dir = DataDir::open(&data.dir)?;
    let storage = Storage::open(dir.root(), store).await?;
    let services = Arc::new(storage.open_services(dir.root()).await?);
    let Opened { queue, moves_on } = queue::open(queue, &dir, seal.rule(), &storage).await?;
    let salts: Arc<dyn Salts> = Arc::new(FileSalts::new(storage.salt));
    let store = storage.store;
    let parts = Parts { queue: queue.clone(), services: services.clone(), store, salts: salts.clone() };
    let app = Arc::new(app(http, parts)?);
    let listener = bind(&http.listen).await?;
    // Until here a signal just ends the process, as a crash would.
    let stop = Stop::new().context("listening for signals")?;
    if let Err(error) = announce(listener.local_addr()?, &services) {
        // Whoever started us may have closed our output; logs are taken all the same.
        warn!(%error, "could not print the address");
    }

    let watch = tokio::spawn(services.watch());
    let forget = tokio::spawn(forget_in_time(salts, clock::system_clock()));
    listen::listen(listener, Collector::new(app.clone()), http, stop.requested(&app.is_shutting_down)).await;
    queue.finish().await;
    store_last(moves_on).await?;
    watch.abort();
    forget.abort();
    info!("ended in good order");
    Ok(())
}

/// A store that fails must not hold up the end for ever: what it did not take is durable, and the next start offers it.
async fn store_last(batches: JoinHandle<()>) -> anyhow::Result<()> {
    match tokio::time::timeout(LAST_BATCHES_WAIT, batches).await {
        Ok(ended) => ended.context("storing the last batches"),
        Err(_) => {
            warn!("some batches are not stored yet; the next start goes on with them");
            Ok(())
        }
    }
}

/// What the collector keeps in its folder.
struct Parts {
    queue: Arc<dyn Queue>,
    services: Arc<ServicesFile>,
    store: Arc<dyn Store>,
    salts: Arc<dyn Salts>,
}

fn app(http: &HttpConfig, parts: Parts) -> anyhow::Result<App> {
    let n_proxies = usize::try_from(http.proxies).unwrap_or(usize::MAX);
    Ok(App {
        queue: parts.queue,
        services: parts.services,
        salts: parts.salts,
        client_address: ClientAddress::new(http.client_address_header.clone(), n_proxies),
        metrics: Arc::new(Metrics::default()),
        clock: clock::system_clock(),
        body_bounds: BodyBounds { timeout: http.body_timeout, in_flight_bytes_max: http.in_flight_bytes_max },
        tracker: tracker(http.tracker.as_deref())?,
        script_name: http.script_name.clone(),
        demo: http.demo.then(|| Demo::new(parts.store)),
        is_shutting_down: AtomicBool::new(false),
    })
}

fn tracker(file: Option<&Path>) -> anyhow::Result<Tracker> {
    match file {
        Some(path) => Tracker::from_file(path).with_context(|| format!("reading the tracker `{}`", path.display())),
        None => Ok(Tracker::embedded()),
    }
}

async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| format!("listening on `{listen}`"))
}

/// The first line is for programs, the rest for people.
fn announce(address: SocketAddr, services: &ServicesFile) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    let services = services.current();
    if let Some((service, token)) = services.list().iter().find_map(|s| Some((s, s.tokens.first()?))) {
        let tag = Tag::new(&format!("http://{}", local(address)), token).html();
        writeln!(out, "\nPut this into the pages of `{}`:\n\n  {tag}\n", service.name)?;
    }
    // A program that reads the address waits for it.
    out.flush()
}

/// An address that a browser on this machine can open: "every address" is none.
fn local(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => (),
    }
    address
}

/// By default a file size limit kills; with a handler, which stays installed, the write fails, as on a full disk.
fn survive_file_size_limit() -> io::Result<()> {
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

/// The signals that end the process.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first signal. From then on, another one ends the process on the spot.
    async fn requested(mut self, is_shutting_down: &AtomicBool) {
        self.next().await;
        is_shutting_down.store(true, Relaxed);
        info!("shutting down; another signal ends at once");
        tokio::spawn(async move {
            let signal = self.next().await;
            // What shells say of a program that a signal ended.
            std::process::exit(128 + signal)
        });
    }

    /// The number of the next signal.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}
