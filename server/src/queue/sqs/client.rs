//! The calls to SQS, each with an error that tells whether waiting helps.

use std::{collections::HashSet, time::Duration};

use aws_sdk_sqs::{
    Client,
    config::{Builder, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    types::{
        BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use jiff::Timestamp;
use logdig_store::aws::{self, SdkConfig};
use serde_json::Value;

/// Most entries that SQS takes in a batch, and most messages that it gives at once.
pub const BATCH_MAX: usize = 10;
/// How long an empty queue is listened to. Any wait makes SQS ask all of its servers, so one second will do.
const LONG_POLL_S: i32 = 1;

/// One queue.
#[derive(Clone, Debug)]
pub struct SqsClient {
    client: Client,
    url: String,
}

/// How much time calls have.
#[derive(Clone, Copy, Debug)]
pub struct CallTimes {
    /// One attempt, from connecting to the last byte.
    pub attempt: Duration,
    /// A call with all its attempts.
    pub call: Duration,
    /// How often it is tried.
    pub n_attempts: u32,
}

/// Why a call, or one entry of a batch, failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}: {words}")]
pub struct CallError {
    what: &'static str,
    words: String,
    /// Somebody has to change something: the queue is not there, or we may not.
    pub is_for_good: bool,
}

/// A message as SQS hands it out.
#[derive(Debug)]
pub struct Received {
    /// SQS's own id of it.
    pub id: String,
    /// What it is deleted and given back by; another one each time that it is handed out.
    pub receipt: String,
    /// Its text.
    pub text: String,
    /// When SQS took it.
    pub sent_at: Timestamp,
}

/// The SDK's settings for the queue at `url`. An address that is not one of AWS is that of a stand-in: calls go there.
pub async fn config(url: &str) -> SdkConfig {
    aws::config(stand_in(url).as_deref()).await
}

/// The same with credentials that a stand-in takes, for tests that run in this process.
#[cfg(feature = "test-support")]
pub async fn config_of_stand_in(url: &str) -> SdkConfig {
    use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
    let credentials = Credentials::new("owner", "owner-secret", None, None, "test");
    config(url).await.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

impl SqsClient {
    /// A client for the queue at `url`, such as `https://sqs.eu-west-1.amazonaws.com/123456789012/shop-sqs`.
    ///
    /// The region is that of the address, where it tells one.
    pub fn new(config: &SdkConfig, url: &str, times: CallTimes) -> SqsClient {
        let region = region(url).map(Region::new).or_else(|| config.region().cloned());
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(times.attempt.min(Duration::from_secs(2)))
            .operation_attempt_timeout(times.attempt)
            .operation_timeout(times.call);
        let retries = RetryConfig::standard()
            .with_max_attempts(times.n_attempts)
            .with_initial_backoff(Duration::from_millis(100))
            .with_max_backoff(Duration::from_secs(1));
        let config =
            Builder::from(config).region(region).timeout_config(timeouts.build()).retry_config(retries).build();
        SqsClient { client: Client::from_conf(config), url: url.to_owned() }
    }

    /// The same for another queue.
    pub fn for_queue(&self, url: &str) -> SqsClient {
        SqsClient { client: self.client.clone(), url: url.to_owned() }
    }

    /// The queue's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether SQS answers, has the queue and lets us near it.
    ///
    /// # Errors
    /// When not.
    pub async fn check(&self) -> Result<(), CallError> {
        self.attribute(QueueAttributeName::QueueArn).await.map(drop)
    }

    /// The address of the queue's own dead-letter queue, if it has one.
    ///
    /// # Errors
    /// When SQS does not tell.
    pub async fn dead_letter_queue(&self) -> Result<Option<String>, CallError> {
        const WHAT: &str = "looking up the dead-letter queue";
        let policy = self.attribute(QueueAttributeName::RedrivePolicy).await?;
        let Some((account, name)) = policy.as_deref().and_then(dead_letter_queue_of) else { return Ok(None) };
        let asked = self.client.get_queue_url().queue_name(name).queue_owner_aws_account_id(account).send().await;
        Ok(asked.map_err(|error| CallError::of(WHAT, &error))?.queue_url)
    }

    async fn attribute(&self, name: QueueAttributeName) -> Result<Option<String>, CallError> {
        let asked = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone()).send().await;
        let mut answer = asked.map_err(|error| CallError::of("asking about the queue", &error))?;
        Ok(answer.attributes.take().and_then(|mut attributes| attributes.remove(&name)))
    }

    /// Sends up to [`BATCH_MAX`] messages in one call, together at most 1 MiB. Gives the places of those that SQS did
    /// not take, with the reason.
    ///
    /// # Errors
    /// When the call failed as a whole: then SQS took none, or did not say that it did.
    pub async fn send(&self, texts: &[&str]) -> Result<Vec<(usize, CallError)>, CallError> {
        const WHAT: &str = "sending to SQS";
        let entries = texts.iter().enumerate().map(|(n, text)| {
            let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(*text);
            entry.build().expect("it has both parts that it must have")
        });
        let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        let answer = sent.send().await.map_err(|error| CallError::of(WHAT, &error))?;
        Ok(failed(WHAT, texts.len(), answer.successful.iter().map(|entry| &*entry.id), &answer.failed))
    }

    /// Sends one message with text attributes.
    ///
    /// # Errors
    /// When SQS did not say that it took it.
    pub async fn send_one(&self, text: &str, attributes: &[(&str, &str)]) -> Result<(), CallError> {
        let mut call = self.client.send_message().queue_url(&self.url).message_body(text);
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(*value).build();
            call = call.message_attributes(*name, value.expect("it has the part that it must have"));
        }
        call.send().await.map(drop).map_err(|error| CallError::of("sending to the dead-letter queue", &error))
    }

    /// Up to [`BATCH_MAX`] messages, which nobody else gets for this long; none after a second without any.
    ///
    /// # Errors
    /// When the call failed. What it may have taken out comes back by itself.
    pub async fn receive(&self, hold: Duration) -> Result<Vec<Received>, CallError> {
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            // SQS hands out at most 10 messages a call; asking for more is refused.
            .max_number_of_messages(10)
            .wait_time_seconds(LONG_POLL_S)
            .visibility_timeout(seconds(hold))
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let answer = call.send().await.map_err(|error| CallError::of("receiving from SQS", &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(Received::of).collect())
    }

    /// Deletes up to [`BATCH_MAX`] messages by their receipts, and gives the places of those that are still there.
    ///
    /// # Errors
    /// When the call failed as a whole.
    pub async fn delete(&self, receipts: &[&str]) -> Result<Vec<(usize, CallError)>, CallError> {
        const WHAT: &str = "deleting from SQS";
        let entries = receipts.iter().enumerate().map(|(n, receipt)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(*receipt);
            entry.build().expect("it has both parts that it must have")
        });
        let call = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        let answer = call.send().await.map_err(|error| CallError::of(WHAT, &error))?;
        Ok(failed(WHAT, receipts.len(), answer.successful.iter().map(|entry| &*entry.id), &answer.failed))
    }

    /// Gives up to [`BATCH_MAX`] messages back: whoever asks next gets them. Tells of how many that failed.
    ///
    /// # Errors
    /// When the call failed as a whole.
    pub async fn give_back(&self, receipts: &[&str]) -> Result<Vec<(usize, CallError)>, CallError> {
        const WHAT: &str = "giving messages back to SQS";
        let entries = receipts.iter().enumerate().map(|(n, receipt)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string()).receipt_handle(*receipt);
            entry.visibility_timeout(0).build().expect("it has both parts that it must have")
        });
        let call = self.client.change_message_visibility_batch().queue_url(&self.url);
        let answer = call.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| CallError::of(WHAT, &error))?;
        Ok(failed(WHAT, receipts.len(), answer.successful.iter().map(|entry| &*entry.id), &answer.failed))
    }
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

