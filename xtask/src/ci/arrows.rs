//! Which crate may lean on which.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::tools::{Workspace, output};
use crate::{site, tracker};

/// A member of the workspace and the members that it may use. Tests may use all; nothing may use them.
const MEMBERS: [(&str, &[&str]); 8] = [
    ("logdig-shared", &[]),
    ("logdig-tracker", &["logdig-shared"]),
    ("logdig-store", &["logdig-shared"]),
    ("logdig-analysis", &["logdig-shared", "logdig-store"]),
    ("logdig", &["logdig-shared", "logdig-store"]),
    // It loads the packed tracker, as a customer's site would.
    ("logdig-demo-site", &[]),
    ("logdig-tests", &["logdig-shared", "logdig-store", "logdig"]),
    ("xtask", &[]),
];

/// What must not be below a crate, however far down: starts of names.
struct Ban {
    package: &'static str,
    target: Option<&'static str>,
    names: &'static [&'static str],
}

const SERVER_ONLY: [&str; 5] = ["aws-", "axum", "hyper", "rustix", "tokio"];

const BANS: [Ban; 3] = [
    // No clock, no files, no network.
    Ban { package: "logdig-shared", target: None, names: &SERVER_ONLY },
    // The convenient crates are five times the tracker.
    Ban {
        package: "logdig-tracker",
        target: Some(tracker::TARGET),
        names: &["aws-", "axum", "gloo", "hyper", "jiff", "rustix", "serde", "tokio"],
    },
    Ban { package: "logdig-demo-site", target: Some(site::TARGET), names: &["aws-", "axum", "logdig", "rustix"] },
];

/// # Errors
/// When a crate leans on what it should not.
pub fn check(workspace: &Workspace) -> Result<()> {
    let text = output(workspace.cargo("metadata").args(["--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("reading what `cargo metadata` said")?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let wrong = wrong_arrows(packages);
    if !wrong.is_empty() {
        bail!("{} (what may lean on what: xtask/src/ci/arrows.rs)", wrong.join("; "));
    }
    BANS.iter().try_for_each(|ban| check_ban(workspace, ban))
}

fn wrong_arrows(packages: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MEMBERS.iter().find(|(member, _)| *member == name) else {
            wrong.push(format!("`{name}` is a new member without a rule"));
            continue;
        };
        // Dependencies on members have a path. Dev-dependencies serve tests, and tests may use all.
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let used = dependencies.filter(|used| used["path"].is_string() && used["kind"] != "dev");
        let used = used.filter_map(|used| used["name"].as_str()).filter(|used| !allowed.contains(used));
        wrong.extend(used.map(|used| format!("`{name}` leans on `{used}`")));
    }
    wrong
}

fn check_ban(workspace: &Workspace, ban: &Ban) -> Result<()> {
    let mut tree = workspace.cargo("tree");
    tree.args(["--edges=normal", "--prefix=none", "--format={p}", "--package", ban.package]);
    match ban.target {
        Some(target) => tree.args(["--target", target]),
        None => tree.args(["--target=all", "--all-features"]),
    };
    // The first line is the crate itself.
    let below = output(&mut tree)?;
    let found = below.lines().skip(1).find(|line| ban.names.iter().any(|name| line.starts_with(name)));
    match found {
        Some(found) => bail!("`{}` leans on `{found}` (why not: xtask/src/ci/arrows.rs)", ban.package),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(package: &str, dependency: &str, kind: Option<&str>) -> usize {
        let dependency = serde_json::json!({"name": dependency, "kind": kind, "path": "somewhere"});
        wrong_arrows(&[serde_json::json!({"name": package, "dependencies": [dependency]})]).len()
    }

    #[test]
    fn tells_wrong_arrows_from_right_ones() {
        assert_eq!(wrong("logdig-tracker", "logdig-shared", None), 0);
        assert_eq!(wrong("logdig-tracker", "logdig-store", None), 1);
        assert_eq!(wrong("logdig-shared", "logdig-tests", Some("dev")), 0);
        assert_eq!(wrong("logdig", "logdig-tests", Some("build")), 1);
        assert_eq!(wrong("logdig-new", "logdig-shared", None), 1);
    }
}
