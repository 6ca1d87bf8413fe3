//! A store in a folder: `DIR/2026-11-25/<64 hex digits>`.

use std::{
    io::{self, BufRead, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Content, ContentHash, Day, ObjectInfo, ObjectKey, SealedBatch, Store, StoreError,
    disk::{Disk, RealDisk},
    store::verified,
};

/// Keeps objects as files, in one folder a day.
///
/// A batch that is a file on the same file system is moved, not copied.
/// `put` syncs the folders it touched, and a copy's content; the content of a moved file is durable already
/// (see [`Content::File`]).
#[derive(Clone)]
pub struct LocalStore {
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

impl LocalStore {
    /// A store in the folder `root`, which is made with the first object.
    /// Its parent folder must be there.
    pub fn new(root: impl Into<PathBuf>) -> LocalStore {
        LocalStore::on_disk(root, Arc::new(RealDisk))
    }

    /// A store on a disk of the caller's.
    pub fn on_disk(root: impl Into<PathBuf>, disk: Arc<dyn Disk>) -> LocalStore {
        LocalStore { root: root.into(), disk }
    }

    /// Where an object is, or would be.
    pub fn path(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.day.to_string()).join(key.sha256.to_string())
    }

    /// Runs file work where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        what: &'static str,
        name: impl ToString,
        work: impl FnOnce(&LocalStore) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        // The task can only be cancelled with the runtime it runs on, or panic by a bug of ours.
        let done = done.unwrap_or_else(|stopped| Err(Failure::Io(io::Error::other(stopped))));
        done.map_err(|failure| match failure {
            Failure::Store(error) => error,
            Failure::Io(source) => StoreError::Io { what, name: name.to_string(), source },
        })
    }

    fn put_now(&self, batch: &SealedBatch) -> Result<(), Failure> {
        let target = self.path(&batch.key());
        let dir = self.make_dir(batch.day)?;
        if !is_there(&*self.disk, &target)? {
            match &batch.content {
                Content::Bytes(bytes) => self.write(&mut bytes.as_slice(), &target)?,
                Content::File(source) => self.take(source, &target, batch)?,
            }
        }
        // Also when the file was there: an earlier attempt may have failed just before this step.
        Ok(self.disk.sync_dir(&dir)?)
    }

    /// Makes the day's folder, durably.
    fn make_dir(&self, day: Day) -> io::Result<PathBuf> {
        let dir = self.root.join(day.to_string());
        // Each time, not only when new: an attempt may have failed between making a folder and syncing its name.
        self.disk.create_dir(&self.root)?;
        if let Some(parent) = self.root.parent() {
            self.disk.sync_dir(parent)?;
        }
        self.disk.create_dir(&dir)?;
        self.disk.sync_dir(&self.root)?;
        Ok(dir)
    }

    fn take(&self, source: &Path, target: &Path, batch: &SealedBatch) -> Result<(), Failure> {
        if !is_there(&*self.disk, source)? {
            let path = source.display().to_string();
            return Err(Failure::Store(StoreError::SourceGone { key: batch.key(), path }));
        }
        match self.disk.rename(source, target) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                Ok(self.write(&mut *self.disk.read(source)?, target)?)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Writes a new file under a passing name first, so that no reader ever sees a part of it.
    fn write(&self, content: &mut dyn BufRead, target: &Path) -> io::Result<()> {
        let passing = target.with_extension("part");
        match self.disk.remove(&passing) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.disk.create(&passing)?;
        loop {
            let chunk = content.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            file.append(chunk)?;
            let n_bytes = chunk.len();
            content.consume(n_bytes);
        }
        file.sync_data()?;
        self.disk.rename(&passing, target)
    }

    fn list_now(&self, day: Day) -> Result<Vec<ObjectInfo>, Failure> {
        let dir = self.root.join(day.to_string());
        let mut objects = Vec::new();
        for name in names_in(&*self.disk, &dir)? {
            let Ok(sha256) = name.parse::<ContentHash>() else { continue };
            let facts = self.disk.facts(&dir.join(&name))?;
            let key = ObjectKey { day, sha256 };
            objects.push(ObjectInfo { key, n_bytes: facts.n_bytes, changed_at: facts.changed_at });
        }
        objects.sort_by_key(|object| object.key);
        Ok(objects)
    }
}

/// Why file work did not succeed: what the caller tells apart, and the rest.
enum Failure {
    Store(StoreError),
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

fn is_there(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    match disk.facts(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The names in a folder; a folder that is not there has none.
fn names_in(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<String>> {
    match disk.list(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    }
}

#[async_trait::async_trait]
impl Store for LocalStore {
    async fn put(&self, batch: &SealedBatch) -> Result<(), StoreError> {
        let batch = batch.clone();
        self.blocking("writing object", batch.key(), move |store| store.put_now(&batch)).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError> {
        let key = *key;
        let read = move |store: &LocalStore| {
            let mut content = Vec::new();
            match store.disk.read(&store.path(&key)) {
                Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::Store(StoreError::Absent { key })),
                opened => {
                    opened?.read_to_end(&mut content)?;
                    verified(key, content).map_err(Failure::Store)
                }
            }
        };
        self.blocking("reading object", key, read).await
    }

    async fn list(&self, day: Day) -> Result<Vec<ObjectInfo>, StoreError> {
        self.blocking("listing day", day, move |store| store.list_now(day)).await
    }

    async fn days(&self) -> Result<Vec<Day>, StoreError> {
        let list = |store: &LocalStore| {
            let names = names_in(&*store.disk, &store.root)?;
            let mut days: Vec<Day> = names.iter().filter_map(|name| name.parse().ok()).collect();
            days.sort();
            Ok(days)
        };
        self.blocking("listing folder", self.root.display(), list).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::sim::SimDisk;

    const TEXT: &[u8] = b"a line that is longer than a sector of the simulated disk\n";

    /// A disk with a batch on it that is a file, durably, beside one that is in memory.
    fn disk_with_batches(seed: u64) -> (SimDisk, [SealedBatch; 2]) {
        let disk = SimDisk::new(seed, &["/data", "/data/spool"]);
        let path = PathBuf::from("/data/spool/batch");
        let mut file = disk.create(&path).unwrap();
        file.append(TEXT).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(Path::new("/data/spool")).unwrap();
        let batch =
            |day: &str, content| SealedBatch { day: day.parse().unwrap(), sha256: ContentHash::of(TEXT), content };
        let batches = [batch("2026-11-25", Content::File(path)), batch("2026-11-26", Content::Bytes(TEXT.to_vec()))];
        (disk, batches)
    }

    fn store_on(disk: &SimDisk) -> LocalStore {
        LocalStore::on_disk("/data/store", Arc::new(disk.clone()))
    }

    #[tokio::test]
    async fn what_was_put_survives_a_power_cut() {
        for seed in 0..100 {
            let (disk, batches) = disk_with_batches(seed);
            for batch in &batches {
                store_on(&disk).put(batch).await.unwrap();
            }
            disk.restart();
            for batch in &batches {
                assert_eq!(store_on(&disk).get(&batch.key()).await.unwrap(), TEXT, "seed {seed}");
            }
        }
    }

    #[tokio::test]
    async fn a_put_that_was_cut_off_can_be_put_again() {
        for seed in 0..300 {
            let (disk, batches) = disk_with_batches(seed);
            disk.cut_power_in(seed % 20 + 1);
            for batch in &batches {
                drop(store_on(&disk).put(batch).await);
            }
            disk.restart();
            for batch in &batches {
                if let Ok(content) = store_on(&disk).get(&batch.key()).await {
                    assert_eq!(content, TEXT, "seed {seed}: an object is whole or absent");
                }
                store_on(&disk).put(batch).await.unwrap();
                assert_eq!(store_on(&disk).get(&batch.key()).await.unwrap(), TEXT, "seed {seed}");
            }
        }
    }
}
