//! `cargo xtask`: build, run, test and measure LogDig.
//!
//! One file a command. `tracker` and `site` make what is not a plain cargo
//! build, `setup` brings what the machine lacks, `tools` finds and runs
//! programs, `progress` tells the person who waits what is going on.

mod progress;
mod setup;
mod site;
mod tools;
mod tracker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

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
    /// Bring what this machine lacks: wasm targets, npm tools, a browser
    ///
    /// Looks at the real things, not at a note of an earlier run; does nothing when all is there.
    /// Node 20, a C compiler and rustup are taken for granted: where one is missing, it is named with
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
        Command::Setup { bench } => {
            let mut needs = vec![Need::Build, Need::Browser];
            needs.extend(bench.then_some(Need::Bench));
            setup::setup(&workspace, &needs)?;
            progress::step("all there");
        }
        Command::Build { release: _ } => {
            setup::setup(&workspace, &[Need::Build])?;
            tracker::build(&workspace)?;
        }
    }
    Ok(())
}
