//! A store in an S3 bucket: `s3://BUCKET/PREFIX/2026-11-25/<64 hex digits>`.

use std::{io::ErrorKind, path::Path, time::Duration};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    config::{Builder, ResponseChecksumValidation, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::list_objects_v2::ListObjectsV2Output,
    primitives::{ByteStream, DateTime},
    types::Object,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Content, ContentHash, Day, ObjectInfo, ObjectKey, S3Address, SealedBatch, Store, StoreError, aws, store::verified,
};

mod shared_file;

pub use shared_file::S3File;

/// What an upload or download of no bytes may take; with the client's three attempts it is not the end yet.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(15);
/// Where a link is slower than this, storing logs in S3 is no plan: 64 MiB take more than four minutes.
const BYTES_PER_SECOND_MIN: u64 = 256 * 1024;
/// A file is read in pieces of this size. The SDK's own 4 KiB cost a system call each.
const PIECE_BYTES: usize = 128 * 1024;
/// Refusals that are about the object itself, so that no later time will change them.
const REFUSED_FOR_GOOD: [&str; 5] =
    ["BadDigest", "EntityTooLarge", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"];

/// Keeps objects in a bucket, under a prefix.
///
/// An object is uploaded with its SHA-256, which S3 compares with what arrived, and only where there is none of its
/// name (`If-None-Match: *`): one that is there stays as it is.
/// Uploads of files are streamed from the disk.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    address: S3Address,
}

impl S3Store {
    /// A store at `address`, by the settings of [`aws::config`]. Nothing is asked of S3 yet.
    pub fn new(config: &SdkConfig, address: S3Address) -> S3Store {
        S3Store { client: client(config), address }
    }

    /// The same at a stand-in, with its keys: the SDK's own chain is for programs, since variables belong to a whole
    /// process.
    #[cfg(feature = "test-support")]
    pub async fn at_stand_in(url: &str, access_key: &str, secret_key: &str, address: S3Address) -> S3Store {
        use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
        let credentials = Credentials::new(access_key, secret_key, None, None, "test");
        let config = aws::config(Some(url)).await.into_builder();
        let config = config.credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        S3Store::new(&config, address)
    }

    /// Where it is.
    pub fn address(&self) -> &S3Address {
        &self.address
    }

    /// A file beside the objects that all collectors share: `_logdig/` and `name`.
    pub fn shared_file(&self, name: &str) -> S3File {
        S3File::new(self.client.clone(), self.address.clone(), name)
    }

