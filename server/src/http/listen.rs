//! The listener: takes connections within bounds, and lets them go in good order.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use super::{Collector, Peer};
use crate::config::HttpConfig;
use crate::outcome::Metrics;

/// Holds a request's head, and what of its body has come and not been read; so it bounds what a connection costs.
const CONNECTION_BYTES_MAX: usize = 64 * 1024;
/// When the system has no more files to give, trying at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Files that connections must leave to the spool and the store.
const FILES_KEPT: u64 = 64;
/// A peer that takes nothing of an answer for so long is gone.
#[cfg(target_os = "linux")]
const UNTAKEN_MS_MAX: u32 = 30_000;

/// Takes connections until `stop`, then lets running requests finish within the configured time.
pub async fn listen(listener: TcpListener, collector: Collector, config: &HttpConfig, stop: impl Future<Output = ()>) {
    let connections = Connections::new(collector, config);
    let mut stop = pin!(stop);
    loop {
        let next = connections.next(&listener);
        tokio::select! {
            biased;
            () = &mut stop => break,
            (stream, peer, permit) = next => connections.serve(stream, peer, permit),
        }
    }
    // From here on the system refuses connections.
    drop(listener);
    connections.finish(config.shutdown_timeout).await;
}

/// How many connections there may be: as many as wanted, or fewer where the system gives fewer files, for each counts as
/// one. Programs begin with a limit far below what they may ask for.
fn n_connections_max(wanted: u64) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let needed = wanted.saturating_add(FILES_KEPT);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            warn!(%error, "could not raise the limit of open files");
            limit = getrlimit(Resource::Nofile);
        }
    }
    let files = limit.current.map_or(wanted, |current| current.saturating_sub(FILES_KEPT));
    if files < wanted {
        warn!(connections_max = files, "the limit of open files allows fewer connections than --connections-max");
    }
    usize::try_from(files.clamp(1, wanted)).unwrap_or(Semaphore::MAX_PERMITS)
}

struct Connections {
    collector: Collector,
    http: http1::Builder,
    permits: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(collector: Collector, config: &HttpConfig) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(config.idle_timeout)
            .max_buf_size(CONNECTION_BYTES_MAX)
            // Answers are small: one copy costs less than handing the system two pieces.
            .writev(false)
            // A program may close its sending side and still wait for the answer.
            .half_close(true);
        let n_max = n_connections_max(config.connections_max);
        Self { collector, http, permits: Arc::new(Semaphore::new(n_max)), graceful: GracefulShutdown::new() }
    }

    /// Waits for room, then for a connection: while there is no room, more wait in the system's own queue.
    async fn next(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let permit = self.permits.clone().acquire_owned().await.expect("nobody closes it");
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, permit),
                Err(error) if is_about_one_connection(&error) => debug!(%error, "a connection ended before it began"),
                Err(error) => {
                    warn!(%error, "could not take a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        if let Err(error) = tune(&stream) {
            debug!(%error, "could not tune a connection");
        }
        let collector = self.collector.clone();
        let open = Open::count(collector.metrics(), permit);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            let collector = collector.clone();
            async move { Ok::<_, std::convert::Infallible>(collector.answer(request).await) }
        });
        let connection = self.graceful.watch(self.http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _open = open;
            if let Err(error) = connection.await {
                debug!(%error, "a connection broke off");
            }
        });
    }

    async fn finish(self, timeout: Duration) {
        if tokio::time::timeout(timeout, self.graceful.shutdown()).await.is_err() {
            warn!("some requests had not ended in time");
        }
    }
}

/// An answer is one small packet: it goes out at once.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(stream, UNTAKEN_MS_MAX)?;
    Ok(())
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// A connection, counted for as long as it is open.
struct Open {
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn count(metrics: Arc<Metrics>, permit: OwnedSemaphorePermit) -> Self {
        metrics.connections.fetch_add(1, Relaxed);
        Self { metrics, _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.connections.fetch_sub(1, Relaxed);
    }
}
