//! `/demo/…`, and that it is not there without `--demo`.

use logdig_store::Store;
use serde_json::json;

use super::*;

/// Stores two logs in one file, and gives the file's name.
async fn two_stored(collector: &TestCollector) -> String {
    let logs = format!("{}\n{}", log("shop", r#","id":"a.1""#), log("shop", r#","id":"a.2""#));
    assert_eq!(collector.post(&[], logs).await.status, 200);
    let batches = collector.sealed().await;
    collector.store.put(&batches[0]).await.expect("memory takes it");
    batches[0].key().to_string()
}

#[tokio::test]
async fn tells_where_a_log_stands() {
    let collector = TestCollector::new();
    assert_eq!(collector.get("/demo/logs?ids=a.1,a.2").await.json(), json!({"logs": []}), "nothing is sealed yet");
    let file = two_stored(&collector).await;
    let expected = json!({"logs": [{"id": "a.2", "file": file, "line": 2}, {"id": "a.1", "file": file, "line": 1}]});
    assert_eq!(collector.get("/demo/logs?ids=a.2,nobody,a.1").await.json(), expected);
    let content = collector.get(&format!("/demo/files/{file}")).await;
    assert_eq!(content.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(content.header("x-content-type-options"), "nosniff");
    assert_eq!(content.text.lines().count(), 2);
}

#[tokio::test]
async fn answers_only_for_files_that_are_there() {
    let collector = TestCollector::new();
    let absent = format!("/demo/files/2026-11-25/{}", "0".repeat(64));
    for path in [absent.as_str(), "/demo/files/2026-11-25/x", "/demo/files/..%2F..%2Fetc/passwd"] {
        assert_eq!(collector.get(path).await.verdict(), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(collector.get("/demo/logs").await.verdict(), (400, "bad_value".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn holds_answers_back_when_told_to() {
    let collector = TestCollector::new();
    let set = |ms: &str| request(Method::POST, &format!("/demo/delay?ms={ms}"), &[], "");
    for (ms, status) in [("10000", 200), ("0", 200), ("10001", 400), ("-1", 400), ("", 400), ("300", 200)] {
        assert_eq!(collector.send(set(ms)).await.status, status, "{ms:?}");
    }
    assert_eq!(collector.get("/demo/delay").await.text, r#"{"ms":300}"#);
    let before = tokio::time::Instant::now();
    assert_eq!(collector.post(&[], log("shop", "")).await.status, 200);
    assert_eq!(collector.post(&[], "7").await.status, 400);
    assert_eq!(before.elapsed().as_millis() / 10, 60, "both answers waited");
}

#[tokio::test]
async fn is_for_this_machine_only() {
    let collector = TestCollector::new();
    for (host, status) in
        [("127.0.0.1:8300", 200), ("localhost:1", 200), ("[::1]:8300", 200), ("evil.example", 403), ("", 403)]
    {
        let mut request = request(Method::GET, "/demo/delay", &[], "");
        request.headers_mut().insert("host", host.parse().expect("a header"));
        assert_eq!(collector.send(request).await.status, status, "{host:?}");
    }
    for (origin, allowed) in [("http://127.0.0.1:8301", "http://127.0.0.1:8301"), ("https://evil.example", "")] {
        let answer = collector.send(request(Method::GET, "/demo/delay", &[("origin", origin)], "")).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
    }
}

#[tokio::test]
async fn is_not_there_without_being_asked_for() {
    let collector = TestCollector::with(|app| app.demo = None);
    for path in ["/demo/logs?ids=a", "/demo/delay", "/demo/files/2026-11-25/x"] {
        assert_eq!(collector.get(path).await.verdict(), (404, "not_found".to_owned()), "{path}");
    }
}
