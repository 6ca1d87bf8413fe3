//! versitygw: an S3 over a folder, which checks signatures and checksums.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::parts;
use crate::progress::step;
use crate::tools::{find_program, run, try_output};

const VERSION: &str = "1.8.0";

/// Builds it, if it is not there in this version.
///
/// # Errors
/// When there is no Go, or it cannot build.
pub fn install() -> Result<()> {
    // The version is in the path, so a new one does not meet the old one.
    let folder = parts::folder()?.join(format!("versitygw-{VERSION}"));
    if try_output(Command::new(folder.join("versitygw")).arg("--version")).is_some() {
        return Ok(());
    }
    if find_program(&["go"]).is_none() {
        bail!("no Go: it builds versitygw, the S3 that the tests store into. Install Go: https://go.dev/dl");
    }
    step(&format!("setup: versitygw {VERSION} (go install)"));
    let package = format!("github.com/versity/versitygw/cmd/versitygw@v{VERSION}");
    run(Command::new("go").env("GOBIN", &folder).args(["install", &package]))
        .with_context(|| format!("install by hand: GOBIN={} go install {package}", folder.display()))
}
