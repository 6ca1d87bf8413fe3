//! The little of a stored line that the queue itself needs, read quickly and without judging the rest.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::queue::RepeatKey;

/// What a queue needs to know of a line that it wrote before.
///
/// Deliberately less than `logdig_shared::line::read`, which checks every field against today's limits: a log that was
/// acknowledged stays a log, also when a later version would refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// What repeats of it are told by; `None` when its sender gave it no id.
    pub key: Option<RepeatKey>,
    /// When it was received.
    pub received_at: Option<Timestamp>,
}

impl StoredLine {
    /// Reads a line with its `"\n"`; `None` when it is not whole: then it was torn by a crash.
    pub fn read(line: &[u8]) -> Option<StoredLine> {
        let text = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
        // JSON allows neither NUL nor a newline in a text, so parsing finds holes in the file and merged lines.
        let fields: Fields<'_> = text.starts_with('{').then(|| serde_json::from_str(text).ok())??;
        let key = match (&fields.token, &fields.id, &fields.id_by) {
            (Some(token), Some(id), None) => Some(RepeatKey::of(&token.0, &id.0)),
            _ => None,
        };
        Some(StoredLine { key, received_at: fields.received_at.and_then(|text| text.0.parse().ok()) })
    }
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    token: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    id_by: Option<Text<'a>>,
    #[serde(borrow)]
    received_at: Option<Text<'a>>,
}

/// Borrowed where nothing in it is escaped, which a plain `Option<Cow>` never is.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"timestamp":"x","token":"t","id":"d.7","received_at":"2026-11-25T12:00:00.250Z","extra":{"a":[1]}}"#;

    fn read(text: &str) -> Option<StoredLine> {
        StoredLine::read(text.as_bytes())
    }

    #[test]
    fn reads_key_and_time() {
        let line = read(&format!("{LINE}\n")).unwrap();
        assert_eq!(line.key, Some(RepeatKey::of("t", "d.7")));
        assert_eq!(line.received_at, Some("2026-11-25T12:00:00.250Z".parse().unwrap()));
        let escaped = read(&format!("{}\n", LINE.replace("d.7", "d\\u002e7"))).unwrap();
        assert_eq!(escaped.key, line.key);
    }

    #[test]
    fn an_id_of_ours_tells_no_repeat() {
        let line = read(&format!("{}\n", LINE.replace(r#""id":"#, r#""id_by":"server","id":"#))).unwrap();
        assert_eq!(line.key, None);
    }

    #[test]
    fn no_torn_line_is_whole() {
        assert_eq!(read("{}\n"), Some(StoredLine { key: None, received_at: None }));
        let whole = format!("{LINE}\n");
        for n_bytes in 0..whole.len() {
            assert_eq!(read(&whole[..n_bytes]), None, "cut at {n_bytes}");
            let mut hole = whole.clone().into_bytes();
            hole[n_bytes..].fill(0);
            assert_eq!(StoredLine::read(&hole), None, "zeros from {n_bytes}");
        }
        for text in ["\n", "[]\n", "1\n", "a|b\n", &format!("{LINE}{LINE}\n"), &format!("{LINE}\r\r")] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(StoredLine::read(b"{\"a\":\"\xff\"}\n"), None);
    }
}
