//! Promise: with a bucket as the store, everything holds that holds with a
//! folder: what was acknowledged ends there once, also when S3 is away or the
//! collector is killed. Collectors over one bucket share services and salt.

use std::collections::HashMap;
use std::fs;
use std::process::Output;

use logdig_store::shared_file::Look;
use logdig_store::{S3Store, SharedFile};
use logdig_tests::event;
use logdig_tests::load::Load;
use logdig_tests::random::Random;
use logdig_tests::s3::{Account, S3, address};
use logdig_tests::sealed::{SealedLog, names};
use logdig_tests::server::{SEAL_LATE, SEAL_SOON, Server};
use logdig_tests::wait::wait_until;
use serde_json::{Value, json};
use tempfile::TempDir;

const PREFIX: &str = "site";

/// A collector over the bucket.
fn collector(s3: &S3, flags: &[&str]) -> Server {
    let (runner, store) = (Account::Owner.runner(), s3.flags(PREFIX));
    let runner: Vec<&str> = runner.iter().map(String::as_str).collect();
    let flags: Vec<&str> = flags.iter().copied().chain(store.iter().map(String::as_str)).collect();
    Server::start_under(&runner, &flags)
}

/// The token of the first service.
fn token(s3: &S3) -> String {
    let services: Value = serde_json::from_str(&s3.object(&format!("{PREFIX}/_logdig/services.json"))).expect("JSON");
    services["services"][0]["tokens"][0].as_str().expect("the first service has a token").to_owned()
}

fn post(server: &Server, token: &str, id: &str) -> u16 {
    server.post_json(&event::envelope(token, [id])).status
}

fn ids(logs: &[SealedLog]) -> Vec<&str> {
    let mut ids: Vec<&str> = logs.iter().map(|log| log.text("id")).collect();
    ids.sort();
    ids
}

fn check(s3: &S3) -> (bool, Value) {
    let output = s3.logdig(Account::Owner, PREFIX, &["check", "--format", "json"]);
    let found = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.success(), found)
}

#[test]
fn logs_go_from_http_into_the_bucket_and_check_proves_it() {
    let s3 = S3::start();
    let mut server = collector(&s3, &SEAL_SOON);
    let token = token(&s3);
    for id in ["a", "b"] {
        assert_eq!(post(&server, &token, id), 200);
    }
    s3.wait_logs(PREFIX, 2);
    for id in ["b", "c"] {
        assert_eq!(post(&server, &token, id), 200);
    }
    server.stop();
    assert_eq!(ids(&s3.logs(PREFIX)), ["a", "b", "c"], "what waited is stored at the end, and repeats are not");
    assert_eq!(names(&server.data().join("spool")), [""; 0]);
    assert_eq!(names(&server.data().join("store")), [""; 0]);

    server.restart_on_same_port();
    assert_eq!(post(&server, &token, "a"), 200);
    server.stop();
    assert_eq!(ids(&s3.logs(PREFIX)), ["a", "b", "c"], "repeats are known from the bucket");
    let (is_good, found) = check(&s3);
    assert!(is_good, "{found}");
    assert_eq!((&found["n_logs"], &found["problems"]), (&json!(3), &json!([])), "{found}");
    assert_eq!(found["counts"][0]["service"], "local", "{found}");
}

#[test]
fn while_s3_is_away_logs_are_taken_and_nothing_is_lost() {
    let mut s3 = S3::start();
    let mut server = collector(&s3, &SEAL_SOON);
    let token = token(&s3);
    assert_eq!(post(&server, &token, "before"), 200);
    s3.wait_logs(PREFIX, 1);
    s3.stop();
    assert_eq!(post(&server, &token, "away"), 200);
    wait_until("a batch that waits", || server.stderr().contains("batch waits"));
    assert!(server.stderr().contains(&address(PREFIX)), "it says which store: {}", server.stderr());
    assert_eq!((server.get("/").status, server.get("/health/ready").status), (200, 200));

    server.stop();
    server.restart_on_same_port();
    assert_eq!(post(&server, &token, "started-without-s3"), 200, "the services are known from their copy");
    server.kill9();
    server.restart_on_same_port();
    assert_eq!(post(&server, &token, "crashed-without-s3"), 200);
    s3.go_on();
    s3.wait_logs(PREFIX, 4);
    server.stop();
    let expected = ["away", "before", "crashed-without-s3", "started-without-s3"];
    assert_eq!(ids(&s3.logs(PREFIX)), expected);
    assert_eq!(names(&server.data().join("spool")), [""; 0]);
}

