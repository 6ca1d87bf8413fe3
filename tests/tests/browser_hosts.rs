//! Promise: whatever a page is made of, it behaves as without a tracker, and what is clicked in it is logged: in dialogs,
//! shadow trees and frames, by mouse, finger and key.

use logdig_tests::sealed::SealedLog;
use logdig_tests::wait::{wait_for, wait_until};
use logdig_tests::{Browser, Stage};
use serde_json::{Value, json};

const VIEW: &str = "view /host.html";
/// Rage and dead clicks have tests of their own; their part is not needed here.
const NO_PARTS: &str = r#"data-rage="off" data-dead="off""#;

fn stage() -> Stage {
    let stage = Stage::new();
    stage.site.set_attributes(&stage.server, NO_PARTS);
    stage
}

fn mouse(browser: &Browser, kind: &str, (x, y): (i32, i32), buttons: u32) {
    let button = if kind == "mouseMoved" && buttons == 0 { "none" } else { "left" };
    let event = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1});
    browser.cdp("Input.dispatchMouseEvent", event);
}

/// Presses at one place, moves to another in steps, and lets go there.
fn drag(browser: &Browser, from: (i32, i32), to: (i32, i32)) {
    mouse(browser, "mouseMoved", from, 0);
    mouse(browser, "mousePressed", from, 1);
    for step in 1..=4 {
        let at = |from: i32, to: i32| from + (to - from) * step / 4;
        mouse(browser, "mouseMoved", (at(from.0, to.0), at(from.1, to.1)), 1);
    }
    mouse(browser, "mouseReleased", to, 0);
}

fn press_key(browser: &Browser, key: &str, text: &str, code: u32) {
    for kind in ["keyDown", "keyUp"] {
        let event = json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code});
        browser.cdp("Input.dispatchKeyEvent", event);
    }
}

