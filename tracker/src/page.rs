//! The page and the browser, as the JavaScript beside us gives them: `js/page.mjs`, `js/care.mjs`, `js/send.mjs`.
//!
//! Texts go either way as an address and a length in our memory, and JavaScript reads and writes there: neither side
//! allocates for the other, and no wrappers come along. `web-sys` would make each text a `String` and bring an allocator
//! and `js-sys`: three times the whole tracker (`docs/SIZES.md`).

use crate::buffer::Buffer;
use logdig_shared::limits::LINE_BYTES_MAX;
use wasm_bindgen::prelude::*;

/// How many numbers a log has at most.
pub const NUMBERS_MAX: usize = 12;
/// Instead of the number of a text: this document's id.
pub const DOCUMENT: i32 = -1;
/// Instead of the number of a log: the time, and what all logs of its document share.
const NOW_AND_COMMON: i32 = -1;

/// As numbers, not pointers or `u32`: for those the glue would make each argument unsigned.
mod js {
    use super::wasm_bindgen;

    #[wasm_bindgen(module = "/js/page.mjs")]
    extern "C" {
        pub fn numbers(into: i32);
        pub fn text(nth: i32, into: i32, bytes_max: i32) -> i32;
    }

    #[wasm_bindgen(module = "/js/care.mjs")]
    extern "C" {
        pub fn raise_load_count() -> f64;
        pub fn open(common: i32, n_bytes: i32) -> i32;
        pub fn keep(origin: i32, seq: i32, text: i32, n_bytes: i32) -> bool;
        pub fn forget(origin: i32, seq: i32);
        pub fn log(origin: i32, seq: i32, into: i32, bytes_max: i32) -> i32;
    }

    #[wasm_bindgen(module = "/js/send.mjs")]
    extern "C" {
        pub fn send(body: i32, n_bytes: i32, flight: i32);
        pub fn flush_later(ms: f64);
    }

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = performance, js_name = now)]
        pub fn uptime() -> f64;
    }
}

/// Milliseconds since the document began; setting the clock does not touch it.
pub fn uptime() -> f64 {
    js::uptime()
}

/// Has [`flush`](crate::exports::flush) called.
pub fn flush_later(ms: f64) {
    js::flush_later(ms);
}

/// Raises the counter of loads and logs, and gives it.
pub fn raise_load_count() -> f64 {
    js::raise_load_count()
}

/// Begins to keep logs of a document, with what they share; gives the number under which they are found.
pub fn open(common: &str) -> i32 {
    js::open(address(common), common.len() as i32)
}

/// Keeps a log; whether the browser's storage holds it too.
pub fn keep(origin: i32, seq: i32, text: &str) -> bool {
    js::keep(origin, seq, address(text), text.len() as i32)
}

/// Forgets a log.
pub fn forget(origin: i32, seq: i32) {
    js::forget(origin, seq);
}

/// Posts a body; [`landed`](crate::exports::landed) is called when it has ended.
pub fn send(body: &str, flight: i32) {
    js::send(address(body), body.len() as i32, flight);
}

/// The numbers of what is shown; NaN where it has fewer.
pub fn numbers() -> [f64; NUMBERS_MAX] {
    let mut numbers = [f64::NAN; NUMBERS_MAX];
    js::numbers(numbers.as_mut_ptr() as i32);
    numbers
}

/// Adds the nth text of what is shown, at most so many bytes of it.
pub fn push_seen(out: &mut Buffer, nth: i32, bytes_max: usize) {
    // SAFETY: on the other side is `TextEncoder.encodeInto`, which writes whole characters.
    unsafe { out.fill(bytes_max, &|room| js::text(nth, room.as_mut_ptr() as i32, room.len() as i32) as usize) };
}

/// Adds a log.
pub fn push_log(out: &mut Buffer, origin: i32, seq: i32) {
    // SAFETY: as above.
    unsafe {
        out.fill(LINE_BYTES_MAX, &|room| js::log(origin, seq, room.as_mut_ptr() as i32, room.len() as i32) as usize)
    }
}

/// Adds the time, ISO 8601 in UTC with milliseconds, and what all logs of a document share.
pub fn push_now_and_common(out: &mut Buffer, origin: i32) {
    push_log(out, origin, NOW_AND_COMMON);
}

/// Where a text begins in our memory, which JavaScript can read.
fn address(text: &str) -> i32 {
    text.as_ptr() as i32
}
