//! Promise: pages that still carry the first LogDig's script work unchanged.

use logdig_tests::event::{form, percent_encode};
use logdig_tests::sealed::SealedLog;
use logdig_tests::server::SEAL_LATE;
use logdig_tests::{Server, Stage, event};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// The ten fields as that script sends them: all of them text.
fn ten_texts(token: &str) -> Value {
    let mut log = event::original(token);
    for (_, value) in log.as_object_mut().expect("a log is an object") {
        *value = json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    log
}

#[test]
fn a_good_form_is_answered_as_it_always_was() {
    let server = Server::start();
    let answer = server.post(FORM, form(&ten_texts(&server.token())));
    assert_eq!(answer.status, 200, "{answer:?}");
    let (start, end) = (r#"{"status":"Succeed to send log.","duration_millisecond":""#, "\"}");
    let milliseconds = answer.body.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let milliseconds = milliseconds.unwrap_or_else(|| panic!("{}", answer.body));
    assert!(milliseconds.parse::<f64>().is_ok_and(|duration| duration >= 0.0), "{}", answer.body);
}

#[test]
fn the_stored_line_has_numbers_and_an_id_of_the_collectors() {
    let mut server = Server::start_with(&SEAL_LATE);
    let mut log = ten_texts(&server.token());
    let awkward = "http://site.com/?q=a|b&c=d+e%20f\n\"\u{1f600}\"";
    log["current_page"] = json!(awkward);
    log["x"] = json!("");
    log["y"] = json!("-7.5");
    assert_eq!(server.post(FORM, form(&log)).status, 200);
    let stored = server.stop_and_read().remove(0).json;
    assert_eq!(stored["current_page"], awkward);
    assert_eq!((&stored["x"], &stored["y"]), (&Value::Null, &json!(-7.5)));
    assert_eq!((&stored["spent_milli_sec"], &stored["load_count"]), (&json!(1120), &json!(2)));
    assert_eq!(stored["id_by"], "server");
    assert!(stored["id"].as_str().is_some_and(|id| !id.is_empty()), "{stored}");
    assert!(stored["type"].is_null() && stored["queued_ms"].is_null(), "{stored}");
}

#[test]
fn a_bad_form_gets_400_and_a_reason() {
    let server = Server::start();
    let good = ten_texts(&server.token());
    let with = |field: &str, value: &str| {
        let mut log = good.clone();
        log[field] = json!(value);
        form(&log)
    };
    let table = [
        (with("x", "left"), "x", "not_a_number"),
        (with("x", "NaN"), "x", "not_a_number"),
        (with("spent_milli_sec", "1.5"), "spent_milli_sec", "not_a_whole_number"),
        (with("load_count", ""), "load_count", "not_a_whole_number"),
        (with("timestamp", "Tue Dec 22 2015"), "timestamp", "not_an_instant"),
        (with("user_key", ""), "user_key", "empty"),
        (format!("{}&token=second", form(&good)), "token", "twice"),
        (
            format!("{}&received_at={}", form(&good), percent_encode("2026-01-01T00:00:00Z")),
            "received_at",
            "server_field",
        ),
        (String::new(), "timestamp", "missing"),
    ];
    for (body, field, reason) in table {
        let answer = server.post(FORM, &body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let refusal = &answer.json()["refused"][0];
        assert_eq!((&refusal["field"], &refusal["reason"]), (&json!(field), &json!(reason)), "{body}");
    }
}

#[test]
fn a_page_with_that_script_works_unchanged() {
    let mut stage = Stage::new();
    let token = stage.server.token();
    let query =
        format!("?token={}&server={}", percent_encode(&token), percent_encode(&format!("{}/", stage.server.url())));
    let page = stage.site.url(&format!("/original.html{query}"));
    stage.browser.open(&page);
    stage.browser.click("#buy");
    stage.browser.click("#link");
    stage.browser.wait_until("three answers", "answers.length == 3");
    let answers = stage.browser.eval("return answers");
    let answers = answers.as_array().expect("a list");
    for answer in answers {
        assert_eq!(answer["status"], 200, "{answer}");
        assert!(answer["text"].as_str().is_some_and(|text| text.contains("Succeed to send log.")), "{answer}");
    }
    let preflights = stage.server.metric("logdig_http_responses_total", &["status=\"204\""]);
    assert_eq!(preflights, 0.0, "a form needs no leave");

    let stored = stage.server.stop_and_read();
    let mut links: Vec<_> = stored.iter().map(|log| log.text("link").to_owned()).collect();
    let mut expected = vec![page.clone(), "button;big red;buy;order;".to_owned(), format!("{page}#part")];
    links.sort();
    expected.sort();
    assert_eq!(links, expected);
    for answer in answers {
        let sent = &answer["log"];
        let count: u64 = sent["load_count"].as_str().and_then(|text| text.parse().ok()).expect("a count as text");
        let is_it = |log: &&SealedLog| log.json["load_count"] == count;
        let found = stored.iter().find(is_it).expect("each is stored");
        for field in ["timestamp", "token", "user_key", "current_page", "link", "user_agent"] {
            assert_eq!(found.json[field], sent[field], "{field}");
        }
    }
}
