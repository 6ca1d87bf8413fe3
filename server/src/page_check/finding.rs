//! What can be wrong with a page, in words: what it is, and what to do about it.

use serde::Serialize;
use url::Url;

use crate::services::{OriginRule, Service};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// No logs come, or nobody can tell from here that they do.
    Wrong,
    /// Logs come; there is something to know.
    Note,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// For programs; the list of them only grows.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is so.
    pub message: String,
    /// What to do.
    pub advice: String,
}

fn wrong(code: &'static str, message: String, advice: impl Into<String>) -> Finding {
    Finding { code, level: Level::Wrong, message, advice: advice.into() }
}

fn note(code: &'static str, message: String, advice: impl Into<String>) -> Finding {
    Finding { code, level: Level::Note, message, advice: advice.into() }
}

const NOT_SEEN: &str = "Nothing is executed here. Open the page, click, and look in the browser's developer tools for a \
                        request of the type `POST` to your collector.";

// The page.

/// No answer.
pub fn page_unreachable(page: &Url, why: &str) -> Finding {
    wrong(
        "page_unreachable",
        format!("the page {page} could not be fetched: {why}"),
        "Check the address, and that this machine may reach it.",
    )
}

/// An answer that says no.
pub fn page_status(page: &Url, status: u16) -> Finding {
    wrong(
        "page_status",
        format!("the page {page} answers with the status {status}"),
        "Name the address of a page that visitors see.",
    )
}

/// A picture, a file, an API.
pub fn page_not_html(page: &Url, media_type: &str) -> Finding {
    wrong(
        "page_not_html",
        format!("{page} is no HTML page but `{media_type}`"),
        "Name the address of a page, or let the server say `Content-Type: text/html`.",
    )
}

/// Too long, too slow, or broken off.
pub fn page_cut(n_bytes: usize) -> Finding {
    note(
        "page_cut",
        format!("the page did not end in time and within the limit; its first {n_bytes} bytes were looked at"),
        "Nothing, if the tag was found. A tag belongs near the beginning, into <head>.",
    )
}

/// A page without an origin.
pub fn page_sandboxed() -> Finding {
    wrong(
        "page_sandboxed",
        "the page's Content-Security-Policy has `sandbox` without `allow-same-origin`, so its origin is `null`, and no \
         service takes logs from that"
            .to_owned(),
        "Add `allow-same-origin` to the directive `sandbox`.",
    )
}

// The tag.

/// No tag at all.
pub fn tag_missing() -> Finding {
    wrong(
        "tag_missing",
        "the page has no tag of the tracker".to_owned(),
        format!(
            "Paste what `logdig service tag NAME` prints. Where the tracker is part of the site's own script (npm), this \
             is as it should be. {NOT_SEEN}"
        ),
    )
}

/// No tag, but something that may make one.
pub fn tag_by_manager(manager: &str) -> Finding {
    wrong(
        "tag_not_seen",
        format!("the page has no tag of the tracker, but loads {manager}, which may make one"),
        NOT_SEEN,
    )
}

/// A script that may be ours.
pub fn tag_by_script() -> Finding {
    note(
        "tag_by_script",
        "a script of the page names a token of yours; what it makes of it can't be seen".to_owned(),
        NOT_SEEN,
    )
}

/// A tag of a type that browsers do not run.
pub fn tag_waits(kind: &str) -> Finding {
    note(
        "tag_waits",
        format!("the tag has `type=\"{kind}\"`, so browsers do not run it"),
        "Nothing, if a consent tool changes the type when the visitor agrees. Otherwise remove it.",
    )
}

/// A tag without `data-token`.
pub fn token_missing(script: &Url) -> Finding {
    wrong(
        "token_missing",
        format!("the tag of {script} has no `data-token`"),
        "Paste the whole tag that `logdig service tag NAME` prints.",
    )
}

/// A tag with a token of nobody's.
pub fn token_unknown(token: &str) -> Finding {
    wrong(
        "token_unknown",
        format!("the token `{token}` names no service of this data folder"),
        "`logdig service list` shows the tokens there are. An old page's own token is taken up by `logdig service add \
         NAME --origin URL --token TOKEN`.",
    )
}

/// A page of a site that the service does not know.
pub fn origin_not_allowed(origin: &str, service: &Service) -> Finding {
    let Service { id, name, origins, .. } = service;
    let allowed = origins.iter().map(OriginRule::to_string).collect::<Vec<_>>().join(", ");
    wrong(
        "origin_not_allowed",
        format!("the service `{name}` takes no logs from pages of {origin}, only of {allowed}"),
        format!("Run `logdig service change {id} --add-origin {origin}`; a running collector notices."),
    )
}

// The script and the collector.

