//! `logdig check`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use bytesize::ByteSize;
use logdig_store::StoreAddress;

use super::{Format, plural, table, wait_for};
use crate::check::{CheckError, Files, Folder, Problem, Report, Source, add_waiting, check, check_source};
use crate::config::StoreConfig;
use crate::services::{Services, file};
use crate::storage::Storage;

/// Proves a data folder or a store, also while a collector works on it. Exit code 1 says that something is wrong
#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    /// The folder that `logdig serve --data` names; with --store only for what waits there
    #[arg(value_name = "DIR", required_unless_present = "address")]
    dir: Option<PathBuf>,

    #[command(flatten)]
    store: StoreConfig,

    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl CheckArgs {
    /// Checks, and prints what was found.
    ///
    /// # Errors
    ///
    /// When the folder can't be checked at all.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let report = wait_for(self.check())?;
        match self.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
            Format::Text => print!("{}", text(&report)),
        }
        Ok(if report.n_problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn check(&self) -> anyhow::Result<Report> {
        let services = self.services().await?;
        let service_of = |token: &str| services.find(token).map(|service| service.name.clone());
        let Some(source) = source(&self.store).await? else {
            let dir = self.dir.as_deref().context("name the folder that `logdig serve --data` names")?;
            return Ok(check(dir, &service_of).await?);
        };
        let mut report = check_source(&*source, &service_of).await?;
        if let Some(dir) = &self.dir {
            add_waiting(&mut report, dir)?;
        }
        Ok(report)
    }

    /// Logs are checked whoever they belong to, so services that can't be had cost only the names.
    async fn services(&self) -> anyhow::Result<Services> {
        let storage = Storage::open(self.dir.as_deref().unwrap_or(Path::new(".")), &self.store).await?;
        if self.dir.is_none() && !storage.is_shared {
            return Ok(Services::default());
        }
        Ok(file::read(&*storage.services).await.unwrap_or_else(|error| {
            eprintln!("logdig: tokens stand for names: {error}");
            Services::default()
        }))
    }
}

/// The store that is named; `None`: the one in the data folder.
async fn source(store: &StoreConfig) -> anyhow::Result<Option<Box<dyn Source>>> {
    match &store.address {
        None => Ok(None),
        Some(StoreAddress::Folder(folder)) if !folder.is_dir() => Err(CheckError::NoFolder(folder.clone()).into()),
        Some(StoreAddress::Folder(folder)) => Ok(Some(Box::new(Folder(folder.clone())))),
        #[cfg(feature = "aws")]
        Some(StoreAddress::S3(address)) => Ok(Some(Box::new(crate::storage::s3_store(address, store).await))),
        #[cfg(not(feature = "aws"))]
        Some(StoreAddress::S3(address)) => anyhow::bail!("`{address}`: this program was built without AWS"),
    }
}

fn text(report: &Report) -> String {
    let mut out = format!("{}\n\n", summary(report));
    if !report.counts.is_empty() {
        let head = ["DAY", "SERVICE", "LOGS"].map(str::to_owned);
        let rows =
            report.counts.iter().map(|count| [count.day.clone(), count.service.clone(), count.n_logs.to_string()]);
        out.push_str(&table(std::iter::once(head).chain(rows)));
        out.push('\n');
    }
    let mut line = |text: String| writeln!(out, "{text}").expect("a String takes any text");
    if report.spool.n_files > 0 {
        line(format!("not sealed yet: {}", files(report.spool)));
    }
    if report.aside.n_files > 0 {
        line(format!("left by a crash and never acknowledged: {} in `aside`", files(report.aside)));
    }
    report.repeats.iter().for_each(|place| line(format!("repeat: {}", place_text(&place.file, place.line))));
    report.problems.iter().for_each(|problem| line(problem_text(problem)));
    let n_unlisted = report.n_problems - report.problems.len() as u64;
    match report.n_problems {
        0 => line("all is well".to_owned()),
        n if n_unlisted == 0 => line(format!("problems: {n}")),
        n => line(format!("problems: {n}, {n_unlisted} of them not listed")),
    }
    out
}

fn summary(report: &Report) -> String {
    let Report { n_files, n_bytes, n_logs, n_legacy, n_repeats, .. } = report;
    let size = ByteSize(*n_bytes);
    let mut text = format!("{} in {}, {size}", plural(*n_logs, "log"), plural(*n_files, "file"));
    if *n_legacy > 0 {
        write!(text, "; {n_legacy} written by the original").expect("a String takes any text");
    }
    if *n_repeats > 0 {
        write!(text, "; {}", plural(*n_repeats, "repeat")).expect("a String takes any text");
    }
    text
}

fn files(files: Files) -> String {
    format!("{}, {}", plural(files.n_files, "file"), ByteSize(files.n_bytes))
}

fn place_text(file: &str, line: Option<u64>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file} line {line}"))
}

fn problem_text(problem: &Problem) -> String {
    let place = place_text(&problem.place.file, problem.place.line);
    format!("problem: {place}: {}: {}", problem.reason, problem.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Count, Place};

    #[test]
    fn a_good_store_is_said_to_be_one() {
        let counts = vec![Count { day: "2026-11-25".to_owned(), service: "my shop".to_owned(), n_logs: 1 }];
        let report = Report { n_files: 1, n_bytes: 2048, n_logs: 1, counts, ..Report::default() };
        let expected = "1 log in 1 file, 2.0 KiB\n\nDAY         SERVICE  LOGS\n2026-11-25  my shop  1\n\nall is well\n";
        assert_eq!(text(&report), expected);
    }

    #[test]
    fn a_bad_one_has_a_line_for_each_problem() {
        let place = Place { file: "2026-11-25/abc".to_owned(), line: Some(7) };
        let problem = Problem { place: place.clone(), reason: "not_a_log", message: "`x` is missing".to_owned() };
        let report = Report {
            n_repeats: 1,
            repeats: vec![place],
            n_problems: 3,
            problems: vec![problem],
            aside: Files { n_files: 1, n_bytes: 10 },
            ..Report::default()
        };
        let text = text(&report);
        for line in [
            "0 logs in 0 files, 0 B; 1 repeat",
            "left by a crash and never acknowledged: 1 file, 10 B in `aside`",
            "repeat: 2026-11-25/abc line 7",
            "problem: 2026-11-25/abc line 7: not_a_log: `x` is missing",
            "problems: 3, 2 of them not listed",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
    }
}
