//! Who tries passwords waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Typing errors cost nothing.
const FREE_FAILURES: u32 = 5;
/// Waits double from a second up to this.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// What is remembered at a time. Where more try, all wait.
const REMEMBERED_MAX: usize = 10_000;

/// Counts failed logins by user and by address, each on its own: one address can't try many users, nor many addresses
/// one user.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<HashMap<Tried, Failures>>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
enum Tried {
    User(String),
    /// Of IPv6, the 64 bits that one household has.
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    n: u32,
    until: Timestamp,
}

impl Throttle {
    /// How long this user, from this address, has to wait before the next try counts; zero for now.
    pub fn wait(&self, user: &str, address: IpAddr, now: Timestamp) -> Duration {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED_MAX {
            return WAIT_MAX;
        }
        let until = tried(user, address).iter().filter_map(|tried| failures.get(tried)).map(|one| one.until).max();
        until.map(|until| crate::clock::time_between(now, until)).unwrap_or_default()
    }

    /// A try failed.
    pub fn failed(&self, user: &str, address: IpAddr, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|_, one| now < one.until + WAIT_MAX);
        for tried in tried(user, address) {
            let one = failures.entry(tried).or_insert(Failures { n: 0, until: now });
            one.n += 1;
            one.until = now + wait_after(one.n);
        }
    }

    /// A try succeeded: the user's failures are forgotten, those of the address are not.
    pub fn succeeded(&self, user: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&Tried::User(user.to_owned()));
    }
}

fn tried(user: &str, address: IpAddr) -> [Tried; 2] {
    let household = match address {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
        v4 => v4,
    };
    [Tried::User(user.to_owned()), Tried::Address(household)]
}

fn wait_after(n_failures: u32) -> Duration {
    match n_failures.checked_sub(FREE_FAILURES) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(20)).min(WAIT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("an instant")
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn waits_double_after_five_failures_and_end() {
        let throttle = Throttle::default();
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                throttle.failed("kim", ip("10.0.0.1"), at(0));
                throttle.wait("kim", ip("10.0.0.9"), at(0)).as_secs()
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8]);
        assert_eq!(throttle.wait("kim", ip("10.0.0.9"), at(8)), Duration::ZERO);
        assert_eq!(throttle.wait("lee", ip("10.0.0.1"), at(7)).as_secs(), 1, "one address, another user");
        assert_eq!(throttle.wait("lee", ip("10.0.0.9"), at(0)), Duration::ZERO);
    }

    #[test]
    fn no_wait_is_over_a_quarter_of_an_hour_and_old_failures_are_forgotten() {
        let throttle = Throttle::default();
        for _ in 0..64 {
            throttle.failed("kim", ip("2001:db8::1"), at(0));
        }
        assert_eq!(throttle.wait("lee", ip("2001:db8::2"), at(0)), WAIT_MAX, "one household");
        throttle.failed("lee", ip("10.0.0.1"), at(1801));
        assert_eq!(throttle.failures.lock().unwrap().len(), 2);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..REMEMBERED_MAX {
            throttle.failed(&n.to_string(), ip("10.0.0.1"), at(0));
        }
        assert_eq!(throttle.wait("somebody", ip("10.0.0.9"), at(0)), WAIT_MAX);
        throttle.failed("kim", ip("10.0.0.1"), at(5000));
        assert_eq!(throttle.wait("somebody", ip("10.0.0.9"), at(5000)), Duration::ZERO);
    }
}
