//! Promise: the answer goes out after the disk has the log, and a disk that
//! takes no more makes the collector say "later", not fall over or forget.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use logdig_tests::http::Answer;
use logdig_tests::server::{SEAL_LATE, SEAL_SOON, Server};
use logdig_tests::trace::Trace;
use logdig_tests::wait::{wait_for, wait_until};
use logdig_tests::{event, sealed::SealedLog};
use rustix::process::getuid;

/// How many requests are looked at one by one, and then at once.
const REQUESTS: usize = 8;

#[test]
fn fdatasync_returns_before_the_answer_goes_out() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("trace");
    let strace = ["strace", "-f", "-yy", "-s", "4096", "-e", SYSTEM_CALLS, "-o", file.to_str().expect("a plain path")];
    let server = Server::start_under(&strace, &SEAL_LATE);
    let token = server.token();
    let post = |id: &str| {
        let answer = server.post_json(&event::envelope(&token, [id]));
        assert_eq!(answer.status, 200, "{answer:?}");
    };

    let one_by_one: Vec<String> = (0..REQUESTS).map(|n| format!("alone.{n}")).collect();
    one_by_one.iter().for_each(|id| post(id));
    let at_once: Vec<String> = (0..REQUESTS).map(|n| format!("crowd.{n}")).collect();
    std::thread::scope(|scope| at_once.iter().for_each(|id| drop(scope.spawn(|| post(id)))));

    for id in one_by_one.iter().chain(&at_once) {
        // strace writes a call down when it returns, which may be after the
        // client has the answer.
        let trace = wait_for("the trace of an answer", || {
            let trace = Trace::read(&fs::read_to_string(&file).ok()?);
            trace.answer_to(id).is_some().then_some(trace)
        });
        check_order(&trace, id);
    }
}

const SYSTEM_CALLS: &str =
    "trace=openat,read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,fdatasync,fsync,sendto,sendmsg";

/// Written to a file of the spool, then that file synced, then the answer.
fn check_order(trace: &Trace, id: &str) {
    let answer = trace.answer_to(id).expect("the answer was waited for");
    let write = trace.file_write(id).unwrap_or_else(|| panic!("{id} was never written to a file"));
    assert!(write.path().contains("/spool/"), "{id} was written to {}", write.path());
    let sync = trace.sync_after(write).unwrap_or_else(|| panic!("{} was never synced after {id}", write.path()));
    assert!(sync.returned < answer.began, "{id}: the answer went out before the sync returned\n{sync:?}\n{answer:?}");
    assert!(answer.text.contains("HTTP/1.1 200"), "{answer:?}");
}

/// A server whose room can be limited, and what it acknowledged.
struct Limited {
    server: Server,
    acknowledged: Vec<String>,
}

impl Limited {
    fn start() -> Self {
        Self { server: Server::start(), acknowledged: Vec::new() }
    }

    fn post(&mut self, id: &str) -> Answer {
        let answer = self.server.post_json(&event::envelope(&self.server.token(), [id]));
        if answer.is_success() {
            self.acknowledged.push(id.to_owned());
        }
        answer
    }

    fn finish(mut self) {
        check_exactly_once(&self.server.stop_and_read(), &self.acknowledged);
    }
}

#[test]
fn a_full_disk_means_later_and_is_recovered_from() {
    // No room at all, and room for a part of a line: a torn write.
    for room in [0, 400] {
        let mut limited = Limited::start();
        assert_eq!(limited.post("before").status, 200);
        limited.server.set_room(Some(room));
        let refused: Vec<String> = (0..5).map(|n| format!("full.{n}")).collect();
        for id in &refused {
            check_later(&limited.post(id));
        }
        wait_until("not ready", || limited.server.get("/health/ready").status == 503);
        assert_eq!(limited.server.get("/health/live").status, 200, "it stays up");

        limited.server.set_room(None);
        for id in &refused {
            wait_until("a 2xx once there is room", || limited.post(id).is_success());
        }
        wait_until("ready again", || limited.server.get("/health/ready").status == 200);
        limited.finish();
    }
}

