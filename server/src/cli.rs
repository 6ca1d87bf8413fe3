//! The command line: what there is to do, and one call for each.

mod check;
mod service;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::file::SettingsFile;
use crate::config::{DataConfig, HttpConfig, LogConfig, SealConfig, log};
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
            Command::Check(args) => args.run(),
            Command::Service(command) => command.run(),
        }
    }
}

fn run_serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    log::init(&args.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve::serve(&args.data, &args.http, &args.seal))?;
    // Requests that would not end in time are not waited for a second time.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
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
}
