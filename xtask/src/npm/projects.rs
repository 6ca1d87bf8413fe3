//! The apps in `tests/npm`, with the package installed as their users would: `tests/tests/npm.rs` builds and opens them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::npm::npm_in;
use crate::progress::step;
use crate::tools::{Workspace, copy, run};

/// What of `tests/npm` is copied; a clone's own `node_modules` is not.
const FILES: [&str; 8] = [".npmrc", "package.json", "package-lock.json", "next", "plain", "types", "vite", "webpack"];

/// Where a copy of the apps lies, and the package beside them: in the target folder, so that the next clone on this
/// machine need not download everything again.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("xtask/npm-projects")
}

/// Copies the apps, installs what their lock file names, and the package.
///
/// # Errors
/// When npm cannot install.
pub fn install(workspace: &Workspace, tarball: &Path) -> Result<()> {
    let (from, to) = (workspace.root.join("tests/npm"), folder(workspace));
    let installed = to.join("node_modules/.package-lock.json");
    let lock = "package-lock.json";
    let is_installed = installed.exists() && fs::read(to.join(lock)).ok() == fs::read(from.join(lock)).ok();
    fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
    for name in FILES {
        copy(&from.join(name), &to.join(name)).with_context(|| format!("copying tests/npm/{name}"))?;
    }
    if !is_installed {
        step("npm: install Vite, webpack and Next.js for the tests");
        run(npm_in(&to).args(["ci", "--prefer-offline", "--loglevel=error"]))?;
    }
    step("npm: install the package into the apps");
    // Its dependencies are none: nothing need be asked of anybody.
    run(npm_in(&to).args(["install", "--no-save", "--offline", "--loglevel=error"]).arg(tarball))
}
