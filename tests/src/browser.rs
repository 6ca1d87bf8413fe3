//! Chromium, driven through chromedriver.
//!
//! Each [`Browser`] has a chromedriver, a profile and a window of its own.
//! Its methods wait for the browser, so that tests read from top to bottom.

mod cdp;
mod turn;

use std::future::Future;
use std::process::Command;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::process::Process;
use crate::wait::wait_for;
use cdp::{BrowserLog, Cdp};
use turn::Turn;

/// Without these, headless Chromium asks for hardware that a build machine
/// lacks, or talks to servers that no test should hang on.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// Sources of messages that no script writes or can prevent: failed requests,
/// and advice on how a page is made.
pub const BROWSERS_OWN: [&str; 2] = ["network", "recommendation"];

/// A running browser.
///
/// Dropping it kills the browser together with its driver, whose process
/// group it belongs to.
pub struct Browser {
    client: Client,
    runtime: Runtime,
    // The order of these is the order in which they are dropped.
    _driver: Process,
    _profile: TempDir,
    _turn: Turn,
}

/// What a page wrote to its console, or failed to catch.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// `javascript`, `console-api`, `security`, …
    pub source: String,
    /// What was said.
    pub text: String,
}

impl Browser {
    /// Starts a browser with an empty profile, when it is this test's turn:
    /// only a few run at once.
    ///
    /// # Panics
    ///
    /// When chromedriver or Chromium does not come up.
    pub fn start() -> Self {
        Self::start_with(&json!({}))
    }

