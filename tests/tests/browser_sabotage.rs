//! Promise: whatever a page has done to the browser's own functions, the tracker lets no error out, writes nothing to the
//! console and changes nothing that the page does; and what it can still deliver, it delivers.

use std::collections::BTreeMap;

use logdig_tests::Stage;
use logdig_tests::sealed::SealedLog;
use logdig_tests::wait::poll;
use serde_json::json;

/// What is broken, one at a time, for the tracker alone.
const BREAKABLE: &str = "
    fetch AbortSignal.timeout Headers.prototype.get navigator.sendBeacon
    History.prototype.pushState History.prototype.replaceState
    Date Date.now Date.prototype.toISOString performance.now Math.random crypto.getRandomValues Intl.DateTimeFormat
    Array.from Array.prototype.iterator Array.prototype.map Array.prototype.filter Array.prototype.find
    Array.prototype.forEach Array.prototype.push Array.prototype.unshift Array.prototype.join Array.prototype.sort
    Array.prototype.includes Array.prototype.slice
    String.prototype.slice String.prototype.startsWith String.prototype.split RegExp.prototype.test RegExp.prototype.exec
    JSON.stringify JSON.parse Object.keys Object.defineProperty Object.assign
    EventTarget.prototype.addEventListener Event.prototype.composedPath
    Element.prototype.closest Element.prototype.getAttribute Element.prototype.getBoundingClientRect
    Node.prototype.getRootNode getComputedStyle
    Document.prototype.querySelector Document.prototype.createElement
    Storage.prototype.getItem Storage.prototype.setItem Storage.prototype.removeItem
    Map Map.prototype.set Map.prototype.get Map.prototype.delete Set Set.prototype.has Set.prototype.add
    Promise Promise.prototype.then Promise.prototype.catch LockManager.prototype.request
    TextEncoder TextEncoder.prototype.encodeInto TextDecoder TextDecoder.prototype.decode
    WebAssembly.instantiate Uint8Array.from String.prototype.charCodeAt URL
    setTimeout setInterval clearTimeout MutationObserver MutationObserver.prototype.observe
    MutationObserver.prototype.disconnect";

/// Without these a tracker can still do all it has to: each has another way, or another page, to go.
const DISPENSABLE: [&str; 13] = [
    "fetch",
    "AbortSignal.timeout",
    "Headers.prototype.get",
    "navigator.sendBeacon",
    "History.prototype.pushState",
    "History.prototype.replaceState",
    "JSON.stringify",
    "JSON.parse",
    "Object.assign",
    "LockManager.prototype.request",
    "setInterval",
    "MutationObserver",
    "MutationObserver.prototype.observe",
];

/// Pages in frames at a time: each is a realm of its own, and a browser has two cores.
const FRAMES: usize = 18;

/// What a page logs that lives through `sabotage.html`: the first address, then where it goes.
const LOGS: [(&str, usize); 2] = [("view", 4), ("click", 3)];

fn address(what: &str, how: &str) -> String {
    format!("/sabotage.html?what={what}&how={how}")
}

/// Opens pages in frames, lets them live through everything, and gives what they tell.
fn stories(stage: &Stage, addresses: &[String]) -> Vec<String> {
    stage.browser.eval(&format!("hold({})", json!(addresses)));
    stage.browser.wait_until("all stories", "frames().every(frame => frame.story)");
    let stories = stage.browser.eval("return frames().map(frame => frame.story)");
    // They are left, as pages are.
    stage.browser.eval("hold([])");
    stories.as_array().expect("a list").iter().map(|story| story.as_str().expect("a text").to_owned()).collect()
}

/// How many logs of a kind came from the page of this address, by what stands in its query.
fn counts(logs: &[SealedLog]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for log in logs {
        let query = log.text("current_page").split(['?', '#']).nth(1).unwrap_or_default().to_owned();
        *counts.entry((query, log.text("type").to_owned())).or_default() += 1;
    }
    counts
}

#[test]
fn whatever_is_broken_the_page_lives_as_without_a_tracker() {
    let stage = Stage::new();
    stage.open("/frames.html");
    let cases: Vec<(&str, &str)> =
        BREAKABLE.split_whitespace().flat_map(|what| ["throw", "nothing"].map(|how| (what, how))).collect();
    let expected = stories(&stage, &["/sabotage.html?bare".to_owned()]).remove(0);
    let mut faults = Vec::new();
    for batch in cases.chunks(FRAMES) {
        let addresses: Vec<String> = batch.iter().map(|(what, how)| address(what, how)).collect();
        let stories = stories(&stage, &addresses);
        let differing = batch.iter().zip(&stories).filter(|(_, story)| **story != expected);
        faults.extend(differing.map(|((what, how), story)| format!("{what}, {how}: {story}")));
        let messages = stage.browser.messages();
        let first = batch[0].0;
        faults.extend(messages.iter().map(|message| format!("from {first} on, one said: {}", message.text)));
    }
    assert!(faults.is_empty(), "without a tracker: {expected}\n{}", faults.join("\n"));
    check_delivery(stage, &cases);
}

/// What is dispensable cost no log.
fn check_delivery(mut stage: Stage, cases: &[(&str, &str)]) {
    // Whoever comes next delivers what was left behind.
    stage.open("/leave.html");
    stage.wait_delivered();
    let needed: Vec<_> = cases.iter().filter(|(what, _)| DISPENSABLE.contains(what)).collect();
    let missing = |logs: &[SealedLog]| {
        let counts = counts(logs);
        let of_case = |(what, how): &(&str, &str)| {
            let query = format!("what={what}&how={how}");
            let n = |kind: &str| counts.get(&(query.clone(), kind.to_owned())).copied().unwrap_or_default();
            let short: Vec<_> = LOGS.iter().map(|(kind, _)| n(kind)).collect();
            (short != LOGS.map(|(_, n)| n)).then(|| format!("{query}: {short:?}"))
        };
        needed.iter().filter_map(|case| of_case(case)).collect::<Vec<_>>()
    };
    poll(|| missing(&stage.server.sealed_logs()).is_empty().then_some(()));
    let logs = stage.server.stop_and_read();
    assert_eq!(missing(&logs), Vec::<String>::new(), "views and clicks that arrived, of {LOGS:?}");
}
