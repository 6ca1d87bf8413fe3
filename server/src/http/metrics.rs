//! `GET /metrics`: what the collector counted, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::App;
use crate::outcome::write_gauge;

/// All counters since the start, as text.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut text = app.metrics.to_text();
    let is_ready = u64::from(app.check_ready().is_ok());
    write_gauge(&mut text, "logdig_ready", "Whether logs are taken: 1, or 0 as on a full disk.", is_ready);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
