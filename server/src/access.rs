//! Who may read: people with a login, programs with a key.
//!
//! A token in a page is public; it only lets logs in. What lets answers out is here. Secrets are random texts that are
//! shown once, or passwords that people choose; the file holds hashes of both, so whoever reads it can't use it.
//!
//! | what | for | lasts | kept as |
//! | --- | --- | --- | --- |
//! | one-time code | a person's first login, without a password | 24 h, one use | SHA-256 |
//! | password | a person's further logins | until changed | argon2id |
//! | login | a browser, as a cookie | 30 days | SHA-256 |
//! | key | a program | until removed | SHA-256 |

mod file;
mod password;
mod throttle;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use file::{AccessError, AccessFile, FILE_NAME};
pub use password::{PASSWORD_CHARS_MIN, PasswordError};
pub use throttle::Throttle;

use crate::random;

/// 192 random bits.
const SECRET_CHARS: usize = 32;
/// How long a one-time code may be used.
pub const CODE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a browser stays logged in.
pub const LOGIN_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Logins of one user at a time; with one more the oldest ends.
const LOGINS_MAX: usize = 20;
/// Names are shown in lists.
const NAME_BYTES_MAX: usize = 64;
/// What keys begin with, so that people and scanners know one when they see it.
const KEY_PREFIX: &str = "logdig_";

/// What a user may do.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything: reading, and changing services, users and keys.
    Owner,
    /// Reading.
    Reader,
}

/// Whose answers somebody may read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Scope(Option<Vec<String>>);

impl Scope {
    /// These services alone, by id; all of them where none is named.
    pub fn of(services: Vec<String>) -> Self {
        Self((!services.is_empty()).then_some(services))
    }

    /// Whether it covers the service with this id.
    pub fn covers(&self, service: &str) -> bool {
        self.0.as_ref().is_none_or(|ids| ids.iter().any(|id| id == service))
    }

    /// The services, by id; `None` for all.
    pub fn services(&self) -> Option<&[String]> {
        self.0.as_deref()
    }
}

/// SHA-256 of a secret, in hex. The secrets are random and long, so a fast hash does.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct SecretHash(String);

impl SecretHash {
    fn of(secret: &str) -> Self {
        let hash = Sha256::digest(secret);
        Self(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A secret that works until an instant.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Passing {
    hash: SecretHash,
    until: Timestamp,
}

impl Passing {
    fn new(secret: &str, now: Timestamp, life: Duration) -> Self {
        Self { hash: SecretHash::of(secret), until: now + life }
    }
}

/// A person who may read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct User {
    /// Unique; what they log in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose answers they may read.
    #[serde(default)]
    pub scope: Scope,
    /// In the PHC format; absent until they choose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Passing>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    logins: Vec<Passing>,
}

impl User {
    /// Whether they have chosen a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }
}

/// A program that may read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Key {
    /// Unique; what it is for.
    pub name: String,
    /// Whose answers it may read.
    #[serde(default)]
    pub scope: Scope,
    /// When it was made.
    pub made_at: Timestamp,
    hash: SecretHash,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name of the user or key.
    pub name: String,
    /// What they may do; keys are readers.
    pub role: Role,
    /// Whose answers they may read.
    pub scope: Scope,
}

/// Why users or keys are not changed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChangeError {
    /// No name, a long one, or one that would break a list.
    #[error("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    Name,
    /// There is one already.
    #[error("there is a {0} `{1}` already")]
    Taken(&'static str, String),
    /// There is none.
    #[error("there is no {0} `{1}`")]
    Unknown(&'static str, String),
    /// Nobody could change anything any more.
    #[error("`{0}` is the last owner; make another one first")]
    LastOwner(String),
    /// A password that is none.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// All who may read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Access {
    #[serde(default)]
    users: Vec<User>,
    #[serde(default)]
    keys: Vec<Key>,
}

impl Access {
    /// All users, in the order in which they were added.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// All keys, in the order in which they were added.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Adds a user, and gives the one-time code of their first login.
    ///
    /// # Errors
    /// When the name is none, or is taken.
    pub fn add_user(&mut self, name: &str, role: Role, scope: Scope, now: Timestamp) -> Result<String, ChangeError> {
        check_name(name)?;
        if self.users.iter().any(|user| user.name == name) {
            return Err(ChangeError::Taken("user", name.to_owned()));
        }
        let user = User { name: name.to_owned(), role, scope, password: None, code: None, logins: vec![] };
        self.users.push(user);
        self.new_code(name, now)
    }

    /// Gives a user a new one-time code; the one before ends.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn new_code(&mut self, name: &str, now: Timestamp) -> Result<String, ChangeError> {
        let code = random::text(SECRET_CHARS);
        self.user(name)?.code = Some(Passing::new(&code, now, CODE_LIFE));
        Ok(code)
    }

    /// Gives a user a new password. All their logins end.
    ///
    /// # Errors
    /// When there is no such user, or the password is none.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<(), ChangeError> {
        let hash = password::hash(password)?;
        let user = self.user(name)?;
        user.password = Some(hash);
        user.logins.clear();
        Ok(())
    }

