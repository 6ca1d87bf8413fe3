//! From what came to what a field holds.

use super::{Raw, Reason, instant_ms, raw::count_scalars};
use crate::{
    event::{Form, Json, Kind},
    limits::WHOLE_MAX,
};
use alloc::{borrow::Cow, string::String};

/// A type that a field can have, and how it is read.
pub(crate) trait Readable: Sized {
    fn read(raw: Raw<'_>, kind: Kind) -> Result<Self, Reason>;
}

impl Readable for String {
    fn read(raw: Raw<'_>, kind: Kind) -> Result<Self, Reason> {
        let text = raw.text()?;
        if let Kind::Text(bytes_max, form) = kind {
            check_form(&text, form)?;
            if text.len() > bytes_max {
                return Err(Reason::TooLong);
            }
        }
        Ok(Cow::into_owned(text))
    }
}

fn check_form(text: &str, form: Form) -> Result<(), Reason> {
    let is_right = match form {
        Form::Any => true,
        Form::NotEmpty | Form::Id if text.is_empty() => return Err(Reason::Empty),
        Form::NotEmpty => true,
        Form::Id => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')),
        Form::Instant if instant_ms(text).is_none() => return Err(Reason::NotInstant),
        Form::Instant => true,
        Form::Currency => text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        Form::OneOf(words) => words.contains(&text),
    };
    if is_right { Ok(()) } else { Err(Reason::NotAllowed) }
}

impl Readable for f64 {
    fn read(raw: Raw<'_>, _: Kind) -> Result<Self, Reason> {
        raw.number()
    }
}

impl Readable for i64 {
    fn read(raw: Raw<'_>, _: Kind) -> Result<Self, Reason> {
        let number = raw.number().map_err(|_| Reason::NotWhole)?;
        let is_whole = number % 1.0 == 0.0 && number.abs() <= WHOLE_MAX as f64;
        if is_whole { Ok(number as i64) } else { Err(Reason::NotWhole) }
    }
}

impl Readable for u64 {
    fn read(raw: Raw<'_>, kind: Kind) -> Result<Self, Reason> {
        let whole = i64::read(raw, kind).map_err(|_| Reason::NotCount)?;
        whole.try_into().map_err(|_| Reason::NotCount)
    }
}

impl Readable for bool {
    fn read(raw: Raw<'_>, _: Kind) -> Result<Self, Reason> {
        raw.flag()
    }
}

impl Readable for Json {
    fn read(raw: Raw<'_>, kind: Kind) -> Result<Self, Reason> {
        let json = raw.object()?;
        match kind {
            Kind::Scalars(bytes_max, _) | Kind::Object(bytes_max) if json.len() > bytes_max => Err(Reason::TooLong),
            Kind::Scalars(_, values_max) if count_scalars(&json)? > values_max => Err(Reason::TooMany),
            _ => Ok(Json(json)),
        }
    }
}

impl<T: Readable> Readable for Option<T> {
    fn read(raw: Raw<'_>, kind: Kind) -> Result<Self, Reason> {
        if raw.is_null() { Ok(None) } else { T::read(raw, kind).map(Some) }
    }
}
