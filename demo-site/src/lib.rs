//! A small shop that shows the path of every log.
//!
//! The shop (`routes`, `goods`, `basket`) loads the packed tracker by a script tag, as a customer's site would, and tells
//! it what only a shop knows (`owner`): orders, an experiment, who signed in, what the visitor allows.
//! The panel beside it (`panel`) looks on from outside, with what any script of the page could see: the keys of the
//! tracker's queue in localStorage, its POSTs on their way out and back, and the collector's answers in demo mode.
//! It never touches what it watches.
//!
//! Everything but the panel's bookkeeping needs a browser and is built for wasm32 only; natively this crate is the
//! ledger and its tests.

pub mod panel;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod basket;
#[cfg(target_arch = "wasm32")]
mod goods;
#[cfg(target_arch = "wasm32")]
mod keep;
#[cfg(target_arch = "wasm32")]
mod owner;
#[cfg(target_arch = "wasm32")]
mod routes;
#[cfg(target_arch = "wasm32")]
mod theme;
