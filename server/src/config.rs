//! Settings: one struct per concern, each a group of flags.
//!
//! A flag beats its variable `LOGDIG_*`, that beats the settings file (`logdig.toml`), that beats the default. clap does
//! the first two and the last; [`mod@file`] hands the file's values to clap as its defaults. So a setting has one name, one
//! check and one line of help, wherever it comes from.

pub mod data;
pub mod file;
pub mod http;
pub mod log;
pub mod queue;
pub mod seal;
pub mod store;
pub mod units;

pub use data::DataConfig;
pub use http::HttpConfig;
pub use log::LogConfig;
pub use queue::{DrainConfig, QueueConfig};
pub use seal::SealConfig;
pub use store::StoreConfig;
