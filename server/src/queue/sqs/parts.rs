//! The lines of many requests, gathered by day into messages; and which request stands in which.

use std::ops::RangeInclusive;

use logdig_store::Day;

use super::{
    CallError,
    message::{self, LINES_BYTES_MAX},
};
use crate::queue::Entry;

/// Lines of one day that share a fate: usually those of all requests that go in one call.
struct Part {
    day: Day,
    lines: String,
    failure: Option<String>,
}

/// All lines of a call, and where those of each request are.
pub struct Parts {
    parts: Vec<Part>,
    /// For each request, which parts hold its lines.
    places: Vec<RangeInclusive<usize>>,
}

/// One message, and the part that its lines come from.
pub struct PackedMessage {
    pub part: usize,
    pub text: String,
}

impl Parts {
    /// Gathers the lines of requests, each of at least one line. A request is split only when it is longer than a
    /// message may be.
    pub fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Parts {
        let mut these = Parts { parts: Vec::new(), places: Vec::new() };
        entries.for_each(|entry| these.add(entry));
        these
    }

    fn add(&mut self, entry: &Entry) {
        let is_same = |part: &Part| part.day == entry.day();
        let has_room = |part: &Part| part.lines.len() + entry.n_bytes() <= LINES_BYTES_MAX;
        let open = self.parts.iter().rposition(|part| is_same(part) && has_room(part));
        let first = open.unwrap_or_else(|| self.begin(entry.day()));
        let mut last = first;
        for (line, _) in entry.lines() {
            let part = &self.parts[last];
            if !part.lines.is_empty() && part.lines.len() + line.len() > LINES_BYTES_MAX {
                last = self.begin(entry.day());
            }
            self.parts[last].lines.push_str(line);
        }
        self.places.push(first..=last);
    }

    fn begin(&mut self, day: Day) -> usize {
        self.parts.push(Part { day, lines: String::new(), failure: None });
        self.parts.len() - 1
    }

    /// The messages that hold all of it.
    pub fn pack(&self) -> Vec<PackedMessage> {
        let pack = |(part, of): (usize, &Part)| {
            let texts = message::pack(of.day, &of.lines).into_iter();
            texts.map(move |text| PackedMessage { part, text })
        };
        self.parts.iter().enumerate().flat_map(pack).collect()
    }

    /// A message with lines of this part was not taken.
    pub fn fail(&mut self, part: usize, error: &CallError) {
        self.parts[part].failure.get_or_insert_with(|| error.to_string());
    }

    /// Why the lines of the request at this place are not all in the queue, if so.
    pub fn failure_of(&self, place: usize) -> Option<&str> {
        self.parts[self.places[place].clone()].iter().find_map(|part| part.failure.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(day: &str, lines: &[&str]) -> Entry {
        let mut entry = Entry::new(day.parse().unwrap());
        lines.iter().for_each(|line| entry.push(line, None));
        entry
    }

    #[test]
    fn each_day_is_one_part_and_each_request_in_it() {
        let entries =
            [entry("2026-11-25", &["a\n", "b\n"]), entry("2026-11-26", &["c\n"]), entry("2026-11-25", &["d\n"])];
        let parts = Parts::of(entries.iter());
        let texts: Vec<&str> = parts.parts.iter().map(|part| part.lines.as_str()).collect();
        assert_eq!(texts, ["a\nb\nd\n", "c\n"]);
        assert_eq!(parts.places, [0..=0, 1..=1, 0..=0]);
        assert_eq!(parts.pack().len(), 2);
    }

    #[test]
    fn a_request_longer_than_a_message_has_several_parts() {
        let line = format!("{}\n", "x".repeat(64_000 - 1));
        let long: Vec<&str> = (0..40).map(|_| line.as_str()).collect();
        let entries = [entry("2026-11-25", &["a\n"]), entry("2026-11-25", &long), entry("2026-11-25", &["b\n"])];
        let parts = Parts::of(entries.iter());
        assert_eq!(parts.places, [0..=0, 1..=3, 3..=3]);
        assert!(parts.parts.iter().all(|part| part.lines.len() <= LINES_BYTES_MAX));
        let n_lines: usize = parts.parts.iter().map(|part| part.lines.matches('\n').count()).sum();
        assert_eq!(n_lines, 42);
    }
}
