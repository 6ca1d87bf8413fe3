//! A real SQS: ElasticMQ, with the limits of AWS.

mod front;

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::parts::{free_port, part};
use crate::process::Process;
use crate::server::binary;
use crate::wait::wait_until;

pub use front::{Call, SqsFault, SqsFront};

/// What the SDK needs to sign calls, though ElasticMQ does not look at it; and nobody asks the machine's cloud for more.
pub const VARIABLES: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "owner"),
    ("AWS_SECRET_ACCESS_KEY", "owner-secret"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// The same as a runner for [`Server::start_under`](crate::Server::start_under).
pub fn runner() -> Vec<String> {
    let variables = VARIABLES.map(|(name, value)| format!("{name}={value}"));
    std::iter::once("env".to_owned()).chain(variables).collect()
}

/// One process for all tests of a program that run at a time: it takes two seconds and 200 MB.
static SHARED: Mutex<Weak<ElasticMq>> = Mutex::new(Weak::new());
static NEXT_QUEUE: AtomicUsize = AtomicUsize::new(0);

struct ElasticMq {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl ElasticMq {
    fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *shared = Arc::downgrade(&started);
            started
        })
    }

    fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let port = free_port();
        let settings = folder.path().join("elasticmq.conf");
        fs::write(&settings, Self::settings(port)).expect("a new folder can be written to");
        let mut java = Command::new("java");
        // It takes a quarter of the machine's memory otherwise, and compiles more than a test runs.
        java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        java.arg(format!("-Dconfig.file={}", settings.display()));
        java.arg("-cp").arg(part("elasticmq").join("lib/*")).arg("org.elasticmq.server.Main");
        let process = Process::start(java.current_dir(folder.path()));
        wait_until("ElasticMQ", || call(port, "ListQueues", &json!({})).is_ok_and(|answer| answer.status == 200));
        Self { port, _process: process, _folder: folder }
    }

    fn settings(port: u16) -> String {
        format!(
            r#"include classpath("application.conf")
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "127.0.0.1", sqs-limits = strict }}
rest-stats {{ enabled = false }}
"#
        )
    }

    fn call(&self, action: &str, body: &Value) -> Value {
        let answer = call(self.port, action, body).unwrap_or_else(|error| panic!("{action}: {error}"));
        assert_eq!(answer.status, 200, "{action} {body}: {}", answer.body);
        // Some actions answer nothing.
        serde_json::from_str(&answer.body).unwrap_or_default()
    }
}

