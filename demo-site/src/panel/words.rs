//! What the panel says of a log, in words.

use super::ledger::{Entry, Origin, Stage, Trouble};
use super::wire::Log;

/// Characters of a file name that are shown; the whole of it is one hover or focus away.
const HASH_CHARS: usize = 8;

/// The legend's word for a mark.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Made => "made",
        Stage::Queued => "in the page’s queue",
        Stage::Sent => "on its way",
        Stage::Durable => "durable on the server",
        Stage::InFile => "in file",
    }
}

/// Where a log is, in one clause: the text alternative of its five marks.
pub fn state(entry: &Entry) -> String {
    match (&entry.trouble, &entry.place) {
        (_, Some(place)) => format!("in file {}, line {}", place.file, place.line),
        (Some(Trouble::Lost), _) => "left the queue a minute ago and stands in no file".into(),
        (Some(Trouble::Refused { reason }), _) => format!("refused for good: {reason}"),
        (Some(Trouble::Withdrawn), _) => "thrown away unsent: the visitor said no".into(),
        _ if entry.is_draft() => "in the page’s queue, kept up to date until this view is left".into(),
        (Some(Trouble::Waits { n_attempts }), _) if entry.stage <= Stage::Queued => {
            format!("{}, will be tried again ({n_attempts} failed so far)", kept(entry))
        }
        _ => under_way(entry),
    }
}

/// The same in a word, for the place where the file's name will stand.
pub fn word(entry: &Entry) -> &'static str {
    match (&entry.trouble, entry.stage) {
        (Some(Trouble::Lost), _) => "lost",
        (Some(Trouble::Refused { .. }), _) => "refused",
        (Some(Trouble::Withdrawn), _) => "thrown away",
        _ if entry.is_draft() => "goes on",
        (_, Stage::Sent) => "sending",
        (_, Stage::Durable) => "durable",
        (_, Stage::InFile) => "in file",
        (Some(Trouble::Waits { .. }), _) => "will retry",
        _ if entry.in_memory => "in memory",
        _ => "queued",
    }
}

fn under_way(entry: &Entry) -> String {
    match entry.stage {
        Stage::Made | Stage::Queued => kept(entry).into(),
        Stage::Sent if entry.origin == Origin::Elsewhere => "on its way from the other tab, a file will tell".into(),
        Stage::Sent => "on its way".into(),
        Stage::Durable => "durable on the server".into(),
        Stage::InFile => "in file".into(),
    }
}

fn kept(entry: &Entry) -> &'static str {
    if entry.in_memory { "kept in memory" } else { "in the page’s queue" }
}

/// Whose log it is, when it is not this page's: in a word, and as it is said.
pub fn origin(origin: Origin) -> Option<(&'static str, &'static str)> {
    match origin {
        Origin::Here => None,
        Origin::Before => Some(("prev", "made by the page before")),
        Origin::Elsewhere => Some(("tab", "made in another tab")),
    }
}

/// What a type of log tells, in a clause.
pub fn kind(r#type: &str) -> &'static str {
    match r#type {
        "view" => "a page was shown",
        "click" => "something was clicked",
        "leave" => "a page was left, or is about to be",
        "rage" => "clicked again and again at one place",
        "dead" => "a click after which nothing happened",
        "move" => "where the pointer rested",
        "custom" => "the shop’s own event",
        "exposure" => "a variation of an experiment was shown",
        _ => "a log",
    }
}

/// A drawing of a type, as the path of a line in a square of 12.
pub fn kind_mark(r#type: &str) -> &'static str {
    match r#type {
        "view" => "M1 6Q6 0 11 6Q6 12 1 6M6 4.5V7.5",                 // an eye
        "click" => "M3 1.5V9.5L5.2 7.4L6.8 10.8L8.4 10L6.8 6.8H9.6Z", // a pointer
        "leave" => "M5 1.5H1.5V10.5H5M4.5 6H11M8.5 3.5L11 6L8.5 8.5", // out of a door
        "rage" => "M7 .8L2.5 7H6L5 11.2L9.5 5H6Z",                    // a flash
        "dead" => "M6 1A5 5 0 1 1 5.9 1M2.6 2.6L9.4 9.4",             // nothing
        "move" => "M1 9Q3 1 5.5 6T11 3",                              // a trace
        "custom" => "M6 1L7.4 4.4L11 4.7L8.3 7.1L9.1 10.7L6 8.8L2.9 10.7L3.7 7.1L1 4.7L4.6 4.4Z", // a star
        "exposure" => "M1 6H4L8 2H11M4 6L8 10H11",                    // a fork
        _ => "M6 5V7",
    }
}

/// What it was, short: a path, an element as a selector, or what the log is about.
pub fn subject(log: &Log) -> String {
    match log.r#type.as_str() {
        "leave" => format!("after {}, {} % seen", duration(log.engaged_ms), log.scroll_max),
        "move" => rests(&log.points),
        "custom" => {
            log.value.map_or_else(|| log.name.clone(), |value| format!("{} {value} {}", log.name, log.currency))
        }
        "exposure" => format!("{}: {}", log.experiment, log.variation),
        _ => target(log),
    }
}

