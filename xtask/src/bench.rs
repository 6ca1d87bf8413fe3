//! `bench`: what our programs take, as numbers.

mod collect;
mod sqs;
mod tracker;

use anyhow::Result;
use clap::Subcommand;

use crate::tools::Workspace;

/// What can be measured.
#[derive(Subcommand)]
pub enum Bench {
    /// Form posts, each durable before it is answered, from wrk
    Collect(collect::Options),
    /// The queue on SQS, both ends of it: speed, memory, and what AWS would bill
    Sqs(sqs::Options),
    /// What the tracker costs a page, beside Umami, Plausible, Clarity and PostHog
    ///
    /// Brings those from npm, in the versions of xtask/npm/bench/peers.json, and puts each on the same page in a
    /// headless Chromium. CPU times are those of the page's main thread, so other programs count little.
    Tracker(tracker::Options),
}

/// # Errors
/// When something does not build, start or answer.
pub fn bench(workspace: &Workspace, what: &Bench) -> Result<()> {
    match what {
        Bench::Collect(options) => collect::collect(workspace, options),
        Bench::Sqs(options) => sqs::sqs(workspace, options),
        Bench::Tracker(options) => tracker::tracker(workspace, options),
    }
}
