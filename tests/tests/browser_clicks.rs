//! Promise: a click in a real browser becomes a log that says where it was,
//! on what, and where that leads; and nothing that a visitor types.

use logdig_tests::sealed::SealedLog;
use logdig_tests::{Browser, Stage};
use serde_json::{Value, json};

const VIEW: &str = "view /index.html";

fn click_on<'a>(logs: &'a [SealedLog], link: &str) -> &'a Value {
    let mut found = logs.iter().filter(|log| log.text("type") == "click" && log.text("link").ends_with(link));
    let log = found.next().unwrap_or_else(|| panic!("a click on {link}"));
    assert!(found.next().is_none(), "one click on {link}");
    &log.json
}

/// Compares the fields that a test knows.
fn check_fields(log: &Value, expected: &Value) {
    for (field, value) in expected.as_object().expect("fields are an object") {
        let same = log[field] == *value || (value.is_number() && log[field].as_f64() == value.as_f64());
        assert!(same, "{field} must be {value}: {log}");
    }
}

/// A window of a known size, whatever frame the browser has.
fn set_window(browser: &Browser, width: u32, height: u32) {
    let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    browser.cdp("Emulation.setDeviceMetricsOverride", size);
}

#[test]
fn each_kind_of_element_is_told_as_in_the_original() {
    let stage = Stage::new();
    stage.open("/index.html");
    let selectors =
        ["#buy", "#star", "#role", "#text", "#check", "#area", "#plain", "#ignored", "#bold", "#in-link", "#host"];
    selectors.iter().for_each(|selector| stage.browser.click(selector));
    stage.finish(&[
        VIEW,
        "click /index.html button;box big red;buy;order;",
        "click /index.html span;box;star;;.0.1",
        "click /index.html div;box;role;;",
        "click /index.html input;box;text;email;",
        "click /index.html input;;check;;",
        "click /index.html https://elsewhere.example/a?b=c#d",
        "click /index.html https://elsewhere.example/a?b=c#d",
        "click /index.html button;inside;shadowed;;",
    ]);
}

#[test]
fn places_and_sizes_are_right_to_the_pixel() {
    let stage = Stage::new();
    set_window(&stage.browser, 900, 600);
    stage.open("/index.html");
    stage.browser.eval("scrollTo(30, 1200)");
    stage.browser.wait_until("the scroll", "scrollX == 30 && scrollY == 1200");
    // `#low` is at 100, 1500 with 80 × 30: this hits it 17 right, 4 down of its corner.
    stage.browser.click_at(100.0 - 30.0 + 17.0, 1500.0 - 1200.0 + 4.0);
    // `#pinned` stays at 500, 5 in the window.
    stage.browser.click_at(510.0, 12.0);
    let logs = stage.finish(&[VIEW, "click /index.html button;box;low;;", "click /index.html button;;pinned;;"]);
    let window = json!({
        "viewport_w": 900, "viewport_h": 600, "document_w": 1000, "document_h": 3000,
        "scroll_x": 30, "scroll_y": 1200, "pointer": "mouse", "trusted": null,
    });
    let low = click_on(&logs, "low;;");
    let expected = json!({"x": 117, "y": 1504, "element_x": 100, "element_y": 1500, "element_w": 80, "element_h": 30});
    check_fields(low, &expected);
    check_fields(low, &json!({"fixed": null, "element": "button#low"}));
    let pinned = click_on(&logs, "pinned;;");
    let expected = json!({"x": 540, "y": 1212, "element_x": 530, "element_y": 1205, "element_w": 100, "element_h": 30});
    check_fields(pinned, &expected);
    check_fields(pinned, &json!({"fixed": true, "element": "button#pinned"}));
    check_fields(low, &window);
    check_fields(pinned, &window);
}

