//! `logdig service add | list | remove`.

use std::fmt::Write;
use std::process::ExitCode;

use crate::config::DataConfig;
use crate::services::{OriginRule, Service, Services, file, script_tag};

/// Changes and shows the services. A running collector takes changes within a second.
#[derive(clap::Subcommand, Debug)]
pub enum ServiceCommand {
    /// Make a service, and print its token and script tag
    Add(AddArgs),
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

    /// Address at which browsers reach the collector, for the script tag
    #[arg(long, value_name = "URL", env = "LOGDIG_SERVER", default_value = "http://127.0.0.1:8300")]
    server: String,

    #[command(flatten)]
    data: DataConfig,
}

/// Which services to show, and how.
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: super::Format,

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
            Self::List(args) => list(&args)?,
            Self::Remove(args) => remove(&args)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn add(args: AddArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.data.dir)?;
    let token = args.token.unwrap_or_else(file::new_token);
    let added = file::change(&args.data.dir, |services| {
        let service = Service {
            id: services.free_id(&args.name),
            name: args.name,
            tokens: vec![token.clone()],
            origins: args.origins,
            time_zone: args.time_zone,
            page_rules: vec![],
            goals: vec![],
        };
        services.add(service).cloned()
    })?;
    println!("added service `{}` with id `{}`\n", added.name, added.id);
    println!("token:      {token}");
    println!("script tag: {}", script_tag(&args.server, &token));
    Ok(())
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let services = file::read(&args.data.dir)?;
    match args.format {
        super::Format::Json => println!("{}", serde_json::to_string_pretty(services.list())?),
        super::Format::Text => print!("{}", table(&services)),
    }
    Ok(())
}

fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let removed = file::change(&args.data.dir, |services| services.remove(&args.name))?;
    println!("removed service `{}`; its logs are still there", removed.name);
    Ok(())
}

/// A line for each service, the columns as wide as they must be.
fn table(services: &Services) -> String {
    let head = ["NAME", "ID", "TIME ZONE", "TOKENS", "ORIGINS"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(services.list().iter().map(cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3)];
    let mut out = String::new();
    for [name, id, zone, tokens, origins] in &rows {
        let [w0, w1, w2, w3] = widths;
        writeln!(out, "{name:w0$}  {id:w1$}  {zone:w2$}  {tokens:w3$}  {origins}").expect("a String takes any text");
    }
    out
}

fn cells(service: &Service) -> [String; 5] {
    let origins: Vec<String> = service.origins.iter().map(OriginRule::to_string).collect();
    let (name, id, zone) = (service.name.clone(), service.id.clone(), service.time_zone.clone());
    [name, id, zone, service.tokens.join(" "), origins.join(" ")]
}
