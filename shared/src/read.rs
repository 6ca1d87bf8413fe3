//! Reading what senders send: tolerant of the sender next door, strict about each log.
//!
//! One bad log never takes another down: only text that is no JSON at all fails a whole request.

mod draft;
mod legacy;
mod raw;
mod readable;
#[cfg(test)]
mod tests;

pub use draft::read_stored;
pub(crate) use raw::Raw;
pub(crate) use readable::Readable;

use crate::{
    Event, Field, envelope,
    limits::{INHERITED_BYTES_MAX, LOGS_PER_REQUEST_MAX},
};
use alloc::{string::String, vec::Vec};
use draft::{Draft, Top, TopSeed};
use serde::de::DeserializeSeed;

/// Makes an enum whose values have a tag for programs, and the list of all of them, from one table.
macro_rules! tagged {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$doc:meta])* $value:ident = $tag:literal, )* }) => {
        $(#[$meta])*
        pub enum $name { $( $(#[$doc])* $value, )* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$value),*];

            /// The machine-readable tag; `WIRE.md` lists it.
            pub const fn tag(self) -> &'static str {
                match self { $(Self::$value => $tag,)* }
            }
        }
    };
}

tagged! {
    /// Why a log was refused. The tag is for programs, the text for people.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
    pub enum Reason {
        /// A field that every log of its type has is not there.
        #[error("is missing")]
        Missing = "missing",
        /// Not a text.
        #[error("must be a text")]
        NotText = "not_a_text",
        /// Not a number.
        #[error("must be a number")]
        NotNumber = "not_a_number",
        /// Not a whole number, or one past ±(2^53 - 1).
        #[error("must be a whole number within ±(2^53 - 1)")]
        NotWhole = "not_a_whole_number",
        /// Not a whole number of 0 or more, or one past 2^53 - 1.
        #[error("must be a whole number from 0 to 2^53 - 1")]
        NotCount = "not_a_count",
        /// Neither `true` nor `false`.
        #[error("must be true or false")]
        NotFlag = "not_a_flag",
        /// Not a JSON object.
        #[error("must be an object")]
        NotObject = "not_an_object",
        /// A value inside the object is itself an object or a list.
        #[error("may hold only texts, numbers, true, false and null")]
        NotScalar = "not_a_scalar",
        /// No instant in UTC.
        #[error("must be an instant in UTC, such as 2015-12-22T06:19:03.366Z")]
        NotInstant = "not_an_instant",
        /// Has characters, or is a word, that the field does not allow.
        #[error("has a value that is not allowed here")]
        NotAllowed = "not_allowed",
        /// An empty text where there must be one.
        #[error("is empty")]
        Empty = "empty",
        /// Longer than the field allows; see [`limits`](crate::limits).
        #[error("is too long")]
        TooLong = "too_long",
        /// More values than the field allows.
        #[error("holds too many values")]
        TooMany = "too_many",
        /// The same field twice.
        #[error("stands there twice")]
        Twice = "twice",
        /// A field that only the collector sets.
        #[error("is set by the collector; senders may not bring it")]
        ServerField = "server_field",
        /// The log itself is not a JSON object, or the line no JSON.
        #[error("the log is not a JSON object")]
        NotLog = "not_a_log",
    }
}

/// One log refused: which field, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `None` where the log as a whole is wrong.
    pub field: Option<Field>,
    /// What is wrong with it.
    pub reason: Reason,
}

tagged! {
    /// A request that holds no logs that could be read one by one.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum BodyError {
        /// The bytes are no UTF-8.
        #[error("the body is not UTF-8")]
        NotUtf8 = "not_utf8",
        /// The text is no JSON.
        #[error("the body is not JSON: an envelope, a log, a list of logs, or a log a line")]
        NotJson = "not_json",
        /// An envelope of a version that this collector does not know.
        #[error("the envelope's version is not one that this collector knows (it knows 1)")]
        UnsupportedVersion = "unsupported_version",
        /// No log in it.
        #[error("the body holds no log")]
        NoLogs = "no_logs",
        /// More than [`LOGS_PER_REQUEST_MAX`].
        #[error("the body holds more than 10000 logs")]
        TooManyLogs = "too_many_logs",
        /// What the envelope says once is, for so many logs, more than [`INHERITED_BYTES_MAX`].
        #[error("the logs are too large together; send fewer at a time")]
        LogsTooLarge = "logs_too_large",
        /// `sent_at` is no instant.
        #[error("`sent_at` must be an instant in UTC, such as 2015-12-22T06:19:03.366Z")]
        BadSentAt = "bad_sent_at",
    }
}

