//! `logdig service add | tag | check | change | list | remove`.

mod change;
mod check;
mod tag;

use std::process::ExitCode;

use super::{Format, table, wait_for};
use crate::config::{DataConfig, StoreConfig};
use crate::services::{OriginRule, Service, ServiceError, Services, file};
use crate::storage::Storage;
use tag::TagConfig;

const HEAD: [&str; 5] = ["NAME", "ID", "TIME ZONE", "TOKENS", "ORIGINS"];

/// Changes and shows the services. A running collector takes changes within a second, those in S3 within a minute
#[derive(clap::Subcommand, Debug)]
pub enum ServiceCommand {
    /// Make a service, and print its token and tags
    Add(AddArgs),
    /// Print what goes into the pages of a service: HTML, npm, Next.js, tag managers
    Tag(tag::TagArgs),
    /// Fetch a page, and say what keeps its logs from coming. Exit code 1 says that something does
    Check(check::CheckArgs),
    /// Change its name, its origins, its tokens or its time zone
    Change(change::ChangeArgs),
    /// Show all services with their tokens and origins
    List(ListArgs),
    /// Remove a service: its logs stay, new ones are refused
    Remove(RemoveArgs),
}

/// Where the services are: in the data folder, or with the store where that is S3.
#[derive(clap::Args, Debug)]
struct ServicesConfig {
    #[command(flatten)]
    data: DataConfig,

    #[command(flatten)]
    store: StoreConfig,
}

impl ServicesConfig {
    fn read(&self) -> anyhow::Result<Services> {
        wait_for(async {
            let storage = Storage::open(&self.data.dir, &self.store).await?;
            Ok(file::read(&*storage.services).await?)
        })
    }

    fn change<T>(&self, change: impl Fn(&mut Services) -> Result<T, ServiceError>) -> anyhow::Result<T> {
        wait_for(async {
            let storage = Storage::open(&self.data.dir, &self.store).await?;
            if !storage.is_shared {
                std::fs::create_dir_all(&self.data.dir)?;
            }
            Ok(file::change(&*storage.services, change).await?)
        })
    }
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
    place: ServicesConfig,
}

/// Which services to show, and how.
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    place: ServicesConfig,
}

/// A service to be removed.
#[derive(clap::Args, Debug)]
pub struct RemoveArgs {
    /// Its name or id
    name: String,

    #[command(flatten)]
    place: ServicesConfig,
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
            Self::Change(args) => args.run()?,
            Self::List(args) => list(&args)?,
            Self::Remove(args) => remove(&args)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn add(args: AddArgs) -> anyhow::Result<()> {
    let integrity = args.tag.integrity()?;
    let token = args.token.unwrap_or_else(file::new_token);
    let added = args.place.change(|services| {
        let service = Service {
            id: services.free_id(&args.name),
            name: args.name.clone(),
            tokens: vec![token.clone()],
            origins: args.origins.clone(),
            time_zone: args.time_zone.clone(),
            page_rules: vec![],
            goals: vec![],
        };
        services.add(service).cloned()
    })?;
    args.tag.print(&added, integrity)
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    show(args.place.read()?.list(), args.format)
}

fn show(services: &[Service], format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => println!("{}", serde_json::to_string_pretty(services)?),
        Format::Text => {
            print!("{}", table(std::iter::once(HEAD.map(str::to_owned)).chain(services.iter().map(cells))))
        }
    }
    Ok(())
}

fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let removed = args.place.change(|services| services.remove(&args.name))?;
    println!("removed service `{}`; its logs are still there", removed.name);
    Ok(())
}

fn cells(service: &Service) -> [String; 5] {
    let origins: Vec<String> = service.origins.iter().map(OriginRule::to_string).collect();
    let (name, id, zone) = (service.name.clone(), service.id.clone(), service.time_zone.clone());
    [name, id, zone, service.tokens.join(" "), origins.join(" ")]
}
