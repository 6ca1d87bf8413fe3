//! What stands in a message: many lines of one UTC day, packed; or one log, as the original sent it.
//!
//! ```text
//! logdig 1 2026-11-25 3 1260 zstd        version, day, number of lines, their bytes, encoding; then a newline
//! KLUv/WDsAz0…                           the lines: `plain` as they are, `zstd` as Base64 of a zstd frame
//! ```

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use logdig_shared::{
    Event,
    limits::LINE_BYTES_MAX,
    line,
    read::{self, Refusal},
};
use logdig_store::Day;
use serde_json::{Map, Value};

use crate::stored_line::StoredLine;

/// What SQS takes in one message and in one call. Source: the SQS quotas, since August 2025.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Lines in one message. With a head they fit into a message even where packing does not pay, and a reader needs
/// memory for no more than this.
pub const LINES_BYTES_MAX: usize = MESSAGE_BYTES_MAX - HEAD_BYTES_MAX;
/// `logdig 1 2026-11-25 1048448 1048448 plain` and a newline have 42.
const HEAD_BYTES_MAX: usize = 128;
/// The form of message that this version writes, and the only one of ours that it reads.
const VERSION: &str = "1";
/// 3 is zstd's own default: clicks shrink to a tenth, at about 2 us a kilobyte.
const ZSTD_LEVEL: i32 = 3;
/// One log alone gets longer by packing: Base64 takes back what zstd wins.
const PACK_BYTES_MIN: usize = 512;

/// The lines of one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Unpacked {
    /// The UTC day on which all of them were received.
    pub day: Day,
    /// Whole lines, each with its `"\n"`.
    pub lines: String,
    /// How many they are.
    pub n_logs: u64,
    /// When the first of them was received.
    pub oldest: Timestamp,
}

/// What SQS says of a message, beside its text.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// SQS's own id of it.
    pub message_id: &'a str,
    /// When SQS took it. Source: the attribute `SentTimestamp`.
    pub sent_at: Timestamp,
}

/// Why a message can't be read, now or ever.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// It begins like one of ours, of a form that this version does not know.
    #[error("version `{0}` of packed messages is not known here; a newer `logdig` wrote it")]
    UnsupportedVersion(String),
    /// The first line does not say what must be known.
    #[error("the first line of a packed message must tell day, lines, bytes and encoding, not `{0}`")]
    Head(String),
    /// It says that it holds more than a message may.
    #[error("{n_bytes} bytes of lines are more than a message may hold ({LINES_BYTES_MAX})")]
    TooLarge {
        /// What it says.
        n_bytes: usize,
    },
    /// The text after the first line is not what it should be.
    #[error("the lines can't be unpacked: {0}")]
    Encoding(String),
    /// What came out is not what was put in.
    #[error("it holds {found} {what} instead of {told}")]
    Length {
        /// `bytes` or `lines`.
        what: &'static str,
        /// What the first line says.
        told: usize,
        /// What is there.
        found: usize,
    },
    /// One of the lines can't be part of a file.
    #[error("line {n}: {reason}")]
    Line {
        /// Which one, from 1.
        n: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Neither one of ours nor a log of the original.
    #[error("it is no log: {}", refusal_words(.0))]
    NotALog(Refusal),
}

impl Unreadable {
    /// The machine-readable tag.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::UnsupportedVersion(_) => "unsupported_version",
            Self::Head(_) => "bad_head",
            Self::TooLarge { .. } => "too_large",
            Self::Encoding(_) => "bad_encoding",
            Self::Length { .. } => "wrong_length",
            Self::Line { .. } => "bad_line",
            Self::NotALog(refusal) => refusal.reason.tag(),
        }
    }
}

fn refusal_words(refusal: &Refusal) -> String {
    let field = refusal.field.map(|field| format!("`{}` ", field.as_str())).unwrap_or_default();
    format!("{field}{}", refusal.reason)
}

