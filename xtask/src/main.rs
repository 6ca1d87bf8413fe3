//! `cargo xtask`: build, run, test and measure LogDig.
//!
//! One file a command. `tracker` and `site` make what is not a plain cargo
//! build, `setup` brings what the machine lacks, `tools` finds and runs
//! programs, `progress` tells the person who waits what is going on.

mod bench;
mod ci;
mod demo;
mod npm;
mod progress;
mod server;
mod setup;
mod site;
mod size;
mod test;
mod tools;
mod tracker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::bench::Bench;
use crate::setup::Need;
use crate::tools::Workspace;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Build, run, test and measure LogDig", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring what this machine lacks: wasm targets, npm tools, a browser, stand-ins for AWS
    ///
    /// Looks at the real things, not at a note of an earlier run; does nothing when all is there.
    /// Node 20, Go, Java with Maven, a C compiler and rustup are taken for granted: where one is missing, it is named with
    /// the command that installs it.
    Setup {
        /// Also what `bench` needs (wrk)
        #[arg(long)]
        bench: bool,
    },
    /// Build the tracker, the demo site and the server
    ///
    /// tracker/dist/logdig.js is the tracker, one file; demo-site/dist is the demo site. The `logdig`
    /// program is built with the tracker inside.
    Build {
        /// Optimise the server and the demo site too (the tracker always is)
        #[arg(long)]
        release: bool,
    },
    /// Build everything, start it and print the addresses to open; Ctrl-C ends it
    ///
    /// The collector and, on another port as a customer's site would be, a small shop that loads the
    /// tracker. A panel in it follows every click until it is a line in a file.
    Demo(demo::Options),
    /// Build everything and run all tests, those in a real browser too
    Test {
        /// For cargo test, after `--`: e.g. `-- -p logdig-shared`
        #[arg(last = true, value_name = "ARGUMENTS")]
        arguments: Vec<String>,
    },
    /// What the tracker weighs, beside what it weighed; fails when it is over its budget
    Size {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Build the npm package: target/npm/logdig-VERSION.tgz
    Npm {
        /// Also let npm say what publishing it would do; nothing is published
        #[arg(long)]
        dry_run: bool,
    },
    /// Measure speed and memory of a release build
    #[command(subcommand)]
    Bench(Bench),
    /// What CI does: format, lints, docs, which crate leans on which, then `test`
    Ci {
        /// All of it but `test`
        #[arg(long)]
        checks_only: bool,
    },
}

/// For people or for programs.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table.
    #[default]
    Text,
    /// JSON on stdout.
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    progress::start();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup { bench } => setup_all(&workspace, bench),
        Command::Build { release } => build(&workspace, release),
        Command::Demo(options) => demo::demo(&workspace, options),
        Command::Test { arguments } => test::test(&workspace, &arguments),
        Command::Size { format } => size::size(&workspace, format),
        Command::Npm { dry_run } => npm::npm(&workspace, dry_run),
        Command::Bench(what) => bench::bench(&workspace, &what),
        Command::Ci { checks_only } => ci::ci(&workspace, checks_only, &Arguments::command()),
    }
}

fn setup_all(workspace: &Workspace, bench: bool) -> Result<()> {
    let mut needs = vec![Need::Build, Need::Browser, Need::Cloud];
    needs.extend(bench.then_some(Need::Bench));
    setup::setup(workspace, &needs)?;
    progress::step("all is there");
    Ok(())
}

fn build(workspace: &Workspace, release: bool) -> Result<()> {
    setup::setup(workspace, &[Need::Build])?;
    tracker::build(workspace)?;
    let logdig = server::build(workspace, release)?;
    site::build(workspace, release)?;
    progress::step("built:");
    for made in [tracker::dist_file(workspace), site::dist(workspace), logdig] {
        println!("{}", made.display());
    }
    Ok(())
}
