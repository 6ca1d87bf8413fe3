//! Promise: every answer, an error too, can be read by the page that asked. A
//! page that can't read a 403 takes it for a dead network and retries for ever.

use logdig_tests::server::Server;
use logdig_tests::{event, http::Answer};

const SHOP: &str = "https://shop.example";
const LOCAL: &str = "http://127.0.0.1:9999";

#[test]
fn every_answer_can_be_read_by_the_page_that_asked() {
    let server = Server::start();
    let good = event::log(&server.token(), "good").to_string();
    let large = " ".repeat(1024 * 1024 + 1);
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    let table = [
        ("POST", "/", LOCAL, "text/plain", good.as_str(), 200),
        ("POST", "/", LOCAL, form, "timestamp=never", 400),
        ("POST", "/", LOCAL, "text/plain", "no json", 400),
        ("POST", "/", LOCAL, "text/plain", r#"{"v":99,"logs":[]}"#, 400),
        ("POST", "/", SHOP, "text/plain", &good, 403),
        ("POST", "/", "null", "text/plain", &good, 403),
        ("POST", "/", SHOP, "text/xml", "<a/>", 415),
        ("POST", "/", SHOP, "text/plain", &large, 413),
        ("POST", "/nowhere", SHOP, "text/plain", "", 404),
        ("PUT", "/", SHOP, "text/plain", "", 405),
        ("GET", "/", SHOP, "text/plain", "", 200),
        ("GET", "/health/live", SHOP, "text/plain", "", 200),
        ("GET", "/health/ready", SHOP, "text/plain", "", 200),
    ];
    for (method, path, origin, content_type, body, status) in table {
        let headers = [("origin", origin), ("content-type", content_type)];
        let answer = server.request(method, path, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{method} {path} from {origin}: {answer:?}");
        check_readable(&answer, origin);
    }
}

fn check_readable(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{answer:?}");
    assert!(answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")), "{answer:?}");
    let exposed = answer.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
    assert!(exposed.contains("retry-after"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None, "cookies play no part: {answer:?}");
}

#[test]
fn a_preflight_is_answered_for_any_site() {
    let server = Server::start();
    let headers = [
        ("origin", SHOP),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer = server.request("OPTIONS", "/", &headers, b"");
    assert_eq!(answer.status, 204, "{answer:?}");
    check_readable(&answer, SHOP);
    assert!(
        answer.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST")),
        "{answer:?}"
    );
    let allowed = answer.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
    assert!(allowed.contains("content-type"), "{answer:?}");
}

#[test]
fn a_program_without_an_origin_gets_no_such_headers() {
    let server = Server::start();
    let answer = server.post_json(&event::envelope(&server.token(), ["program"]));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None, "{answer:?}");
}

#[test]
fn the_tracker_can_be_loaded_by_any_site() {
    let server = Server::start();
    let answer = server.request("GET", "/logdig.js", &[("origin", SHOP)], b"");
    assert_eq!(answer.status, 200, "build the tracker first, `cargo xtask test` does: {answer:?}");
    let expected = [
        ("content-type", "text/javascript; charset=utf-8"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cache-control", "public, max-age=3600"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(value), "{name}: {:?}", answer.headers);
    }
    let etag = answer.header("etag").expect("it has an ETag");
    let again = server.request("GET", "/logdig.js", &[("if-none-match", etag)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    for encoding in ["br", "gzip"] {
        let packed = server.request("GET", "/logdig.js", &[("accept-encoding", encoding)], b"");
        assert_eq!(packed.header("content-encoding"), Some(encoding), "{:?}", packed.headers);
        assert!(packed.header("vary").is_some_and(|vary| vary.to_lowercase().contains("accept-encoding")));
    }
}
