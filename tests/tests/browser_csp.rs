//! Promise: each policy that docs/CSP.md names lets the tracker work with the
//! tag beside it, and browsers report nothing that the page does not name.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use logdig_tests::server::logdig;
use logdig_tests::site::PROBE;
use logdig_tests::{Server, Stage};
use serde_json::json;
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("../../docs/CSP.md");

/// Keeps what the browser refuses.
const REFUSALS: &str = "self.refusals = [];
    document.addEventListener('securitypolicyviolation', event => refusals.push(event.blockedURI));";

/// A section of the page.
struct Recipe {
    title: String,
    tag: String,
    policy: String,
    /// What the browser reports.
    reported: Vec<String>,
}

fn recipes() -> Vec<Recipe> {
    let fenced = |section: &str, language: &str| -> Option<String> {
        let (_, rest) = section.split_once(&format!("```{language}\n"))?;
        Some(rest.split_once("\n```")?.0.to_owned())
    };
    let reported = |section: &str| {
        let line = section.lines().find_map(|line| line.strip_prefix("Reported: `"));
        line.map(|rest| rest.trim_end_matches("`.").to_owned()).into_iter().collect()
    };
    let recipe = |section: &str| Recipe {
        title: section.lines().next().unwrap_or_default().to_owned(),
        tag: fenced(section, "html").expect("a tag"),
        policy: fenced(section, "csp").expect("a policy"),
        reported: reported(section),
    };
    PAGE.split("\n## ").skip(1).map(recipe).collect()
}

/// What the program prints for a page: the tag itself, not a copy of it.
fn printed(server: &Server, flags: &[&str]) -> String {
    let (data, url) = (server.data_text(), server.url());
    let common = ["service", "tag", "local", "--url", &url, "--data", &data];
    let output = logdig(&[&common[..], flags].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("a tag is text").trim().to_owned()
}

/// Between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(after).expect(after).0
}

impl Recipe {
    /// With this collector in place of the examples.
    fn fill(&self, server: &Server) -> (String, String) {
        let snippet = printed(server, &["--for", "snippet"]);
        let snippet = between(&snippet, "<script>", "</script>");
        let with_integrity = printed(server, &["--for", "html", "--integrity"]);
        let hash = BASE64_STANDARD.encode(Sha256::digest(snippet));
        let fill = |text: &str| {
            text.replace("https://logs.shop.example", &server.url())
                .replace("YOUR_TOKEN", &server.token())
                .replace("sha384-HASH", between(&with_integrity, "integrity=\"", "\""))
                .replace("sha256-HASH", &format!("sha256-{hash}"))
                .replace("SNIPPET", snippet)
        };
        (fill(&self.tag), fill(&self.policy))
    }

    fn try_out(&self, stage: &Stage) {
        let (tag, policy) = self.fill(&stage.server);
        stage.site.set_tag(&tag);
        stage.site.set_policy(&policy);
        stage.open("/strict.html");
        stage.browser.click("#buy");
        stage.browser.wait_until(
            &format!("{}: a part that is loaded by the core", self.title),
            "performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/logdig.more.js'))",
        );
        stage.wait_delivered();
        assert_eq!(stage.browser.eval("return refusals"), json!(self.reported), "{}: {policy}", self.title);
    }
}

#[test]
fn each_documented_policy_lets_the_tracker_work() {
    let recipes = recipes();
    assert!(recipes.len() >= 10, "the page has its sections");
    let stage = Stage::new();
    stage.browser.before_each_page(PROBE);
    stage.browser.before_each_page(REFUSALS);
    for recipe in &recipes {
        println!("{}", recipe.title);
        recipe.try_out(&stage);
    }
    let logs = ["view /strict.html", "click /strict.html button;;buy;;"];
    stage.finish(&logs.repeat(recipes.len()));
}

#[test]
fn a_policy_without_the_collector_is_in_the_way() {
    let stage = Stage::new();
    stage.browser.before_each_page(PROBE);
    stage.browser.before_each_page(REFUSALS);
    stage.site.set_policy("script-src 'self'; connect-src 'self'");
    stage.browser.open(&stage.site.url("/strict.html"));
    stage.browser.wait_until("a refusal", "refusals.length == 1");
    let script = format!("{}/logdig.js", stage.server.url());
    assert_eq!(stage.browser.eval("return refusals"), json!([script]));
}