    /// The names right below `folder` (empty, or with a slash at its end), sorted; those of folders end with a slash.
    ///
    /// # Errors
    /// When S3 can't be asked.
    pub async fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let below = self.address.name(folder);
        let mut names = Vec::new();
        for page in self.pages("listing", &below, Some("/")).await? {
            let objects = page.contents().iter().filter_map(Object::key);
            let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
            // What is called like the folder itself is its mark, as consoles make it.
            let own = |name: &str| name.strip_prefix(&below).filter(|own| !own.is_empty()).map(str::to_owned);
            names.extend(objects.chain(folders).filter_map(own));
        }
        names.sort();
        Ok(names)
    }

    /// The content of an object, whatever it is.
    ///
    /// # Errors
    /// As [`Store::get`], but for a damaged object.
    pub async fn read(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError> {
        const WHAT: &str = "reading object";
        let name = self.address.name(&key.to_string());
        let sent = self.client.get_object().bucket(&self.address.bucket).key(&name).send().await;
        let answer = match sent {
            Err(error) if is_absent(&error) => return Err(StoreError::Absent { key: *key }),
            sent => sent.map_err(|error| self.failure(WHAT, &name, "s3:GetObject", &error))?,
        };
        let n_bytes = u64::try_from(answer.content_length().unwrap_or_default()).unwrap_or_default();
        let cut_off = |reason: String| self.cut_off(WHAT, &name, reason);
        match tokio::time::timeout(transfer_time(n_bytes), answer.body.collect()).await {
            Ok(Ok(content)) => Ok(content.to_vec()),
            Ok(Err(error)) => Err(cut_off(error.to_string())),
            Err(_) => Err(cut_off("it took too long".to_owned())),
        }
    }

    /// All pages of a listing.
    async fn pages(
        &self,
        what: &'static str,
        below: &str,
        delimiter: Option<&str>,
    ) -> Result<Vec<ListObjectsV2Output>, StoreError> {
        let listing = self.client.list_objects_v2().bucket(&self.address.bucket).prefix(below);
        let mut pages = listing.set_delimiter(delimiter.map(str::to_owned)).into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            all.push(page.map_err(|error| self.failure(what, below, "s3:ListBucket", &error))?);
        }
        Ok(all)
    }

    async fn upload(&self, key: ObjectKey, body: ByteStream, n_bytes: u64) -> Result<(), StoreError> {
        let name = self.address.name(&key.to_string());
        let put = self.client.put_object().bucket(&self.address.bucket).key(&name).body(body);
        // Files are lines of JSON, one a log.
        let put = put.content_type("application/x-ndjson").if_none_match("*").checksum_sha256(base64(&key.sha256));
        let sent = put.customize().config_override(Builder::new().timeout_config(timeouts(n_bytes))).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            Err(error) => Err(self.failure("writing object", &name, "s3:PutObject", &error)),
        }
    }

    /// The body of a batch and its length; `None` when its file is gone.
    async fn body(batch: &SealedBatch) -> Result<Option<(ByteStream, u64)>, StoreError> {
        match &batch.content {
            Content::Bytes(bytes) => Ok(Some((ByteStream::from(bytes.clone()), bytes.len() as u64))),
            Content::File(path) => file_body(path).await.map_err(|source| StoreError::Io {
                what: "reading batch",
                name: path.display().to_string(),
                source,
            }),
        }
    }

    async fn holds(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        let name = self.address.name(&key.to_string());
        match self.client.head_object().bucket(&self.address.bucket).key(&name).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(self.failure("looking for object", &name, "s3:GetObject", &error)),
        }
    }

    fn failure<E>(&self, what: &'static str, name: &str, action: &str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let can_retry = error.code().is_none_or(|code| !REFUSED_FOR_GOOD.contains(&code));
        StoreError::Remote { what, name: self.url_of(name), reason: reason(error, &self.address, action), can_retry }
    }

    fn cut_off(&self, what: &'static str, name: &str, reason: String) -> StoreError {
        StoreError::Remote { what, name: self.url_of(name), reason, can_retry: true }
    }

    fn url_of(&self, name: &str) -> String {
        format!("s3://{}/{name}", self.address.bucket)
    }
}

fn client(config: &SdkConfig) -> Client {
    let mut builder = Builder::from(config)
        // Content is held to its own name; S3's word on it would be a second opinion on the same bytes.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if config.endpoint_url().is_some() {
        // A stand-in has one name, and not one for each bucket.
        builder = builder.force_path_style(true);
    }
    Client::from_conf(builder.build())
}

/// `None` when there is no such file.
async fn file_body(path: &Path) -> std::io::Result<Option<(ByteStream, u64)>> {
    let n_bytes = match tokio::fs::metadata(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        facts => facts?.len(),
    };
    let body = ByteStream::read_from().path(path).buffer_size(PIECE_BYTES).build().await;
    Ok(Some((body.map_err(std::io::Error::other)?, n_bytes)))
}

fn transfer_time(n_bytes: u64) -> Duration {
    TRANSFER_TIMEOUT + Duration::from_secs(n_bytes / BYTES_PER_SECOND_MIN)
}

/// Of an upload: an attempt as long as the bytes may need, and in all twice that.
fn timeouts(n_bytes: u64) -> TimeoutConfig {
    let attempt = transfer_time(n_bytes);
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(2 * attempt).build()
}

