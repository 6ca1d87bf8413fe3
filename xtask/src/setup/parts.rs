//! The folder for real parts that tests need and no package brings: stand-ins for AWS.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The folder with all parts: `LOGDIG_PARTS`, else `logdig` in the user's cache folder.
///
/// Outside the clone, so that the next clone on this machine has them too. `tests/src/parts.rs` looks in the same place.
///
/// # Errors
/// When the machine tells no cache folder.
pub fn folder() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("LOGDIG_PARTS")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("logdig")))
        .or_else(|| Some(set("HOME")?.join(".cache/logdig")))
        .context("none of LOGDIG_PARTS, XDG_CACHE_HOME and HOME is set: no place for what tests need")
}
