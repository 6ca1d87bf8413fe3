//! The little of a file system that durable storage needs.
//!
//! Each step that can fail, or that a power cut can undo, is a call of its own. [`RealDisk`] is the machine's file
//! system; `sim` (feature `test-support`) is a disk in memory that loses what was not synced.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

use jiff::Timestamp;

#[cfg(any(test, feature = "test-support"))]
pub mod sim;

/// A file system, as far as it is used here.
///
/// What a power cut leaves: of a file, what [`DiskFile::sync_data`] returned `Ok` for, and any part of what was
/// written later; of names, what [`Disk::sync_dir`] returned `Ok` for, and any of the later changes. A rename is
/// there as a whole or not at all.
///
/// After a failed `sync_data` the file is not to be believed any more: the kernel may take the pages for clean
/// though they were never written, so a later sync answers `Ok` for nothing.
pub trait Disk: Send + Sync {
    /// Makes a new, empty file for appending; it is an error if there is one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes a folder; one that is there already is fine.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Opens a file for reading from its start.
    fn read(&self, path: &Path) -> io::Result<Box<dyn BufRead + Send>>;
    /// Length and age of a file.
    fn facts(&self, path: &Path) -> io::Result<FileFacts>;
    /// The names in a folder, in no order. Names that are not UTF-8 are none of ours and are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Gives a file another name on the same file system, in place of a file that has it already.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes what happened to the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file that is written only at its end.
pub trait DiskFile: Send {
    /// Writes all of `bytes` at the end. After an error any part of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable, with the file's length.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Cuts the file to its first `n_bytes`.
    fn truncate(&mut self, n_bytes: u64) -> io::Result<()>;
}

/// What a folder says of a file.
#[derive(Clone, Copy, Debug)]
pub struct FileFacts {
    /// Length in bytes.
    pub n_bytes: u64,
    /// When the content changed last.
    pub changed_at: Timestamp,
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Box::new(file))
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        match std::fs::create_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            made => made,
        }
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(Box::new(BufReader::with_capacity(256 * 1024, File::open(path)?)))
    }

    fn facts(&self, path: &Path) -> io::Result<FileFacts> {
        let facts = std::fs::metadata(path)?;
        let changed_at = Timestamp::try_from(facts.modified()?).map_err(io::Error::other)?;
        Ok(FileFacts { n_bytes: facts.len(), changed_at })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn truncate(&mut self, n_bytes: u64) -> io::Result<()> {
        self.set_len(n_bytes)
    }
}
