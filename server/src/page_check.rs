//! `logdig service check`: fetches an owner's page as it is, and says what keeps its logs from coming.
//!
//! A page is text here: nothing in it is executed, and only the script and the collector that its tag names are asked
//! for as well, by GET, without a cookie and within bounds. What a browser would make of the tag is worked out from
//! the page's HTML and headers.

mod fetch;
mod finding;
mod html;
mod policy;
mod tag;

use serde::Serialize;
use url::Url;

pub use fetch::Fetcher;
pub use finding::{Finding, Level};

use crate::http::Part;
use crate::services::Services;
use crate::services::origin::is_loopback_origin;
use crate::tags::integrity;
use fetch::Fetched;
use html::Html;
use policy::Policies;
use tag::{FoundTag, Search};

/// What was found in a page.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The page's address, after redirects.
    pub page: Url,
    /// The tags in it.
    pub tags: Vec<TagReport>,
    /// What is wrong or worth knowing.
    pub findings: Vec<Finding>,
}

/// A tag in a page.
#[derive(Debug, Serialize)]
pub struct TagReport {
    /// The name of its service, where it has one.
    pub service: Option<String>,
    /// Its token, where it has one.
    pub token: Option<String>,
    /// The script's address.
    pub script: Url,
    /// Where its logs go.
    pub server: Url,
}

impl Report {
    /// Whether nothing keeps the page's logs from coming, as far as can be seen from here.
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.level == Level::Note)
    }

    fn add(&mut self, finding: impl Into<Option<Finding>>) {
        let finding = finding.into().filter(|finding| !self.findings.contains(finding));
        self.findings.extend(finding);
    }
}

/// Checks a page against the services that a collector has. `script_name`: what its tracker's files are called beside
/// `logdig`.
pub fn check(page: &Url, services: &Services, script_name: &str, fetcher: &Fetcher) -> Report {
    let mut report = Report { page: page.clone(), tags: vec![], findings: vec![] };
    match fetcher.get(page) {
        Err(why) => report.add(finding::page_unreachable(page, &why)),
        Ok(fetched) if fetched.status >= 400 => report.add(finding::page_status(page, fetched.status)),
        Ok(fetched) => match foreign_type(&fetched) {
            Some(media_type) => report.add(finding::page_not_html(&fetched.url, &media_type)),
            None => Check { services, script_name, fetcher, page: &fetched, report: &mut report }.run(),
        },
    }
    report
}

/// A server that does not say what it sends leaves it to the browser, which takes it for HTML.
fn foreign_type(fetched: &Fetched) -> Option<String> {
    fetched.media_type().filter(|of| !["text/html", "application/xhtml+xml"].contains(&of.as_str()))
}

/// A page that came.
struct Check<'a> {
    services: &'a Services,
    script_name: &'a str,
    fetcher: &'a Fetcher,
    page: &'a Fetched,
    report: &'a mut Report,
}

