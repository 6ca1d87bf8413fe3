//! Proves a data folder or a store: what `logdig check` finds.

mod source;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use logdig_shared::{limits::LINE_BYTES_MAX, line, read::StoredLog};
use logdig_store::{
    ContentHash, Day, ObjectKey, StoreError,
    disk::{Disk, RealDisk},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::queue::RepeatKey;

pub use source::{Folder, Reader, Source};

/// Names the service that a token belongs to.
pub type ServiceOf<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// How many places are listed; the rest is only counted.
pub const PLACES_MAX: usize = 1000;

/// What was found in a data folder. It is good when there are no problems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Stored files.
    pub n_files: u64,
    /// Their length together.
    pub n_bytes: u64,
    /// Lines that are logs.
    pub n_logs: u64,
    /// How many of them the original wrote.
    pub n_legacy: u64,
    /// How many of them repeat the id of a log of the same or the day before; a local spool stores none within 24 hours.
    pub n_repeats: u64,
    /// Logs by day and service, in this order.
    pub counts: Vec<Count>,
    /// What is wrong.
    pub n_problems: u64,
    /// Where, up to [`PLACES_MAX`].
    pub problems: Vec<Problem>,
    /// Where the repeats are, up to [`PLACES_MAX`].
    pub repeats: Vec<Place>,
    /// What is not in a stored file yet.
    pub spool: Files,
    /// What could not be read back after a crash. None of it was acknowledged.
    pub aside: Files,
}

/// How many logs a service had on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The UTC day; `2026-11-25`.
    pub day: String,
    /// The service's name, or the token where no service has it.
    pub service: String,
    /// Its logs, repeats included.
    pub n_logs: u64,
}

/// Files that are only counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Files {
    /// How many.
    pub n_files: u64,
    /// Their length together.
    pub n_bytes: u64,
}