/// The places that were not told to have succeeded, with what SQS said of them.
fn failed<'a>(
    what: &'static str,
    n: usize,
    successful: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> Vec<(usize, CallError)> {
    let successful: HashSet<&str> = successful.collect();
    let error_of = |place: &str| match failed.iter().find(|entry| entry.id == place) {
        Some(entry) => CallError::of_entry(what, entry),
        None => CallError { what, words: "SQS said nothing about this one".to_owned(), is_for_good: false },
    };
    let places = (0..n).map(|place| (place, place.to_string()));
    places.filter(|(_, id)| !successful.contains(&**id)).map(|(place, id)| (place, error_of(&id))).collect()
}

impl Received {
    /// What SQS must tell of each message, as it says itself; a message without is left to come again.
    fn of(message: Message) -> Option<Received> {
        let sent_at = message.attributes.as_ref()?.get(&MessageSystemAttributeName::SentTimestamp)?;
        let sent_at = Timestamp::from_millisecond(sent_at.parse().ok()?).ok()?;
        let (id, receipt) = (message.message_id?, message.receipt_handle?);
        Some(Received { id, receipt, text: message.body.unwrap_or_default(), sent_at })
    }
}

impl CallError {
    fn of<E>(what: &'static str, error: &SdkError<E>) -> CallError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error.as_service_error().and_then(|error| error.meta().code()).unwrap_or_default();
        let words = match error.as_service_error().map(|error| error.meta()) {
            Some(meta) if meta.code().is_some() => format!("{code}: {}", meta.message().unwrap_or_default()),
            _ => DisplayErrorContext(error).to_string(),
        };
        // 408 and 429 are other names for "later"; 403 with one of these codes is too.
        let is_for_good = status.is_some_and(|status| (400..500).contains(&status) && ![408, 429].contains(&status));
        CallError { what, words, is_for_good: is_for_good && !may_pass(code) }
    }

