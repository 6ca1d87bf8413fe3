//! The part of LogDig that runs in the page.
//!
//! Here is what JavaScript calls and nothing else; `js/entry.mjs` says when. A log goes: `js/page.mjs` reads what
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

    /// A trap; `entry.mjs` catches it and calls no more.
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

    /// A page was seen.
    #[wasm_bindgen]
    pub fn viewed() {
        with_tracker(Tracker::view);
    }

    /// The page was clicked; `at_ms`: when, since the document began.
    #[wasm_bindgen]
    pub fn clicked(at_ms: f64) {
        with_tracker(|tracker| tracker.click(at_ms));
    }

    /// Sends what waits; `is_leaving`: there may be no later.
    #[wasm_bindgen]
    pub fn flush(is_leaving: bool) {
        with_tracker(|tracker| tracker.flush(is_leaving));
    }

    /// The network is back.
    #[wasm_bindgen]
    pub fn hurry() {
        with_tracker(Tracker::hurry);
    }

    /// Nobody else takes care of a log that a document left behind.
    #[wasm_bindgen]
    pub fn adopted(origin: u32, seq: u32, chars: u32) {
        with_tracker(|tracker| tracker.adopt(origin, seq, chars));
    }

    /// A log was left behind so long ago that it is not worth sending.
    #[wasm_bindgen]
    pub fn outdated() {
        with_tracker(Tracker::count_dropped);
    }

    /// A request has ended; `status` 0: without an answer. `asked_ms`: how long the collector asked to wait.
    #[wasm_bindgen]
    pub fn landed(flight: u32, status: u32, asked_ms: f64) {
        with_tracker(|tracker| tracker.land(flight, status, asked_ms));
    }
}