impl Check<'_> {
    fn run(mut self) {
        self.report.page = self.page.url.clone();
        if self.page.is_cut {
            self.report.add(finding::page_cut(self.page.body.len()));
        }
        let html = Html::read(&self.page.body);
        let header = self.page.header("content-security-policy");
        let policies = Policies::read(&self.page.url, header.as_deref(), &html.policies);
        let base = html.base.as_ref().and_then(|base| self.page.url.join(base).ok());
        let base = base.as_ref().unwrap_or(&self.page.url);
        let found = Search { base, services: self.services, script_name: self.script_name }.find(&html);
        if policies.take_origin_away() {
            self.report.add(finding::page_sandboxed());
        }
        match (found.tags.is_empty(), found.is_named_by_script, found.tag_manager) {
            (false, _, _) => found.tags.iter().for_each(|tag| self.check_tag(tag, &policies)),
            (true, true, _) => self.report.add(finding::tag_by_script()),
            (true, false, Some(manager)) => self.report.add(finding::tag_by_manager(manager)),
            (true, false, None) => self.report.add(finding::tag_missing()),
        }
    }

    fn check_tag(&mut self, tag: &FoundTag, policies: &Policies) {
        self.check_service(tag);
        self.report.add(tag.foreign_type.as_deref().map(finding::tag_waits));
        self.check_policies(tag, policies);
        self.check_script(tag);
        self.check_collector(tag);
    }

    fn check_service(&mut self, tag: &FoundTag) {
        let service = tag.token.as_deref().and_then(|token| self.services.find(token));
        self.report.tags.push(TagReport {
            service: service.map(|service| service.name.clone()),
            token: tag.token.clone(),
            script: tag.script.clone(),
            server: tag.server.clone(),
        });
        let origin = self.page.url.origin().ascii_serialization();
        self.report.add(match (&tag.token, service) {
            (None, _) => Some(finding::token_missing(&tag.script)),
            (Some(token), None) => Some(finding::token_unknown(token)),
            (_, Some(service)) if service.allows(&origin) => None,
            (_, Some(service)) => Some(finding::origin_not_allowed(&origin, service)),
        });
    }

    fn check_policies(&mut self, tag: &FoundTag, policies: &Policies) {
        let nonce = Some(tag.nonce.as_str()).filter(|nonce| !nonce.is_empty());
        let by_inline = tag.is_made_by_script.then(|| policies.against_inline(nonce, &tag.inline)).flatten();
        let report = &mut *self.report;
        report.add(by_inline.map(|directive| finding::csp_inline(&directive)));
        match (policies.against_script(tag), policies.against_part(&part_of(&tag.script), tag)) {
            (Some(directive), _) => report.add(finding::csp_script(&directive, &tag.script)),
            (None, parts) => report.add(parts.map(|directive| finding::csp_parts(&directive, &tag.script))),
        }
        let sending = policies.against_sending(&tag.server);
        report.add(sending.map(|directive| finding::csp_connect(&directive, &tag.server)));
        report.add(policies.against_wasm().map(|directive| finding::csp_wasm(&directive)));
    }

    fn check_script(&mut self, tag: &FoundTag) {
        if self.is_mixed(&tag.script) {
            self.report.add(finding::script_http(&tag.script));
        }
        match self.fetcher.get(&tag.script) {
            Err(why) => self.report.add(finding::script_unreachable(&tag.script, &why)),
            Ok(script) if script.status != 200 => {
                let why = format!("it answers with the status {}", script.status);
                self.report.add(finding::script_unreachable(&tag.script, &why));
            }
            Ok(script) => match not_tracker(&script) {
                Some(what) => self.report.add(finding::script_not_tracker(&tag.script, &what)),
                None => self.check_loading(tag, &script),
            },
        }
    }

    /// What browsers ask of a script of another site.
    fn check_loading(&mut self, tag: &FoundTag, script: &Fetched) {
        let is_foreign = tag.script.origin() != self.page.url.origin();
        let is_checked = !tag.integrity.is_empty();
        if is_checked && !tag.integrity.split_whitespace().any(|hash| hash == integrity(&script.body)) {
            self.report.add(finding::integrity_wrong(&tag.script));
        }
        if is_checked && is_foreign && !tag.has_crossorigin {
            self.report.add(finding::integrity_without_cors(&tag.script));
        }
        let is_isolated =
            self.page.header("cross-origin-embedder-policy").is_some_and(|value| value.contains("require-corp"));
        let lets_in = script.header("cross-origin-resource-policy").is_some_and(|value| value.contains("cross-origin"));
        if is_isolated && is_foreign && !tag.has_crossorigin && !lets_in {
            self.report.add(finding::embedder_policy(&tag.script));
        }
    }

    fn check_collector(&mut self, tag: &FoundTag) {
        if self.is_mixed(&tag.server) {
            self.report.add(finding::collector_http(&tag.server));
        }
        let why = match self.fetcher.get(&tag.server) {
            Err(why) => why,
            Ok(answer) if is_collector(&answer) => return,
            Ok(answer) => format!("it answers with the status {}, and not as a collector does", answer.status),
        };
        self.report.add(finding::collector_unreachable(&tag.server, &why));
    }

    /// Browsers load nothing by http into a page on https, but from the machine itself.
    fn is_mixed(&self, url: &Url) -> bool {
        self.page.url.scheme() == "https"
            && url.scheme() == "http"
            && !is_loopback_origin(&url.origin().ascii_serialization())
    }
}

/// What the core loads from beside itself.
fn part_of(script: &Url) -> Url {
    let mut part = script.clone();
    let name = part.path().strip_suffix(".js").unwrap_or(part.path());
    let path = Part::More.file_name(name);
    part.set_path(&path);
    part
}

/// Why a file can't be our tracker, of whatever version.
fn not_tracker(script: &Fetched) -> Option<String> {
    let media_type = script.media_type().unwrap_or_default();
    let names_us = script.body.windows(6).any(|window| window == b"logdig");
    match () {
        () if !media_type.ends_with("javascript") => Some(format!("its type is `{media_type}`")),
        () if !names_us => Some("it is another script".to_owned()),
        () => None,
    }
}

/// Every collector says so to programs, and every page-to-be of a browser is HTML.
fn is_collector(answer: &Fetched) -> bool {
    answer.status == 200 && answer.body.starts_with(br#"{"RESTful Server""#)
}
