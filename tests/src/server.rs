//! The real `logdig` program, over a folder of its own.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, prlimit};
use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::process::Process;
use crate::sealed::{self, SealedLog};
use crate::wait::wait_for;

/// The flags most tests want: what was sent is in a sealed file a moment later.
pub const SEAL_SOON: [&str; 4] = ["--min-logs", "1", "--seal-after", "1s"];

/// The flags of tests that look at what a stop, or a restart, leaves behind.
pub const SEAL_LATE: [&str; 4] = ["--min-logs", "1000000", "--seal-after", "1h"];

/// A collector that runs on a free port of the loopback, with one service for
/// loopback origins.
///
/// Dropping it kills the program; when the test fails, what the program wrote
/// to standard error is printed.
pub struct Server {
    process: Process,
    address: SocketAddr,
    flags: Vec<OsString>,
    runner: Vec<OsString>,
    folder: TempDir,
}

impl Server {
    /// Starts one that seals soon.
    pub fn start() -> Self {
        Self::start_with(&SEAL_SOON)
    }

    /// Starts one with these flags beside `--listen` and `--data`.
    pub fn start_with(flags: &[&str]) -> Self {
        Self::start_under(&[], flags)
    }

    /// From now on none of its files may grow past this many bytes, as on a
    /// disk with so much room; `None` takes the limit away.
    ///
    /// # Panics
    ///
    /// When the limit cannot be set.
    pub fn set_room(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(self.process.pid()), Resource::Fsize, limit).expect("the limit can be set");
    }

    /// Starts one under another program, such as `strace -o FILE`, which gets
    /// the collector's command line appended to its own.
    ///
    /// # Panics
    ///
    /// When the collector does not come up.
    pub fn start_under(runner: &[&str], flags: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let flags: Vec<OsString> = flags.iter().map(OsString::from).collect();
        let runner: Vec<OsString> = runner.iter().map(OsString::from).collect();
        let (process, address) = launch(&runner, &folder.path().join("data"), "127.0.0.1:0", &flags);
        Self { process, address, flags, runner, folder }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder given to `--data`.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The same as text, to be an argument of [`logdig`].
    pub fn data_text(&self) -> String {
        self.data().display().to_string()
    }

    /// What the collector wrote to standard error since its last start.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// The process that was started: the collector, or the runner it is under.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The token of the first service.
    ///
    /// # Panics
    ///
    /// When `services.json` is not as documented.
    pub fn token(&self) -> String {
        let text = fs::read_to_string(self.data().join("services.json")).expect("services.json is there");
        let services: Value = serde_json::from_str(&text).expect("services.json is JSON");
        services["services"][0]["tokens"][0].as_str().expect("the first service has a token").to_owned()
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// When no answer came.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, String> {
        let url = format!("{}{path}", self.url());
        http::request(method, &url, headers, body).map_err(|error| error.to_string())
    }

    /// Sends a request that must be answered.
    ///
    /// # Panics
    ///
    /// When no answer came.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.try_request(method, path, headers, body);
        answer.unwrap_or_else(|error| panic!("no answer to {method} {path}: {error}"))
    }

    /// Sends a `GET` without any headers.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    /// Posts a body of this content type, as a program would: without `Origin`.
    pub fn post(&self, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.request("POST", "/", &[("content-type", content_type)], body.as_ref())
    }

    /// Posts JSON as the tracker does, as `text/plain`.
    pub fn post_json(&self, body: &Value) -> Answer {
        self.post("text/plain;charset=UTF-8", body.to_string())
    }

    /// The sum of a metric's samples in `/metrics` whose labels hold all of
    /// these, such as `outcome="stored"`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.get("/metrics").body;
        let value = |line: &str| {
            let (sample, value) = line.rsplit_once(' ')?;
            let is_asked = sample.split('{').next() == Some(name) && labels.iter().all(|label| sample.contains(label));
            is_asked.then(|| value.parse::<f64>().ok())?
        };
        text.lines().filter_map(value).sum()
    }

    /// The logs in sealed files, checked; see [`sealed::sealed_logs`].
    pub fn sealed_logs(&self) -> Vec<SealedLog> {
        sealed::sealed_logs(&self.data())
    }

    /// All logs that are durable now, in sealed files or not.
    pub fn logs_so_far(&self) -> Vec<Value> {
        let spooled = sealed::spooled_logs(&self.data());
        spooled.into_iter().chain(self.sealed_logs().into_iter().map(|log| log.json)).collect()
    }

    /// Waits until at least `n` logs are in sealed files, and returns all.
    pub fn wait_sealed(&self, n: usize) -> Vec<SealedLog> {
        wait_for(&format!("{n} logs in sealed files"), || {
            let logs = self.sealed_logs();
            (logs.len() >= n).then_some(logs)
        })
    }

    /// Ends it as a crash would, at once; what it had in memory is gone.
    pub fn kill9(&mut self) {
        self.process.kill_group();
    }

    /// Asks it to end by SIGTERM, and ends it as a crash would this much later.
    pub fn kill9_while_stopping(&mut self, after: Duration) {
        self.process.signal(Signal::TERM);
        thread::sleep(after);
        self.kill9();
    }

    /// Starts it again after a [`kill9`](Self::kill9), and ends it as a crash
    /// would this much later, whether it is up by then or not.
    pub fn kill9_while_starting(&mut self, after: Duration) {
        let listen = self.address.to_string();
        self.process = Process::start(&mut command(&self.runner, &self.data(), &listen, &self.flags));
        thread::sleep(after);
        self.kill9();
    }

    /// Starts it again after a [`kill9`](Self::kill9) or a stop, over the same
    /// folder and on the same port.
    pub fn restart_on_same_port(&mut self) {
        let listen = self.address.to_string();
        let (process, address) = launch(&self.runner, &self.data(), &listen, &self.flags);
        (self.process, self.address) = (process, address);
    }

    /// Asks it to end by SIGTERM and expects that it does so with 0.
    ///
    /// # Panics
    ///
    /// When it ends otherwise, or not at all.
    pub fn stop(&mut self) {
        let status = self.terminate();
        assert!(status.success(), "SIGTERM must end it with 0, not {status}");
    }

    /// Asks it to end by SIGTERM, and returns how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.signal(Signal::TERM);
        self.process.wait()
    }

    /// Stops it and returns everything that it stored, in any order.
    ///
    /// # Panics
    ///
    /// When it does not stop well or a stored file breaks a promise.
    pub fn stop_and_read(&mut self) -> Vec<SealedLog> {
        self.stop();
        self.sealed_logs()
    }
}

