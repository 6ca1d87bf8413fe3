//! Promise: besides views and clicks the tracker records how long and how far
//! a page was looked at, what visitors are angry about, and what the owner says.

use logdig_tests::Stage;
use logdig_tests::sealed::SealedLog;
use logdig_tests::wait::wait_for;
use serde_json::{Value, json};

const VIEW: &str = "view /records.html";

/// A page whose tag has these attributes, with all parts of the tracker there.
fn open_records(attributes: &str) -> Stage {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, attributes);
    stage.open("/records.html");
    stage.browser.wait_until("the part", "performance.getEntriesByType('resource').some(one => /more/.test(one.name))");
    stage
}

/// A name under which `times` clicks on an element of the page are told.
fn clicks(element: &str, times: usize) -> Vec<String> {
    vec![format!("click /records.html {element}"); times]
}

/// Waits for a log of this type, before the page is left.
fn wait_for_log(stage: &Stage, kind: &str) -> Value {
    wait_for(&format!("a {kind}"), || {
        let logs = stage.server.logs_so_far();
        logs.into_iter().find(|log| log["type"] == kind)
    })
}

fn of_type<'a>(logs: &'a [SealedLog], kind: &str) -> Vec<&'a Value> {
    logs.iter().map(|log| &log.json).filter(|log| log["type"] == kind).collect()
}

fn number(log: &Value, field: &str) -> f64 {
    log[field].as_f64().unwrap_or_else(|| panic!("{field} is a number: {log}"))
}

/// Lets time pass in the page: what is measured here is time.
fn pass(stage: &Stage, ms: u32) {
    stage.browser.eval(&format!("self.passedAt = performance.now() + {ms}"));
    stage.browser.wait_until("time to pass", "performance.now() > passedAt");
}

#[test]
fn a_leave_tells_how_long_and_how_far_a_page_was_looked_at() {
    let stage = open_records("");
    stage.browser.eval("scrollTo(0, 1500)");
    // The window is 900 high at most, of a document of 3,000.
    stage.browser.wait_until("the scroll", "scrollY == 1500");
    let seen = stage.browser.eval("return (scrollY + innerHeight) / document.documentElement.scrollHeight * 100");
    pass(&stage, 1500);
    let open_ms = stage.browser.eval("return performance.now()").as_f64().expect("a time");
    stage.open("/page2.html");
    let logs = stage.finish(&[VIEW, "leave /records.html /records.html", "view /page2.html"]);
    let leave = of_type(&logs, "leave")[0];
    let engaged_ms = number(leave, "engaged_ms");
    assert!((1500.0..open_ms + 5000.0).contains(&engaged_ms), "{leave}, open for {open_ms}");
    assert!((number(leave, "scroll_max") - seen.as_f64().expect("a number")).abs() <= 0.5, "{leave}, seen {seen}");
    assert_eq!(
        (leave["x"].clone(), leave["y"].clone(), leave["view_seq"].clone()),
        (json!(null), json!(null), json!(0))
    );
}

#[test]
fn only_what_is_visible_and_focused_is_engaged() {
    let stage = open_records("");
    stage.browser.eval("document.hasFocus = () => false; dispatchEvent(new Event('blur'))");
    let before = stage.browser.eval("return performance.now()").as_f64().expect("a time");
    pass(&stage, 2000);
    stage.open("/page2.html");
    let logs = stage.finish(&[VIEW, "leave /records.html /records.html", "view /page2.html"]);
    let engaged_ms = number(of_type(&logs, "leave")[0], "engaged_ms");
    assert!(engaged_ms < before, "{engaged_ms} of the {before} ms before it lost the focus");
}

#[test]
fn a_url_change_ends_a_view() {
    let stage = Stage::new();
    stage.open("/spa-one");
    pass(&stage, 300);
    stage.browser.eval("router.push('/spa-two')");
    pass(&stage, 300);
    stage.open("/page2.html");
    let expected =
        ["view /spa-one", "leave /spa-one /spa-one", "view /spa-two", "leave /spa-two /spa-two", "view /page2.html"];
    let logs = stage.finish(&expected);
    let (leaves, views) = (of_type(&logs, "leave"), of_type(&logs, "view"));
    for leave in leaves {
        let view = views.iter().find(|view| view["current_page"] == leave["current_page"]).expect("its view");
        assert_eq!(leave["view_seq"], view["seq"]);
    }
}

