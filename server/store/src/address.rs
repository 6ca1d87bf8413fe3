//! Where a store is, as people write it.

use std::{fmt, path::PathBuf, str::FromStr};

/// A folder, or a place in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAddress {
    /// A folder: any text that is no URL.
    Folder(PathBuf),
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    S3(S3Address),
}

/// A bucket, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Address {
    /// The bucket's name.
    pub bucket: String,
    /// What all names in it begin with: empty, or something like `site/` with its slash at the end.
    pub prefix: String,
}

impl S3Address {
    /// The whole name of an object in the bucket; e.g. `site/2026-11-25/…` for `2026-11-25/…`.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The same for people, with the bucket: `s3://bucket/site/2026-11-25/…`.
    pub fn url(&self, name: &str) -> String {
        format!("s3://{}/{}{name}", self.bucket, self.prefix)
    }
}

impl fmt::Display for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url("").trim_end_matches('/'))
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreAddress::Folder(path) => path.display().fmt(f),
            StoreAddress::S3(address) => address.fmt(f),
        }
    }
}

/// The text is no address of a store. It is not told: it may be a URL with a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a folder, or s3://BUCKET or s3://BUCKET/PREFIX")]
pub struct AddressError;

impl FromStr for StoreAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<StoreAddress, AddressError> {
        match text.split_once("://") {
            Some(("s3", rest)) => rest.parse().map(StoreAddress::S3),
            Some(_) => Err(AddressError),
            None if text.is_empty() => Err(AddressError),
            None => Ok(StoreAddress::Folder(text.into())),
        }
    }
}

impl FromStr for S3Address {
    type Err = AddressError;

    /// Reads what follows `s3://`.
    fn from_str(text: &str) -> Result<S3Address, AddressError> {
        let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_bucket = (3..=63).contains(&bucket.len()) && bucket.bytes().all(is_of_bucket);
        // Without a prefix there is no part; an empty part in one would be a folder without a name.
        let is_prefix = prefix.is_empty() || prefix.split('/').all(is_part);
        if !is_bucket || !is_prefix {
            return Err(AddressError);
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(S3Address { bucket: bucket.to_owned(), prefix })
    }
}

/// Source: S3's rules for bucket names; the old upper-case ones of us-east-1 can't be reached as a host name.
fn is_of_bucket(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')
}

/// Characters that S3 calls safe, so that a name means the same in a policy, a URL and a shell.
fn is_part(part: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"!-_.'()=".contains(&byte);
    !part.is_empty() && ![".", ".."].contains(&part) && part.bytes().all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_written() {
        for text in ["s3://logs", "s3://my.logs-1/site", "s3://logs/a/b=c", "logs", "/var/lib/logdig/store"] {
            assert_eq!(text.parse::<StoreAddress>().unwrap().to_string(), text);
        }
        let address: S3Address = "logs/site/".parse().unwrap();
        assert_eq!((address.name("x"), address.url("x")), ("site/x".to_owned(), "s3://logs/site/x".to_owned()));
        let address: S3Address = "logs".parse().unwrap();
        assert_eq!((address.name("x"), address.url("x")), ("x".to_owned(), "s3://logs/x".to_owned()));
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("s3://{}", "b".repeat(64));
        for text in
            ["", "s3://", "s3:///x", "s3://ab", &long, "s3://Logs", "s3://lo gs", "s3://logs//x", "s3://logs/../x"]
        {
            assert_eq!(text.parse::<StoreAddress>(), Err(AddressError), "{text}");
        }
        for text in ["s3://logs/a b", "s3://logs/가", "s3://logs/x?y", "https://logs.example", "gs://logs"] {
            assert_eq!(text.parse::<StoreAddress>(), Err(AddressError), "{text}");
        }
    }
}
