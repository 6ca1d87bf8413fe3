//! Which pages may send logs: rules over what browsers say in `Origin`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A site, or all sites below a domain, whose pages may send logs of a service.
///
/// Written as browsers write an origin: `https://shop.example`, `http://127.0.0.1:8080`. Two things are added.
/// `https://*.shop.example` stands for every host below that domain, not for the domain itself. A loopback host without
/// a port stands for all its ports, since local servers change theirs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct OriginRule {
    scheme: String,
    host: String,
    any_below: bool,
    port: PortRule,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum PortRule {
    Default,
    Any,
    Only(u16),
}

/// Why a text is no rule.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum OriginError {
    /// No scheme, or more than scheme, host and port.
    #[error("write an origin as scheme://host or scheme://host:port, without a path; for example https://shop.example")]
    Form,
    /// A host that browsers would write otherwise.
    #[error("write the host as browsers send it: letters, digits, dots and hyphens; other alphabets as xn--…")]
    Host,
    /// `*` where it can't stand.
    #[error("`*` can only be the first part of a host, as in https://*.shop.example")]
    Wildcard,
}

impl OriginRule {
    /// Whether an `Origin` as a browser sends it follows this rule.
    pub fn allows(&self, origin: &str) -> bool {
        let Some(parts) = Parts::split(origin) else { return false };
        parts.scheme == self.scheme && self.allows_host(parts.host) && self.allows_port(parts.port)
    }

    fn allows_host(&self, host: &str) -> bool {
        match host.strip_suffix(self.host.as_str()) {
            Some("") => !self.any_below,
            Some(below) => self.any_below && below.len() > 1 && below.ends_with('.'),
            None => false,
        }
    }

    fn allows_port(&self, port: Option<u16>) -> bool {
        match self.port {
            PortRule::Any => true,
            PortRule::Default => port.is_none(),
            PortRule::Only(only) => port == Some(only),
        }
    }
}

impl FromStr for OriginRule {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let parts = Parts::split(&text).ok_or(OriginError::Form)?;
        let (any_below, host) = match parts.host.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, parts.host),
        };
        if host.contains('*') {
            return Err(OriginError::Wildcard);
        }
        if !is_host(host) {
            return Err(OriginError::Host);
        }
        let port = match parts.port {
            None if !any_below && is_loopback(host) => PortRule::Any,
            None => PortRule::Default,
            Some(port) if default_port(parts.scheme) == Some(port) => PortRule::Default,
            Some(port) => PortRule::Only(port),
        };
        Ok(Self { scheme: parts.scheme.to_owned(), host: host.to_owned(), any_below, port })
    }
}

impl TryFrom<String> for OriginRule {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl From<OriginRule> for String {
    fn from(rule: OriginRule) -> String {
        rule.to_string()
    }
}

impl fmt::Display for OriginRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}{}", self.scheme, if self.any_below { "*." } else { "" }, self.host)?;
        match self.port {
            PortRule::Only(port) => write!(out, ":{port}"),
            // A loopback host with its scheme's own port must not become one with any port.
            PortRule::Default if !self.any_below && is_loopback(&self.host) => {
                write!(out, ":{}", default_port(&self.scheme).unwrap_or_default())
            }
            PortRule::Default | PortRule::Any => Ok(()),
        }
    }
}

/// Whether pages of this origin come from the machine itself.
pub fn is_loopback_origin(origin: &str) -> bool {
    Parts::split(origin).is_some_and(|parts| is_loopback(parts.host))
}

struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Parts<'a> {
    fn split(origin: &'a str) -> Option<Self> {
        let (scheme, rest) = origin.split_once("://")?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme || rest.contains(['/', '?', '#', '@', ' ']) {
            return None;
        }
        // In `[::1]` colons are part of the host.
        let (host, port) = match rest.rfind(':') {
            Some(at) if !rest.ends_with(']') => (&rest[..at], Some(rest[at + 1..].parse().ok()?)),
            _ => (rest, None),
        };
        (!host.is_empty()).then_some(Self { scheme, host, port })
    }
}

fn is_host(host: &str) -> bool {
    let is_name = !host.is_empty()
        && !host.starts_with('.')
        && !host.contains("..")
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    is_name || address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> OriginRule {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn allows_what_it_says_and_nothing_else() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "https://shop.example",
                &["https://shop.example"],
                &[
                    "http://shop.example",
                    "https://shop.example:8443",
                    "https://a.shop.example",
                    "https://shop.example.evil",
                ],
            ),
            ("https://shop.example:443/", &["https://shop.example"], &["https://shop.example:444"]),
            ("HTTPS://Shop.Example:8443", &["https://shop.example:8443"], &["https://shop.example"]),
            (
                "https://*.shop.example",
                &["https://a.shop.example", "https://a.b.shop.example"],
                &[
                    "https://shop.example",
                    "https://evilshop.example",
                    "https://.shop.example",
                    "https://a.shop.example:1",
                ],
            ),
            (
                "http://localhost",
                &["http://localhost", "http://localhost:8301"],
                &["https://localhost", "http://localhost.evil"],
            ),
            ("http://localhost:80", &["http://localhost"], &["http://localhost:8301"]),
            ("http://[::1]", &["http://[::1]", "http://[::1]:8301"], &["http://[::2]"]),
            ("http://[::1]:81", &["http://[::1]:81"], &["http://[::1]"]),
            ("capacitor://localhost", &["capacitor://localhost"], &["http://localhost"]),
        ];
        for (text, allowed, refused) in cases {
            for origin in *allowed {
                assert!(rule(text).allows(origin), "{text} must allow {origin}");
            }
            for origin in refused.iter().chain(&["null", "", "https://"]) {
                assert!(!rule(text).allows(origin), "{text} must refuse {origin}");
            }
            assert_eq!(rule(&rule(text).to_string()), rule(text), "{text} reads back");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_rule() {
        let cases = [
            ("", OriginError::Form),
            ("*", OriginError::Form),
            ("null", OriginError::Form),
            ("shop.example", OriginError::Form),
            ("https://", OriginError::Form),
            ("https://shop.example/path", OriginError::Form),
            ("https://user@shop.example", OriginError::Form),
            ("https://shop.example:99999", OriginError::Form),
            ("https://shöp.example", OriginError::Host),
            ("https://[::g]", OriginError::Host),
            ("https://a..b", OriginError::Host),
            ("https://shop.*", OriginError::Wildcard),
            ("https://*.*.example", OriginError::Wildcard),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<OriginRule>(), Err(error), "{text}");
        }
    }
}
