//! Promise: the command line manages services, and `check` proves a store or
//! says exactly what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine;
use logdig_tests::sealed::{names, sha256_hex};
use logdig_tests::server::{SEAL_LATE, Server, logdig};
use logdig_tests::wait::wait_until;
use logdig_tests::{event, sealed::SealedLog};
use serde_json::{Value, json};
use sha2::{Digest, Sha384};
use tempfile::TempDir;

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("it prints UTF-8")
}

#[test]
fn services_are_added_listed_and_removed() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let data = folder.path().join("data").display().to_string();
    let run = |arguments: &[&str]| logdig(&[&["service"], arguments, &["--data", &data]].concat());
    let listed = || -> Value { serde_json::from_str(&stdout(&run(&["list", "--format", "json"]))).expect("JSON") };

    let added = stdout(&run(&["add", "My shop", "--origin", "https://shop.example", "--time-zone", "Asia/Seoul"]));
    let service = &listed()[0];
    let token = service["tokens"][0].as_str().expect("a token was made up").to_owned();
    assert!(token.len() >= 20 && added.contains(&token), "{added}");
    assert!(added.contains("<script async src=") && added.contains(&format!("data-token=\"{token}\"")), "{added}");
    assert_eq!(service["name"], "My shop");
    assert_eq!((&service["origins"], &service["time_zone"]), (&json!(["https://shop.example"]), &json!("Asia/Seoul")));

    let own = ["add", "old", "--origin", "https://a.example", "--origin", "https://b.example", "--token", "old-token"];
    stdout(&run(&own));
    assert_eq!(listed()[1]["tokens"], json!(["old-token"]));
    assert_eq!(listed()[1]["origins"], json!(["https://a.example", "https://b.example"]));
    let text = stdout(&run(&["list"]));
    assert!(text.contains("My shop") && text.contains("old-token"), "{text}");

    stdout(&run(&["remove", "My shop"]));
    let names: Vec<_> = listed().as_array().expect("a list").iter().map(|service| service["name"].clone()).collect();
    assert_eq!(names, ["old"]);
}

#[test]
fn services_are_changed_whole_or_not_at_all() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let data = folder.path().display().to_string();
    let run = |arguments: &[&str]| logdig(&[&["service"], arguments, &["--data", &data]].concat());
    let listed = || -> Value { serde_json::from_str(&stdout(&run(&["list", "--format", "json"]))).expect("JSON") };
    stdout(&run(&["add", "shop", "--origin", "https://shop.example", "--token", "old"]));
    stdout(&run(&["add", "blog", "--origin", "https://blog.example", "--token", "blog"]));

    let to = ["--rename", "Store", "--time-zone", "Asia/Seoul", "--add-token", "older", "--new-token"];
    let site = ["--add-origin", "https://store.example", "--remove-origin", "https://shop.example"];
    let changed = stdout(&run(&[&["change", "shop", "--format", "json"][..], &to, &site].concat()));
    let changed: Value = serde_json::from_str(&changed).expect("JSON");
    assert_eq!(changed, json!([listed()[0]]), "it shows what is kept");
    let service = &listed()[0];
    assert_eq!((&service["name"], &service["id"]), (&json!("Store"), &json!("shop")), "the id stays");
    assert_eq!((&service["origins"], &service["time_zone"]), (&json!(["https://store.example"]), &json!("Asia/Seoul")));
    let tokens = service["tokens"].as_array().expect("a list");
    assert!(tokens.len() == 3 && tokens[1..] == [json!("old"), json!("older")], "the new one is first: {tokens:?}");

    let before = listed();
    let refused: [(&[&str], &str); 7] = [
        (&["shop"], "required"),
        (&["nobody", "--new-token"], "no service `nobody`"),
        (&["shop", "--remove-origin", "https://other.example"], "no origin `https://other.example`"),
        (&["shop", "--remove-origin", "https://store.example"], "needs an origin and a token"),
        (&["shop", "--rename", "New", "--add-token", "blog"], "names the service `blog`"),
        (&["shop", "--rename", "BLOG"], "a service `BLOG` already"),
        (&["shop", "--new-token", "--time-zone", "Mars/Base"], "no time zone `Mars/Base`"),
    ];
    for (arguments, words) in refused {
        let output = run(&[&["change"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(words), "{arguments:?}: {told}");
    }
    assert_eq!(listed(), before);
}

#[test]
fn tags_are_printed_for_every_place_and_name_the_collector() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let data = folder.path().display().to_string();
    let run = |arguments: &[&str]| logdig(&[&["service"], arguments, &["--data", &data]].concat());
    let server = "https://logs.shop.example/";
    stdout(&run(&["add", "My shop", "--origin", "https://shop.example", "--token", "shop-token"]));
    let tags: Value =
        serde_json::from_str(&stdout(&run(&["tag", "My shop", "--url", server, "--format", "json"]))).expect("JSON");
    assert_eq!(tags["token"], "shop-token");
    for place in ["html", "snippet", "npm", "next", "gtm"] {
        let tag = tags["tags"][place].as_str().unwrap_or_else(|| panic!("a tag for {place}: {tags}"));
        assert!(tag.contains("shop-token") && tag.contains("https://logs.shop.example/"), "{place}: {tag}");
        let alone = stdout(&run(&["tag", "my-shop", "--url", server, "--for", place]));
        assert_eq!(alone.trim_end(), tag, "as it is, ready for a pipe");
    }
    let text = stdout(&run(&["tag", "My shop"]));
    assert!(text.contains("ADDRESS-OF-YOUR-COLLECTOR") && text.contains("--url"), "it says what is missing: {text}");
}