/// A file of the store, or a line in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Relative to the store; `2026-11-25/<64 hex digits>`.
    pub file: String,
    /// Counted from 1; `None`: the file as a whole.
    pub line: Option<u64>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// For programs: `wrong_name`, `not_a_log`, `wrong_day`, `unreadable` or `foreign_file`.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// The store can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is nothing to check.
    #[error("`{0}` holds no folder `store`: is it the folder that `logdig serve --data` names?")]
    NotData(PathBuf),
    /// The folder is not there.
    #[error("there is no folder `{0}`")]
    NoFolder(PathBuf),
    /// A folder can't be listed.
    #[error("listing `{dir}`: {source}")]
    Io {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A store elsewhere can't be listed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks the data folder `dir`, also while a collector works on it.
///
/// `service_of` names the service that a token belongs to. Memory holds a line at a time, and 16 bytes for each id of
/// two days.
///
/// # Errors
/// When there is no store, or a folder can't be listed. A file that can't be read is a problem in the report.
pub async fn check(dir: &Path, service_of: ServiceOf<'_>) -> Result<Report, CheckError> {
    let store = dir.join("store");
    if !store.is_dir() {
        return Err(CheckError::NotData(dir.to_owned()));
    }
    let mut report = check_source(&Folder(store), service_of).await?;
    add_waiting(&mut report, dir)?;
    Ok(report)
}

/// Checks all that `source` holds.
///
/// # Errors
/// When it can't be listed. A file that can't be read is a problem in the report.
pub async fn check_source(source: &dyn Source, service_of: ServiceOf<'_>) -> Result<Report, CheckError> {
    let mut check = Check::default();
    for name in source.names(None).await? {
        match name.parse() {
            Ok(day) => check.day(source, day, service_of).await?,
            Err(_) => check.foreign(name),
        }
    }
    Ok(check.report)
}

/// Adds what the data folder `dir` holds beside stored files.
///
/// # Errors
/// When a folder can't be listed.
pub fn add_waiting(report: &mut Report, dir: &Path) -> Result<(), CheckError> {
    report.spool = count_files(&dir.join("spool"))?;
    report.aside = count_files(&dir.join("aside"))?;
    Ok(())
}

fn count_files(dir: &Path) -> Result<Files, CheckError> {
    let mut files = Files::default();
    // A file that is gone by now was moved by a collector at work.
    for facts in source::list(dir)?.iter().filter_map(|name| RealDisk.facts(&dir.join(name)).ok()) {
        files.n_files += 1;
        files.n_bytes += facts.n_bytes;
    }
    Ok(files)
}

#[derive(Default)]
struct Check {
    report: Report,
    /// Of the day at hand and of the one before it.
    ids: HashSet<RepeatKey>,
    ids_before: HashSet<RepeatKey>,
    day_before: Option<Day>,
    n_logs_by_token: HashMap<String, u64>,
}

impl Check {
    async fn day(&mut self, source: &dyn Source, day: Day, service_of: ServiceOf<'_>) -> Result<(), CheckError> {
        let ids = std::mem::take(&mut self.ids);
        self.ids_before = if self.day_before == Some(day.before()) { ids } else { HashSet::new() };
        self.day_before = Some(day);
        for name in source.names(Some(day)).await? {
            let file = format!("{day}/{name}");
            match file.parse() {
                Ok(key) => self.file(key, source.open(key).await),
                Err(_) => self.foreign(file),
            }
        }
        let mut counts = BTreeMap::<String, u64>::new();
        for (token, n_logs) in self.n_logs_by_token.drain() {
            *counts.entry(service_of(&token).unwrap_or(token)).or_default() += n_logs;
        }
        let count = |(service, n_logs)| Count { day: day.to_string(), service, n_logs };
        self.report.counts.extend(counts.into_iter().map(count));
        Ok(())
    }

    fn file(&mut self, key: ObjectKey, opened: io::Result<Reader>) {
        self.report.n_files += 1;
        match opened.and_then(|reader| self.content(key, reader)) {
            Ok(found) if found == key.sha256 => {}
            Ok(found) => self.problem(key, None, "wrong_name", format!("the SHA-256 of its content is {found}")),
            Err(error) => self.problem(key, None, "unreadable", error.to_string()),
        }
    }

    /// Reads a file line by line; gives the hash of all of it.
    fn content(&mut self, key: ObjectKey, mut reader: Reader) -> io::Result<ContentHash> {
        let mut hasher = Sha256::new();
        let mut piece = Vec::new();
        let (mut n_line, mut is_at_start) = (0, true);
        loop {
            piece.clear();
            reader.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut piece)?;
            if piece.is_empty() {
                return Ok(ContentHash::from(hasher));
            }
            hasher.update(&piece);
            self.report.n_bytes += piece.len() as u64;
            // What is longer than a line can be comes in pieces; the first of them is reported, for all.
            if is_at_start {
                n_line += 1;
                self.line(key, n_line, &piece);
            }
            is_at_start = piece.ends_with(b"\n");
        }
    }

    fn line(&mut self, key: ObjectKey, n_line: u64, bytes: &[u8]) {
        let log = match read(bytes) {
            Ok(log) => log,
            Err(message) => return self.problem(key, Some(n_line), "not_a_log", message),
        };
        self.report.n_logs += 1;
        self.report.n_legacy += u64::from(log.is_legacy);
        if let Some(message) = wrong_day(&log, key.day) {
            self.problem(key, Some(n_line), "wrong_day", message);
        }
        if let Some(id) = &log.event.id {
            self.id(RepeatKey::of(&log.event.token, id), key, n_line);
        }
        match self.n_logs_by_token.get_mut(&log.event.token) {
            Some(n_logs) => *n_logs += 1,
            None => drop(self.n_logs_by_token.insert(log.event.token, 1)),
        }
    }

    fn id(&mut self, id: RepeatKey, key: ObjectKey, n_line: u64) {
        if !self.ids.insert(id) || self.ids_before.contains(&id) {
            self.report.n_repeats += 1;
            if self.report.repeats.len() < PLACES_MAX {
                self.report.repeats.push(Place { file: key.to_string(), line: Some(n_line) });
            }
        }
    }

    fn foreign(&mut self, file: String) {
        let message = "not of the form 2026-11-25/<64 lower-case hex digits>; readers pass over it".to_owned();
        self.add(Problem { place: Place { file, line: None }, reason: "foreign_file", message });
    }

    fn problem(&mut self, key: ObjectKey, line: Option<u64>, reason: &'static str, message: String) {
        self.add(Problem { place: Place { file: key.to_string(), line }, reason, message });
    }

    fn add(&mut self, problem: Problem) {
        self.report.n_problems += 1;
        if self.report.problems.len() < PLACES_MAX {
            self.report.problems.push(problem);
        }
    }
}

fn read(bytes: &[u8]) -> Result<StoredLog, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if !text.ends_with('\n') {
        return Err(format!("it ends without a newline, or is longer than {LINE_BYTES_MAX} bytes"));
    }
    line::read(text).map_err(|refusal| match refusal.field {
        Some(field) => format!("`{}` {}", field.as_str(), refusal.reason),
        None => refusal.reason.to_string(),
    })
}

