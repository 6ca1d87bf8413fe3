//! Every answer can be read by the page that asked.

use super::*;

fn assert_readable(answer: &Answer, origin: &str, what: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin, "{what}");
    assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"), "{what}");
    assert_eq!(answer.header("access-control-expose-headers"), "Retry-After", "{what}");
    assert_eq!(answer.header("access-control-allow-credentials"), "", "{what}");
}

#[tokio::test]
async fn every_answer_is_readable_whatever_its_status() {
    let collector = TestCollector::new();
    let from = [("origin", SHOP)];
    let broken_type = [("origin", SHOP), ("content-type", "image/png")];
    let too_large = vec![b' '; logdig_shared::limits::BODY_BYTES_MAX + 1];
    #[rustfmt::skip]
    let cases = [
        (200, request(Method::GET, "/", &from, "")),
        (200, request(Method::POST, "/", &from, log("shop", ""))),
        (400, request(Method::POST, "/", &from, "7")),
        (403, request(Method::POST, "/", &from, log("blog", ""))),
        (404, request(Method::POST, "/collect", &from, log("shop", ""))),
        (405, request(Method::DELETE, "/", &from, "")),
        (405, request(Method::POST, "/logdig.js", &from, "")),
        (413, request(Method::POST, "/", &from, too_large)),
        (415, request(Method::POST, "/", &broken_type, "")),
        (200, request(Method::GET, "/health/live", &from, "")),
        (204, request(Method::OPTIONS, "/", &from, "")),
        (204, request(Method::OPTIONS, "/nowhere", &from, "")),
    ];
    for (status, request) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = collector.send(request).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_readable(&answer, SHOP, &what);
    }
    collector.queue.refuse(Some("disk full"));
    let unavailable = collector.post_from(SHOP, log("shop", "")).await;
    assert_eq!(unavailable.status, 503);
    assert_readable(&unavailable, SHOP, "503");
}

#[tokio::test]
async fn a_refused_origin_can_read_that_it_was_refused() {
    let collector = TestCollector::new();
    for origin in ["https://evil.example", "null"] {
        let answer = collector.post_from(origin, log("shop", "")).await;
        assert_eq!(answer.verdict(), (403, "origin_not_allowed".to_owned()));
        assert_readable(&answer, origin, origin);
    }
}

#[tokio::test]
async fn a_preflight_allows_what_the_collector_takes() {
    let collector = TestCollector::new();
    let asked = [
        ("origin", SHOP),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer = collector.send(request(Method::OPTIONS, "/", &asked, "")).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-methods"), "GET, HEAD, POST, OPTIONS");
    assert!(answer.header("access-control-allow-headers").contains("Content-Type"));
    assert!(answer.header("access-control-max-age").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(answer.header("access-control-allow-private-network"), "");
    let private = [("origin", SHOP), ("access-control-request-private-network", "true")];
    let answer = collector.send(request(Method::OPTIONS, "/", &private, "")).await;
    assert_eq!(answer.header("access-control-allow-private-network"), "true");
}

#[tokio::test]
async fn without_an_origin_nothing_is_echoed() {
    let answer = TestCollector::new().get("/").await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"), "caches must not mix the two");
}

#[tokio::test]
async fn no_other_site_reads_the_counters() {
    let collector = TestCollector::new();
    let answer = collector.send(request(Method::GET, "/metrics", &[("origin", SHOP)], "")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
