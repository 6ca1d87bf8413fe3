//! Promise: a page never suffers from its tracker, and logs wait for better
//! days: a collector that hangs, that has no room, or that says never.

use logdig_tests::Stage;
use rustix::process::Signal;

const VIEW: &str = "view /index.html";
const BUY: &str = "click /index.html button;box big red;buy;order;";
const NEXT: &str = "view /page2.html";

#[test]
fn a_hanging_collector_does_not_hold_the_visitor_back() {
    let mut stage = Stage::new();
    stage.open("/index.html");
    stage.wait_delivered();
    stage.server.process().signal(Signal::STOP);
    stage.browser.click("#buy");
    stage.browser.wait_until("the click on its way", "probe.sent.length > 1");
    stage.browser.click("#buy");
    stage.server.process().signal(Signal::CONT);
    stage.finish(&[VIEW, BUY, BUY]);
}

#[test]
fn a_page_left_while_the_collector_hangs_loses_nothing() {
    let mut stage = Stage::new();
    stage.open("/index.html");
    stage.wait_delivered();
    stage.server.process().signal(Signal::STOP);
    stage.browser.click("#buy");
    stage.browser.open(&stage.site.url("/empty.html"));
    stage.server.process().signal(Signal::CONT);
    stage.open("/page2.html");
    stage.finish(&[VIEW, BUY, NEXT]);
}

#[test]
fn a_collector_without_room_gets_everything_later() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.wait_delivered();
    stage.server.set_room(Some(0));
    stage.browser.click("#buy");
    stage.browser.wait_until("the click on its way", "probe.sent.length > 1");
    stage.browser.click("#buy");
    let refused = || stage.server.metric("logdig_http_responses_total", &["status=\"503\""]);
    logdig_tests::wait::wait_until("a 503", || refused() > 0.0);
    assert_ne!(stage.browser.eval("return probe.waiting().length"), 0, "refused for now is kept");
    stage.server.set_room(None);
    stage.finish(&[VIEW, BUY, BUY]);
}

#[test]
fn what_the_collector_will_never_take_is_dropped() {
    let stage = Stage::new();
    stage.site.set_token(&stage.server, "nobodys-token");
    stage.open("/index.html");
    stage.browser.click("#buy");
    stage.wait_delivered();
    let refused = || stage.server.metric("logdig_logs_total", &["reason=\"unknown_token\""]);
    assert!(refused() >= 2.0);
    assert_eq!(stage.browser.eval("return probe.kept(/./).length - probe.drafts().length"), 0);
    stage.finish(&[]);
}

/// What pages do to the browser under a tracker; each must see its own errors
/// and no others, and the tracker must go on.
#[test]
fn pages_that_break_the_browser_are_not_broken_further() {
    let table = [
        (
            "a history that throws",
            "delete self.navigation; History.prototype.pushState = () => { throw new Error('page') }",
        ),
        ("no locks", "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"),
        ("no observers", "delete self.MutationObserver; delete self.navigation"),
    ];
    for (what, script) in table {
        let stage = Stage::new();
        stage.browser.before_each_page(script);
        stage.open("/index.html");
        stage.browser.click("#buy");
        let pushed = stage
            .browser
            .eval("try { history.pushState(1, '', '/index.html'); return 'done' } catch (e) { return e.message }");
        assert_eq!(pushed, if script.contains("pushState") { "page" } else { "done" }, "{what}");
        stage.browser.open(&stage.site.url("/page2.html"));
        stage.wait_started();
        println!("{what}");
        stage.finish(&[VIEW, BUY, NEXT]);
    }
}

#[test]
fn a_fetch_that_throws_costs_nothing_but_time() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.wait_delivered();
    stage.browser.eval("self.fetch = () => { throw new Error('page') }");
    stage.browser.click("#buy");
    stage.browser.open(&stage.site.url("/page2.html"));
    stage.wait_started();
    stage.finish(&[VIEW, BUY, NEXT]);
}
