//! What a queue hands to a store.

use std::path::PathBuf;

use crate::{ContentHash, Day, ObjectKey};

/// A batch whose cut is fixed for ever: the lines of one future object.
///
/// Fixed before the first attempt to store it, so that however often storing is tried, the object is the same.
#[derive(Clone, Debug)]
pub struct SealedBatch {
    /// The UTC day on which every line was received.
    pub day: Day,
    /// The SHA-256 of the content.
    pub sha256: ContentHash,
    /// The lines themselves.
    pub content: Content,
}

/// Where the lines of a batch are.
#[derive(Clone, Debug)]
pub enum Content {
    /// In a file, whole and durable. A local store may take the file itself: then it is gone from here.
    File(PathBuf),
    /// In memory.
    Bytes(Vec<u8>),
}

impl SealedBatch {
    /// The name that the batch gets in a store.
    pub fn key(&self) -> ObjectKey {
        ObjectKey { day: self.day, sha256: self.sha256 }
    }
}
