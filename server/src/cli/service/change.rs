//! `logdig service change`.

use super::{ServicesConfig, show};
use crate::cli::Format;
use crate::services::{OriginRule, Service, ServiceError, file};

/// A service, and what becomes of it.
#[derive(clap::Args, Debug)]
pub struct ChangeArgs {
    /// Its name or id
    name: String,

    #[command(flatten)]
    changes: Changes,

    /// How to show what it is then
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    place: ServicesConfig,
}

/// All of them are made, or none.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Call it so; its id stays, and with it all that is kept under it
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,

    /// Take logs from the pages of this site too; give one for each
    #[arg(long = "add-origin", value_name = "URL")]
    add_origins: Vec<OriginRule>,

    /// Take no more logs from this site; give one for each
    #[arg(long = "remove-origin", value_name = "URL")]
    remove_origins: Vec<OriginRule>,

    /// Take logs with this token too, which pages carry already; give one for each
    #[arg(long = "add-token", value_name = "VALUE")]
    add_tokens: Vec<String>,

    /// Make up a token for new tags. Pages with the old ones go on to send
    #[arg(long)]
    new_token: bool,

    /// Take no more logs with this token; give one for each
    #[arg(long = "remove-token", value_name = "VALUE")]
    remove_tokens: Vec<String>,

    /// Where its days begin in reports, such as Asia/Seoul
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

impl ChangeArgs {
    /// Changes it, and shows what it is then.
    ///
    /// # Errors
    ///
    /// When there is no such service, or it can't be so; nothing has changed then.
    pub fn run(self) -> anyhow::Result<()> {
        let new_token = self.changes.new_token.then(file::new_token);
        let make = |service: &mut Service| self.changes.make(service, new_token.as_deref());
        let changed = self.place.change(|services| services.change(&self.name, make))?;
        show(&[changed], self.format)
    }
}

impl Changes {
    fn make(&self, service: &mut Service, new_token: Option<&str>) -> Result<(), ServiceError> {
        if let Some(name) = &self.rename {
            service.name.clone_from(name);
        }
        if let Some(zone) = &self.time_zone {
            service.time_zone.clone_from(zone);
        }
        for origin in &self.remove_origins {
            take_out(&mut service.origins, origin).ok_or_else(|| ServiceError::UnknownOrigin(origin.clone()))?;
        }
        for token in &self.remove_tokens {
            take_out(&mut service.tokens, token).ok_or(ServiceError::UnknownToken)?;
        }
        put_in(&mut service.origins, &self.add_origins);
        put_in(&mut service.tokens, &self.add_tokens);
        // The first is what tags are made with.
        service.tokens.splice(..0, new_token.map(str::to_owned));
        Ok(())
    }
}

fn take_out<T: PartialEq>(list: &mut Vec<T>, value: &T) -> Option<T> {
    let place = list.iter().position(|other| other == value)?;
    Some(list.remove(place))
}

fn put_in<T: Clone + PartialEq>(list: &mut Vec<T>, values: &[T]) {
    for value in values {
        if !list.contains(value) {
            list.push(value.clone());
        }
    }
}
