//! What every store must do: one suite, run against each of them.

use crate::{Content, ContentHash, Day, ObjectKey, SealedBatch, Store, StoreError};

/// Holds an empty `store` to the contract of [`Store`]. `files` is an empty folder for batches that are files.
///
/// # Panics
/// When the store does not keep it.
pub async fn check(store: &dyn Store, files: &std::path::Path) {
    empty_store_is_empty(store).await;
    keeps_what_was_put(store).await;
    puts_a_file_once(store, files).await;
    tells_a_lost_source(store, files).await;
    lists_days_apart(store).await;
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn batch(day_text: &str, content: &str) -> SealedBatch {
    let bytes = content.as_bytes().to_vec();
    SealedBatch { day: day(day_text), sha256: ContentHash::of(&bytes), content: Content::Bytes(bytes) }
}

async fn empty_store_is_empty(store: &dyn Store) {
    let key = batch("2026-11-25", "never put\n").key();
    assert_eq!(store.days().await.expect("days"), []);
    assert_eq!(store.list(key.day).await.expect("list"), []);
    let absent = store.get(&key).await.expect_err("nothing was put");
    assert!(matches!(absent, StoreError::Absent { key: asked } if asked == key));
    assert!(!absent.can_retry());
}

async fn keeps_what_was_put(store: &dyn Store) {
    let batch = batch("2026-11-25", "one\ntwo\n");
    let key = batch.key();
    for _again in 0..2 {
        store.put(&batch).await.expect("put");
        assert_eq!(store.get(&key).await.expect("get"), b"one\ntwo\n");
        let listed = store.list(key.day).await.expect("list");
        assert_eq!(listed.iter().map(|object| (object.key, object.n_bytes)).collect::<Vec<_>>(), [(key, 8)]);
    }
}

async fn puts_a_file_once(store: &dyn Store, files: &std::path::Path) {
    let mut batch = batch("2026-11-25", "from a file\n");
    let path = files.join("batch");
    std::fs::write(&path, "from a file\n").expect("a folder to write in");
    batch.content = Content::File(path);
    for _again in 0..2 {
        store.put(&batch).await.expect("put, though the first may have taken the file away");
        assert_eq!(store.get(&batch.key()).await.expect("get"), b"from a file\n");
    }
}

async fn tells_a_lost_source(store: &dyn Store, files: &std::path::Path) {
    let mut batch = batch("2026-11-25", "lost\n");
    batch.content = Content::File(files.join("absent"));
    let error = store.put(&batch).await.expect_err("there is no such file");
    assert!(matches!(&error, StoreError::SourceGone { key, .. } if *key == batch.key()), "{error}");
    assert!(!error.can_retry());
    assert!(store.get(&batch.key()).await.is_err());
}

async fn lists_days_apart(store: &dyn Store) {
    let same_text = [batch("2026-11-26", "one\ntwo\n"), batch("2026-11-24", "one\ntwo\n")];
    for batch in &same_text {
        store.put(batch).await.expect("put");
    }
    let days = store.days().await.expect("days");
    assert_eq!(days, [day("2026-11-24"), day("2026-11-25"), day("2026-11-26")]);
    let listed = store.list(day("2026-11-26")).await.expect("list");
    let keys: Vec<ObjectKey> = listed.iter().map(|object| object.key).collect();
    assert_eq!(keys, [same_text[0].key()]);
}
