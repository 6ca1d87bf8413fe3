//! Promise: in an application made with Leptos the tag in its `index.html` is
//! enough: the demo site is one, and is built by `cargo xtask test`.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use logdig_tests::sealed::spooled_logs;
use logdig_tests::wait::wait_until;
use logdig_tests::{Server, Stage};
use serde_json::Value;
use tempfile::TempDir;

/// The built site, with the tag where its page has room for it.
fn with_tag(site: &Path, server: &Server) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    for entry in fs::read_dir(site).expect("the site is built").flatten() {
        symlink(entry.path(), folder.path().join(entry.file_name())).expect("a link can be made");
    }
    let index = folder.path().join("index.html");
    let page = fs::read_to_string(&index).expect("the site has a page");
    let tag = format!(r#"<script async src="{}/logdig.js" data-token="{}"></script>"#, server.url(), server.token());
    fs::remove_file(&index).expect("a link can be removed");
    fs::write(index, page.replace("<!--logdig-tag-->", &tag)).expect("a page can be written");
    folder
}

/// Waits until a log of this type and page is on the collector's disk.
fn wait_stored(stage: &Stage, kind: &str, path: &str) {
    let page = stage.site.url(path);
    let is_it = |log: &Value| log["type"] == kind && log["current_page"] == page;
    wait_until(&format!("a {kind} of {path} on disk"), || {
        let sealed = stage.server.sealed_logs();
        spooled_logs(&stage.server.data()).iter().chain(sealed.iter().map(|log| &log.json)).any(is_it)
    });
}

#[test]
fn a_tag_in_its_page_logs_an_app_and_its_routes() {
    let site = env::var_os("LOGDIG_SITE_DIST").map(PathBuf::from).expect("`cargo xtask test` builds the demo site");
    let stage = Stage::new();
    let folder = with_tag(&site, &stage.server);
    stage.site.set_folder(folder.path());
    stage.browser.open(&stage.site.url("/"));
    stage.browser.wait_until("the app", "document.querySelector('a[href=\"/goods\"]')");
    wait_stored(&stage, "view", "/");
    stage.browser.eval("scrollTo(0, 0)");
    stage.browser.click("a[href=\"/goods\"]");
    wait_stored(&stage, "click", "/");
    stage.browser.wait_until("the route", "location.pathname == '/goods'");
    wait_stored(&stage, "view", "/goods");
}
