//! Promise: `received_at` minus `queued_ms` is when a log was made, to within seconds, and `spent_milli_sec` only grows:
//! however wrong the visitor's clock is, and however often somebody sets it.

use std::time::{SystemTime, UNIX_EPOCH};

use logdig_tests::Stage;
use logdig_tests::sealed::SealedLog;
use serde_json::Value;

const VIEW: &str = "view /leave.html";
const ONE: &str = "click /leave.html button;;one;;";

/// Test and collector share a clock; a busy machine may take this long between a click and the test's look at the time.
const TOLERANCE_MS: i64 = 4_000;
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

/// A clock that is wrong by so much in every later page; `setClock` sets it anew.
fn set_clock_before_each_page(stage: &Stage, wrong_by_ms: i64) {
    stage.browser.before_each_page(&format!(
        "(() => {{
           const {{ Date: Real }} = self;
           let wrongBy = {wrong_by_ms};
           self.setClock = ms => {{ wrongBy = ms; }};
           self.Date = class Date extends Real {{
             constructor(...parts) {{ parts.length ? super(...parts) : super(Date.now()); }}
             static now() {{ return Real.now() + wrongBy; }}
           }};
         }})()"
    ));
}

fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
    i64::try_from(since_1970.as_millis()).expect("milliseconds fit")
}

/// Milliseconds since 1970 of an instant as the collector and the tracker write it.
fn instant_ms(stage_time: &str) -> i64 {
    let time: jiff::Timestamp = stage_time.parse().unwrap_or_else(|error| panic!("{stage_time}: {error}"));
    time.as_millisecond()
}

/// When a log was made, worked out as a report would.
fn made_ms(log: &Value) -> i64 {
    instant_ms(log["received_at"].as_str().expect("a text")) - log["queued_ms"].as_i64().expect("a number")
}

/// Clicks, and gives when that was.
fn click(stage: &Stage) -> i64 {
    stage.browser.click("#one");
    now_ms()
}

fn wait_in_page(stage: &Stage, wait_ms: u32) {
    stage.browser.eval(&format!("self.waitedAt = performance.now() + {wait_ms}"));
    stage.browser.wait_until("time to pass", "performance.now() > waitedAt");
}

/// Compares when clicks were made with what the logs say, in the order in which they were made.
fn check_times(logs: &[SealedLog], clicked_ms: &[i64]) {
    let mut clicks: Vec<&Value> = logs.iter().map(|log| &log.json).filter(|log| log["type"] == "click").collect();
    clicks.sort_by_key(|log| log["load_count"].as_i64());
    for (click, true_ms) in clicks.iter().zip(clicked_ms) {
        let off_ms = made_ms(click) - true_ms;
        assert!(off_ms.abs() < TOLERANCE_MS, "{off_ms} ms off: {click}");
    }
    // A `leave` takes its number when its draft is first kept, a `dead` its time from the click: these two are in order.
    let is_in_order = |log: &&Value| log["type"] == "view" || log["type"] == "click";
    let mut of_documents: Vec<_> = logs.iter().map(|log| &log.json).filter(is_in_order).collect();
    let document = |log: &Value| log["id"].as_str().and_then(|id| id.split_once('.')).map(|(id, _)| id.to_owned());
    of_documents.sort_by_key(|log| (document(log), log["seq"].as_u64()));
    for pair in of_documents.windows(2).filter(|pair| document(pair[0]) == document(pair[1])) {
        let [before, after] = [0, 1].map(|nth| pair[nth]["spent_milli_sec"].as_i64().expect("a number"));
        assert!(0 <= before && before <= after && after < 120_000, "{before} ms, then {after} ms: {}", pair[1]);
    }
}

#[test]
fn a_clock_that_is_wrong_by_years_tells_the_right_time() {
    for wrong_by_ms in [7 * YEAR_MS, -20 * YEAR_MS] {
        let mut stage = Stage::new();
        set_clock_before_each_page(&stage, wrong_by_ms);
        stage.open("/leave.html");
        let mut clicked_ms = vec![click(&stage)];
        stage.wait_delivered();
        stage.server.kill9();
        clicked_ms.push(click(&stage));
        wait_in_page(&stage, 5_000);
        stage.server.restart_on_same_port();
        stage.browser.reload();
        stage.wait_started();
        let logs = stage.finish(&[VIEW, ONE, ONE, VIEW]);
        check_times(&logs, &clicked_ms);
        let is_wrong = |log: &SealedLog| (instant_ms(log.text("timestamp")) - now_ms() - wrong_by_ms).abs() < 60_000;
        assert!(logs.iter().all(is_wrong), "a timestamp is by the visitor's clock");
    }
}

#[test]
fn a_clock_that_is_set_while_the_page_is_open_tells_the_right_time() {
    let mut stage = Stage::new();
    set_clock_before_each_page(&stage, 0);
    stage.open("/leave.html");
    stage.wait_delivered();
    stage.server.kill9();
    let mut clicked_ms = Vec::new();
    for wrong_by_ms in [0, 3 * YEAR_MS, -2 * YEAR_MS, 0, 40 * 60_000] {
        stage.browser.eval(&format!("setClock({wrong_by_ms})"));
        clicked_ms.push(click(&stage));
    }
    wait_in_page(&stage, 5_000);
    stage.server.restart_on_same_port();
    let logs = stage.finish(&[VIEW, ONE, ONE, ONE, ONE, ONE]);
    check_times(&logs, &clicked_ms);
}
