//! `logdig service tag`, and what `service add` prints.

use std::collections::BTreeMap;

use anyhow::Context;
use url::Url;

use super::ServicesConfig;
use crate::cli::Format;
use crate::config::http::script_name;
use crate::http::DEFAULT_NAME;
use crate::services::Service;
use crate::tags::{ADDRESS_PLACEHOLDER, Place, Tag, integrity_of_embedded};

/// The service whose tags are wanted.
#[derive(clap::Args, Debug)]
pub struct TagArgs {
    /// Its name or id
    name: String,

    #[command(flatten)]
    tag: TagConfig,

    #[command(flatten)]
    place: ServicesConfig,
}

/// Which tags, and what they say.
#[derive(clap::Args, Debug)]
pub struct TagConfig {
    /// Only this one, and nothing around it
    #[arg(long = "for", value_name = "PLACE")]
    place: Option<Place>,

    /// Address at which browsers reach the collector, such as https://logs.shop.example, or a path such as /stats/
    /// that your site hands on to it
    #[arg(long, value_name = "URL", env = "LOGDIG_URL", value_parser = url)]
    url: Option<String>,

    /// Name of the tracker's files, as in `serve --script-name`
    #[arg(long, value_name = "NAME", env = "LOGDIG_SCRIPT_NAME", default_value = DEFAULT_NAME,
          value_parser = script_name)]
    script_name: String,

    /// Let browsers refuse any other script than the one in this program: after each update the tag must change too
    #[arg(long)]
    integrity: bool,

    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl TagArgs {
    /// Prints the tags.
    ///
    /// # Errors
    ///
    /// When there is no such service, or no tracker whose hash could be told.
    pub fn run(self) -> anyhow::Result<()> {
        let integrity = self.tag.integrity()?;
        let services = self.place.read()?;
        self.tag.print(services.named(&self.name)?, integrity)
    }
}

impl TagConfig {
    /// The script's hash, where it is wanted.
    ///
    /// # Errors
    ///
    /// When this program was built without a tracker.
    pub fn integrity(&self) -> anyhow::Result<Option<String>> {
        let hash =
            || integrity_of_embedded().context("this program was built without the tracker: run `cargo xtask build`");
        self.integrity.then(hash).transpose()
    }

    /// Prints the tags of a service.
    ///
    /// # Errors
    ///
    /// When the service has no token.
    pub fn print(&self, service: &Service, integrity: Option<String>) -> anyhow::Result<()> {
        let token = service.tokens.first().context("the service has no token, so no page can send its logs")?;
        let server = self.url.as_deref().unwrap_or(ADDRESS_PLACEHOLDER);
        let tag = Tag { script_name: self.script_name.clone(), integrity, ..Tag::new(server, token) };
        match (self.format, self.place) {
            (Format::Json, _) => println!("{}", serde_json::to_string_pretty(&self.as_json(service, &tag))?),
            (Format::Text, Some(place)) => println!("{}", tag.text(place)),
            (Format::Text, None) => print!("{}", self.as_text(service, &tag)),
        }
        Ok(())
    }

    fn as_json(&self, service: &Service, tag: &Tag) -> serde_json::Value {
        let places = Place::ALL.into_iter().filter(|place| self.place.is_none_or(|only| only == *place));
        let tags: BTreeMap<Place, String> = places.map(|place| (place, tag.text(place))).collect();
        let server = self.url.as_ref().map(|_| &tag.server);
        serde_json::json!({"id": service.id, "name": service.name, "token": tag.token, "server": server, "tags": tags})
    }

    fn as_text(&self, service: &Service, tag: &Tag) -> String {
        let mut text = format!("service: {} (id {})\ntoken:   {}\n", service.name, service.id, tag.token);
        for place in Place::ALL {
            let pasted: String =
                tag.text(place).lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect();
            text.push_str(&format!("\n{}\n\n{pasted}", place.title()));
        }
        if self.url.is_none() {
            text.push_str("\nNo address was given: say with --url where browsers reach the collector.\n");
        }
        if self.integrity {
            text.push_str("\nThe hash is that of this version: when you update the collector, paste the new tag.\n");
        }
        text
    }
}

/// Reads where browsers reach the collector: an address, or a path of the page's own site.
fn url(text: &str) -> Result<String, String> {
    if text.starts_with('/') && !text.starts_with("//") && !text.contains(['?', '#', ' ']) {
        return Ok(text.to_owned());
    }
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.query().is_none() && url.fragment().is_none() => {
            Ok(url.into())
        }
        _ => Err("write an address such as https://logs.shop.example, or a path such as /stats/".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_paths() {
        for text in ["https://logs.example", "https://shop.example/stats/", "http://127.0.0.1:8300", "/stats/", "/"] {
            assert_eq!(url(text).map(|read| read.starts_with(text)), Ok(true), "{text}");
        }
        for text in ["", "logs.example", "//logs.example", "ftp://logs.example", "https://a/?b", "/a b", "javascript:1"]
        {
            assert!(url(text).is_err(), "{text}");
        }
    }
}
