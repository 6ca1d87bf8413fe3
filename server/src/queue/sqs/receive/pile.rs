//! The lines of one day, gathered in a file that is to become a stored object.

use std::{
    collections::HashMap,
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use logdig_store::{ContentHash, Day};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::shelf::MessageKey;
use crate::{
    clock::time_between,
    queue::{seal::OpenBatch, sqs::message::Unpacked},
};

/// How the files are called, until they are stored.
const PREFIX: &str = "logdig-batch-";
/// SQS hides a message for 12 hours at most, so nobody works on a file that is older.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// A file that grows, and the messages that its lines came in.
pub struct Pile {
    day: Day,
    file: NamedTempFile,
    hasher: Sha256,
    n_bytes: u64,
    n_logs: u64,
    oldest: Timestamp,
    /// What each message is deleted by.
    pub receipts: HashMap<MessageKey, String>,
}

/// Removes what batchers that were killed left behind.
pub fn sweep(scratch: &Path) {
    let Ok(entries) = fs::read_dir(scratch) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let changed = entry.metadata().and_then(|facts| facts.modified());
        let is_old = changed.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > LEFT_BEHIND));
        if is_ours && is_old {
            // Whoever may not remove it did not make it.
            drop(fs::remove_file(entry.path()));
        }
    }
}

impl Pile {
    pub fn new(day: Day, scratch: &Path) -> io::Result<Pile> {
        // Readable as other stored files are: it may become one itself.
        let permissions = Permissions::from_mode(0o666);
        let file = tempfile::Builder::new().prefix(PREFIX).permissions(permissions).tempfile_in(scratch)?;
        Ok(Pile {
            day,
            file,
            hasher: Sha256::new(),
            n_bytes: 0,
            n_logs: 0,
            oldest: Timestamp::MAX,
            receipts: HashMap::new(),
        })
    }

    /// Adds a message's lines. After an error the pile is of no use any more.
    pub fn add(&mut self, key: MessageKey, receipt: String, unpacked: &Unpacked) -> io::Result<()> {
        self.file.write_all(unpacked.lines.as_bytes())?;
        self.hasher.update(unpacked.lines.as_bytes());
        self.n_bytes += unpacked.lines.len() as u64;
        self.n_logs += unpacked.n_logs;
        self.oldest = self.oldest.min(unpacked.oldest);
        self.receipts.insert(key, receipt);
        Ok(())
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    pub fn n_logs(&self) -> u64 {
        self.n_logs
    }

    /// What the sealing rule looks at. A log's age is counted from when a collector received it.
    pub fn as_open_batch(&self, now: Timestamp) -> OpenBatch {
        OpenBatch { day: self.day, n_logs: self.n_logs, n_bytes: self.n_bytes, age: time_between(self.oldest, now) }
    }

    /// Fixes the cut: the file is durable and will not change.
    pub fn seal(self) -> io::Result<(NamedTempFile, ContentHash, HashMap<MessageKey, String>)> {
        self.file.as_file().sync_data()?;
        Ok((self.file, ContentHash::from(self.hasher), self.receipts))
    }
}
