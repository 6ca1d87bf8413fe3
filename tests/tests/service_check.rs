//! Promise: `logdig service check` says in words what keeps a page's logs from
//! coming, runs nothing of it, and comes to an end whatever the page is.

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::{Command, Output};

use logdig_tests::pages::{self, authority, serve, serve_tls};
use logdig_tests::server::{SEAL_LATE, Server, binary};
use serde_json::Value;

const HTML: &str = "Content-Type: text/html; charset=utf-8";
const TRACKER: &str = "/* it stands for logdig */";
/// Of [`TRACKER`], by `openssl dgst -sha384 -binary | base64`.
const TRACKER_HASH: &str = "pBa+gHx5AHhVAwwem6nr6L/2pH1F7cIy6a5DXR4GKlJShwKxk5EXxL4w0zyxEE6l";

/// A collector with the tracker above, and a service `other` for another site.
fn collector() -> Server {
    let folder = tempfile::tempdir().expect("a temporary folder can be made").keep();
    let tracker = folder.join("logdig.js");
    fs::write(&tracker, TRACKER).expect("it can be written");
    let tracker = tracker.display().to_string();
    let server = Server::start_with(&[&SEAL_LATE[..], &["--tracker", &tracker]].concat());
    fs::remove_dir_all(folder).expect("the collector has read it");
    let add = ["service", "add", "other", "--origin", "https://other.example", "--token", "other-token", "--data"];
    assert!(logdig(&[&add[..], &[&server.data_text()]].concat()).status.success());
    server
}

/// Runs it with an authority of its own to believe, and no proxy in between.
fn logdig(arguments: &[&str]) -> Output {
    let trusted = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    fs::write(&trusted, authority()).expect("it can be written");
    let mut command = Command::new(binary());
    command.args(arguments).env("SSL_CERT_FILE", trusted.path());
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name);
    }
    command.output().expect("logdig can be started")
}

/// What was found at an address, and whether it is said to be well.
fn check(server: &Server, url: &str, flags: &[&str]) -> (bool, Value) {
    let data = server.data_text();
    let output = logdig(&[&["service", "check", url, "--data", &data, "--format", "json"], flags].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    (output.status.success(), report)
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("a list");
    for finding in findings {
        let is_said = |name: &str| finding[name].as_str().is_some_and(|text| text.contains(' '));
        assert!(is_said("message") && is_said("advice"), "in words: {finding}");
    }
    findings.iter().map(|finding| finding["code"].as_str().expect("a text")).collect()
}

/// Serves one page and says what is found in it. `{server}` and `{token}` stand for the collector's.
fn found_in(server: &Server, headers: &[&str], body: &str) -> (bool, Value) {
    let fill = |text: &str| text.replace("{server}", &server.url()).replace("{token}", &server.token());
    let headers: Vec<String> = headers.iter().map(|line| fill(line)).collect();
    let body = fill(body);
    let site = serve(move |path, out| {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        match path {
            "/" => pages::write(out, 200, &[&[HTML], &headers[..]].concat(), body.as_bytes()),
            "/other.js" => pages::write(out, 200, &["Content-Type: text/javascript"], b"another()"),
            "/bare/logdig.js" => pages::write(out, 200, &["Content-Type: text/javascript"], TRACKER.as_bytes()),
            _ => pages::write(out, 404, &[HTML], b"<p>logdig? no such page"),
        }
    });
    check(server, &format!("http://{site}/"), &[])
}

const TAG: &str =
    r#"<!doctype html><title>Shop</title><script async src="{server}/logdig.js" data-token="{token}"></script>"#;

#[test]
fn a_page_with_its_tag_is_well() {
    let server = collector();
    let (is_well, report) = found_in(&server, &[], TAG);
    assert!(is_well, "{report}");
    assert_eq!(codes(&report), [""; 0]);
    assert_eq!(report["tags"][0]["service"], "local");
    assert_eq!(report["tags"][0]["server"], format!("{}/", server.url()));
}

/// Headers and body of a page, and what is found.
type Case<'a> = (&'a [&'a str], &'a str, &'a [&'a str]);

