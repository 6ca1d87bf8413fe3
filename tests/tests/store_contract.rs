//! Every store keeps the same contract.

use logdig_store::{LocalStore, MemoryStore, contract};

#[tokio::test]
async fn memory_store() {
    let files = tempfile::tempdir().unwrap();
    contract::check(&MemoryStore::new(), files.path()).await;
}

#[tokio::test]
async fn local_store() {
    let files = tempfile::tempdir().unwrap();
    contract::check(&LocalStore::new(files.path().join("store")), files.path()).await;
}

/// A batch that lies on another file system is copied. Linux keeps one in memory at `/dev/shm`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn local_store_fed_from_another_file_system() {
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = tempfile::tempdir().unwrap();
    contract::check(&LocalStore::new(root.path().join("store")), elsewhere.path()).await;
}