/// Runs `logdig` with these arguments to its end.
///
/// # Panics
///
/// When it cannot be started.
pub fn logdig(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("logdig can be started")
}

/// The program under test: `LOGDIG_BIN`, else the one in the target folder
/// that this test was built into.
///
/// # Panics
///
/// When it is not there.
pub fn binary() -> PathBuf {
    let built = || {
        let test = env::current_exe().expect("a test knows its own path");
        // target/debug/deps/<test>: the program is one folder up.
        test.ancestors().nth(2).expect("a test is in target/debug/deps").join("logdig")
    };
    let path = env::var_os("LOGDIG_BIN").map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "there is no {}: run `cargo xtask test`, which builds it first", path.display());
    path
}

fn launch(runner: &[OsString], data: &Path, listen: &str, flags: &[OsString]) -> (Process, SocketAddr) {
    let process = Process::start(&mut command(runner, data, listen, flags));
    let address = read_address(&process);
    (process, address)
}

fn command(runner: &[OsString], data: &Path, listen: &str, flags: &[OsString]) -> Command {
    let mut command_line = runner.to_vec();
    command_line.push(binary().into());
    let mut command = Command::new(&command_line[0]);
    command.args(&command_line[1..]).args(["serve", "--listen", listen, "--data"]).arg(data).args(flags);
    // What the developer has set for a server of their own is not for this one.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LOGDIG_")) {
        command.env_remove(name);
    }
    command
}

/// The address in the first line that the program prints.
fn read_address(process: &Process) -> SocketAddr {
    let line = process.next_line();
    let address = line.strip_prefix("listening on http://").and_then(|address| address.trim().parse().ok());
    address.unwrap_or_else(|| panic!("the first line of logdig is {line:?}"))
}