/// A script that browsers do not load into a page on https.
pub fn script_http(script: &Url) -> Finding {
    wrong(
        "script_http",
        format!("the page comes by https and its script by http, which browsers refuse: {script}"),
        "Put TLS in front of the collector, and write https:// in the tag.",
    )
}

/// Logs that browsers do not send from a page on https.
pub fn collector_http(server: &Url) -> Finding {
    wrong(
        "collector_http",
        format!("the page comes by https and its logs would go by http, which browsers refuse: {server}"),
        "Put TLS in front of the collector, and write https:// in `data-server`.",
    )
}

/// No script.
pub fn script_unreachable(script: &Url, why: &str) -> Finding {
    wrong(
        "script_unreachable",
        format!("the tag's script {script} could not be fetched: {why}"),
        "Check the address in the tag, that the collector runs, and that the proxy hands the path on to it.",
    )
}

/// Some other script, or an error page.
pub fn script_not_tracker(script: &Url, what: &str) -> Finding {
    wrong(
        "script_not_tracker",
        format!("what {script} serves is not the tracker: {what}"),
        "Check the address in the tag, and that the proxy hands it on to the collector, without the prefix.",
    )
}

/// A hash of another version.
pub fn integrity_wrong(script: &Url) -> Finding {
    wrong(
        "integrity_wrong",
        format!("the hash in the tag's `integrity` is not that of {script}, so browsers refuse it"),
        "Paste the tag anew: `logdig service tag NAME --integrity`. It changes with each version of the tracker.",
    )
}

/// A hash that browsers can't check.
pub fn integrity_without_cors(script: &Url) -> Finding {
    wrong(
        "integrity_without_crossorigin",
        format!(
            "the tag of {script} has `integrity` and no `crossorigin`, so browsers may not look into it and refuse it"
        ),
        "Add `crossorigin=\"anonymous\"` to the tag.",
    )
}

/// A page that isolates itself, and a script that does not say that it may be part of it.
pub fn embedder_policy(script: &Url) -> Finding {
    wrong(
        "embedder_policy",
        format!(
            "the page's `Cross-Origin-Embedder-Policy: require-corp` keeps out {script}, which comes without \
             `Cross-Origin-Resource-Policy: cross-origin`"
        ),
        "The collector sends that header: let the proxy pass it on. Or add `crossorigin=\"anonymous\"` to the tag.",
    )
}

/// No collector where the logs go.
pub fn collector_unreachable(server: &Url, why: &str) -> Finding {
    wrong(
        "collector_unreachable",
        format!("no collector answers at {server}, where the logs go: {why}"),
        "Check `data-server`, that the collector runs, and that the proxy hands the path on to it, without the prefix.",
    )
}

// The page's Content-Security-Policy.

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// An early snippet that may not run.
pub fn csp_inline(directive: &str) -> Finding {
    wrong(
        "csp_inline",
        format!("the page's Content-Security-Policy forbids its inline script that loads the tracker: `{directive}`"),
        "Give that script the page's nonce, or add its hash to script-src, or use the plain tag.",
    )
}

/// A script that may not load.
pub fn csp_script(directive: &str, script: &Url) -> Finding {
    let advice = if directive.contains("'strict-dynamic'") {
        "Give the tag the page's nonce: with 'strict-dynamic' addresses do not count.".to_owned()
    } else {
        format!("Add {} to script-src, or give the tag the page's nonce.", origin(script))
    };
    let message = format!("the page's Content-Security-Policy keeps the script {script} out: `{directive}`");
    wrong("csp_script", message, advice)
}

/// Parts that may not load.
pub fn csp_parts(directive: &str, script: &Url) -> Finding {
    note(
        "csp_parts",
        format!(
            "the page's Content-Security-Policy keeps out what the tracker loads from beside {script}: `{directive}`; \
             rage and dead clicks are not logged, and where WebAssembly is refused nothing is"
        ),
        format!("Add {} to script-src, or give the tag the page's nonce: a hash covers one file.", origin(script)),
    )
}

/// Logs that may not be sent.
pub fn csp_connect(directive: &str, server: &Url) -> Finding {
    wrong(
        "csp_connect",
        format!("the page's Content-Security-Policy forbids to send logs to {server}: `{directive}`"),
        format!("Add {} to connect-src.", origin(server)),
    )
}

/// The slower way.
pub fn csp_wasm(directive: &str) -> Finding {
    note(
        "csp_wasm",
        format!(
            "the page's Content-Security-Policy forbids WebAssembly: `{directive}`; the tracker loads a larger script \
             that does the same"
        ),
        "Nothing, or add 'wasm-unsafe-eval' to script-src: it allows WebAssembly and no eval().",
    )
}