fn call(port: u16, action: &str, body: &Value) -> Result<Answer, String> {
    let target = format!("AmazonSQS.{action}");
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &*target)];
    let url = format!("http://127.0.0.1:{port}/");
    http::request("POST", &url, &headers, body.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// A queue of this test's own, with a dead-letter queue to which SQS itself moves what was received 1,000 times.
pub struct Queue {
    server: Arc<ElasticMq>,
    name: String,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct QueuedMessage {
    /// Its text.
    pub text: String,
    /// Its attributes that are texts.
    pub attributes: Vec<(String, String)>,
    /// How often it was received, this time included.
    pub n_received: usize,
}

impl QueuedMessage {
    /// The text of the attribute of this name; empty when there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl Queue {
    /// Makes one.
    ///
    /// # Panics
    ///
    /// When ElasticMQ does not come up.
    #[allow(clippy::new_without_default, reason = "it starts a process")]
    pub fn new() -> Self {
        let server = ElasticMq::shared();
        let name = format!("logdig-{}", NEXT_QUEUE.fetch_add(1, Ordering::Relaxed));
        let this = Self { server, name };
        this.server.call("CreateQueue", &json!({"QueueName": format!("{}-dead", this.name)}));
        let arn = format!("arn:aws:sqs:elasticmq:000000000000:{}-dead", this.name);
        let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": 1000}).to_string();
        this.server.call("CreateQueue", &json!({"QueueName": this.name, "Attributes": {"RedrivePolicy": policy}}));
        this
    }

    /// Makes one without a dead-letter queue.
    pub fn without_dead_letters() -> Self {
        let server = ElasticMq::shared();
        let name = format!("logdig-{}", NEXT_QUEUE.fetch_add(1, Ordering::Relaxed));
        server.call("CreateQueue", &json!({"QueueName": name}));
        Self { server, name }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/000000000000/{}", self.server.port, self.name)
    }

    /// The address of its dead-letter queue.
    pub fn dead_letter_url(&self) -> String {
        format!("{}-dead", self.url())
    }

    /// The value of `--queue`.
    pub fn flag(&self) -> String {
        format!("sqs:{}", self.url())
    }

    /// Puts a message in.
    pub fn send(&self, text: &str) {
        self.server.call("SendMessage", &json!({"QueueUrl": self.url(), "MessageBody": text}));
    }

    /// How many messages are there, hidden ones included.
    pub fn n_messages(&self) -> usize {
        self.count(&self.url(), &["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])
    }

    /// How many messages are there that nobody has taken out.
    pub fn n_visible(&self) -> usize {
        self.count(&self.url(), &["ApproximateNumberOfMessages"])
    }

    /// How many messages are in the dead-letter queue.
    pub fn n_dead(&self) -> usize {
        self.count(&self.dead_letter_url(), &["ApproximateNumberOfMessages"])
    }

    fn count(&self, url: &str, attributes: &[&str]) -> usize {
        let answer = self.server.call("GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["All"]}));
        let count = |name: &&str| answer["Attributes"][*name].as_str().and_then(|text| text.parse::<usize>().ok());
        attributes.iter().map(|name| count(name).unwrap_or_else(|| panic!("{name} in {answer}"))).sum()
    }

    /// Up to ten messages of the queue, which stay in it, visible.
    pub fn peek(&self) -> Vec<QueuedMessage> {
        self.peek_at(&self.url())
    }

    /// Up to ten messages of the dead-letter queue.
    pub fn dead_letters(&self) -> Vec<QueuedMessage> {
        self.peek_at(&self.dead_letter_url())
    }

    fn peek_at(&self, url: &str) -> Vec<QueuedMessage> {
        let receive = json!({
            "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0,
            "MessageAttributeNames": ["All"], "AttributeNames": ["All"],
        });
        let answer = self.server.call("ReceiveMessage", &receive);
        answer["Messages"].as_array().into_iter().flatten().map(queued_message).collect()
    }
}

fn queued_message(message: &Value) -> QueuedMessage {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attributes = message["MessageAttributes"].as_object().into_iter().flatten();
    QueuedMessage {
        text: text(&message["Body"]),
        attributes: attributes.map(|(name, value)| (name.clone(), text(&value["StringValue"]))).collect(),
        n_received: text(&message["Attributes"]["ApproximateReceiveCount"]).parse().unwrap_or(0),
    }
}

/// The command line of `logdig batch` with these arguments.
pub fn batch_command(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(binary());
    command.arg("batch").args(arguments).envs(VARIABLES);
    command
}

/// Runs `logdig batch --once --format json` with these arguments to its end, and gives what it said of itself.
///
/// # Panics
///
/// When it fails, or says nothing that can be read.
pub fn batch_once(arguments: &[impl AsRef<OsStr>]) -> Value {
    let output = batch_once_output(arguments);
    assert!(output.status.success(), "{output:?}");
    report(&output)
}

/// The same, however it ends.
///
/// # Panics
///
/// When it cannot be started.
pub fn batch_once_output(arguments: &[impl AsRef<OsStr>]) -> Output {
    batch_command(&["--once", "--format", "json"]).args(arguments).output().expect("logdig can be started")
}

/// What a batcher said of itself.
///
/// # Panics
///
/// When it is no JSON.
pub fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {output:?}"))
}
