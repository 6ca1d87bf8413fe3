//! `bench tracker`: what the tracker costs a page.
//!
//! The programs in xtask/npm/bench measure in a real browser and print what they saw, one JSON object a line. What to
//! make of it is decided here.

mod report;
mod soak;
mod statistics;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::Format;
use crate::bench::tracker::report::Report;
use crate::bench::tracker::soak::Soak;
use crate::progress::step;
use crate::setup::{BROWSERS, Need, setup};
use crate::tools::{Workspace, find_program};
use crate::tracker;

/// What `cargo xtask bench tracker` can be told.
#[derive(Args)]
pub struct Options {
    /// Visits to each tracker's page, in turns: a load and 25 clicks
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Keep one page busy for so many minutes instead, and say whether its memory stays flat
    #[arg(long, value_name = "MINUTES", conflicts_with = "rounds", value_parser = clap::value_parser!(u32).range(4..))]
    soak: Option<u32>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Builds the tracker, measures it in a browser and prints the result.
///
/// # Errors
/// When something does not build, is not to be had from npm, or breaks in the browser.
pub fn tracker(workspace: &Workspace, options: &Options) -> Result<()> {
    setup(workspace, &[Need::Build, Need::Browser])?;
    tracker::build(workspace)?;
    if let Some(minutes) = options.soak {
        let mut soak = Soak::default();
        measure(workspace, "soak.mjs", minutes, |record| soak.take(record, options.format))?;
        return soak.print(options.format);
    }
    let mut report = Report::default();
    measure(workspace, "bench.mjs", options.rounds, |record| report.take(record))?;
    match options.format {
        Format::Json => println!("{}", report.to_json()?),
        Format::Text => report.print(options.rounds)?,
    }
    Ok(())
}

/// Runs one of the programs; `take` is handed what it prints, but for what only says how far it is.
fn measure(
    workspace: &Workspace,
    program: &str,
    amount: u32,
    mut take: impl FnMut(&Value) -> Result<()>,
) -> Result<()> {
    let mut child = command(workspace, program, amount)?.spawn().context("starting node")?;
    let lines = BufReader::new(child.stdout.take().context("node has no stdout")?).lines();
    for line in lines {
        let line = line.with_context(|| format!("reading what {program} prints"))?;
        let record = serde_json::from_str(&line).with_context(|| format!("{program} printed: {line}"))?;
        match text(&record, "kind")? {
            "step" => step(&format!("bench: {}", text(&record, "text")?)),
            _ => take(&record)?,
        }
    }
    let status = child.wait().context("waiting for node")?;
    if !status.success() {
        bail!("{program} failed ({status})");
    }
    Ok(())
}

fn command(workspace: &Workspace, program: &str, amount: u32) -> Result<Command> {
    let chromium = find_program(&BROWSERS).context("no Chromium in PATH")?;
    let work = work_folder(workspace)?;
    let mut node = Command::new("node");
    node.arg(workspace.npm().join("bench").join(program)).arg(chromium).arg(tracker::dist(workspace)).arg(work);
    node.arg(amount.to_string()).stdout(Stdio::piped());
    Ok(node)
}

fn work_folder(workspace: &Workspace) -> Result<PathBuf> {
    let work = workspace.target.join("xtask/bench-tracker");
    fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
    Ok(work)
}

fn text<'a>(record: &'a Value, name: &str) -> Result<&'a str> {
    record[name].as_str().with_context(|| format!("no text `{name}` in {record}"))
}

fn number(record: &Value, name: &str) -> Result<f64> {
    record[name].as_f64().with_context(|| format!("no number `{name}` in {record}"))
}
