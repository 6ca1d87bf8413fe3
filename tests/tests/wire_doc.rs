//! Promise: `docs/WIRE.md` says what the code does: every field in order, what
//! it may hold, who sets it; its limits, and examples that are taken as shown.

use std::fs;
use std::path::Path;

use logdig::http::RequestError;
use logdig::intake::RefusalReason;
use logdig_shared::event::{Form, Kind};
use logdig_shared::limits::{BODY_BYTES_MAX, LINE_BYTES_MAX, LOGS_PER_REQUEST_MAX};
use logdig_shared::read::{BodyError, Reason, read_json};
use logdig_shared::{Event, Field, line};
use logdig_tests::event;
use serde_json::{Value, json};

fn doc() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/WIRE.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the table whose head begins with these cells.
fn table(head: &[&str]) -> Vec<Vec<String>> {
    let doc = doc();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut lines = doc.lines().skip_while(|line| !(line.starts_with('|') && cells(line).starts_with(&owned(head))));
    assert!(lines.next().is_some(), "there is a table {head:?}");
    lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn field_rows() -> Vec<(String, Vec<String>)> {
    let rows = table(&["name", "holds", "on", "example"]).into_iter();
    rows.map(|row| (row[0].trim_matches('`').to_owned(), row)).collect()
}

/// The text between a fence of this kind and its end.
fn block(kind: &str) -> String {
    let doc = doc();
    let (_, rest) = doc.split_once(&format!("```{kind}\n")).unwrap_or_else(|| panic!("there is a block of {kind}"));
    rest.split_once("```").expect("a block has an end").0.trim().to_owned()
}

/// What the page calls a field's kind.
fn holds(kind: Kind) -> String {
    match kind {
        Kind::Text(_, Form::Instant) => "instant".to_owned(),
        Kind::Text(_, Form::Currency) => "currency code".to_owned(),
        Kind::Text(bytes, Form::Any) => format!("text, up to {bytes} bytes"),
        Kind::Text(bytes, Form::NotEmpty) => format!("text, 1 to {bytes} bytes"),
        Kind::Text(bytes, Form::Id) => format!("name, 1 to {bytes} bytes"),
        Kind::Text(_, Form::OneOf(words)) => {
            format!("one of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" "))
        }
        Kind::Number => "number".to_owned(),
        Kind::Whole => "whole number".to_owned(),
        Kind::Count => "count".to_owned(),
        Kind::Flag => "flag".to_owned(),
        Kind::Scalars(bytes, values) => format!("object of up to {values} scalars, up to {bytes} bytes"),
        Kind::Object(bytes) => format!("object, up to {bytes} bytes"),
    }
}

#[test]
fn the_table_lists_every_field_in_order() {
    let told: Vec<String> = field_rows().into_iter().map(|(name, _)| name).collect();
    let names: Vec<String> = Field::ALL.iter().map(|field| field.as_str().to_owned()).collect();
    assert_eq!(told, names);
}

#[test]
fn the_table_says_what_each_field_holds_and_who_sets_it() {
    for (field, (name, row)) in Field::ALL.iter().zip(field_rows()) {
        assert_eq!(row[1], holds(field.kind()), "{name}");
        assert_eq!(row[2] == "every log", field.is_required(), "{name} is on {}", row[2]);
        assert_eq!(row[2].ends_with("by the collector"), field.is_servers(), "{name} is on {}", row[2]);
        assert!(row[4].len() > 5, "{name} is explained");
    }
}

#[test]
fn each_example_is_taken_and_stored_as_shown() {
    for (name, row) in field_rows() {
        let example: Value =
            serde_json::from_str(row[3].trim_matches('`')).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut log = event::log("token", "id");
        log["name"] = json!("x");
        log[&name] = example.clone();
        if name == "key_kind" {
            log.as_object_mut().expect("a log is an object").remove("user_key");
        }
        let line = if row[2].ends_with("by the collector") { log.to_string() } else { stored(&log.to_string()) };
        let read = line::read(&line).unwrap_or_else(|refusal| panic!("{name} = {example}: {refusal:?}"));
        assert_eq!(to_json(&read.event)[&name], example, "{name}");
    }
}

/// The line of a log as a sender writes it.
fn stored(body: &str) -> String {
    let mut logs = read_json(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
    let mut event = logs.remove(0).unwrap_or_else(|refusal| panic!("{refusal:?}: {body}"));
    if event.has_daily_key() {
        event.user_key = "the collector's part".to_owned();
    }
    write(&event)
}

fn write(event: &Event) -> String {
    let mut line = String::new();
    line::write(event, &mut line);
    line
}

fn to_json(event: &Event) -> Value {
    serde_json::from_str(&write(event)).expect("a line is JSON")
}

#[test]
fn the_envelope_and_the_line_belong_together() {
    let logs = read_json(block("json").as_bytes()).expect("the example is an envelope");
    assert!(logs.iter().all(Result::is_ok), "{logs:?}");
    let mut click = logs[1].clone().expect("the second log is right");
    click.received_at = Some("2026-11-24T12:00:01.300Z".to_owned());
    assert_eq!(write(&click).trim_end(), block("json-line"));
}

#[test]
fn the_line_of_the_original_is_read() {
    let log = line::read(&block("legacy-line")).expect("the example is a line of the original");
    assert!(log.is_legacy);
    assert_eq!((log.event.x, log.event.load_count), (Some(110.0), 2));
    assert_eq!(log.event.user_agent, "Mozilla/5.0 (Macintosh)");
}

#[test]
fn the_reasons_are_those_of_the_code() {
    let of_sender = [RefusalReason::UnknownToken, RefusalReason::OriginNotAllowed];
    let of_log = Reason::ALL.iter().map(|reason| RefusalReason::Log(*reason)).chain(of_sender);
    assert_eq!(tags(&["`reason` of a log"]), sorted(of_log.map(RefusalReason::tag)));
    let of_post = [
        RequestError::BodyTooLarge,
        RequestError::BodySlow,
        RequestError::BodyBroken,
        RequestError::UnsupportedMediaType,
        RequestError::UnsupportedEncoding,
        RequestError::Busy,
        RequestError::Unavailable,
        RequestError::ShuttingDown,
    ];
    let of_request = BodyError::ALL.iter().map(|error| error.tag());
    let of_request = of_request.chain(of_post.iter().map(RequestError::reason));
    assert_eq!(tags(&["`reason` of a request"]), sorted(of_request));
}

/// The names in the first column of a table, which may hold several.
fn tags(head: &[&str]) -> Vec<String> {
    let cells: Vec<String> = table(head).into_iter().map(|row| row[0].clone()).collect();
    sorted(cells.iter().flat_map(|cell| cell.split_whitespace()).map(|tag| tag.trim_matches('`')))
}

fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut texts: Vec<String> = texts.map(str::to_owned).collect();
    texts.sort();
    texts
}

#[test]
fn the_limits_are_those_of_the_code() {
    let told: Vec<String> = table(&["limit", "value"]).into_iter().map(|row| row[1].clone()).collect();
    let limits = [BODY_BYTES_MAX, LOGS_PER_REQUEST_MAX, LINE_BYTES_MAX].map(|limit| limit.to_string());
    assert_eq!(told, limits);
}
