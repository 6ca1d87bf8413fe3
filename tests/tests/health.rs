//! Promise: the collector says whether it lives, whether it takes logs, and
//! what became of every log.

use logdig_tests::event;
use logdig_tests::server::{SEAL_LATE, Server};
use serde_json::json;

#[test]
fn lives_and_is_ready_from_its_first_line_on() {
    let server = Server::start();
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn metrics_account_for_every_log() {
    let server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let mut wrong = event::log(&token, "wrong");
    wrong["x"] = json!("left");
    let requests = [
        json!([event::log(&token, "a"), event::log(&token, "b"), wrong]),
        json!([event::log(&token, "a"), event::log("nobody", "c")]),
        event::envelope(&token, ["d", "e", "f"]),
    ];
    requests.iter().for_each(|request| drop(server.post_json(request)));
    let count = |labels: &[&str]| server.metric("logdig_logs_total", labels);
    assert_eq!(count(&["outcome=\"stored\""]), 5.0);
    assert_eq!(count(&["outcome=\"repeat\""]), 1.0);
    assert_eq!(count(&["outcome=\"refused\"", "reason=\"not_a_number\""]), 1.0);
    assert_eq!(count(&["outcome=\"refused\"", "reason=\"unknown_token\""]), 1.0);
    assert_eq!(count(&[]), 8.0, "eight were sent");
}

#[test]
fn metrics_are_in_the_form_that_prometheus_reads() {
    let server = Server::start();
    let answer = server.get("/metrics");
    assert!(answer.header("content-type").is_some_and(|text| text.starts_with("text/plain; version=0.0.4")));
    for line in answer.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("a sample: {line}"));
        assert!(name.starts_with("logdig_") && value.parse::<f64>().is_ok(), "a sample: {line}");
        let family = name.split('{').next().unwrap_or_default();
        let family = ["_bucket", "_sum", "_count"].iter().fold(family, |name, end| name.trim_end_matches(end));
        assert!(answer.body.contains(&format!("# TYPE {family} ")), "{family} has a type");
    }
}

#[test]
fn the_root_answers_programs_and_people() {
    let server = Server::start();
    let program = server.get("/");
    assert_eq!((program.status, program.json()), (200, json!({"RESTful Server": "Success"})));
    let person = server.request("GET", "/", &[("accept", "text/html,application/xhtml+xml;q=0.9")], b"");
    assert_eq!(person.status, 200);
    assert!(person.header("content-type").is_some_and(|text| text.starts_with("text/html")), "{person:?}");
    let head = server.request("HEAD", "/", &[], b"");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}