fn base64(hash: &ContentHash) -> String {
    aws_smithy_types::base64::encode(hash.as_bytes())
}

/// Whether there is no such object, in a bucket that is there.
fn is_absent<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    // An answer to HEAD has no body, and so no code but the one that the SDK makes of 404.
    matches!(error.code(), Some("NoSuchKey" | "NotFound"))
}

/// Why S3 did not do it; where it was denied, what would allow it.
fn reason<E>(error: &SdkError<E, HttpResponse>, address: &S3Address, action: &str) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let reason = aws::reason(error);
    let is_denied = match error.code() {
        Some(code) => code == "AccessDenied",
        None => error.raw_response().is_some_and(|response| response.status().as_u16() == 403),
    };
    if is_denied { format!("{reason}; it needs {}", permission(address, action)) } else { reason }
}

fn permission(address: &S3Address, action: &str) -> String {
    let list = format!("s3:ListBucket on arn:aws:s3:::{}", address.bucket);
    let objects = format!("{action} on arn:aws:s3:::{}/{}*", address.bucket, address.prefix);
    match action {
        "s3:ListBucket" => list,
        // Who may not list is not told that an object is not there: S3 says that it is denied.
        "s3:GetObject" => format!("{objects} and {list}"),
        _ => objects,
    }
}

/// S3 tells whole seconds, rounded down: the next one is the first that surely is not before the upload.
fn changed_at(last_modified: Option<&DateTime>) -> Timestamp {
    let instant = last_modified.and_then(|instant| Timestamp::from_second(instant.secs()).ok()).unwrap_or_default();
    instant.checked_add(SignedDuration::from_secs(1)).unwrap_or(instant)
}

#[async_trait]
impl Store for S3Store {
    async fn put(&self, batch: &SealedBatch) -> Result<(), StoreError> {
        let key = batch.key();
        if let Some((body, n_bytes)) = S3Store::body(batch).await? {
            return self.upload(key, body, n_bytes).await;
        }
        match (self.holds(&key).await?, &batch.content) {
            (false, Content::File(path)) => Err(StoreError::SourceGone { key, path: path.display().to_string() }),
            _ => Ok(()),
        }
    }

    async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError> {
        verified(*key, self.read(key).await?)
    }

    async fn list(&self, day: Day) -> Result<Vec<ObjectInfo>, StoreError> {
        let below = self.address.name(&format!("{day}/"));
        let info = |object: &Object| {
            let sha256 = object.key()?.strip_prefix(&below)?.parse().ok()?;
            let n_bytes = u64::try_from(object.size()?).ok()?;
            Some(ObjectInfo { key: ObjectKey { day, sha256 }, n_bytes, changed_at: changed_at(object.last_modified()) })
        };
        let pages = self.pages("listing day", &below, None).await?;
        let mut objects: Vec<ObjectInfo> = pages.iter().flat_map(|page| page.contents()).filter_map(info).collect();
        objects.sort_by_key(|object| object.key);
        Ok(objects)
    }

    async fn days(&self) -> Result<Vec<Day>, StoreError> {
        let names = self.names("").await?;
        let mut days: Vec<Day> = names.iter().filter_map(|name| name.strip_suffix('/')?.parse().ok()).collect();
        days.sort();
        Ok(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_may_take_as_long_as_its_bytes_need() {
        assert_eq!(transfer_time(0), Duration::from_secs(15));
        assert_eq!(transfer_time(64 << 20), Duration::from_secs(15 + 256));
    }

    /// The hash and its base64 by `printf abc | openssl dgst -sha256 -binary | base64`.
    #[test]
    fn a_checksum_is_the_hash_as_s3_writes_it() {
        assert_eq!(base64(&ContentHash::of(b"abc")), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn an_instant_is_never_before_the_upload() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let told = DateTime::from_secs(at("2026-11-25T12:00:00Z").as_second());
        assert_eq!(changed_at(Some(&told)), at("2026-11-25T12:00:01Z"));
    }
}
