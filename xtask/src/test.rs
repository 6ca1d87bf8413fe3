//! All tests, with what they need built first.

use anyhow::Result;

use crate::progress::step;
use crate::setup::{Need, setup};
use crate::tools::{Workspace, run};
use crate::{server, site, size, tracker};

/// Builds everything, checks the size of the tracker and runs `cargo test`.
///
/// `arguments` go to cargo test; with a `-p` among them only those packages are tested.
///
/// # Errors
/// When something does not build, is too large or a test fails.
pub fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup(workspace, &[Need::Build, Need::Browser])?;
    size::check_budgets(&tracker::build(workspace)?)?;
    site::build(workspace, false)?;
    let logdig = server::build(workspace, false)?;
    step("test");
    let mut cargo = workspace.cargo("test");
    if !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
        cargo.arg("--workspace");
    }
    // What the tests of the whole lean on: they test these very files.
    cargo.env("LOGDIG_BIN", logdig);
    cargo.env("LOGDIG_TRACKER_JS", tracker::dist_file(workspace));
    cargo.env("LOGDIG_SITE_DIST", site::dist(workspace));
    run(cargo.args(arguments))?;
    step("all tests passed");
    Ok(())
}