#[test]
fn a_view_tells_page_window_and_browser() {
    let stage = Stage::new();
    set_window(&stage.browser, 900, 600);
    stage.open("/page2.html");
    stage.browser.click("#home");
    stage.wait_started();
    let agent = stage.browser.eval("return navigator.userAgent");
    let (from, at) = (stage.site.url("/page2.html"), stage.site.url("/index.html"));
    let logs = stage.finish(&["view /page2.html", "click /page2.html /index.html", VIEW]);
    let views: Vec<&Value> = logs.iter().filter(|log| log.text("type") == "view").map(|log| &log.json).collect();
    let find = |page: &str| views.iter().find(|view| view["current_page"] == page).expect("a view of the page");
    check_fields(find(&from), &json!({"referrer": null, "link": from, "seq": 0, "view_seq": 0, "load_count": 1}));
    check_fields(find(&at), &json!({"referrer": from, "link": at, "seq": 0, "view_seq": 0}));
    for view in &views {
        check_fields(view, &json!({"viewport_w": 900, "viewport_h": 600, "webdriver": true, "user_agent": agent}));
        assert!(view["language"].is_string() && view["time_zone"].is_string() && view["pixel_ratio"] == 1, "{view}");
        assert!(view["tracker"].is_string(), "{view}");
        assert!((0..5_000).contains(&view["spent_milli_sec"].as_i64().expect("a number")), "{view}");
        let key = view["user_key"].as_str().expect("a text");
        assert!(key.len() == 20 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    }
    assert_eq!(views[0]["user_key"], views[1]["user_key"], "one visitor");
}

#[test]
fn a_key_clicks_the_centre_of_its_element() {
    let stage = Stage::new();
    stage.open("/index.html");
    stage.browser.eval("document.querySelector('#buy').focus()");
    for kind in ["keyDown", "keyUp"] {
        let enter = json!({"type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13});
        stage.browser.cdp("Input.dispatchKeyEvent", enter);
    }
    let logs = stage.finish(&[VIEW, "click /index.html button;box big red;buy;order;"]);
    // `#buy` is at 20, 100 with 200 × 50.
    check_fields(click_on(&logs, "order;"), &json!({"x": 120, "y": 125, "pointer": "key", "trusted": null}));
}

#[test]
fn a_click_by_a_script_says_so() {
    let stage = Stage::new();
    stage.open("/index.html");
    // What is clicked first is no element, and must not trip up what follows.
    stage.browser.eval("for (const target of [document, window]) target.dispatchEvent(new Event('click'))");
    stage.browser.eval("document.querySelector('#buy').click()");
    let logs = stage.finish(&[VIEW, "click /index.html button;box big red;buy;order;"]);
    check_fields(click_on(&logs, "order;"), &json!({"x": 120, "y": 125, "trusted": false, "pointer": null}));
}

#[test]
fn one_click_is_one_log_however_it_spreads() {
    let stage = Stage::new();
    stage.open("/index.html");
    // A label passes its click on to its input; a page may change all the time.
    stage.browser.eval("setInterval(() => document.body.append(document.createElement('i')), 5)");
    stage.browser.click_at(760.0, 195.0);
    stage.browser.wait_until("the tick", "document.querySelector('#check').checked");
    stage.browser.click("#buy");
    stage.browser.click("#buy");
    stage.finish(&[
        VIEW,
        "click /index.html input;;check;;",
        "click /index.html button;box big red;buy;order;",
        "click /index.html button;box big red;buy;order;",
    ]);
}

#[test]
fn nothing_is_sent_while_a_click_is_handled() {
    let stage = Stage::new();
    stage.open("/index.html");
    for _ in 0..10 {
        stage.browser.click("#buy");
        stage.browser.click("#star");
    }
    stage.browser.click("#hash");
    stage.wait_delivered();
    let in_click = stage.browser.eval("return probe.sent.filter(request => request.inClick).length");
    assert_eq!(in_click, 0);
    assert_ne!(stage.browser.eval("return probe.sent.length"), 0, "the probe sees what is sent");
}

#[test]
fn what_a_visitor_types_is_never_sent_or_stored() {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, r#"data-server="/collect""#);
    stage.open("/index.html");
    for (selector, secret) in [("#text", "SECRET-mail"), ("#password", "SECRET-word"), ("#area", "SECRET-text")] {
        stage.browser.click(selector);
        stage.browser.type_text(selector, secret);
        stage.browser.click("#buy");
    }
    stage.wait_delivered();
    let recorded = stage.site.recorded();
    assert!(!recorded.is_empty(), "everything went through the site");
    assert!(recorded.iter().all(|request| !request.body.contains("SECRET")), "{recorded:?}");
    assert_eq!(stage.browser.eval("return JSON.stringify(localStorage).includes('SECRET')"), false);
    let stored = stage.finish(&[
        VIEW,
        "click /index.html input;box;text;email;",
        "click /index.html input;box;password;;",
        "click /index.html button;box big red;buy;order;",
        "click /index.html button;box big red;buy;order;",
        "click /index.html button;box big red;buy;order;",
    ]);
    assert!(stored.iter().all(|log| !log.json.to_string().contains("SECRET")));
}

#[test]
fn a_browser_asks_no_leave_before_it_sends() {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, r#"data-server="/collect""#);
    stage.open("/index.html");
    stage.browser.click("#buy");
    stage.browser.click("#leave");
    stage.wait_started();
    stage.wait_delivered();
    let recorded = stage.site.recorded();
    assert!(!recorded.is_empty());
    for request in &recorded {
        assert_eq!(request.method, "POST", "a preflight: {request:?}");
        let content_type = request.headers["content-type"].to_str().expect("a text");
        assert!(content_type.starts_with("text/plain"), "{content_type}");
        assert!(!request.headers.contains_key("cookie"), "no credentials: {request:?}");
        assert!(request.body.len() <= 16 * 1024, "{} bytes", request.body.len());
    }
    stage.finish(&[
        VIEW,
        "click /index.html button;box big red;buy;order;",
        "click /index.html /page2.html",
        "view /page2.html",
    ]);
}

#[test]
fn two_tags_in_a_page_are_one_tracker() {
    let stage = Stage::new();
    stage.open("/twice.html");
    stage.browser.click("#again");
    stage.finish(&["view /twice.html", "click /twice.html button;;again;;"]);
}
