//! Promise: what was recorded arrives, once, whatever happens to the page, the
//! tab, the storage or the collector; and a visitor who asks to be left alone
//! is.

use std::collections::BTreeSet;

use logdig_tests::{Browser, Stage};
use serde_json::json;

const VIEW: &str = "view /index.html";
const BUY: &str = "click /index.html button;box big red;buy;order;";
const STAR: &str = "click /index.html span;box;star;;.0.1";
const AGAIN: &str = "click /page2.html button;;again;;";

/// Opens a page in a tab of its own and closes the tab there was before.
fn close_tab_and_open(stage: &Stage, path: &str) {
    stage.browser.close_tab();
    stage.browser.switch_tab(0);
    stage.open(path);
}

#[test]
fn a_collector_that_dies_and_comes_back_gets_everything_once() {
    let mut stage = Stage::new();
    stage.open("/index.html");
    stage.browser.click("#buy");
    stage.wait_delivered();
    stage.server.kill9();
    stage.browser.click("#star");
    stage.browser.click("#buy");
    stage.server.restart_on_same_port();
    stage.browser.click("#star");
    stage.finish(&[VIEW, BUY, STAR, BUY, STAR]);
}

#[test]
fn a_collector_that_dies_amid_requests_gets_everything_once() {
    let mut stage = Stage::new();
    stage.open("/index.html");
    for _ in 0..3 {
        for _ in 0..4 {
            stage.browser.click("#buy");
        }
        stage.server.kill9();
        stage.browser.click("#star");
        stage.server.restart_on_same_port();
    }
    stage.finish(&[&[VIEW][..], &[BUY; 12], &[STAR; 3]].concat());
}

#[test]
fn a_tab_closed_right_after_a_click_loses_nothing() {
    let stage = Stage::new();
    stage.browser.new_tab();
    stage.open("/index.html");
    stage.browser.click("#buy");
    close_tab_and_open(&stage, "/page2.html");
    stage.finish(&[VIEW, BUY, "view /page2.html"]);
}

#[test]
fn two_tabs_at_once_lose_and_double_nothing() {
    let mut stage = Stage::new();
    stage.open("/index.html");
    stage.browser.new_tab();
    stage.open("/page2.html");
    stage.wait_delivered();
    stage.server.kill9();
    for _ in 0..5 {
        stage.browser.switch_tab(0);
        stage.browser.click("#buy");
        stage.browser.switch_tab(1);
        stage.browser.click("#again");
    }
    stage.server.restart_on_same_port();
    let expected = [&[VIEW, "view /page2.html"][..], &[BUY; 5], &[AGAIN; 5]].concat();
    stage.finish(&expected);
}

#[test]
fn two_tabs_closed_while_the_collector_is_down_lose_nothing() {
    let mut stage = Stage::new();
    for path in ["/index.html", "/page2.html"] {
        stage.browser.new_tab();
        stage.open(path);
    }
    stage.wait_delivered();
    stage.server.kill9();
    for _ in 0..5 {
        stage.browser.switch_tab(1);
        stage.browser.click("#buy");
        stage.browser.switch_tab(2);
        stage.browser.click("#again");
    }
    stage.browser.close_tab();
    stage.browser.switch_tab(1);
    stage.browser.close_tab();
    stage.browser.switch_tab(0);
    stage.server.restart_on_same_port();
    stage.open("/page2.html");
    let expected = [&[VIEW, "view /page2.html", "view /page2.html"][..], &[BUY; 5], &[AGAIN; 5]].concat();
    stage.finish(&expected);
}

#[test]
fn a_duplicated_tab_is_a_document_of_its_own() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.browser.click("#buy");
    // A window opened by a page gets a copy of its sessionStorage, as a duplicated tab does.
    stage.browser.eval("sessionStorage.setItem('copied', '1'); window.open(location.href)");
    stage.browser.switch_tab(1);
    stage.browser.wait_until("the copy", "sessionStorage.getItem('copied') == '1'");
    stage.wait_started();
    for _ in 0..3 {
        stage.browser.switch_tab(0);
        stage.browser.click("#buy");
        stage.browser.switch_tab(1);
        stage.browser.click("#star");
    }
    // Ids and their numbers are checked by `finish`.
    let logs = stage.finish(&[VIEW, BUY, VIEW, BUY, STAR, BUY, STAR, BUY, STAR]);
    let keys: BTreeSet<_> = logs.iter().map(|log| log.text("user_key")).collect();
    assert_eq!(keys.len(), 1, "one visitor");
}

