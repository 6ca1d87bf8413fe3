//! From a request's body to the lines to be stored: read, admit, stamp, write. No I/O, and nothing about HTTP.

use jiff::Timestamp;
use logdig_shared::limits::LINE_BYTES_MAX;
use logdig_shared::read::{self, BodyError, ReadLog, Reason, Refusal};
use logdig_shared::{Event, Field, line};
use logdig_store::Day;
use thiserror::Error;

use crate::queue::{Entry, RepeatKey};
use crate::random;
use crate::services::Services;

/// 96 random bits, as many as in a tracker's document id.
const ID_CHARS: usize = 16;
/// Most lines fit into this.
const LINE_BYTES_USUAL: usize = 1024;

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// One log as the original sent it.
    Form,
    /// An envelope, a log, a list of logs, or a log a line.
    Json,
    /// A log a line.
    Lines,
}

impl BodyForm {
    /// Tells a form from JSON by its first character, for senders who do not say what they send, or say it wrongly.
    pub fn sniff(body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Form,
        }
    }
}

/// Who sends, and when: what a body can't tell about itself.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The origin of the page that sends; programs have none.
    pub origin: Option<&'a str>,
    /// When the request came, by the collector's clock.
    pub received_at: Timestamp,
}

/// Why one log was refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RefusalReason {
    /// The log itself is wrong.
    #[error("{0}")]
    Log(Reason),
    /// No service has this token.
    #[error("names no service of this collector")]
    UnknownToken,
    /// The service does not take logs from the page's site.
    #[error("names a service that takes no logs from pages of this origin")]
    OriginNotAllowed,
}

impl RefusalReason {
    /// The machine-readable tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Log(reason) => reason.tag(),
            Self::UnknownToken => "unknown_token",
            Self::OriginNotAllowed => "origin_not_allowed",
        }
    }

    /// Whether it is about who sent, not about what.
    pub fn is_about_sender(self) -> bool {
        matches!(self, Self::UnknownToken | Self::OriginNotAllowed)
    }
}

/// One log that will never be stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedLog {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Which field is wrong; `None` where the log as a whole is.
    pub field: Option<Field>,
    /// What is wrong.
    pub reason: RefusalReason,
}

/// A body, sorted.
#[derive(Debug)]
pub struct Intake {
    /// Lines to be made durable.
    pub entry: Entry,
    /// Logs that were refused, in the order of the request.
    pub refused: Vec<RefusedLog>,
}

/// Sorts the logs of a body into lines to be stored and logs that are refused.
///
/// # Errors
///
/// When no logs could be told apart in it, or they are too many or too large together.
pub fn take_in(body: &[u8], form: BodyForm, sender: Sender<'_>, services: &Services) -> Result<Intake, BodyError> {
    let mut intake = Intake { entry: Entry::new(Day::of(sender.received_at)), refused: vec![] };
    let mut desk = Desk { sender, services, received_at: format!("{:.3}", sender.received_at), line: String::new() };
    match form {
        BodyForm::Form => desk.take(0, read::read_form(body), &mut intake),
        BodyForm::Json => desk.take_all(read::read_json(body)?, &mut intake),
        BodyForm::Lines => desk.take_all(read::read_lines(body)?, &mut intake),
    }
    Ok(intake)
}

/// What all logs of a request have in common, and a line to write each on.
struct Desk<'a> {
    sender: Sender<'a>,
    services: &'a Services,
    received_at: String,
    line: String,
}

impl Desk<'_> {
    fn take_all(&mut self, logs: Vec<ReadLog>, intake: &mut Intake) {
        logs.into_iter().enumerate().for_each(|(index, log)| self.take(index, log, intake));
    }

    fn take(&mut self, index: usize, log: ReadLog, intake: &mut Intake) {
        match self.write_line(log) {
            Ok(key) => intake.entry.push(&self.line, key),
            Err((field, reason)) => intake.refused.push(RefusedLog { index, field, reason }),
        }
    }

    /// Writes a log's line, and tells what its repeats are told by: a log whose id we made has none.
    fn write_line(&mut self, log: ReadLog) -> Result<Option<RepeatKey>, Refused> {
        let mut event = log.map_err(|Refusal { field, reason }| (field, RefusalReason::Log(reason)))?;
        admit(&event, self.sender.origin, self.services).map_err(|reason| (Some(Field::token), reason))?;
        let key = event.id.as_deref().map(|id| RepeatKey::of(&event.token, id));
        stamp(&mut event, &self.received_at);
        self.line.clear();
        self.line.reserve(LINE_BYTES_USUAL);
        line::write(&event, &mut self.line);
        match self.line.len() {
            ..=LINE_BYTES_MAX => Ok(key),
            _ => Err((None, RefusalReason::Log(Reason::TooLong))),
        }
    }
}

type Refused = (Option<Field>, RefusalReason);

/// A request without an origin comes from a program, which could send any: origins keep out pages, not programs.
fn admit(event: &Event, origin: Option<&str>, services: &Services) -> Result<(), RefusalReason> {
    let service = services.find(&event.token).ok_or(RefusalReason::UnknownToken)?;
    match origin {
        Some(origin) if !service.allows(origin) => Err(RefusalReason::OriginNotAllowed),
        _ => Ok(()),
    }
}

fn stamp(event: &mut Event, received_at: &str) {
    event.received_at = Some(received_at.to_owned());
    if event.id.is_none() {
        event.id = Some(random::text(ID_CHARS));
        event.id_by = Some("server".to_owned());
    }
}