#[test]
fn the_integrity_in_a_tag_is_that_of_the_script_that_the_collector_serves() {
    let server = Server::start_with(&SEAL_LATE);
    let tag =
        stdout(&logdig(&["service", "tag", "local", "--for", "html", "--integrity", "--data", &server.data_text()]));
    let served = server.get("/logdig.js");
    assert!(served.is_success(), "{served:?}");
    let hash = base64::prelude::BASE64_STANDARD.encode(Sha384::digest(served.body.as_bytes()));
    assert!(tag.contains(&format!(r#"integrity="sha384-{hash}" crossorigin="anonymous""#)), "{tag}");
}

#[test]
fn a_service_that_cannot_be_is_refused_with_a_sentence() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let data = folder.path().display().to_string();
    let run = |arguments: &[&str]| logdig(&[&["service"], arguments, &["--data", &data]].concat());
    stdout(&run(&["add", "taken", "--origin", "https://a.example", "--token", "taken-token"]));
    let before = fs::read_to_string(folder.path().join("services.json")).expect("it is there");
    let table: [&[&str]; 10] = [
        &["add", "taken", "--origin", "https://b.example"],
        &["add", "other", "--origin", "https://b.example", "--token", "taken-token"],
        &["add", "other"],
        &["add", "other", "--origin", "*"],
        &["add", "other", "--origin", "null"],
        &["add", "other", "--origin", "https://b.example", "--time-zone", "Mars/Olympus"],
        &["add", "other", "--origin", "https://b.example", "--token", "with space"],
        &["add", "other", "--origin", "https://b.example", "--url", "logs.example"],
        &["tag", "other"],
        &["remove", "other"],
    ];
    for arguments in table {
        let output = run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).trim().contains(' '), "{arguments:?} says why: {output:?}");
    }
    let after = fs::read_to_string(folder.path().join("services.json")).expect("it is there");
    assert_eq!(before, after, "nothing has changed");
}

#[test]
fn a_running_collector_takes_changes_of_its_services() {
    let mut server = Server::start_with(&SEAL_LATE);
    let (data, local) = (server.data_text(), server.token());
    let post = |token: &str, id: &str| server.post_json(&event::envelope(token, [id])).status;
    assert_eq!(post("new-token", "early"), 403);
    let add = ["service", "add", "new", "--origin", "https://new.example", "--token", "new-token", "--data", &data];
    stdout(&logdig(&add));
    wait_until("the new service", || post("new-token", "added") == 200);
    stdout(&logdig(&["service", "remove", "new", "--data", &data]));
    wait_until("the end of the service", || post("new-token", "added") == 403);
    // A file that can't be read leaves the last good one in force.
    fs::write(server.data().join("services.json"), "{").expect("it can be written");
    wait_until("a warning", || server.stderr().contains("services.json"));
    assert_eq!(post(&local, "kept"), 200);
    let ids: Vec<_> = server.stop_and_read().iter().map(|log| log.text("id").to_owned()).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
}

/// A folder with a store, as a collector left it.
struct Store {
    folder: TempDir,
    logs: Vec<SealedLog>,
}

