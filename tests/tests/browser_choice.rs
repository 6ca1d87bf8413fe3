//! Promise: a visitor who does not want to be logged is not, and nothing is
//! kept in their browser; what the owner chose for their privacy holds.

use logdig_tests::browser::Browser;
use logdig_tests::sealed::SealedLog;
use logdig_tests::{Server, Stage};
use serde_json::{Value, json};

const VIEW: &str = "view /records.html";
const LIVE: &str = "click /records.html button;;live;;";
const QUIET: &str = r#"data-rage="off" data-dead="off""#;

/// Opens the page with these attributes; the tracker may or may not begin.
fn open(stage: &Stage, attributes: &str) {
    stage.site.set_attributes(&stage.server, &format!("{QUIET} {attributes}"));
    open_again(stage);
}

fn open_again(stage: &Stage) {
    stage.browser.open(&stage.site.url("/records.html"));
    stage.browser.wait_until("the tracker's file", "document.readyState == 'complete' && typeof logdig == 'function'");
    wait_loaded(stage);
}

/// Waits until the tracker has loaded its wasm: what it does then, it has done in the next task.
fn wait_loaded(stage: &Stage) {
    stage.browser.eval("setTimeout(() => requestIdleCallback(() => { self.isIdle = true; }), 300)");
    stage.browser.wait_until("the page at rest", "self.isIdle");
}

/// What the browser keeps when the page has done all it has begun.
fn kept(stage: &Stage) -> Value {
    stage.browser.settle();
    stage.browser.eval("return Object.keys(localStorage).sort().concat(document.cookie || [])")
}

fn n_sent(stage: &Stage) -> Value {
    stage.browser.eval("return probe.sent.length")
}

fn keys_of(logs: &[SealedLog]) -> Vec<&str> {
    let mut keys: Vec<_> = logs.iter().map(|log| log.text("user_key")).collect();
    keys.dedup();
    keys
}

