//! `POST /`: what is stored, what is refused, and what the sender reads.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_form_is_answered_as_the_original_did() {
    let collector = TestCollector::new();
    let answer = collector.post(&[("content-type", "application/x-www-form-urlencoded; charset=UTF-8")], FORM).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let answer = answer.json();
    assert_eq!(answer["status"], "Succeed to send log.");
    assert!(answer["duration_millisecond"].as_str().is_some_and(|ms| ms.parse::<f64>().is_ok()), "{answer}");
    assert_eq!(answer.as_object().map(|fields| fields.len()), Some(2));
    let stored = collector.stored().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["user_key"], "tR2VQSYNNXJwbBQLijmR");
    assert_eq!(stored[0]["x"], 110);
}

#[tokio::test]
async fn takes_every_form_of_body() {
    let (one, two) = (log("shop", r#","id":"a.1""#), log("shop", r#","id":"a.2""#));
    let envelope = r#"{"v":1,"sent_at":"2026-11-25T11:00:02.000Z","token":"shop","user_key":"u","user_agent":"a","logs":[
        {"id":"b.1","timestamp":"2026-11-25T11:00:00.500Z","current_page":"p","link":"l","x":1,"y":2,"spent_milli_sec":3,"load_count":4}]}"#;
    #[rustfmt::skip]
    let cases = [
        ("application/x-www-form-urlencoded", FORM.to_owned(), 1),
        ("application/json", one.clone(), 1),
        ("application/json; charset=\"utf-8\"", format!("[{one},{two}]"), 2),
        ("text/plain", envelope.to_owned(), 1),
        ("text/plain;charset=UTF-8", format!("{one}\n{two}\n"), 2),
        ("application/x-ndjson", format!("{one}\n\n{two}"), 2),
        ("Application/JSON", one.clone(), 1),
        ("application/x-www-form-urlencoded", one.clone(), 1),
        ("", one.clone(), 1),
        ("", format!(" [{one}]"), 1),
        ("", FORM.to_owned(), 1),
    ];
    for (content_type, body, n) in cases {
        let collector = TestCollector::new();
        let headers: &[(&str, &str)] = if content_type.is_empty() { &[] } else { &[("content-type", content_type)] };
        let answer = collector.post(headers, body.clone()).await;
        assert_eq!(answer.status, 200, "{content_type:?} {body}: {}", answer.text);
        assert_eq!(collector.stored().await.len(), n, "{content_type:?} {body}");
    }
}

