//! Promise: nothing that a visitor types or a page shows leaves the page, and nothing of it is kept in the browser or on
//! the collector's disk; of addresses only what the owner wants to know.

use std::fs;
use std::path::Path;

use logdig_tests::{Fault, Front, Stage};
use serde_json::json;

/// Everything is looked for by this, whatever comes after it.
const SECRET: &str = "SECRET";
/// A field for numbers takes no letters.
const SECRET_NUMBER: &str = "7391846205";

/// Fields that take text, by selector.
const FIELDS: [&str; 8] = ["#text", "#search", "#email", "#tel", "#url", "#password", "#area", "#editable"];

fn check_secret_free(what: &str, text: &str) {
    for secret in [SECRET, SECRET_NUMBER] {
        // An address may have its letters percent-encoded, but these need no encoding.
        let found = text.find(secret).map(|at| text[..at + 20].chars().rev().take(200).collect::<String>());
        let around = found.map(|reversed| reversed.chars().rev().collect::<String>());
        assert_eq!(around, None, "a secret in {what}");
    }
}

/// Every file below a folder, whatever it is.
fn check_files(folder: &Path) -> usize {
    let mut n_bytes = 0;
    for entry in fs::read_dir(folder).expect("a folder can be listed").map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            n_bytes += check_files(&path);
        } else {
            let content = fs::read(&path).expect("a file can be read");
            check_secret_free(&path.display().to_string(), &String::from_utf8_lossy(&content));
            n_bytes += content.len();
        }
    }
    n_bytes
}

fn check_wire(front: &Front) {
    for request in front.requests() {
        check_secret_free("a body", &request.body);
        check_secret_free("headers", &format!("{:?}", request.headers));
    }
}

/// What the tracker keeps; the page's own things are not its concern.
fn check_storage(stage: &Stage) {
    let kept = "return JSON.stringify(Object.entries(localStorage).filter(([name]) => name.startsWith('logdig')))";
    let kept = stage.browser.eval(kept);
    let kept = kept.as_str().expect("a text");
    assert!(kept.contains("user_key"), "the tracker keeps something: {kept}");
    check_secret_free("storage", kept);
}

fn type_secrets(stage: &Stage) {
    for selector in FIELDS {
        stage.browser.click(selector);
        stage.browser.type_text(selector, "SECRET-typed");
    }
    stage.browser.click("#number");
    stage.browser.type_text("#number", SECRET_NUMBER);
    stage.browser.eval("document.querySelector('#select').value = 'SECRET-option'");
    stage.browser.eval("document.querySelector('#late').value = 'SECRET-later'");
    stage.browser.eval("const secret = document.querySelector('#prose'); getSelection().selectAllChildren(secret)");
}

fn click_everything(stage: &Stage) {
    for selector in ["#label", "#radio", "#check", "#late", "#span", "#editable", "#image", "#custom", "#select"] {
        stage.browser.click(selector);
    }
    // Three in a row at one place, as an angry visitor would.
    for _ in 0..3 {
        stage.browser.click("#custom");
    }
    stage.browser.eval("clickAll(document); clickAll(document.querySelector('#shadow').shadowRoot)");
}

#[test]
fn no_secret_leaves_the_page_or_stays_behind() {
    let mut stage = Stage::new();
    let front = Front::start(&stage.server);
    // Everything on that may be on and asks for no text of the page.
    let all_on = r#"data-move="on" data-vitals="on" data-query="page" data-hash="off""#;
    stage.site.set_attributes(&stage.server, &format!("{} {all_on}", front.attribute()));
    front.set(Fault::Status(503));
    stage.open("/secrets.html");
    type_secrets(&stage);
    click_everything(&stage);
    // Now everything waits in the browser's storage.
    check_storage(&stage);
    front.set(Fault::None);
    stage.browser.eval("history.pushState(null, '', '?code=SECRET-code&page=1#SECRET-part')");
    stage.browser.eval("dispatchEvent(new Event('online'))");
    stage.wait_delivered();
    // All values of the form become parameters of the next page's address.
    stage.browser.click("#submit");
    stage.browser.wait_until("the next page", "location.pathname == '/page2.html'");
    assert!(stage.browser.url().contains("SECRET-typed"), "the form was sent: {}", stage.browser.url());
    stage.wait_started();
    stage.browser.open(&stage.site.url("/secrets.html"));
    stage.wait_started();
    stage.browser.click("#link");
    stage.browser.wait_until("the next page", "location.pathname == '/page2.html'");
    stage.wait_started();
    stage.wait_delivered();
    check_storage(&stage);
    check_wire(&front);
    let logs = stage.server.stop_and_read();
    let n_clicks = logs.iter().filter(|log| log.text("type") == "click").count();
    assert!(n_clicks > 30, "only {n_clicks} clicks were seen");
    let followed = logs.iter().find(|log| log.text("link").contains("/page2.html?"));
    let followed = followed.expect("the link was followed").text("link");
    assert!(followed.ends_with("/page2.html?page=2"), "what is wanted of an address is kept: {followed}");
    let n_bytes = check_files(&stage.server.data());
    println!("{} requests, {n_bytes} bytes on disk", front.requests().len());
    check_secret_free("the collector's own words", &stage.server.stderr());
    assert_eq!(stage.browser.messages(), [], "a tracker is silent");
}

/// The search itself finds what is there.
#[test]
fn a_title_is_sent_only_where_it_is_asked_for() {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, r#"data-title="on""#);
    stage.open("/secrets.html");
    let logs = stage.finish(&["view /secrets.html"]);
    assert_eq!(logs[0].json["title"], json!("SECRET-title"));
}
