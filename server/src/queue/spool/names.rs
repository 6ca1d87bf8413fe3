//! The names of the files in the spool's folder.

use std::{fmt, str::FromStr};

use logdig_store::{ContentHash, Day, ObjectKey};

/// What a file in the spool's folder is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpoolName {
    /// `2026-11-25.7.open`: lines are appended to it. The number only makes the name new: no process uses
    /// it twice.
    Open {
        /// The UTC day of its lines.
        day: Day,
        /// Counts the files of this folder, over all days.
        n: u64,
    },
    /// `2026-11-25.<64 hex>.sealed`: it never changes again and waits to be stored.
    Sealed(ObjectKey),
}

/// A name that is not the spool's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl fmt::Display for SpoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpoolName::Open { day, n } => write!(f, "{day}.{n}.open"),
            SpoolName::Sealed(key) => write!(f, "{}.{}.sealed", key.day, key.sha256),
        }
    }
}

impl FromStr for SpoolName {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<SpoolName, NotOurs> {
        let mut parts = text.split('.');
        let (Some(day), Some(middle), Some(state), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotOurs);
        };
        let day: Day = day.parse().map_err(|_| NotOurs)?;
        let name = match state {
            "open" => SpoolName::Open { day, n: middle.parse().map_err(|_| NotOurs)? },
            "sealed" => {
                let sha256: ContentHash = middle.parse().map_err(|_| NotOurs)?;
                SpoolName::Sealed(ObjectKey { day, sha256 })
            }
            _ => return Err(NotOurs),
        };
        // One file, one name: `+7` and `007` are not ours.
        if name.to_string() == text { Ok(name) } else { Err(NotOurs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_written() {
        let day = "2026-11-25".parse().unwrap();
        let sealed = SpoolName::Sealed(ObjectKey { day, sha256: ContentHash::of(b"abc") });
        for name in [SpoolName::Open { day, n: 7 }, sealed] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for text in
            ["", "lock", "2026-11-25.007.open", "2026-11-25.+7.open", "2026-11-25.7.mend", "2026-11-25.7.sealed"]
        {
            assert_eq!(text.parse::<SpoolName>(), Err(NotOurs), "{text}");
        }
    }
}
