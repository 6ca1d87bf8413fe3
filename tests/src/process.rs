//! Children that never outlive their test, and whose words are kept.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A running program in a process group of its own.
///
/// Dropping it kills the whole group, so that nothing it started stays.
pub struct Process {
    child: Child,
    lines: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `command` with both outputs taken over.
    ///
    /// # Panics
    ///
    /// When the program cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_os_string();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program:?}: {error}"));
        let lines = Mutex::new(read_lines(child.stdout.take().expect("stdout is piped")));
        let stderr = keep_stderr(child.stderr.take().expect("stderr is piped"));
        Self { child, lines, stderr }
    }

    /// The next line of its standard output.
    ///
    /// # Panics
    ///
    /// When it prints none within 20 s, or has ended.
    pub fn next_line(&self) -> String {
        self.try_next_line()
            .unwrap_or_else(|| panic!("process {} printed nothing; its standard error:\n{}", self.pid(), self.stderr()))
    }

    /// The next line of its standard output; `None` when it prints none within 20 s, or has ended.
    pub fn try_next_line(&self) -> Option<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.recv_timeout(Duration::from_secs(20)).ok()
    }

    /// The process id, which is the id of its group as well.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends `signal` to the process alone.
    pub fn signal(&self, signal: Signal) {
        // It may have ended by itself in between; `wait` tells.
        let _ = kill_process(self.pid(), signal);
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it has not ended at the deadline of [`wait_for`](crate::wait::wait_for).
    pub fn wait(&mut self) -> ExitStatus {
        crate::wait::wait_for("the end of a child process", || {
            self.child.try_wait().expect("a child can be waited for")
        })
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Kills it and all it started, at once, and waits for its end.
    pub fn kill_group(&mut self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
        if thread::panicking() {
            eprintln!("--- standard error of process {}:\n{}---", self.pid(), self.stderr());
        }
    }
}

fn read_lines(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody may be listening any more, but the pipe must not fill up.
            let _ = sender.send(line);
        }
    });
    receiver
}

fn keep_stderr(stderr: ChildStderr) -> Arc<Mutex<String>> {
    let kept = Arc::new(Mutex::new(String::new()));
    let writer = Arc::clone(&kept);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut text = writer.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&line);
            text.push('\n');
        }
    });
    kept
}
