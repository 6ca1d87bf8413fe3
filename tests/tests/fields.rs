//! Promise: every field is checked on its own: at its limit it is stored as it
//! came, one past it, of a wrong type or absent it is refused, by field and
//! reason, and the log with it.

use std::collections::BTreeMap;

use logdig_tests::server::{SEAL_LATE, Server, logdig};
use logdig_tests::{event, sealed::SealedLog};
use serde_json::{Value, json};

/// 2^53 - 1: what JavaScript counts up to exactly.
const WHOLE_MAX: i64 = 9_007_199_254_740_991;

/// What one field takes, and what it refuses for which reason.
struct Row {
    field: &'static str,
    taken: Vec<Value>,
    refused: Vec<(Value, &'static str)>,
}

fn row(field: &'static str, taken: Vec<Value>, refused: Vec<(Value, &'static str)>) -> Row {
    Row { field, taken, refused }
}

/// A text without form, of at most so many bytes.
fn text(field: &'static str, bytes_max: usize) -> Row {
    // In UTF-8 `é` has two bytes: limits are bytes, not characters.
    let two_byte = format!("{}{}", "é".repeat(bytes_max / 2), "x".repeat(bytes_max % 2));
    row(
        field,
        vec![json!("x".repeat(bytes_max)), json!(two_byte), json!("a|b\n\"c\"\\\u{0}\u{1f600}")],
        vec![
            (json!("x".repeat(bytes_max + 1)), "too_long"),
            (json!(format!("{two_byte}é")), "too_long"),
            (json!(12), "not_a_text"),
            (json!(["x"]), "not_a_text"),
        ],
    )
}

fn short_text(field: &'static str, bytes_max: usize) -> Row {
    let mut row = text(field, bytes_max);
    row.taken.pop();
    row
}

/// As [`text`], but not empty.
fn name(field: &'static str, bytes_max: usize) -> Row {
    let mut row = text(field, bytes_max);
    row.refused.push((json!(""), "empty"));
    row
}

/// CSS pixels and other measures.
fn number(field: &'static str) -> Row {
    let wrong = [json!("110"), json!(true), json!({}), json!([1])];
    row(
        field,
        vec![json!(0), json!(-12.5), json!(1e300)],
        wrong.into_iter().map(|value| (value, "not_a_number")).collect(),
    )
}

fn whole(field: &'static str) -> Row {
    let wrong = [json!(WHOLE_MAX + 1), json!(-WHOLE_MAX - 1), json!(1.5), json!("5"), json!(null), json!(false)];
    row(
        field,
        vec![json!(0), json!(-WHOLE_MAX), json!(WHOLE_MAX)],
        wrong.into_iter().map(|value| (value, "not_a_whole_number")).collect(),
    )
}

fn count(field: &'static str) -> Row {
    let wrong = [json!(-1), json!(WHOLE_MAX + 1), json!(1.5), json!("5"), json!(true)];
    row(field, vec![json!(0), json!(WHOLE_MAX)], wrong.into_iter().map(|value| (value, "not_a_count")).collect())
}

fn flag(field: &'static str) -> Row {
    let wrong = [json!("true"), json!(1), json!({})];
    row(field, vec![json!(true), json!(false)], wrong.into_iter().map(|value| (value, "not_a_flag")).collect())
}

fn words(field: &'static str, words: &[&str]) -> Row {
    let taken = words.iter().map(|word| json!(word)).collect();
    row(field, taken, vec![(json!("Other"), "not_allowed"), (json!(""), "not_allowed"), (json!(3), "not_a_text")])
}

