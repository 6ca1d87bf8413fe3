//! From a request's body to the lines to be stored: read, admit, stamp, write. No I/O, and nothing about HTTP.

use jiff::Timestamp;
use logdig_shared::limits::LINE_BYTES_MAX;
use logdig_shared::read::{self, BodyError, ReadLog, Reason, Refusal};
use logdig_shared::{Event, Field, line};
use logdig_store::Day;
use thiserror::Error;

use crate::daily_key::Visitor;
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
    /// What daily keys are made of; there where [`Logs::need_daily_keys`].
    pub visitor: Option<&'a Visitor>,
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

/// The logs of a body, each read or refused for what it says.
#[derive(Debug)]
pub struct Logs(Vec<ReadLog>);

impl Logs {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// When no logs could be told apart in it, or they are too many or too large together.
    pub fn read(body: &[u8], form: BodyForm) -> Result<Self, BodyError> {
        match form {
            BodyForm::Form => Ok(Self(vec![read::read_form(body)])),
            BodyForm::Json => read::read_json(body).map(Self),
            BodyForm::Lines => read::read_lines(body).map(Self),
        }
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, which no body that could be read has.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the collector is to make the `user_key` of any of them.
    pub fn need_daily_keys(&self) -> bool {
        self.0.iter().flatten().any(Event::has_daily_key)
    }

    /// Sorts them into lines to be stored and logs that are refused.
    pub fn take_in(self, sender: Sender<'_>, services: &Services) -> Intake {
        let mut intake = Intake { entry: Entry::new(Day::of(sender.received_at)), refused: vec![] };
        let received_at = format!("{:.3}", sender.received_at);
        let mut desk = Desk { sender, services, received_at, line: String::new() };
        self.0.into_iter().enumerate().for_each(|(index, log)| desk.take(index, log, &mut intake));
        intake
    }
}

/// What all logs of a request have in common, and a line to write each on.
struct Desk<'a> {
    sender: Sender<'a>,
    services: &'a Services,
    received_at: String,
    line: String,
}

impl Desk<'_> {
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
        if event.has_daily_key() {
            let visitor = self.sender.visitor.expect("whoever reads the logs asks whether they need it");
            event.user_key = visitor.key(&event.token, &event.user_agent);
        }
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
