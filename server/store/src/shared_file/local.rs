//! A shared file in a folder of this machine.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;

use super::{Look, SharedFile, SharedFileError, Version};

/// Looking costs one system call.
const LOOK_INTERVAL: Duration = Duration::from_millis(400);

/// A file of a folder, replaced by renaming. The folder must be there.
#[derive(Clone, Debug)]
pub struct LocalFile {
    path: PathBuf,
    is_secret: bool,
}

impl LocalFile {
    /// The file `name` of the folder `dir`.
    pub fn new(dir: &Path, name: &str) -> LocalFile {
        LocalFile { path: dir.join(name), is_secret: false }
    }

    /// The same for a secret: readable by its owner alone, and overwritten before it goes.
    pub fn secret(dir: &Path, name: &str) -> LocalFile {
        LocalFile { path: dir.join(name), is_secret: true }
    }

    /// What a new content is called until it is durable.
    fn passing(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".new");
        path.into()
    }

    fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LocalFile) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SharedFileError> {
        let file = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&file)).await;
        let done = done.unwrap_or_else(|stopped| Err(io::Error::other(stopped)));
        done.map_err(|source| SharedFileError { place: self.place(), source })
    }

    fn look_now(&self, known: Option<&Version>) -> io::Result<Look> {
        // The version first: what is replaced in between is found by the next look.
        let Some(version) = self.version()? else { return Ok(Look::Absent) };
        if known == Some(&version) {
            return Ok(Look::Same);
        }
        match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Look::Absent),
            content => Ok(Look::New { content: content?, version }),
        }
    }

    /// A replaced file has another inode, an edited one another time or length.
    fn version(&self) -> io::Result<Option<Version>> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            facts => {
                let facts = facts?;
                let (time, nanoseconds) = (facts.mtime(), facts.mtime_nsec());
                Ok(Some(Version(format!("{} {} {time}.{nanoseconds}", facts.ino(), facts.len()))))
            }
        }
    }

    /// Takes the folder's lock, so that nobody replaces what was compared.
    fn lock_known(&self, known: Option<&Version>) -> io::Result<Option<File>> {
        let folder = File::open(self.dir())?;
        folder.lock()?;
        Ok((self.version()?.as_ref() == known).then_some(folder))
    }

    fn replace_now(&self, content: &[u8], known: Option<&Version>) -> io::Result<Option<Version>> {
        let Some(folder) = self.lock_known(known)? else { return Ok(None) };
        if self.is_secret {
            self.wipe_all(&folder)?;
        }
        let passing = self.passing();
        let mut options = OpenOptions::new();
        let mut file = match self.is_secret {
            true => options.write(true).create_new(true).mode(0o600).open(&passing)?,
            false => options.write(true).create(true).truncate(true).open(&passing)?,
        };
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&passing, &self.path)?;
        folder.sync_all()?;
        self.version()
    }

    fn clear_now(&self, known: Option<&Version>) -> io::Result<bool> {
        let Some(folder) = self.lock_known(known)? else { return Ok(false) };
        self.wipe_all(&folder)?;
        Ok(true)
    }

    /// Also what a crash left half written.
    fn wipe_all(&self, folder: &File) -> io::Result<()> {
        wipe(&self.path, folder)?;
        wipe(&self.passing(), folder)
    }
}

/// Overwrites a file before it removes its name, so that nothing of it stays on disks that write in place.
fn wipe(path: &Path, folder: &File) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let n_bytes = file.metadata()?.len().min(4096);
    file.write_all(&vec![0; usize::try_from(n_bytes).unwrap_or_default()])?;
    file.sync_all()?;
    fs::remove_file(path)?;
    folder.sync_all()
}

#[async_trait]
impl SharedFile for LocalFile {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn look_interval(&self) -> Duration {
        LOOK_INTERVAL
    }

    async fn look(&self, known: Option<&Version>) -> Result<Look, SharedFileError> {
        let known = known.cloned();
        self.blocking(move |file| file.look_now(known.as_ref())).await
    }

    async fn replace(&self, content: &[u8], known: Option<&Version>) -> Result<Option<Version>, SharedFileError> {
        let (content, known) = (content.to_owned(), known.cloned());
        self.blocking(move |file| file.replace_now(&content, known.as_ref())).await
    }

    async fn clear(&self, known: Option<&Version>) -> Result<bool, SharedFileError> {
        let known = known.cloned();
        self.blocking(move |file| file.clear_now(known.as_ref())).await
    }
}
