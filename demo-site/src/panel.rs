//! The flow panel: one line a log, from the click to the line in the file.
//!
//! `wire` reads what passes by, `ledger` works out how far each log has come, `words` says it. They know no browser.
//! `sources` and `collector` feed the ledger; `view`, `list`, `file` and `switches` show it.

pub mod ledger;
pub mod wire;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod collector;
#[cfg(target_arch = "wasm32")]
mod file;
#[cfg(target_arch = "wasm32")]
mod list;
#[cfg(target_arch = "wasm32")]
mod sources;
#[cfg(target_arch = "wasm32")]
mod switches;
#[cfg(target_arch = "wasm32")]
pub(crate) mod view;
