//! Promise: each log arrives, and is stored once: however a page ends, however long the collector is away, and whatever
//! stands between the two answers instead of it.

use std::time::{Duration, Instant};

use logdig_tests::wait::{wait_for, wait_until};
use logdig_tests::{Fault, Front, Stage};

const VIEW: &str = "view /leave.html";
const ONE: &str = "click /leave.html button;;one;;";
const OUT: &str = "click /leave.html /empty.html";

/// A stage whose pages send to a front.
fn behind_front() -> (Stage, Front) {
    let stage = Stage::new();
    let front = Front::start(&stage.server);
    // Views and clicks alone, so that what is counted is known.
    let attributes = format!(r#"{} data-rage="off" data-dead="off""#, front.attribute());
    stage.site.set_attributes(&stage.server, &attributes);
    (stage, front)
}

fn n_stored(stage: &Stage) -> usize {
    stage.server.metric("logdig_logs_total", &["outcome=\"stored\""]) as usize
}

/// What is to be stored: the first so often, the second so often, and so on.
fn times(logs: &[(usize, &'static str)]) -> Vec<&'static str> {
    logs.iter().flat_map(|(n, log)| vec![*log; *n]).collect()
}

fn click_one(stage: &Stage, n_clicks: usize) {
    for _ in 0..n_clicks {
        stage.browser.click("#one");
    }
}

/// Has the page's own script click, each time at another place; a thousand real clicks would take a minute.
fn click_by_script(stage: &Stage, n_clicks: usize) {
    stage.browser.eval(&format!(
        "for (let x = 0; x < {n_clicks}; x++)
           document.querySelector('#one').dispatchEvent(new MouseEvent('click', {{ bubbles: true, detail: 1, clientX: x }}))"
    ));
}

/// Opens a page of the site and measures until everything that was left behind has been delivered.
fn open_and_deliver(stage: &Stage, what: &str) {
    stage.open("/leave.html");
    let opened = Instant::now();
    stage.wait_delivered();
    println!("{what}: all delivered {} ms after the next page's start", opened.elapsed().as_millis());
}

#[test]
fn ten_of_ten_clicks_arrive_from_pages_that_are_left_at_once() {
    let stage = Stage::new();
    for round in 1..=10 {
        stage.open("/leave.html");
        stage.browser.click("#out");
        // Nothing is left that could send them again.
        wait_until("a view and a click", || n_stored(&stage) >= 2 * round);
    }
    open_and_deliver(&stage, "pages left at once");
    stage.finish(&times(&[(11, VIEW), (10, OUT)]));
}

#[test]
fn ten_of_ten_clicks_arrive_from_tabs_that_are_closed_at_once() {
    let stage = Stage::new();
    for round in 1..=10 {
        stage.browser.new_tab();
        stage.open("/leave.html");
        click_one(&stage, 1);
        stage.browser.close_tab();
        stage.browser.switch_tab(0);
        wait_until("a view and a click", || n_stored(&stage) >= 2 * round);
    }
    open_and_deliver(&stage, "tabs closed at once");
    stage.finish(&times(&[(11, VIEW), (10, ONE)]));
}

/// Opens so many tabs beside the first, clicks in each while the collector is down, closes them, brings the collector
/// back and opens a page.
fn click_while_down_and_close(n_tabs: usize, n_clicks: usize, click: fn(&Stage, usize)) {
    let mut stage = Stage::new();
    for _ in 0..n_tabs {
        stage.browser.new_tab();
        stage.open("/leave.html");
        stage.wait_delivered();
    }
    stage.server.kill9();
    for tab in 1..=n_tabs {
        stage.browser.switch_tab(tab);
        click(&stage, n_clicks);
    }
    for tab in (1..=n_tabs).rev() {
        stage.browser.switch_tab(tab);
        stage.browser.close_tab();
    }
    stage.browser.switch_tab(0);
    stage.server.restart_on_same_port();
    open_and_deliver(&stage, &format!("{n_tabs} closed tabs, {n_clicks} clicks each"));
    stage.finish(&times(&[(n_tabs + 1, VIEW), (n_tabs * n_clicks, ONE)]));
}

#[test]
fn five_of_five_clicks_outlive_a_dead_collector_and_their_tab() {
    click_while_down_and_close(1, 5, click_one);
}

#[test]
fn ten_of_ten_clicks_outlive_a_dead_collector_and_two_tabs() {
    click_while_down_and_close(2, 5, click_one);
}

#[test]
fn all_of_five_hundred_clicks_outlive_a_dead_collector_and_their_tab() {
    click_while_down_and_close(1, 500, click_by_script);
}

#[test]
fn five_of_five_clicks_arrive_when_the_page_outlasts_the_dead_collector() {
    let mut stage = Stage::new();
    stage.open("/leave.html");
    stage.wait_delivered();
    stage.server.kill9();
    click_one(&stage, 5);
    stage.browser.wait_until("a request in vain", "probe.sent.length > 1");
    stage.server.restart_on_same_port();
    stage.finish(&times(&[(1, VIEW), (5, ONE)]));
}

#[test]
fn slow_answers_cost_nothing_and_double_nothing() {
    let (stage, front) = behind_front();
    front.set(Fault::Slow(Duration::from_secs(2)));
    for _ in 0..3 {
        stage.open("/leave.html");
        click_one(&stage, 2);
        stage.browser.click("#out");
        stage.browser.wait_until("the other page", "location.pathname == '/empty.html'");
    }
    stage.open("/leave.html");
    click_one(&stage, 2);
    stage.finish(&times(&[(4, VIEW), (8, ONE), (3, OUT)]));
}

#[test]
fn what_may_succeed_later_is_kept_and_stored_once() {
    let (stage, front) = behind_front();
    stage.open("/leave.html");
    stage.wait_delivered();
    let faults = [
        (Fault::Status(500), 500),
        (Fault::Status(502), 502),
        (Fault::Status(408), 408),
        (Fault::Status(425), 425),
        (Fault::Status(429), 429),
        (Fault::RetryAfter(503, 60), 503),
        (Fault::AnswerLost, 504),
    ];
    for (fault, status) in faults {
        front.set(fault);
        click_one(&stage, 5);
        wait_until(&format!("an answer of {status}"), || front.n_answered(status) > 0);
        front.set(Fault::None);
        // The browser says so when its network is back; what is owed to a collector's patience is told below.
        stage.browser.eval("dispatchEvent(new Event('online'))");
        stage.wait_delivered();
    }
    stage.finish(&times(&[(1, VIEW), (5 * faults.len(), ONE)]));
}

#[test]
fn nothing_is_sent_before_the_time_that_retry_after_tells() {
    // More than the tracker's own first wait, which is 3.75 s at most.
    const RETRY_AFTER_S: u64 = 6;
    let (stage, front) = behind_front();
    stage.open("/leave.html");
    stage.wait_delivered();
    let n_before = front.requests().len();
    front.set(Fault::RetryAfter(429, RETRY_AFTER_S));
    click_one(&stage, 1);
    wait_until("a 429", || front.n_answered(429) > 0);
    front.set(Fault::None);
    click_one(&stage, 4);
    stage.wait_delivered();
    let requests = front.requests().split_off(n_before);
    let (_, refused_at) = requests[0].answered.expect("it was answered");
    let waited = requests[1].at - refused_at;
    assert!(waited >= Duration::from_secs(RETRY_AFTER_S), "it came again {waited:?} later");
    println!("asked to wait for {RETRY_AFTER_S} s, it came again {waited:?} later");
    stage.finish(&times(&[(1, VIEW), (5, ONE)]));
}

#[test]
fn a_body_too_large_is_halved_until_all_is_there() {
    const LIMIT: usize = 2_500;
    let (stage, front) = behind_front();
    stage.open("/leave.html");
    stage.wait_delivered();
    front.set(Fault::LargerThan(LIMIT));
    click_by_script(&stage, 60);
    stage.wait_delivered();
    let is_large = |bytes: usize| bytes > LIMIT;
    let requests = front.requests();
    for request in &requests {
        let size = request.body.len();
        assert_eq!(request.is_answered(413), is_large(size), "{size} bytes: {:?}", request.answered);
    }
    let n_refused = requests.iter().filter(|request| is_large(request.body.len())).count();
    assert!((1..=9).contains(&n_refused), "{n_refused} were too large: it must learn, not try all sizes");
    stage.finish(&times(&[(1, VIEW), (60, ONE)]));
}

/// What is refused for good is not sent again, neither by its page nor by the next, and later logs of the document tell how many.
#[test]
fn what_is_refused_for_good_is_dropped_once_and_counted() {
    let (stage, front) = behind_front();
    stage.open("/leave.html");
    stage.wait_delivered();
    for (nth, status) in [400, 403, 404].into_iter().enumerate() {
        front.set(Fault::Status(status));
        // At once, so that they travel together.
        click_by_script(&stage, 3 + nth);
        stage.wait_delivered();
        front.set(Fault::None);
        click_one(&stage, 1);
        stage.wait_delivered();
    }
    stage.open("/leave.html");
    stage.wait_delivered();
    let requests = front.requests();
    for refused in requests.iter().filter(|request| !request.is_answered(200)) {
        for id in refused.ids() {
            let n_times = requests.iter().filter(|request| request.ids().contains(&id)).count();
            assert_eq!(n_times, 1, "{id} was sent again");
        }
    }
    let logs = wait_for("what arrived", || {
        let logs = stage.server.sealed_logs();
        let n_logs = logs.iter().filter(|log| matches!(log.text("type"), "view" | "click")).count();
        (n_logs == 5).then_some(logs)
    });
    let of_clicks = logs.iter().filter(|log| log.text("type") == "click");
    let mut counted: Vec<_> = of_clicks.filter_map(|log| log.json["extra"]["dropped"].as_u64()).collect();
    counted.sort_unstable();
    assert_eq!(counted, [3, 3 + 4, 3 + 4 + 5]);
    assert_eq!(stage.browser.messages(), [], "a tracker is silent");
}

#[test]
fn a_collector_that_never_answers_costs_no_log() {
    let (stage, front) = behind_front();
    front.set(Fault::Hang);
    stage.open("/leave.html");
    click_one(&stage, 3);
    stage.browser.click("#out");
    stage.browser.wait_until("the other page", "location.pathname == '/empty.html'");
    stage.open("/leave.html");
    click_one(&stage, 3);
    wait_until("requests that hang", || front.requests().iter().any(|request| request.answered.is_none()));
    front.set(Fault::None);
    stage.browser.reload();
    stage.wait_started();
    stage.finish(&times(&[(3, VIEW), (6, ONE), (1, OUT)]));
}

#[test]
fn a_tracker_asks_no_leave_and_sends_no_credentials() {
    let (stage, front) = behind_front();
    stage.open("/leave.html");
    click_by_script(&stage, 100);
    stage.browser.click("#out");
    stage.browser.wait_until("the other page", "location.pathname == '/empty.html'");
    stage.open("/leave.html");
    stage.wait_delivered();
    for request in front.requests() {
        assert_eq!(request.method, "POST", "a preflight: {request:?}");
        assert!(!request.headers.contains_key("cookie"), "{request:?}");
        assert!(request.body.len() <= 16 * 1024, "{} bytes", request.body.len());
    }
    stage.finish(&times(&[(2, VIEW), (100, ONE), (1, OUT)]));
}
