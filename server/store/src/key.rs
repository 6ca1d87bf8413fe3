//! The names of stored objects.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::Day;

/// The SHA-256 of an object's content: 64 lower-case hex digits, as `sha256sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Hashes `content`.
    pub fn of(content: &[u8]) -> ContentHash {
        ContentHash::from(Sha256::new().chain_update(content))
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Sha256> for ContentHash {
    fn from(hasher: Sha256) -> ContentHash {
        ContentHash(hasher.finalize().into())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentHash {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<ContentHash, KeyError> {
        let digits = text.as_bytes();
        let is_lower_hex = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 64 || !digits.iter().all(is_lower_hex) {
            return Err(KeyError(text.to_owned()));
        }
        let value = |digit: u8| if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        Ok(ContentHash(std::array::from_fn(|i| value(digits[2 * i]) << 4 | value(digits[2 * i + 1]))))
    }
}

/// The name of one stored object: `2026-11-25/<64 hex digits>`.
///
/// The same in a folder and in a bucket. Names of any other form are not objects, and readers pass over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The UTC day on which every line of the object was received.
    pub day: Day,
    /// The SHA-256 of the object's content.
    pub sha256: ContentHash,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.day, self.sha256)
    }
}

/// The text is no name of a stored object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a stored object: a day, `/` and 64 lower-case hex digits")]
pub struct KeyError(String);

impl FromStr for ObjectKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<ObjectKey, KeyError> {
        let key = text
            .split_once('/')
            .and_then(|(day, sha256)| Some(ObjectKey { day: day.parse().ok()?, sha256: sha256.parse().ok()? }));
        key.ok_or_else(|| KeyError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_key_reads_back_as_written() {
        let key = ObjectKey { day: "2026-11-25".parse().unwrap(), sha256: ContentHash::of(b"abc") };
        assert_eq!(key.to_string(), format!("2026-11-25/{HEX_OF_ABC}"));
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn other_forms_are_not_keys() {
        let upper = format!("2026-11-25/{}", HEX_OF_ABC.to_uppercase());
        let short = format!("2026-11-25/{}", &HEX_OF_ABC[1..]);
        let long = format!("2026-11-25/{HEX_OF_ABC}0");
        let nested = format!("logs/2026-11-25/{HEX_OF_ABC}");
        let not_ascii = format!("2026-11-25/{}ä", &HEX_OF_ABC[2..]);
        for text in ["", "/", "_logdig/services.json", HEX_OF_ABC, &upper, &short, &long, &nested, &not_ascii] {
            assert_eq!(text.parse::<ObjectKey>(), Err(KeyError(text.to_owned())));
        }
    }
}
