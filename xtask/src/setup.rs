//! Brings what the machine lacks, and names what it cannot bring.
//!
//! Every check looks at the thing itself, and is quick: all of them together
//! take less than a second when nothing is missing.

mod elasticmq;
pub mod parts;
mod versitygw;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;
use serde_json::Value;

use crate::progress::step;
use crate::tools::{Workspace, find_program, run, try_output};
use crate::{site, tracker};

const NODE_MAJOR_MIN: u32 = 20;
/// A browser that speaks the DevTools protocol, by the names it is installed under.
pub const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What a command needs beyond rustup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Building the tracker, the demo site and the server.
    Build,
    /// Tests in a real browser, and of system calls.
    Browser,
    /// Tests against stand-ins for AWS.
    Cloud,
    /// Load for `bench`.
    Bench,
}

/// A program that a Debian package brings.
struct Packaged {
    need: Need,
    /// Any of these will do.
    programs: &'static [&'static str],
    package: &'static str,
}

const PACKAGED: [Packaged; 4] = [
    Packaged { need: Need::Browser, programs: &BROWSERS, package: "chromium" },
    Packaged { need: Need::Browser, programs: &["chromedriver"], package: "chromium-driver" },
    Packaged { need: Need::Browser, programs: &["strace"], package: "strace" },
    Packaged { need: Need::Bench, programs: &["wrk"], package: "wrk" },
];

/// Makes sure that all of `needs` is there.
///
/// # Errors
/// When something is missing that we could not install; the message says how to.
pub fn setup(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    if needs.contains(&Need::Build) {
        check_compiler()?;
        check_node()?;
        wasm_targets(workspace)?;
        npm_tools(&workspace.npm())?;
    }
    if needs.contains(&Need::Cloud) {
        versitygw::install()?;
        elasticmq::install()?;
    }
    packages(needs)
}

fn check_compiler() -> Result<()> {
    if find_program(&["cc", "gcc", "clang"]).is_none() {
        bail!("no C compiler: Rust links with it. On Debian and Ubuntu: apt-get install gcc libc6-dev");
    }
    Ok(())
}

fn check_node() -> Result<()> {
    let found = try_output(Command::new("node").arg("--version"));
    let major = found.as_deref().and_then(node_major);
    let Some(major) = major else {
        bail!("no Node: it packs the tracker. Install Node {NODE_MAJOR_MIN} or newer with npm: https://nodejs.org");
    };
    if major < NODE_MAJOR_MIN {
        bail!("Node {major} is too old: install Node {NODE_MAJOR_MIN} or newer: https://nodejs.org");
    }
    Ok(())
}

/// `v20.20.2` -> 20.
fn node_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn wasm_targets(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&str> =
        [tracker::TARGET, site::TARGET].into_iter().filter(|target| !has_target(workspace, target)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    step(&format!("setup: Rust for {}", missing.join(", ")));
    let mut rustup = Command::new("rustup");
    // In the workspace root, so that it is the toolchain of rust-toolchain.toml that gets them.
    rustup.current_dir(&workspace.root).args(["target", "add"]).args(&missing);
    run(&mut rustup).with_context(|| format!("install by hand: rustup target add {}", missing.join(" ")))
}

/// A target is there when its `core` is.
fn has_target(workspace: &Workspace, target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(&workspace.root).args(["--print=target-libdir", "--target", target]);
    let Some(libraries) = try_output(&mut rustc).and_then(|dir| fs::read_dir(dir.trim()).ok()) else { return false };
    libraries.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

fn npm_tools(npm: &Path) -> Result<()> {
    if npm_tools_match(npm)? {
        return Ok(());
    }
    step("setup: npm tools (binaryen, esbuild, terser)");
    run(Command::new("npm").current_dir(npm).arg("ci")).context("install by hand: npm ci, in the folder xtask/npm")
}

/// Whether every package of the lock file is there in its version, and esbuild, a native program, runs.
fn npm_tools_match(npm: &Path) -> Result<bool> {
    let lock = npm.join("package-lock.json");
    let lock = read_json(&lock).with_context(|| format!("reading {}", lock.display()))?;
    let packages = lock["packages"].as_object().context("package-lock.json lists no packages")?;
    let all_there = packages.iter().filter(|(folder, package)| !folder.is_empty() && package["optional"] != true).all(
        |(folder, package)| {
            let installed = read_json(&npm.join(folder).join("package.json"));
            installed.is_ok_and(|installed| installed["version"] == package["version"])
        },
    );
    let esbuild = npm.join("node_modules/.bin/esbuild");
    Ok(all_there && try_output(Command::new(esbuild).arg("--version")).is_some())
}

fn read_json(file: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

fn packages(needs: &[Need]) -> Result<()> {
    let missing = missing_packages(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    let Some(apt_get) = apt_get() else {
        bail!("missing: {}. On Debian and Ubuntu, as root: {by_hand}", missing.join(", "));
    };
    step(&format!("setup: {} (apt-get)", missing.join(", ")));
    run(apt_get().args(["update", "-qq"]))?;
    run(apt_get().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing))
        .with_context(|| format!("install by hand: {by_hand}"))?;
    match missing_packages(needs).as_slice() {
        [] => Ok(()),
        still => bail!("installed, but not in PATH: what the packages {} bring", still.join(", ")),
    }
}

fn missing_packages(needs: &[Need]) -> Vec<&'static str> {
    let wanted = PACKAGED.iter().filter(|packaged| needs.contains(&packaged.need));
    wanted.filter(|packaged| find_program(packaged.programs).is_none()).map(|packaged| packaged.package).collect()
}

/// How to run apt-get without asking anybody, where that is possible.
fn apt_get() -> Option<impl Fn() -> Command> {
    let apt_get: PathBuf = find_program(&["apt-get"])?;
    let is_root = geteuid().is_root();
    if !is_root {
        try_output(Command::new("sudo").args(["-n", "true"]))?;
    }
    Some(move || {
        let mut command = if is_root { Command::new(&apt_get) } else { Command::new("sudo") };
        if !is_root {
            command.args(["-n", "--preserve-env=DEBIAN_FRONTEND"]).arg(&apt_get);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version_of_node() {
        assert_eq!(node_major("v20.20.2\n"), Some(20));
        assert_eq!(node_major("20.20.2"), None);
        assert_eq!(node_major(""), None);
    }
}
