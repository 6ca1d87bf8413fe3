//! Real parts that `cargo xtask setup` brings and no package does.

use std::env;
use std::net::TcpListener;
use std::path::PathBuf;

/// The folder of such a part, such as `versitygw-1.8.0`, whose version is none of the caller's business.
///
/// The folder with all parts is `LOGDIG_PARTS`, else `logdig` in the user's cache folder: `xtask/src/setup/parts.rs`
/// says the same.
///
/// # Panics
///
/// When it is not there.
pub fn part(name: &str) -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let parts = set("LOGDIG_PARTS")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("logdig")))
        .or_else(|| Some(set("HOME")?.join(".cache/logdig")))
        .expect("a cache folder");
    let names = crate::sealed::names(&parts);
    let newest = names.iter().rfind(|part| part.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')));
    let newest = newest.unwrap_or_else(|| panic!("no {name} in {}: run `cargo xtask setup`", parts.display()));
    parts.join(newest)
}

/// A port of the loopback that nobody listens on now.
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a listener has an address").port()
}
