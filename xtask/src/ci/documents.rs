//! The commands that README and docs tell people to type exist.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Command as CommandLine;

use crate::tools::Workspace;

/// # Errors
/// When a document names a `cargo xtask` command that is not there.
pub fn check(workspace: &Workspace, command_line: &CommandLine) -> Result<()> {
    for file in documents(workspace)? {
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        for command in xtask_commands(&text) {
            if command_line.find_subcommand(command).is_none() {
                bail!("{} names `cargo xtask {command}`, which does not exist", file.display());
            }
        }
    }
    Ok(())
}

/// The Markdown files at the top and in `docs`.
fn documents(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in [workspace.root.clone(), workspace.root.join("docs")] {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.with_context(|| format!("listing {}", folder.display()))?.path();
            files.extend(path.extension().is_some_and(|extension| extension == "md").then_some(path));
        }
    }
    Ok(files)
}

/// The words after `cargo xtask`; a placeholder or an option is none.
fn xtask_commands(text: &str) -> impl Iterator<Item = &str> {
    text.split("cargo xtask ").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_commands_in_a_text() {
        let text =
            "Run `cargo xtask demo`, then:\n    cargo xtask test -- -p x\nor cargo xtask --help, cargo xtask COMMAND.";
        assert_eq!(xtask_commands(text).collect::<Vec<_>>(), ["demo", "test"]);
    }
}