#[test]
fn kill_9_loses_and_doubles_nothing() {
    const ROUNDS: usize = 15;
    let s3 = S3::start();
    let seed = Random::seed();
    let mut random = Random::new(seed);
    let flags = ["--min-logs", "20", "--seal-after", "100ms", "--seal-at-latest", "500ms"];
    let mut server = collector(&s3, &flags);
    let load = Load::start(&server.url(), &token(&s3));
    for _ in 0..ROUNDS {
        load.wait_for_more(50 + random.below(400) as usize);
        server.kill9();
        server.restart_on_same_port();
    }
    let acknowledged = load.stop();
    server.stop();
    let stored = s3.logs(PREFIX);
    let mut n_lines: HashMap<&str, usize> = HashMap::new();
    stored.iter().for_each(|log| *n_lines.entry(log.text("id")).or_default() += 1);
    let lost = acknowledged.iter().filter(|id| !n_lines.contains_key(id.as_str())).count();
    let doubled = n_lines.values().filter(|n| **n > 1).count();
    println!("{ROUNDS} kills, {} logs acknowledged, {lost} lost, {doubled} doubled (seed {seed})", acknowledged.len());
    assert_eq!((lost, doubled), (0, 0), "seed {seed}");
    assert_eq!(n_lines.len(), acknowledged.len(), "lines that nobody sent (seed {seed})");
    let (is_good, found) = check(&s3);
    assert!(is_good && found["n_repeats"] == 0, "{found}");
}

/// A log without a key, from a visitor whose address the proxy tells.
fn post_daily(server: &Server, token: &str, id: &str) {
    let mut log = event::log(token, id);
    log["key_kind"] = json!("daily");
    log.as_object_mut().expect("a log is an object").remove("user_key");
    let headers = [("content-type", "text/plain"), ("x-forwarded-for", "203.0.113.77")];
    let answer = server.request("POST", "/", &headers, log.to_string().as_bytes());
    assert!(answer.is_success(), "{answer:?}");
}

#[test]
fn collectors_over_one_bucket_make_the_same_daily_key() {
    let s3 = S3::start();
    let flags = [&SEAL_LATE[..], &["--client-address-header", "X-Forwarded-For"]].concat();
    let mut servers = [collector(&s3, &flags), collector(&s3, &flags)];
    let token = token(&s3);
    for (server, id) in servers.iter().zip(["a", "b"]) {
        post_daily(server, &token, id);
    }
    servers[0].kill9();
    servers[0].restart_on_same_port();
    post_daily(&servers[0], &token, "c");
    servers.iter_mut().for_each(Server::stop);
    let logs = s3.logs(PREFIX);
    assert_eq!(ids(&logs), ["a", "b", "c"]);
    // A test that runs over midnight sees two days.
    if logs.iter().all(|log| log.text("received_at")[..10] == logs[0].text("received_at")[..10]) {
        assert!(logs.iter().all(|log| log.text("user_key") == logs[0].text("user_key")), "{logs:?}");
    }
    let salt = s3.object(&format!("{PREFIX}/_logdig/daily-salt"));
    let secret = salt.trim().split(' ').nth(1).expect("a day and a salt");
    for server in &servers {
        assert!(!server.stderr().contains(secret), "it was told");
        let files = names(&server.data());
        assert!(!files.iter().any(|name| name.starts_with("daily-salt")), "it has one place: {files:?}");
    }
}

