//! `POST /`: logs come in, and are durable before the answer goes out.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::time::Instant;

use axum::body::{Bytes, HttpBody};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use logdig_store::Day;
use serde::Serialize;
use tracing::{debug, warn};

use super::{App, Peer, RequestError, body, json};
use crate::daily_key::Visitor;
use crate::intake::{BodyForm, Logs, RefusedLog, Sender};
use crate::outcome::{Metrics, Outcome};
use crate::queue::{Accepted, Entry};

/// Takes the logs of a request: all that are right, or none when they can't be made durable now.
pub async fn collect<B: HttpBody<Data = Bytes> + Unpin>(app: &App, request: Request<B>) -> Response {
    let answer = take(app, request).await;
    if let Some(demo) = &app.demo {
        demo.delay().await;
    }
    answer.unwrap_or_else(RequestError::into_response)
}

async fn take<B: HttpBody<Data = Bytes> + Unpin>(app: &App, request: Request<B>) -> Result<Response, RequestError> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let declared = declared_form(&head.headers)?;
    let body = body::read(body, &app.body_bounds, &app.metrics).await?;
    let form = match declared {
        // `curl -d` calls everything a form, JSON too.
        None | Some(BodyForm::Form) => BodyForm::sniff(body.as_ref()),
        Some(form) => form,
    };
    let logs = Logs::read(body.as_ref(), form)?;
    let received_at = (app.clock)();
    let visitor = visitor(app, &head, &logs, received_at).await?;
    let sender = Sender { origin: origin(&head.headers), received_at, visitor: visitor.as_ref() };
    let intake = logs.take_in(sender, &app.services.current());
    for refused in &intake.refused {
        app.metrics.count(Outcome::Refused(refused.reason.tag()), 1);
    }
    let accepted = make_durable(app, intake.entry, started).await?;
    Ok(match form {
        BodyForm::Form if intake.refused.is_empty() => original_answer(started),
        _ => answer(accepted, &intake.refused),
    })
}

/// What the sender says that the body is; `None` when it says nothing.
fn declared_form(headers: &HeaderMap) -> Result<Option<BodyForm>, RequestError> {
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(RequestError::UnsupportedEncoding);
    }
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = value.to_str().map_err(|_| RequestError::UnsupportedMediaType)?;
    let (media_type, parameters) = text.split_once(';').unwrap_or((text, ""));
    if !is_utf8(parameters) {
        return Err(RequestError::UnsupportedMediaType);
    }
    let is = |name: &str| media_type.trim().eq_ignore_ascii_case(name);
    match () {
        () if is("application/x-www-form-urlencoded") => Ok(Some(BodyForm::Form)),
        () if is("text/plain") || is("application/json") => Ok(Some(BodyForm::Json)),
        () if is("application/x-ndjson") => Ok(Some(BodyForm::Lines)),
        () => Err(RequestError::UnsupportedMediaType),
    }
}

/// Whether parameters such as `charset=UTF-8` leave it at UTF-8. ASCII is part of it.
fn is_utf8(parameters: &str) -> bool {
    let charset = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let mut charset = charset.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charset.all(|(_, value)| {
        let value = value.trim().trim_matches('"');
        ["utf-8", "utf8", "us-ascii"].iter().any(|name| value.eq_ignore_ascii_case(name))
    })
}

/// An origin that is no text is one that no service allows.
fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("null"))
}

/// What the logs' daily keys are made of, where there are such logs.
async fn visitor(app: &App, head: &Parts, logs: &Logs, now: Timestamp) -> Result<Option<Visitor>, RequestError> {
    if !logs.need_daily_keys() {
        return Ok(None);
    }
    let peer = head.extensions.get().map_or(Ipv4Addr::UNSPECIFIED.into(), |Peer(address)| *address);
    let address = app.client_address.of(&head.headers, peer);
    match app.salts.salt(Day::of(now)).await {
        Ok(salt) => Ok(Some(Visitor { salt, address })),
        Err(error) => {
            warn!(%error, "refused logs that need it for now");
            let unavailable = RequestError::Unavailable;
            app.metrics.count(Outcome::Unavailable(unavailable.reason()), logs.len() as u64);
            Err(unavailable)
        }
    }
}

async fn make_durable(app: &App, entry: Entry, started: Instant) -> Result<Accepted, RequestError> {
    if entry.n_lines() == 0 {
        return Ok(Accepted::default());
    }
    let pending = Pending { metrics: &app.metrics, n: entry.n_lines() as u64 };
    match app.queue.accept(entry).await {
        Ok(accepted) => {
            pending.stored(accepted);
            app.metrics.count_answer(started.elapsed());
            Ok(accepted)
        }
        Err(error) => {
            // The queue tells why at a higher level, once, not at every request.
            debug!(%error, "refused a request for now");
            let error = RequestError::from(error);
            pending.unavailable(error.reason());
            Err(error)
        }
    }
}

/// Logs on their way to the disk. When the sender hangs up, their request is dropped right there, and so is this.
struct Pending<'a> {
    metrics: &'a Metrics,
    n: u64,
}

impl Pending<'_> {
    fn stored(mut self, accepted: Accepted) {
        self.n = 0;
        self.metrics.count(Outcome::Stored, accepted.n_stored as u64);
        self.metrics.count(Outcome::Repeat, accepted.n_repeats as u64);
    }

    fn unavailable(mut self, reason: &'static str) {
        self.metrics.count(Outcome::Unavailable(reason), std::mem::take(&mut self.n));
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.metrics.count(Outcome::Unanswered, self.n);
    }
}

/// What the original answered, letter for letter.
fn original_answer(started: Instant) -> Response {
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    let text = format!(r#"{{"status":"Succeed to send log.","duration_millisecond":"{milliseconds:.2}"}}"#);
    json(StatusCode::OK, text)
}

/// A refused log as its sender reads it.
#[derive(Serialize)]
struct Refused {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    reason: &'static str,
    message: String,
}

impl From<&RefusedLog> for Refused {
    fn from(log: &RefusedLog) -> Self {
        let field = log.field.map(|field| field.as_str());
        let message = field.map_or_else(|| log.reason.to_string(), |field| format!("`{field}` {}", log.reason));
        Self { index: log.index, field, reason: log.reason.tag(), message }
    }
}

/// How many logs are durable now (those that were before among them), and which were refused.
fn answer(accepted: Accepted, refused: &[RefusedLog]) -> Response {
    let n_durable = accepted.n_stored + accepted.n_repeats;
    let mut text = format!(r#"{{"stored":{n_durable}"#);
    if accepted.n_repeats > 0 {
        write!(text, r#","repeats":{}"#, accepted.n_repeats).expect("a String takes any text");
    }
    let refusals: Vec<Refused> = refused.iter().map(Refused::from).collect();
    text.push_str(r#","refused":"#);
    text.push_str(&serde_json::to_string(&refusals).expect("numbers and texts are JSON"));
    text.push('}');
    json(status(n_durable, refused), text)
}

fn status(n_durable: usize, refused: &[RefusedLog]) -> StatusCode {
    match n_durable {
        1.. => StatusCode::OK,
        0 if refused.iter().all(|log| log.reason.is_about_sender()) => StatusCode::FORBIDDEN,
        0 => StatusCode::BAD_REQUEST,
    }
}
