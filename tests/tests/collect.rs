//! Promise: `POST /` takes logs in every documented form, stores what is right
//! and refuses the rest by index, and answers exactly as documented.

use std::collections::BTreeSet;

use logdig_tests::server::{SEAL_LATE, Server, logdig};
use logdig_tests::wait::wait_until;
use logdig_tests::{event, http, sealed::SealedLog};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

fn ids(logs: &[SealedLog]) -> BTreeSet<&str> {
    logs.iter().map(|log| log.text("id")).collect()
}

#[test]
fn takes_logs_in_every_form() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let log = |id: &str| event::log(&token, id);
    let lines = |ids: [&str; 2]| format!("{}\n\n{}\n", log(ids[0]), log(ids[1]));
    let table = [
        ("application/json", log("object").to_string(), 1),
        ("application/json; charset=utf-8", json!([log("array.0"), log("array.1")]).to_string(), 2),
        ("text/plain;charset=UTF-8", event::envelope(&token, ["envelope.0", "envelope.1"]).to_string(), 2),
        ("TEXT/PLAIN", log("plain").to_string(), 1),
        ("application/x-ndjson", lines(["lines.0", "lines.1"]), 2),
        ("application/json", lines(["json-lines.0", "json-lines.1"]), 2),
        ("text/plain", format!("\r\n{}\r\n{}", log("crlf.0"), log("crlf.1")), 2),
        ("application/json", json!([log("spaces")]).to_string().replace(',', " ,\n\t"), 1),
    ];
    for (content_type, body, n_stored) in &table {
        let answer = server.post(content_type, body);
        assert_eq!(answer.status, 200, "{content_type} {body}: {answer:?}");
        assert_eq!(answer.json(), json!({"stored": n_stored, "refused": []}), "{content_type} {body}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    }
    let untyped = server.request("POST", "/", &[], log("untyped").to_string().as_bytes());
    assert_eq!(untyped.json(), json!({"stored": 1, "refused": []}));
    let form = server.post(FORM, event::form(&log("form")));
    assert_eq!(form.status, 200, "{form:?}");

    let stored = server.stop_and_read();
    let n_expected = table.iter().map(|(.., n)| n).sum::<usize>() + 2;
    assert_eq!((stored.len(), ids(&stored).len()), (n_expected, n_expected));
    for log in &stored {
        assert_eq!(log.json["x"], 110, "a number in every form: {}", log.json);
        assert_eq!(log.text("user_key"), "tR2VQSYNNXJwbBQLijmR");
    }
}

#[test]
fn the_envelope_speaks_for_logs_that_do_not_speak_themselves() {
    let mut server = Server::start_with(&SEAL_LATE);
    let mut envelope = event::envelope(&server.token(), ["heir", "own"]);
    envelope["referrer"] = json!("http://from.test/");
    envelope["logs"][1]["referrer"] = json!("http://elsewhere.test/");
    envelope["logs"][1]["timestamp"] = json!("2026-11-24T12:00:01.249Z");
    assert_eq!(server.post_json(&envelope).json(), json!({"stored": 2, "refused": []}));
    let stored = server.stop_and_read();
    let find = |id: &str| &stored.iter().find(|log| log.text("id") == id).expect("it was stored").json;
    let (heir, own) = (find("heir"), find("own"));
    assert_eq!((&heir["referrer"], &own["referrer"]), (&json!("http://from.test/"), &json!("http://elsewhere.test/")));
    // Sent at 12:00:01.250; made at 12:00:00.000 and 12:00:01.249.
    assert_eq!((&heir["queued_ms"], &own["queued_ms"]), (&json!(1250), &json!(1)));
    for log in [heir, own] {
        assert_eq!(log["user_agent"], "Mozilla/5.0 (X11; Linux x86_64)");
        assert_eq!(log["tracker"], "0.1.0");
        for wrapping in ["v", "sent_at", "logs", "id_by"] {
            assert!(log[wrapping].is_null(), "a line is flat: {log}");
        }
    }
}

#[test]
fn ten_fields_come_first_and_in_order() {
    let mut server = Server::start_with(&SEAL_LATE);
    // The sender's order is another one.
    let body = event::envelope(&server.token(), ["a"]).to_string();
    assert_eq!(server.post("text/plain", body).status, 200);
    server.stop();
    let lines = logdig_tests::sealed::sealed_lines(&server.data());
    let places: Vec<usize> = "timestamp token user_key current_page link x y spent_milli_sec user_agent load_count id"
        .split(' ')
        .map(|field| lines[0].find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} in {}", lines[0])))
        .collect();
    assert_eq!(places[0], 1, "{}", lines[0]);
    assert!(places.is_sorted(), "{}", lines[0]);
}

#[test]
fn a_mixed_batch_is_stored_but_for_what_is_wrong() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let mut wrong = event::log(&token, "wrong");
    wrong["x"] = json!("left");
    let batch = json!([event::log(&token, "a"), wrong, event::log("nobody", "b"), 7, event::log(&token, "c")]);
    let answer = server.post("application/json", batch.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["stored"], 2);
    let refused = body["refused"].as_array().expect("a list").iter();
    let told: Vec<Value> = refused.map(|one| json!([one["index"], one["field"], one["reason"]])).collect();
    let expected = json!([[1, "x", "not_a_number"], [2, "token", "unknown_token"], [3, null, "not_a_log"]]);
    assert_eq!(json!(told), expected);
    assert_eq!(ids(&server.stop_and_read()), BTreeSet::from(["a", "c"]));
}

