//! All tests, with what they need built first.

use anyhow::Result;

use crate::progress::step;
use crate::setup::{Need, parts, setup};
use crate::tools::{Workspace, run};
use crate::{npm, server, site, size, tracker};

/// Builds everything, checks the size of the tracker and runs `cargo test`.
///
/// `arguments` go to cargo test; with a `-p` among them only those packages are tested.
///
/// # Errors
/// When something does not build, is too large or a test fails.
pub fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup(workspace, &[Need::Build, Need::Browser, Need::Cloud])?;
    let packed = tracker::build(workspace)?;
    size::check_budgets(&packed)?;
    site::build(workspace, false)?;
    let logdig = server::build(workspace, false)?;
    let tarball = npm::build(workspace, &packed)?;
    if wants_npm(arguments) {
        npm::projects::install(workspace, &tarball)?;
    }
    step("test");
    let mut cargo = workspace.cargo("test");
    if !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
        cargo.arg("--workspace");
    }
    // What the tests of the whole lean on: they test these very files.
    cargo.env("LOGDIG_BIN", logdig);
    cargo.env("LOGDIG_TRACKER_JS", tracker::dist_file(workspace));
    cargo.env("LOGDIG_SITE_DIST", site::dist(workspace));
    cargo.env("LOGDIG_PARTS", parts::folder()?);
    cargo.env("LOGDIG_NPM_TARBALL", tarball);
    cargo.env("LOGDIG_NPM_PROJECTS", npm::projects::folder(workspace));
    run(cargo.args(arguments))?;
    step("all tests passed");
    Ok(())
}

/// Whether the test of the npm package is among those that `arguments` ask for: what it needs is large.
fn wants_npm(arguments: &[String]) -> bool {
    let values = |short: &str, long: &str| -> Vec<&String> {
        arguments.windows(2).filter(|pair| [short, long].contains(&pair[0].as_str())).map(|pair| &pair[1]).collect()
    };
    let (packages, tests) = (values("-p", "--package"), values("--test", "--test"));
    let is_any = |names: &[&String], name: &str| names.is_empty() || names.iter().any(|one| *one == name);
    is_any(&packages, "logdig-tests") && is_any(&tests, "npm") && !arguments.iter().any(|one| one == "--lib")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_may_test_the_package_wait_for_it() {
        let wants = |line: &str| wants_npm(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        for line in ["", "-p logdig-tests", "-p logdig-tests --test npm", "--test npm", "-p logdig -p logdig-tests"] {
            assert!(wants(line), "{line}");
        }
        for line in ["-p logdig-shared", "-p logdig-tests --test cors", "--lib"] {
            assert!(!wants(line), "{line}");
        }
    }
}
