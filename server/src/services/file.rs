//! `services.json`: read by running collectors, replaced by the command line.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use logdig_store::shared_file::{Look, SharedFileError, Version};
use logdig_store::{LocalFile, SharedFile};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::{info, warn};

use super::{Service, ServiceError, Services};
use crate::random;

/// The file's name, in the data folder or beside the logs in a bucket.
pub const FILE_NAME: &str = "services.json";
/// The last good content of a file elsewhere, in the data folder.
const COPY_NAME: &str = "services.copy.json";
/// Where the tokens of the first service may be used: a page on the same machine.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
/// 192 random bits.
const TOKEN_CHARS: usize = 32;
/// Each attempt fails only when somebody else's succeeded.
const N_ATTEMPTS: usize = 20;

/// Why `services.json` could not be read or replaced.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system, or the other side, refused.
    #[error(transparent)]
    Access(#[from] SharedFileError),
    /// Not JSON, or not of this form.
    #[error("`{place}` is not a list of services: {source}")]
    Json {
        /// The file.
        place: String,
        /// Where, and what was expected there.
        source: serde_json::Error,
    },
    /// The file is gone.
    #[error("`{0}` is gone")]
    Gone(String),
    /// Others change it all the time.
    #[error("`{0}` was changed by others again and again; try once more")]
    Contended(String),
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

/// Reads the services; a missing file holds none.
///
/// # Errors
///
/// When the file can't be read or is not valid.
pub async fn read(file: &dyn SharedFile) -> Result<Services, FileError> {
    Ok(read_with_version(file).await?.0)
}

async fn read_with_version(file: &dyn SharedFile) -> Result<(Services, Option<Version>), FileError> {
    match file.look(None).await? {
        Look::New { content, version } => Ok((parse(&file.place(), &content)?, Some(version))),
        Look::Absent | Look::Same => Ok((Services::default(), None)),
    }
}

fn parse(place: &str, bytes: &[u8]) -> Result<Services, FileError> {
    let content: Content =
        serde_json::from_slice(bytes).map_err(|source| FileError::Json { place: place.to_owned(), source })?;
    Ok(Services::new(content.services)?)
}

fn print(services: &Services) -> Vec<u8> {
    let content = Content { services: services.list().to_vec() };
    let mut bytes = serde_json::to_vec_pretty(&content).expect("texts and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

/// Changes the services: all of the change is there afterwards, or none of it.
///
/// When somebody else changes them at the same time, `change` is asked again, of what is there then.
///
/// # Errors
///
/// What `change` returns; or the file can't be read, is not valid, or can't be replaced.
pub async fn change<T>(
    file: &dyn SharedFile,
    change: impl Fn(&mut Services) -> Result<T, ServiceError>,
) -> Result<T, FileError> {
    for _ in 0..N_ATTEMPTS {
        let (mut services, version) = read_with_version(file).await?;
        let result = change(&mut services)?;
        if file.replace(&print(&services), version.as_ref()).await?.is_some() {
            return Ok(result);
        }
    }
    Err(FileError::Contended(file.place()))
}

/// Makes the first services where there never were any: those of the file `before`, which an owner had until now, or
/// the service `local`, for pages on the same machine.
///
/// # Errors
///
/// When the file can't be read or written.
pub async fn create_first(file: &dyn SharedFile, before: Option<&dyn SharedFile>) -> Result<(), FileError> {
    if !matches!(file.look(None).await?, Look::Absent) {
        return Ok(());
    }
    let mut services = match before {
        Some(before) => read(before).await?,
        None => Services::default(),
    };
    if services.list().is_empty() {
        services.add(local_service())?;
    }
    // Where another collector was quicker, its services are the first.
    file.replace(&print(&services), None).await?;
    Ok(())
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

/// The services as a running collector sees them: the newest valid content of the file.
#[derive(Debug)]
pub struct ServicesFile {
    file: Arc<dyn SharedFile>,
    /// Where the last good content is kept, when the file is elsewhere.
    copy: Option<LocalFile>,
    current: RwLock<Arc<Services>>,
    seen: Mutex<Seen>,
}

/// What the last look saw.
#[derive(Debug, Default)]
struct Seen {
    version: Option<Version>,
    /// Whether it is told that the file can't be had.
    is_told: bool,
}

impl ServicesFile {
    /// Reads the services of a file on this machine.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is not valid.
    pub async fn open(file: Arc<dyn SharedFile>) -> Result<Self, FileError> {
        let (services, version) = read_with_version(&*file).await?;
        Ok(Self::new(file, None, services, version))
    }

    /// Reads the services of a file elsewhere, which is made when there is none. What can't be had, now or later, is
    /// made up for by the last good content, which is kept in the folder `data`.
    ///
    /// # Errors
    ///
    /// When the file can't be had and there is no last good content.
    pub async fn open_elsewhere(file: Arc<dyn SharedFile>, data: PathBuf) -> Result<Self, FileError> {
        let copy = LocalFile::new(&data, COPY_NAME);
        let before = LocalFile::new(&data, FILE_NAME);
        let read = async {
            create_first(&*file, Some(&before)).await?;
            read_with_version(&*file).await
        };
        match read.await {
            Ok((services, version)) => {
                let this = Self::new(file, Some(copy), services, version);
                this.keep_copy().await;
                Ok(this)
            }
            Err(error) => {
                let Look::New { content, .. } = copy.look(None).await? else { return Err(error) };
                let services = parse(&copy.place(), &content)?;
                warn!(%error, "took the last good services, `{}`", copy.place());
                let this = Self::new(file, Some(copy), services, None);
                this.seen.lock().unwrap_or_else(PoisonError::into_inner).is_told = true;
                Ok(this)
            }
        }
    }

    /// Services that are as they are, for tests.
    #[cfg(test)]
    pub fn fixed(services: Services) -> Self {
        Self::new(Arc::new(LocalFile::new("/nowhere".as_ref(), FILE_NAME)), None, services, None)
    }

    fn new(file: Arc<dyn SharedFile>, copy: Option<LocalFile>, services: Services, version: Option<Version>) -> Self {
        let seen = Seen { version, is_told: false };
        Self { file, copy, current: RwLock::new(Arc::new(services)), seen: Mutex::new(seen) }
    }

    /// The services now. They stay the same for as long as the caller holds them.
    pub fn current(&self) -> Arc<Services> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again if it has changed. What can't be read is told once; the last good content stays.
    pub async fn refresh(&self) {
        let known = self.seen.lock().unwrap_or_else(PoisonError::into_inner).version.clone();
        match self.file.look(known.as_ref()).await {
            Ok(Look::Same) => self.saw(known),
            Ok(Look::New { content, version }) => {
                self.saw(Some(version));
                self.take(parse(&self.file.place(), &content)).await;
            }
            Ok(Look::Absent) => self.tell(&FileError::Gone(self.file.place())),
            Err(error) => self.tell(&error.into()),
        }
    }

    fn saw(&self, version: Option<Version>) {
        let seen = Seen { version, is_told: false };
        let before = std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), seen);
        if before.is_told {
            info!("`{}` can be read again", self.file.place());
        }
    }

    async fn take(&self, services: Result<Services, FileError>) {
        match services {
            Ok(services) => {
                info!(n_services = services.list().len(), "took the changed services");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(services);
                self.keep_copy().await;
            }
            // Told once, since this version is seen.
            Err(error) => warn!(%error, "kept the services as they were"),
        }
    }

    /// The file can't be had. Told once, until it can.
    fn tell(&self, error: &FileError) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut seen.is_told, true) {
            warn!(%error, "kept the services as they were");
        }
    }

    /// Keeps the current services on this machine, for a start on a day on which the file can't be had.
    async fn keep_copy(&self) {
        let Some(copy) = &self.copy else { return };
        let bytes = print(&self.current());
        let kept = async {
            let version = match copy.look(None).await? {
                Look::New { content, .. } if content == bytes => return Ok(()),
                Look::New { version, .. } => Some(version),
                Look::Absent | Look::Same => None,
            };
            copy.replace(&bytes, version.as_ref()).await.map(drop)
        };
        let kept: Result<(), SharedFileError> = kept.await;
        if let Err(error) = kept {
            warn!(%error, "could not keep a copy of the services");
        }
    }

    /// Looks for changes for as long as it is polled.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.file.look_interval());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.refresh().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::time::Duration;

    use async_trait::async_trait;
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

    fn file_in(dir: &TempDir) -> LocalFile {
        LocalFile::new(dir.path(), FILE_NAME)
    }

    #[tokio::test]
    async fn makes_the_first_service_once() {
        let dir = folder();
        create_first(&file_in(&dir), None).await.expect("an empty folder");
        let services = read(&file_in(&dir)).await.expect("valid");
        assert_eq!(names(&services), ["local"]);
        assert!(services.list()[0].allows("http://127.0.0.1:8301"));
        change(&file_in(&dir), |services| services.remove("local")).await.expect("it is there");
        create_first(&file_in(&dir), None).await.expect("a folder whose owner wants no service");
        assert_eq!(names(&read(&file_in(&dir)).await.expect("valid")), [""; 0]);
    }

    #[tokio::test]
    async fn a_running_collector_takes_changes_and_keeps_the_last_good_content() {
        let dir = folder();
        create_first(&file_in(&dir), None).await.expect("an empty folder");
        let file = ServicesFile::open(Arc::new(file_in(&dir))).await.expect("valid");
        change(&file_in(&dir), |services| services.add(named("shop")).map(|_| ())).await.expect("a free name");
        file.refresh().await;
        assert_eq!(names(&file.current()), ["local", "shop"]);
        for broken in ["{", "{}", r#"{"services":[{"id":"a"}]}"#] {
            fs::write(dir.path().join(FILE_NAME), broken).expect("written");
            file.refresh().await;
            assert_eq!(names(&file.current()), ["local", "shop"], "{broken}");
        }
        fs::remove_file(dir.path().join(FILE_NAME)).expect("removed");
        file.refresh().await;
        assert_eq!(names(&file.current()), ["local", "shop"]);
    }

    /// A file whose place can't be reached while it is away.
    #[derive(Debug)]
    struct Elsewhere {
        file: LocalFile,
        is_away: AtomicBool,
    }

    impl Elsewhere {
        fn reach(&self) -> Result<&LocalFile, SharedFileError> {
            let source = std::io::ErrorKind::TimedOut.into();
            let is_away = self.is_away.load(Relaxed);
            if is_away { Err(SharedFileError { place: self.place(), source }) } else { Ok(&self.file) }
        }
    }

    #[async_trait]
    impl SharedFile for Elsewhere {
        fn place(&self) -> String {
            self.file.place()
        }

        fn look_interval(&self) -> Duration {
            self.file.look_interval()
        }

        async fn look(&self, known: Option<&Version>) -> Result<Look, SharedFileError> {
            self.reach()?.look(known).await
        }

        async fn replace(&self, content: &[u8], known: Option<&Version>) -> Result<Option<Version>, SharedFileError> {
            self.reach()?.replace(content, known).await
        }

        async fn clear(&self, known: Option<&Version>) -> Result<bool, SharedFileError> {
            self.reach()?.clear(known).await
        }
    }

    #[tokio::test]
    async fn what_is_elsewhere_begins_with_what_was_here_and_is_survived_by_its_copy() {
        let (here, there) = (folder(), folder());
        let elsewhere = Arc::new(Elsewhere { file: file_in(&there), is_away: AtomicBool::new(true) });
        let open = || ServicesFile::open_elsewhere(elsewhere.clone(), here.path().to_owned());
        assert!(matches!(open().await, Err(FileError::Access(_))), "there is no copy yet");

        change(&file_in(&here), |services| services.add(named("mine")).map(|_| ())).await.expect("a free name");
        elsewhere.is_away.store(false, Relaxed);
        assert_eq!(names(&open().await.expect("it can be had").current()), ["mine"]);
        change(&*elsewhere, |services| services.add(named("new")).map(|_| ())).await.expect("a free name");
        let file = open().await.expect("it can be had");
        change(&*elsewhere, |services| services.add(named("newest")).map(|_| ())).await.expect("a free name");
        file.refresh().await;

        elsewhere.is_away.store(true, Relaxed);
        file.refresh().await;
        let all = ["mine", "new", "newest"];
        assert_eq!(names(&file.current()), all);
        let started_without = open().await.expect("there is a copy");
        assert_eq!(names(&started_without.current()), all);
        assert_eq!(names(&read(&file_in(&here)).await.expect("valid")), ["mine"], "the owner's own file is left alone");

        elsewhere.is_away.store(false, Relaxed);
        change(&*elsewhere, |services| services.remove("new")).await.expect("it is there");
        started_without.refresh().await;
        assert_eq!(names(&started_without.current()), ["mine", "newest"]);
    }

    #[tokio::test]
    async fn two_changes_at_once_are_both_there_afterwards() {
        let dir = folder();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let file = file_in(&dir);
            tasks.spawn(async move {
                change(&file, |services| services.add(named(&format!("{n}"))).map(|_| ())).await.expect("a free name");
            });
        }
        tasks.join_all().await;
        assert_eq!(read(&file_in(&dir)).await.expect("valid").list().len(), 8);
    }

    #[tokio::test]
    async fn a_refused_change_leaves_the_file_alone() {
        let dir = folder();
        create_first(&file_in(&dir), None).await.expect("an empty folder");
        let before = fs::read(dir.path().join(FILE_NAME)).expect("written");
        let error = change(&file_in(&dir), |services| services.add(named("local")).map(|_| ()))
            .await
            .expect_err("a taken name");
        assert_eq!(error.to_string(), "there is a service `local` already");
        assert_eq!(fs::read(dir.path().join(FILE_NAME)).expect("kept"), before);
    }

    #[tokio::test]
    async fn keeps_what_it_does_not_read() {
        let dir = folder();
        let content = r#"{"services":[{"id":"a","name":"a","tokens":["t"],"origins":[],"page_rules":[{"of":"another version"}]}]}"#;
        fs::write(dir.path().join(FILE_NAME), content).expect("written");
        change(&file_in(&dir), |services| services.add(named("b")).map(|_| ())).await.expect("a free name");
        let services = read(&file_in(&dir)).await.expect("valid");
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
