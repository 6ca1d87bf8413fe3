//! Where sealed batches of logs are kept.
//!
//! A store holds objects that never change. An object is one sealed batch: lines of one UTC day.
//! Its key says all of it: `2026-11-25/<64 hex digits>`, the day and the SHA-256 of the content, so anybody can
//! prove a store with `sha256sum` alone.
//!
//! - [`Store`] is the contract; [`LocalStore`] is a folder, `S3Store` (feature `s3`) is a bucket, [`MemoryStore`] is for
//!   tests. [`StoreAddress`] says which, as people write it.
//! - [`SharedFile`] is a small file beside the logs that all collectors share.
//! - [`Day`], [`ContentHash`] and [`ObjectKey`] are what names are made of.
//! - [`disk`] is the little of a file system that the store and the spool need, with each step that can fail on its
//!   own, so that tests can put a disk behind it that loses what was not synced.

mod address;
#[cfg(feature = "aws")]
pub mod aws;
mod batch;
mod day;
pub mod disk;
mod key;
mod local;
mod memory;
#[cfg(feature = "s3")]
mod s3;
pub mod shared_file;
mod store;

pub use address::{AddressError, S3Address, StoreAddress};
pub use batch::{Content, SealedBatch};
pub use day::{Day, DayError};
pub use key::{ContentHash, KeyError, ObjectKey};
pub use local::LocalStore;
pub use memory::MemoryStore;
#[cfg(feature = "s3")]
pub use s3::{S3File, S3Store};
pub use shared_file::{LocalFile, SHARED_FOLDER, SharedFile};
pub use store::{ObjectInfo, Store, StoreError};

#[cfg(any(test, feature = "test-support"))]
pub mod contract;
#[cfg(any(test, feature = "test-support"))]
pub mod shared_file_contract;
