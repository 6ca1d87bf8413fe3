//! A shared file in a bucket: `_logdig/NAME` beside the days.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::Instant;

use super::{is_absent, reason};
use crate::{
    S3Address,
    shared_file::{Look, SHARED_FOLDER, SharedFile, SharedFileError, Version},
};

/// 130,000 requests a month, five cents of them a collector; and a change is noticed well within a minute.
const LOOK_INTERVAL: Duration = Duration::from_secs(20);
/// A request of a visitor may wait for this.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After a failure, everybody who asks gets the same answer for so long, instead of waiting for S3 one after another.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(3);

/// An object that is replaced only where its ETag is still the one that was read (`If-Match`).
///
/// It is never deleted: to clear it is to replace it by nothing, which can be done under the same condition.
#[derive(Debug)]
pub struct S3File {
    client: Client,
    address: S3Address,
    name: String,
    failed: Mutex<Option<(Instant, String)>>,
}

impl S3File {
    pub(super) fn new(client: Client, address: S3Address, name: &str) -> S3File {
        S3File { client, address, name: format!("{SHARED_FOLDER}{name}"), failed: Mutex::default() }
    }

    /// Does what `work` does, within bounds, unless S3 has just failed.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, String>>) -> Result<T, SharedFileError> {
        let at = |reason: String| SharedFileError { place: self.place(), source: io::Error::other(reason) };
        if let Some((failed_at, reason)) = &*self.failed.lock().unwrap_or_else(PoisonError::into_inner)
            && failed_at.elapsed() < PAUSE_AFTER_FAILURE
        {
            return Err(at(reason.clone()));
        }
        let timed = tokio::time::timeout(TIMEOUT, work).await;
        let done = timed.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())));
        let failed = done.as_ref().err().map(|reason| (Instant::now(), reason.clone()));
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        done.map_err(at)
    }

    async fn look_now(&self, known: Option<&Version>) -> Result<Look, String> {
        let get = self.client.get_object().bucket(&self.address.bucket).key(self.address.name(&self.name));
        let get = get.set_if_none_match(known.map(|version| version.0.clone()));
        let answer = match get.customize().config_override(attempts_in_time()).send().await {
            Err(error) if is_absent(&error) => return Ok(Look::Absent),
            Err(error) if status(&error) == Some(304) => return Ok(Look::Same),
            sent => sent.map_err(|error| reason(&error, &self.address, "s3:GetObject"))?,
        };
        let version = Version(answer.e_tag().unwrap_or_default().to_owned());
        let content = answer.body.collect().await.map_err(|error| error.to_string())?.to_vec();
        // One that takes no notice of the condition answers in full.
        if known == Some(&version) { Ok(Look::Same) } else { Ok(Look::New { content, version }) }
    }

    async fn replace_now(&self, content: &[u8], known: Option<&Version>) -> Result<Option<Version>, String> {
        let put = self.client.put_object().bucket(&self.address.bucket).key(self.address.name(&self.name));
        let put = put.body(ByteStream::from(content.to_vec()));
        let put = match known {
            Some(version) => put.if_match(&version.0),
            None => put.if_none_match("*"),
        };
        match put.customize().config_override(attempts_in_time()).send().await {
            Ok(answer) => Ok(Some(Version(answer.e_tag().unwrap_or_default().to_owned()))),
            Err(error) if is_conflict(&error) || is_absent(&error) => Ok(None),
            Err(error) => Err(reason(&error, &self.address, "s3:PutObject")),
        }
    }
}

/// So that one lost connection leaves time for another attempt.
fn attempts_in_time() -> Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(TIMEOUT / 2).operation_timeout(TIMEOUT);
    Builder::new().timeout_config(timeouts.build())
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Somebody else was first: before us, or just now.
fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict"))
}

#[async_trait]
impl SharedFile for S3File {
    fn place(&self) -> String {
        self.address.url(&self.name)
    }

    fn look_interval(&self) -> Duration {
        LOOK_INTERVAL
    }

    async fn look(&self, known: Option<&Version>) -> Result<Look, SharedFileError> {
        self.bounded(self.look_now(known)).await
    }

    async fn replace(&self, content: &[u8], known: Option<&Version>) -> Result<Option<Version>, SharedFileError> {
        self.bounded(self.replace_now(content, known)).await
    }

    async fn clear(&self, known: Option<&Version>) -> Result<bool, SharedFileError> {
        match known {
            Some(_) => Ok(self.replace(b"", known).await?.is_some()),
            None => Ok(true),
        }
    }
}