#[test]
fn a_page_that_ends_unseen_is_left_by_the_next() {
    let stage = Stage::new();
    stage.browser.new_tab();
    stage.open("/records.html");
    stage.browser.cdp("Page.bringToFront", json!({}));
    stage.browser.wait_until("a draft", "probe.drafts().length == 1");
    // No event tells the page of its end.
    stage.browser.crash_tab();
    stage.browser.switch_tab(0);
    stage.open("/page2.html");
    stage.finish(&[VIEW, "leave /records.html /records.html", "view /page2.html"]);
}

#[test]
fn three_quick_clicks_are_rage() {
    let stage = open_records("data-dead=off");
    for selector in ["#still", "#still", "#still", "#still", "#plain", "#plain", "#plain"] {
        stage.browser.click(selector);
    }
    let expected = [
        vec![
            VIEW.to_owned(),
            "rage /records.html button;;still;;".to_owned(),
            "rage /records.html div;;plain;;".to_owned(),
        ],
        clicks("button;;still;;", 4),
    ]
    .concat();
    let logs = stage.finish(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    let rage = of_type(&logs, "rage").into_iter().find(|log| log["element"] == "button#still").expect("rage");
    let mut clicks = of_type(&logs, "click");
    clicks.sort_by_key(|click| click["seq"].as_u64());
    let click = clicks[2];
    for field in ["x", "y", "element_x", "element_w", "viewport_w", "document_h", "pointer", "timestamp"] {
        assert_eq!(rage[field], click[field], "{field} of the third click");
    }
}

#[test]
fn who_selects_a_paragraph_is_not_angry() {
    let stage = open_records("");
    let place = stage.browser.eval("const box = text.getBoundingClientRect(); return [box.x + 30, box.y + 5]");
    let [x, y] = [0, 1].map(|nth| place[nth].as_f64().expect("a place"));
    for count in 1..=3 {
        stage.browser.click_at_as(x, y, count);
    }
    stage.browser.wait_until("a selection", "!getSelection().isCollapsed");
    stage.browser.click("#live");
    stage.finish(&[VIEW, "click /records.html button;;live;;"]);
}

#[test]
fn a_click_after_which_nothing_happens_is_dead() {
    let stage = open_records("data-rage=off");
    for alive in ["#live", "#attribute", "#host", "#jump", "#box"] {
        stage.browser.click(alive);
        pass(&stage, 100);
    }
    stage.browser.eval("scrollTo(0, 0)");
    stage.browser.wait_until("the scroll", "scrollY == 0");
    // Twice, and told once.
    stage.browser.click("#still");
    stage.browser.click("#still");
    let dead = wait_for_log(&stage, "dead");
    assert_eq!((dead["element"].as_str(), dead["pointer"].as_str()), (Some("button#still"), Some("mouse")));
    let expected = [
        vec![VIEW.to_owned(), "dead /records.html button;;still;;".to_owned()],
        ["button;;live;;", "button;;attribute;;", "button;;in-shadow;;", "button;;jump;;", "input;;box;;"]
            .iter()
            .flat_map(|one| clicks(one, 1))
            .collect(),
        clicks("button;;still;;", 2),
    ]
    .concat();
    stage.finish(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn moves_are_rest_positions_and_only_on_demand() {
    let stage = open_records("data-move=on");
    for (x, y) in [(300.0, 200.0), (320.0, 210.0), (400.0, 300.0)] {
        stage.browser.move_to(x, y);
        pass(&stage, 400);
    }
    stage.open("/page2.html");
    let logs = stage.finish(&[VIEW, "move /records.html /records.html", "view /page2.html"]);
    let points = of_type(&logs, "move")[0]["points"].clone();
    assert_eq!(points, "300,200;320,210;400,300");
}

#[test]
fn the_owners_own_events_are_logged_as_they_are_said() {
    let stage = Stage::new();
    stage.open("/page2.html");
    let said = "logdig('exposure', 'button', 'green');
        logdig('identify', 'customer-4711');
        logdig('event', 'order', { value: 12.5, currency: 'EUR', props: { plan: 'pro', seats: 3, trial: false } });
        logdig('event', '주문');
        logdig('event', 'large', { props: { text: 'x'.repeat(3000) } });
        logdig('no such word', 1);";
    stage.browser.eval(said);
    let link = "/page2.html /page2.html";
    let logs = stage.finish(&[
        "view /page2.html",
        &format!("exposure {link}"),
        &format!("custom {link}"),
        &format!("custom {link}"),
    ]);
    let exposure = of_type(&logs, "exposure")[0];
    assert_eq!((&exposure["experiment"], &exposure["variation"]), (&json!("button"), &json!("green")));
    assert_eq!(exposure["user_id"], json!(null), "not known yet");
    let order = of_type(&logs, "custom").into_iter().find(|log| log["name"] == "order").expect("the order");
    let expected = json!({"plan": "pro", "seats": 3, "trial": false});
    assert_eq!((&order["props"], &order["value"], &order["currency"]), (&expected, &json!(12.5), &json!("EUR")));
    assert_eq!(order["user_id"], "customer-4711");
    assert!(of_type(&logs, "custom").iter().any(|log| log["name"] == "주문"));
}

#[test]
fn the_owner_says_what_of_an_address_is_kept() {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, r#"data-query="q,page_*" data-hash="off" data-title="on""#);
    stage.open("/page2.html?q=shoes&secret=1&page_size=3&utm_source=mail&gclid=7#top");
    stage.browser.eval("location.hash = '#other'");
    stage.browser.eval("history.pushState(0, '', '?q=boots&secret=2')");
    let logs =
        stage.finish(&["view /page2.html?q=shoes&page_size=3&utm_source=mail&gclid=7", "view /page2.html?q=boots"]);
    let titles: Vec<_> = of_type(&logs, "view").into_iter().map(|view| view["title"].clone()).collect();
    assert_eq!(titles, [stage_title(), stage_title()]);
}

fn stage_title() -> Value {
    json!("Page two")
}

#[test]
fn the_owner_says_what_is_clicked_and_what_is_not() {
    let stage =
        open_records(r#"data-select=".card" data-ignore=".quiet" data-rage="off" data-dead="off" data-move="on""#);
    ["#card", "#hushed", "#plain"].iter().for_each(|selector| stage.browser.click(selector));
    stage.finish(&[VIEW, "click /records.html div;card;card;;"]);
}

#[test]
fn a_selector_that_is_none_costs_no_click() {
    let stage = open_records(r#"data-select="::nonsense(" data-ignore="<<""#);
    stage.browser.click("#live");
    stage.finish(&[VIEW, "click /records.html button;;live;;"]);
}

#[test]
fn the_function_and_the_storage_have_the_owners_names() {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, r#"data-name="stats" data-prefix="shop_""#);
    stage.browser.open(&stage.site.url("/page2.html"));
    stage.browser.wait_until("the start", "localStorage['shop_load_count'] && typeof stats == 'function'");
    stage.browser.eval("stats('event', 'renamed')");
    let names =
        stage.browser.eval("return typeof logdig + Object.keys(localStorage).filter(name => !/^shop_/.test(name))");
    assert_eq!(names, "undefined");
    stage.finish(&["view /page2.html", "custom /page2.html /page2.html"]);
}

#[test]
fn what_is_done_before_the_tracker_is_there_is_logged() {
    let stage = Stage::new();
    stage.site.set_snippet(&stage.server);
    // The tracker comes when the test says so.
    stage
        .browser
        .before_each_page("HTMLHeadElement.prototype.appendChild = function (script) { self.later = script; }");
    stage.browser.open(&stage.site.url("/records.html"));
    stage.browser.click("#live");
    stage.browser.click("#plain");
    stage.browser.eval("logdig('event', 'early', { value: 1 })");
    stage.browser.eval("document.head.append(later)");
    stage.browser.wait_until("the start", "!logdig.q");
    stage.browser.click("#still");
    let logs = stage.finish(&[
        VIEW,
        "click /records.html button;;live;;",
        "custom /records.html /records.html",
        "click /records.html button;;still;;",
    ]);
    assert_eq!(of_type(&logs, "custom")[0]["name"], "early");
}

#[test]
fn vitals_come_with_the_leave_of_the_page_that_was_loaded() {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, "data-vitals=on");
    stage.open("/records.html");
    stage
        .browser
        .wait_until("the part", "performance.getEntriesByType('resource').some(one => /vitals/.test(one.name))");
    pass(&stage, 500);
    stage.browser.click("#live");
    pass(&stage, 500);
    stage.open("/page2.html");
    let logs = stage.finish(&[
        VIEW,
        "click /records.html button;;live;;",
        "leave /records.html /records.html",
        "view /page2.html",
    ]);
    let leave = of_type(&logs, "leave")[0];
    for (field, most) in [("fcp_ms", 20_000.0), ("lcp_ms", 20_000.0), ("ttfb_ms", 20_000.0), ("cls", 1.0)] {
        assert!((0.0..most).contains(&number(leave, field)), "{field}: {leave}");
    }
}