impl Store {
    fn make() -> Self {
        let mut server = Server::start_with(&SEAL_LATE);
        let token = server.token();
        server.post_json(&event::envelope(&token, ["a", "b", "c"]));
        let logs = server.stop_and_read();
        let folder = TempDir::new().expect("a temporary folder can be made");
        copy(&server.data(), folder.path());
        Self { folder, logs }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn file(&self) -> PathBuf {
        self.path().join(&self.logs[0].file)
    }

    /// Replaces the content of the file, and names it for that.
    fn rewrite(&self, content: &str) {
        let day = self.file().parent().expect("a file is in a day").to_owned();
        fs::remove_file(self.file()).expect("it was there");
        fs::write(day.join(sha256_hex(content.as_bytes())), content).expect("it can be written");
    }

    fn content(&self) -> String {
        fs::read_to_string(self.file()).expect("it is text")
    }

    fn check(&self) -> (bool, Value) {
        let folder = self.folder.path().display().to_string();
        let output = logdig(&["check", &folder, "--format", "json"]);
        let found = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let text = logdig(&["check", &folder]);
        assert_eq!(text.status.code(), output.status.code(), "both formats agree: {text:?}");
        assert!(!text.stdout.is_empty());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        (output.status.success(), found)
    }
}

fn copy(from: &Path, to: &Path) {
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            fs::create_dir_all(&to).expect("a folder can be made");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

#[test]
fn check_is_content_with_what_the_collector_wrote() {
    let store = Store::make();
    let (is_good, found) = store.check();
    assert!(is_good, "{found}");
    assert_eq!(counts(&found), json!([3, 0, 0, 0]), "{found}");
    assert_eq!(found["problems"], json!([]), "{found}");
    let day = &store.logs[0].file[..10];
    assert_eq!(found["counts"], json!([{"day": day, "service": "local", "n_logs": 3}]), "{found}");
}

/// Logs, those of the original, repeats, problems.
fn counts(found: &Value) -> Value {
    json!([found["n_logs"], found["n_legacy"], found["n_repeats"], found["n_problems"]])
}

/// What was done to a store.
type Change = (&'static str, fn(&Store));

#[test]
fn check_finds_whatever_was_changed() {
    let changes: [Change; 6] = [
        ("a flipped byte", |store| {
            let mut content = store.content().into_bytes();
            let at = content.iter().position(|byte| *byte == b'4').expect("there is a digit");
            content[at] ^= 1;
            fs::write(store.file(), content).expect("it can be written");
        }),
        ("a cut end", |store| fs::write(store.file(), store.content().trim_end()).expect("it can be written")),
        ("another name", |store| fs::rename(store.file(), store.file().with_file_name("a".repeat(64))).expect("moved")),
        ("another day", |store| {
            let day = store.path().join("2020-01-01");
            fs::create_dir(&day).expect("a day can be made");
            fs::rename(store.file(), day.join(store.file().file_name().expect("it has a name"))).expect("moved");
        }),
        ("no log", |store| store.rewrite(&format!("{}hello\n", store.content()))),
        ("a log without a token", |store| store.rewrite(&store.content().replace("\"token\"", "\"tokken\""))),
    ];
    for (what, change) in changes {
        let store = Store::make();
        change(&store);
        let (is_good, found) = store.check();
        assert!(!is_good, "{what} was not found: {found}");
        let problems = found["problems"].as_array().expect("a list of problems");
        assert!(!problems.is_empty(), "{what}: {found}");
        assert!(problems[0]["file"].is_string(), "{what}: it names the file: {found}");
    }
}

#[test]
fn check_counts_lines_of_the_original_and_repeats() {
    let store = Store::make();
    let content = store.content();
    let first = content.lines().next().expect("there is a line").to_owned();
    let day = &store.logs[0].file[..10];
    let legacy =
        format!("{day}T06:19:03.366Z|token|tR2VQSYNNXJwbBQLijmR|http://a.com/i|http://a.com/p|110|400|1120|Mozilla|2");
    store.rewrite(&format!("{content}{first}\n{legacy}\n"));
    let (is_good, found) = store.check();
    assert!(is_good, "neither is a fault: {found}");
    assert_eq!(counts(&found), json!([5, 1, 1, 0]), "{found}");
    assert_eq!(found["repeats"][0]["line"], 4, "it says where: {found}");
}

#[test]
fn check_of_what_is_no_store_says_so() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let nowhere = folder.path().join("nowhere").display().to_string();
    let output = logdig(&["check", &nowhere]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains(&nowhere), "{output:?}");
}

#[test]
fn help_lists_every_setting_with_its_variable_and_default() {
    let help = stdout(&logdig(&["serve", "--help"]));
    let table = [
        ("--listen", "LOGDIG_LISTEN", "127.0.0.1:8300"),
        ("--data", "LOGDIG_DATA", "logdig-data"),
        ("--min-logs", "LOGDIG_MIN_LOGS", "100"),
        ("--seal-after", "LOGDIG_SEAL_AFTER", "5m"),
        ("--seal-at-latest", "LOGDIG_SEAL_AT_LATEST", "1h"),
        ("--file-bytes-max", "LOGDIG_FILE_BYTES_MAX", "64MiB"),
    ];
    let one_line = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for (flag, variable, default) in table {
        assert!(one_line.contains(flag), "{flag} in\n{help}");
        assert!(
            one_line.contains(&format!("[env: {variable}=] [default: {default}]")),
            "{flag}: {variable}, {default} in\n{help}"
        );
    }
}
