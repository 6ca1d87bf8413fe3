//! The start of a spool: what an earlier process left is put in order before anything is accepted.

use std::{
    collections::HashSet,
    io::{self, BufRead, Read},
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use logdig_store::{Content, ContentHash, Day, ObjectKey, SealedBatch, Store, disk::Disk};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::{OpenError, SpoolOptions, names::SpoolName, segment, segment::Segment};
use crate::{
    clock::time_between,
    queue::repeats::{self, RepeatWindow},
    stored_line::StoredLine,
};

/// Longer lines are not whole: a body has 1 MiB at most, and escaping makes six bytes of one at worst.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Pieces in which a file is written again.
const PIECE_BYTES: usize = 256 * 1024;

/// What was found at the start, for people and for counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Logs in files that were still open.
    pub n_logs: u64,
    /// Logs there that were stored already.
    pub n_repeats: u64,
    /// Files that were sealed and not stored yet.
    pub n_sealed: u64,
    /// Bytes that were not whole lines; they are in `aside/` now. They were never acknowledged.
    pub n_bytes_aside: u64,
    /// Ids of stored logs that are remembered.
    pub n_ids: usize,
}

/// What a spool goes on with.
pub struct Recovered {
    pub open: Vec<(Day, Segment)>,
    pub sealed: Vec<SealedBatch>,
    pub repeats: RepeatWindow,
    pub next_n: u64,
    pub report: RecoveryReport,
}

/// Reads and tidies the spool's folder.
pub async fn recover(options: &SpoolOptions, store: &dyn Store) -> Result<Recovered, OpenError> {
    let now = (options.clock)();
    let names = sort_names(options)?;
    let repeats = repeats::rebuild(store, now).await?;
    let mut recovery = Recovery { options, now, repeats, report: RecoveryReport::default() };
    recovery.remember_sealed(&names.sealed)?;
    let mut open = Vec::new();
    for (day, n) in names.open {
        let path = options.dir.join(SpoolName::Open { day, n }.to_string());
        let seen = Survey::of(&*options.disk, &path).map_err(at(&path))?;
        let key = ObjectKey { day, sha256: seen.sha256.clone() };
        let is_sealed = names.sealed.contains(&key) || store.contains(&key).await?;
        if seen.n_logs == 0 && seen.n_bytes_rest == 0 || is_sealed && seen.n_bytes_rest == 0 {
            // Its renaming was not durable, but what came after it was: the same lines are in a sealed file.
            remove(options, &path)?;
            continue;
        }
        open.extend(recovery.renew(day, &path, &seen).map_err(at(&path))?.map(|segment| (day, segment)));
    }
    Ok(recovery.end(open, names.sealed, names.next_n))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let name = path.display().to_string();
    move |source| OpenError::Io { name, source }
}
