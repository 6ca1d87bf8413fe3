//! Every check that CI makes.

mod arrows;
mod documents;

use anyhow::Result;
use clap::Command as CommandLine;

use crate::progress::step;
use crate::setup::{Need, setup};
use crate::test::test;
use crate::tools::{Workspace, run};
use crate::{site, tracker};

/// Runs the checks, then, unless told not to, the tests.
///
/// # Errors
/// At the first check that fails.
pub fn ci(workspace: &Workspace, checks_only: bool, command_line: &CommandLine) -> Result<()> {
    setup(workspace, &[Need::Build])?;
    step("ci: commands that the documents name");
    documents::check(workspace, command_line)?;
    step("ci: which crate leans on which");
    arrows::check(workspace)?;
    step("ci: format");
    run(workspace.cargo("fmt").args(["--all", "--check"]))?;
    lint(workspace)?;
    document(workspace)?;
    if checks_only { Ok(()) } else { test(workspace, &[]) }
}

/// Each crate is linted for the machine that it runs on; the two wasm crates also for this one, as tests see them.
fn lint(workspace: &Workspace) -> Result<()> {
    step("ci: lints");
    clippy(workspace, &["--workspace", "--all-targets", "--features=xtask/bindgen"])?;
    clippy(workspace, &["--package=logdig-tracker", "--target", tracker::TARGET])?;
    clippy(workspace, &["--package=logdig-demo-site", "--target", site::TARGET])
}

fn clippy(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    run(workspace.cargo("clippy").args(arguments).args(["--", "-D", "warnings"]))
}

/// Docs of a crate are those for the machine that it runs on: its modules for the browser are only there.
fn document(workspace: &Workspace) -> Result<()> {
    step("ci: docs");
    doc(workspace, &["--workspace", "--exclude=logdig-tracker", "--exclude=logdig-demo-site"])?;
    doc(workspace, &["--package=logdig-tracker", "--target", tracker::TARGET])?;
    doc(workspace, &["--package=logdig-demo-site", "--target", site::TARGET])
}

fn doc(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    run(workspace.cargo("doc").arg("--no-deps").args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
}
