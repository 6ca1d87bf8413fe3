//! The part of LogDig that runs in the page.
//!
//! Here is what JavaScript calls and nothing else; `js/entry.mjs` says when. A log goes: [`click`] or [`page`] tell what
//! happened → [`tracker`] makes it a log → [`storage`] keeps it → [`out_queue`] decides when it goes → `js/page.mjs`
//! sends it → [`out_queue`] lets it go once the collector has it.
#![cfg_attr(target_arch = "wasm32", no_std)]
extern crate alloc;

pub mod out_queue;

#[cfg(target_arch = "wasm32")]
mod click;
#[cfg(target_arch = "wasm32")]
mod dom;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod storage;
#[cfg(target_arch = "wasm32")]
mod tracker;
#[cfg(target_arch = "wasm32")]
mod visitor;

#[cfg(target_arch = "wasm32")]
mod exports {
    use crate::{dom::Click, tracker::Tracker};
    use alloc::string::String;
    use core::cell::RefCell;
    use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};
    use wasm_bindgen::prelude::*;
    use web_sys::Element;

    #[global_allocator]
    // SAFETY: wasm without the threads feature has one thread.
    static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
        unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

    /// A trap; `entry.mjs` catches it and calls no more.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }

    struct Global(RefCell<Option<Tracker>>);
    // SAFETY: as above, one thread.
    unsafe impl Sync for Global {}
    static TRACKER: Global = Global(RefCell::new(None));

    /// Calls the tracker. Nothing happens where a page calls back while it is at work.
    fn with_tracker(call: impl FnOnce(&mut Tracker)) {
        if let Ok(mut tracker) = TRACKER.0.try_borrow_mut()
            && let Some(tracker) = &mut *tracker
        {
            call(tracker);
        }
    }

    /// The tracker is loaded. `server`: where logs go.
    #[wasm_bindgen]
    pub fn begin(token: String, server: String) {
        if let Ok(mut tracker) = TRACKER.0.try_borrow_mut() {
            tracker.insert(Tracker::new(token, server)).enter();
        }
    }

    /// The page was clicked; `target`: the innermost element, also inside an open shadow root.
    #[wasm_bindgen]
    pub fn clicked(event: &Click, target: &Element) {
        with_tracker(|tracker| tracker.click(event, target));
    }

    /// The page's address may have changed.
    #[wasm_bindgen]
    pub fn url_changed() {
        with_tracker(Tracker::url_changed);
    }

    /// Sends what waits.
    #[wasm_bindgen]
    pub fn flush() {
        with_tracker(|tracker| tracker.flush(false));
    }

    /// The network is back.
    #[wasm_bindgen]
    pub fn hurry() {
        with_tracker(Tracker::hurry);
    }

    /// The page can't be seen any more; `is_leaving`: it may never be again.
    #[wasm_bindgen]
    pub fn hidden(is_leaving: bool) {
        with_tracker(|tracker| tracker.hide(is_leaving));
    }

    /// The page is back from the back/forward cache.
    #[wasm_bindgen]
    pub fn shown() {
        with_tracker(Tracker::enter);
    }

    /// Half a minute has passed.
    #[wasm_bindgen]
    pub fn tick() {
        with_tracker(Tracker::tick);
    }

    /// Nobody else takes care of a document's logs.
    #[wasm_bindgen]
    pub fn adopt(document: String) {
        with_tracker(|tracker| tracker.adopt(document));
    }

    /// A request has ended; `status` 0: without an answer. `wait_ms`: how long the collector asked to wait.
    #[wasm_bindgen]
    pub fn landed(flight: u32, status: u16, wait_ms: f64) {
        with_tracker(|tracker| tracker.landed(flight, status, wait_ms));
    }
}
