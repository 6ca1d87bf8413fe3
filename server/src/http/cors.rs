//! Cross-origin rules: the collector serves pages of other sites, so every answer must be readable by them.
//!
//! A browser that may not read a 403 takes it for a dead network, and a tracker would try for ever. So what is refused
//! is refused by status, never by a missing header. No answer allows credentials: cookies play no part.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::services::origin::is_loopback_origin;

const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Which sites' pages may read what a URL answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// All sites.
    Anyone,
    /// Sites on the same machine.
    Loopback,
    /// None but the collector's own pages.
    Nobody,
}

impl Readers {
    /// Adds to an answer what lets the page that asked read it.
    pub fn apply(self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        // A public file says `*` itself; caches then keep one copy for all sites.
        if self == Self::Nobody || headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin.filter(|origin| self.include(origin)) else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    }

    fn include(self, origin: &HeaderValue) -> bool {
        match self {
            Self::Anyone => true,
            Self::Loopback => origin.to_str().is_ok_and(is_loopback_origin),
            Self::Nobody => false,
        }
    }
}

/// The origin of the page that asks; programs say none.
pub fn origin_of(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ORIGIN).cloned()
}

/// Answers the question that a browser asks before a request that a plain form could not have made.
pub fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, OPTIONS"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type, Content-Encoding"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    // A public page that sends to a collector in a private network, a laptop for one.
    if asked.get(REQUEST_PRIVATE_NETWORK).is_some_and(|value| value == "true") {
        headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    response
}