#[test]
fn a_bad_line_does_not_take_its_neighbours_down() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let body = format!("{}\n{{\"half\":\n{}\n", event::log(&token, "a"), event::log(&token, "b"));
    let answer = server.post("application/x-ndjson", body);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["refused"][0]["index"], 1);
    assert_eq!(ids(&server.stop_and_read()), BTreeSet::from(["a", "b"]));
}

#[test]
fn two_tokens_in_a_request_are_two_services() {
    let mut server = Server::start_with(&SEAL_LATE);
    let local = server.token();
    let data = server.data_text();
    let add = ["service", "add", "shop", "--origin", "https://shop.example", "--token", "shop-token", "--data", &data];
    assert!(logdig(&add).status.success());
    let both = |suffix: &str| {
        json!([event::log(&local, &format!("local.{suffix}")), event::log("shop-token", &format!("shop.{suffix}"))])
    };
    // A running collector takes a change of the services within a second.
    wait_until("both services", || {
        server.post("application/json", both("program").to_string()).json()["refused"] == json!([])
    });
    let from = |origin: &str, suffix: &str| {
        let headers = [("content-type", "application/json"), ("origin", origin)];
        server.request("POST", "/", &headers, both(suffix).to_string().as_bytes())
    };
    for (origin, suffix, refused) in [("https://shop.example", "shop", 0), ("http://localhost:1234", "local", 1)] {
        let answer = from(origin, suffix);
        assert_eq!(answer.status, 200, "{answer:?}");
        let refusal = &answer.json()["refused"][0];
        assert_eq!((&refusal["index"], &refusal["reason"]), (&json!(refused), &json!("origin_not_allowed")));
    }
    let stored = server.stop_and_read();
    let expected = BTreeSet::from(["local.program", "shop.program", "shop.shop", "local.local"]);
    assert_eq!(ids(&stored), expected);
    for log in &stored {
        let token = if log.text("id").starts_with("shop.") { "shop-token" } else { &local };
        assert_eq!(log.text("token"), token);
    }
}

#[test]
fn wrong_senders_get_403() {
    let mut server = Server::start_with(&SEAL_LATE);
    let known = event::log(&server.token(), "refused").to_string();
    let unknown = event::log("nobody", "refused").to_string();
    let table = [
        (None, &unknown, "unknown_token"),
        (Some("http://localhost:5000"), &unknown, "unknown_token"),
        (Some("https://shop.example"), &known, "origin_not_allowed"),
        (Some("https://localhost.evil.example"), &known, "origin_not_allowed"),
        (Some("null"), &known, "origin_not_allowed"),
    ];
    for (origin, body, reason) in table {
        let mut headers = vec![("content-type", "text/plain")];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = server.request("POST", "/", &headers, body.as_bytes());
        assert_eq!(answer.status, 403, "{origin:?}: {answer:?}");
        assert_eq!(answer.json()["refused"][0]["reason"], reason, "{origin:?}");
        let form = server.request("POST", "/", &headers_of_form(origin), form_of(body).as_bytes());
        assert_eq!(form.status, 403, "{origin:?} as a form: {form:?}");
    }
    assert_eq!(server.stop_and_read().len(), 0);
}

fn headers_of_form(origin: Option<&str>) -> Vec<(&str, &str)> {
    std::iter::once(("content-type", FORM)).chain(origin.map(|origin| ("origin", origin))).collect()
}

