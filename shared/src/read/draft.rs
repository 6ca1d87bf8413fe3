//! A log being read: which fields it has so far, and the first thing that was wrong with it.

use super::{Raw, ReadLog, Reason, Refusal, StoredLog, instant_ms, legacy};
use crate::{
    Event, Field,
    event::Json,
    json::push_text,
    limits::{EXTRA_BYTES_MAX, LINE_BYTES_MAX, LOGS_PER_REQUEST_MAX},
    line,
};
use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};
use core::fmt::{Formatter, Result as FmtResult};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A log of which some fields have been read.
#[derive(Default)]
pub(super) struct Draft {
    event: Event,
    fields: FieldSet,
    /// Fields that this version does not know: `"name":value`, joined by commas.
    unknown: String,
    refusal: Option<Refusal>,
    /// Where the search for the next field's name begins.
    next: usize,
    /// Whether the collector's own fields are read (from a file) or refused (from a sender).
    is_stored: bool,
}

#[derive(Clone, Copy, Default)]
struct FieldSet(u128);

impl FieldSet {
    fn has(self, field: Field) -> bool {
        self.0 >> (field as usize) & 1 == 1
    }

    fn insert(&mut self, field: Field) {
        self.0 |= 1 << (field as usize);
    }
}

const _: () = assert!(Field::ALL.len() <= 128, "FieldSet holds 128 fields");

impl Draft {
    /// Takes one field; what is wrong with it is kept for [`finish`](Self::finish).
    pub fn set(&mut self, name: &str, raw: Raw<'_>) {
        match self.find(name) {
            Some(field) => {
                if let Err(reason) = self.set_field(field, raw) {
                    self.refuse(Some(field), reason);
                }
            }
            None => self.set_unknown(name, raw),
        }
    }

    /// Senders list fields in our order, mostly: so the search goes on where the last one ended.
    fn find(&mut self, name: &str) -> Option<Field> {
        let (before, after) = Field::ALL.split_at(self.next);
        let field = after.iter().chain(before).copied().find(|field| field.as_str() == name)?;
        self.next = field as usize + 1;
        Some(field)
    }

    fn set_field(&mut self, field: Field, raw: Raw<'_>) -> Result<(), Reason> {
        if field.is_servers() && !self.is_stored {
            return Err(Reason::ServerField);
        }
        if self.fields.has(field) {
            return Err(Reason::Twice);
        }
        self.fields.insert(field);
        self.event.read_field(field, raw)
    }

    fn set_unknown(&mut self, name: &str, raw: Raw<'_>) {
        if !self.unknown.is_empty() {
            self.unknown.push(',');
        }
        push_text(&mut self.unknown, name);
        self.unknown.push(':');
        self.unknown.push_str(&raw.to_json());
    }

    fn refuse(&mut self, field: Option<Field>, reason: Reason) {
        self.refusal.get_or_insert(Refusal { field, reason });
    }

    /// What a log takes from it when it is the envelope, at most.
    pub fn n_bytes(&self) -> usize {
        let mut line = String::new();
        line::write(&self.event, &mut line);
        line.len() + self.unknown.len()
    }

    /// Takes from the envelope what the log does not say itself.
    pub fn inherit(mut self, envelope: &Draft) -> Self {
        let own = self.fields;
        for field in Field::ALL.iter().filter(|field| envelope.fields.has(**field) && !own.has(**field)) {
            self.event.copy_field(*field, &envelope.event);
            self.fields.insert(*field);
        }
        if !envelope.unknown.is_empty() {
            let comma = if self.unknown.is_empty() { "" } else { "," };
            self.unknown.push_str(comma);
            self.unknown.push_str(&envelope.unknown);
        }
        self.refusal = self.refusal.or(envelope.refusal);
        self
    }

    /// The log, when all that must be there is there and nothing was wrong.
    pub fn finish(mut self) -> ReadLog {
        self.keep_unknown();
        self.leave_key_to_collector();
        let missing = Field::REQUIRED.iter().chain(self.needed_by_type()).find(|field| !self.fields.has(**field));
        match (self.refusal, missing) {
            (Some(refusal), _) => Err(refusal),
            (None, Some(field)) => Err(Refusal { field: Some(*field), reason: Reason::Missing }),
            (None, None) => Ok(self.event),
        }
    }

    /// A daily key is made by the collector: a sender that asks for one brings none of its own.
    fn leave_key_to_collector(&mut self) {
        if self.is_stored || !self.event.has_daily_key() {
            return;
        }
        if self.fields.has(Field::user_key) {
            self.refuse(Some(Field::user_key), Reason::ServerField);
        }
        self.fields.insert(Field::user_key);
    }

    /// As [`finish`](Self::finish), for a log of an envelope that tells when it was sent.
    pub fn finish_sent(self, sent_at_ms: Option<i64>) -> ReadLog {
        let mut event = self.finish()?;
        event.queued_ms = sent_at_ms.and_then(|sent| Some(sent - instant_ms(&event.timestamp)?));
        Ok(event)
    }

