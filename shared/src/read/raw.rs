//! A value as it came, before anybody decided what it should be.

use super::{Reason, mend_surrogates};
use alloc::{borrow::Cow, string::String};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a sender wrote for a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    /// JSON text of one value, known to be well-formed.
    Json(&'a str),
    /// A form's value: always a text.
    Form(&'a str),
}

impl<'a> Raw<'a> {
    /// `null`, and in a form nothing.
    pub fn is_null(self) -> bool {
        match self {
            Raw::Json(json) => json == "null",
            Raw::Form(text) => text.is_empty(),
        }
    }

    pub fn text(self) -> Result<Cow<'a, str>, Reason> {
        match self {
            Raw::Form(text) => Ok(Cow::Borrowed(text)),
            Raw::Json(json) => match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                None => Err(Reason::NotText),
                Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
                Some(_) => Ok(Cow::Owned(unescape(json))),
            },
        }
    }

    pub fn number(self) -> Result<f64, Reason> {
        let text = match self {
            Raw::Json(text) if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => text,
            // Rust would also read "inf" and "NaN".
            Raw::Form(text)
                if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) =>
            {
                text
            }
            _ => return Err(Reason::NotNumber),
        };
        text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or(Reason::NotNumber)
    }

    pub fn flag(self) -> Result<bool, Reason> {
        match self {
            Raw::Json("true") | Raw::Form("true") => Ok(true),
            Raw::Json("false") | Raw::Form("false") => Ok(false),
            _ => Err(Reason::NotFlag),
        }
    }

    /// The JSON text of an object, without white space between its parts.
    pub fn object(self) -> Result<String, Reason> {
        match self {
            Raw::Json(json) if json.starts_with('{') => Ok(compact(json)),
            // A form has no objects, but a text may hold one.
            Raw::Form(text) if serde_json::from_str::<IgnoredAny>(text).is_ok() && text.starts_with('{') => {
                Ok(compact(text))
            }
            _ => Err(Reason::NotObject),
        }
    }

    /// The value as JSON text, without white space between its parts.
    pub fn to_json(self) -> String {
        match self {
            Raw::Json(json) => compact(json),
            Raw::Form(text) => {
                let mut out = String::new();
                crate::json::push_text(&mut out, text);
                out
            }
        }
    }
}

fn unescape(json: &str) -> String {
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&mend_surrogates(json))).unwrap_or_default()
}

/// Takes out what a stored line may not hold: newlines, and with them all white space outside of texts.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for character in json.chars() {
        if !in_text && character.is_ascii_whitespace() {
            continue;
        }
        in_text ^= character == '"' && !escaped;
        escaped = in_text && character == '\\' && !escaped;
        out.push(character);
    }
    out
}

/// Counts an object's values; all of them must be scalars.
pub(super) fn count_scalars(json: &str) -> Result<usize, Reason> {
    struct Counter;
    impl<'de> Visitor<'de> for Counter {
        type Value = usize;

        fn expecting(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            formatter.write_str("an object of scalars")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
            let mut n_values = 0;
            while let Some((_, value)) = map.next_entry::<IgnoredAny, &RawValue>()? {
                if value.get().starts_with(['{', '[']) {
                    return Err(A::Error::custom("not a scalar"));
                }
                n_values += 1;
            }
            Ok(n_values)
        }
    }
    serde_json::Deserializer::from_str(json).deserialize_map(Counter).map_err(|_| Reason::NotScalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacts_without_touching_texts() {
        assert_eq!(compact("{ \"a b\\\" c\" :\n[1 , \"\\\\\" , 2]\t}"), r#"{"a b\" c":[1,"\\",2]}"#);
    }

    #[test]
    fn halves_of_surrogate_pairs_become_the_replacement_character() {
        let table = [
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            (r#""a\ud83db""#, "a\u{fffd}b"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\\ud83d \n\ud83d""#, "\\ud83d \n\u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ];
        for (json, expected) in table {
            assert_eq!(Raw::Json(json).text().unwrap(), expected, "{json}");
        }
    }
}
