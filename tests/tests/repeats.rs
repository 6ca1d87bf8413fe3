//! Promise: a log that comes again is acknowledged and stored once. Every
//! click that leaves a page is sent twice, so repeats are normal days.

use std::thread;

use logdig_tests::event;
use logdig_tests::server::{SEAL_LATE, SEAL_SOON, Server, logdig};
use logdig_tests::wait::wait_until;
use serde_json::json;

fn stored_ids(server: &mut Server) -> Vec<String> {
    let mut ids: Vec<_> = server.stop_and_read().iter().map(|log| log.text("id").to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn repeats_are_acknowledged_and_stored_once() {
    let mut server = Server::start_with(&SEAL_LATE);
    let token = server.token();
    let within_a_request = server.post_json(&event::envelope(&token, ["a", "b", "a"]));
    assert_eq!((within_a_request.status, &within_a_request.json()["refused"]), (200, &json!([])));
    let in_another = server.post_json(&event::envelope(&token, ["b", "c"]));
    assert_eq!((in_another.status, &in_another.json()["refused"]), (200, &json!([])));
    assert_eq!(server.metric("logdig_logs_total", &["outcome=\"stored\""]), 3.0);
    assert_eq!(server.metric("logdig_logs_total", &["outcome=\"repeat\""]), 2.0);
    assert_eq!(stored_ids(&mut server), ["a", "b", "c"]);
}

#[test]
fn repeats_are_known_after_a_crash_and_after_a_seal() {
    for flags in [SEAL_LATE, SEAL_SOON] {
        let mut server = Server::start_with(&flags);
        let envelope = event::envelope(&server.token(), ["a", "b"]);
        assert_eq!(server.post_json(&envelope).status, 200);
        if flags == SEAL_SOON {
            server.wait_sealed(2);
        }
        server.kill9();
        server.restart_on_same_port();
        assert_eq!(server.post_json(&envelope).status, 200);
        server.stop();
        server.restart_on_same_port();
        assert_eq!(server.post_json(&envelope).status, 200);
        assert_eq!(stored_ids(&mut server), ["a", "b"], "{flags:?}");
    }
}

#[test]
fn the_same_id_of_another_service_is_another_log() {
    let mut server = Server::start_with(&SEAL_LATE);
    let data = server.data_text();
    let add = ["service", "add", "shop", "--origin", "https://shop.example", "--token", "other", "--data", &data];
    assert!(logdig(&add).status.success());
    let token = server.token();
    wait_until("the new service", || server.post_json(&event::envelope("other", ["same"])).status == 200);
    assert_eq!(server.post_json(&event::envelope(&token, ["same"])).status, 200);
    assert_eq!(stored_ids(&mut server), ["same", "same"]);
}

#[test]
fn logs_without_an_id_are_never_repeats() {
    let mut server = Server::start_with(&SEAL_LATE);
    let log = event::original(&server.token()).to_string();
    for _ in 0..3 {
        assert_eq!(server.post("application/json", &log).status, 200);
    }
    let ids = stored_ids(&mut server);
    assert_eq!(ids.len(), 3);
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
}

#[test]
fn the_same_log_sent_many_times_at_once_is_stored_once() {
    let mut server = Server::start_with(&SEAL_LATE);
    let body = event::envelope(&server.token(), (0..50).map(|n| format!("race.{n}")));
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(server.post_json(&body).status, 200));
        }
    });
    assert_eq!(server.metric("logdig_logs_total", &["outcome=\"repeat\""]), 15.0 * 50.0);
    assert_eq!(stored_ids(&mut server).len(), 50);
}
