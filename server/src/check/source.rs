//! Where the files to be checked are.

use std::{
    io::{self, BufRead, ErrorKind},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use logdig_store::{
    Day, ObjectKey,
    disk::{Disk, RealDisk},
};

use super::CheckError;

/// A file that is read line by line.
pub type Reader = Box<dyn BufRead + Send>;

/// All that lies in a store, whatever its name.
#[async_trait]
pub trait Source: Sync {
    /// The names of a day, or at the top, sorted.
    async fn names(&self, day: Option<Day>) -> Result<Vec<String>, CheckError>;

    /// Opens a file.
    async fn open(&self, key: ObjectKey) -> io::Result<Reader>;
}

/// A store in a folder.
pub struct Folder(pub PathBuf);

#[async_trait]
impl Source for Folder {
    async fn names(&self, day: Option<Day>) -> Result<Vec<String>, CheckError> {
        list(&day.map_or_else(|| self.0.clone(), |day| self.0.join(day.to_string())))
    }

    async fn open(&self, key: ObjectKey) -> io::Result<Reader> {
        RealDisk.read(&self.0.join(key.to_string()))
    }
}

/// The names in a folder, sorted; a folder that is not there has none.
pub fn list(dir: &Path) -> Result<Vec<String>, CheckError> {
    match RealDisk.list(dir) {
        Ok(mut names) => {
            names.sort();
            Ok(names)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(CheckError::Io { dir: dir.to_owned(), source }),
    }
}

/// A store in a bucket; what is read of it is in memory as a whole, a file at a time.
#[cfg(feature = "aws")]
#[async_trait]
impl Source for logdig_store::S3Store {
    async fn names(&self, day: Option<Day>) -> Result<Vec<String>, CheckError> {
        let folder = day.map(|day| format!("{day}/")).unwrap_or_default();
        let names = logdig_store::S3Store::names(self, &folder).await?;
        // Days are folders; the collectors' shared files have one of their own.
        let own = names.into_iter().filter(|name| day.is_some() || name != logdig_store::SHARED_FOLDER);
        Ok(own.map(|name| name.strip_suffix('/').map(str::to_owned).unwrap_or(name)).collect())
    }

    async fn open(&self, key: ObjectKey) -> io::Result<Reader> {
        let content = self.read(&key).await.map_err(io::Error::other)?;
        Ok(Box::new(io::Cursor::new(content)))
    }
}