    /// Removes a user; their logins end.
    ///
    /// # Errors
    /// When there is no such user, or nobody could change anything any more.
    pub fn remove_user(&mut self, name: &str) -> Result<(), ChangeError> {
        let is_owner = self.user(name)?.role == Role::Owner;
        let n_owners = self.users.iter().filter(|user| user.role == Role::Owner).count();
        if is_owner && n_owners == 1 && self.users.len() > 1 {
            return Err(ChangeError::LastOwner(name.to_owned()));
        }
        self.users.retain(|user| user.name != name);
        Ok(())
    }

    /// Adds a key, and gives its secret, which can't be had again.
    ///
    /// # Errors
    /// When the name is none, or is taken.
    pub fn add_key(&mut self, name: &str, scope: Scope, now: Timestamp) -> Result<String, ChangeError> {
        check_name(name)?;
        if self.keys.iter().any(|key| key.name == name) {
            return Err(ChangeError::Taken("key", name.to_owned()));
        }
        let secret = format!("{KEY_PREFIX}{}", random::text(SECRET_CHARS));
        self.keys.push(Key { name: name.to_owned(), scope, made_at: now, hash: SecretHash::of(&secret) });
        Ok(secret)
    }

    /// Removes a key: it works no more.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn remove_key(&mut self, name: &str) -> Result<(), ChangeError> {
        let n_keys = self.keys.len();
        self.keys.retain(|key| key.name != name);
        if self.keys.len() == n_keys { Err(ChangeError::Unknown("key", name.to_owned())) } else { Ok(()) }
    }

    /// Uses a one-time code up; gives the user it was for, logged in, and the secret of that login.
    pub fn log_in_by_code(&mut self, code: &str, now: Timestamp) -> Option<(Caller, String)> {
        let hash = SecretHash::of(code);
        let is_it = |user: &&mut User| user.code.as_ref().is_some_and(|code| code.hash == hash && now < code.until);
        let user = self.users.iter_mut().find(is_it)?;
        user.code = None;
        Some(log_in(user, now))
    }

    /// Logs a user in whose password was found right; `None` when they are gone by now.
    pub fn log_in(&mut self, name: &str, now: Timestamp) -> Option<(Caller, String)> {
        self.user(name).ok().map(|user| log_in(user, now))
    }

    /// Ends a login.
    pub fn log_out(&mut self, secret: &str) {
        let hash = SecretHash::of(secret);
        self.users.iter_mut().for_each(|user| user.logins.retain(|login| login.hash != hash));
    }

    /// Whose login this is.
    pub fn by_login(&self, secret: &str, now: Timestamp) -> Option<Caller> {
        let hash = SecretHash::of(secret);
        let is_it = |user: &&User| user.logins.iter().any(|login| login.hash == hash && now < login.until);
        self.users.iter().find(is_it).map(caller)
    }

    /// Whose key this is.
    pub fn by_key(&self, secret: &str) -> Option<Caller> {
        let hash = SecretHash::of(secret);
        let key = self.keys.iter().find(|key| key.hash == hash)?;
        Some(Caller { name: key.name.clone(), role: Role::Reader, scope: key.scope.clone() })
    }

    /// Whether this is the user's password. It takes as long where there is no such user, so nobody learns of one.
    pub fn is_password(&self, name: &str, password: &str) -> bool {
        let hash = self.users.iter().find(|user| user.name == name).and_then(|user| user.password.as_deref());
        password::is_it(password, hash)
    }

    fn user(&mut self, name: &str) -> Result<&mut User, ChangeError> {
        let unknown = || ChangeError::Unknown("user", name.to_owned());
        self.users.iter_mut().find(|user| user.name == name).ok_or_else(unknown)
    }
}

fn log_in(user: &mut User, now: Timestamp) -> (Caller, String) {
    let secret = random::text(SECRET_CHARS);
    user.logins.retain(|login| now < login.until);
    if user.logins.len() >= LOGINS_MAX {
        user.logins.remove(0);
    }
    user.logins.push(Passing::new(&secret, now, LOGIN_LIFE));
    (caller(user), secret)
}

