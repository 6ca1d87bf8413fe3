//! The AWS SDK's settings, made in one place for all that talk to AWS.
//!
//! TLS is rustls with ring: it compiles with a plain C compiler, for musl too, which makes static programs.

use std::{error::Error, time::Duration};

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub use aws_config::SdkConfig;

/// A stand-in takes any region, and the SDK signs for one. It is the region that AWS itself takes for "none".
const REGION_OF_STAND_INS: &str = "us-east-1";

/// Bounds of every call; an adapter that moves much at a time sets longer ones for those calls.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(40);
/// Enough for a lost connection; for what lasts longer the callers wait, and say so.
const N_ATTEMPTS: u32 = 3;

/// What every client of an AWS service is made with.
///
/// Region and credentials come from the SDK's own chain: variables (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, …), profiles,
/// SSO, and the role of the machine, task or function. None of them is asked for before the first call.
/// `endpoint_url`, such as `http://127.0.0.1:7070`, sends all calls there instead of to AWS; the SDK's own variables
/// (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, …) do so as well.
pub async fn config(endpoint_url: Option<&str>) -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT);
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(N_ATTEMPTS));
    let Some(endpoint_url) = endpoint_url else { return loader.load().await };
    let config = loader.endpoint_url(endpoint_url).load().await;
    match config.region() {
        Some(_) => config,
        None => config.into_builder().region(Region::from_static(REGION_OF_STAND_INS)).build(),
    }
}

/// Why a call failed, on one line: what the service answered, such as `NoSuchBucket: The specified bucket does not
/// exist`, or else what kept the call from it, cause by cause.
///
/// Neither holds credentials: services do not repeat them, and the SDK's own errors do not either.
pub fn reason<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(response) = error.raw_response().filter(|_| error.as_service_error().is_some()) else {
        return causes(error);
    };
    let status = format!("HTTP {}", response.status().as_u16());
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {}", message.trim_end_matches('.')),
        (Some(code), None) => format!("{code} ({status})"),
        // An answer without a body, as to HEAD, or one that is not of the service but of something before it.
        (None, _) => status,
    }
}

/// An error and its causes, without those that it names itself.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    // Where no credentials are found, each place that was looked at is told in a line of its own.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