fn tap(browser: &Browser, x: i32, y: i32) {
    browser.cdp("Emulation.setTouchEmulationEnabled", json!({"enabled": true}));
    browser.cdp("Input.dispatchTouchEvent", json!({"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}));
    browser.cdp("Input.dispatchTouchEvent", json!({"type": "touchEnd", "touchPoints": []}));
}

/// Does everything there is to do on `host.html`, and gives what the page lived through.
fn live_through(stage: &Stage) -> Value {
    let browser = &stage.browser;
    browser.click("#button");
    browser.click("#prevented");
    browser.click("#stopped");
    drag(browser, (22, 90), (122, 90));
    browser.eval("story.push(['selected', getSelection().toString()]); getSelection().empty()");
    drag(browser, (60, 140), (300, 140));
    browser.click("#field");
    browser.type_text("#field", "a word\n");
    browser.click("#send");
    browser.eval("$('button').focus()");
    press_key(browser, " ", " ", 32);
    browser.cdp("Page.printToPDF", json!({}));
    browser.eval("scrollTo(0, 2000)");
    browser.wait_until("the scroll", "scrollY == 2000");
    browser.eval("history.pushState({ by: 'page' }, '', 'host.html?pushed')");
    browser.eval("story.push(history.state, history.length, location.pathname); return painted()");
    browser.eval("return story")
}

#[test]
fn a_page_lives_as_without_a_tracker() {
    let mut stories = Vec::new();
    for path in ["/host.html?bare", "/host.html"] {
        let stage = stage();
        stage.browser.open(&stage.site.url(path));
        if path == "/host.html" {
            stage.wait_started();
        }
        stories.push(live_through(&stage));
        // A link, and a form, lead where they lead; this one leaves the page at once.
        stage.browser.eval("scrollTo(0, 0); $('prevented').replaceWith($('drag'))");
        stage.browser.click("#drag");
        stage.browser.wait_until("the next page", "location.pathname == '/page2.html'");
        assert_eq!(stage.browser.messages(), [], "a tracker is silent");
    }
    let told = stories[0].to_string();
    for lived in ["\"some words", "dragstart", "beforeprint", "submit", "stopped"] {
        assert!(told.contains(lived), "the page lived through {lived}: {told}");
    }
    assert_eq!(stories[0], stories[1], "without a tracker on the left, with one on the right");
}

#[test]
fn whatever_clicks_is_told() {
    let stage = stage();
    stage.open("/host.html");
    let browser = &stage.browser;
    browser.click("#button");
    browser.click("#stopped");
    browser.click_at(190.0, 260.0);
    browser.click("#open");
    browser.click("#inside");
    browser.eval("$('dialog').close(); $('button').focus()");
    for (key, text, code) in [("Enter", "\r", 13), (" ", " ", 32)] {
        // Sooner, it would be taken for the click that a label passes on to its field.
        browser.eval("return new Promise(done => setTimeout(done, 150))");
        press_key(browser, key, text, code);
    }
    browser.eval("document.activeElement.blur()");
    tap(browser, 70, 40);
    let button = "click /host.html button;at;button;;";
    let logs = stage.finish(&[
        VIEW,
        button,
        button,
        button,
        button,
        "click /host.html button;at;stopped;;",
        "click /host.html button;;deep;;",
        "click /host.html button;at;open;;",
        "click /host.html button;;inside;;",
    ]);
    let mut clicks: Vec<&SealedLog> = logs.iter().filter(|log| log.text("type") == "click").collect();
    clicks.sort_by_key(|log| log.json["seq"].as_u64());
    let pointers: Vec<&str> = clicks.iter().map(|log| log.text("pointer")).collect();
    assert_eq!(pointers, ["mouse", "mouse", "mouse", "mouse", "mouse", "key", "key", "touch"]);
    let tapped = &clicks[7].json;
    assert_eq!([&tapped["x"], &tapped["y"]].map(|place| place.as_f64()), [Some(70.0), Some(40.0)], "{tapped}");
}

/// `form.closest` is a field where one has that name; a page must not hang or break for it.
#[test]
fn fields_named_like_what_a_tracker_calls_harm_nothing() {
    let stage = stage();
    stage.open("/host.html");
    for position in ["static", "relative", "fixed"] {
        stage
            .browser
            .eval(&format!("$('names').style.position = '{position}'; $('names').click(); $('named').click()"));
    }
    stage.browser.eval("$('names').setAttribute('role', 'button'); $('names').click()");
    stage.browser.click("#button");
    let n = |logs: &[SealedLog], link: &str| logs.iter().filter(|log| log.text("link") == link).count();
    let logs = wait_for("a click on what is not named so", || {
        let logs = stage.server.sealed_logs();
        (n(&logs, "button;at;button;;") == 1).then_some(logs)
    });
    assert_eq!(n(&logs, "button;;named;;"), 3);
    assert_eq!(stage.browser.messages(), [], "a tracker is silent");
}

#[test]
fn frames_are_documents_of_their_own() {
    let stage = stage();
    stage.open("/frames.html");
    stage.browser.eval("hold(['/leave.html', '/leave.html?second'])");
    stage.browser.wait_until("frames", "frames().every(frame => frame.probe?.isStarted())");
    stage.browser.eval("frames()[0].document.querySelector('#one').click()");
    stage.wait_delivered();
    // Their documents end; nothing of them is lost or doubled.
    stage.browser.eval("frames()[1].document.querySelector('#one').click(); hold([])");
    stage.finish(&[
        "view /frames.html",
        "view /leave.html",
        "view /leave.html?second",
        "click /leave.html button;;one;;",
        "click /leave.html?second button;;one;;",
    ]);
}

#[test]
fn frames_of_strangers_and_sandboxes_are_left_in_peace() {
    let stage = stage();
    stage.open("/frames.html");
    let stranger = stage.site.url("/leave.html?stranger").replace("127.0.0.1", "localhost");
    stage.browser.eval(&format!(
        "hold(['/leave.html?opaque', '{stranger}', '/leave.html?forms']);
         const [opaque, , forms] = document.querySelectorAll('iframe');
         opaque.sandbox = 'allow-scripts';
         forms.sandbox = 'allow-forms';
         opaque.src += '&again'"
    ));
    let logs = stage.server.wait_sealed(2);
    let is_stranger = |log: &SealedLog| log.json["current_page"] == stranger.as_str();
    assert!(logs.iter().any(is_stranger), "a frame of another origin is a page like any other");
    // What comes from nowhere is refused; it must not be tried for ever, and nobody must hear of it.
    let refused = || stage.server.metric("logdig_logs_total", &["reason=\"origin_not_allowed\""]);
    wait_until("a log from an opaque origin", || refused() > 0.0);
    stage.wait_delivered();
    assert_eq!(stage.browser.messages(), [], "a tracker is silent");
}

#[test]
fn a_prepared_page_is_no_view_before_it_is_seen() {
    let stage = stage();
    stage.open("/prerender.html");
    let prepared = "performance.getEntriesByType('navigation')[0].activationStart > 0";
    // What was prepared has had time to send by then.
    stage.browser.eval("self.waitedAt = performance.now() + 2500");
    stage.browser.wait_until("time to prepare", "performance.now() > waitedAt");
    stage.wait_delivered();
    assert_eq!(stage.server.wait_sealed(1).len(), 1, "one page was seen so far");
    stage.browser.click("#next");
    stage.browser.wait_until("the next page", "location.pathname == '/leave.html'");
    assert_eq!(stage.browser.eval(&format!("return {prepared}")), true, "it was prepared");
    stage.browser.click("#one");
    let logs = stage.finish(&[
        "view /prerender.html",
        "click /prerender.html /leave.html",
        "view /leave.html",
        "click /leave.html button;;one;;",
    ]);
    let view = logs.iter().find(|log| log.text("type") == "view" && log.text("current_page").ends_with("leave.html"));
    let engaged = view.expect("a view").json["spent_milli_sec"].as_i64().expect("a number");
    println!("seen {engaged} ms after its tracker's start");
}
