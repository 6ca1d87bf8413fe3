//! The collector as a child process that can be killed and started again.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::LOOK_EVERY;

/// How much of what the collector said last is shown when it dies.
const LAST_LINES_MAX: usize = 20;

/// A collector on a fixed address; up or, when the visitor of the demo wants it so, down.
pub struct Collector {
    program: PathBuf,
    data: PathBuf,
    address: SocketAddr,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    /// Reads what it says on stderr to the end and gives the last of it.
    last_lines: JoinHandle<VecDeque<String>>,
}

impl Collector {
    /// Starts a collector; port 0 takes a free one and keeps it.
    ///
    /// # Errors
    /// When it does not come up; the message holds what it said.
    pub fn start(program: PathBuf, data: PathBuf, address: SocketAddr) -> Result<Self> {
        let mut collector = Self { program, data, address, running: Mutex::default() };
        let (running, address) = collector.spawn()?;
        collector.address = address;
        collector.running = Mutex::new(Some(running));
        Ok(collector)
    }

    /// Where it listens, or will again.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The script tag of the service that takes logs of pages on the loopback.
    ///
    /// # Errors
    /// When the folder has no such service.
    pub fn script_tag(&self) -> Result<String> {
        let file = self.data.join("services.json");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let services: Value = serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
        let token = loopback_token(&services)
            .with_context(|| format!("no service in {} takes logs of http://127.0.0.1", file.display()))?;
        Ok(format!(r#"<script async src="http://{}/logdig.js" data-token="{token}"></script>"#, self.address))
    }

    /// The process, while it is up.
    pub fn pid(&self) -> Option<u32> {
        self.running().as_ref().map(|running| running.child.id())
    }

    /// Kills it as a crash would: no chance to finish anything.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn crash(&self) -> Result<()> {
        if let Some(mut running) = self.running().take() {
            running.child.kill().context("killing the collector")?;
            running.child.wait().context("waiting for the killed collector")?;
        }
        Ok(())
    }

    /// Starts it again where it was. Nothing to do when it is up.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn revive(&self) -> Result<()> {
        let mut running = self.running();
        if running.is_none() {
            *running = Some(self.spawn()?.0);
        }
        Ok(())
    }

    /// How it ended, when it ended without having been asked to.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn death(&self) -> Result<Option<String>> {
        let mut running = self.running();
        let status = running.as_mut().map(|running| running.child.try_wait()).transpose()?.flatten();
        Ok(status.and_then(|status| Some(running.take()?.last_words(status))))
    }

    /// Asks it to finish and waits; kills it when `hurry` becomes true.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop(&self, hurry: &AtomicBool) -> Result<()> {
        let Some(mut running) = self.running().take() else { return Ok(()) };
        kill_process(Pid::from_child(&running.child), Signal::TERM).context("stopping the collector")?;
        let status = loop {
            if let Some(status) = running.child.try_wait()? {
                break status;
            }
            if hurry.load(Ordering::Relaxed) {
                running.child.kill()?;
            }
            thread::sleep(LOOK_EVERY);
        };
        if !status.success() && !hurry.load(Ordering::Relaxed) {
            bail!("the collector did not end well: {}", running.last_words(status));
        }
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        // A panic elsewhere leaves a child or none: both are true states.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self) -> Result<(Running, SocketAddr)> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--demo", "--min-logs=1", "--seal-after=5s"]);
        command.arg("--listen").arg(self.address.to_string()).arg("--data").arg(&self.data);
        // Ctrl-C in a terminal goes to all of a group; this child we stop ourselves, once.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("starting {}", self.program.display()))?;
        let stderr = child.stderr.take();
        let last_lines = thread::spawn(|| stderr.map(last_lines).unwrap_or_default());
        let stdout = child.stdout.take();
        let mut running = Running { child, last_lines };
        match stdout.and_then(listening_address) {
            Some(address) => Ok((running, address)),
            None => {
                running.child.kill().ok(); // It may have ended already.
                let status = running.child.wait()?;
                bail!("the collector did not start: {}", running.last_words(status))
            }
        }
    }
}

impl Running {
    fn last_words(self, status: ExitStatus) -> String {
        let lines = self.last_lines.join().unwrap_or_default();
        lines.iter().fold(status.to_string(), |words, line| words + "\n    " + line)
    }
}

fn last_lines(stderr: impl Read) -> VecDeque<String> {
    let mut last = VecDeque::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        last.push_back(line);
        if last.len() > LAST_LINES_MAX {
            last.pop_front();
        }
    }
    last
}

/// Reads `listening on http://ADDRESS:PORT`; what follows is for people who start it by hand.
pub fn listening_address(stdout: impl Read + Send + 'static) -> Option<SocketAddr> {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let address = lines.next()?.strip_prefix("listening on http://")?.parse().ok();
    // A full pipe would stop it.
    thread::spawn(move || lines.for_each(drop));
    address
}

fn loopback_token(services: &Value) -> Option<&str> {
    let takes_loopback = |service: &&Value| {
        let origins = service["origins"].as_array().into_iter().flatten();
        origins.filter_map(Value::as_str).any(|origin| origin.starts_with("http://127.0.0.1"))
    };
    services["services"].as_array()?.iter().find(takes_loopback)?["tokens"][0].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_the_token_for_pages_on_the_loopback() {
        let shop = json!({"id": "a", "tokens": ["SHOP"], "origins": ["https://shop.example"]});
        let local = json!({"id": "b", "tokens": ["LOCAL", "OLD"], "origins": ["http://localhost", "http://127.0.0.1"]});
        assert_eq!(loopback_token(&json!({"services": [shop, local]})), Some("LOCAL"));
        assert_eq!(loopback_token(&json!({"services": [shop]})), None);
        assert_eq!(loopback_token(&json!({})), None);
    }

    #[test]
    fn reads_the_first_line() {
        let read = |text: &'static str| listening_address(text.as_bytes());
        assert_eq!(read("listening on http://127.0.0.1:8300\n<script>"), "127.0.0.1:8300".parse().ok());
        assert_eq!(read("something else\n"), None);
        assert_eq!(read(""), None);
    }
}