fn form_of(json: &str) -> String {
    event::form(&serde_json::from_str(json).expect("it was JSON"))
}

/// Bodies in which no logs can be told apart, and the answer to each.
#[test]
fn a_request_without_logs_is_refused_as_a_whole() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let mut of_version = event::envelope(&token, ["refused"]);
    let mut version = |version: Value| {
        of_version["v"] = version;
        of_version.to_string().into_bytes()
    };
    let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    let table: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("text/plain", version(json!(2)), 400, "unsupported_version"),
        ("text/plain", version(json!(0)), 400, "unsupported_version"),
        ("text/plain", version(json!("1")), 400, "unsupported_version"),
        ("text/plain", version(json!(null)), 400, "unsupported_version"),
        ("text/plain", b"hello".to_vec(), 400, "not_json"),
        ("text/plain", b"{\"v\":1,\"logs\":[".to_vec(), 400, "not_json"),
        ("text/plain", b"\"text\"".to_vec(), 400, "not_json"),
        ("application/json", b"[]".to_vec(), 400, "no_logs"),
        ("application/json", b"{\"v\":1,\"logs\":[]}".to_vec(), 400, "no_logs"),
        ("application/x-ndjson", b"\n\n".to_vec(), 400, "no_logs"),
        ("application/json", format!("[{}]", many.join(",")).into_bytes(), 400, "too_many_logs"),
        ("application/json", b"{\"link\":\"\xff\xfe\"}".to_vec(), 400, "not_utf8"),
        ("application/xml", b"<log/>".to_vec(), 415, "unsupported_media_type"),
        ("text/plain; charset=euc-kr", b"{}".to_vec(), 415, "unsupported_media_type"),
        ("text/plain", vec![b' '; 1024 * 1024 + 1], 413, "body_too_large"),
    ];
    for (content_type, body, status, reason) in table {
        let answer = server.post(content_type, &body);
        let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(answer.status, status, "{content_type} {start}: {answer:?}");
        assert_eq!(answer.json()["reason"], reason, "{content_type} {start}");
        assert!(answer.json()["message"].as_str().is_some_and(|text| text.contains(' ')), "a sentence: {answer:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(server.post("application/json", deep).status, 400, "deep nesting");
    let gzip = [("content-type", "text/plain"), ("content-encoding", "gzip")];
    assert_eq!(server.request("POST", "/", &gzip, b"\x1f\x8b").status, 415);
    assert_eq!(server.stop_and_read().len(), 0);
}

#[test]
fn a_body_of_exactly_one_mebibyte_is_taken() {
    let mut server = Server::start_with(&SEAL_LATE);
    let log = event::log(&server.token(), "padded").to_string();
    let body = format!("{log}{}", " ".repeat(1024 * 1024 - log.len()));
    assert_eq!(server.post("application/json", &body).status, 200);
    let most = event::envelope(&server.token(), (0..4_000).map(|n| format!("many.{n}")));
    assert!(most.to_string().len() <= 1024 * 1024);
    assert_eq!(server.post_json(&most).json(), json!({"stored": 4000, "refused": []}));
    assert_eq!(server.stop_and_read().len(), 4001);
}

#[test]
fn malformed_http_does_no_harm() {
    let mut server = Server::start_with(&SEAL_LATE);
    let log = event::log(&server.token(), "short").to_string();
    let too_short = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{log}", log.len() + 10);
    let both_lengths = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: {0}\r\n\r\n{0:x}\r\n{log}\r\n0\r\n\r\n",
        log.len()
    );
    let bad_chunk = format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{log}\r\n0\r\n\r\n");
    let long_head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    let table = ["\0\u{1}\u{2}", "GET\r\n\r\n", "POST / HTTP/9.9\r\n\r\n", &too_short, &bad_chunk, &long_head];
    for request in table {
        // It may be refused while it is still being written.
        let answer = http::raw(server.address(), request.as_bytes()).unwrap_or_default();
        assert!(!answer.contains("HTTP/1.1 2"), "{request:.60}: {answer}");
        assert_eq!(server.get("/health/live").status, 200, "after {request:.60}");
    }
    // Two lengths are how one request is smuggled in another: one answer at most.
    let answer = http::raw(server.address(), both_lengths.as_bytes()).unwrap_or_default();
    assert!(answer.matches("HTTP/1.1").count() <= 1, "{answer}");
    assert!(server.stop_and_read().len() <= 1, "nothing of a broken request is stored");
}
