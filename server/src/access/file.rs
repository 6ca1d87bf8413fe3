//! `access.json`: read by running servers, replaced by them and by the command line.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use logdig_store::shared_file::{Look, SharedFileError, Version};
use logdig_store::{LocalFile, SharedFile};
use thiserror::Error;

use super::{Access, ChangeError};

/// The file's name, in the data folder of the machine that is read from. Only its owner may read it.
pub const FILE_NAME: &str = "access.json";
/// Each attempt fails only when somebody else's succeeded.
const N_ATTEMPTS: usize = 20;

/// Why `access.json` could not be read or replaced.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The system refused.
    #[error(transparent)]
    File(#[from] SharedFileError),
    /// Not JSON, or not of this form.
    #[error("`{place}` is not a list of users and keys: {source}")]
    Json {
        /// The file.
        place: String,
        /// Where, and what was expected there.
        source: serde_json::Error,
    },
    /// Others change it all the time.
    #[error("`{0}` was changed by others again and again; try once more")]
    Contended(String),
    /// The change makes no sense.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// All who may read, as the file says now.
#[derive(Debug)]
pub struct AccessFile {
    file: LocalFile,
    seen: Mutex<(Option<Version>, Access)>,
}

impl AccessFile {
    /// The file of a data folder. It need not be there: then nobody may read.
    pub fn new(data: &Path) -> Self {
        Self { file: LocalFile::secret(data, FILE_NAME), seen: Mutex::default() }
    }

    /// What the file says now. Where it has not changed since the last time, this is one system call.
    ///
    /// # Errors
    /// When it can't be read, or is no such file.
    pub async fn read(&self) -> Result<Access, AccessError> {
        let known = self.seen.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        let seen = match self.file.look(known.as_ref()).await? {
            Look::Same => return Ok(self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.clone()),
            Look::Absent => (None, Access::default()),
            Look::New { content, version } => (Some(version), self.parse(&content)?),
        };
        let access = seen.1.clone();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(access)
    }

    /// Changes it: all of the change is there afterwards, or none of it. Where somebody else changes it at the same
    /// time, `change` is asked again, of what is there then.
    ///
    /// # Errors
    /// What `change` returns; or the file can't be read or replaced.
    pub async fn change<T>(&self, change: impl Fn(&mut Access) -> Result<T, ChangeError>) -> Result<T, AccessError> {
        for _ in 0..N_ATTEMPTS {
            let (mut access, version) = match self.file.look(None).await? {
                Look::New { content, version } => (self.parse(&content)?, Some(version)),
                Look::Absent | Look::Same => (Access::default(), None),
            };
            let result = change(&mut access)?;
            if self.file.replace(&print(&access), version.as_ref()).await?.is_some() {
                return Ok(result);
            }
        }
        Err(AccessError::Contended(self.file.place()))
    }

    fn parse(&self, content: &[u8]) -> Result<Access, AccessError> {
        serde_json::from_slice(content).map_err(|source| AccessError::Json { place: self.file.place(), source })
    }
}

fn print(access: &Access) -> Vec<u8> {
    let mut content = serde_json::to_vec_pretty(access).expect("texts are JSON");
    content.push(b'\n');
    content
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{Role, Scope};
    use super::*;

    #[tokio::test]
    async fn changes_are_seen_by_others_and_only_the_owner_may_read_the_file() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (one, other) = (AccessFile::new(dir.path()), AccessFile::new(dir.path()));
        assert!(other.read().await.expect("none").users().is_empty());
        let now = "2026-11-25T12:00:00Z".parse().expect("an instant");
        one.change(|access| access.add_user("kim", Role::Owner, Scope::default(), now)).await.expect("a free name");
        assert_eq!(other.read().await.expect("whole").users()[0].name, "kim");
        assert_eq!(other.read().await.expect("whole").users().len(), 1, "unchanged since");
        let mode = std::fs::metadata(dir.path().join(FILE_NAME)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(dir.path().join(FILE_NAME), "{").expect("writable");
        let error = other.read().await.expect_err("no JSON").to_string();
        assert!(error.contains("access.json` is not a list of users and keys"), "{error}");
    }
}
