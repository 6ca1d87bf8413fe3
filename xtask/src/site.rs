//! The demo site: Rust to wasm, and the files beside it, into `demo-site/dist`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::progress::step;
use crate::tools::{Workspace, copy, run};

/// Plain wasm with the standard library.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// What a page of the demo site loads besides `app.js` and `app_bg.wasm`; folders are copied whole.
const FILES: [&str; 3] = ["index.html", "style.css", "assets"];

/// The built demo site, once [`build`] was there.
pub fn dist(workspace: &Workspace) -> PathBuf {
    workspace.root.join("demo-site/dist")
}

/// Builds the demo site.
///
/// Without `release` it is compiled as the server is, for the dev profile: a third of the time,
/// the macros are shared with the server, and some MB of wasm are nothing over the loopback.
///
/// # Errors
/// When a step fails or a file of the site is missing.
pub fn build(workspace: &Workspace, release: bool) -> Result<()> {
    step("demo site: compile to wasm");
    let (profile, folder) = if release { ("wasm-release", "wasm-release") } else { ("dev", "debug") };
    run(workspace.cargo("build").args([
        "--package=logdig-demo-site",
        "--lib",
        "--target",
        TARGET,
        "--profile",
        profile,
    ]))?;
    step("demo site: bind to JavaScript");
    let dist = dist(workspace);
    if dist.exists() {
        fs::remove_dir_all(&dist).with_context(|| format!("clearing {}", dist.display()))?;
    }
    let wasm = workspace.target.join(TARGET).join(folder).join("logdig_demo_site.wasm");
    workspace.bindgen("web", &wasm, &dist, "app")?;
    for name in FILES {
        let source = workspace.root.join("demo-site").join(name);
        copy(&source, &dist.join(name)).with_context(|| format!("copying {}", source.display()))?;
    }
    Ok(())
}
