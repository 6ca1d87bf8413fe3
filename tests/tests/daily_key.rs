//! Promise: a visitor whose browser keeps nothing has one key a day, over
//! restarts too, and no address ever reaches a file or the collector's log.

use std::fs;
use std::path::Path;

use logdig_tests::event;
use logdig_tests::http::Answer;
use logdig_tests::sealed::names;
use logdig_tests::server::{SEAL_LATE, Server};
use serde_json::{Value, json};

const VISITOR: &str = "203.0.113.77";
const OTHER: &str = "203.0.113.78";

/// A log without a key, from a visitor whose address the proxy tells.
fn post(server: &Server, id: &str, address: &str) -> Answer {
    let mut log = event::log(&server.token(), id);
    log["key_kind"] = json!("daily");
    log.as_object_mut().expect("a log is an object").remove("user_key");
    let headers = [("content-type", "text/plain"), ("x-forwarded-for", address)];
    server.request("POST", "/", &headers, log.to_string().as_bytes())
}

/// All files below a folder, as text where they are text.
fn contents(folder: &Path) -> String {
    let read = |name: String| match folder.join(name) {
        path if path.is_dir() => contents(&path),
        path => String::from_utf8_lossy(&fs::read(&path).expect("it can be read")).into_owned(),
    };
    names(folder).into_iter().map(read).collect()
}

#[test]
fn keys_hold_over_a_restart_and_no_address_is_kept() {
    let flags = ["--client-address-header", "X-Forwarded-For", "--log", "trace"];
    let mut server = Server::start_with(&[&SEAL_LATE[..], &flags].concat());
    for (id, address) in [("a", VISITOR), ("b", OTHER)] {
        let answer = post(&server, id, address);
        assert!(answer.is_success(), "{answer:?}");
    }
    let mut said = server.stderr();
    server.kill9();
    server.restart_on_same_port();
    assert!(post(&server, "c", VISITOR).is_success());
    let data = server.data();
    let logs = server.stop_and_read();
    said.push_str(&server.stderr());
    let key = |id: &str| -> Value {
        let log = logs.iter().find(|log| log.text("id") == id).expect("it was stored");
        json!(log.text("user_key"))
    };
    // A test that runs over midnight sees two days.
    if logs.iter().all(|log| log.text("received_at")[..10] == logs[0].text("received_at")[..10]) {
        assert_eq!(key("a"), key("c"), "one visitor");
    }
    assert_ne!(key("a"), key("b"), "two visitors");
    let kept = contents(&data);
    assert!(kept.contains("\"key_kind\":\"daily\""), "the test sees the stored lines");
    for address in [VISITOR, OTHER] {
        assert!(!kept.contains(address) && !said.contains(address), "{address} was kept");
    }
    assert!(!said.is_empty(), "the test sees what the collector says");
}
