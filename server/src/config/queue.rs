//! Where accepted logs wait until they are in a file.

use std::fmt;
use std::time::Duration;

use super::units;

/// The queue that a collector puts logs into.
#[derive(clap::Args, Clone, Debug)]
pub struct QueueConfig {
    /// Where logs wait until they are in a file: `spool`, a folder below --data, or `sqs:URL`, a queue that
    /// `logdig batch` or its Lambda function empties
    #[arg(long, value_name = "QUEUE", env = "LOGDIG_QUEUE", default_value_t = QueueAddress::Spool,
          value_parser = address)]
    pub queue: QueueAddress,

    /// With `--queue sqs:…`, keep logs in the spool until SQS has them: nothing is refused while SQS is away.
    /// For machines whose disk outlives them
    #[arg(long, env = "LOGDIG_SPOOL_FIRST", value_parser = clap::builder::BoolishValueParser::new())]
    pub spool_first: bool,
}

/// The queue that a batcher empties.
#[derive(clap::Args, Clone, Debug)]
pub struct DrainConfig {
    /// The queue to empty: `sqs:URL`. A collector empties its spool itself
    #[arg(long, value_name = "QUEUE", env = "LOGDIG_QUEUE", value_parser = sqs_address)]
    pub queue: SqsUrl,

    /// Queue for messages that can't be read; by default the one in the queue's redrive policy
    #[arg(long, value_name = "URL", env = "LOGDIG_DEAD_LETTER_QUEUE", value_parser = queue_url)]
    pub dead_letter_queue: Option<String>,

    // A third for receiving, one for storing, one for deleting. The Lambda function's longest run is 15 minutes.
    /// Keep what was received from other batchers for so long; after a crash it is hidden until then
    #[arg(long, value_name = "TIME", env = "LOGDIG_HOLD", default_value = "15m", value_parser = hold)]
    pub hold: Duration,

    /// With --watch, look into the queue this often
    #[arg(long, value_name = "TIME", env = "LOGDIG_EVERY", default_value = "1m", value_parser = units::duration)]
    pub every: Duration,
}

/// Which queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAddress {
    /// In the data folder.
    Spool,
    /// On SQS, or a stand-in for it.
    Sqs(SqsUrl),
}

/// The address of a queue, as `aws sqs get-queue-url` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqsUrl(pub String);

impl fmt::Display for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spool => f.write_str("spool"),
            Self::Sqs(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for SqsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqs:{}", self.0)
    }
}

fn address(text: &str) -> Result<QueueAddress, String> {
    match text {
        "spool" => Ok(QueueAddress::Spool),
        _ => sqs_address(text).map(QueueAddress::Sqs),
    }
}

fn sqs_address(text: &str) -> Result<SqsUrl, String> {
    let words =
        "write `sqs:` and the queue's URL, such as sqs:https://sqs.eu-west-1.amazonaws.com/123456789012/shop-sqs";
    if cfg!(not(feature = "aws")) {
        return Err("this program was built without AWS".to_owned());
    }
    let url = text.strip_prefix("sqs:").ok_or(words)?;
    queue_url(url).map(SqsUrl).map_err(|_| words.to_owned())
}

fn queue_url(text: &str) -> Result<String, String> {
    let has_path = |url: &url::Url| url.has_host() && url.path().len() > 1;
    match url::Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && has_path(&url) => Ok(text.to_owned()),
        _ => Err("write the queue's URL, such as https://sqs.eu-west-1.amazonaws.com/123456789012/shop-sqs".to_owned()),
    }
}

/// SQS hides a message for 12 hours at most; below 3 seconds the thirds are none.
fn hold(text: &str) -> Result<Duration, String> {
    let hold = units::duration(text)?;
    let range = Duration::from_secs(3)..=Duration::from_secs(12 * 60 * 60);
    if range.contains(&hold) { Ok(hold) } else { Err("write a time from 3s to 12h".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_says_what_is_wrong() {
        assert_eq!(address("spool"), Ok(QueueAddress::Spool));
        let url = "http://127.0.0.1:9324/000000000000/q";
        assert_eq!(address(&format!("sqs:{url}")), Ok(QueueAddress::Sqs(SqsUrl(url.to_owned()))));
        assert_eq!(address("spool").map(|it| it.to_string()).as_deref(), Ok("spool"));
        for text in ["", "sqs", "sqs:", "sqs:shop-sqs", "sqs:https://sqs.eu-west-1.amazonaws.com", "sqs:ftp://a/b", url]
        {
            assert!(address(text).is_err_and(|words| words.contains("sqs:https://")), "{text}");
        }
        assert!(hold("2s").is_err() && hold("13h").is_err() && hold("3s").is_ok());
    }
}