/// Packs whole lines, all received on `day`, into as few messages as hold them: one, unless they are many or nothing
/// makes them shorter.
///
/// Whatever stands in the lines, SQS takes the messages: where a character is one that it refuses, the lines are
/// encoded though that makes them longer.
pub fn pack(day: Day, lines: &str) -> Vec<String> {
    let mut messages = Vec::with_capacity(1);
    pack_into(day, lines, &mut messages);
    messages
}

fn pack_into(day: Day, lines: &str, messages: &mut Vec<String>) {
    let packed = if lines.len() <= LINES_BYTES_MAX { pack_one(day, lines) } else { None };
    match (packed, halves(lines)) {
        (Some(message), _) => messages.push(message),
        (None, Some((first, second))) => {
            pack_into(day, first, messages);
            pack_into(day, second, messages);
        }
        (None, None) => unreachable!("a line, of at most {LINE_BYTES_MAX} bytes, fits into a message in any form"),
    }
}

/// `None` when the lines have to be encoded and are too long then.
fn pack_one(day: Day, lines: &str) -> Option<String> {
    let is_plain = is_taken_by_sqs(lines);
    let shortest_is_plain = is_plain && lines.len() < PACK_BYTES_MIN;
    let encoded = if shortest_is_plain { None } else { encode(lines) };
    let (encoding, text) = match &encoded {
        Some(encoded) if !is_plain || encoded.len() < lines.len() => ("zstd", encoded.as_str()),
        _ if is_plain => ("plain", lines),
        _ => return None,
    };
    let n_lines = lines.bytes().filter(|byte| *byte == b'\n').count();
    let message = format!("logdig {VERSION} {day} {n_lines} {} {encoding}\n{text}", lines.len());
    (message.len() <= MESSAGE_BYTES_MAX).then_some(message)
}

/// `None` only when zstd has no memory to work with.
fn encode(lines: &str) -> Option<String> {
    let compress = || {
        let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        zstd.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
        zstd.compress(lines.as_bytes())
    };
    compress().ok().map(|bytes| BASE64.encode(bytes))
}

/// The two halves of lines, cut after the line that the middle lies in; `None` for a single line.
fn halves(lines: &str) -> Option<(&str, &str)> {
    let bytes = lines.as_bytes();
    let middle = bytes.len() / 2;
    let before = || bytes[..middle].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
    let after = bytes[middle..].iter().position(|byte| *byte == b'\n').map(|at| middle + at + 1);
    let cut = after.filter(|cut| *cut < bytes.len()).or_else(before)?;
    Some(lines.split_at(cut))
}

/// Whether all characters are among those that SQS takes. Source: `SendMessage` in the SQS API reference.
fn is_taken_by_sqs(text: &str) -> bool {
    let is_taken = |c: char| matches!(c, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().all(is_taken)
}

/// Reads a message: one that [`pack`] made, or one of the original's, which holds one log.
///
/// # Errors
/// When it is neither, or what it holds has no place in a file of its day.
pub fn unpack(text: &str, envelope: Envelope<'_>) -> Result<Unpacked, Unreadable> {
    match text.strip_prefix("logdig ") {
        Some(rest) => unpack_packed(rest),
        None => read_original(text, envelope),
    }
}

/// What the first line says.
struct Head<'a> {
    day: Day,
    n_lines: usize,
    n_bytes: usize,
    encoding: &'a str,
}

