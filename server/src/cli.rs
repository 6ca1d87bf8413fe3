//! The command line: what there is to do, and one call for each.

#[cfg(feature = "aws")]
mod batch;
mod check;
mod service;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::file::SettingsFile;
use crate::config::{DataConfig, HttpConfig, LogConfig, QueueConfig, SealConfig, StoreConfig, log};
use crate::serve;

/// Collects what the visitors of a website do, as plain log lines in files of your own
#[derive(Debug, Parser)]
#[command(name = "logdig", version, disable_help_subcommand = true, after_help = SETTINGS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// File with settings, under the flags' names; `logdig.toml` here if there is one
    #[arg(long, global = true, value_name = "FILE", env = "LOGDIG_CONFIG")]
    config: Option<PathBuf>,
}

const SETTINGS: &str = "A flag beats its variable, that beats the settings file, that beats the default.";

/// What there is to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take logs in over HTTP, and write them to files
    Serve(ServeArgs),
    /// Write what is in a queue to files, in place of the Lambda function
    #[cfg(feature = "aws")]
    Batch(batch::BatchArgs),
    /// Prove that every stored file is whole and every line a log
    Check(check::CheckArgs),
    /// Add, list and remove services: whose logs are taken, and from which sites
    #[command(subcommand)]
    Service(service::ServiceCommand),
}

/// All settings of the collector.
#[derive(clap::Args, Debug)]
#[command(after_help = SETTINGS)]
pub struct ServeArgs {
    /// Where everything is kept.
    #[command(flatten)]
    pub data: DataConfig,
    /// Where logs wait.
    #[command(flatten)]
    pub queue: QueueConfig,
    /// Where sealed files go.
    #[command(flatten)]
    pub store: StoreConfig,
    /// When files are sealed.
    #[command(flatten, next_help_heading = "Files")]
    pub seal: SealConfig,
    /// The listener.
    #[command(flatten, next_help_heading = "HTTP")]
    pub http: HttpConfig,
    /// The program's own log.
    #[command(flatten, next_help_heading = "Messages")]
    pub log: LogConfig,
}

/// How a report is written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Rows of text with columns as wide as they must be, the last one as wide as it is.
fn table<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Does what the process was started for.
pub fn run() -> ExitCode {
    let done = match parse(std::env::args_os()) {
        Ok(cli) => cli.run(),
        Err(ParseError::CommandLine(error)) => error.exit(),
        Err(ParseError::File(error)) => Err(error.into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("logdig: {}", explain(&error));
        ExitCode::FAILURE
    })
}

/// An error and its causes, without those that it names itself.
fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

impl Cli {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => run_serve(&args),
            #[cfg(feature = "aws")]
            Command::Batch(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::Service(command) => command.run(),
        }
    }
}

fn run_serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    log::init(&args.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve::serve(&args.data, &args.queue, &args.store, &args.http, &args.seal))?;
    // Requests that would not end in time are not waited for a second time.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Waits for what commands other than `serve` do.
fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Why a command line was not taken.
#[derive(Debug)]
enum ParseError {
    CommandLine(clap::Error),
    File(crate::config::file::FileError),
}

/// Reads the command line twice: the first time tells which settings file holds the defaults of the second.
fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, ParseError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let named = matches(Cli::command(), &args)?.get_one::<PathBuf>("config").cloned();
    let file = SettingsFile::load(named.as_deref(), &Cli::command()).map_err(ParseError::File)?;
    let matches = matches(file.as_defaults(Cli::command()), &args)?;
    Cli::from_arg_matches(&matches).map_err(ParseError::CommandLine)
}