#[test]
fn nothing_is_kept_or_sent_before_consent_and_clicks_wait_for_it() {
    let stage = Stage::new();
    open(&stage, r#"data-consent="wait""#);
    stage.browser.click("#live");
    stage.browser.eval("logdig('event', 'early')");
    assert_eq!((kept(&stage), n_sent(&stage)), (json!([]), json!(0)));
    stage.browser.eval("logdig('consent', 'granted')");
    stage.browser.click("#live");
    stage.finish(&[VIEW, LIVE, "custom /records.html /records.html", LIVE]);
}

#[test]
fn clicks_before_consent_are_dropped_where_the_owner_says_so() {
    let stage = Stage::new();
    open(&stage, r#"data-consent="drop""#);
    stage.browser.click("#live");
    stage.browser.eval("logdig('consent', 'granted')");
    stage.finish(&[VIEW]);
}

#[test]
fn who_denies_or_takes_back_consent_leaves_nothing_behind() {
    let stage = Stage::new();
    open(&stage, r#"data-consent="wait""#);
    stage.browser.click("#live");
    stage.browser.eval("logdig('consent', 'denied')");
    assert_eq!((kept(&stage), n_sent(&stage)), (json!([]), json!(0)));
    stage.browser.eval("logdig('consent', 'granted')");
    stage.wait_delivered();
    stage.browser.wait_until("the view sent", "probe.sent.length > 0");
    stage.browser.eval("logdig('consent', 'denied')");
    stage.browser.click("#live");
    assert_eq!(kept(&stage), json!([]));
    stage.finish(&[VIEW]);
}

#[test]
fn opting_out_holds_on_every_page_until_opting_in() {
    let stage = Stage::new();
    open(&stage, "");
    stage.wait_started();
    stage.wait_delivered();
    stage.browser.eval("logdig('optOut')");
    assert_eq!(kept(&stage), json!(["logdig.out"]));
    stage.browser.click("#live");
    open_again(&stage);
    stage.browser.click("#live");
    assert_eq!((kept(&stage), n_sent(&stage)), (json!(["logdig.out"]), json!(0)));
    stage.browser.eval("logdig('optIn')");
    stage.browser.click("#live");
    stage.finish(&[VIEW, VIEW, LIVE]);
}

#[test]
fn without_cookies_nothing_is_kept_and_the_collector_makes_the_key() {
    let stage = Stage::new();
    open(&stage, r#"data-cookieless="on""#);
    stage.browser.click("#live");
    stage.browser.wait_until("both sent", "probe.sent.join && probe.sent.length > 0");
    open_again(&stage);
    assert_eq!(kept(&stage), json!([]));
    let logs = stage.finish(&[VIEW, LIVE, VIEW]);
    assert!(logs.iter().all(|log| log.text("key_kind") == "daily" && log.text("user_key").len() >= 20), "{logs:?}");
    // A test that runs over midnight sees two days.
    if logs.iter().all(|log| log.text("received_at")[..10] == logs[0].text("received_at")[..10]) {
        assert_eq!(keys_of(&logs).len(), 1, "one visitor a day");
    }
}

#[test]
fn do_not_track_counts_where_the_owner_says_so() {
    let stage = Stage::with(Browser::start_with(&json!({"enable_do_not_track": true})));
    open(&stage, r#"data-dnt="on""#);
    assert_eq!(stage.browser.eval("return navigator.doNotTrack"), "1");
    stage.browser.click("#live");
    stage.browser.eval("logdig('event', 'no'); logdig('optIn'); logdig('consent', 'granted')");
    assert_eq!((kept(&stage), n_sent(&stage)), (json!([]), json!(0)));
    open(&stage, "");
    stage.finish(&[VIEW]);
}

#[test]
fn a_cookie_knows_a_visitor_over_subdomains() {
    let stage = Stage::new();
    let port = stage.site.url("").rsplit(':').next().expect("a port").to_owned();
    allow(
        &stage.server,
        &["http://one.shop.localhost", "http://two.shop.localhost"].map(|host| format!("{host}:{port}")),
    );
    stage.site.set_attributes(&stage.server, &format!(r#"{QUIET} data-cookie="shop.localhost""#));
    for host in ["one", "two"] {
        stage.browser.open(&format!("http://{host}.shop.localhost:{port}/records.html"));
        stage.wait_started();
        stage.wait_delivered();
    }
    let cookie = stage.browser.eval("return document.cookie");
    let logs = stage.finish(
        &["view http://one.shop.localhost", "view http://two.shop.localhost"]
            .map(|view| format!("{view}:{port}/records.html"))
            .each_ref()
            .map(String::as_str),
    );
    let keys = keys_of(&logs);
    assert_eq!(keys.len(), 1, "one visitor on both");
    assert_eq!(cookie, format!("logdig.user_key={}", keys[0]));
}

/// Takes logs from pages of these origins too.
fn allow(server: &Server, origins: &[String]) {
    let file = server.data().join("services.json");
    let mut services: Value = serde_json::from_slice(&std::fs::read(&file).expect("it is there")).expect("it is JSON");
    services["services"][0]["origins"] = json!(origins);
    std::fs::write(file, services.to_string()).expect("it can be written");
}

#[test]
fn the_owner_may_log_whom_global_privacy_control_protects() {
    let stage = Stage::new();
    stage.browser.before_each_page("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })");
    open(&stage, "");
    stage.browser.eval("logdig('event', 'no'); logdig('optIn')");
    assert_eq!((kept(&stage), n_sent(&stage)), (json!([]), json!(0)));
    open(&stage, r#"data-gpc="off""#);
    stage.finish(&[VIEW]);
}

#[test]
fn what_is_off_is_off() {
    let stage = Stage::new();
    open(&stage, r#"data-cookieless="off" data-move="off" data-title="off" data-consent="off""#);
    stage.browser.move_to(300.0, 200.0);
    stage.browser.click("#live");
    open_again(&stage);
    let logs = stage.finish(&[VIEW, LIVE, VIEW]);
    assert!(logs.iter().all(|log| log.json["key_kind"].is_null() && log.json["title"].is_null()), "{logs:?}");
    assert!(logs.iter().all(|log| log.text("type") != "move"), "{logs:?}");
}
