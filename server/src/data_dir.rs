//! The folder that `--data` names: what lies where, its version, and the lock on it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use logdig_store::disk::{Disk, RealDisk};

/// The version of the layout below. A later version that reads differently gets the next number.
const FORMAT: u32 = 1;

/// A data folder that this process alone works on, until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    // Held, not read: the lock goes with the file, also when the process is killed.
    _lock: File,
}

/// Why a data folder can't be worked on.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process works on it.
    #[error("`{0}` is in use by another `logdig serve`; stop that one first, or name another folder with --data")]
    InUse(PathBuf),
    /// A later version of LogDig made it.
    #[error("`{dir}` has format {found:?}, and this version reads up to {FORMAT}: use the newer `logdig`")]
    TooNew {
        /// The folder.
        dir: PathBuf,
        /// What its file `format` says.
        found: String,
    },
    /// The file system refused.
    #[error("data folder `{path}`: {source}")]
    Io {
        /// What could not be read, written or locked.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the folder when there is none, and takes the lock.
    ///
    /// # Errors
    /// When another process holds it, a newer version made it, or the file system refuses.
    pub fn open(root: &Path) -> Result<DataDir, DataDirError> {
        std::fs::create_dir_all(root).map_err(at(root))?;
        let lock = lock(root)?;
        check_format(root)?;
        for dir in ["spool", "store", "aside"] {
            let dir = root.join(dir);
            RealDisk.create_dir(&dir).map_err(at(&dir))?;
        }
        RealDisk.sync_dir(root).map_err(at(root))?;
        Ok(DataDir { root: root.to_owned(), _lock: lock })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Logs that are durable and not yet in a stored file.
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// The stored files, a folder for each UTC day.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// What could not be read back after a crash, with its origin as name.
    pub fn aside(&self) -> PathBuf {
        self.root.join("aside")
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |source| DataDirError::Io { path, source }
}

fn lock(root: &Path) -> Result<File, DataDirError> {
    let path = root.join("lock");
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(root.to_owned())),
        Err(TryLockError::Error(source)) => Err(DataDirError::Io { path, source }),
    }
}

fn check_format(root: &Path) -> Result<(), DataDirError> {
    let path = root.join("format");
    match std::fs::read_to_string(&path) {
        // An empty file: the machine stopped while the folder was made.
        Ok(text) if text.trim().is_empty() => write_format(&path),
        Ok(text) if text.trim().parse::<u32>().is_ok_and(|found| found <= FORMAT) => Ok(()),
        Ok(text) => Err(DataDirError::TooNew { dir: root.to_owned(), found: text.trim().to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => write_format(&path),
        Err(source) => Err(DataDirError::Io { path, source }),
    }
}

fn write_format(path: &Path) -> Result<(), DataDirError> {
    let write = || {
        std::fs::write(path, format!("{FORMAT}\n"))?;
        File::open(path)?.sync_all()
    };
    write().map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("new").join("data");
        let first = DataDir::open(&root).unwrap();
        assert!(matches!(DataDir::open(&root), Err(DataDirError::InUse(_))));
        drop(first);
        DataDir::open(&root).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        drop(DataDir::open(dir.path()).unwrap());
        assert_eq!(std::fs::read_to_string(dir.path().join("format")).unwrap(), "1\n");
        for (text, is_fine) in [("1", true), ("", true), ("2\n", false), ("one", false), ("-1", false)] {
            std::fs::write(dir.path().join("format"), text).unwrap();
            assert_eq!(DataDir::open(dir.path()).is_ok(), is_fine, "{text:?}");
        }
    }
}
