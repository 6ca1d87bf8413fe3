//! The page and the browser, as the JavaScript beside us gives them: `js/page.mjs`, `js/care.mjs`, `js/send.mjs`.
//!
//! Texts come into buffers of ours and go out as `&str`, so that neither side allocates for the other. `web-sys` would
//! make each text a `String` and bring an allocator, error wrappers and `js-sys`: three times the whole tracker
//! (`docs/SIZES.md`).

use crate::buffer::Buffer;
use logdig_shared::limits::{LINE_BYTES_MAX, TIMESTAMP_BYTES_MAX, USER_KEY_BYTES_MAX};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/page.mjs")]
extern "C" {
    /// Writes the numbers of what was looked at last.
    pub fn numbers(into: &mut [f64]);
    fn text(nth: usize, into: &mut [u8]) -> usize;
    fn iso(ms: f64, into: &mut [u8]) -> usize;
}

#[wasm_bindgen(module = "/js/care.mjs")]
extern "C" {
    fn user_key(into: &mut [u8]) -> usize;
    /// Keeps the visitor's key.
    pub fn keep_user_key(key: &str);
    /// Raises the counter of loads and logs, and gives it.
    pub fn raise_load_count() -> f64;
    /// Begins to keep logs of this document; gives the number under which they are found.
    pub fn open(document: &str, common: &str) -> u32;
    /// Keeps a log; whether the browser's storage holds it too.
    pub fn keep(origin: u32, seq: u32, text: &str) -> bool;
    /// Forgets a log; `is_last`: no other of its document is left.
    pub fn forget(origin: u32, seq: u32, is_last: bool);
    fn log(origin: u32, seq: u32, into: &mut [u8]) -> usize;
    fn common(origin: u32, into: &mut [u8]) -> usize;
    /// Gives all logs free for adoption.
    pub fn let_go();
}

#[wasm_bindgen(module = "/js/send.mjs")]
extern "C" {
    /// Posts a body; [`landed`](crate::exports::landed) is called when it has ended.
    pub fn send(body: &str, flight: u32);
    /// Whether a request can outlive the page; else only a beacon does.
    pub fn outlives_page() -> bool;
    /// Hands a body to a beacon; whether it took it.
    pub fn beacon(body: &str) -> bool;
    /// Has [`flush`](crate::exports::flush) called.
    pub fn flush_later(ms: f64);
}

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since 1970, by the visitor's clock.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub fn now() -> f64;
    /// Milliseconds since the document began; setting the clock does not touch it.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn uptime() -> f64;
    /// 0 to 1.
    #[wasm_bindgen(js_namespace = Math, js_name = random)]
    pub fn chance() -> f64;
    /// Random bytes, fit for keys.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    pub fn fill_random(bytes: &mut [u8]);
}

/// Reads the nth text of what was looked at last, at most so many bytes of it.
pub fn seen(scratch: &mut Buffer, nth: usize, bytes_max: usize) -> &str {
    pull(scratch, bytes_max, &|room| text(nth, room))
}

/// Reads an instant as ISO 8601 in UTC; `ms` since 1970.
pub fn instant(scratch: &mut Buffer, ms: f64) -> &str {
    pull(scratch, TIMESTAMP_BYTES_MAX, &|room| iso(ms, room))
}

/// Reads the visitor's key; empty where there is none yet.
pub fn kept_user_key(scratch: &mut Buffer) -> &str {
    pull(scratch, USER_KEY_BYTES_MAX, &|room| user_key(room))
}

/// Reads what all logs of a document share.
pub fn common_of(scratch: &mut Buffer, origin: u32) -> &str {
    pull(scratch, LINE_BYTES_MAX, &|room| common(origin, room))
}

/// Adds a log to a text.
pub fn push_log(out: &mut Buffer, origin: u32, seq: u32) {
    // SAFETY: as in `pull`.
    unsafe { out.fill(LINE_BYTES_MAX, |room| log(origin, seq, room)) }
}

fn pull<'a>(scratch: &'a mut Buffer, bytes_max: usize, write: &dyn Fn(&mut [u8]) -> usize) -> &'a str {
    scratch.clear();
    // SAFETY: on the other side is `TextEncoder.encodeInto`, which writes whole characters.
    unsafe { scratch.fill(bytes_max, write) };
    scratch.text().unwrap_or_default()
}
