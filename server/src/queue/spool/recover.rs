//! The start of a spool: what an earlier process left is put in order before anything is accepted.

use std::{
    io::{self, BufRead, Read},
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use logdig_shared::limits::BODY_BYTES_MAX;
use logdig_store::{Content, Day, ObjectKey, SealedBatch, Store};
use tracing::{info, warn};

use super::{OpenError, SpoolOptions, names::SpoolName, segment, segment::Segment};
use crate::{
    clock::time_between,
    queue::repeats::{self, RepeatWindow},
    stored_line::StoredLine,
};

/// What is longer is no line of ours: a line is made of a body, and escaping makes six bytes of one at worst.
const LINE_BYTES_MAX: u64 = 8 * BODY_BYTES_MAX as u64;

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
    pub n_sealed: usize,
    /// Bytes from the first line on that was not whole. They were never acknowledged and are in `aside/` now.
    pub n_bytes_aside: u64,
    /// Ids of stored logs that are remembered.
    pub n_ids: usize,
}

/// What a spool goes on with.
pub struct Recovered {
    /// Ordered by day; of several of one day the last takes lines.
    pub open: Vec<(Day, Segment)>,
    pub sealed: Vec<SealedBatch>,
    pub repeats: RepeatWindow,
    pub next_n: u64,
    pub report: RecoveryReport,
}

/// Reads and tidies the spool's folder. Safe to be stopped anywhere and begun again.
pub async fn recover(options: &SpoolOptions, store: &dyn Store) -> Result<Recovered, OpenError> {
    let now = (options.clock)();
    let (mut sealed, mut open) = (Vec::new(), Vec::new());
    for name in tidy(options)? {
        match name {
            SpoolName::Open { day, n } => open.push((day, n)),
            SpoolName::Sealed(key) => sealed.push(key),
        }
    }
    open.sort();
    let next_n = open.iter().map(|(_, n)| n + 1).max().unwrap_or(0);
    let repeats = match options.rebuild_within {
        Some(bounds) => repeats::rebuild_within(bounds, store, now).await,
        None => repeats::rebuild(store, now).await?,
    };
    let mut recovery = Recovery { options, now, repeats, report: RecoveryReport::default() };
    recovery.remember(&sealed)?;
    let mut segments = Vec::new();
    for (day, n) in open {
        let path = options.dir.join(SpoolName::Open { day, n }.to_string());
        let segment = recovery.renew(&path).map_err(at(&path))?;
        segments.extend(segment.map(|segment| (day, segment)));
    }
    Ok(recovery.end(segments, sealed, next_n))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let name = path.display().to_string();
    move |source| OpenError::Io { name, source }
}

/// The names in the folder, after what attempts that failed left there is removed.
fn tidy(options: &SpoolOptions) -> Result<Vec<SpoolName>, OpenError> {
    // An earlier process may have failed to sync its last renaming. What is seen now must be what a power cut leaves,
    // before names are used anew and batches are handed out.
    options.disk.sync_dir(&options.dir).map_err(at(&options.dir))?;
    let mut ours = Vec::new();
    for name in options.disk.list(&options.dir).map_err(at(&options.dir))? {
        let path = options.dir.join(&name);
        match name.parse() {
            Ok(name) => ours.push(name),
            Err(_) if name == "probe" || name.ends_with(".mend") => options.disk.remove(&path).map_err(at(&path))?,
            Err(_) => warn!("`{}` is not a file of the spool and is left alone", path.display()),
        }
    }
    Ok(ours)
}

/// Reads up to the first line that is not whole.
fn for_each_whole_line(
    reader: &mut dyn BufRead,
    mut take: impl FnMut(&[u8], StoredLine) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        match StoredLine::read(&line) {
            Some(stored) => take(&line, stored)?,
            None => return Ok(()),
        }
    }
}

/// What of an open file was whole.
#[derive(Default)]
struct Whole {
    n_bytes: u64,
    /// When the first line that was copied had been received.
    first_at: Option<Timestamp>,
}

/// Lines on their way into a fresh file.
#[derive(Default)]
struct Piece {
    text: Vec<u8>,
    n_logs: u64,
}

impl Piece {
    fn add(&mut self, line: &[u8], target: &mut Segment) -> io::Result<()> {
        self.text.extend_from_slice(line);
        self.n_logs += 1;
        if self.text.len() < PIECE_BYTES { Ok(()) } else { self.write(target) }
    }

    fn write(&mut self, target: &mut Segment) -> io::Result<()> {
        target.append(&self.text)?;
        target.count(&self.text, self.n_logs, Duration::ZERO);
        *self = Piece::default();
        Ok(())
    }
}

