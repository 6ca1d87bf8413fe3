//! Whose address a request comes from, where proxies stand in front.
//!
//! Anyone can write `X-Forwarded-For` into a request; each proxy adds, at the end, the address that it saw itself. So
//! only as many entries from the end can be believed as there are proxies of one's own, and none where there are none:
//! that is why no header is read unless the owner names it.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::http::{HeaderMap, HeaderName};
use tracing::warn;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a request's connection, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// How a client's address is found.
#[derive(Debug)]
pub struct ClientAddress {
    header: Option<HeaderName>,
    /// Proxies of the owner's, from 1.
    n_proxies: usize,
    is_warned: AtomicBool,
}

impl ClientAddress {
    /// Reads `header`, if there is one, to which each of `n_proxies` adds an entry.
    pub fn new(header: Option<HeaderName>, n_proxies: usize) -> Self {
        Self { header, n_proxies, is_warned: AtomicBool::new(false) }
    }

    /// The client's address; the peer's where no header is to be read, or none can be.
    pub fn of(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let Some(name) = &self.header else {
            if headers.contains_key(FORWARDED_FOR) {
                self.warn(
                    "requests come by a proxy; name the header that tells the client's with --client-address-header",
                );
            }
            return peer;
        };
        nth_from_end(headers, name, self.n_proxies).unwrap_or_else(|| {
            self.warn(
                "requests come without the header of --client-address-header, or with fewer entries than --proxies",
            );
            peer
        })
    }

    /// Once: it would be the same at each request.
    fn warn(&self, what: &str) {
        if !self.is_warned.swap(true, Relaxed) {
            warn!("daily keys are made of a proxy's address: {what}");
        }
    }
}

/// An entry of a header that may stand there several times, which means the same as one list.
fn nth_from_end(headers: &HeaderMap, name: &HeaderName, n: usize) -> Option<IpAddr> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let entries: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    read(entries[entries.len().checked_sub(n)?])
}

/// An address, with or without a port, as one proxy or another writes it.
fn read(entry: &str) -> Option<IpAddr> {
    let bare = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port).or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "10.0.0.9";

    fn found(header: Option<&str>, n_proxies: usize, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().expect("a value"));
        }
        let header = header.map(|name| name.parse().expect("a name"));
        ClientAddress::new(header, n_proxies).of(&headers, PEER.parse().expect("an address")).to_string()
    }

    #[test]
    fn believes_only_what_the_owner_s_proxies_added() {
        let named = Some("X-Forwarded-For");
        let cases: [(_, _, &[&str], _); 12] = [
            (None, 1, &["192.0.2.1"], PEER),
            (named, 1, &[], PEER),
            (named, 1, &["192.0.2.1"], "192.0.2.1"),
            (named, 1, &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
            (named, 1, &["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
            (named, 2, &["6.6.6.6, 192.0.2.1, 10.0.0.8"], "192.0.2.1"),
            (named, 2, &["192.0.2.1"], PEER),
            (named, 1, &["192.0.2.1:4711"], "192.0.2.1"),
            (named, 1, &["2001:db8::1"], "2001:db8::1"),
            (named, 1, &["[2001:db8::1]:4711"], "2001:db8::1"),
            (named, 1, &["[2001:db8::1]"], "2001:db8::1"),
            (named, 1, &["192.0.2.1, unknown"], PEER),
        ];
        for (header, n_proxies, lines, expected) in cases {
            assert_eq!(found(header, n_proxies, lines), expected, "{header:?} {n_proxies} {lines:?}");
        }
    }
}
