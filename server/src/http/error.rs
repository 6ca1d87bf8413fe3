//! How failures become answers: the one place that knows which status means what.
//!
//! A 4xx says that the same request will never do; 408, 429 and 503 say that it may do later. A sender keeps its logs for
//! the latter and gives them up for the former, so a wrong status here loses logs or repeats them for ever.

use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use logdig_shared::limits::BODY_BYTES_MAX;
use logdig_shared::read::BodyError;
use serde::Serialize;
use thiserror::Error;

use super::json;
use crate::queue::AcceptError;

/// Seconds: long enough for a full disk to be noticed by few requests, short enough for a visitor who stays on the page.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// Why a whole request was not done.
#[derive(Debug, Error)]
pub enum RequestError {
    /// No such URL.
    #[error("there is nothing at this address; logs go to POST /")]
    NotFound,
    /// A URL that is there, asked for in a way that is not.
    #[error("this address does not take that method")]
    MethodNotAllowed,
    /// A body that grew past the limit.
    #[error("the body is larger than {BODY_BYTES_MAX} bytes; send fewer logs at a time")]
    BodyTooLarge,
    /// A body that did not arrive in time.
    #[error("the body did not arrive in time")]
    BodySlow,
    /// A body whose sender broke off, or broke the rules of HTTP.
    #[error("the body did not arrive whole")]
    BodyBroken,
    /// A form of body that is not taken.
    #[error(
        "logs come as application/x-www-form-urlencoded, text/plain, application/json or application/x-ndjson, in UTF-8"
    )]
    UnsupportedMediaType,
    /// A compressed body.
    #[error("compressed bodies are not taken; send the body as it is")]
    UnsupportedEncoding,
    /// A body in which no logs could be told apart.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Too much is on its way already.
    #[error("too many requests at once; try again")]
    Busy,
    /// The logs could not be made durable now. Why is for the program's log, not for whoever asks.
    #[error("logs can't be made durable at the moment; try again")]
    Unavailable,
    /// The collector is about to end.
    #[error("the collector is shutting down; try again")]
    ShuttingDown,
    /// The program was built before the tracker was.
    #[error("this program was built without the tracker: run `cargo xtask build`, or name a file with --tracker")]
    NoTracker,
    /// A value of the demo's own addresses.
    #[error("{0}")]
    Demo(&'static str),
    /// The demo, asked for by another name than one of this machine.
    #[error("the demo answers only under a loopback address")]
    DemoNotLocal,
    /// A fault of this program.
    #[error("the collector failed at this request; its log says why")]
    Panic,
}

impl RequestError {
    /// What the answer's status is.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge | Self::Body(BodyError::LogsTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyBroken | Self::Body(_) | Self::Demo(_) => StatusCode::BAD_REQUEST,
            Self::DemoNotLocal => StatusCode::FORBIDDEN,
            Self::Busy | Self::Unavailable | Self::ShuttingDown | Self::NoTracker => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panic => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The machine-readable tag.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BodyTooLarge => "body_too_large",
            Self::BodySlow => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::UnsupportedEncoding => "unsupported_content_encoding",
            Self::Body(error) => error.tag(),
            Self::Busy => "busy",
            Self::Unavailable => "storage_unavailable",
            Self::ShuttingDown => "shutting_down",
            Self::NoTracker => "no_tracker",
            Self::Demo(_) => "bad_value",
            Self::DemoNotLocal => "demo_not_local",
            Self::Panic => "internal",
        }
    }
}

impl From<AcceptError> for RequestError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Busy { .. } => Self::Busy,
            AcceptError::Unavailable(_) => Self::Unavailable,
            AcceptError::Closed => Self::ShuttingDown,
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    reason: &'a str,
    message: &'a str,
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        let status = self.status();
        let message = self.to_string();
        let answer = Answer { reason: self.reason(), message: &message };
        let mut response = json(status, serde_json::to_string(&answer).expect("two texts are JSON"));
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_AFTER_S);
        }
        // The rest of such a body would be taken for the next request.
        if matches!(self, Self::BodySlow | Self::BodyBroken | Self::Busy) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