fn caller(user: &User) -> Caller {
    Caller { name: user.name.clone(), role: user.role, scope: user.scope.clone() }
}

fn check_name(name: &str) -> Result<(), ChangeError> {
    let is_good = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if is_good { Ok(()) } else { Err(ChangeError::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    const NOW: &str = "2026-11-25T12:00:00Z";

    fn with_owner() -> (Access, String) {
        let mut access = Access::default();
        let code = access.add_user("kim", Role::Owner, Scope::default(), at(NOW)).expect("a free name");
        (access, code)
    }

    #[test]
    fn a_code_works_once_and_for_a_day() {
        let (mut access, code) = with_owner();
        assert_eq!(access.clone().log_in_by_code(&code, at("2026-11-26T12:00:00Z")), None, "after 24 h");
        assert_eq!(access.log_in_by_code("", at(NOW)), None);
        let (caller, login) = access.log_in_by_code(&code, at("2026-11-26T11:59:59Z")).expect("in time");
        assert_eq!((caller.name.as_str(), caller.role), ("kim", Role::Owner));
        assert_eq!(access.log_in_by_code(&code, at(NOW)), None, "a second time");
        assert_eq!(access.by_login(&login, at(NOW)), Some(caller));
    }

    #[test]
    fn a_login_ends_by_itself_by_logging_out_and_by_a_new_password() {
        let (mut access, code) = with_owner();
        let (_, login) = access.log_in_by_code(&code, at(NOW)).expect("a fresh code");
        assert!(access.by_login(&login, at("2026-12-25T11:59:59Z")).is_some());
        assert_eq!(access.by_login(&login, at("2026-12-25T12:00:00Z")), None, "after 30 days");
        let mut out = access.clone();
        out.log_out(&login);
        assert_eq!(out.by_login(&login, at(NOW)), None);
        access.set_password("kim", "correct horse").expect("long enough");
        assert_eq!(access.by_login(&login, at(NOW)), None);
        assert!(access.is_password("kim", "correct horse"));
        assert!(!access.is_password("kim", "correct horse "));
        assert!(!access.is_password("lee", "correct horse"));
    }

    #[test]
    fn old_logins_make_room() {
        let (mut access, _) = with_owner();
        let logins: Vec<String> =
            (0..=LOGINS_MAX).filter_map(|_| access.log_in("kim", at(NOW))).map(|(_, secret)| secret).collect();
        let works: Vec<bool> = logins.iter().map(|login| access.by_login(login, at(NOW)).is_some()).collect();
        assert_eq!(works.iter().filter(|works| **works).count(), LOGINS_MAX);
        assert!(!works[0]);
    }

    #[test]
    fn a_key_reads_what_it_is_for() {
        let mut access = Access::default();
        let key = access.add_key("nightly", Scope::of(vec!["shop".to_owned()]), at(NOW)).expect("a free name");
        let caller = access.by_key(&key).expect("it is there");
        assert_eq!(
            (caller.role, caller.scope.covers("shop"), caller.scope.covers("blog")),
            (Role::Reader, true, false)
        );
        assert_eq!(access.by_key(&key[1..]), None);
        assert_eq!(
            access.add_key("nightly", Scope::default(), at(NOW)),
            Err(ChangeError::Taken("key", "nightly".into()))
        );
        access.remove_key("nightly").expect("it is there");
        assert_eq!(access.by_key(&key), None);
        assert_eq!(access.remove_key("nightly"), Err(ChangeError::Unknown("key", "nightly".into())));
    }

    #[test]
    fn the_last_owner_stays_while_others_need_one() {
        let (mut access, _) = with_owner();
        access.add_user("lee", Role::Reader, Scope::default(), at(NOW)).expect("a free name");
        assert_eq!(access.remove_user("kim"), Err(ChangeError::LastOwner("kim".into())));
        access.remove_user("lee").expect("it is there");
        access.remove_user("kim").expect("the last one may go");
        assert_eq!(access.add_user("a\nb", Role::Owner, Scope::default(), at(NOW)), Err(ChangeError::Name));
    }

    #[test]
    fn no_secret_is_in_the_file() {
        let (mut access, code) = with_owner();
        let (_, login) = access.log_in_by_code(&code, at(NOW)).expect("a fresh code");
        let further = access.new_code("kim", at(NOW)).expect("it is there");
        let key = access.add_key("nightly", Scope::default(), at(NOW)).expect("a free name");
        access.set_password("kim", "correct horse").expect("long enough");
        let file = serde_json::to_string(&access).expect("texts are JSON");
        for secret in [code.as_str(), &login, &further, &key, "correct horse"] {
            assert!(!file.contains(secret), "{secret} in {file}");
        }
    }
}
