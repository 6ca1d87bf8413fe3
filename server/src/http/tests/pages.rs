//! What is there to GET.

use super::*;

#[tokio::test]
async fn says_that_it_lives_to_programs_and_to_people() {
    let collector = TestCollector::new();
    for accept in ["", "*/*", "application/json"] {
        let answer = collector.send(request(Method::GET, "/", &[("accept", accept)], "")).await;
        assert_eq!(answer.text, r#"{"RESTful Server": "Success"}"#, "{accept}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let browser = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    let answer = collector.send(request(Method::GET, "/", &browser, "")).await;
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.text.contains(r#"{"RESTful Server": "Success"}"#));
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test]
async fn says_which_methods_an_address_takes() {
    let collector = TestCollector::new();
    for (path, allowed) in [("/", "GET,HEAD,POST"), ("/logdig.js", "GET,HEAD"), ("/demo/delay", "GET,HEAD,POST")] {
        let answer = collector.send(request(Method::DELETE, path, &[], "")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{path}");
    }
}

#[tokio::test]
async fn is_not_ready_once_it_shuts_down() {
    let collector = TestCollector::with(|app| app.is_shutting_down = AtomicBool::new(true));
    let answer = collector.get("/health/ready").await;
    assert_eq!(answer.verdict(), (503, "shutting_down".to_owned()));
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(collector.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn serves_the_tracker_as_pages_need_it() {
    let collector = TestCollector::new();
    for (path, content) in
        [("/app.js", TRACKER), ("/app.more.js", MORE), ("/logdig.more.js", MORE), ("/logdig.js", TRACKER)]
    {
        serves_as_pages_need_it(&collector, path, content).await;
    }
    assert_eq!(collector.get("/other.js").await.status, 404);
}

async fn serves_as_pages_need_it(collector: &TestCollector, path: &str, content: &str) {
    let answer = collector.send(request(Method::GET, path, &[("origin", SHOP)], "")).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, content), "{path}");
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.header("vary"), "Accept-Encoding", "one copy for all origins");

    let head = collector.send(request(Method::HEAD, path, &[], "")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), content.len().to_string());

    let known = [("if-none-match", answer.header("etag"))];
    let unchanged = collector.send(request(Method::GET, path, &known, "")).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.text.as_str()), (304, ""));
    assert_eq!(unchanged.header("etag"), answer.header("etag"));
    assert_eq!(unchanged.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn says_what_to_do_without_a_tracker() {
    let empty = TestCollector::with(|app| app.tracker = Tracker::default());
    let answer = empty.get("/logdig.js").await;
    assert_eq!(answer.verdict(), (503, "no_tracker".to_owned()));
    assert!(answer.text.contains("cargo xtask"), "{}", answer.text);
    let answer = TestCollector::new().get("/logdig.nowasm.js").await;
    assert_eq!(answer.verdict(), (503, "no_tracker".to_owned()), "a part that was not built");
}

#[tokio::test]
async fn metrics_tell_what_happened() {
    let collector = TestCollector::new();
    collector.post(&[], log("shop", "")).await;
    collector.get("/nowhere").await;
    let answer = collector.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "logdig_logs_total{outcome=\"stored\",reason=\"\"} 1",
        "logdig_http_responses_total{status=\"404\"} 1",
        "logdig_answer_seconds_count 1",
        "logdig_ready 1",
    ] {
        assert!(answer.text.lines().any(|have| have == line), "{line} is not in\n{}", answer.text);
    }
}
