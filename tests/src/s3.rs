//! A real S3: versitygw over a folder, which checks signatures and checksums.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::http;
use crate::parts::{free_port, part};
use crate::process::Process;
use crate::sealed::{self, SealedLog};
use crate::server::binary;
use crate::wait::{wait_for, wait_until};

/// Of the account that owns every bucket.
const ACCESS_KEY: &str = "owner";
const SECRET_KEY: &str = "owner-secret";
/// The one bucket.
const BUCKET: &str = "logs";

/// An S3 with one bucket on a free port of the loopback. Dropping it ends it.
///
/// Objects are files in a folder, which tests can look into, and change, behind its back.
pub struct S3 {
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

/// With whose credentials something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// The bucket's owner, who may do everything.
    Owner,
    /// A user who is known, and may do nothing.
    Stranger,
    /// Somebody who says to be the owner.
    Impostor,
}

impl Account {
    /// The variables by which the SDK takes credentials.
    pub fn variables(self) -> [(&'static str, &'static str); 4] {
        let (access, secret) = match self {
            Self::Owner => (ACCESS_KEY, SECRET_KEY),
            Self::Stranger => ("stranger", "stranger-secret"),
            Self::Impostor => (ACCESS_KEY, "guessed-secret"),
        };
        // Nobody asks the machine's cloud for more.
        [
            ("AWS_ACCESS_KEY_ID", access),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// The same as a runner for [`Server::start_under`](crate::Server::start_under).
    pub fn runner(self) -> Vec<String> {
        let variables = self.variables().map(|(name, value)| format!("{name}={value}"));
        std::iter::once("env".to_owned()).chain(variables).collect()
    }
}

impl S3 {
    /// Starts one with an empty bucket.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        fs::create_dir_all(folder.path().join("buckets").join(BUCKET)).expect("a bucket is a folder");
        fs::create_dir(folder.path().join("accounts")).expect("a folder can be made");
        let mut this = Self { folder, port: free_port(), process: None };
        this.go_on();
        this.add_stranger();
        this
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it, as a crash would; what it holds stays.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again after a [`stop`](Self::stop), on the same port.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn go_on(&mut self) {
        // Another program may have the port for a moment.
        wait_for("versitygw", || {
            let mut process = Process::start(&mut self.command());
            while process.is_running() {
                if http::request("GET", &format!("{}/health", self.url()), &[], b"").is_ok_and(|it| it.is_success()) {
                    self.process = Some(process);
                    return Some(());
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            None
        });
    }

    fn command(&self) -> Command {
        let mut command = Command::new(part("versitygw").join("versitygw"));
        command.env("ROOT_ACCESS_KEY", ACCESS_KEY).env("ROOT_SECRET_KEY", SECRET_KEY);
        command.args(["--port", &format!("127.0.0.1:{}", self.port), "--health", "/health", "--quiet", "--iam-dir"]);
        command.arg(self.folder.path().join("accounts")).arg("posix").arg(self.folder.path().join("buckets"));
        command
    }

    fn add_stranger(&self) {
        let [(_, access), (_, secret), ..] = Account::Stranger.variables();
        let mut command = Command::new(part("versitygw").join("versitygw"));
        command.args(["admin", "--access", ACCESS_KEY, "--secret", SECRET_KEY, "--endpoint-url", &self.url()]);
        command.args(["create-user", "--access", access, "--secret", secret, "--role", "user"]);
        let output = command.output().expect("versitygw can be started");
        assert!(output.status.success(), "{output:?}");
    }

    /// The flags for a store in the bucket, under this prefix, which may be empty.
    pub fn flags(&self, prefix: &str) -> [String; 4] {
        ["--store".to_owned(), address(prefix), "--endpoint-url".to_owned(), self.url()]
    }

    /// Runs `logdig` with these arguments and a store in the bucket.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn logdig(&self, account: Account, prefix: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(arguments).args(self.flags(prefix)).envs(account.variables());
        command.output().expect("logdig can be started")
    }

    /// The folder that holds the objects under a prefix.
    pub fn objects(&self, prefix: &str) -> PathBuf {
        self.folder.path().join("buckets").join(BUCKET).join(prefix)
    }

    /// The content of an object, as it lies on the disk.
    ///
    /// # Panics
    ///
    /// When it is not there.
    pub fn object(&self, name: &str) -> String {
        fs::read_to_string(self.objects(name)).unwrap_or_else(|error| panic!("object {name}: {error}"))
    }

    /// The logs in the stored files under a prefix, checked; see [`sealed::logs_in`].
    pub fn logs(&self, prefix: &str) -> Vec<SealedLog> {
        sealed::logs_in(&self.objects(prefix))
    }

    /// Waits until at least `n` logs are stored under a prefix, and returns all.
    pub fn wait_logs(&self, prefix: &str, n: usize) -> Vec<SealedLog> {
        wait_for(&format!("{n} logs in S3"), || {
            let logs = self.logs(prefix);
            (logs.len() >= n).then_some(logs)
        })
    }

    /// Waits until nobody answers at its port any more.
    pub fn wait_gone(&self) {
        wait_until("the end of versitygw", || http::request("GET", &self.url(), &[], b"").is_err());
    }
}

/// How a place in the bucket is written.
pub fn address(prefix: &str) -> String {
    format!("s3://{BUCKET}/{prefix}").trim_end_matches('/').to_owned()
}