/// An object whose JSON text has exactly so many bytes.
fn object_of(bytes: usize) -> Value {
    json!({"k": "x".repeat(bytes - r#"{"k":""}"#.len())})
}

fn scalars(n: usize) -> Value {
    (0..n).map(|index| (format!("k{index}"), json!(index))).collect::<serde_json::Map<_, _>>().into()
}

fn instant() -> Row {
    let wrong = ["", "yesterday", "2026-11-24", "2026-11-24T12:00:00.000", "2026-11-24T12:00:00.000+01:00"];
    let mut refused: Vec<_> = wrong.iter().map(|text| (json!(text), "not_an_instant")).collect();
    refused.push((json!(1_448_000_000), "not_a_text"));
    row("timestamp", vec![json!("2015-12-22T06:19:03.366Z"), json!("2026-11-24T12:00:00.123456789Z")], refused)
}

fn table() -> Vec<Row> {
    let mut rows = vec![
        instant(),
        name("user_key", 64),
        text("current_page", 8 * 1024),
        text("link", 8 * 1024),
        number("x"),
        number("y"),
        whole("spent_milli_sec"),
        text("user_agent", 1024),
        whole("load_count"),
        row(
            "id",
            vec![json!("A-z_0.9"), json!("x".repeat(64))],
            vec![
                (json!("x".repeat(65)), "too_long"),
                (json!(""), "empty"),
                (json!("a b"), "not_allowed"),
                (json!("é"), "not_allowed"),
                (json!(7), "not_a_text"),
            ],
        ),
        words("type", &["view", "click", "leave", "rage", "dead", "move"]),
        short_text("tracker", 16),
        words("key_kind", &["daily"]),
        text("user_id", 128),
        text("referrer", 8 * 1024),
        text("title", 256),
        text("language", 64),
        text("time_zone", 64),
        text("element", 256),
        words("pointer", &["mouse", "touch", "pen", "key"]),
        text("points", 2 * 1024),
        name("name", 64),
        name("experiment", 64),
        name("variation", 64),
        row(
            "props",
            vec![json!({}), json!({"a": 1, "b": "x", "c": true, "d": null}), scalars(30), object_of(2 * 1024)],
            vec![
                (scalars(31), "too_many"),
                (object_of(2 * 1024 + 1), "too_long"),
                (json!({"a": {}}), "not_a_scalar"),
                (json!({"a": [1]}), "not_a_scalar"),
                (json!("a"), "not_an_object"),
                (json!([]), "not_an_object"),
            ],
        ),
        row(
            "currency",
            vec![json!("KRW")],
            vec![(json!("krw"), "not_allowed"), (json!("KRWX"), "not_allowed"), (json!(410), "not_a_text")],
        ),
        row(
            "extra",
            vec![json!({"deep": {"a": [1, {"b": "\n"}]}}), object_of(4 * 1024)],
            vec![(object_of(4 * 1024 + 1), "too_long"), (json!("a"), "not_an_object")],
        ),
    ];
    rows.extend(["seq", "view_seq", "engaged_ms"].map(count));
    rows.extend(["fixed", "trusted", "webdriver"].map(flag));
    rows.extend(MEASURES.map(number));
    rows
}

const MEASURES: [&str; 20] = [
    "screen_w",
    "screen_h",
    "viewport_w",
    "viewport_h",
    "document_w",
    "document_h",
    "pixel_ratio",
    "scroll_x",
    "scroll_y",
    "element_x",
    "element_y",
    "element_w",
    "element_h",
    "scroll_max",
    "lcp_ms",
    "inp_ms",
    "cls",
    "fcp_ms",
    "ttfb_ms",
    "value",
];

#[test]
fn each_field_is_taken_at_its_limit_and_refused_past_it() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let mut expected = BTreeMap::new();
    for Row { field, taken, refused } in table() {
        for (number, value) in taken.into_iter().enumerate() {
            let mut log = event::log(&token, &format!("{field}.{number}"));
            log[field] = value.clone();
            if field == "key_kind" {
                log.as_object_mut().expect("a log is an object").remove("user_key");
            }
            let answer = server.post("application/json", log.to_string());
            assert_eq!(answer.status, 200, "{field} = {value}: {answer:?}");
            let id = log["id"].as_str().expect("an id is a text").to_owned();
            assert_eq!(expected.insert(id, (field, value)), None, "the test's ids are unique");
        }
        for (value, reason) in refused {
            let mut log = event::log(&token, "refused");
            log[field] = value.clone();
            check_refused(&server, &log, json!(field), reason);
        }
    }
    let stored = server.stop_and_read();
    assert_eq!(stored.len(), expected.len(), "what was refused is not stored");
    for log in stored {
        let (field, value) = &expected[log.text("id")];
        assert!(same(&log.json[*field], value), "{field} was {value} and is {}", log.json[*field]);
    }
}

/// Numbers are the same when their values are: 1e300 may be written out.
fn same(stored: &Value, sent: &Value) -> bool {
    stored == sent || (sent.is_number() && stored.as_f64() == sent.as_f64())
}

fn check_refused(server: &Server, log: &Value, field: Value, reason: &str) {
    let answer = server.post("application/json", log.to_string());
    let value = log[field.as_str().unwrap_or_default()].to_string();
    let value: String = value.chars().take(60).collect();
    assert_eq!(answer.status, 400, "{field} = {value}: {answer:?}");
    let refusal = &answer.json()["refused"][0];
    let found = json!([answer.json()["stored"], refusal["index"], refusal["field"], refusal["reason"]]);
    assert_eq!(found, json!([0, 0, field, reason]), "{field} = {value}");
    assert!(refusal["message"].as_str().is_some_and(|message| message.contains(' ')), "a sentence: {refusal}");
}

#[test]
fn a_token_may_have_128_bytes() {
    let server = Server::start();
    let longest = "t".repeat(128);
    let origin = "https://shop.example";
    let data = server.data_text();
    let added = logdig(&["service", "add", "long", "--origin", origin, "--token", &longest, "--data", &data]);
    assert!(added.status.success());
    logdig_tests::wait::wait_until("the new service", || {
        server.post("application/json", event::log(&longest, "long").to_string()).status == 200
    });
    for (token, reason) in [(json!("t".repeat(129)), "too_long"), (json!(""), "empty"), (json!(5), "not_a_text")] {
        let mut log = event::log("", "refused");
        log["token"] = token;
        check_refused(&server, &log, json!("token"), reason);
    }
}

#[test]
fn each_of_the_ten_must_be_there_and_no_other() {
    let mut server = Server::start_with(&SEAL_LATE);
    let complete = event::original(&server.token());
    for field in complete.as_object().expect("a log is an object").keys() {
        let mut log = complete.clone();
        log.as_object_mut().expect("a log is an object").remove(field);
        check_refused(&server, &log, json!(field), "missing");
        let answer = server.post("application/x-www-form-urlencoded", event::form(&log));
        assert_eq!(answer.status, 400, "form without {field}: {answer:?}");
        assert_eq!(answer.json()["refused"][0]["field"], json!(field));
    }
    assert_eq!(server.post("application/json", complete.to_string()).status, 200);
    let stored = server.stop_and_read();
    assert_eq!(stored.len(), 1);
    check_complete(&stored[0], &complete);
}

/// The ten first and in order, then what the collector added, and nothing else.
fn check_complete(stored: &SealedLog, sent: &Value) {
    for (field, value) in sent.as_object().expect("a log is an object") {
        assert_eq!(&stored.json[field], value, "{field}");
    }
    let n_fields = stored.json.as_object().map_or(0, serde_json::Map::len);
    assert_eq!(n_fields, 13, "the ten, id, received_at and id_by: {}", stored.json);
    assert_eq!(stored.json["id_by"], "server");
}

#[test]
fn what_the_type_needs_must_be_there() {
    let server = Server::start();
    let table = [
        (json!({"type": "custom"}), "name"),
        (json!({"type": "exposure", "variation": "b"}), "experiment"),
        (json!({"type": "exposure", "experiment": "a"}), "variation"),
    ];
    for (fields, missing) in table {
        let log = with_fields(event::log(&server.token(), "refused"), &fields);
        check_refused(&server, &log, json!(missing), "missing");
    }
    for fields in
        [json!({"type": "custom", "name": "buy"}), json!({"type": "exposure", "experiment": "a", "variation": "b"})]
    {
        let log = with_fields(event::log(&server.token(), "taken"), &fields);
        assert_eq!(server.post("application/json", log.to_string()).status, 200, "{fields}");
    }
}

#[test]
fn what_the_collector_sets_may_not_be_brought() {
    let server = Server::start();
    let forged = [
        ("received_at", json!("2015-12-22T06:19:03.366Z")),
        ("received_at", json!(null)),
        ("queued_ms", json!(5)),
        ("id_by", json!("server")),
    ];
    for (field, value) in forged {
        let log = with_fields(event::log(&server.token(), "refused"), &json!({ field: value }));
        check_refused(&server, &log, json!(field), "server_field");
        let mut envelope = event::envelope(&server.token(), ["refused"]);
        envelope[field] = value;
        assert_eq!(server.post_json(&envelope).status, 400, "{field} in the envelope");
    }
}

#[test]
fn unknown_fields_are_kept_as_they_came() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let unknown = json!({"new": {"a": [1, null]}, "newer": "x|\n", "extra": {"own": true}});
    let log = with_fields(event::log(&token, "unknown"), &unknown);
    assert_eq!(server.post("application/json", log.to_string()).status, 200);
    let too_many = json!({"new": "x".repeat(4 * 1024)});
    check_refused(&server, &with_fields(event::log(&token, "refused"), &too_many), json!("extra"), "too_long");
    let stored = server.stop_and_read();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].json["extra"], json!({"own": true, "new": {"a": [1, null]}, "newer": "x|\n"}));
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let server = Server::start();
    let log = event::log(&server.token(), "refused").to_string().replacen('{', "{\"x\":1,", 1);
    let answer = server.post("application/json", log);
    assert_eq!(answer.status, 400, "{answer:?}");
    let refusal = &answer.json()["refused"][0];
    assert_eq!((&refusal["field"], &refusal["reason"]), (&json!("x"), &json!("twice")));
}

#[test]
fn a_line_that_would_be_too_long_is_refused() {
    let server = Server::start();
    // Each of these characters becomes six in the stored line: `\u0001`.
    let worst = json!("\u{1}".repeat(8 * 1024));
    let log = with_fields(event::log(&server.token(), "long"), &json!({"link": worst, "current_page": worst}));
    check_refused(&server, &log, Value::Null, "too_long");
}

#[test]
fn halves_of_surrogate_pairs_become_the_replacement_character() {
    let mut server = Server::start_with(&SEAL_LATE);
    let text = event::log(&server.token(), "half").to_string();
    let text = text.replace("http://shop.test/page.html", r"a\ud83d b\ude00 c\ud83d\ude00");
    assert_eq!(server.post("application/json", text).status, 200);
    assert_eq!(server.stop_and_read()[0].text("link"), "a\u{fffd} b\u{fffd} c\u{1f600}");
}

fn with_fields(mut log: Value, fields: &Value) -> Value {
    for (field, value) in fields.as_object().expect("fields are an object") {
        log[field] = value.clone();
    }
    log
}