    fn of_entry(what: &'static str, entry: &BatchResultErrorEntry) -> CallError {
        let words = format!("{}: {}", entry.code, entry.message.as_deref().unwrap_or_default());
        CallError { what, words, is_for_good: entry.sender_fault && !may_pass(&entry.code) }
    }
}

/// Errors that AWS gives a status of the caller's fault, and that pass by themselves.
fn may_pass(code: &str) -> bool {
    ["Throttl", "TooManyRequests", "OverLimit", "SlowDown", "RequestExpired", "ExpiredToken", "RequestTimeTooSkewed"]
        .iter()
        .any(|part| code.contains(part))
}

/// The region in an address of AWS: `https://sqs.eu-west-1.amazonaws.com/…`.
fn region(url: &str) -> Option<String> {
    let host = url.split("://").nth(1)?.split('/').next()?;
    let mut labels = host.split('.').skip_while(|label| *label != "sqs").skip(1);
    let region = labels.next().filter(|_| is_of_aws(host))?;
    (region != "amazonaws").then(|| region.to_owned())
}

/// The origin of an address that is not one of AWS.
fn stand_in(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    (!is_of_aws(host)).then(|| format!("{scheme}://{host}"))
}

fn is_of_aws(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// Account and name in a redrive policy:
/// `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:shop-sqs-dead","maxReceiveCount":1000}`.
fn dead_letter_queue_of(policy: &str) -> Option<(String, String)> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let mut parts = policy["deadLetterTargetArn"].as_str()?.rsplitn(3, ':');
    let (name, account) = (parts.next()?, parts.next()?);
    Some((account.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_region_and_stand_ins_by_the_address() {
        let cases = [
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/shop-sqs", Some("eu-west-1"), None),
            ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/shop-sqs", Some("cn-north-1"), None),
            ("http://127.0.0.1:9324/000000000000/q", None, Some("http://127.0.0.1:9324")),
            ("http://sqs.evil.example/1/q", None, Some("http://sqs.evil.example")),
            ("q", None, None),
        ];
        for (url, of_region, of_stand_in) in cases {
            assert_eq!((region(url).as_deref(), stand_in(url).as_deref()), (of_region, of_stand_in), "{url}");
        }
    }

    #[test]
    fn finds_the_dead_letter_queue_in_a_policy() {
        let policy =
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:shop-sqs-dead","maxReceiveCount":"1000"}"#;
        assert_eq!(dead_letter_queue_of(policy), Some(("123456789012".to_owned(), "shop-sqs-dead".to_owned())));
        for policy in ["", "{}", "[]", r#"{"deadLetterTargetArn":"x"}"#] {
            assert_eq!(dead_letter_queue_of(policy), None, "{policy}");
        }
    }

    #[test]
    fn an_entry_that_nothing_was_said_about_has_failed() {
        let entry = BatchResultErrorEntry::builder().id("1").code("InternalError").sender_fault(false).build().unwrap();
        let failed = failed("sending", 3, ["0"].into_iter(), &[entry]);
        assert_eq!(failed.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 2]);
        assert!(failed[0].1.to_string().contains("InternalError"));
    }
}
