//! The npm package: what npm users install, as `npm publish` will send it.

pub mod projects;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::progress::step;
use crate::setup::{Need, setup};
use crate::size::with_commas;
use crate::tools::{Workspace, run};
use crate::tracker::{self, Packed};

/// Its entry, made by the packer.
const ENTRY: &str = "npm/index.js";

/// Beside the files of the tracker; the first two hold `{…}` where something is filled in.
const FILES: [&str; 5] =
    ["tracker/npm/package.json", "tracker/npm/README.md", "tracker/npm/index.d.ts", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds the tarball and says where it is.
///
/// # Errors
/// When the tracker does not build, or npm does not take the package. With `dry_run` also when `npm publish` would not.
pub fn npm(workspace: &Workspace, dry_run: bool) -> Result<()> {
    setup(workspace, &[Need::Build])?;
    let tarball = build(workspace, &tracker::build(workspace)?)?;
    if dry_run {
        step("npm: what publishing would do");
        run(npm_in(&workspace.target).args(["publish", "--dry-run"]).arg(&tarball))?;
    }
    step("built:");
    println!("{}", tarball.display());
    Ok(())
}

/// Packs `target/npm/logdig-VERSION.tgz`.
///
/// # Errors
/// When a file is missing, or npm does not take the package.
pub fn build(workspace: &Workspace, packed: &Packed) -> Result<PathBuf> {
    step("npm: pack");
    let folder = workspace.target.join("npm");
    let package = folder.join("package");
    if package.exists() {
        fs::remove_dir_all(&package).with_context(|| format!("clearing {}", package.display()))?;
    }
    fs::create_dir_all(&package).with_context(|| format!("making {}", package.display()))?;
    let version = workspace_version();
    for name in packed.files.keys() {
        copy_into(&tracker::dist(workspace).join(name), &package)?;
    }
    for name in FILES {
        copy_into(&workspace.root.join(name), &package)?;
    }
    for name in ["README.md", "package.json"] {
        let file = package.join(name);
        let text = fs::read_to_string(&file)?;
        fs::write(&file, fill(&text, packed, version).with_context(|| format!("filling {name}"))?)?;
    }
    name_repository(&package.join("package.json"))?;
    run(npm_in(&package).args(["pack", "--silent", "--pack-destination"]).arg(&folder).stdout(Stdio::null()))?;
    Ok(folder.join(format!("logdig-{version}.tgz")))
}

/// All packages of the workspace have the same.
const fn workspace_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// npm in a folder, told not to talk about itself.
pub fn npm_in(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder).env("npm_config_update_notifier", "false").env("npm_config_fund", "false");
    npm.env("npm_config_audit", "false");
    npm
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, folder.join(name)).with_context(|| format!("copying {}", file.display()))?;
    Ok(())
}

/// Puts the version in for `{version}`, and for `{NAME.js}` what that file weighs.
fn fill(text: &str, packed: &Packed, version: &str) -> Result<String> {
    let mut text = text.replace("{version}", version);
    for (name, size) in &packed.files {
        let name = if name == ENTRY { "index.js" } else { name };
        text = text.replace(&format!("{{{name}}}"), &with_commas(size.brotli));
    }
    match text.find(".js}") {
        Some(at) => bail!("no such file: …{}", &text[at.saturating_sub(20)..at + 4]),
        None => Ok(text),
    }
}

/// Where CI knows the repository, the package names it: npm checks that against the build which vouches for the package.
fn name_repository(manifest: &Path) -> Result<()> {
    let (Ok(server), Ok(repository)) = (env::var("GITHUB_SERVER_URL"), env::var("GITHUB_REPOSITORY")) else {
        return Ok(());
    };
    // As text: the order of what stands under `exports` has a meaning.
    let text = fs::read_to_string(manifest)?;
    let license = "\"license\":";
    let named = text.replacen(license, &format!("\"repository\": \"git+{server}/{repository}.git\",\n  {license}"), 1);
    Ok(fs::write(manifest, named)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracker::Size;

    #[test]
    fn fills_in_what_there_is_and_names_what_there_is_not() {
        let size = Size { raw: 3, gzip: 2, brotli: 7_968 };
        let packed =
            Packed { wasm: size, js: size, files: [(ENTRY.to_owned(), size), ("logdig.js".to_owned(), size)].into() };
        let filled = fill("{index.js}, {logdig.js}, {version}, { a: 1 }", &packed, "1.2.3").expect("all is there");
        assert_eq!(filled, "7,968, 7,968, 1.2.3, { a: 1 }");
        assert!(fill("{logdig.gone.js}", &packed, "1.2.3").is_err());
    }
}
