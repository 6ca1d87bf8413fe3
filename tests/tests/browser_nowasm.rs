//! Promise: where a page or a browser refuses WebAssembly, a script made from
//! the same Rust takes over by itself: it makes the same logs and loses none.
//! Where wasm works nobody downloads it.

use std::collections::BTreeSet;

use logdig_tests::sealed::SealedLog;
use logdig_tests::{Browser, Stage};
use serde_json::{Value, json};

const VIEW: &str = "view /index.html";
const BUY: &str = "click /index.html button;box big red;buy;order;";
const NEXT: &str = "view /page2.html";

/// How wasm is refused.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// By the site's policy, which names no `'wasm-unsafe-eval'`.
    Policy,
    /// By the browser, as in Lockdown Mode: there is none.
    Browser,
}

const REFUSALS: [Refusal; 2] = [Refusal::Policy, Refusal::Browser];

impl Refusal {
    fn stage(self) -> Stage {
        let stage = Stage::new();
        match self {
            Self::Policy => stage.site.set_policy(&format!("script-src 'unsafe-inline' {}", stage.server.url())),
            Self::Browser => stage.browser.before_each_page("delete self.WebAssembly"),
        }
        stage
    }
}

/// How often the current page has loaded the script that stands in for the wasm.
fn n_loaded(browser: &Browser) -> usize {
    let names = browser.eval("return performance.getEntriesByType('resource').map(entry => entry.name)");
    let names = names.as_array().expect("a list");
    names.iter().filter(|name| name.as_str().is_some_and(|name| name.ends_with("/logdig.nowasm.js"))).count()
}

/// The same visit, whatever runs the tracker.
fn visit(stage: Stage) -> (usize, Vec<SealedLog>) {
    stage.open("/index.html");
    let n_loaded = n_loaded(&stage.browser);
    stage.browser.click("#buy");
    stage.browser.click("#star");
    stage.browser.eval("logdig('event', 'Grüße 🙂', { props: { size: 4.5 }, value: 1e21, currency: 'EUR' })");
    stage.browser.eval("history.pushState(1, '', '/index.html?page=2')");
    stage.browser.click("#leave");
    stage.wait_started();
    let logs = stage.finish(&[
        VIEW,
        BUY,
        "click /index.html span;box;star;;.0.1",
        "custom /index.html /index.html",
        "view /index.html?page=2",
        "click /index.html?page=2 /page2.html",
        NEXT,
    ]);
    (n_loaded, logs)
}

/// What of the logs does not hang on when and where the visit took place.
fn comparable(logs: &[SealedLog]) -> BTreeSet<String> {
    let once = ["id", "timestamp", "received_at", "queued_ms", "sent_at", "spent_milli_sec", "user_key", "token"];
    let addresses = ["current_page", "link", "referrer"];
    let without = |log: &SealedLog| {
        let mut fields = log.json.as_object().expect("a log is an object").clone();
        fields
            .retain(|name, _| !once.contains(&&**name) && !addresses.contains(&&**name) && !name.ends_with("_skew_ms"));
        Value::Object(fields).to_string()
    };
    logs.iter().filter(|log| log.text("type") != "leave").map(without).collect()
}

#[test]
fn the_same_visit_makes_the_same_logs() {
    let (n_loaded, with_wasm) = visit(Stage::new());
    assert_eq!(n_loaded, 0, "nobody downloads what they do not need");
    for refusal in REFUSALS {
        let (n_loaded, logs) = visit(refusal.stage());
        assert_eq!(n_loaded, 1, "{refusal:?}");
        assert_eq!(comparable(&logs), comparable(&with_wasm), "{refusal:?}");
    }
}

#[test]
fn five_hundred_clicks_survive_a_dead_collector_and_a_closed_tab() {
    let mut stage = Refusal::Browser.stage();
    stage.browser.new_tab();
    stage.browser.before_each_page("delete self.WebAssembly");
    stage.open("/index.html");
    stage.wait_delivered();
    stage.server.kill9();
    stage.browser.eval("for (let n = 0; n < 500; n++) document.querySelector('#buy').click()");
    stage.browser.wait_until("all of them in the storage", "probe.waiting().length == 500");
    stage.browser.close_tab();
    stage.browser.switch_tab(0);
    stage.server.restart_on_same_port();
    stage.open("/page2.html");
    assert_eq!(n_loaded(&stage.browser), 1);
    stage.finish(&[&[VIEW, NEXT][..], &[BUY; 500]].concat());
}

#[test]
fn a_page_that_is_clicked_all_day_loses_nothing() {
    let stage = Refusal::Policy.stage();
    stage.open("/index.html");
    // More than the queue holds at once, sent while more come in.
    for n in 1..=6 {
        stage.browser.eval("for (let n = 0; n < 400; n++) document.querySelector('#buy').click()");
        stage.browser.wait_until("most of them delivered", "probe.waiting().length < 200");
        assert_eq!(stage.browser.eval("return probe.sent.length > 0"), json!(true), "round {n}");
    }
    assert_eq!(n_loaded(&stage.browser), 1);
    stage.finish(&[&[VIEW][..], &[BUY; 2400]].concat());
}

#[test]
fn what_one_kind_of_page_left_behind_the_other_sends() {
    let mut stage = Stage::new();
    stage.site.set_policy(&format!("script-src 'unsafe-inline' {}", stage.server.url()));
    stage.open("/index.html");
    stage.wait_delivered();
    stage.server.kill9();
    stage.browser.click("#buy");
    stage.browser.open(&stage.site.url("/empty.html"));
    stage.site.set_policy("");
    stage.server.restart_on_same_port();
    stage.open("/page2.html");
    assert_eq!(n_loaded(&stage.browser), 0);
    stage.finish(&[VIEW, BUY, NEXT]);
}
