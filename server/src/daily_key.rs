//! Keys for visitors whose browser keeps none: they hold for one UTC day and can't be traced past its end.
//!
//! A key is a keyed hash of what a request tells anyway: the visitor's address, the browser's name and the token. The
//! key of the hash is the day's [`Salt`], 32 random bytes. While its day lasts, the collector could try all addresses
//! and find whose key it is; once the salt is gone, nobody can, not even with the collector's whole disk. So the
//! salt is forgotten when its day is over, whether anybody asks for the next one or not, and what was hashed is never
//! written down.

pub mod file;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use logdig_store::Day;
use sha2::Sha256;
use tracing::warn;
use zeroize::Zeroizing;

use crate::clock::Clock;

pub use file::FileSalts;

/// As many as the hash gives out: more would not make it stronger.
const SALT_BYTES: usize = 32;
/// As long as the keys that trackers make: 20 characters of 62 hold 119 bits.
const KEY_CHARS: usize = 20;
const LETTERS_AND_DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// A day is over for at most this long before its salt is forgotten.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The secret of one day. Its copies share one memory, which is overwritten when the last of them is dropped.
#[derive(Clone)]
pub struct Salt(Arc<Zeroizing<[u8; SALT_BYTES]>>);

impl Salt {
    fn new_random() -> Self {
        let mut bytes = Zeroizing::new([0; SALT_BYTES]);
        getrandom::fill(&mut *bytes).expect("the system has random numbers once it runs programs");
        Self(Arc::new(bytes))
    }

    /// The `user_key` of a visitor on this salt's day: 20 letters and digits. `token` and `user_agent` are those of the
    /// log.
    pub fn key(&self, token: &str, user_agent: &str, address: IpAddr) -> String {
        let mut hash = Hmac::<Sha256>::new_from_slice(&**self.0).expect("a key may have any length");
        for text in [token, user_agent, &address.to_canonical().to_string()] {
            // With its length before it no text can run over into the next.
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let bytes = hash.finalize().into_bytes();
        bytes.iter().take(KEY_CHARS).map(|byte| char::from(LETTERS_AND_DIGITS[usize::from(byte % 62)])).collect()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Salt(secret)")
    }
}

/// A salt could not be kept, or not be forgotten.
#[derive(Debug, thiserror::Error)]
#[error("the day's salt `{place}`: {source}")]
pub struct SaltError {
    /// Where it is kept.
    pub place: String,
    /// Why.
    pub source: std::io::Error,
}

/// Where the salts of the days are kept: one at a time.
///
/// All who ask for one day get one salt, also after a restart, and so do all collectors over one place. Asking for
/// another day forgets the salt that was kept, for good. One exception: the day before the kept one gets the kept one,
/// since a request of the last moment of a day may be answered in the first of the next.
#[async_trait]
pub trait Salts: Send + Sync {
    /// The salt of a day, made where there is none.
    ///
    /// # Errors
    ///
    /// When it can't be made durable: it would not be the same after a restart.
    async fn salt(&self, day: Day) -> Result<Salt, SaltError>;

    /// Forgets what is kept, unless it is the salt that [`salt`](Salts::salt) would give for this day.
    ///
    /// # Errors
    ///
    /// When it can't be removed. It is not used any more even so.
    async fn forget_others(&self, day: Day) -> Result<(), SaltError>;
}

/// Forgets each day's salt when the day is over, for as long as it is polled.
pub async fn forget_in_time(salts: Arc<dyn Salts>, clock: Clock) {
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    let mut is_told = false;
    loop {
        ticks.tick().await;
        let forgotten = salts.forget_others(Day::of(clock())).await;
        if let Err(error) = &forgotten
            && !is_told
        {
            warn!(%error, "could not see to it that no salt of an earlier day is left; it will be tried on");
        }
        is_told = forgotten.is_err();
    }
}

/// What the daily keys of one request are made of.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The day's.
    pub salt: Salt,
    /// Whence the request came.
    pub address: IpAddr,
}

impl Visitor {
    /// The visitor's `user_key`, for a log with this `token` and `user_agent`.
    pub fn key(&self, token: &str, user_agent: &str) -> String {
        self.salt.key(token, user_agent, self.address)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_key_is_of_one_salt_token_browser_and_address() {
        let salt = Salt(Arc::new(Zeroizing::new([7; SALT_BYTES])));
        let key = salt.key("token", "agent", address("192.0.2.1"));
        assert_eq!(key, salt.clone().key("token", "agent", address("192.0.2.1")));
        assert_eq!(key, salt.key("token", "agent", address("::ffff:192.0.2.1")), "the same address, as IPv6 writes it");
        assert!(key.len() == 20 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
        let others = [
            Salt::new_random().key("token", "agent", address("192.0.2.1")),
            Salt::new_random().key("token", "agent", address("192.0.2.1")),
            salt.key("Token", "agent", address("192.0.2.1")),
            salt.key("token", "agent 2", address("192.0.2.1")),
            salt.key("tokena", "gent", address("192.0.2.1")),
            salt.key("token", "agent1", address("92.0.2.1")),
            salt.key("token", "agent", address("192.0.2.2")),
            salt.key("token", "agent", address("2001:db8::1")),
            key,
        ];
        assert_eq!(others.iter().collect::<HashSet<_>>().len(), others.len(), "{others:?}");
    }

    #[test]
    fn a_salt_does_not_show_itself() {
        let salt = Salt(Arc::new(Zeroizing::new([7; SALT_BYTES])));
        let visitor = Visitor { salt, address: address("192.0.2.1") };
        assert!(!format!("{visitor:?}").contains('7'), "{visitor:?}");
    }
}