impl<'a> Head<'a> {
    fn read(line: &'a str) -> Result<Head<'a>, Unreadable> {
        let bad = || Unreadable::Head(line.chars().take(HEAD_BYTES_MAX).collect());
        let [version, rest @ ..] = &line.split(' ').collect::<Vec<_>>()[..] else { return Err(bad()) };
        if *version != VERSION {
            return Err(Unreadable::UnsupportedVersion(version.chars().take(HEAD_BYTES_MAX).collect()));
        }
        let [day, n_lines, n_bytes, encoding] = rest else { return Err(bad()) };
        let (Ok(day), Ok(n_lines), Ok(n_bytes)) = (day.parse(), n_lines.parse(), n_bytes.parse()) else {
            return Err(bad());
        };
        match n_bytes {
            0 => Err(bad()),
            1..=LINES_BYTES_MAX => Ok(Head { day, n_lines, n_bytes, encoding }),
            _ => Err(Unreadable::TooLarge { n_bytes }),
        }
    }
}

fn unpack_packed(rest: &str) -> Result<Unpacked, Unreadable> {
    let (head, text) = rest.split_once('\n').unwrap_or((rest, ""));
    let head = Head::read(head)?;
    let lines = match head.encoding {
        "plain" => text.to_owned(),
        "zstd" => decode(text, head.n_bytes)?,
        other => return Err(Unreadable::Encoding(format!("`{other}` is no encoding that is known here"))),
    };
    expect("bytes", head.n_bytes, lines.len())?;
    let (n_lines, oldest) = look_at_lines(head.day, &lines)?;
    expect("lines", head.n_lines, n_lines)?;
    Ok(Unpacked { day: head.day, lines, n_logs: n_lines as u64, oldest })
}

fn decode(text: &str, n_bytes: usize) -> Result<String, Unreadable> {
    let bad = |error: &dyn std::fmt::Display| Unreadable::Encoding(error.to_string());
    let bytes = BASE64.decode(text).map_err(|error| bad(&error))?;
    // Whatever the frame says of itself, no more than this is written.
    let lines = zstd::bulk::decompress(&bytes, n_bytes).map_err(|error| bad(&error))?;
    String::from_utf8(lines).map_err(|error| bad(&error))
}

fn expect(what: &'static str, told: usize, found: usize) -> Result<(), Unreadable> {
    if told == found { Ok(()) } else { Err(Unreadable::Length { what, told, found }) }
}

/// How many lines there are, and when the first was received. Anyone who may send to the queue could have written
/// them, so each is looked at: a file that breaks a promise would be there for ever.
fn look_at_lines(day: Day, lines: &str) -> Result<(usize, Timestamp), Unreadable> {
    let mut oldest = Timestamp::MAX;
    let mut n = 0;
    for line in lines.split_inclusive('\n') {
        n += 1;
        let bad = |reason| Unreadable::Line { n, reason };
        if line.len() > LINE_BYTES_MAX {
            return Err(bad("is too long"));
        }
        let received_at = StoredLine::read(line.as_bytes()).ok_or(bad("is no whole JSON object"))?.received_at;
        match received_at {
            Some(received_at) if Day::of(received_at) == day => oldest = oldest.min(received_at),
            _ => return Err(bad("was not received on the day of its message")),
        }
    }
    Ok((n, oldest))
}

/// The original put one log into a message: its ten values joined by `|`, or as a JSON object.
fn read_original(text: &str, envelope: Envelope<'_>) -> Result<Unpacked, Unreadable> {
    let event = match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(object) => read::read_form(form(&object).as_bytes()),
        Err(_) => line::read(text).map(|log| log.event),
    };
    let mut event = event.map_err(Unreadable::NotALog)?;
    stamp(&mut event, envelope);
    let mut lines = String::new();
    line::write(&event, &mut lines);
    if lines.len() > LINE_BYTES_MAX {
        return Err(Unreadable::Line { n: 1, reason: "is too long" });
    }
    Ok(Unpacked { day: Day::of(envelope.sent_at), lines, n_logs: 1, oldest: envelope.sent_at })
}

/// The object as the form that the original's page posted: there every value is a text, and an unknown number empty.
fn form(object: &Map<String, Value>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in object {
        match value {
            Value::String(text) => form.append_pair(name, text),
            Value::Null => form.append_pair(name, ""),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    form.finish()
}

fn stamp(event: &mut Event, envelope: Envelope<'_>) {
    event.received_at = Some(format!("{:.3}", envelope.sent_at));
    if event.id.is_none() {
        // The same however often it is delivered, so what is stored twice can be told.
        event.id = Some(envelope.message_id.to_owned());
        event.id_by = Some("server".to_owned());
    }
}

#[cfg(test)]
mod tests;
