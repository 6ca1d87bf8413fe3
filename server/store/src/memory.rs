//! A store in memory, for tests.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{Content, Day, ObjectInfo, ObjectKey, SealedBatch, Store, StoreError};

/// Keeps objects as long as the process lives.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<ObjectKey, (Vec<u8>, Timestamp)>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, (Vec<u8>, Timestamp)>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Store for MemoryStore {
    async fn put(&self, batch: &SealedBatch) -> Result<(), StoreError> {
        let key = batch.key();
        if self.objects().contains_key(&key) {
            return Ok(());
        }
        let content = match &batch.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::File(path) => std::fs::read(path).map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => StoreError::SourceGone { key, path: path.display().to_string() },
                _ => StoreError::Io { what: "reading batch", name: path.display().to_string(), source },
            })?,
        };
        self.objects().insert(key, (content, Timestamp::now()));
        Ok(())
    }

    async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, StoreError> {
        let content = self.objects().get(key).map(|(content, _)| content.clone());
        content.ok_or(StoreError::Absent { key: *key })
    }

    async fn list(&self, day: Day) -> Result<Vec<ObjectInfo>, StoreError> {
        let info = |(key, (content, changed_at)): (&ObjectKey, &(Vec<u8>, Timestamp))| ObjectInfo {
            key: *key,
            n_bytes: content.len() as u64,
            changed_at: *changed_at,
        };
        Ok(self.objects().iter().filter(|(key, _)| key.day == day).map(info).collect())
    }

    async fn days(&self) -> Result<Vec<Day>, StoreError> {
        let mut days: Vec<Day> = self.objects().keys().map(|key| key.day).collect();
        days.dedup();
        Ok(days)
    }
}
