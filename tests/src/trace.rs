//! What `strace -f -yy` wrote down, in the order in which it happened.

use std::collections::HashMap;

/// The system calls of a program.
#[derive(Debug)]
pub struct Trace {
    calls: Vec<Call>,
}

/// One system call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Number of the trace's line in which it began.
    pub began: usize,
    /// Number of the trace's line in which it returned.
    pub returned: usize,
    /// Its name, arguments and result.
    pub text: String,
}

impl Call {
    fn is(&self, names: &[&str]) -> bool {
        self.text.split_once('(').is_some_and(|(name, _)| names.contains(&name))
    }

    /// What its first argument, a file descriptor, stands for:
    /// `/tmp/spool/x` of `write(5</tmp/spool/x>, …`, `TCP:[…]` for a socket.
    pub fn path(&self) -> &str {
        let after = self.text.split_once('<').map_or("", |(_, after)| after);
        // Sockets have `->` inside: the end is the `>` before a comma or bracket.
        let end = [">,", ">)"].iter().filter_map(|end| after.find(end)).min();
        end.map_or("", |end| &after[..end])
    }

    fn is_on_socket(&self) -> bool {
        self.path().starts_with("TCP")
    }
}

const READS: [&str; 4] = ["read", "readv", "recvfrom", "recvmsg"];
const WRITES: [&str; 6] = ["write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg"];

impl Trace {
    /// Reads the text of a trace; its last line may be half written.
    pub fn read(text: &str) -> Self {
        let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
        let mut calls = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let Some((pid, rest)) = line.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if let Some((start, _)) = rest.split_once(" <unfinished ...>") {
                unfinished.insert(pid, (number, start));
            } else if let Some((_, end)) = rest.split_once(" resumed>") {
                if let Some((began, start)) = unfinished.remove(pid) {
                    calls.push(Call { began, returned: number, text: format!("{start}{end}") });
                }
            } else {
                calls.push(Call { began: number, returned: number, text: rest.to_owned() });
            }
        }
        Self { calls }
    }

    /// The first write to a file (not a socket) that holds this id.
    pub fn file_write(&self, id: &str) -> Option<&Call> {
        self.calls.iter().find(|call| call.is(&WRITES) && !call.is_on_socket() && call.text.contains(&quoted(id)))
    }

    /// The first successful sync of the same file that began after this write had returned.
    pub fn sync_after(&self, write: &Call) -> Option<&Call> {
        let is_sync = |call: &&Call| call.is(&["fdatasync", "fsync"]) && call.text.trim_end().ends_with("= 0");
        let mut syncs = self.calls.iter().filter(is_sync);
        syncs.find(|call| call.path() == write.path() && call.began > write.returned)
    }

    /// The first write to the connection by which this id had come, after it came.
    pub fn answer_to(&self, id: &str) -> Option<&Call> {
        let is_request = |call: &&Call| call.is(&READS) && call.is_on_socket() && call.text.contains(&quoted(id));
        let request = self.calls.iter().find(is_request)?;
        let is_answer = |call: &&Call| call.is(&WRITES) && call.path() == request.path();
        self.calls.iter().filter(is_answer).find(|call| call.began > request.returned)
    }
}

/// strace shows quotes with a backslash. The quotes tell `x.1` from `x.10`.
fn quoted(id: &str) -> String {
    format!("\\\"{id}\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"10 recvfrom(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "POST / {\"id\":\"a.1\"}", 99, 0, NULL, NULL) = 20
11 write(5</d/spool/s>, "{\"id\":\"a.1\"}\n", 13) = 13
11 fdatasync(5</d/spool/s> <unfinished ...>
10 read(3</x>, "", 1) = 0
11 <... fdatasync resumed>) = 0
10 sendto(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "HTTP/1.1 200 OK", 15, 0, NULL, 0) = 15
"#;

    #[test]
    fn finds_request_write_sync_and_answer() {
        let trace = Trace::read(TEXT);
        let write = trace.file_write("a.1").expect("it was written");
        assert_eq!(write.path(), "/d/spool/s");
        let sync = trace.sync_after(write).expect("it was synced");
        assert_eq!((sync.began, sync.returned), (2, 4));
        assert_eq!(trace.answer_to("a.1").expect("it was answered").began, 5);
        assert!(trace.file_write("a.10").is_none() && trace.answer_to("a").is_none());
    }
}