/// Why a log is not one of `day`. The original stamped no receipt: its logs belong where they are.
fn wrong_day(log: &StoredLog, day: Day) -> Option<String> {
    let received_at = match &log.event.received_at {
        Some(received_at) => received_at,
        None if log.is_legacy => return None,
        None => return Some("it has no `received_at`".to_owned()),
    };
    let is_right = received_at.parse::<Timestamp>().is_ok_and(|received_at| Day::of(received_at) == day);
    (!is_right).then(|| format!("it was received at {received_at}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data folder with one stored file.
    struct Data(tempfile::TempDir);

    impl Data {
        fn new() -> Data {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir(dir.path().join("store")).unwrap();
            Data(dir)
        }

        fn add(&self, day: &str, lines: &[&str]) -> String {
            let content = lines.concat();
            let name = format!("{day}/{}", ContentHash::of(content.as_bytes()));
            self.write(&name, &content);
            name
        }

        fn write(&self, name: &str, content: &str) {
            let path = self.0.path().join("store").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }

        async fn check(&self) -> Report {
            let service_of = |token: &str| (token == "t").then(|| "shop".to_owned());
            check(self.0.path(), &service_of).await.unwrap()
        }
    }

    fn log(token: &str, id: &str, received_at: &str) -> String {
        format!(
            r#"{{"timestamp":"2026-11-25T11:59:59.000Z","token":"{token}","user_key":"tR2VQSYNNXJwbBQLijmR","current_page":"http://a.com/","link":"","x":1,"y":2,"spent_milli_sec":3,"user_agent":"M","load_count":4,"id":"{id}","seq":0,"type":"click","received_at":"{received_at}"}}"#
        ) + "\n"
    }

    const NOON: &str = "2026-11-25T12:00:00.000Z";
    const LEGACY: &str = "2015-12-22T06:19:03.366Z|t|tR2VQSYNNXJwbBQLijmR|http://a.com/i|http://a.com/p|1|2|3|M|2\n";

    fn places(problems: &[Problem]) -> Vec<(&str, Option<u64>, &str)> {
        problems.iter().map(|problem| (problem.place.file.as_str(), problem.place.line, problem.reason)).collect()
    }

    #[tokio::test]
    async fn counts_by_day_and_service() {
        let folder = Data::new();
        folder.add("2026-11-25", &[&log("t", "a.0", NOON), &log("u", "a.0", NOON), LEGACY]);
        folder.add("2026-11-26", &[&log("t", "a.1", "2026-11-26T00:00:00.000Z")]);
        let report = folder.check().await;
        assert_eq!(report.problems, []);
        assert_eq!((report.n_files, report.n_logs, report.n_legacy, report.n_repeats), (2, 4, 1, 0));
        let counts: Vec<_> = report.counts.iter().map(|c| (c.day.as_str(), c.service.as_str(), c.n_logs)).collect();
        assert_eq!(counts, [("2026-11-25", "shop", 2), ("2026-11-25", "u", 1), ("2026-11-26", "shop", 1)]);
    }

    #[tokio::test]
    async fn tells_a_changed_file() {
        let folder = Data::new();
        let name = folder.add("2026-11-25", &[&log("t", "a.0", NOON)]);
        folder.write(&name, &log("t", "a.1", NOON));
        assert_eq!(places(&folder.check().await.problems), [(name.as_str(), None, "wrong_name")]);
    }

    #[tokio::test]
    async fn tells_lines_that_are_no_logs_of_the_day() {
        let folder = Data::new();
        let no_receipt = log("t", "a.3", NOON).replace("received_at", "other");
        let good = log("t", "a.1", NOON);
        let late = log("t", "a.2", "2026-11-26T00:00:00.000Z");
        let long = format!("{}\n", "x".repeat(3 * LINE_BYTES_MAX));
        let cut = good.trim_end().replace("a.1", "a.4");
        let name = folder.add("2026-11-25", &["hello\n", &good, &late, &no_receipt, &long, "\n", &cut]);
        let report = folder.check().await;
        let found: Vec<_> =
            places(&report.problems).into_iter().map(|(_, line, reason)| (line.unwrap(), reason)).collect();
        let expect = [
            (1, "not_a_log"),
            (3, "wrong_day"),
            (4, "wrong_day"),
            (5, "not_a_log"),
            (6, "not_a_log"),
            (7, "not_a_log"),
        ];
        assert_eq!(found, expect, "{:?}", report.problems);
        assert!(report.problems.iter().all(|problem| problem.place.file == name));
        assert_eq!(report.n_logs, 3);
    }

    #[tokio::test]
    async fn tells_files_that_are_not_ours() {
        let folder = Data::new();
        folder.write("2026-11-25/notes.txt", "");
        folder.write("elsewhere/x", "");
        let report = folder.check().await;
        let expect = [("2026-11-25/notes.txt", None, "foreign_file"), ("elsewhere", None, "foreign_file")];
        assert_eq!(places(&report.problems), expect);
    }

    #[tokio::test]
    async fn counts_repeats_of_two_days() {
        let folder = Data::new();
        let next_day = "2026-11-26T00:00:01.000Z";
        let first = [log("t", "a.0", NOON), log("t", "a.1", NOON), log("t", "a.0", NOON)].concat();
        folder.add("2026-11-25", &[&first]);
        let name = folder.add("2026-11-26", &[&log("u", "a.1", next_day), &log("t", "a.1", next_day)]);
        let report = folder.check().await;
        assert_eq!((report.n_repeats, report.n_problems), (2, 0));
        assert_eq!(report.repeats[1], Place { file: name, line: Some(2) });
    }

    #[tokio::test]
    async fn a_folder_without_a_store_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(check(dir.path(), &|_| None).await, Err(CheckError::NotData(_))));
    }
}
