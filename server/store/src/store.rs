//! The contract of a store.

use std::io;

use jiff::Timestamp;

use crate::{ContentHash, Day, ObjectKey, SealedBatch};

/// Keeps sealed batches as objects that never change.
///
/// - `put` returns when the object is durable: nothing that happens to the machine afterwards loses it.
///   Putting what is there already is success and changes nothing.
///   It does not retry: the caller does, after asking [`StoreError::can_retry`].
///   (S3's SDK repeats a request that failed on the way, twice and within seconds.)
///   A future that is dropped, or a process that dies in it, leaves the object whole or absent, never a part of it.
/// - `list` and `days` give only names of the form of [`ObjectKey`]; whatever else lies in the store is passed over.
///   A day without objects lists as empty.
/// - All methods may be called from many tasks at once.
///
/// `contract` (feature `test-support`) holds each store to this.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Makes `batch` an object; on return it is durable.
    async fn put(&self, batch: &SealedBatch) -> Result<(), StoreError>;

    /// The whole content of an object. Objects are as large as the sealing rule lets them be: 64 MiB by default.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no such object, [`StoreError::Damaged`] when its content is not what its
    /// name says.
    async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError>;

    /// The objects of a day, in the order of their names.
    async fn list(&self, day: Day) -> Result<Vec<ObjectInfo>, StoreError>;

    /// The days that have a place in the store, oldest first. A day may be listed though it holds no object.
    async fn days(&self) -> Result<Vec<Day>, StoreError>;
}

/// What a listing tells about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: ObjectKey,
    /// Its length in bytes.
    pub n_bytes: u64,
    /// No log in it was received after this instant. Source: the file's or object's time of last change.
    pub changed_at: Timestamp,
}

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("object `{key}` is not in the store")]
    Absent {
        /// What was asked for.
        key: ObjectKey,
    },
    /// The file that holds the batch is gone, and the store does not have the object either.
    #[error("object `{key}` not written: its file `{path}` is gone")]
    SourceGone {
        /// What should have been written.
        key: ObjectKey,
        /// Where the batch should have been.
        path: String,
    },
    /// The content is not what was put.
    #[error("object `{key}` is damaged: the SHA-256 of its content is {found}")]
    Damaged {
        /// What was asked for.
        key: ObjectKey,
        /// What was found under its name.
        found: ContentHash,
    },
    /// The storage is elsewhere, and refused or could not be reached.
    #[error("{what} `{name}` failed: {reason}")]
    Remote {
        /// What was done, e.g. `writing object`.
        what: &'static str,
        /// To which object, day or place, with the place's own name; e.g. `s3://bucket/site/2026-11-25/…`.
        name: String,
        /// What the other side answered, or why there was no answer.
        reason: String,
        /// Whether the same call may succeed later. A place that is away, busy, not there or denied may change.
        can_retry: bool,
    },
    /// The storage itself failed.
    #[error("{what} `{name}` failed: {source}")]
    Io {
        /// What was done, e.g. `writing object`.
        what: &'static str,
        /// To which object, day or folder.
        name: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn can_retry(&self) -> bool {
        matches!(self, StoreError::Io { .. } | StoreError::Remote { can_retry: true, .. })
    }
}

/// Holds what was read to its name.
pub(crate) fn verified(key: ObjectKey, content: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let found = ContentHash::of(&content);
    if found == key.sha256 { Ok(content) } else { Err(StoreError::Damaged { key, found }) }
}
