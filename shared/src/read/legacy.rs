//! Lines of the original: ten values joined by `|`, nothing escaped.

use super::{Draft, Raw, ReadLog, Reason, Refusal};
use crate::Field;
use alloc::{string::String, vec::Vec};

/// Reads a line of the original.
///
/// Addresses and User-Agents may hold a `|` themselves. What can't: the first three values and the four numbers; so the
/// three numbers in the middle are looked for, and what lies between belongs to the texts around them.
pub(super) fn read(line: &str) -> ReadLog {
    let values: Vec<&str> = line.split('|').collect();
    let joined = assign(&values).ok_or(Refusal { field: None, reason: Reason::NotLog })?;
    let mut draft = Draft::default();
    for (field, value) in Field::REQUIRED.iter().zip(&joined) {
        draft.set(field.as_str(), Raw::Form(value));
    }
    draft.finish()
}

/// Gives ten texts for what may be more than ten pieces.
fn assign(values: &[&str]) -> Option<[String; 10]> {
    let last = values.len().checked_sub(1).filter(|last| *last >= 9)?;
    // timestamp token user_key | current_page… link… | x y spent | user_agent… | load_count
    let numbers = (5..=last - 4).find(|at| values[*at..at + 3].iter().all(|value| is_number(value)))?;
    let link = (4..numbers).find(|at| begins_link(values[*at])).unwrap_or(4);
    let join = |from: usize, to: usize| values[from..to].join("|");
    Some([
        values[0].into(),
        values[1].into(),
        values[2].into(),
        join(3, link),
        join(link, numbers),
        number(values[numbers]),
        number(values[numbers + 1]),
        values[numbers + 2].into(),
        join(numbers + 3, last),
        values[last].into(),
    ])
}

/// An address, or the description of an element: `tag;class;id;name;data-reactid`.
fn begins_link(value: &str) -> bool {
    value.contains("://") || value.matches(';').count() == 4
}

fn is_number(value: &str) -> bool {
    number(value).is_empty() || value.parse::<f64>().is_ok()
}

/// What JavaScript writes for a number that it doesn't have.
fn number(value: &str) -> String {
    if matches!(value, "undefined" | "NaN" | "null") { String::new() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    /// Each line, and what of it is told by current_page, link, x and user_agent.
    #[test]
    fn tells_the_ten_values_apart() {
        let head = "2015-12-22T06:19:03.366Z|VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ|tR2VQSYNNXJwbBQLijmR";
        let table = [
            (
                "http://a.com/i|http://a.com/p|110|400|1120|Mozilla/5.0|2",
                ("http://a.com/i", "http://a.com/p", Some(110.0), "Mozilla/5.0"),
            ),
            (
                "http://a.com/i|span;b;c;;|110|400|1120|Moz|illa|2",
                ("http://a.com/i", "span;b;c;;", Some(110.0), "Moz|illa"),
            ),
            (
                "http://a.com/?q=a|b|http://a.com/p|1.5|400|1120|M|2",
                ("http://a.com/?q=a|b", "http://a.com/p", Some(1.5), "M"),
            ),
            ("http://a.com/|http://a.com/p?a|b|1|2|3|M|2", ("http://a.com/", "http://a.com/p?a|b", Some(1.0), "M")),
            ("http://a.com/|button;;;;|undefined|NaN|3||2", ("http://a.com/", "button;;;;", None, "")),
        ];
        for (tail, (page, link, x, agent)) in table {
            let event: Event = read(&alloc::format!("{head}|{tail}")).unwrap();
            let found = (&*event.current_page, &*event.link, event.x, &*event.user_agent);
            assert_eq!(found, (page, link, x, agent), "{tail}");
            assert_eq!(event.load_count, 2);
        }
    }

    #[test]
    fn refuses_what_is_no_log() {
        for line in ["", "a|b", "a|b|c|d|e|f|g|h|i|j", "hello"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
