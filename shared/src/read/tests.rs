//! What one side writes, the other reads back equal; what is wrong is named.

use super::*;
use crate::{
    event::{Form, Json, Kind},
    json::ObjectWriter,
    line,
};
use alloc::{
    format,
    string::{String, ToString},
    vec,
};
use proptest::{collection::vec as vec_of, prelude::*};
use serde_json::Value;

/// The ten fields of a log, as JSON.
const TEN: &str = r#""timestamp":"2015-12-22T06:19:03.366Z","token":"t","user_key":"u","current_page":"http://a/","link":"b;;;;","x":1,"y":2,"spent_milli_sec":3,"user_agent":"M","load_count":4"#;

fn log_with(more: &str) -> ReadLog {
    let comma = if more.is_empty() { "" } else { "," };
    read_json(format!("{{{TEN}{comma}{more}}}").as_bytes()).unwrap().remove(0)
}

fn refusal_of(log: ReadLog) -> (Option<&'static str>, &'static str) {
    let refusal = log.expect_err("a refusal");
    (refusal.field.map(Field::as_str), refusal.reason.tag())
}

/// Values that a field of a kind allows, the awkward ones among them.
fn values(kind: Kind) -> BoxedStrategy<Value> {
    let awkward = prop_oneof![
        any::<String>(),
        vec_of(prop_oneof![Just("|"), Just("\""), Just("\\"), Just("\n"), Just("\0"), Just("😀"), Just("é")], 0..8)
            .prop_map(|parts| parts.concat()),
    ];
    match kind {
        Kind::Text(max, Form::Any | Form::NotEmpty) => awkward
            .prop_map(move |text| {
                let cut = (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                Value::from(if cut == 0 { "x" } else { &text[..cut] })
            })
            .boxed(),
        Kind::Text(_, Form::Id) => "[A-Za-z0-9._-]{1,64}".prop_map(Value::from).boxed(),
        Kind::Text(_, Form::Instant) => {
            "20[0-9]{2}-0[1-9]-[12][0-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z".prop_map(Value::from).boxed()
        }
        Kind::Text(_, Form::Currency) => "[A-Z]{3}".prop_map(Value::from).boxed(),
        // A kind of log that needs further fields is tried in a test of its own.
        Kind::Text(_, Form::OneOf(words)) => Just(Value::from(words[0])).boxed(),
        Kind::Number => any::<f64>().prop_filter("JSON has no others", |x| x.is_finite()).prop_map(Value::from).boxed(),
        Kind::Whole => (-crate::limits::WHOLE_MAX..=crate::limits::WHOLE_MAX).prop_map(Value::from).boxed(),
        Kind::Count => (0..=crate::limits::WHOLE_MAX).prop_map(Value::from).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Scalars(..) | Kind::Object(_) => {
            awkward.prop_map(|text| serde_json::json!({"k": text, "n": 1.5, "b": null})).boxed()
        }
    }
}

/// A log with all required fields and some of the others.
fn events() -> impl Strategy<Value = (Event, Vec<(Field, Value)>)> {
    let of_field = |field: &'static Field| {
        let some = values(field.kind()).prop_map(Some);
        let value = if field.is_required() { some.boxed() } else { prop_oneof![some, Just(None)].boxed() };
        value.prop_map(|value| value.map(|value| (*field, value)))
    };
    let fields: Vec<_> = Field::ALL.iter().map(of_field).collect();
    fields.prop_map(|set| {
        let set: Vec<_> = set.into_iter().flatten().collect();
        let mut event = Event::default();
        for (field, value) in &set {
            event.read_field(*field, Raw::Json(&value.to_string())).unwrap();
        }
        (event, set)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Our reader gives back the log; an independent one (serde_json) finds the same values in the same order.
    #[test]
    fn a_line_reads_back_equal((event, set) in events()) {
        let mut text = String::new();
        line::write(&event, &mut text);
        prop_assert_eq!(text.matches('\n').count(), 1);
        prop_assert!(text.ends_with('\n'));
        prop_assert_eq!(&line::read(&text).unwrap(), &StoredLog { event, is_legacy: false });
        let object: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(object.len(), set.len());
        for (field, value) in &set {
            let found = &object[field.as_str()];
            prop_assert!(found == value || found.as_f64() == value.as_f64() && value.is_number(), "{} {}", found, value);
        }
    }

    /// The tracker says once what all logs share; the reader gives it to each.
    #[test]
    fn an_envelope_reads_back_equal(mut logs in vec_of(events(), 1..4)) {
        let (shared, _) = logs[0].clone();
        let mut bodies = vec![];
        for (event, _) in &mut logs {
            event.token.clone_from(&shared.token);
            event.user_agent.clone_from(&shared.user_agent);
            // A sender brings a key, or leaves it to the collector.
            if event.has_daily_key() {
                event.user_key.clear();
            }
            (event.received_at, event.queued_ms, event.id_by) = (None, None, None);
            let mut line = String::new();
            line::write(event, &mut line);
            let mut object: serde_json::Map<String, Value> = serde_json::from_str(&line).unwrap();
            object.retain(|name, _| !["token", "user_agent"].contains(&name.as_str()));
            if event.has_daily_key() {
                object.remove("user_key");
            }
            bodies.push(Value::from(object).to_string());
        }
        let mut common = String::new();
        let mut object = ObjectWriter::new(&mut common);
        object.text("token", &shared.token);
        object.text("user_agent", &shared.user_agent);
        object.end();
        let mut body = String::new();
        let mut envelope = envelope::EnvelopeWriter::begin(&mut body, "2026-11-24T12:00:01.250Z", &common);
        for log in &bodies {
            envelope.next_log().push_str(log);
        }
        envelope.end();
        let read = read_json(body.as_bytes()).unwrap();
        prop_assert_eq!(read.len(), logs.len());
        for (found, (mut event, _)) in read.into_iter().zip(logs) {
            event.queued_ms = Some(1_795_521_601_250 - instant_ms(&event.timestamp).unwrap());
            prop_assert_eq!(found.unwrap(), event);
        }
    }

    #[test]
    fn no_body_makes_the_reader_panic(body in vec_of(any::<u8>(), 0..200), text in "[\\[\\]{}\",:|\\\\ud8n0a-]{0,80}") {
        let _ = read_json(&body);
        let _ = read_form(&body);
        let _ = read_json(text.as_bytes());
        let _ = line::read(&text);
    }
}

#[test]
fn tells_field_and_reason() {
    let table = [
        (r#""id":"a b""#, (Some("id"), "not_allowed")),
        (r#""id":"""#, (Some("id"), "empty")),
        (r#""id":7"#, (Some("id"), "not_a_text")),
        (r#""seq":-1"#, (Some("seq"), "not_a_count")),
        (r#""seq":1.5"#, (Some("seq"), "not_a_count")),
        (r#""seq":9007199254740992"#, (Some("seq"), "not_a_count")),
        (r#""type":"hover""#, (Some("type"), "not_allowed")),
        (r#""type":"custom""#, (Some("name"), "missing")),
        (r#""type":"exposure","experiment":"e""#, (Some("variation"), "missing")),
        (r#""viewport_w":"1""#, (Some("viewport_w"), "not_a_number")),
        (r#""viewport_w":1e999"#, (Some("viewport_w"), "not_a_number")),
        (r#""fixed":1"#, (Some("fixed"), "not_a_flag")),
        (r#""props":[]"#, (Some("props"), "not_an_object")),
        (r#""props":{"a":{}}"#, (Some("props"), "not_a_scalar")),
        (r#""currency":"krw""#, (Some("currency"), "not_allowed")),
        (r#""received_at":"2015-12-22T06:19:03.366Z""#, (Some("received_at"), "server_field")),
        (r#""queued_ms":1"#, (Some("queued_ms"), "server_field")),
        (r#""id_by":"server""#, (Some("id_by"), "server_field")),
        (r#""x":1"#, (Some("x"), "twice")),
        (r#""key_kind":"weekly""#, (Some("key_kind"), "not_allowed")),
        (r#""key_kind":"daily""#, (Some("user_key"), "server_field")),
    ];
    for (more, expected) in table {
        assert_eq!(refusal_of(log_with(more)), expected, "{more}");
    }
}

#[test]
fn every_required_field_is_missed_by_name_and_may_not_be_of_another_type() {
    let log: serde_json::Map<String, Value> = serde_json::from_str(&format!("{{{TEN}}}")).unwrap();
    for field in Field::REQUIRED {
        let mut without = log.clone();
        without.remove(field.as_str());
        let read = read_json(Value::from(without).to_string().as_bytes()).unwrap().remove(0);
        assert_eq!(refusal_of(read), (Some(field.as_str()), "missing"));

        let mut wrong = log.clone();
        wrong.insert(field.as_str().into(), serde_json::json!([]));
        let read = read_json(Value::from(wrong).to_string().as_bytes()).unwrap().remove(0);
        assert_eq!(refusal_of(read).0, Some(field.as_str()));
    }
}

#[test]
fn only_a_daily_key_may_be_left_to_the_collector() {
    let without = TEN.replace(r#""user_key":"u","#, "");
    let read = |json: String| read_json(json.as_bytes()).unwrap().remove(0);
    let event = read(format!(r#"{{{without},"key_kind":"daily"}}"#)).unwrap();
    assert!(event.has_daily_key() && event.user_key.is_empty());
    assert_eq!(refusal_of(read(format!("{{{without}}}"))), (Some("user_key"), "missing"));
    assert_eq!(refusal_of(read(format!(r#"{{{without},"key_kind":null}}"#))), (Some("user_key"), "missing"));
    // Said once for all logs of an envelope, it is the same; a log among them that brings a key is refused alone.
    let envelope = format!(r#"{{"v":1,"key_kind":"daily","logs":[{{{without}}},{{{TEN}}}]}}"#);
    let logs = read_json(envelope.as_bytes()).unwrap();
    assert!(logs[0].is_ok());
    assert_eq!(refusal_of(logs[1].clone()), (Some("user_key"), "server_field"));
}

#[test]
fn a_stored_line_has_its_daily_key() {
    let line = format!(r#"{{{TEN},"key_kind":"daily"}}"#);
    assert_eq!(line::read(&line).unwrap().event.user_key, "u");
    let without = line.replace(r#""user_key":"u","#, "");
    let refusal = line::read(&without).unwrap_err();
    assert_eq!(refusal, Refusal { field: Some(Field::user_key), reason: Reason::Missing });
}

#[test]
fn texts_may_be_as_long_as_their_limit_and_no_longer() {
    for field in Field::ALL.iter().filter(|field| !field.is_servers()) {
        let Kind::Text(max, Form::Any | Form::NotEmpty | Form::Id) = field.kind() else { continue };
        for (length, is_taken) in [(max, true), (max + 1, false)] {
            let mut event = Event::default();
            let read = event.read_field(*field, Raw::Json(&format!("\"{}\"", "a".repeat(length))));
            assert_eq!(read, if is_taken { Ok(()) } else { Err(Reason::TooLong) }, "{} {length}", field.as_str());
        }
    }
}

#[test]
fn props_hold_thirty_values_and_no_more() {
    for (n_values, is_taken) in [(30, true), (31, false)] {
        let values: Vec<_> = (0..n_values).map(|nth| format!("\"k{nth}\":{nth}")).collect();
        let log = log_with(&format!("\"props\":{{{}}}", values.join(",")));
        assert_eq!(log.is_ok(), is_taken, "{n_values}");
    }
}

#[test]
fn unknown_fields_are_kept_as_they_came() {
    let event = log_with(r#""extra":{"a":1},"new":{"deep":[1, "x y"]},"big":123456789012345678901234567890"#).unwrap();
    let extra = r#"{"a":1,"new":{"deep":[1,"x y"]},"big":123456789012345678901234567890}"#;
    assert_eq!(event.extra, Some(Json(extra.into())));
    assert_eq!(refusal_of(log_with(&format!("\"new\":\"{}\"", "a".repeat(4096)))), (Some("extra"), "too_long"));
}

#[test]
fn an_unknown_position_is_null_and_stays_so() {
    let body = TEN.replace("\"x\":1", "\"x\":null");
    let event = read_json(format!("{{{body}}}").as_bytes()).unwrap().remove(0).unwrap();
    assert_eq!(event.x, None);
    let mut text = String::new();
    line::write(&event, &mut text);
    assert!(text.contains(r#""x":null,"y":2"#), "{text}");
}

#[test]
fn one_bad_log_takes_no_other_down() {
    let good = format!("{{{TEN}}}");
    for body in [format!("[{good},7,{good}]"), format!("{good}\n{{broken\n\n{good}\n")] {
        let logs = read_json(body.as_bytes()).unwrap();
        let taken: Vec<_> = logs.iter().map(Result::is_ok).collect();
        assert_eq!(taken, [true, false, true], "{body}");
    }
}

#[test]
fn what_is_no_body_is_refused_whole() {
    let many = format!("[{}1]", "1,".repeat(LOGS_PER_REQUEST_MAX));
    let many_lines = "{}\n".repeat(LOGS_PER_REQUEST_MAX + 1);
    // 11 KB that would become 8.5 MB.
    let link = "l".repeat(crate::limits::URL_BYTES_MAX);
    let amplified = format!(r#"{{"v":1,"link":"{link}","logs":[{}{{}}]}}"#, "{},".repeat(1023));
    let table: &[(&[u8], BodyError)] = &[
        (b"", BodyError::NotJson),
        (b"\xff", BodyError::NotUtf8),
        (b"hello", BodyError::NotJson),
        (b"7", BodyError::NotJson),
        (b"[", BodyError::NotJson),
        (b"[]", BodyError::NoLogs),
        (br#"{"v":1,"logs":[]}"#, BodyError::NoLogs),
        (br#"{"v":1}"#, BodyError::NoLogs),
        (br#"{"v":2,"logs":[{}]}"#, BodyError::UnsupportedVersion),
        (br#"{"logs":[{}]}"#, BodyError::UnsupportedVersion),
        (br#"{"v":1,"sent_at":"now","logs":[{}]}"#, BodyError::BadSentAt),
        (many.as_bytes(), BodyError::TooManyLogs),
        (many_lines.as_bytes(), BodyError::TooManyLogs),
        (amplified.as_bytes(), BodyError::LogsTooLarge),
    ];
    for (body, error) in table {
        assert_eq!(read_json(body).unwrap_err(), *error, "{}", body.escape_ascii());
    }
}

#[test]
fn the_originals_form_is_read() {
    let form = b"timestamp=2015-12-22T06%3A19%3A03.366Z&token=t&user_key=u&current_page=http%3A%2F%2Fa%2F&link=a%7Cb\
        &x=110&y=&spent_milli_sec=-5&user_agent=M+1&load_count=2";
    let event = read_form(form).unwrap();
    assert_eq!((event.link.as_str(), event.x, event.y), ("a|b", Some(110.0), None));
    assert_eq!((event.spent_milli_sec, event.user_agent.as_str(), event.load_count), (-5, "M 1", 2));
    assert_eq!(refusal_of(read_form(b"token=t")), (Some("timestamp"), "missing"));
}
