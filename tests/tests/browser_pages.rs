//! Promise: every page that a visitor sees is one view: of documents, of
//! routes of a single-page application, and on the ways back.

use logdig_tests::stage::document;
use logdig_tests::{Browser, Stage};

/// A browser without the Navigation API, as many visitors still have.
const OLD_BROWSER: &str = "Object.defineProperty(self, 'navigation', { value: undefined })";

/// The tracker's slowest look at the address is once a second: what it had to
/// find double or late, it has found by then.
fn let_slow_checks_pass(browser: &Browser) {
    browser.eval("const now = performance.now(); self.isSettled = () => performance.now() > now + 1500");
    browser.wait_until("the slowest check", "isSettled()");
}

fn with_and_without_navigation_api(test: impl Fn(&Stage) -> Vec<&'static str>) {
    for is_old in [false, true] {
        let stage = Stage::new();
        if is_old {
            stage.browser.before_each_page(OLD_BROWSER);
        }
        stage.open("/shop");
        assert_eq!(stage.browser.eval("return !self.navigation"), is_old);
        let expected = test(&stage);
        let_slow_checks_pass(&stage.browser);
        stage.finish(&expected);
    }
}

#[test]
fn each_new_address_of_an_application_is_one_view() {
    with_and_without_navigation_api(|stage| {
        let run = |script: &str| drop(stage.browser.eval(script));
        run("router.push('/shop/a')");
        run("router.vuePush('/shop/b')");
        run("router.replace('/shop/c')");
        // Nothing has changed: no view.
        run("router.push('/shop/c')");
        run("history.replaceState({ scroll: 1 }, '')");
        run("router.push('/shop/d')");
        vec!["view /shop", "view /shop/a", "view /shop/b", "view /shop/c", "view /shop/d"]
    });
}

#[test]
fn ways_back_and_hashes_are_views() {
    with_and_without_navigation_api(|stage| {
        let at =
            |path: &str| stage.browser.wait_until(path, &format!("(location.pathname + location.hash) == '{path}'"));
        stage.browser.eval("router.push('/shop/a')");
        stage.browser.eval("router.push('/shop/b')");
        stage.browser.eval("history.back()");
        at("/shop/a");
        stage.browser.eval("history.forward()");
        at("/shop/b");
        stage.browser.click("#hash");
        at("/shop/b#part");
        stage.browser.eval("location.hash = 'other'");
        at("/shop/b#other");
        vec![
            "view /shop",
            "view /shop/a",
            "view /shop/b",
            "view /shop/a",
            "view /shop/b",
            "click /shop/b /shop/b#part",
            "view /shop/b#part",
            "view /shop/b#other",
        ]
    });
}

#[test]
fn the_pages_own_history_stays_as_it_is() {
    with_and_without_navigation_api(|stage| {
        stage.browser.eval("router.push('/shop/a')");
        let state = stage.browser.eval("return history.state.by");
        assert_eq!(state, "react");
        let returned = stage.browser.eval("return history.pushState(1, '', '/shop/b') === undefined && history.state");
        assert_eq!(returned, 1);
        let error = stage.browser.eval(
            "try { history.pushState(1, '', 'https://other.example/'); return 'none'; } catch (error) { return error.name; }",
        );
        assert_eq!(error, "SecurityError", "what the page would have seen without us");
        vec!["view /shop", "view /shop/a", "view /shop/b"]
    });
}

#[test]
fn a_click_belongs_to_the_view_it_happened_in() {
    let stage = Stage::new();
    stage.open("/shop");
    stage.browser.eval("router.push('/shop/a')");
    stage.browser.click("#hash");
    let logs = stage.finish(&["view /shop", "view /shop/a", "click /shop/a /shop/a#part", "view /shop/a#part"]);
    let seq_of = |kind: &str, page: &str| {
        let log = logs.iter().find(|log| log.text("type") == kind && log.text("current_page").ends_with(page));
        let log = log.unwrap_or_else(|| panic!("a {kind} of {page}"));
        (log.json["seq"].clone(), log.json["view_seq"].clone())
    };
    assert_eq!(seq_of("click", "/shop/a").1, seq_of("view", "/shop/a").0);
    for page in ["/shop", "/shop/a", "/shop/a#part"] {
        let (seq, view_seq) = seq_of("view", page);
        assert_eq!(seq, view_seq, "{page}");
    }
}

#[test]
fn a_click_that_leaves_the_page_arrives() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.browser.click("#leave");
    stage.wait_started();
    stage.finish(&["view /index.html", "click /index.html /page2.html", "view /page2.html"]);
}

#[test]
fn a_click_into_a_new_tab_arrives_from_both() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.browser.click("#tab");
    stage.browser.switch_tab(1);
    stage.wait_started();
    stage.finish(&["view /index.html", "click /index.html /page2.html", "view /page2.html"]);
}

#[test]
fn a_reload_is_another_document_of_the_same_visitor() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.browser.click("#buy");
    stage.browser.reload();
    stage.wait_started();
    let logs = stage.finish(&[
        "view /index.html",
        "click /index.html button;box big red;buy;order;",
        "leave /index.html /index.html",
        "view /index.html",
    ]);
    let views: Vec<_> = logs.iter().filter(|log| log.text("type") == "view").collect();
    assert_ne!(document(views[0]), document(views[1]));
    assert_eq!(views[0].text("user_key"), views[1].text("user_key"));
    let mut counts: Vec<_> = logs.iter().map(|log| log.json["load_count"].as_u64()).collect();
    counts.sort_unstable();
    // From 0, one up on every load and on every log: view, click and leave; then the second load is 4.
    assert_eq!(counts, [Some(1), Some(2), Some(3), Some(5)]);
}

#[test]
fn pages_still_come_from_the_back_forward_cache() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.browser.click("#leave");
    stage.wait_started();
    let came_from_cache = |what: &str, page: &str| {
        stage.browser.wait_until(what, &format!("location.pathname == '{page}' && probe.persisted === true"));
    };
    stage.browser.back();
    came_from_cache("back, from the cache", "/index.html");
    stage.browser.click("#buy");
    stage.browser.forward();
    came_from_cache("forward, from the cache", "/page2.html");
    let logs = stage.finish(&[
        "view /index.html",
        "click /index.html /page2.html",
        "view /page2.html",
        "view /index.html",
        "click /index.html button;box big red;buy;order;",
        "view /page2.html",
    ]);
    let mut documents: Vec<_> = logs.iter().map(document).collect();
    documents.sort_unstable();
    documents.dedup();
    assert_eq!(documents.len(), 4, "a page that comes back is a document of its own");
}
