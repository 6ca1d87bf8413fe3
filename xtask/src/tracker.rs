//! The tracker: Rust to wasm to what pages load, in `tracker/dist`.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::progress::step;
use crate::tools::{Workspace, output, run};

/// `no_std`, and without the newer wasm features that cost glue: the smallest form.
pub const TARGET: &str = "wasm32v1-none";

/// Copying memory in one instruction instead of a function of our own: 0.8 KB less. Chrome 75, Firefox 79, Safari 15.
/// Memory that never grows: JavaScript may keep its views of it, and the twin without wasm needs no code for it.
const FLAGS: &str = "-Ctarget-feature=+bulk-memory,+sign-ext,+nontrapping-fptoint -Clink-arg=--no-growable-memory";

/// The drop-in script.
const SCRIPT: &str = "logdig.js";
/// What takes the wasm's place where wasm is refused.
const NOWASM: &str = "logdig.nowasm.js";
/// The npm package's entry.
const NPM: &str = "npm/index.js";

/// Bytes of one thing that a page downloads.
#[derive(Clone, Copy, Default)]
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
    /// The JavaScript of `logdig.js` alone: glue, loader, listeners.
    pub js: Size,
    /// Each file in `tracker/dist`, by its name there.
    pub files: BTreeMap<String, Size>,
}

impl Packed {
    /// What every page loads.
    pub fn script(&self) -> Size {
        self.file(SCRIPT)
    }

    /// What a page loads that has everything on, in a browser with wasm: the script and all its parts.
    pub fn everything(&self) -> Size {
        let is_loaded = |name: &str| ![NOWASM, NPM].contains(&name);
        self.files.iter().filter(|(name, _)| is_loaded(name)).map(|(_, size)| *size).sum()
    }

    /// What is loaded besides where wasm is refused.
    pub fn nowasm(&self) -> Size {
        self.file(NOWASM)
    }

    /// The npm package's entry, as installed.
    pub fn npm(&self) -> Size {
        self.file(NPM)
    }

    /// [`build`] refuses a result without it.
    fn file(&self, name: &str) -> Size {
        self.files.get(name).copied().unwrap_or_default()
    }
}

/// Where the built tracker lies, once [`build`] was there.
pub fn dist(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tracker/dist")
}

/// The drop-in script, once [`build`] was there.
pub fn dist_file(workspace: &Workspace) -> PathBuf {
    dist(workspace).join(SCRIPT)
}

/// Compiles and packs the tracker; leaves the files alone when nothing changed.
///
/// # Errors
/// When a step fails, or a packed file does not give the wasm back.
pub fn build(workspace: &Workspace) -> Result<Packed> {
    step("tracker: compile to wasm");
    run(workspace
        .cargo("build")
        .args(["--package=logdig-tracker", "--profile=wasm-release", "--target", TARGET])
        .env("CARGO_TARGET_WASM32V1_NONE_RUSTFLAGS", FLAGS))?;
    step("tracker: bind to JavaScript and pack");
    let wasm = workspace.target.join(TARGET).join("wasm-release/logdig_tracker.wasm");
    let bound = workspace.target.join("xtask/tracker/bound");
    workspace.bindgen("bundler", &wasm, &bound, "glue")?;
    let sizes = output(
        Command::new("node")
            .arg(workspace.npm().join("pack.mjs"))
            .arg(bound)
            .arg(workspace.root.join("tracker/js"))
            .arg(workspace.target.join("xtask/tracker/pack"))
            .arg(dist(workspace)),
    )?;
    Packed::read(&sizes)
}

impl Packed {
    fn read(json: &str) -> Result<Self> {
        let sizes: Value = serde_json::from_str(json).context("reading the sizes that pack.mjs printed")?;
        let size = |of: &Value| Size::read(of).context("pack.mjs printed what is no size");
        let files = sizes["files"].as_object().context("pack.mjs printed no sizes of files")?;
        let files: BTreeMap<_, _> =
            files.iter().map(|(name, of)| Ok((name.clone(), size(of)?))).collect::<Result<_>>()?;
        for name in [SCRIPT, NOWASM, NPM] {
            files.get(name).with_context(|| format!("pack.mjs made no {name}"))?;
        }
        Ok(Self { wasm: size(&sizes["wasm"])?, js: size(&sizes["js"])?, files })
    }
}

impl Size {
    fn read(json: &Value) -> Option<Self> {
        let bytes = |of: &str| json[of].as_u64();
        Some(Self { raw: bytes("raw")?, gzip: bytes("gzip")?, brotli: bytes("brotli")? })
    }
}

impl Sum for Size {
    /// Of files that are sent one by one.
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), |sum, size| Self {
            raw: sum.raw + size.raw,
            gzip: sum.gzip + size.gzip,
            brotli: sum.brotli + size.brotli,
        })
    }
}