    fn needed_by_type(&self) -> &'static [Field] {
        match self.event.r#type.as_deref() {
            Some("custom") => &[Field::name],
            Some("exposure") => &[Field::experiment, Field::variation],
            _ => &[],
        }
    }

    fn keep_unknown(&mut self) {
        if self.unknown.is_empty() {
            return;
        }
        let mut extra = self.event.extra.take().map_or_else(|| String::from("{"), |json| opened(json.0));
        extra.push_str(&self.unknown);
        extra.push('}');
        if extra.len() > EXTRA_BYTES_MAX {
            self.refuse(Some(Field::extra), Reason::TooLong);
        }
        self.event.extra = Some(Json(extra));
    }
}

/// An object's text, ready to take one more value.
fn opened(mut object: String) -> String {
    object.pop();
    if object.len() > 1 {
        object.push(',');
    }
    object
}

/// What stands at the top of a JSON body.
pub(super) enum Top {
    /// An object: an envelope where it has a version or `logs`, else one log.
    One { version: Option<u64>, sent_at: Option<String>, logs: Option<Vec<Draft>>, log: Box<Draft> },
    /// A list of logs.
    Many(Vec<Draft>),
}

/// Reads a [`Top`].
pub(super) struct TopSeed;

impl<'de> DeserializeSeed<'de> for TopSeed {
    type Value = Top;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Top, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TopSeed {
    type Value = Top;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> FmtResult {
        formatter.write_str("an envelope, a log, or a list of logs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Top, A::Error> {
        read_seq(seq).map(Top::Many)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top, A::Error> {
        let (mut version, mut sent_at, mut logs, mut log) = (None, None, None, Box::<Draft>::default());
        while let Some(key) = map.next_key_seed(Key)? {
            match &*key {
                "logs" => logs = Some(map.next_value_seed(Logs)?),
                "v" => version = Some(map.next_value::<&RawValue>()?.get().parse().unwrap_or(0)),
                "sent_at" => {
                    let raw: &RawValue = map.next_value()?;
                    sent_at = Some(Raw::Json(raw.get()).text().unwrap_or_default().into_owned());
                }
                name => log.set(name, Raw::Json(map.next_value::<&RawValue>()?.get())),
            }
        }
        Ok(Top::One { version, sent_at, logs, log })
    }
}

/// Reads a list of logs.
struct Logs;

impl<'de> DeserializeSeed<'de> for Logs {
    type Value = Vec<Draft>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<Draft>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Logs {
    type Value = Vec<Draft>;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> FmtResult {
        formatter.write_str("a list of logs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<Draft>, A::Error> {
        read_seq(seq)
    }
}

fn read_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Draft>, A::Error> {
    let mut logs = Vec::new();
    while let Some(raw) = seq.next_element::<&RawValue>()? {
        // One more than allowed tells that there are too many; memory need not hold the rest.
        if logs.len() <= LOGS_PER_REQUEST_MAX {
            logs.push(read_draft(raw.get(), false));
        }
    }
    Ok(logs)
}

/// Reads one log from its JSON text; what is no object is a draft that is refused.
fn read_draft(json: &str, is_stored: bool) -> Draft {
    let mut draft = Draft { is_stored, ..Draft::default() };
    let read = serde_json::Deserializer::from_str(json).deserialize_map(&mut draft);
    if read.is_err() {
        draft.refusal = Some(Refusal { field: None, reason: Reason::NotLog });
    }
    draft
}

impl<'de> Visitor<'de> for &mut Draft {
    type Value = ();

    fn expecting(&self, formatter: &mut Formatter<'_>) -> FmtResult {
        formatter.write_str("a log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Key)? {
            let value: &RawValue = map.next_value()?;
            self.set(&name, Raw::Json(value.get()));
        }
        Ok(())
    }
}

/// Reads a field's name without copying it.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> FmtResult {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}

/// Reads one log of a sender from a line.
pub(super) fn read_log(line: &str) -> ReadLog {
    whole(line).map_or(Err(Refusal { field: None, reason: Reason::NotLog }), |json| read_draft(json, false).finish())
}

/// Reads a stored line back, with or without its newline: ours, or ten values joined by `|` as the original wrote them.
///
/// # Errors
///
/// The field and the reason, as for a sender's log.
pub fn read_stored(line: &str) -> Result<StoredLog, Refusal> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.len() >= LINE_BYTES_MAX {
        return Err(Refusal { field: None, reason: Reason::TooLong });
    }
    if line.starts_with('{') {
        let json = whole(line).ok_or(Refusal { field: None, reason: Reason::NotLog })?;
        return read_draft(json, true).finish().map(|event| StoredLog { event, is_legacy: false });
    }
    legacy::read(line).map(|event| StoredLog { event, is_legacy: true })
}

/// The text, when it is one JSON value and nothing else.
fn whole(text: &str) -> Option<&str> {
    serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get)
}
