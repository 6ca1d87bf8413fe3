//! `bench sqs`: what the queue on SQS takes, and what AWS would bill for it.

use anyhow::Result;
use clap::Args;

use crate::setup::{Need, parts, setup};
use crate::tools::{Workspace, run};

/// What `cargo xtask bench sqs` can be told.
#[derive(Args)]
pub struct Options {
    /// Logs that wait in the queue when the batcher begins
    #[arg(long, default_value_t = 1_000_000)]
    logs: u64,
}

/// Runs `tests/examples/sqs_bench.rs`, which says what it measures.
///
/// # Errors
/// When it does not build, or ElasticMQ is not to be had.
pub fn sqs(workspace: &Workspace, options: &Options) -> Result<()> {
    setup(workspace, &[Need::Build, Need::Cloud])?;
    let mut bench = workspace.cargo("run");
    bench.args(["--release", "--package=logdig-tests", "--example=sqs_bench", "--", &options.logs.to_string()]);
    run(bench.env("LOGDIG_PARTS", parts::folder()?))
}
