//! `logdig service add | tag | check | list | remove`.

mod check;
mod tag;

use std::process::ExitCode;

use super::{Format, table};
use crate::config::DataConfig;
use crate::services::{OriginRule, Service, file};
use tag::TagConfig;

const HEAD: [&str; 5] = ["NAME", "ID", "TIME ZONE", "TOKENS", "ORIGINS"];

/// Changes and shows the services. A running collector takes changes within a second.
#[derive(clap::Subcommand, Debug)]
pub enum ServiceCommand {
    /// Make a service, and print its token and tags
    Add(AddArgs),
    /// Print what goes into the pages of a service: HTML, npm, Next.js, tag managers
    Tag(tag::TagArgs),
    /// Fetch a page, and say what keeps its logs from coming. Exit code 1 says that something does
    Check(check::CheckArgs),
    /// Show all services with their tokens and origins
    List(ListArgs),
    /// Remove a service: its logs stay, new ones are refused
    Remove(RemoveArgs),
}

/// A service to be made.
#[derive(clap::Args, Debug)]
pub struct AddArgs {
    /// What people call it
    name: String,

    /// Site whose pages may send its logs, such as https://shop.example or https://*.shop.example; give one for each
    #[arg(long = "origin", value_name = "URL", required = true)]
    origins: Vec<OriginRule>,

    /// Token that its pages carry already, as those of the original do; made up when absent
    #[arg(long, value_name = "VALUE")]
    token: Option<String>,

    /// Where its days begin in reports, such as Asia/Seoul
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,

    #[command(flatten)]
    tag: TagConfig,

    #[command(flatten)]
    data: DataConfig,
}

/// Which services to show, and how.
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    data: DataConfig,
}

/// A service to be removed.
#[derive(clap::Args, Debug)]
pub struct RemoveArgs {
    /// Its name or id
    name: String,

    #[command(flatten)]
    data: DataConfig,
}

impl ServiceCommand {
    /// Does it.
    ///
    /// # Errors
    ///
    /// A sentence for whoever asked.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add(args) => add(args)?,
            Self::Tag(args) => args.run()?,
            Self::Check(args) => return args.run(),
            Self::List(args) => list(&args)?,
            Self::Remove(args) => remove(&args)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn add(args: AddArgs) -> anyhow::Result<()> {
    let integrity = args.tag.integrity()?;
    std::fs::create_dir_all(&args.data.dir)?;
    let token = args.token.unwrap_or_else(file::new_token);
    let added = file::change(&args.data.dir, |services| {
        let service = Service {
            id: services.free_id(&args.name),
            name: args.name,
            tokens: vec![token],
            origins: args.origins,
            time_zone: args.time_zone,
            page_rules: vec![],
            goals: vec![],
        };
        services.add(service).cloned()
    })?;
    args.tag.print(&added, integrity)
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let services = file::read(&args.data.dir)?;
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(services.list())?),
        Format::Text => {
            print!("{}", table(std::iter::once(HEAD.map(str::to_owned)).chain(services.list().iter().map(cells))))
        }
    }
    Ok(())
}

fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let removed = file::change(&args.data.dir, |services| services.remove(&args.name))?;
    println!("removed service `{}`; its logs are still there", removed.name);
    Ok(())
}

fn cells(service: &Service) -> [String; 5] {
    let origins: Vec<String> = service.origins.iter().map(OriginRule::to_string).collect();
    let (name, id, zone) = (service.name.clone(), service.id.clone(), service.time_zone.clone());
    [name, id, zone, service.tokens.join(" "), origins.join(" ")]
}
