//! Passwords that people choose.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use thiserror::Error;

/// Shorter ones are guessed. Source: NIST SP 800-63B, 3.1.1.2, for passwords beside nothing else is 15; with logins
/// throttled we take the 8 that it names for use beside another factor, and two more.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Hashing costs by length too.
const PASSWORD_BYTES_MAX: usize = 1024;

/// Why a password is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes")]
    Length,
    /// The system has no random numbers, or no memory.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Argon2id with the parameters that OWASP names first: 19 MiB, two passes, one lane. In the PHC format.
pub(super) fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::Length);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Whether `hash` is of this password. Without a hash the work is done all the same, and the answer is no.
pub(super) fn is_it(password: &str, hash: Option<&str>) -> bool {
    let password = &password.as_bytes()[..password.len().min(PASSWORD_BYTES_MAX + 1)];
    let Some(hash) = hash.and_then(|hash| PasswordHash::new(hash).ok()) else {
        let _ = Argon2::default().hash_password(password);
        return false;
    };
    Argon2::default().verify_password(password, &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_endless_passwords_are_refused() {
        let cases = [(9, false), (10, true), (PASSWORD_BYTES_MAX, true), (PASSWORD_BYTES_MAX + 1, false)];
        for (n, is_good) in cases {
            assert_eq!(hash(&"a".repeat(n)).is_ok(), is_good, "{n}");
        }
    }

    #[test]
    fn takes_hashes_that_others_made() {
        // Source: the reference implementation, `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1` (its README).
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(is_it("password", Some(hash)));
        assert!(!is_it("Password", Some(hash)));
        assert!(!is_it("password", Some("")));
    }
}
