//! The tracker: Rust to wasm to one script, `tracker/dist/logdig.js`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::progress::step;
use crate::tools::{Workspace, output, run};

/// `no_std`, and without the newer wasm features that cost glue: the smallest form.
pub const TARGET: &str = "wasm32v1-none";

/// Copying memory in one instruction instead of a function of our own: 0.8 KB less. Chrome 75, Firefox 79, Safari 15.
const FEATURES: &str = "-Ctarget-feature=+bulk-memory,+sign-ext,+nontrapping-fptoint";

/// Bytes of one thing that a page downloads.
#[derive(Clone, Copy)]
pub struct Size {
    /// As it is.
    pub raw: u64,
    /// `gzip -9`.
    pub gzip: u64,
    /// Brotli, quality 11.
    pub brotli: u64,
}

/// What the tracker weighs, measured when it was packed.
pub struct Packed {
    /// The wasm alone.
    pub wasm: Size,
    /// The JavaScript alone: glue, loader, listeners.
    pub js: Size,
    /// `tracker/dist/logdig.js`, both in one file.
    pub file: Size,
}

/// The built tracker, once [`build`] was there.
pub fn dist_file(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tracker/dist/logdig.js")
}

/// Compiles and packs the tracker; leaves the file alone when nothing changed.
///
/// # Errors
/// When a step fails, or the packed file does not give the wasm back.
pub fn build(workspace: &Workspace) -> Result<Packed> {
    step("tracker: compile to wasm");
    run(workspace
        .cargo("build")
        .args(["--package=logdig-tracker", "--profile=wasm-release", "--target", TARGET])
        .env("CARGO_TARGET_WASM32V1_NONE_RUSTFLAGS", FEATURES))?;
    step("tracker: bind to JavaScript and pack into one file");
    let wasm = workspace.target.join(TARGET).join("wasm-release/logdig_tracker.wasm");
    let bound = workspace.target.join("xtask/tracker/bound");
    workspace.bindgen("bundler", &wasm, &bound, "glue")?;
    let sizes = output(
        Command::new("node")
            .arg(workspace.npm().join("pack.mjs"))
            .arg(bound)
            .arg(workspace.root.join("tracker/js"))
            .arg(workspace.target.join("xtask/tracker/pack"))
            .arg(dist_file(workspace)),
    )?;
    Packed::read(&sizes)
}

impl Packed {
    fn read(json: &str) -> Result<Self> {
        let sizes: Value = serde_json::from_str(json).context("reading the sizes that pack.mjs printed")?;
        let size = |of: &str| Size::read(&sizes[of]).with_context(|| format!("pack.mjs printed no size of `{of}`"));
        Ok(Self { wasm: size("wasm")?, js: size("js")?, file: size("file")? })
    }
}

impl Size {
    fn read(json: &Value) -> Option<Self> {
        let bytes = |of: &str| json[of].as_u64();
        Some(Self { raw: bytes("raw")?, gzip: bytes("gzip")?, brotli: bytes("brotli")? })
    }
}