/// `42 s`, `3 min 5 s`.
fn duration(ms: u64) -> String {
    match ms.div_ceil(1000) {
        s @ 0..60 => format!("{s} s"),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}

fn rests(points: &str) -> String {
    match points.split(';').filter(|point| !point.is_empty()).count() {
        1 => "1 place".into(),
        n => format!("{n} places"),
    }
}

/// What was viewed or clicked.
fn target(log: &Log) -> String {
    let target = if log.r#type == "view" || log.link.is_empty() { &log.current_page } else { &log.link };
    match target.split_once("://") {
        Some((_, rest)) => without_host(rest, &log.current_page).to_owned(),
        None if target.contains(';') => selector(target),
        None => target.clone(),
    }
}

/// An address without its scheme, and without its host where that is the page's own.
fn without_host<'a>(address: &'a str, page: &str) -> &'a str {
    let path_at = address.find('/').unwrap_or(address.len());
    let (host, path) = address.split_at(path_at);
    let page_host = page.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    match page_host == Some(host) {
        true if path.is_empty() => "/",
        true => path,
        false => address,
    }
}

/// `tag;class;id;name;data-reactid` as `tag#id.class`.
fn selector(description: &str) -> String {
    let mut parts = description.split(';');
    let mut next = || parts.next().unwrap_or_default();
    let (tag, class, id, name) = (next(), next(), next(), next());
    let mut selector = tag.to_lowercase();
    match (id, class.split_whitespace().next(), name) {
        ("", None, "") => {}
        ("", None, name) => selector.extend(["[name=", name, "]"]),
        ("", Some(class), _) => selector.extend([".", class]),
        (id, ..) => selector.extend(["#", id]),
    }
    selector
}

/// The first digits of a stored file's name: `3f9a0c12` for `2026-11-25/3f9a0c12…`.
pub fn short_hash(file: &str) -> &str {
    let hash = file.rsplit('/').next().unwrap_or(file);
    hash.get(..HASH_CHARS).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_what_was_viewed_or_clicked() {
        let page = "http://127.0.0.1:8301/goods?kind=desk";
        for (kind, link, expected) in [
            ("view", "", "/goods?kind=desk"),
            ("click", "http://127.0.0.1:8301/story#kiln", "/story#kiln"),
            ("click", "http://127.0.0.1:8301", "/"),
            ("click", "https://example.org/a", "example.org/a"),
            ("click", "span;chip is-on;;;", "span.chip"),
            ("click", "BUTTON;primary;pay;;", "button#pay"),
            ("click", "input;;;email;", "input[name=email]"),
            ("click", "mailto:a@example.org", "mailto:a@example.org"),
            ("click", "", "/goods?kind=desk"),
            ("rage", "span;chip;;;", "span.chip"),
            ("dead", "button;;buy;;", "button#buy"),
        ] {
            let log = Log { r#type: kind.into(), link: link.into(), current_page: page.into(), ..Log::default() };
            assert_eq!(subject(&log), expected, "{kind} {link}");
        }
    }

    #[test]
    fn what_happened_nowhere_is_said_by_what_it_is_about() {
        let parse = |json: &str| subject(&serde_json::from_str(json).unwrap());
        for (json, expected) in [
            (r#"{"type":"leave","engaged_ms":41250,"scroll_max":85}"#, "after 42 s, 85 % seen"),
            (r#"{"type":"leave","engaged_ms":185000,"scroll_max":100}"#, "after 3 min 5 s, 100 % seen"),
            (r#"{"type":"move","points":"10,20;15,80"}"#, "2 places"),
            (r#"{"type":"move","points":"10,20"}"#, "1 place"),
            (r#"{"type":"custom","name":"order","value":84.5,"currency":"EUR"}"#, "order 84.5 EUR"),
            (r#"{"type":"custom","name":"sign-up"}"#, "sign-up"),
            (r#"{"type":"exposure","experiment":"buy-button","variation":"take"}"#, "buy-button: take"),
        ] {
            assert_eq!(parse(json), expected, "{json}");
        }
    }

    #[test]
    fn every_type_on_the_wire_has_words_and_a_mark_of_its_own() {
        let types = ["view", "click", "leave", "rage", "dead", "move", "custom", "exposure"];
        for of in [kind, kind_mark] {
            let own: std::collections::BTreeSet<_> = types.into_iter().map(of).collect();
            assert!(own.len() == types.len() && !own.contains(of("")));
        }
    }

    #[test]
    fn a_file_name_is_cut_after_eight_digits_of_its_hash() {
        assert_eq!(short_hash("2026-11-25/0123456789abcdef"), "01234567");
        assert_eq!(short_hash("odd"), "odd");
    }
}