#[test]
fn collectors_over_one_bucket_take_changes_of_services_and_survive_broken_ones() {
    let s3 = S3::start();
    let mut servers = [collector(&s3, &SEAL_LATE), collector(&s3, &SEAL_LATE)];
    let add = ["service", "add", "new", "--origin", "https://new.example", "--token", "new-token"];
    let output = s3.logdig(Account::Owner, PREFIX, &add);
    assert!(output.status.success(), "{output:?}");
    for (server, id) in servers.iter().zip(["a", "b"]) {
        wait_until("the new service", || post(server, "new-token", id) == 200);
    }
    break_services(&s3);
    for server in &servers {
        wait_until("a warning", || server.stderr().contains("is not a list of services"));
        assert_eq!(post(server, "new-token", "again"), 200, "the last good ones stay");
    }
    // A start finds the broken file, and the last good copy.
    servers[0].stop();
    servers[0].restart_on_same_port();
    assert_eq!(post(&servers[0], "new-token", "c"), 200);
    servers.iter_mut().for_each(Server::stop);
    let output = s3.logdig(Account::Owner, PREFIX, &["service", "list"]);
    assert!(!output.status.success() && stderr(&output).contains("services.json"), "{output:?}");
}

/// As somebody with an editor might, by the rules of S3.
fn break_services(s3: &S3) {
    let [(_, access), (_, secret), ..] = Account::Owner.variables();
    let address = format!("logs/{PREFIX}").parse().expect("an address");
    let replace = async {
        let file = S3Store::at_stand_in(&s3.url(), access, secret, address).await.shared_file("services.json");
        let Look::New { version, .. } = file.look(None).await.expect("it is there") else { panic!("it is there") };
        file.replace(b"{\"services\":", Some(&version)).await.expect("it can be replaced").expect("nobody else does");
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(replace);
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_s3_refuses_is_told_with_the_place_and_the_permission() {
    let s3 = S3::start();
    let data = TempDir::new().expect("a temporary folder can be made");
    let data = data.path().display().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", &data];
    let table: [(Account, &[&str], &[&str]); 5] = [
        (Account::Stranger, &serve, &["AccessDenied", "s3:GetObject", "arn:aws:s3:::logs/site/*"]),
        (Account::Stranger, &["service", "list"], &["AccessDenied", "s3:GetObject"]),
        (Account::Stranger, &["check"], &["AccessDenied", "s3:ListBucket", "arn:aws:s3:::logs"]),
        (Account::Impostor, &serve, &["SignatureDoesNotMatch"]),
        (Account::Impostor, &["check"], &["SignatureDoesNotMatch"]),
    ];
    for (account, arguments, expected) in table {
        let output = s3.logdig(account, PREFIX, arguments);
        let said = stderr(&output);
        assert!(!output.status.success(), "{account:?} {arguments:?}");
        for expected in [&[address(PREFIX).as_str()], expected].concat() {
            assert!(said.contains(expected), "{account:?} {arguments:?}: {expected} in {said}");
        }
        assert!(!said.contains("-secret"), "no secret is told: {said}");
    }
    let nowhere = ["--store", "s3://nowhere", "--endpoint-url", &s3.url()];
    for arguments in [&serve[..], &["check"], &["service", "list"]] {
        let mut command = std::process::Command::new(logdig_tests::server::binary());
        command.args(arguments).args(nowhere).envs(Account::Owner.variables());
        let output = command.output().expect("logdig can be started");
        let said = stderr(&output);
        assert!(!output.status.success() && said.contains("s3://nowhere/") && said.contains("NoSuchBucket"), "{said}");
    }
}

#[test]
fn check_finds_what_was_changed_in_the_bucket() {
    let s3 = S3::start();
    let mut server = collector(&s3, &SEAL_LATE);
    assert_eq!(post(&server, &token(&s3), "a"), 200);
    server.stop();
    let file = s3.logs(PREFIX)[0].file.clone();
    let path = s3.objects(PREFIX).join(&file);
    let content = fs::read_to_string(&path).expect("it is text");
    fs::write(&path, content.replace("shop.test", "evil.test")).expect("it can be written");
    fs::write(path.with_file_name("notes.txt"), "x").expect("it can be written");
    let (is_good, found) = check(&s3);
    let problems = |reason: &str| -> Vec<Value> {
        let all = found["problems"].as_array().expect("a list of problems");
        all.iter().filter(|problem| problem["reason"] == reason).map(|problem| problem["file"].clone()).collect()
    };
    assert!(!is_good, "{found}");
    assert_eq!(problems("wrong_name"), [json!(file)], "{found}");
    assert_eq!(problems("foreign_file"), [json!(format!("{}/notes.txt", &file[..10]))], "{found}");
    assert_eq!((&found["n_problems"], &found["n_logs"]), (&json!(2), &json!(1)), "{found}");
}
