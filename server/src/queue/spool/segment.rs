//! One file of the spool while lines are appended to it.

use std::{
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use logdig_store::{ContentHash, disk::Disk, disk::DiskFile};
use sha2::{Digest, Sha256};

/// A file that is to become a stored object, and what of it is durable.
///
/// All the numbers tell of what was committed. Whatever lies behind that in the file was never acknowledged.
pub struct Segment {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    /// Cleared when the file may hold something else than it should, or may not be on the disk though a later sync
    /// would say so. Then nothing is appended before [`mend`](Segment::mend) succeeds.
    is_trusted: bool,
    n_bytes: u64,
    n_logs: u64,
    hasher: Sha256,
    first_log_at: Duration,
    age_at_first_log: Duration,
}

impl Segment {
    /// Makes an empty file, durably.
    pub fn create(disk: &dyn Disk, path: PathBuf) -> io::Result<Segment> {
        let file = disk.create(&path)?;
        if let Err(error) = disk.sync_dir(folder_of(&path)) {
            // The name is not used again, so what is left of it does no harm; it is removed at the next start.
            drop(disk.remove(&path));
            return Err(error);
        }
        Ok(Segment::of_file(file, path))
    }

    /// A segment in a file that is there, durable and empty.
    pub fn of_file(file: Box<dyn DiskFile>, path: PathBuf) -> Segment {
        Segment {
            path,
            file,
            is_trusted: true,
            n_bytes: 0,
            n_logs: 0,
            hasher: Sha256::new(),
            first_log_at: Duration::ZERO,
            age_at_first_log: Duration::ZERO,
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The durable length in bytes.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// How many durable logs there are.
    pub fn n_logs(&self) -> u64 {
        self.n_logs
    }

    /// The hash of the durable content.
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::from(self.hasher.clone())
    }

    /// How long the first log has been here, `now` being running time.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.first_log_at) + self.age_at_first_log
    }

    /// Takes the first log for as old as it was when this process began.
    pub fn set_age(&mut self, age: Duration) {
        self.age_at_first_log = age;
    }

    /// Appends whole lines and makes them durable; on an error none of them counts.
    pub fn commit(&mut self, lines: &[u8], n_logs: u64, now: Duration) -> io::Result<()> {
        debug_assert!(self.is_trusted, "mend comes first");
        self.append(lines)?;
        self.sync()?;
        self.count(lines, n_logs, now);
        Ok(())
    }

    /// Writes at the end; a failed write is taken back.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes).inspect_err(|_| {
            self.is_trusted = self.file.truncate(self.n_bytes).is_ok();
        })
    }

    /// Makes what was written durable.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data().inspect_err(|_| self.is_trusted = false)
    }

    /// Notes that `lines` are, or are about to be, part of the durable content.
    pub fn count(&mut self, lines: &[u8], n_logs: u64, now: Duration) {
        if self.n_logs == 0 {
            self.first_log_at = now;
        }
        self.hasher.update(lines);
        self.n_bytes += lines.len() as u64;
        self.n_logs += n_logs;
    }

    /// Makes a file that is not trusted any more good again, by a copy of what was committed.
    ///
    /// A sync of the old file would prove nothing: after a failed one the kernel takes pages for clean that were never
    /// written. So the content goes into a fresh file, which takes the old one's name when it is durable.
    pub fn mend(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if self.is_trusted {
            return Ok(());
        }
        let passing = self.path.with_extension("mend");
        let mut fresh = replace(disk, &passing)?;
        self.copy_committed(disk, &mut *fresh)?;
        fresh.sync_data()?;
        disk.rename(&passing, &self.path)?;
        disk.sync_dir(folder_of(&self.path))?;
        self.file = fresh;
        self.is_trusted = true;
        Ok(())
    }

    fn copy_committed(&self, disk: &dyn Disk, target: &mut dyn DiskFile) -> io::Result<()> {
        let mut source = disk.read(&self.path)?.take(self.n_bytes);
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let n_bytes = source.read(&mut buffer)?;
            if n_bytes == 0 {
                break;
            }
            hasher.update(&buffer[..n_bytes]);
            target.append(&buffer[..n_bytes])?;
        }
        if ContentHash::from(hasher) != self.content_hash() {
            let words = format!("`{}` does not hold what was synced to it", self.path.display());
            return Err(io::Error::new(ErrorKind::InvalidData, words));
        }
        Ok(())
    }

    /// Gives the file its last name; the caller syncs the folder.
    pub fn rename(&mut self, disk: &dyn Disk, to: PathBuf) -> io::Result<()> {
        if self.path != to {
            disk.rename(&self.path, &to)?;
            self.path = to;
        }
        Ok(())
    }
}

/// Makes a new file in place of one that may be left from an attempt that failed.
pub fn replace(disk: &dyn Disk, path: &Path) -> io::Result<Box<dyn DiskFile>> {
    match disk.remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => disk.create(path),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("a segment lies in the spool's folder")
}

#[cfg(test)]
mod tests {
    use logdig_store::disk::RealDisk;

    use super::*;

    #[test]
    fn mends_by_a_copy_of_what_was_committed() {
        let dir = tempfile::tempdir().unwrap();
        let mut segment = Segment::create(&RealDisk, dir.path().join("2026-11-25.0.open")).unwrap();
        segment.commit(b"{}\n", 1, Duration::ZERO).unwrap();
        segment.file.append(b"never synced").unwrap();
        segment.is_trusted = false;
        segment.mend(&RealDisk).unwrap();
        segment.commit(b"[]\n", 1, Duration::ZERO).unwrap();
        assert_eq!(std::fs::read(segment.path()).unwrap(), b"{}\n[]\n");
        assert_eq!(segment.content_hash(), ContentHash::of(b"{}\n[]\n"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn is_not_mended_from_a_file_that_holds_something_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut segment = Segment::create(&RealDisk, dir.path().join("2026-11-25.0.open")).unwrap();
        segment.commit(b"{}\n", 1, Duration::ZERO).unwrap();
        segment.is_trusted = false;
        for content in ["", "[]\n"] {
            std::fs::write(segment.path(), content).unwrap();
            assert_eq!(segment.mend(&RealDisk).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        assert!(!segment.is_trusted);
    }
}
