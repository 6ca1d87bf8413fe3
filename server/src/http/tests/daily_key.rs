//! Keys that the collector makes.

use std::io;

use logdig_store::Day;

use super::*;
use crate::clock::TestClock;

const NAMED: &str = "x-forwarded-for";

/// A log whose key is left to the collector.
fn keyless(token: &str, fields: &str) -> String {
    log(token, &format!(r#","key_kind":"daily"{fields}"#)).replace(r#""user_key":"u","#, "")
}

/// Posts as a visitor from this address does.
async fn post_as(collector: &TestCollector, peer: [u8; 4], headers: &[(&str, &str)], body: String) -> Answer {
    let mut request = request(Method::POST, "/", headers, body);
    request.extensions_mut().insert(Peer(peer.into()));
    collector.send(request).await
}

/// The `user_key` of each stored line.
async fn keys(collector: &TestCollector) -> Vec<String> {
    let lines = collector.stored().await;
    lines.iter().map(|line| line["user_key"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_visitor_has_one_key_for_the_day() {
    let clock = TestClock::at("2026-11-25T12:00:00Z");
    let collector = TestCollector::with(|app| app.clock = clock.clock());
    let (one, two) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    post_as(&collector, one, &[], keyless("shop", "")).await;
    clock.step(jiff::SignedDuration::from_hours(11));
    post_as(&collector, one, &[], keyless("shop", "")).await;
    post_as(&collector, two, &[], keyless("shop", "")).await;
    post_as(&collector, one, &[], keyless("blog", "")).await;
    post_as(&collector, one, &[], keyless("shop", "").replace(r#""user_agent":"a""#, r#""user_agent":"b""#)).await;
    clock.step(jiff::SignedDuration::from_hours(1));
    post_as(&collector, one, &[], keyless("shop", "")).await;
    let keys = keys(&collector).await;
    assert_eq!(keys.len(), 6);
    assert_eq!(keys[0], keys[1], "the same visitor, eleven hours later");
    let others = &keys[2..];
    assert!(!others.contains(&keys[0]), "another address, token, browser or day: {keys:?}");
    assert!(keys.iter().all(|key| key.len() == 20 && key.bytes().all(|byte| byte.is_ascii_alphanumeric())), "{keys:?}");
}

#[tokio::test]
async fn an_envelope_may_leave_all_keys_to_the_collector() {
    let collector = TestCollector::new();
    let logs = format!("{},{}", keyless("shop", r#","id":"d.0""#), keyless("shop", r#","id":"d.1""#));
    let envelope = format!(r#"{{"v":1,"logs":[{}]}}"#, logs.replace(r#","key_kind":"daily""#, ""));
    let answer = collector.post(&[], envelope.replacen(r#""v":1"#, r#""v":1,"key_kind":"daily""#, 1)).await;
    assert_eq!(answer.json()["stored"], 2, "{answer:?}");
    let lines = collector.stored().await;
    assert_eq!(lines[0]["user_key"], lines[1]["user_key"]);
    assert_eq!(lines[0]["key_kind"], "daily");
}

#[tokio::test]
async fn nobody_brings_a_daily_key_of_their_own() {
    let collector = TestCollector::new();
    let answer = collector.post(&[], log("shop", r#","key_kind":"daily""#)).await;
    assert_eq!(answer.verdict(), (400, "server_field".to_owned()));
    assert_eq!(answer.json()["refused"][0]["field"], "user_key");
    let answer = collector.post(&[], log("shop", "").replace(r#""user_key":"u","#, "")).await;
    assert_eq!(answer.verdict(), (400, "missing".to_owned()));
}

/// The keys of two requests that a proxy hands on, each with its word on the client's address.
async fn keys_of_two(header: Option<&str>, told: [&str; 2]) -> Vec<String> {
    let header = header.map(|name| name.parse().expect("a name"));
    let collector = TestCollector::with(|app| app.client_address = ClientAddress::new(header, 1));
    for address in told {
        post_as(&collector, [10, 0, 0, 9], &[(NAMED, address)], keyless("shop", "")).await;
    }
    keys(&collector).await
}

#[tokio::test]
async fn a_proxy_s_word_counts_where_the_owner_says_so() {
    let keys = keys_of_two(Some(NAMED), ["6.6.6.6, 192.0.2.1", "192.0.2.1"]).await;
    assert_eq!(keys[0], keys[1], "one client, who wrote something before the proxy's word");
    let keys = keys_of_two(Some(NAMED), ["192.0.2.1", "192.0.2.7"]).await;
    assert_ne!(keys[0], keys[1], "two clients");
    let keys = keys_of_two(None, ["192.0.2.1", "192.0.2.7"]).await;
    assert_eq!(keys[0], keys[1], "what anyone can write changes nothing");
}

/// No place for a salt.
struct NoPlace;

#[async_trait]
impl Salts for NoPlace {
    async fn salt(&self, _: Day) -> Result<Salt, SaltError> {
        Err(SaltError { place: "nowhere".to_owned(), source: io::ErrorKind::StorageFull.into() })
    }

    async fn forget_others(&self, _: Day) -> Result<(), SaltError> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_that_need_a_key_come_again_when_there_is_none() {
    let collector = TestCollector::with(|app| app.salts = Arc::new(NoPlace));
    let answer = collector.post(&[], keyless("shop", "")).await;
    assert_eq!(answer.verdict(), (503, "storage_unavailable".to_owned()));
    assert!(!answer.text.contains("nowhere"), "{}", answer.text);
    assert_eq!(collector.counted(Outcome::Unavailable("storage_unavailable")), 1);
    assert_eq!(collector.post(&[], log("shop", "")).await.status, 200, "others need none");
}
