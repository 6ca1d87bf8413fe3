//! The log types that the tracker (wasm) and the collector (native) both compile against.
//!
//! No clock, no I/O, no environment. In reading order:
//!
//! - [`event`]: a log and its fields, one table.
//! - [`limits`]: every cap that both sides agree on.
//! - [`envelope`]: what the tracker sends.
//! - [`line`](mod@line): a log as it rests in a file.
//! - [`json`]: the writer beneath both, small enough for a page.
//! - `read` (feature `read`): what the collector and all readers of files use.
#![no_std]
extern crate alloc;

pub mod envelope;
pub mod event;
pub mod json;
pub mod limits;
pub mod line;
#[cfg(feature = "read")]
pub mod read;

pub use event::{Event, Field, Kind};
