//! Whether the collector lives, and whether it takes logs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use super::{App, RequestError, json};

/// What a person sees who opens the collector's address.
const PAGE: &str = include_str!("hello.html");

/// `GET /`: the original's answer for programs, a page that says the same for a person's browser.
pub async fn hello(headers: HeaderMap) -> Response {
    let accepts_html =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    let answer = if accepts_html {
        let policy =
            [(CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")];
        (policy, Html(PAGE)).into_response()
    } else {
        json(StatusCode::OK, r#"{"RESTful Server": "Success"}"#)
    };
    ([(VARY, "Accept")], answer).into_response()
}

/// `GET /health/live`: 200 for as long as the process answers at all.
pub async fn live() -> Response {
    json(StatusCode::OK, r#"{"live":true}"#)
}

/// `GET /health/ready`: whether a log sent now would be taken.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Response, RequestError> {
    app.check_ready().map(|()| json(StatusCode::OK, r#"{"ready":true}"#))
}