fn matches(command: clap::Command, args: &[OsString]) -> Result<ArgMatches, ParseError> {
    command.try_get_matches_from(args).map_err(ParseError::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_cli() {
        Cli::command().debug_assert();
    }

    fn serve(args: &[&str]) -> Result<ServeArgs, String> {
        let args = ["logdig"].iter().chain(args).map(OsString::from);
        match parse(args) {
            Ok(Cli { command: Command::Serve(args), .. }) => Ok(args),
            Ok(other) => panic!("asked for serve, got {other:?}"),
            Err(ParseError::CommandLine(error)) => Err(error.to_string()),
            Err(ParseError::File(error)) => Err(error.to_string()),
        }
    }

    /// Runs this test program again, for `test` alone, with other variables: they belong to the whole process.
    fn again_with(test: &str, variables: &[(&str, &str)]) {
        let mut again = std::process::Command::new(std::env::current_exe().expect("it runs"));
        again.args(["--exact", test, "--nocapture"]).envs(variables.iter().copied());
        let output = again.output().expect("it ran before");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    #[test]
    fn a_flag_beats_its_variable_beats_the_file_beats_the_default() {
        let path = std::env::var_os("LOGDIG_CONFIG");
        if path.is_none() {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let file = dir.path().join("settings.toml");
            let settings =
                "min-logs = 1\nseal-after = \"1s\"\nfile-bytes-max = \"1MiB\"\ndemo = true\ndata = \"from file\"\n";
            std::fs::write(&file, settings).expect("written");
            let file = file.to_str().expect("a text");
            let variables = [("LOGDIG_CONFIG", file), ("LOGDIG_MIN_LOGS", "2"), ("LOGDIG_SEAL_AFTER", "2s")];
            let this = "cli::tests::a_flag_beats_its_variable_beats_the_file_beats_the_default";
            return again_with(this, &variables);
        }
        let args = serve(&["serve", "--min-logs", "3"]).expect("settings");
        assert_eq!(args.seal.min_logs, 3, "the flag");
        assert_eq!(args.seal.seal_after.as_secs(), 2, "the variable");
        assert_eq!(args.seal.file_bytes_max, 1 << 20, "the file");
        assert_eq!(args.seal.seal_at_latest.as_secs(), 3600, "the default");
        assert!(args.http.demo, "a switch in the file");
        assert_eq!(args.data.dir, PathBuf::from("from file"));
    }

    #[test]
    fn the_file_can_be_named_by_a_flag_and_is_checked() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("settings.toml");
        let path = file.to_str().expect("a text").to_owned();
        let with = |settings: &str| {
            std::fs::write(&file, settings).expect("written");
            serve(&["serve", "--config", &path])
        };
        assert_eq!(with("min-logs = 7").map(|args| args.seal.min_logs), Ok(7));
        #[rustfmt::skip]
        let cases = [
            ("min-log = 7", "`min-log` in"), ("min-logs = 0", "0 is not in"), ("min-logs = 1.5", "expected a whole number, not a float"),
            ("seal-after = 5", "expected a string, not an integer"), ("seal-after = \"5\"", "write a time with its unit"),
            ("file-bytes-max = \"x\"", "write a size with its unit"), ("log-format = \"xml\"", "invalid value"),
            ("demo = 1", "expected true or false"), ("script-name = \"app.js\"", "without .js"), ("script-name = \"\"", "write 1 to 64"),
            ("client-address-header = \"a b\"", "the name of a header"), ("client-address-header = \"Forwarded\"", "is not read"),
            ("proxies = 0", "0 is not in"), ("config = \"a\"", "there is no such setting"),
        ];
        for (settings, expected) in cases {
            let error = with(settings).map(|_| ()).expect_err(settings);
            assert!(error.contains(expected), "{settings}: {error}");
        }
        let error = serve(&["serve", "--config", "/nowhere.toml"]).map(|_| ()).expect_err("no such file");
        assert!(error.contains("cannot read `/nowhere.toml`"), "{error}");
    }

    #[test]
    fn the_example_lists_every_setting_with_its_default() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/logdig.toml");
        let with = |args: &[&str]| format!("{:?}", serve(args).expect("settings"));
        assert_eq!(with(&["serve", "--config", example]), with(&["serve"]));
        let text = std::fs::read_to_string(example).expect("it is there");
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("it is there");
        for flag in
            serve.get_arguments().filter_map(clap::Arg::get_long).filter(|flag| !["help", "config"].contains(flag))
        {
            let line = format!("{flag} = ");
            let is_there = text.lines().any(|have| have.trim_start_matches("# ").starts_with(&line));
            assert!(is_there, "{flag} is missing");
        }
    }

    #[test]
    fn the_operating_guide_tells_every_default() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPERATING.md");
        let text = std::fs::read_to_string(guide).expect("it is there");
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("it is there");
        for arg in serve.get_arguments().filter(|arg| arg.get_env().is_some()) {
            let (Some(flag), [default, ..]) = (arg.get_long(), arg.get_default_values()) else { continue };
            let row = text.lines().find(|line| line.starts_with(&format!("| `--{flag}` |")));
            let row = row.unwrap_or_else(|| panic!("--{flag} is missing"));
            let default = default.to_string_lossy();
            assert!(row.contains(&format!("| `{default}` |")) || default == "false", "{row} should tell `{default}`");
        }
    }

    #[test]
    fn every_setting_tells_its_variable() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("it is there");
        for arg in serve.get_arguments().filter(|arg| arg.get_id() != "help") {
            let flag = arg.get_long().expect("settings are flags");
            let variable = format!("LOGDIG_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some(variable.as_str()), "--{flag}");
        }
    }

    #[test]
    fn a_cause_is_named_once() {
        let inner = anyhow::anyhow!("no space left").context("writing `x`: no space left").context("sealing");
        assert_eq!(explain(&inner), "sealing: writing `x`: no space left");
    }

    #[test]
    fn tables_are_as_wide_as_they_must_be() {
        let rows = [["A", "BB"], ["가나다", "b"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(rows.into_iter()), "A    BB\n가나다  b\n");
    }
}