#[test]
fn a_crash_on_a_full_disk_loses_nothing_acknowledged() {
    let mut limited = Limited::start();
    assert_eq!(limited.post("before").status, 200);
    limited.server.set_room(Some(400));
    check_later(&limited.post("full"));
    limited.server.kill9();
    limited.server.restart_on_same_port();
    assert_eq!(limited.post("full").status, 200);
    assert_eq!(limited.post("after").status, 200);
    limited.finish();
}

#[test]
fn a_full_disk_beneath_its_own_log_stops_nothing() {
    let flags: Vec<&str> = SEAL_SOON.into_iter().chain(["--log", "debug"]).collect();
    let mut server = Server::start_under(&["sh", "-c", r#"exec "$@" 2>/dev/full"#, "sh"], &flags);
    let log = event::log(&server.token(), "unheard");
    assert_eq!(server.post_json(&log).status, 200);
    check_exactly_once(&server.stop_and_read(), &["unheard".to_owned()]);
}

/// Root passes any permission; this takes that power away from the program.
fn obedient() -> Vec<&'static str> {
    if getuid().is_root() { vec!["setpriv", "--bounding-set=-dac_override,-dac_read_search"] } else { Vec::new() }
}

#[test]
fn logs_wait_while_the_store_is_not_writable() {
    let mut server = Server::start_under(&obedient(), &SEAL_SOON);
    let token = server.token();
    let store = server.data().join("store");
    fs::create_dir_all(&store).expect("the store can be made");
    set_writable(&store, false);
    let mut acknowledged = Vec::new();
    for n in 0..20 {
        let id = format!("waits.{n}");
        let answer = server.post_json(&event::envelope(&token, [&id]));
        if answer.is_success() {
            acknowledged.push(id);
        } else {
            check_later(&answer);
        }
    }
    wait_until("a warning", || server.stderr().contains("WARN"));
    assert_eq!(server.sealed_logs().len(), 0);
    assert!(!acknowledged.is_empty(), "the spool was writable");

    set_writable(&store, true);
    server.wait_sealed(acknowledged.len());
    check_exactly_once(&server.stop_and_read(), &acknowledged);
}

#[test]
fn an_unwritable_spool_means_later_and_is_recovered_from() {
    // Every log fills its file, so each needs a new file in the spool.
    let flags = ["--file-bytes-max", "100"];
    let mut server = Server::start_under(&obedient(), &flags);
    let spool = server.data().join("spool");
    let token = server.token();
    let mut acknowledged = Vec::new();
    let mut post = |id: String| {
        let answer = server.post_json(&event::envelope(&token, [&id]));
        if answer.is_success() {
            acknowledged.push(id);
        }
        answer
    };
    assert_eq!(post("before".to_owned()).status, 200);
    set_writable(&spool, false);
    let refusal = (0..50).map(|n| post(format!("unwritable.{n}"))).find(|answer| !answer.is_success());
    check_later(&refusal.expect("50 logs of one file each cannot all go to a folder that takes none"));
    set_writable(&spool, true);
    wait_until("a 2xx once it is writable", || post("after".to_owned()).is_success());
    check_exactly_once(&server.stop_and_read(), &acknowledged);
}

fn set_writable(folder: &Path, writable: bool) {
    let mode = if writable { 0o755 } else { 0o555 };
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("the owner may change permissions");
}

fn check_later(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let seconds: Option<u64> = answer.header("retry-after").and_then(|text| text.parse().ok());
    assert!(seconds.is_some_and(|seconds| (1..=600).contains(&seconds)), "{answer:?}");
    assert!(answer.json()["reason"].is_string() && answer.json()["message"].is_string(), "{answer:?}");
}

fn check_exactly_once(stored: &[SealedLog], ids: &[String]) {
    let mut stored: Vec<&str> = stored.iter().map(|log| log.text("id")).collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    stored.sort_unstable();
    ids.sort_unstable();
    assert_eq!(stored, ids, "each acknowledged log once, and nothing else");
}
