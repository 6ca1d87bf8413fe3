//! The `logdig` program.

use std::path::PathBuf;

use anyhow::Result;

use crate::progress::step;
use crate::tools::{Workspace, run};

/// Builds `logdig` and says where it is. The packed tracker goes into it, so build that first.
///
/// # Errors
/// When it does not compile.
pub fn build(workspace: &Workspace, release: bool) -> Result<PathBuf> {
    step("server: compile");
    let mut cargo = workspace.cargo("build");
    if release {
        run(cargo.args(["--package=logdig", "--bin=logdig", "--release"]))?;
        return Ok(workspace.target.join("release/logdig"));
    }
    // `--workspace`: with the features that `cargo test` will want, so that nothing is compiled twice.
    run(cargo.args(["--workspace", "--bin=logdig"]))?;
    Ok(workspace.target.join("debug/logdig"))
}
