//! Where things are, and how other programs are run.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The folders everything else is relative to.
pub struct Workspace {
    /// The workspace root.
    pub root: PathBuf,
    /// Cargo's target folder, wherever the settings of this machine put it.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// When cargo cannot be run or does not answer as it should.
    pub fn find() -> Result<Self> {
        // Set by `cargo run`; the compiled-in path may be another clone's where clones share a target folder.
        let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here.parent().context("xtask lies in the workspace root")?.to_path_buf();
        let mut metadata = cargo_in(&root);
        let text = output(metadata.args(["metadata", "--no-deps", "--format-version=1"]))?;
        let metadata: Value = serde_json::from_str(&text).context("reading what `cargo metadata` said")?;
        let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?.into();
        Ok(Self { root, target })
    }

    /// A cargo command in the workspace root.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = cargo_in(&self.root);
        cargo.arg(subcommand);
        cargo
    }

    /// The npm tools and our script that uses them.
    pub fn npm(&self) -> PathBuf {
        self.root.join("xtask/npm")
    }

    /// Runs wasm-bindgen over `input`; see `bin/logdig-bindgen.rs`.
    ///
    /// # Errors
    /// When it cannot be built, or `input` is not what it can work with.
    pub fn bindgen(&self, target: &str, input: &Path, out_dir: &Path, name: &str) -> Result<()> {
        run(self.cargo("build").args(["--package=xtask", "--features=bindgen", "--bin=logdig-bindgen"]))?;
        run(Command::new(self.target.join("debug/logdig-bindgen")).arg(target).args([input, out_dir]).arg(name))
    }
}

fn cargo_in(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // `cargo run` describes xtask in these; build scripts that watch them would run again and again.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs a program to its end; what it prints is seen.
///
/// # Errors
/// When it cannot be started or does not succeed; the message holds the command line.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a program to its end and gives back its stdout; stderr is seen.
///
/// # Errors
/// As [`run`], and when the output is not text.
pub fn output(command: &mut Command) -> Result<String> {
    let done = command.stderr(Stdio::inherit()).output().with_context(|| format!("starting `{}`", line(command)))?;
    if !done.status.success() {
        bail!("`{}` failed ({})", line(command), done.status);
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{}` printed what is not text", line(command)))
}

/// Runs a program that may be absent or fail: its stdout when all is well.
pub fn try_output(command: &mut Command) -> Option<String> {
    let done = command.stderr(Stdio::null()).output().ok()?;
    if !done.status.success() {
        return None;
    }
    String::from_utf8(done.stdout).ok()
}

/// The first of these programs that PATH has.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// Copies a file, or a folder and all in it.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn line(command: &Command) -> String {
    let words: Vec<&OsStr> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
