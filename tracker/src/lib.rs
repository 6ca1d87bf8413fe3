//! The part of LogDig that runs in the page.
//!
//! Here is what JavaScript calls and nothing else; `js/core.mjs` says when. A log goes: `js/page.mjs` reads what
//! happened → `tracker.rs` makes it a log → `js/care.mjs` keeps it → [`out_queue`] decides when it goes → `js/send.mjs`
//! sends it → [`out_queue`] lets it go once the collector has it.
//!
//! There is no allocator: all texts pass through two buffers, and the queue has its fixed places.
#![cfg_attr(target_arch = "wasm32", no_std)]
#[cfg(test)]
extern crate alloc;

pub mod buffer;
pub mod out_queue;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod tracker;

#[cfg(target_arch = "wasm32")]
mod exports {
    use crate::tracker::Tracker;
    use core::{
        alloc::{GlobalAlloc, Layout},
        cell::RefCell,
        ptr,
    };
    use wasm_bindgen::prelude::*;

    /// Rust and wasm-bindgen ask for an allocator; nothing here allocates.
    struct NoMemory;
    // SAFETY: a null pointer says that there is no memory, and nothing is ever given back.
    unsafe impl GlobalAlloc for NoMemory {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            ptr::null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }
    #[global_allocator]
    static ALLOCATOR: NoMemory = NoMemory;

    /// A trap; `core.mjs` catches it and calls no more.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }

    struct Global(RefCell<Tracker>);
    // SAFETY: wasm without the threads feature has one thread.
    unsafe impl Sync for Global {}
    static TRACKER: Global = Global(RefCell::new(Tracker::new()));

    /// Calls the tracker. Nothing happens where a page calls back while it is at work.
    fn with_tracker(call: impl FnOnce(&mut Tracker)) {
        if let Ok(mut tracker) = TRACKER.0.try_borrow_mut() {
            call(&mut tracker);
        }
    }

    /// A document begins, or comes back from the back/forward cache.
    #[wasm_bindgen]
    pub fn entered() {
        with_tracker(Tracker::enter);
    }

    /// What is shown happened; see [`Tracker::record`].
    #[wasm_bindgen]
    pub fn recorded(kind: i32, at_ms: f64, is_draft: bool) {
        with_tracker(|tracker| tracker.record(kind, at_ms, is_draft));
    }

    /// The visitor does not want to be logged.
    #[wasm_bindgen]
    pub fn stopped() {
        with_tracker(Tracker::stop);
    }

    /// Sends what waits; `is_urgent`: whatever the collector asked, since there may be no later, or since the network is
    /// back.
    #[wasm_bindgen]
    pub fn flush(is_urgent: bool) {
        with_tracker(|tracker| tracker.flush(is_urgent));
    }

    /// Nobody else takes care of a log that a document left behind. `chars`: its length; 0: it was so old that it went.
    #[wasm_bindgen]
    pub fn adopted(origin: i32, seq: i32, chars: u32) {
        with_tracker(|tracker| tracker.adopt(origin, seq, chars));
    }

    /// A request has ended; `status` 0: without an answer. `asked_ms`: how long the collector asked to wait. `chance`: 0 to
    /// 1, at random.
    #[wasm_bindgen]
    pub fn landed(flight: i32, status: i32, asked_ms: f64, chance: f64) {
        with_tracker(|tracker| tracker.land(flight, status, asked_ms, chance));
    }
}
