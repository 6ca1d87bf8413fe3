//! The stored files, read with code of our own and checked while read.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// One line of a sealed file.
#[derive(Debug, Clone)]
pub struct SealedLog {
    /// Name of the file below `store/`: `2026-11-25/<64 hex digits>`.
    pub file: String,
    /// Number of the line, counted from 1.
    pub line: usize,
    /// What stands in the line.
    pub json: Value,
}

impl SealedLog {
    /// The text in this field; empty when it is absent or no text.
    pub fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }
}

/// Every log in the sealed files of a data folder, file by file.
///
/// # Panics
///
/// When a file's name is not the SHA-256 of its content, its folder is no day
/// or not the day of each line's `received_at`, or a line is not one JSON
/// object: each of them breaks a promise.
pub fn sealed_logs(data: &Path) -> Vec<SealedLog> {
    logs_in(&data.join("store"))
}

/// The same for the folder of a store itself. What begins with `.` or `_` is the business of others.
///
/// # Panics
///
/// As [`sealed_logs`].
pub fn logs_in(store: &Path) -> Vec<SealedLog> {
    let mut logs = Vec::new();
    for day in names(store).into_iter().filter(|name| !name.starts_with(['.', '_'])) {
        assert!(is_day(&day), "{day} is not a day");
        for name in names(&store.join(&day)).into_iter().filter(|name| is_hash(name)) {
            logs.extend(read_file(store, &day, &name));
        }
    }
    logs
}

/// The lines of sealed files as they stand there, without the line ends.
pub fn sealed_lines(data: &Path) -> Vec<String> {
    let store = data.join("store");
    let days = names(&store).into_iter().map(|day| store.join(day));
    let files = days.flat_map(|day| names(&day).into_iter().map(move |name| day.join(name)));
    let texts = files.map(|file| fs::read_to_string(&file).expect("a sealed file is text"));
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The logs that are durable and not yet in a sealed file. A line that is being written is left out.
pub fn spooled_logs(data: &Path) -> Vec<Value> {
    let spool = data.join("spool");
    // A file may be sealed, and so be gone, in between.
    let texts = names(&spool).into_iter().filter_map(|name| fs::read_to_string(spool.join(name)).ok());
    texts.flat_map(|text| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<_>>()).collect()
}

/// The SHA-256 of `content`, in lower case hex digits.
pub fn sha256_hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_file(store: &Path, day: &str, name: &str) -> Vec<SealedLog> {
    let content = fs::read(store.join(day).join(name)).expect("a sealed file can be read");
    assert_eq!(sha256_hex(&content), name, "a sealed file is named for its content");
    let text = String::from_utf8(content).expect("a sealed file is UTF-8");
    assert!(text.ends_with('\n'), "{day}/{name} ends in the middle of a line");
    let log = |(index, line): (usize, &str)| {
        let json: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("not a log ({error}): {line}"));
        let received_at = json["received_at"].as_str().unwrap_or_default();
        assert!(received_at.starts_with(day), "received at {received_at} but in {day}: {line}");
        SealedLog { file: format!("{day}/{name}"), line: index + 1, json }
    };
    text.lines().enumerate().map(log).collect()
}

/// The names in a folder, sorted; none when there is no such folder yet.
///
/// # Panics
///
/// When the folder cannot be listed.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("cannot list {}: {error}", folder.display()),
    };
    let name = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort();
    names
}

fn is_day(name: &str) -> bool {
    let form = |(byte, form): (u8, u8)| if form == b'-' { byte == b'-' } else { byte.is_ascii_digit() };
    name.len() == 10 && name.bytes().zip(*b"0000-00-00").all(form)
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
