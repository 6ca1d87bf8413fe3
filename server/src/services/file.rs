//! `services.json`: read by a running collector, replaced by the command line.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::{info, warn};

use super::{Service, ServiceError, Services};
use crate::random;

/// The file's name in the data folder.
const FILE_NAME: &str = "services.json";
/// A change is noticed within a second; looking costs one system call.
const LOOK_INTERVAL: Duration = Duration::from_millis(400);
/// Where the tokens of the first service may be used: a page on the same machine.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
/// 192 random bits.
const TOKEN_CHARS: usize = 32;

/// Why `services.json` could not be read or replaced.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system refused.
    #[error("`{path}`: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not JSON, or not of this form.
    #[error("`{path}` is not a list of services: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected there.
        source: serde_json::Error,
    },
    /// Services that are not valid together.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

#[derive(Deserialize, Serialize)]
struct Content {
    services: Vec<Service>,
}

/// A new token: random letters, digits, `-` and `_`, that need no escaping in a page.
pub fn new_token() -> String {
    random::text(TOKEN_CHARS)
}

/// Reads the services of a data folder; a missing file holds none.
///
/// # Errors
///
/// When the file can't be read or is not valid.
pub fn read(dir: &Path) -> Result<Services, FileError> {
    let path = dir.join(FILE_NAME);
    match fs::read(&path) {
        Ok(bytes) => parse(&path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Services::default()),
        Err(source) => Err(FileError::Io { path, source }),
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Services, FileError> {
    let content: Content =
        serde_json::from_slice(bytes).map_err(|source| FileError::Json { path: path.to_owned(), source })?;
    Ok(Services::new(content.services)?)
}

/// Changes the services of a data folder: all of the change is there afterwards, or none of it.
///
/// Two at a time wait for each other, so that neither loses the other's change.
///
/// # Errors
///
/// What `change` returns; or the file can't be read, is not valid, or can't be replaced.
pub fn change<T>(dir: &Path, change: impl FnOnce(&mut Services) -> Result<T, ServiceError>) -> Result<T, FileError> {
    let at_dir = |source| FileError::Io { path: dir.to_owned(), source };
    let folder = File::open(dir).map_err(at_dir)?;
    folder.lock().map_err(at_dir)?;
    let mut services = read(dir)?;
    let result = change(&mut services)?;
    replace(dir, &folder, &services).map_err(|source| FileError::Io { path: dir.join(FILE_NAME), source })?;
    Ok(result)
}

/// Makes the service `local`, for pages on the same machine, where no service was ever made.
///
/// # Errors
///
/// As [`change`].
pub fn create_first(dir: &Path) -> Result<(), FileError> {
    if dir.join(FILE_NAME).exists() {
        return Ok(());
    }
    change(dir, |services| services.add(local_service()).map(|_| ()))
}

fn local_service() -> Service {
    let origins = LOOPBACK_ORIGINS.map(|origin| origin.parse().expect("a loopback origin is one"));
    Service {
        id: "local".to_owned(),
        name: "local".to_owned(),
        tokens: vec![new_token()],
        origins: origins.into(),
        time_zone: "UTC".to_owned(),
        page_rules: vec![],
        goals: vec![],
    }
}

/// After a crash at any moment the old file is there or the new one, whole.
fn replace(dir: &Path, folder: &File, services: &Services) -> io::Result<()> {
    let content = Content { services: services.list().to_vec() };
    let mut bytes = serde_json::to_vec_pretty(&content)?;
    bytes.push(b'\n');
    let new = dir.join(format!("{FILE_NAME}.new"));
    let mut file = File::create(&new)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, dir.join(FILE_NAME))?;
    folder.sync_all()
}

/// The services as a running collector sees them: the newest valid content of the file.
#[derive(Debug)]
pub struct ServicesFile {
    path: PathBuf,
    current: RwLock<Arc<Services>>,
    seen: Mutex<Stamp>,
}

/// Tells one content of a file from the next: a replaced file has another inode, an edited one another time or length.
type Stamp = Option<(u64, u64, i64, i64)>;

impl ServicesFile {
    /// Reads the services of a data folder.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not valid.
    pub fn open(dir: &Path) -> Result<Self, FileError> {
        let path = dir.join(FILE_NAME);
        let stamp = stamp(&path);
        let services = read(dir)?;
        Ok(Self { path, current: RwLock::new(Arc::new(services)), seen: Mutex::new(stamp) })
    }

    /// The services now. They stay the same for as long as the caller holds them.
    pub fn current(&self) -> Arc<Services> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again if it has changed. What can't be read is told once; the last good content stays.
    pub fn refresh(&self) {
        let stamp = stamp(&self.path);
        if std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), stamp) == stamp {
            return;
        }
        match fs::read(&self.path).map_err(|source| FileError::Io { path: self.path.clone(), source }) {
            Ok(bytes) => self.take(parse(&self.path, &bytes)),
            Err(error) => self.take(Err(error)),
        }
    }

    fn take(&self, services: Result<Services, FileError>) {
        match services {
            Ok(services) => {
                info!(n_services = services.list().len(), "took the changed services");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(services);
            }
            Err(error) => warn!(%error, "kept the services as they were"),
        }
    }

    /// Looks for changes for as long as it is polled.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            ticks.tick().await;
            let file = self.clone();
            // A folder on a slow network must not hold up requests.
            if let Err(error) = tokio::task::spawn_blocking(move || file.refresh()).await {
                warn!(%error, "could not look for changed services");
            }
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    fs::metadata(path).ok().map(|meta| (meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn named(name: &str) -> Service {
        Service { id: name.to_owned(), name: name.to_owned(), ..local_service() }
    }

    fn names(services: &Services) -> Vec<&str> {
        services.list().iter().map(|service| service.name.as_str()).collect()
    }

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn makes_the_first_service_once() {
        let dir = folder();
        create_first(dir.path()).expect("an empty folder");
        let services = read(dir.path()).expect("valid");
        assert_eq!(names(&services), ["local"]);
        assert!(services.list()[0].allows("http://127.0.0.1:8301"));
        change(dir.path(), |services| services.remove("local")).expect("it is there");
        create_first(dir.path()).expect("a folder whose owner wants no service");
        assert_eq!(names(&read(dir.path()).expect("valid")), [""; 0]);
    }

    #[test]
    fn a_running_collector_takes_changes_and_keeps_the_last_good_content() {
        let dir = folder();
        create_first(dir.path()).expect("an empty folder");
        let file = ServicesFile::open(dir.path()).expect("valid");
        change(dir.path(), |services| services.add(named("shop")).map(|_| ())).expect("a free name");
        file.refresh();
        assert_eq!(names(&file.current()), ["local", "shop"]);
        for broken in ["{", "{}", r#"{"services":[{"id":"a"}]}"#] {
            fs::write(dir.path().join(FILE_NAME), broken).expect("written");
            file.refresh();
            assert_eq!(names(&file.current()), ["local", "shop"], "{broken}");
        }
        fs::remove_file(dir.path().join(FILE_NAME)).expect("removed");
        file.refresh();
        assert_eq!(names(&file.current()), ["local", "shop"]);
    }

    #[test]
    fn a_refused_change_leaves_the_file_alone() {
        let dir = folder();
        create_first(dir.path()).expect("an empty folder");
        let before = fs::read(dir.path().join(FILE_NAME)).expect("written");
        let error = change(dir.path(), |services| services.add(named("local")).map(|_| ())).expect_err("a taken name");
        assert_eq!(error.to_string(), "there is a service `local` already");
        assert_eq!(fs::read(dir.path().join(FILE_NAME)).expect("kept"), before);
    }

    #[test]
    fn keeps_what_it_does_not_read() {
        let dir = folder();
        let content = r#"{"services":[{"id":"a","name":"a","tokens":["t"],"origins":[],"page_rules":[{"of":"another version"}]}]}"#;
        fs::write(dir.path().join(FILE_NAME), content).expect("written");
        change(dir.path(), |services| services.add(named("b")).map(|_| ())).expect("a free name");
        let services = read(dir.path()).expect("valid");
        assert_eq!(services.list()[0].page_rules, [serde_json::json!({"of": "another version"})]);
        assert_eq!(services.list()[0].time_zone, "UTC");
    }

    #[test]
    fn tokens_are_long_and_fit_into_a_page() {
        let token = new_token();
        assert_eq!(token.len(), TOKEN_CHARS);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}
