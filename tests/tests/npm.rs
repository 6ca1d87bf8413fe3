//! Promise: the npm package works in the apps of who installs it, without a
//! plugin: built by Vite, webpack and Next.js, and without a bundler at all.
//! Its parts come from where the bundler put them, and a server may import it.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Mutex;

use logdig_tests::Stage;
use logdig_tests::sealed::spooled_logs;
use logdig_tests::wait::wait_until;
use serde_json::Value;

/// Bundlers use all cores and much memory: one at a time.
static BUILDING: Mutex<()> = Mutex::new(());

fn from_xtask(name: &str) -> PathBuf {
    env::var_os(name).map(PathBuf::from).expect("`cargo xtask test` builds the package and installs it")
}

/// A copy of `tests/npm`, installed.
fn projects() -> PathBuf {
    from_xtask("LOGDIG_NPM_PROJECTS")
}

fn succeed(command: &mut Command) -> Output {
    let output = command.current_dir(projects()).output().expect("Node is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn build(app: &str) {
    let _turn = BUILDING.lock().expect("builds do not panic while they hold the turn");
    let mut npm = Command::new("npm");
    npm.args(["run", "build", "--workspace", app]).env("NEXT_TELEMETRY_DISABLED", "1").env("CI", "1");
    succeed(&mut npm);
}

/// Opens a page of the site and tells its app where to send its logs.
fn open(stage: &Stage, path: &str) {
    let (token, server) = (stage.server.token(), stage.server.url());
    stage.browser.open(&stage.site.url(&format!("{path}?token={token}&server={server}/")));
}

fn stored(stage: &Stage) -> Vec<Value> {
    let mut logs = spooled_logs(&stage.server.data());
    logs.extend(stage.server.sealed_logs().into_iter().map(|log| log.json));
    logs
}

/// Waits until a log for which this holds is on the collector's disk.
fn wait_stored(stage: &Stage, what: &str, is_it: impl Fn(&Value) -> bool) {
    wait_until(&format!("on disk: {what}"), || stored(stage).iter().any(&is_it));
}

/// Clicks until an angry visitor is told from a patient one: the part that does it has come.
fn rage(stage: &Stage) {
    wait_until("a log of rage", || {
        for _ in 0..3 {
            stage.browser.click("#buy");
        }
        stored(stage).iter().any(|log| log["type"] == "rage")
    });
}

/// What every app here is: it has a button, an event on it, and web vitals on.
fn visit(stage: &Stage, path: &str) {
    open(stage, path);
    stage.browser.click("#buy");
    wait_stored(stage, "the click", |log| log["type"] == "click" && log["link"].as_str().is_some_and(is_the_button));
    wait_stored(stage, "the event", |log| log["type"] == "custom" && log["name"] == "order" && log["value"] == 59.9);
    rage(stage);
    stage.browser.wait_until("time to be engaged in", "performance.now() > 3000");
    stage.browser.open("about:blank");
    wait_stored(stage, "the leave, with vitals", |log| log["type"] == "leave" && log["ttfb_ms"].is_number());
    let page = stage.site.url(path);
    wait_stored(stage, "the view", |log| log["type"] == "view" && log["current_page"] == page);
    assert_eq!(stage.browser.messages(), [], "a tracker is silent");
}

fn is_the_button(link: &str) -> bool {
    link == "button;;buy;;"
}

#[test]
fn an_app_built_by_vite() {
    build("vite");
    let stage = Stage::new();
    stage.site.set_folder(&projects().join("vite/dist"));
    visit(&stage, "/index.html");
}

#[test]
fn an_app_built_by_webpack() {
    build("webpack");
    let stage = Stage::new();
    stage.site.set_folder(&projects().join("webpack/public"));
    visit(&stage, "/index.html");
    // A bundle is UTF-8, but nothing makes a page say so: there the wasm is garbled, and its twin takes over.
    open(&stage, "/korean.html");
    assert_eq!(stage.browser.eval("return document.characterSet"), "EUC-KR");
    stage.browser.click("#buy");
    let page = stage.site.url("/korean.html");
    wait_stored(&stage, "the click", |log| log["type"] == "click" && log["current_page"] == page);
}

#[test]
fn an_app_built_by_next() {
    build("next");
    let stage = Stage::new();
    stage.site.set_folder(&projects().join("next/out"));
    visit(&stage, "/index.html");
}

#[test]
fn a_page_without_a_bundler() {
    let stage = Stage::new();
    stage.site.set_folder(&projects());
    visit(&stage, "/plain/index.html");
}

#[test]
fn a_server_may_import_it() {
    let script = "import('logdig').then(logdig => {
        logdig.event('before');
        logdig.init({ token: 't', server: '/' });
        for (const name in logdig) logdig[name]('a', 'b');
        console.log(Object.keys(logdig).join());
    })";
    let output = succeed(Command::new("node").args(["--eval", script]));
    assert_eq!(output.stderr, b"", "nothing goes wrong");
    let names: BTreeSet<String> =
        String::from_utf8_lossy(&output.stdout).trim().split(',').map(str::to_owned).collect();
    let documented = ["consent", "event", "exposure", "flush", "identify", "init", "optIn", "optOut"];
    assert_eq!(names, documented.map(str::to_owned).into());
}

#[test]
fn its_types_allow_what_works_and_nothing_else() {
    succeed(Command::new("node_modules/.bin/tsc").args(["--project", "types"]));
}

#[test]
fn it_is_packed_as_its_users_tools_want_it() {
    let tarball = from_xtask("LOGDIG_NPM_TARBALL");
    succeed(Command::new("node_modules/.bin/publint").arg(&tarball).arg("--strict"));
    succeed(Command::new("node_modules/.bin/attw").args(["--profile", "esm-only"]).arg(&tarball));
}
