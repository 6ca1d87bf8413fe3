//! `logdig service check`.

use std::process::ExitCode;
use std::time::Duration;

use url::Url;

use super::ServicesConfig;
use crate::cli::Format;
use crate::config::http::script_name;
use crate::config::units;
use crate::http::DEFAULT_NAME;
use crate::page_check::{Fetcher, Finding, Level, Report, TagReport, check};

/// The page to be checked.
#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    /// Its address, such as https://shop.example/
    #[arg(value_parser = page)]
    url: Url,

    /// Name of the tracker's files, as in `serve --script-name`
    #[arg(long, value_name = "NAME", env = "LOGDIG_SCRIPT_NAME", default_value = DEFAULT_NAME,
          value_parser = script_name)]
    script_name: String,

    /// Longest wait for the page, for its script and for its collector
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    timeout: Duration,

    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    place: ServicesConfig,
}

impl CheckArgs {
    /// Checks, and prints what was found.
    ///
    /// # Errors
    ///
    /// When the services can't be read.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let services = self.place.read()?;
        let report = check(&self.url, &services, &self.script_name, &Fetcher::new(self.timeout));
        match self.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
            Format::Text => print!("{}", text(&report)),
        }
        Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn text(report: &Report) -> String {
    let mut text = format!("{}\n", report.page);
    text.extend(report.tags.iter().map(tag_text));
    text.extend(report.findings.iter().map(finding_text));
    text.push_str(if report.is_well() { "\nall is well, as far as can be seen from here\n" } else { "" });
    text
}

fn tag_text(tag: &TagReport) -> String {
    let service = tag.service.as_ref().map_or_else(|| "no service".to_owned(), |name| format!("service `{name}`"));
    format!("  tag for {service}: {} sends to {}\n", tag.script, tag.server)
}

fn finding_text(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Wrong => "wrong",
        Level::Note => "note",
    };
    format!("\n{level}: {}\n  {}\n", finding.message, finding.advice)
}

/// Reads a page's address; one without a scheme is of a page on https.
fn page(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    match Url::parse(&whole) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(url),
        _ => Err("write the address of a page, such as https://shop.example/".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_of_pages() {
        let read = |text| page(text).map(String::from);
        assert_eq!(read("shop.example"), Ok("https://shop.example/".to_owned()));
        assert_eq!(read("http://127.0.0.1:80/a?b#c"), Ok("http://127.0.0.1/a?b#c".to_owned()));
        for text in ["", "file:///etc/passwd", "javascript://x", "https://", "a b"] {
            assert!(page(text).is_err(), "{text}");
        }
    }
}