struct Recovery<'a> {
    options: &'a SpoolOptions,
    now: Timestamp,
    repeats: RepeatWindow,
    report: RecoveryReport,
}

impl Recovery<'_> {
    /// Remembers the ids in files that wait to be stored.
    fn remember(&mut self, sealed: &[ObjectKey]) -> Result<(), OpenError> {
        let oldest = Day::of(self.now).before();
        for key in sealed.iter().filter(|key| key.day >= oldest) {
            let path = self.options.dir.join(SpoolName::Sealed(*key).to_string());
            let mut reader = self.options.disk.read(&path).map_err(at(&path))?;
            let remember = |_: &[u8], stored| {
                repeats::remember_recent(&mut self.repeats, stored, self.now);
                Ok(())
            };
            for_each_whole_line(&mut *reader, remember).map_err(at(&path))?;
        }
        Ok(())
    }

    /// Writes the whole lines of an open file into a fresh one, in its place; `None` when there are none.
    ///
    /// Never goes on with the old one: a sync of it may have failed, and then the kernel may take pages for clean that
    /// are not on the disk.
    fn renew(&mut self, path: &Path) -> io::Result<Option<Segment>> {
        let disk = &*self.options.disk;
        let passing = path.with_extension("mend");
        let mut fresh = Segment::of_file(segment::replace(disk, &passing)?, passing);
        let whole = self.copy_new_lines(path, &mut fresh)?;
        self.put_aside(path, whole.n_bytes)?;
        if fresh.n_logs() == 0 {
            disk.remove(fresh.path())?;
            disk.remove(path)?;
            disk.sync_dir(&self.options.dir)?;
            return Ok(None);
        }
        fresh.sync()?;
        fresh.rename(disk, path.to_owned())?;
        disk.sync_dir(&self.options.dir)?;
        fresh.set_age(time_between(whole.first_at.unwrap_or(self.now), self.now));
        self.report.n_logs += fresh.n_logs();
        Ok(Some(fresh))
    }

    /// Copies the whole lines that are not stored already.
    fn copy_new_lines(&mut self, path: &Path, fresh: &mut Segment) -> io::Result<Whole> {
        let mut whole = Whole::default();
        let mut piece = Piece::default();
        for_each_whole_line(&mut *self.options.disk.read(path)?, |line, stored| {
            whole.n_bytes += line.len() as u64;
            let received_at = stored.received_at.unwrap_or(self.now);
            if stored.key.is_some_and(|key| !self.repeats.remember(key, received_at)) {
                self.report.n_repeats += 1;
                return Ok(());
            }
            whole.first_at.get_or_insert(received_at);
            piece.add(line, fresh)
        })?;
        piece.write(fresh)?;
        Ok(whole)
    }

    /// Copies what follows the first `n_bytes_whole` bytes into `aside/`, durably.
    fn put_aside(&mut self, path: &Path, n_bytes_whole: u64) -> io::Result<()> {
        let disk = &*self.options.disk;
        let n_bytes = disk.facts(path)?.n_bytes.saturating_sub(n_bytes_whole);
        if n_bytes == 0 {
            return Ok(());
        }
        let origin = path.file_name().unwrap_or_default().to_string_lossy();
        let target = self.options.aside.join(format!("{origin}.{}", self.now.as_millisecond()));
        let mut source = disk.read(path)?;
        io::copy(&mut source.by_ref().take(n_bytes_whole), &mut io::sink())?;
        let mut file = segment::replace(disk, &target)?;
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        while source.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)? > 0 {
            file.append(&piece)?;
            piece.clear();
        }
        file.sync_data()?;
        disk.sync_dir(&self.options.aside)?;
        self.report.n_bytes_aside += n_bytes;
        warn!("put {n_bytes} bytes that are not whole lines aside, into `{}`", target.display());
        Ok(())
    }

    fn end(mut self, open: Vec<(Day, Segment)>, sealed: Vec<ObjectKey>, next_n: u64) -> Recovered {
        self.report.n_sealed = sealed.len();
        self.report.n_ids = self.repeats.n_ids();
        let RecoveryReport { n_logs, n_repeats, n_sealed, n_ids, .. } = self.report;
        info!(n_logs, n_repeats, n_sealed, n_ids, "spool is in order");
        let batch = |key: ObjectKey| {
            let path = self.options.dir.join(SpoolName::Sealed(key).to_string());
            SealedBatch { day: key.day, sha256: key.sha256, content: Content::File(path) }
        };
        let sealed = sealed.into_iter().map(batch).collect();
        Recovered { open, sealed, repeats: self.repeats, next_n, report: self.report }
    }
}