fn check_all(cases: &[Case<'_>]) {
    let server = collector();
    for (headers, body, expected) in cases {
        let (is_well, report) = found_in(&server, headers, body);
        assert_eq!(codes(&report), *expected, "{headers:?} {body}: {report:#}");
        let notes = ["tag_by_script", "tag_waits", "csp_parts", "csp_wasm"];
        assert_eq!(is_well, expected.iter().all(|code| notes.contains(code)), "{headers:?} {body}");
    }
}

#[test]
fn tells_what_is_wrong_with_a_tag() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let nobody = format!("<script src=http://{gone}/logdig.js data-token={{token}} data-server={{server}}/></script>");
    let nowhere = format!("<script src={{server}}/logdig.js data-token={{token}} data-server=http://{gone}/></script>");
    check_all(&[
        (&[], "<p>nothing here", &["tag_missing"]),
        (&[], "<!-- <script src={server}/logdig.js data-token={token}></script> -->", &["tag_missing"]),
        (&[], "<script src=https://www.googletagmanager.com/gtm.js></script>", &["tag_not_seen"]),
        (&[], r#"<script>start("{\"token\":\"{token}\"}")</script>"#, &["tag_by_script"]),
        (&[], "<script type=text/plain src={server}/logdig.js data-token={token}></script>", &["tag_waits"]),
        (&[], "<script src={server}/logdig.js></script>", &["token_missing"]),
        (&[], "<script src={server}/logdig.js data-token=gone></script>", &["token_unknown"]),
        (&[], "<script src={server}/logdig.js data-token=other-token></script>", &["origin_not_allowed"]),
        (&[], &nobody, &["script_unreachable"]),
        (&[], &nowhere, &["collector_unreachable"]),
        (&[], "<script src=/logdig.js data-token={token}></script>", &["script_unreachable", "collector_unreachable"]),
        (&[], "<script src=/other.js data-token={token} data-server={server}></script>", &["script_not_tracker"]),
        (&[], "<script src={server}/metrics data-token={token}></script>", &["script_not_tracker"]),
        (&[], "<base href={server}><script src=logdig.js data-token={token}></script>", &[]),
    ]);
}

#[test]
fn tells_what_the_page_s_policy_keeps_out() {
    let snippet = "<script nonce=abc>s.src='{server}/logdig.js';s.setAttribute('data-token','{token}')</script>";
    let with_nonce = TAG.replace("async", "async nonce=abc");
    let with_hash = TAG.replace("async", &format!("async crossorigin=anonymous integrity=sha384-{TRACKER_HASH}"));
    let by_hash = format!("Content-Security-Policy: script-src 'sha384-{TRACKER_HASH}' 'wasm-unsafe-eval'");
    let meta = format!("<meta http-equiv=Content-Security-Policy content=\"connect-src 'self'\">{TAG}");
    let all = "Content-Security-Policy: script-src {server} 'wasm-unsafe-eval'; connect-src {server}";
    check_all(&[
        (&[all], TAG, &[]),
        (&["Content-Security-Policy: script-src {server}; connect-src {server}"], TAG, &["csp_wasm"]),
        (&["Content-Security-Policy: script-src 'self' 'unsafe-eval'"], TAG, &["csp_script"]),
        (&["Content-Security-Policy: default-src 'none'"], TAG, &["csp_script", "csp_connect", "csp_wasm"]),
        (&[all, "Content-Security-Policy: connect-src 'self'"], TAG, &["csp_connect"]),
        (&[], &meta, &["csp_connect"]),
        (&["Content-Security-Policy-Report-Only: default-src 'none'"], TAG, &[]),
        (&["Content-Security-Policy: script-src 'nonce-abc' 'wasm-unsafe-eval'"], &with_nonce, &[]),
        (&["Content-Security-Policy: script-src 'nonce-xyz' 'wasm-unsafe-eval'"], &with_nonce, &["csp_script"]),
        (&["Content-Security-Policy: script-src 'nonce-abc' 'strict-dynamic' 'wasm-unsafe-eval'"], snippet, &[]),
        (&["Content-Security-Policy: script-src {server} 'strict-dynamic' 'unsafe-eval'"], TAG, &["csp_script"]),
        (&["Content-Security-Policy: script-src {server} 'unsafe-eval'"], snippet, &["csp_inline"]),
        (&[&by_hash], &with_hash, &["csp_parts"]),
        (&["Content-Security-Policy: sandbox allow-scripts"], TAG, &["page_sandboxed"]),
        (&["Content-Security-Policy: sandbox allow-scripts allow-same-origin"], TAG, &[]),
    ]);
}

#[test]
fn tells_what_browsers_ask_of_another_site_s_script() {
    let hash = format!("integrity=sha384-{TRACKER_HASH}");
    let with = |attributes: &str| TAG.replace("async", attributes);
    let isolated = "Cross-Origin-Embedder-Policy: require-corp";
    let bare = serve(|_, out| pages::write(out, 200, &["Content-Type: text/javascript"], TRACKER.as_bytes()));
    let bare = format!("<script src=http://{bare}/logdig.js data-token={{token}} data-server={{server}}></script>");
    check_all(&[
        (&[], &with(&format!("{hash} crossorigin")), &[]),
        (&[], &with(&hash), &["integrity_without_crossorigin"]),
        (&[], &with("crossorigin integrity=sha384-AAAA"), &["integrity_wrong"]),
        (
            &[],
            &format!("<script src=/bare/logdig.js {hash} data-token={{token}} data-server={{server}}></script>"),
            &[],
        ),
        (&[isolated], TAG, &[]),
        (&[], &bare, &[]),
        (&[isolated], &bare, &["embedder_policy"]),
        (&[isolated], &bare.replace("<script", "<script crossorigin"), &[]),
    ]);
}

#[test]
fn a_page_on_https_wants_all_on_https() {
    let server = collector();
    let (url, token) = (server.url(), server.token());
    let secure = serve_tls(move |path, out| {
        let tag = |server: &str| format!("<script src={server}/logdig.js data-token={token}></script>");
        match path {
            "/good" => pages::write(out, 200, &[HTML], tag(&url).as_bytes()),
            _ => pages::write(out, 200, &[HTML], tag("http://logs.invalid").as_bytes()),
        }
    });
    let allow = r#""origins": ["https://localhost","#;
    let services = server.data().join("services.json");
    let text = fs::read_to_string(&services).expect("it is there").replacen(r#""origins": ["#, allow, 1);
    fs::write(&services, text).expect("it can be written");
    // A loopback collector is one that browsers trust without TLS.
    let good = format!("https://localhost:{}/good", secure.port());
    assert_eq!(codes(&check(&server, &good, &[]).1), [""; 0]);
    let (is_well, report) = check(&server, &format!("https://localhost:{}/", secure.port()), &[]);
    let expected = ["script_http", "script_unreachable", "collector_http", "collector_unreachable"];
    assert!(!is_well);
    assert_eq!(codes(&report), expected);
    // The certificate is for loopback names alone, and is looked at.
    let plain = serve(|_, out| pages::write(out, 200, &[HTML], b""));
    let (_, report) = check(&server, &format!("https://{plain}/"), &[]);
    assert_eq!(codes(&report), ["page_unreachable"]);
}

#[test]
fn a_page_that_does_not_come_is_told() {
    let server = collector();
    let gone = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let site = serve(|path, out| match path {
        "/loop" => pages::write(out, 302, &["Location: /loop"], b""),
        "/file" => pages::write(out, 302, &["Location: file:///etc/passwd"], b""),
        "/moved" => pages::write(out, 301, &["Location: /picture"], b""),
        "/picture" => pages::write(out, 200, &["Content-Type: image/png"], b"\x89PNG\r\n\x1a\n\0\xff"),
        "/broken" => out.write_all(b"\0\xff\xfe nonsense\r\n\r\n"),
        _ => pages::write(out, 503, &[HTML], b"<p>later"),
    });
    let table = [
        (format!("http://{gone}/"), "page_unreachable"),
        ("http://shop.invalid/".to_owned(), "page_unreachable"),
        (format!("http://{site}/loop"), "page_unreachable"),
        // No scheme leads off the network: it is taken for a path of the same site.
        (format!("http://{site}/file"), "page_status"),
        (format!("http://{site}/broken"), "page_unreachable"),
        (format!("http://{site}/moved"), "page_not_html"),
        (format!("http://{site}/other"), "page_status"),
    ];
    for (url, expected) in table {
        let (is_well, report) = check(&server, &url, &[]);
        assert!(!is_well, "{url}");
        assert_eq!(codes(&report), [expected], "{url}: {report}");
    }
}

#[test]
fn a_hostile_page_comes_to_an_end() {
    let server = collector();
    let tag = TAG.replace("{server}", &server.url()).replace("{token}", &server.token());
    let head = format!("HTTP/1.1 200 OK\r\n{HTML}\r\nConnection: close\r\n\r\n{tag}");
    let site = serve(move |path, out| {
        out.write_all(head.as_bytes())?;
        match path {
            "/large" => out.write_all("<a b='c'>".repeat(10 << 20 >> 3).as_bytes()),
            "/endless" => repeat_for_ever(out, &b"<script>".repeat(1024)),
            "/binary" => out.write_all(&(0..=255).cycle().take(1 << 20).collect::<Vec<u8>>()),
            // Says nothing more, and keeps the connection for as long as the test runs.
            _ => loop {
                std::thread::park();
            },
        }
    });
    for (path, expected) in
        [("large", &["page_cut"][..]), ("endless", &["page_cut"]), ("slow", &["page_cut"]), ("binary", &[])]
    {
        let (is_well, report) = check(&server, &format!("http://{site}/{path}"), &["--timeout", "2s"]);
        assert_eq!(codes(&report), expected, "{path}");
        assert!(is_well, "{path}: the tag is there all the same");
    }
}

fn repeat_for_ever(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    loop {
        out.write_all(bytes)?;
    }
}

#[test]
fn people_read_the_same_as_programs() {
    let server = collector();
    let site = serve(|_, out| pages::write(out, 200, &[HTML], b"<p>nothing here"));
    let output = logdig(&["service", "check", &format!("http://{site}/"), "--data", &server.data_text()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("wrong: the page has no tag of the tracker"), "{text}");
    assert!(text.contains("logdig service tag NAME"), "it says what to do: {text}");
}
