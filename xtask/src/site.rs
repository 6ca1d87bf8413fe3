//! The demo site.

/// Plain wasm with the standard library.
pub const TARGET: &str = "wasm32-unknown-unknown";