#[test]
fn five_hundred_clicks_survive_a_dead_collector_and_a_closed_tab() {
    let mut stage = Stage::new();
    stage.browser.new_tab();
    stage.open("/index.html");
    stage.wait_delivered();
    stage.server.kill9();
    // `#mouse` is at 0, 600, out of the window: brought to its upper edge, below the bar.
    stage.browser.eval("scrollTo(0, 550)");
    stage.browser.wait_until("the scroll", "scrollY == 550");
    for x in 0..500 {
        stage.browser.click_at(f64::from(x), 60.0);
    }
    stage.browser.wait_until("all of them in the storage", "probe.waiting().length == 500");
    stage.browser.close_tab();
    stage.browser.switch_tab(0);
    stage.server.restart_on_same_port();
    stage.open("/page2.html");
    let many = ["click /index.html button;box;mouse;;"; 500];
    let logs = stage.finish(&[&[VIEW, "view /page2.html"][..], &many].concat());
    let mut places: Vec<_> =
        logs.iter().filter(|log| log.text("type") == "click").map(|log| log.json["x"].as_f64()).collect();
    places.sort_by(|one, other| one.partial_cmp(other).expect("places are numbers"));
    assert_eq!(places, (0..500).map(|x| Some(f64::from(x))).collect::<Vec<_>>());
}

#[test]
fn without_storage_logs_go_from_memory() {
    // As when a visitor has all cookies blocked: each touch of `localStorage` throws.
    let stage = Stage::with(Browser::start_with(&json!({"profile.default_content_setting_values.cookies": 2})));
    stage.browser.open(&stage.site.url("/index.html"));
    let denied = "try { localStorage; return 'allowed'; } catch (error) { return error.name; }";
    assert_eq!(stage.browser.eval(denied), "SecurityError");
    stage.browser.wait_until("the view on its way", "probe.sent.length > 0");
    stage.browser.click("#buy");
    stage.browser.click("#leave");
    stage
        .browser
        .wait_until("the next page's view on its way", "location.pathname == '/page2.html' && probe.sent.length > 0");
    let logs = stage.finish(&[VIEW, BUY, "click /index.html /page2.html", "view /page2.html"]);
    assert!(logs.iter().all(|log| log.text("user_key").len() == 20), "a key for as long as the document lives");
}

#[test]
fn with_a_full_storage_logs_go_from_memory() {
    let mut stage = Stage::new();
    stage.browser.open(&stage.site.url("/empty.html"));
    let n_filled = stage.browser.eval(
        "let n = 0;
         for (let size = 1 << 20; size >= 1; size >>= 1) {
           try { for (;;) localStorage.setItem('fill.' + n, 'x'.repeat(size)), n++; } catch {}
         }
         return localStorage.length",
    );
    stage.browser.open(&stage.site.url("/index.html"));
    stage.browser.wait_until("the view on its way", "probe.sent.length > 0");
    stage.server.wait_sealed(1);
    stage.server.kill9();
    stage.browser.click("#buy");
    stage.server.restart_on_same_port();
    stage.server.wait_sealed(2);
    assert_eq!(stage.browser.eval("return localStorage.length"), n_filled, "the page's own data is left alone");
    stage.finish(&[VIEW, BUY]);
}

#[test]
fn global_privacy_control_means_nothing_at_all() {
    let stage = Stage::new();
    let asked = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })";
    stage.browser.before_each_page(asked);
    stage.browser.open(&stage.site.url("/index.html"));
    stage.browser.click("#buy");
    stage.browser.click("#hash");
    // Longer than the tracker gathers logs before it sends.
    stage.browser.wait_until("time to send in", "performance.now() > 3000");
    let left_behind =
        stage.browser.eval("return [probe.sent.length, localStorage.length, sessionStorage.length, document.cookie]");
    assert_eq!(left_behind, json!([0, 0, 0, ""]));
    stage.finish(&[]);
}