    /// Starts a browser with these of Chromium's preferences set by its user.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(preferences: &Value) -> Self {
        let turn = Turn::take();
        let profile = TempDir::new().expect("a temporary folder can be made");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let (driver, port) = wait_for("chromedriver", || start_driver(&profile));
        let url = format!("http://127.0.0.1:{port}");
        let client =
            wait_for("a session of chromedriver", || runtime.block_on(connect(&url, &profile, preferences)).ok());
        Self { client, runtime, _driver: driver, _profile: profile, _turn: turn }
    }

    /// Opens this address and waits for its `load` event.
    pub fn open(&self, url: &str) {
        self.run("open", self.client.goto(url));
    }

    /// Goes one step back, and waits for that page.
    pub fn back(&self) {
        self.run("back", self.client.back());
    }

    /// Goes one step forward, and waits for that page.
    pub fn forward(&self) {
        self.run("forward", self.client.forward());
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.run("reload", self.client.refresh());
    }

    /// Scrolls the element of this CSS selector into view when it is not, and
    /// clicks its centre with the mouse.
    pub fn click(&self, selector: &str) {
        let element = self.run(selector, self.client.find(Locator::Css(selector)));
        self.run(selector, element.click());
    }

    /// Types into the element of this CSS selector.
    pub fn type_text(&self, selector: &str, text: &str) {
        let element = self.run(selector, self.client.find(Locator::Css(selector)));
        self.run(selector, element.send_keys(text));
    }

    /// Presses and lets go the left mouse button at this place in the window, in CSS pixels.
    pub fn click_at(&self, x: f64, y: f64) {
        self.click_at_as(x, y, 1);
    }

    /// As [`click_at`](Self::click_at), as the second click of a double click, the third, …
    pub fn click_at_as(&self, x: f64, y: f64, count: u32) {
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event =
                json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": count});
            self.cdp("Input.dispatchMouseEvent", event);
        }
    }

    /// Moves the mouse to this place in the window, in CSS pixels.
    pub fn move_to(&self, x: f64, y: f64) {
        self.cdp("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y}));
    }

    /// Runs the body of a function in the page and returns what it returns.
    pub fn eval(&self, script: &str) -> Value {
        self.run(script, self.client.execute(script, Vec::new()))
    }

    /// Waits until the page has done what it put off to its next task.
    pub fn settle(&self) {
        self.eval("return new Promise(done => setTimeout(done))");
    }

    /// Waits until this expression is true in the page.
    pub fn wait_until(&self, what: &str, expression: &str) {
        let script = format!("return !!({expression})");
        wait_for(what, || {
            // While a page is being left there is nothing to run a script in.
            let value = self.runtime.block_on(self.client.execute(&script, Vec::new()));
            (value.ok()? == json!(true)).then_some(())
        });
    }

    /// The address in the address bar.
    pub fn url(&self) -> String {
        self.run("the address", self.client.current_url()).to_string()
    }

    /// Runs this script in every later document of this tab, before any of its own.
    pub fn before_each_page(&self, script: &str) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({"source": script}));
    }

    /// Sends a command of the DevTools protocol to the current tab.
    pub fn cdp(&self, method: &str, params: Value) -> Value {
        let command = Cdp { method: method.to_owned(), params };
        self.run(method, self.client.issue_cmd(command))
    }

    /// Opens another tab and makes it the current one; the old one goes to the background.
    pub fn new_tab(&self) {
        let tab = self.run("new tab", self.client.new_window(true));
        self.run("switch tab", self.client.switch_to_window(tab.handle));
    }

    /// How many tabs there are.
    pub fn n_tabs(&self) -> usize {
        self.run("tabs", self.client.windows()).len()
    }

    /// Makes the tab with this index the current one, in the order in which they were opened.
    ///
    /// # Panics
    ///
    /// When there is no such tab.
    pub fn switch_tab(&self, index: usize) {
        let tab = self.run("tabs", self.client.windows()).remove(index);
        self.run("switch tab", self.client.switch_to_window(tab));
    }

    /// Closes the current tab as its cross would; then another must be switched to.
    pub fn close_tab(&self) {
        self.run("close tab", self.client.close_window());
    }

    /// Crashes the current tab's process; then another must be switched to.
    pub fn crash_tab(&self) {
        let command = Cdp { method: "Page.crash".to_owned(), params: json!({}) };
        // What has crashed gives no answer.
        let _ = self.runtime.block_on(self.client.issue_cmd(command));
    }

    /// What pages of this browser wrote to the console or failed to catch
    /// since the last call.
    ///
    /// What Chromium itself notes is not among it; see [`BROWSERS_OWN`].
    pub fn messages(&self) -> Vec<Message> {
        self.try_messages().expect("chromedriver keeps the log")
    }

    /// As [`messages`](Self::messages), for a browser that may not answer any more.
    pub fn try_messages(&self) -> Option<Vec<Message>> {
        let log = self.runtime.block_on(self.client.issue_cmd(BrowserLog)).ok()?;
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let message = |entry: &Value| Message { source: text(entry, "source"), text: text(entry, "message") };
        let messages = log.as_array()?.iter().map(message);
        Some(messages.filter(|message| !BROWSERS_OWN.contains(&message.source.as_str())).collect())
    }

    fn run<T, E: std::fmt::Display>(&self, what: &str, future: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(future).unwrap_or_else(|error| panic!("the browser failed at `{what}`: {error}"))
    }
}

/// Starts chromedriver; gives it with its port. `None` when it ended at once: it takes a free port of IPv4 and wants the
/// same of IPv6, which somebody else may have.
///
/// What it and Chromium leave in the folder for temporary files goes with the profile.
fn start_driver(profile: &TempDir) -> Option<(Process, u16)> {
    let driver = Process::start(Command::new("chromedriver").arg("--port=0").env("TMPDIR", profile.path()));
    loop {
        let line = driver.try_next_line()?;
        // "ChromeDriver was started successfully on port 41234."
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Some((driver, port.trim_end_matches('.').parse().expect("chromedriver tells its port")));
        }
    }
}

async fn connect(
    url: &str,
    profile: &TempDir,
    preferences: &Value,
) -> Result<Client, fantoccini::error::NewSessionError> {
    let capabilities = capabilities(profile, preferences);
    ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(url).await
}

fn capabilities(profile: &TempDir, preferences: &Value) -> Map<String, Value> {
    let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    flags.push(format!("--user-data-dir={}", profile.path().display()));
    flags.push("--window-size=1000,900".to_owned());
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"args": flags, "prefs": preferences},
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    capabilities.as_object().expect("capabilities are an object").clone()
}