#[tokio::test]
async fn adds_what_only_the_collector_knows() {
    let collector = TestCollector::new();
    let envelope =
        format!(r#"{{"v":1,"sent_at":"2026-11-25T11:00:01.250Z","logs":[{}]}}"#, log("shop", r#","id":"a.1""#));
    assert_eq!(collector.post(&[], envelope).await.text, r#"{"stored":1,"refused":[]}"#);
    assert_eq!(collector.post(&[], log("shop", "")).await.text, r#"{"stored":1,"refused":[]}"#);
    let stored = collector.stored().await;
    assert_eq!(stored[0]["received_at"], NOW);
    assert_eq!(stored[0]["queued_ms"], 1250);
    assert_eq!(stored[0].get("id_by"), None);
    assert_eq!(stored[1]["id_by"], "server");
    assert_eq!(stored[1]["id"].as_str().map(str::len), Some(16));
    assert_eq!(stored[1].get("queued_ms"), None, "nobody said when it was sent");
}

/// Headers and body, the status and the reason.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[tokio::test]
async fn whole_requests_are_refused_with_a_reason() {
    let log = log("shop", "");
    // 40 KB that would become 20 MB.
    let link = "l".repeat(8000);
    let amplified = format!(r#"{{"v":1,"link":"{link}","logs":[{}]}}"#, vec!["{}"; 2500].join(","));
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        (&[("content-type", "text/html")], &log, 415, "unsupported_media_type"),
        (&[("content-type", "multipart/form-data; boundary=x")], &log, 415, "unsupported_media_type"),
        (&[("content-type", "text/plain; charset=utf-16")], &log, 415, "unsupported_media_type"),
        (&[("content-encoding", "gzip")], &log, 415, "unsupported_content_encoding"),
        (&[("content-type", "application/json")], "", 400, "not_json"),
        (&[("content-type", "application/json")], "nonsense", 400, "not_json"),
        (&[("content-type", "application/json")], "[]", 400, "no_logs"),
        (&[("content-type", "application/x-ndjson")], "\n", 400, "no_logs"),
        (&[], r#"{"v":2,"logs":[]}"#, 400, "unsupported_version"),
        (&[], &amplified, 413, "logs_too_large"),
    ];
    let collector = TestCollector::new();
    for (headers, body, status, reason) in cases {
        let answer = collector.post(headers, (*body).to_owned()).await;
        assert_eq!(answer.verdict(), (*status, (*reason).to_owned()), "{headers:?}");
        assert!(answer.json()["message"].as_str().is_some_and(|text| text.len() > 10), "{}", answer.text);
    }
    assert_eq!(collector.stored().await, [] as [Value; 0]);
}

#[tokio::test]
async fn each_log_is_refused_alone() {
    let collector = TestCollector::new();
    let logs = [
        log("shop", r#","id":"a.1""#),
        log("shop", "").replace(r#""x":1"#, r#""x":"1px""#),
        log("shop", "").replace(r#","load_count":4"#, ""),
        log("shop", r#","received_at":"2026-11-25T11:00:00.000Z""#),
        log("shop", r#","queued_ms":1"#),
        log("shop", r#","id_by":"server""#),
        log("nobody", ""),
        "7".to_owned(),
        log("blog", r#","id":"a.1""#),
    ];
    let answer = collector.post(&[], format!("[{}]", logs.join(","))).await;
    assert_eq!(answer.status, 200);
    let expected = json!({"stored": 2, "refused": [
        {"index": 1, "field": "x", "reason": "not_a_number", "message": "`x` must be a number"},
        {"index": 2, "field": "load_count", "reason": "missing", "message": "`load_count` is missing"},
        {"index": 3, "field": "received_at", "reason": "server_field",
            "message": "`received_at` is set by the collector; senders may not bring it"},
        {"index": 4, "field": "queued_ms", "reason": "server_field",
            "message": "`queued_ms` is set by the collector; senders may not bring it"},
        {"index": 5, "field": "id_by", "reason": "server_field",
            "message": "`id_by` is set by the collector; senders may not bring it"},
        {"index": 6, "field": "token", "reason": "unknown_token",
            "message": "`token` names no service of this collector"},
        {"index": 7, "reason": "not_a_log", "message": "the log is not a JSON object"},
    ]});
    assert_eq!(answer.json(), expected);
    let stored = collector.stored().await;
    assert_eq!(stored.iter().map(|log| &log["token"]).collect::<Vec<_>>(), ["shop", "blog"]);
}

#[tokio::test]
async fn origins_are_those_of_each_logs_service() {
    let both = format!("[{},{}]", log("shop", ""), log("blog", ""));
    #[rustfmt::skip]
    let cases = [
        (SHOP, log("shop", ""), 200, ""),
        (SHOP, log("blog", ""), 403, "origin_not_allowed"),
        (SHOP, both.clone(), 200, "origin_not_allowed"),
        ("null", both.clone(), 403, "origin_not_allowed origin_not_allowed"),
        ("https://evil.example", format!("[{},{}]", log("shop", ""), log("x", "")), 403, "origin_not_allowed unknown_token"),
        ("https://evil.example", format!("[{},7]", log("shop", "")), 400, "origin_not_allowed not_a_log"),
        (SHOP, log("nobody", ""), 403, "unknown_token"),
    ];
    for (origin, body, status, reasons) in cases {
        let answer = TestCollector::new().post_from(origin, body.clone()).await;
        assert_eq!(answer.verdict(), (status, reasons.to_owned()), "{body} from {origin}");
    }
    let program = TestCollector::new();
    assert_eq!(program.post(&[], both).await.json()["stored"], 2, "a program has no origin");
    let not_text = request(Method::POST, "/", &[], log("shop", ""));
    let (mut head, body) = not_text.into_parts();
    head.headers.insert("origin", axum::http::HeaderValue::from_bytes(b"https://\xff").expect("bytes"));
    assert_eq!(program.send(Request::from_parts(head, body)).await.status, 403, "an origin that is no text");
}

#[tokio::test]
async fn a_refused_form_gets_the_list_too() {
    let collector = TestCollector::new();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let missing = collector.post(&headers, FORM.replace("&link=a", "")).await;
    assert_eq!(missing.verdict(), (400, "missing".to_owned()));
    let forged = collector.post(&headers, format!("{FORM}&id_by=server")).await;
    assert_eq!(forged.verdict(), (400, "server_field".to_owned()));
    let unknown = collector.post(&headers, FORM.replace("token=shop", "token=x")).await;
    assert_eq!(unknown.verdict(), (403, "unknown_token".to_owned()));
}

#[tokio::test]
async fn a_repeat_is_answered_as_durable_and_stored_once() {
    let collector = TestCollector::new();
    let log = log("shop", r#","id":"a.1""#);
    assert_eq!(collector.post(&[], log.clone()).await.text, r#"{"stored":1,"refused":[]}"#);
    assert_eq!(collector.post(&[], log).await.text, r#"{"stored":1,"repeats":1,"refused":[]}"#);
    assert_eq!((collector.counted(Outcome::Stored), collector.counted(Outcome::Repeat)), (1, 1));
    assert_eq!(collector.stored().await.len(), 1);
}

#[tokio::test]
async fn every_log_is_counted_once() {
    let collector = TestCollector::new();
    let good = log("shop", r#","id":"a.1""#);
    collector.post(&[], format!("[{good},{good},7,{}]", log("nobody", ""))).await;
    collector.queue.refuse(Some("disk full"));
    collector.post(&[], format!("[{good},7]")).await;
    let count = |outcome| collector.counted(outcome);
    assert_eq!(count(Outcome::Stored), 1);
    assert_eq!(count(Outcome::Repeat), 1);
    assert_eq!(count(Outcome::Refused("not_a_log")), 2);
    assert_eq!(count(Outcome::Refused("unknown_token")), 1);
    assert_eq!(count(Outcome::Unavailable("storage_unavailable")), 1);
}

#[tokio::test]
async fn what_cannot_be_durable_is_to_be_sent_again() {
    let collector = TestCollector::new();
    collector.queue.refuse(Some("no space left on /secret/path"));
    let answer = collector.post_from(SHOP, format!("[{},7]", log("shop", ""))).await;
    assert_eq!(answer.verdict(), (503, "storage_unavailable".to_owned()));
    assert_eq!(answer.header("retry-after"), "5");
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    assert_eq!(collector.get("/health/ready").await.verdict(), (503, "storage_unavailable".to_owned()));
    assert_eq!(collector.get("/health/live").await.status, 200);
    collector.queue.refuse(None);
    assert_eq!(collector.post_from(SHOP, log("shop", "")).await.status, 200);
    assert_eq!(collector.get("/health/ready").await.status, 200);
    collector.queue.finish().await;
    assert_eq!(collector.post_from(SHOP, log("shop", "")).await.verdict(), (503, "shutting_down".to_owned()));
}

#[tokio::test]
async fn a_sender_that_hangs_up_is_counted() {
    let collector = TestCollector::with(|app| app.queue = Arc::new(BadQueue::Hangs));
    let mut answer = Box::pin(collector.post(&[], format!("[{},{}]", log("shop", ""), log("shop", ""))));
    let polled =
        std::future::poll_fn(|context| std::task::Poll::Ready(answer.as_mut().poll(context).is_pending())).await;
    assert!(polled, "it waits for the disk");
    assert_eq!(collector.counted(Outcome::Unanswered), 0);
    drop(answer);
    assert_eq!(collector.counted(Outcome::Unanswered), 2);
}
