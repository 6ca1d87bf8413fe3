//! `logdig batch`: writes what is in a queue to files.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use logdig_store::Store;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{Format, plural};
use crate::batch::{DrainLimits, Drained, drain};
use crate::clock;
use crate::config::{DataConfig, DrainConfig, LogConfig, SealConfig, StoreConfig, log};
use crate::queue::sqs::{self, Receiver, ReceiverOptions};
use crate::storage::Storage;

/// How often the line on a terminal changes, and how soon a signal is noticed between two looks into the queue.
const TICK: Duration = Duration::from_millis(200);

/// What to empty into what.
#[derive(clap::Args, Debug)]
#[command(after_help = super::SETTINGS)]
pub struct BatchArgs {
    /// Empty the queue once, then end
    #[arg(long, conflicts_with = "watch", required_unless_present = "watch")]
    once: bool,

    /// Go on for ever: look into the queue --every so often
    #[arg(long)]
    watch: bool,

    /// How to report what was done
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    queue: DrainConfig,
    #[command(flatten)]
    store: StoreConfig,
    #[command(flatten)]
    data: DataConfig,
    #[command(flatten, next_help_heading = "Files")]
    seal: SealConfig,
    #[command(flatten, next_help_heading = "Messages")]
    log: LogConfig,
}

/// What one go through the queue did, for programs.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    drained: Drained,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl BatchArgs {
    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// When it can't begin.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        log::init(&self.log);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.drain())
    }

    async fn drain(&self) -> anyhow::Result<ExitCode> {
        let store = self.store().await?;
        let url = &self.queue.queue.0;
        let receiver = Receiver::open(&sqs::config(url).await, self.options()?).await;
        let receiver = Arc::new(receiver.with_context(|| format!("opening the queue {url}"))?);
        let limits = DrainLimits { stop: stop_on_signal().context("listening for signals")?, ..DrainLimits::default() };
        loop {
            let is_good = self.go_through(&receiver, &*store, &limits).await;
            if self.once {
                return Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            wait(self.queue.every, &limits.stop).await;
            if limits.stop.load(Relaxed) {
                info!("ended in good order");
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let dir = &self.data.dir;
        std::fs::create_dir_all(dir).with_context(|| format!("making the folder `{}`", dir.display()))?;
        Ok(Storage::open(dir, &self.store).await?.store)
    }

    fn options(&self) -> anyhow::Result<ReceiverOptions> {
        let scratch = self.data.dir.join("batch");
        std::fs::create_dir_all(&scratch).with_context(|| format!("making the folder `{}`", scratch.display()))?;
        Ok(ReceiverOptions {
            queue_url: self.queue.queue.0.clone(),
            dead_letter_queue_url: self.queue.dead_letter_queue.clone(),
            rule: self.seal.rule(),
            clock: clock::system_clock(),
            hold: self.queue.hold,
            scratch,
        })
    }

    /// Once through the queue, told as it was asked for; whether all went well.
    async fn go_through(&self, receiver: &Arc<Receiver>, store: &dyn Store, limits: &DrainLimits) -> bool {
        let progress = self.once.then(|| show_progress(receiver.clone())).flatten();
        let mut drained = Drained::default();
        let done = drain(receiver, store, limits, &mut drained).await;
        if let Some(progress) = progress {
            progress.abort();
            eprint!("\r\x1b[K");
        }
        let error = done.err().map(|error| error.to_string());
        let is_good = error.is_none();
        self.tell(&Report { drained, error });
        is_good
    }

    fn tell(&self, report: &Report) {
        if let Some(error) = &report.error {
            warn!("not all is done: {error}");
        }
        let is_news = self.once || report.error.is_some() || report.drained.counts.n_files > 0;
        let text = match self.format {
            Format::Json => serde_json::to_string(report).expect("numbers and texts are JSON"),
            Format::Text if is_news => in_words(&report.drained),
            Format::Text => return,
        };
        let mut out = std::io::stdout().lock();
        // Whoever started us may have closed our output; the logs are stored all the same.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

fn in_words(drained: &Drained) -> String {
    let counts = &drained.counts;
    let mut text = format!("stored {} in {}", plural(counts.n_logs, "log"), plural(counts.n_files, "file"));
    let others = [
        (counts.n_logs_given_back, "log", "given back, too few and too new for a file"),
        (counts.n_messages_dead, "message", "moved to the dead-letter queue, unreadable"),
        (counts.n_messages_kept, "message", "left in the queue, unreadable"),
        (counts.n_messages_again, "message", "delivered twice"),
    ];
    for (n, noun, words) in others.into_iter().filter(|(n, ..)| *n > 0) {
        text.push_str(&format!("; {} {words}", plural(n, noun)));
    }
    text
}

/// A line that counts, where somebody looks.
fn show_progress(receiver: Arc<Receiver>) -> Option<JoinHandle<()>> {
    std::io::stderr().is_terminal().then(|| {
        tokio::spawn(async move {
            loop {
                eprint!("\r\x1b[K{} logs received", receiver.n_logs_received());
                tokio::time::sleep(TICK).await;
            }
        })
    })
}

/// Turns true at the first signal to end; a second one ends the process at once.
fn stop_on_signal() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut signals = [SignalKind::terminate(), SignalKind::interrupt()].into_iter().map(signal);
    let (mut terminate, mut interrupt) = (signals.next().expect("two")?, signals.next().expect("two")?);
    let turned = stop.clone();
    tokio::spawn(async move {
        loop {
            let number = tokio::select! {
                _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
                _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            };
            if turned.swap(true, Relaxed) {
                std::process::exit(128 + number);
            }
            info!("giving back what is too new for a file; another signal ends at once");
        }
    });
    Ok(stop)
}

async fn wait(time: Duration, stop: &AtomicBool) {
    let until = tokio::time::Instant::now() + time;
    while tokio::time::Instant::now() < until && !stop.load(Relaxed) {
        tokio::time::sleep(TICK.min(time)).await;
    }
}
