//! Values that people write with a unit: `5m`, `64MiB`.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::SignedDuration;

/// Reads a time span such as `5m`, `1h 30m` or `250ms`.
///
/// # Errors
///
/// A sentence for the person who wrote it, when it is no time span, or a negative one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|_| "write a time with its unit, like 30s, 5m or 1h".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time span cannot be negative".to_owned())
}

/// Reads a size such as `64MiB`, `500kB` or a plain number of bytes.
///
/// # Errors
///
/// A sentence for the person who wrote it, when it is no size, or zero.
pub fn bytes(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("a size of nothing leaves room for nothing".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(_) => Err("write a size with its unit, like 500kB or 64MiB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_refuses_what_is_none() {
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for text in ["", "5", "m", "-5m", "5 parsecs"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn reads_sizes_and_refuses_what_is_none() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("500kB"), Ok(500_000));
        assert_eq!(bytes("1024"), Ok(1024));
        for text in ["", "0", "-1", "MiB", "5 pages"] {
            assert!(bytes(text).is_err(), "{text:?}");
        }
    }
}
