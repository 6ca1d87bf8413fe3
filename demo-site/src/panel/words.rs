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

/// What was viewed or clicked, short: a path, or an element as a selector.
pub fn subject(log: &Log) -> String {
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
        ] {
            let log = Log { r#type: kind.into(), link: link.into(), current_page: page.into(), ..Log::default() };
            assert_eq!(subject(&log), expected, "{kind} {link}");
        }
    }

    #[test]
    fn a_file_name_is_cut_after_eight_digits_of_its_hash() {
        assert_eq!(short_hash("2026-11-25/0123456789abcdef"), "01234567");
        assert_eq!(short_hash("odd"), "odd");
    }
}