/// A log, or why it was refused.
pub type ReadLog = Result<Event, Refusal>;

/// Reads the original's form post: one log, every value a text.
///
/// Fields beyond ours go to `extra`. An empty number, which the original sends when a browser has no position, is
/// unknown.
pub fn read_form(body: &[u8]) -> ReadLog {
    let mut draft = Draft::default();
    for (name, value) in form_urlencoded::parse(body) {
        draft.set(&name, Raw::Form(&value));
    }
    draft.finish()
}

/// Reads a JSON body: an envelope, one log, a list of logs, or a log a line.
///
/// # Errors
///
/// Only where no single log could be told from another; see [`BodyError`].
pub fn read_json(body: &[u8]) -> Result<Vec<ReadLog>, BodyError> {
    let text = str_of(body)?;
    let mut json = serde_json::Deserializer::from_str(text);
    match TopSeed.deserialize(&mut json) {
        Ok(top) if json.end().is_ok() => finish(top),
        // More text follows the first value: a log a line.
        Ok(Top::One { .. }) => read_lines(body),
        _ => Err(BodyError::NotJson),
    }
}

/// Reads a log a line (NDJSON); a line that is no JSON is refused alone, an empty one is skipped.
///
/// # Errors
///
/// As [`read_json`].
pub fn read_lines(body: &[u8]) -> Result<Vec<ReadLog>, BodyError> {
    let text = str_of(body)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    checked(lines.take(LOGS_PER_REQUEST_MAX + 1).map(draft::read_log).collect())
}

fn str_of(body: &[u8]) -> Result<&str, BodyError> {
    core::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)
}

fn finish(top: Top) -> Result<Vec<ReadLog>, BodyError> {
    match top {
        Top::Many(logs) => checked(logs.into_iter().map(Draft::finish).collect()),
        Top::One { version: None, logs: None, log, .. } => checked(alloc::vec![log.finish()]),
        Top::One { version: Some(envelope::VERSION), logs: Some(logs), log, sent_at } => {
            if log.n_bytes().saturating_mul(logs.len()) > INHERITED_BYTES_MAX {
                return Err(BodyError::LogsTooLarge);
            }
            let sent_at_ms = sent_at.map(|text| instant_ms(&text).ok_or(BodyError::BadSentAt)).transpose()?;
            checked(logs.into_iter().map(|each| each.inherit(&log).finish_sent(sent_at_ms)).collect())
        }
        Top::One { version: Some(envelope::VERSION), .. } => Err(BodyError::NoLogs),
        Top::One { .. } => Err(BodyError::UnsupportedVersion),
    }
}

fn checked(logs: Vec<ReadLog>) -> Result<Vec<ReadLog>, BodyError> {
    match logs.len() {
        0 => Err(BodyError::NoLogs),
        n if n > LOGS_PER_REQUEST_MAX => Err(BodyError::TooManyLogs),
        _ => Ok(logs),
    }
}

/// Milliseconds since 1970 of an ISO 8601 instant that ends in `Z`; `None` when it is none.
pub fn instant_ms(text: &str) -> Option<i64> {
    let instant: jiff::Timestamp = text.ends_with('Z').then(|| text.parse().ok())??;
    Some(instant.as_millisecond())
}

/// A log read back from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLog {
    /// The log.
    pub event: Event,
    /// Whether it was written by the original: ten values joined by `|`.
    pub is_legacy: bool,
}

/// Half of a surrogate pair has no place in UTF-8: it becomes U+FFFD, as browsers do when they encode it.
fn mend_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (clean, escape) = rest.split_at(at);
        out.push_str(clean);
        // The JSON was checked before: after a backslash stands at least one ASCII character.
        let (kept, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(0xd800..=0xdfff), _) => ("\u{fffd}", 6),
            (Some(_), _) => (&escape[..6], 6),
            (None, _) => (&escape[..2], 2),
        };
        out.push_str(kept);
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// The UTF-16 unit of an escape `\uXXXX` at the start of a text.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}
